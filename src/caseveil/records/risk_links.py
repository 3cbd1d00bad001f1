"""What somebody who knows a person's links sees of that person, as columns of one table. Private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caseveil.records.linkage import LinkedRows
from caseveil.schema.attribute import MISSING, Column, MultiChoice
from caseveil.schema.links import number_name

_AND = " + "
"""Between the values of several links in one cell."""


def with_links(rows: LinkedRows) -> dict[str, Sequence[str]]:
    """Columns of one row per person: those of people, then how many links each has, and which values occur in them.

    Columns are named <table>.<column>, so that none is taken for another. A cell of those of links holds every value
    that any link of the person has, once and in order: whoever knows these values knows no order of the links.
    """
    people, linked = rows.victims, rows.perpetrators
    out: dict[str, Sequence[str]] = {f"{people.table.name}.{name}": cells for name, cells in people.columns.items()}
    out[number_name(linked.table.name)] = [str(number) for number in rows.numbers.tolist()]
    for column in linked.table.columns:
        out[f"{linked.table.name}.{column.name}"] = _met(rows, column, linked.columns[column.name])
    return out


def linked_columns(rows: LinkedRows) -> Mapping[str, tuple[str, Column]]:
    """Table and column of every name of `with_links`; the number of links is no column, and is left out."""
    tables = rows.victims.table, rows.perpetrators.table
    return {f"{table.name}.{column.name}": (table.name, column) for table in tables for column in table.columns}


def _met(rows: LinkedRows, column: Column, cells: Sequence[str]) -> list[str]:
    """The values of a column that occur among the links of each person: (people,)."""
    met: list[set[str]] = [set() for _ in range(rows.victims.n)]
    for owner, cell in zip(rows.victim_of.tolist(), cells, strict=True):
        if cell != MISSING:
            met[owner].update(cell.split(column.delimiter) if isinstance(column, MultiChoice) else (cell,))
    return [_AND.join(sorted(values)) if values else MISSING for values in met]
