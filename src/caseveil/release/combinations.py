"""Published combinations as numbers: one id per declared value, one sorted tuple of ids per combination. And how
often records have them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.attribute import MultiChoice
from caseveil.schema.table import Table

Ids = tuple[int, ...]
_BATCH = 1024


@dataclass(frozen=True, kw_only=True)
class ValueIndex:
    """Every declared value of a table, numbered in column order and declared order; missing has no number.

    columns: position of the column of each value. Needs declared or discovered values everywhere.
    """

    table: Table
    labels: tuple[str, ...] = field(init=False)
    columns: tuple[int, ...] = field(init=False)
    _ids: dict[str, dict[str, int]] = field(init=False, repr=False)
    _places: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        labels: list[str] = []
        columns: list[int] = []
        ids: dict[str, dict[str, int]] = {}
        for position, column in enumerate(self.table.columns):
            values = column.values or ()
            ids[column.name] = {value: len(labels) + i for i, value in enumerate(values)}
            labels += values
            columns += [position] * len(values)
        object.__setattr__(self, "labels", tuple(labels))
        object.__setattr__(self, "columns", tuple(columns))
        object.__setattr__(self, "_ids", ids)
        object.__setattr__(self, "_places", {column.name: i for i, column in enumerate(self.table.columns)})

    def cell(self, column: int, text: str) -> tuple[int, ...]:
        """Ids of the values in one cell: none if it is empty, several only in a set column. Raises KeyError."""
        declared = self.table.columns[column]
        ids = self._ids[declared.name]
        if not text:
            return ()
        if not isinstance(declared, MultiChoice):
            return (ids[text],)
        found = [ids[item] for item in text.split(declared.delimiter)]
        if len(set(found)) != len(found):
            raise KeyError("an item stands twice")
        return tuple(sorted(found))

    def combination(self, text: str) -> tuple[int, ...]:
        """Ids of the values in one combination, in rising order.

        Raises ValueError unless the text is a JSON object, keys sorted, whose cells are declared and not empty.
        """
        ids: list[int] = []
        for name, value in named_cells(text).items():
            ids += self.stated(name, value)
        return tuple(sorted(ids))

    def stated(self, name: str, value: str) -> tuple[int, ...]:
        """Ids of the values that a combination names for a column. Raises ValueError if they are not declared."""
        try:
            found = self.cell(self._places[name], value)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("the combination names a column or value that is not declared") from error
        if not found:
            raise ValueError("a combination names no missing value")
        return found

    def combinations(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """`combination` of each text, in order."""
        return [self.combination(text) for text in texts]


def named_cells(text: str) -> dict[str, str]:
    """The cells of one combination by their names; whether they are text is for `ValueIndex.stated` to find.

    Raises ValueError unless the text is a JSON object written as it should be, keys sorted.
    """
    try:
        cells = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("the combination is not JSON") from error
    if not isinstance(cells, dict) or json.dumps(cells, sort_keys=True, ensure_ascii=False) != text:
        raise ValueError("the combination is not written as it should be")
    return cells


def bit_table(index: ValueIndex, columns: Sequence[Sequence[str]], rows: int) -> NDArray[np.uint64]:
    """Which rows hold each value: shape (values, words), 64 rows a word. Raises KeyError for undeclared values."""
    bits = np.zeros((len(index.labels), (rows + 63) // 64), dtype=np.uint64)
    for position, cells in enumerate(columns):
        distinct: dict[str, int] = {}
        codes = np.array([distinct.setdefault(cell, len(distinct)) for cell in cells], dtype=np.int64)
        for cell, code in distinct.items():
            packed = pack(codes == code)
            for one in index.cell(position, cell):
                bits[one] |= packed
    return bits


def pack(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """A mask as bits, 64 rows a word; the last word is filled up with zeros."""
    padded = np.zeros((len(mask) + 63) // 64 * 8, dtype=np.uint8)
    padded[: (len(mask) + 7) // 8] = np.packbits(mask)
    return padded.view(np.uint64)


def unpack(bits: NDArray[np.uint64], rows: int) -> NDArray[np.bool_]:
    """Inverse of `pack`."""
    return np.unpackbits(bits.view(np.uint8), count=rows).view(np.bool_)


def count_rows(bits: NDArray[np.uint64], combinations: Sequence[Ids]) -> NDArray[np.int64]:
    """How many rows hold all values of each combination, none of which is empty."""
    out = np.zeros(len(combinations), dtype=np.int64)
    for where in _batches(combinations):
        picked = np.array([combinations[i] for i in where], dtype=np.int64)
        both = bits[picked[:, 0]]
        for k in range(1, picked.shape[1]):
            both = both & bits[picked[:, k]]
        out[where] = np.bitwise_count(both).sum(axis=1, dtype=np.int64)
    return out


def _batches(combinations: Sequence[Ids]) -> Iterator[list[int]]:
    """Positions of combinations of equal length, so many at a time."""
    by_length: dict[int, list[int]] = {}
    for i, one in enumerate(combinations):
        by_length.setdefault(len(one), []).append(i)
    for places in by_length.values():
        for start in range(0, len(places), _BATCH):
            yield places[start : start + _BATCH]
