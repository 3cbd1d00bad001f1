"""Prepared words to codes and back, exactly. Code 0 is the missing value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.records.prepare import Rows
from caseveil.schema.attribute import MISSING, Column, MultiChoice
from caseveil.schema.domain import Domain
from caseveil.schema.table import Table

_WORD = 2**62  # codes of several columns are packed into one int64 up to this


@dataclass(frozen=True, kw_only=True, repr=False)
class EncodedRows:
    """Private rows as codes: (n, len(domain)) int32 in Fortran order, codes[:, i] below domain.sizes[i].

    Where several rows belong to one person each counts as weights[row] / grid of a person, with whole weights, so that
    counts are exact on that grid; weights None: each row is a person.
    """

    domain: Domain
    codes: NDArray[np.int32]
    weights: NDArray[np.int64] | None = None
    grid: int = 1

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.domain):
            raise ValueError("codes must have one column per attribute of the domain")
        if self.weights is not None and self.weights.shape != (self.n,):
            raise ValueError("weights must be one per row")
        if self.grid < 1 or (self.weights is None and self.grid != 1):
            raise ValueError("grid must be 1 or more, and 1 without weights")

    @property
    def n(self) -> int:
        """Number of rows. Private."""
        return int(self.codes.shape[0])

    def __repr__(self) -> str:
        return f"EncodedRows(names={list(self.domain.names)})"


def encode(rows: Rows, table: Table) -> EncodedRows:
    """Codes of the rows over the attributes of the table, whose values are all known.

    Rows may have been prepared before values were discovered: a value that the table lacks becomes 0,
    and a column that the table has dropped is left out.
    """
    domain = table.domain()
    codes = np.zeros((rows.n, len(domain)), dtype=np.int32, order="F")
    at = 0
    for column in table.columns:
        cells = rows.columns[column.name]
        places = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
        where = np.fromiter(map(places.__getitem__, cells), dtype=np.int64, count=rows.n)
        for attribute in _distinct_codes(column, tuple(places)):
            codes[:, at] = attribute[where]
            at += 1
    return EncodedRows(domain=domain, codes=codes)


def _distinct_codes(column: Column, cells: tuple[str, ...]) -> list[NDArray[np.int32]]:
    """For each attribute of the column, the codes of the distinct cells."""
    values = column.values
    assert values is not None, f"values of {column.name} are not known yet"
    if not isinstance(column, MultiChoice):
        code = {value: place for place, value in enumerate(values, start=1)}
        return [np.array([code.get(cell, 0) for cell in cells], dtype=np.int32)]
    held = [frozenset(cell.split(column.delimiter)) for cell in cells]
    return [np.array([item in items for items in held], dtype=np.int32) for item in values]


def decode(codes: NDArray[np.integer], table: Table) -> dict[str, list[str]]:
    """Columns of text from codes of shape (n, attributes): the inverse of `encode`.

    Items of a set column stand in declared order, joined by its delimiter. Raises ValueError for a code
    outside its attribute.
    """
    domain = table.domain()
    if codes.ndim != 2 or codes.shape[1] != len(domain):
        raise ValueError("codes must have one column per attribute of the table")
    for place, size in enumerate(domain.sizes):
        column_codes = codes[:, place]
        if column_codes.size and not 0 <= int(column_codes.min()) <= int(column_codes.max()) < size:
            raise ValueError(f"codes of {domain.names[place]} must lie in 0..{size - 1}")
    out: dict[str, list[str]] = {}
    at = 0
    for column in table.columns:
        values = column.values
        assert values is not None, f"values of {column.name} are not known yet"
        if isinstance(column, MultiChoice):
            block = codes[:, at : at + len(values)]
            first, inverse, _ = distinct_rows(block, (2,) * len(values))
            texts = [
                column.delimiter.join(value for value, flag in zip(values, row, strict=True) if flag)
                for row in block[first].tolist()
            ]
            at += len(values)
        else:
            texts, inverse = [MISSING, *values], codes[:, at].astype(np.int64)
            at += 1
        out[column.name] = [texts[place] for place in inverse.tolist()]
    return out


def distinct_rows(
    codes: NDArray[np.integer], sizes: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Equal rows found: (position of the first of each kind, kind of each row, rows of each kind).

    Exact: columns are packed into int64 words in mixed radix, and words are joined by rank.
    """
    n = codes.shape[0]
    word: NDArray[np.int64] = np.zeros(n, dtype=np.int64)
    span = 1
    for place, size in enumerate(sizes):
        if span * size > _WORD:
            kinds, word = np.unique(word, return_inverse=True)
            word = word.reshape(-1).astype(np.int64)
            span = max(len(kinds), 1)
        word = word * size + codes[:, place]
        span *= size
    _, first, inverse, counts = np.unique(word, return_index=True, return_inverse=True, return_counts=True)
    return first.astype(np.int64), inverse.reshape(-1).astype(np.int64), counts.astype(np.int64)
