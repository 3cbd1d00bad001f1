"""Published combinations as numbers: one id per declared value, one sorted tuple of ids per combination."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from caseveil.schema.attribute import MultiChoice
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True)
class ValueIndex:
    """Every declared value of a table, numbered in column order and declared order; missing has no number.

    columns: position of the column of each value. Needs declared or discovered values everywhere.
    """

    table: Table
    labels: tuple[str, ...] = field(init=False)
    columns: tuple[int, ...] = field(init=False)
    _ids: dict[str, dict[str, int]] = field(init=False, repr=False)

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
        try:
            cells = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError("the combination is not JSON") from error
        try:
            if not isinstance(cells, dict) or json.dumps(cells, sort_keys=True, ensure_ascii=False) != text:
                raise ValueError("the combination is not written as it should be")
            ids: list[int] = []
            for name, value in cells.items():
                found = self.cell(self._position(name), value)
                if not found:
                    raise ValueError("a combination names no missing value")
                ids += found
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("the combination names a column or value that is not declared") from error
        return tuple(sorted(ids))

    def combinations(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """`combination` of each text, in order."""
        return [self.combination(text) for text in texts]

    def _position(self, name: str) -> int:
        for position, column in enumerate(self.table.columns):
            if column.name == name:
                return position
        raise KeyError("no such column")
