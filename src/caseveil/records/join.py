"""Two files about the same people become one table: each row of the first gets the columns of its row in the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from pathlib import PurePath

from caseveil.errors import RowsError
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING
from caseveil.schema.recipe import Join


def added(raw: RawTable, other: RawTable, *, key: str, join: Join) -> RawTable:
    """The rows of `raw`, in their order, with the columns of `other` but its key.

    key: the column of raw that holds the key of the person; keys are compared without the space around them. Of a
    person without a row in other, the cells are empty; rows of other that name nobody are left out. A column whose
    name is taken is called "name (file)". Raises RowsError where a key is missing, or is in several rows of one file,
    so that one person is one row.
    """
    if key not in raw.columns:
        raise RowsError(f"key ({key}) is not in the data")
    if join.key not in other.columns:
        raise RowsError(f"join.key ({join.key}) is not a column of {join.source}")
    own = [cell.strip() for cell in raw.columns[key]]
    theirs = [cell.strip() for cell in other.columns[join.key]]
    _check(own, f"column {key}")
    _check(theirs, f"column {join.key} of {join.source}")
    place = {cell: at for at, cell in enumerate(theirs)}
    rows = [place.get(cell, -1) for cell in own]
    columns = dict(raw.columns)
    for name, cells in other.columns.items():
        if name != join.key:
            columns[name_of(name, columns, join)] = [cells[at] if at >= 0 else MISSING for at in rows]
    return RawTable(columns=columns, note=" ".join(filter(None, (raw.note, other.note))))


def name_of(name: str, taken: Container[str], join: Join) -> str:
    """What a column of the second file is called beside those whose names are taken."""
    while name in taken:
        name = f"{name} ({PurePath(join.source).name})"
    return name


def _check(keys: list[str], what: str) -> None:
    empty, repeated = keys.count(MISSING), sum(n for n in Counter(keys).values() if n > 1)
    if empty:
        raise RowsError(f"join: {what} is empty in {empty:,} rows, and must name a person in each")
    if repeated:
        raise RowsError(
            f"join: {what} must have a value of its own in every row, and {repeated:,} rows share theirs; several "
            f"rows of one person belong into a table of their own, with links"
        )
