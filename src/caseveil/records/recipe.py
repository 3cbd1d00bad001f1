"""The recipe of a plan, carried out: rows that stay, columns made of columns, cells rewritten. Row by row.

Every row becomes one row or none, by itself alone: what is counted here is for the steward's eyes, and changes nothing
(docs/proofs/row-recipes.md). No message quotes a cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from caseveil.errors import RowsError
from caseveil.records.prepare import nearest_column, words_of
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING, Column, MultiChoice, Outside
from caseveil.schema.recipe import ColumnRecipe, Derive, Recipe
from caseveil.schema.table import Table

Left = frozenset[str]
"""Keys of people of whom no row stays."""


@dataclass(frozen=True, kw_only=True)
class RecipeReport:
    """What a recipe met. Private: for the steward's eyes.

    rows: of the file. left_out: those that do not stay; along: those of them that go with the person they belong to.
    By released column, where not 0: changed, cells that were rewritten; unmatched, entries of recode that no cell of a
    row that stays matches; unmade, cells (items, in set columns) that derive or group cannot read, made missing.
    """

    table: str
    rows: int
    left_out: int = 0
    along: int = 0
    changed: Mapping[str, int] = field(default_factory=dict)
    unmatched: Mapping[str, int] = field(default_factory=dict)
    unmade: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, repr=False)
class Applied:
    """Private rows as the plan's columns want them, what was met, and the keys of people who were left out."""

    raw: RawTable
    report: RecipeReport
    left: Left = frozenset()


@dataclass(kw_only=True)
class _Made:
    """One column on its way: distinct cells of the file and what becomes of them."""

    texts: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    changed: int = 0
    unmade: int = 0
    unmade_rows: int = 0


def apply(raw: RawTable, table: Table, recipe: Recipe, *, along: tuple[str, Set[str]] | None = None) -> Applied:
    """The rows that stay, with the columns of the table as it wants them.

    along: the column that names a row's person, and the people who were left out of the table of people; their rows go
    with them. The columns of the file stay beside them, in `file`.

    Raises RowsError, one line for every fault: columns that the recipe names and the file does not have, and cells that
    derive or group cannot read where the column says refuse.
    """
    faults = _absent(raw, table, recipe)
    if faults:
        raise RowsError("\n".join(faults))
    stays = _stays(raw, recipe)
    gone = 0
    if along is not None and along[0] in raw.columns and along[1]:
        before = sum(stays)
        named = raw.columns[along[0]]
        stays = [stay and cell.strip() not in along[1] for stay, cell in zip(stays, named, strict=True)]
        gone = before - sum(stays)
    rows = raw.n
    left = _left(raw, table, stays)
    if not all(stays):
        raw = RawTable(columns={name: _chosen(cells, stays) for name, cells in raw.columns.items()}, note=raw.note)
    columns, changed, unmatched, unmade = dict(raw.columns), {}, {}, {}
    # what another column is made of is not offered a second time under its own name
    used_up = {one.of_file for one in recipe.columns} - {column.name for column in table.columns}
    for column in table.columns:
        one = recipe.of(column.name)
        if one.empty or one.of_file not in raw.columns:
            continue
        cells = raw.columns[one.of_file]
        made = _make(one, column, Counter(cells))
        columns[column.name] = list(map(made.texts.__getitem__, cells)) if one.changes else cells
        if made.changed:
            changed[column.name] = made.changed
        if len(made.used) < len(one.recode):
            unmatched[column.name] = len(one.recode) - len(made.used)
        if made.unmade and column.outside is Outside.MISSING:
            unmade[column.name] = made.unmade
        elif made.unmade:
            faults.append(_unmade_fault(one, made.unmade_rows))
    if faults:
        raise RowsError("\n".join(faults))
    return Applied(
        raw=RawTable(
            columns={name: cells for name, cells in columns.items() if name not in used_up},
            note=raw.note,
            file=None if all(one.empty for one in recipe.columns) else raw.columns,
        ),
        report=RecipeReport(
            table=table.name,
            rows=rows,
            left_out=rows - raw.n,
            along=gone,
            changed=changed,
            unmatched=unmatched,
            unmade=unmade,
        ),
        left=left,
    )


