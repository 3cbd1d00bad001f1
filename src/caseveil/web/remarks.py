"""What a steward should know about a table as it is prepared, before anything is made. Private.

The level says what follows: "stop" refuses the release, "private" is a choice that was made with the rows in view and
would tell of them, "price" costs accuracy, "note" informs. Messages name columns and counts, never a cell.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from caseveil.plan import Plan, TablePlan
from caseveil.records.identify import identifying_columns
from caseveil.records.prepare import words_of
from caseveil.records.raw import RawTable
from caseveil.records.recipe import apply
from caseveil.records.said import Said, looks, say
from caseveil.schema.attribute import MISSING, Binned, Column, MultiChoice, Outside
from caseveil.schema.cells import number_of
from caseveil.schema.recipe import Condition
from caseveil.schema.table import Table
from caseveil.standards.htcds import find_field
from caseveil.web.opening import remark

FEW = 10
"""Fewer people than this can be told apart by what they share."""

_EVEN = 1.15  # bins whose fullest holds at most so many times as many people as the emptiest look like quantiles


def lenient(plan: Plan) -> Plan:
    """The plan with every value that it does not declare made missing: for looking, never for releasing."""
    parts = []
    for part in plan.tables:
        columns = tuple(replace(column, outside=Outside.MISSING) for column in part.table.columns)
        parts.append(replace(part, table=replace(part.table, columns=columns)))
    return replace(plan, tables=tuple(parts))


def of_table(part: TablePlan, raw: RawTable) -> list[dict[str, Any]]:
    """Remarks on one table. part: of a lenient plan; raw: as the file has it. Raises RowsError where a column of the
    file is not there."""
    table = part.table
    made = apply(raw, table, part.recipe).raw
    out: list[dict[str, Any]] = []
    declared = {column.name for column in table.columns if column.values is not None}
    for found in identifying_columns(made, released=table, recipe=part.recipe):
        safe = found.column in declared
        out.append(
            remark(
                "private" if safe else "stop",
                say("looksDeclared" if safe else "looksOpen", what=looks(found.reason)),
                table.name,
                found.column,
            )
        )
    out += [
        remark("private", say("rareRows", few=FEW), table.name, one.column)
        for one in part.recipe.where
        if _drops_rare(one, raw)
    ]
    for column in table.columns:
        if column.name in made.columns:
            out += [
                remark(level, message, table.name, column.name)
                for level, message in _of_column(column, part, made.columns[column.name], raw)
            ]
    return out


def _drops_rare(one: Condition, raw: RawTable) -> bool:
    """Whether a condition leaves out nothing but values that few people have."""
    tally = Counter(map(str.strip, raw.columns.get(one.column, ())))
    dropped = [people for cell, people in tally.items() if cell != MISSING and not one.holds(cell)]
    return bool(dropped) and max(dropped) < FEW


def _of_column(column: Column, part: TablePlan, cells: Sequence[str], raw: RawTable) -> list[tuple[str, Said]]:
    out = []
    tally = Counter(words_of(column, cells))
    tally.pop(MISSING, None)
    if isinstance(column, MultiChoice):
        tally = _items(tally, column.delimiter)
    recipe = part.recipe.of(column.name)
    if column.values is None:
        out.append(("price", say("discovered")))
    elif isinstance(column, Binned):
        out += _bins(column, tally, cells)
    elif recipe.group is None and set(tally) == set(column.values) and not _public(column):
        rare = sum(people < FEW for people in tally.values())
        if rare:
            out.append(("private", say("readOff", few=FEW, count=rare)))
    named = Counter(map(str.strip, raw.columns[recipe.of_file])) if recipe.recode else Counter()
    if isinstance(column, MultiChoice):
        named = _items(named, column.delimiter)
    rare = sum(0 < named[cell] < FEW for cell in recipe.recode)
    if rare:
        out.append(("private", say("namedCells", few=FEW, count=rare)))
    return out


def _items(tally: Counter[str], delimiter: str) -> Counter[str]:
    items: Counter[str] = Counter()
    for cell, people in tally.items():
        for item in {piece.strip() for piece in cell.split(delimiter)}:
            items[item] += people
    return items


def _public(column: Column) -> bool:
    """Whether the values are those of a public standard."""
    field = find_field(column.name)
    return field is not None and set(column.values or ()) in (set(field.values), set(field.value_labels))


def _bins(column: Binned, tally: Counter[str], cells: Sequence[str]) -> list[tuple[str, Said]]:
    out = []
    held = [tally[label] for label in column.values]
    if len(held) >= 3 and min(held) >= FEW and max(held) <= _EVEN * min(held):
        out.append(("private", say("evenBins")))
    if not column.is_date:
        numbers = Counter(number for cell in cells if (number := number_of(cell.strip())) is not None)
        ends = {min(numbers), max(numbers)} if numbers else set()
        edges = [float(edge) for edge in column.edges if not isinstance(edge, datetime.date)]
        if any(edge in ends and numbers[edge] < FEW and edge % 5 for edge in edges):
            out.append(("private", say("outermost", few=FEW)))
    return out


def of_link(part: TablePlan, table: Table, raws: Sequence[RawTable]) -> list[dict[str, Any]]:
    """Remarks on how two tables hang together. table: of people."""
    link = part.link
    if link is None or table.key is None or table.key not in raws[0].columns or link.key not in raws[1].columns:
        return []
    known = set(map(str.strip, raws[0].columns[table.key]))
    named = Counter(map(str.strip, raws[1].columns[link.key]))
    strays = sum(rows for key, rows in named.items() if key not in known)
    over = sum(rows - link.at_most for key, rows in named.items() if key in known and rows > link.at_most)
    out = []
    if strays:
        out.append(remark("note", say("strays", count=strays, table=table.name), part.table.name, link.key))
    if over:
        out.append(remark("note", say("overCap", count=over, most=link.at_most), part.table.name, link.key))
    return out
