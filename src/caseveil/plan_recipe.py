"""The recipe of a table in release.toml: read, checked against its columns, and written.

Messages may repeat names of columns and what a cell is to become. What it is rewritten from, and which rows stay, are
cells of the file, and are repeated nowhere.
"""

from __future__ import annotations

import difflib
from enum import Enum
from typing import TypeVar

from caseveil.errors import PlanError
from caseveil.plan_section import Section, nearest, placed, sort_of
from caseveil.schema.attribute import MISSING, Binned, Column, MultiChoice
from caseveil.schema.cells import day_of, number_of
from caseveil.schema.links import Link
from caseveil.schema.recipe import ColumnRecipe, Condition, Derive, Group, Join, Recipe
from caseveil.schema.table import Table

OneOf = TypeVar("OneOf", bound=Enum)


def read_column(name: str, section: Section) -> ColumnRecipe:
    """How the column of this section is made. Raises PlanError."""
    derive = _one_of(section, "derive", Derive)
    group = _one_of(section, "group", Group)
    source, recode = section.maybe_text("from"), _recode(section)
    with placed(section.place.removesuffix(name)):
        return ColumnRecipe(column=name, source=source, recode=recode, derive=derive, group=group)


def read_where(section: Section) -> tuple[Condition, ...]:
    """The conditions under which rows of a table stay. Raises PlanError."""
    example = 'where = [{ column = "sex", is = ["F"] }]'
    read = []
    for number, item in enumerate(section.items("where", f"conditions, for example {example},") or (), start=1):
        if not isinstance(item, dict):
            raise PlanError(f"{section.at('where')} (holding {sort_of(item)}) must hold conditions, as {example}")
        one = Section(place=f"{section.at('where')}[{number}]", data=item)
        one.refuse_unknown(dict.fromkeys(("column", "is", "is_not")), {})
        column, only, never = one.text("column"), _words(one, "is"), _words(one, "is_not")
        with placed(f"{one.place}: "):
            read.append(Condition(column=column, only=only, never=never))
    return tuple(read)


def read_join(section: Section) -> Join | None:
    """The file whose columns are added. Raises PlanError."""
    if "join" not in section.data:
        return None
    one = section.section("join", '{ source = "interviews.csv", key = "victim_id" }')
    one.refuse_unknown(dict.fromkeys(("source", "key")), {})
    source, key = one.text("source"), one.text("key")
    with placed(f"{one.place}."):
        return Join(source=source, key=key)