def _absent(raw: RawTable, table: Table, recipe: Recipe) -> list[str]:
    faults = []
    for condition in recipe.where:
        if condition.column not in raw.columns:
            hint = nearest_column(condition.column, raw)
            faults.append(f"where: column {condition.column} is not in the data{hint}")
    for column in table.columns:
        one = recipe.of(column.name)
        if one.source is not None and one.source not in raw.columns:
            faults.append(
                f"column {column.name}: from ({one.source}) is not in the data{nearest_column(one.source, raw)}"
            )
    return faults


def _stays(raw: RawTable, recipe: Recipe) -> list[bool]:
    stays = [True] * raw.n
    for condition in recipe.where:
        cells = raw.columns[condition.column]
        verdict = {cell: condition.holds(cell) for cell in set(cells)}
        stays = [stay and verdict[cell] for stay, cell in zip(stays, cells, strict=True)]
    return stays


def _chosen(cells: Sequence[str], stays: Sequence[bool]) -> list[str]:
    return [cell for cell, stay in zip(cells, stays, strict=True) if stay]


def _left(raw: RawTable, table: Table, stays: Sequence[bool]) -> Left:
    """Keys of which no row stays."""
    if table.key is None or table.key not in raw.columns or all(stays):
        return frozenset()
    keys = [key.strip() for key in raw.columns[table.key]]
    return frozenset(keys) - frozenset(_chosen(keys, stays)) - {MISSING}


def _make(one: ColumnRecipe, column: Column, tally: Mapping[str, int]) -> _Made:
    made = _Made()
    for cell, count in tally.items():
        text = cell.strip()
        made.texts[cell], unread = (
            _remade_set(one, column, text, made.used)
            if isinstance(column, MultiChoice)
            else _remade(one, column, text, made.used)
        )
        made.changed += count * (made.texts[cell] != text and not unread)
        made.unmade += count * unread
        made.unmade_rows += count * (unread > 0)
    return made


def _remade(one: ColumnRecipe, column: Column, text: str, used: set[str]) -> tuple[str, int]:
    """What becomes of a cell, and whether it could not be read."""
    if text in one.recode:
        used.add(text)
    made = one.text(text, column)
    return (MISSING, 1) if made is None else (made, 0)


def _remade_set(one: ColumnRecipe, column: MultiChoice, text: str, used: set[str]) -> tuple[str, int]:
    """What becomes of a cell of several items, and how many of them could not be read."""
    if text in {MISSING, *(word.strip() for word in column.missing)} - one.recode.keys():
        return text, 0
    items, remade = [part.strip() for part in text.split(column.delimiter)], []
    unread: set[str] = set()
    for item in items:
        made, failed = _remade(one, column, item, used)
        remade.append(made)
        if failed:
            unread.add(item)
    return (text if remade == items else column.delimiter.join(remade)), len(unread)


def _unmade_fault(one: ColumnRecipe, rows: int) -> str:
    if one.group is not None:
        shape = "a country with a region"
    elif one.derive is Derive.WHOLE:
        shape = "a number such as 17 or 17.5"
    else:
        shape = "a date such as 2015" if one.derive is Derive.YEAR else "a date such as 2015-06 or 2015-06-30"
    several = f"{rows:,} row{' holds' if rows == 1 else 's hold'}"
    return (
        f"column {one.column}: {several} something other than {shape}; correct the data, recode the word, put it in "
        f'missing, or set outside = "missing"'
    )


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The first rows that stay, as the file has them and as they would be held against the plan. Private."""

    before: Mapping[str, Sequence[str]]
    after: Mapping[str, Sequence[str]]


def preview(raw: RawTable, table: Table, recipe: Recipe, *, rows: int = 20) -> Preview:
    """Up to `rows` rows before and after; what the plan does not know is shown as missing, and nothing is refused.

    after has the columns of the table that the file has, or that are made of one that it has. Raises RowsError where
    the recipe names a column that is not there.
    """
    faults = _absent(raw, table, recipe)
    if faults:
        raise RowsError("\n".join(faults))
    places = [place for place, stay in enumerate(_stays(raw, recipe)) if stay][:rows]
    before = {name: [cells[place] for place in places] for name, cells in raw.columns.items()}
    after = {}
    for column in table.columns:
        one = recipe.of(column.name)
        if one.of_file in before:
            cells = before[one.of_file]
            made = _make(one, column, Counter(cells)).texts if one.changes else {cell: cell for cell in cells}
            after[column.name] = words_of(column, [made[cell] for cell in cells])
    return Preview(before=before, after=after)
