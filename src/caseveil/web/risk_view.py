"""Whom the rows would single out, which columns and values do it, and what to coarsen. Private."""

from __future__ import annotations

from typing import Any

from caseveil.records.prepare import Rows
from caseveil.records.risk import assess, rare_values, take_apart
from caseveil.schema.attribute import Binned, Column, MultiChoice

_LISTED = 6  # combinations of columns whose rare values are shown
_EACH = 3
_ADVISED = 4
_WORTH = 0.05  # share of the people singled out that advice must spare


def view(rows: Rows, *, k: int, length: int) -> dict[str, Any]:
    """The contract's Risk of the prepared rows of people. length is cut to 3, the most that is looked at."""
    length = min(max(length, 1), 3)
    k = max(2, k)
    report = assess(rows, k=k, length=length)
    parts = take_apart(rows, k=k, length=length)
    table = rows.table
    columns = sorted(parts.without.items(), key=lambda found: found[1])
    return {
        "people": rows.n,
        "k": k,
        "length": length,
        "singled": report.people,
        "by_length": [{"length": at, "singled": people} for at, people in enumerate(parts.by_length, start=1)],
        "columns": [{"table": table.name, "column": name, "singled_without": people} for name, people in columns],
        "rare": [
            {"columns": list(found.columns), "values": list(values), "people": people}
            for found in report.combinations[:_LISTED]
            for values, people in rare_values(rows, found.columns, k=k, most=_EACH)
        ],
        "advice": _advice(rows, report.people, columns),
    }


def _advice(rows: Rows, singled: int, columns: list[tuple[str, int]]) -> list[dict[str, object]]:
    if not singled:
        return []
    by_name = {column.name: column for column in rows.table.columns}
    out: list[dict[str, object]] = []
    for name, without in columns[:_ADVISED]:
        if singled - without < _WORTH * singled:
            break
        out.append({"table": rows.table.name, "column": name, "without": without, "how": _how(by_name[name])})
    return out


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