def _one_of(section: Section, key: str, choices: type[OneOf]) -> OneOf | None:
    said = section.maybe_text(key)
    if said is None:
        return None
    known = {choice.value: choice for choice in choices}
    if said not in known:
        near = difflib.get_close_matches(said, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise PlanError(f"{section.at(key)} ({said[:40]!r}) must be one of {', '.join(known)}{hint}")
    return known[said]


def _recode(section: Section) -> dict[str, str]:
    if "recode" not in section.data:
        return {}
    data = section.section("recode", '{ "FR" = "Europe", "unk" = "" }').data
    return {old: _word(section.at("recode"), new) for old, new in data.items()}


def _words(section: Section, key: str) -> tuple[str, ...] | None:
    items = section.items(key, "texts")
    return None if items is None else tuple(_word(section.at(key), item) for item in items)


def _word(place: str, item: object) -> str:
    """A text as cells are written. Its place is named, and neither the text nor what it stands for."""
    if isinstance(item, int) and not isinstance(item, bool) and abs(item) < 2**53:
        return str(item)
    if not isinstance(item, str):
        raise PlanError(f"{place} (holding {sort_of(item)}) must hold texts in quotes, written as in the data")
    return item


def checked(recipe: Recipe, table: Table, link: Link | None) -> Recipe:
    """The recipe in the order of the table's columns, without entries that change nothing.

    Raises PlanError where a column is made of one that names a person, or into what the column cannot hold.
    """
    if recipe.join is not None and (table.key is None or link is not None):
        raise PlanError(
            f"tables.{table.name}.join needs the table of people and its key: name the column of its file that "
            f"identifies the person, for example key = {recipe.join.key[:60]!r}"
        )
    place = f"tables.{table.name}.columns"
    columns = {column.name: column for column in table.columns}
    stray = next((one.column for one in recipe.columns if one.column not in columns), None)
    if stray is not None:
        raise PlanError(f"{place}.{stray} must be a released column: {nearest(stray, columns)}")
    keys = {table.key, None if link is None else link.key} - {None}
    for one in recipe.columns:
        if one.source in keys:
            raise PlanError(f"{place}.{one.column}.from ({one.source!r:.60}) must not be a key: it identifies a person")
        _check_step(f"{place}.{one.column}", one, columns[one.column])
        _check_recode(f"{place}.{one.column}", one, columns[one.column])
    made = {one.column: one for one in recipe.columns if not one.empty}
    return Recipe(columns=tuple(made[name] for name in columns if name in made), where=recipe.where, join=recipe.join)


def _check_step(place: str, one: ColumnRecipe, column: Column) -> None:
    """Raises PlanError where what derive or group makes can never be a value of the column."""
    if isinstance(column, Binned):
        if one.group is not None:
            raise PlanError(f"{place}.group must be left out of a binned column: regions are no numbers or dates")
        fits = (Derive.YEAR, Derive.MONTH) if column.is_date else (Derive.YEAR, Derive.WHOLE)
        if one.derive is not None and one.derive not in fits:
            kind = "dates" if column.is_date else "numbers"
            raise PlanError(
                f"{place}.derive ({one.derive.value!r}) must be {' or '.join(fit.value for fit in fits)} for bins of "
                f'{kind}; for others, take kind = "ordered" and declare the values'
            )
    elif one.group is not None:
        strange = next((value for value in column.values or () if value not in one.group.names), None)
        if strange is not None:
            raise PlanError(
                f"{place}.values ({strange[:60]!r}) must be regions of {one.group.value}: "
                f"{nearest(strange, one.group.names)}"
            )


def _check_recode(place: str, one: ColumnRecipe, column: Column) -> None:
    """Raises PlanError where a cell would be rewritten into what the column does not know."""
    if isinstance(column, MultiChoice):
        if any(column.delimiter in old for old in one.recode):
            raise PlanError(f"{place}.recode must rename single items, without the delimiter ({column.delimiter!r})")
        joined = next((new for new in one.recode.values() if column.delimiter in new), None)
        if joined is not None:
            raise PlanError(f"{place}.recode ({joined[:40]!r}) must not hold the delimiter ({column.delimiter!r})")
    for new in one.recode.values():
        if not _known(new, one, column):
            if one.derive is not None:
                mend = f"something of which {one.derive.value} can be taken"
            elif one.group is not None:
                mend = "a country or a region"
            else:
                mend = (
                    "a declared value, a number or date for the bins"
                    if isinstance(column, Binned)
                    else ("a declared value")
                )
            near = nearest(new, column.values or (() if one.group is None else one.group.names))
            raise PlanError(
                f'{place}.recode (to {new[:60]!r}) must lead to {mend}, or to "" for missing{near and ": "}{near}'
            )


def _known(new: str, one: ColumnRecipe, column: Column) -> bool:
    missing = {MISSING, *(word.strip() for word in column.missing)}
    text = ColumnRecipe(column=one.column, derive=one.derive, group=one.group).text(new.strip(), column)
    if text is None:
        return False
    if text in missing or column.values is None or text in {value.strip() for value in column.values}:
        return True
    return isinstance(column, Binned) and (day_of(text) if column.is_date else number_of(text)) is not None


def column_content(one: ColumnRecipe) -> tuple[dict[str, object], dict[str, object]]:
    """Its keys in release.toml: those that may be known to all, and those that name columns and cells of the file."""
    public: dict[str, object] = {}
    if one.derive is not None:
        public["derive"] = one.derive.value
    if one.group is not None:
        public["group"] = one.group.value
    private: dict[str, object] = {} if one.source is None else {"from": one.source}
    return public, private | ({"recode": dict(one.recode)} if one.recode else {})


def where_content(recipe: Recipe) -> list[object]:
    """The conditions as they stand in release.toml."""
    return [
        {"column": one.column}
        | ({} if one.only is None else {"is": list(one.only)})
        | ({} if one.never is None else {"is_not": list(one.never)})
        for one in recipe.where
    ]


def join_content(recipe: Recipe) -> dict[str, object] | None:
    """The join as it stands in release.toml."""
    return None if recipe.join is None else {"source": recipe.join.source, "key": recipe.join.key}
