"""Whom the rows would single out, which columns and values do it, and what to coarsen. Private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.risk import assess, rare_values, take_apart
from caseveil.records.risk_links import linked_columns, with_links
from caseveil.schema.attribute import Binned, Column, MultiChoice

_LISTED = 6  # combinations of columns whose rare values are shown
_EACH = 3
_ADVISED = 4
_WORTH = 0.01  # share of the people singled out that advice must spare


def view(rows: Rows | LinkedRows, *, k: int, length: int) -> dict[str, Any]:
    """The contract's Risk of prepared rows, of people with what is linked to them. length is cut to 3, the most that
    is looked at. A column without a name is the number of links."""
    length = min(max(length, 1), 3)
    k = max(2, k)
    seen, named, declared = _seen(rows)
    report = assess(seen, k=k, length=length)
    parts = take_apart(seen, k=k, length=length)
    columns = sorted(parts.without.items(), key=lambda found: found[1])
    return {
        "people": len(next(iter(seen.values()))),
        "k": k,
        "length": length,
        "singled": report.people,
        "by_length": [{"length": at, "singled": people} for at, people in enumerate(parts.by_length, start=1)],
        "columns": [{**named[name], "singled_without": people} for name, people in columns],
        "rare": [
            {"columns": [named[name] for name in found.columns], "values": list(values), "people": people}
            for found in report.combinations[:_LISTED]
            for values, people in rare_values(seen, found.columns, k=k, most=_EACH)
        ],
        "advice": [
            {**named[name], "without": without, "how": _how(declared[name])}
            for name, without in [found for found in columns if found[0] in declared][:_ADVISED]
            if report.people - without >= max(_WORTH * report.people, 1)
        ],
    }


def _seen(
    rows: Rows | LinkedRows,
) -> tuple[Mapping[str, Sequence[str]], Mapping[str, dict[str, str]], Mapping[str, Column]]:
    """The columns of people; the table and column of each; and of those that can be coarser, what is declared."""
    if isinstance(rows, Rows):
        declared = {column.name: column for column in rows.table.columns}
        return rows.columns, {name: {"table": rows.table.name, "column": name} for name in declared}, declared
    seen, places = with_links(rows), linked_columns(rows)
    number = {"table": rows.perpetrators.table.name, "column": ""}
    named = {name: number for name in seen} | {
        name: {"table": table, "column": column.name} for name, (table, column) in places.items()
    }
    return seen, named, {name: column for name, (_, column) in places.items()}


def _how(column: Column) -> str:
    """What could be done about a column, as the contract names it."""
    match column:
        case Binned():
            return "bins"
        case MultiChoice():
            return "items"
        case _ if column.values is not None and len(column.values) <= 3:
            return "few"
        case _:
            return "values"
