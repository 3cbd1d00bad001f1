"""What must hold between the tables of a plan that are linked, and between them and the table derived from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from caseveil.errors import PlanError
from caseveil.plan_section import nearest
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.unit import EITHER, PrivacyUnit

if TYPE_CHECKING:
    from caseveil.plan import TablePlan

KEPT_NAMES = (FLATTENED, "links")
"""Names of files in a bundle of linked tables, which no table may take."""

_EXAMPLE = 'links = { to = "victims", key = "victim_id", at_most = 6 }'
_TWO_UNITS = re.compile(r"\b(or|and|both|perpetrators?)\b|[/+&]", re.IGNORECASE)


def ordered(tables: Sequence[TablePlan]) -> tuple[TablePlan, ...]:
    """The table of people, then the one that links to it. Raises PlanError unless there is one of the first, and at
    most one of the second, and they fit together."""
    if not tables:
        raise PlanError("tables must name one table, for example [tables.victims]")
    names = ", ".join(part.table.name for part in tables)
    people = [part for part in tables if part.link is None]
    linked = [part for part in tables if part.link is not None]
    if len(tables) > 2:
        raise PlanError(
            f"tables ({names}) must be at most two, a table of people and one that links to it: "
            f"release further tables with a plan of their own"
        )
    if len(people) > 1:
        raise PlanError(
            f"tables ({names}) must be linked: give the table with several rows per person {_EXAMPLE}, "
            f"or release each table with a plan of its own"
        )
    if len(linked) > 1:
        raise PlanError(
            f"tables ({names}) must not link to each other in a circle: take links out of the table of people, which "
            f"has one row per person"
        )
    for part in linked:
        _check_link(part, people)
    return (*people, *linked)


def _check_link(part: TablePlan, people: Sequence[TablePlan]) -> None:
    link, name = part.link, part.table.name
    assert link is not None
    at = f"tables.{name}.links"
    if link.to == name:
        raise PlanError(f"{at}.to ({link.to!r:.40}) must name another table: a table cannot link to itself")
    if not people or people[0].table.name != link.to:
        known = [other.table.name for other in people]
        hint = f"did you mean {known[0]}?" if known else f"add the table of people, for example [tables.{link.to:.40}]"
        raise PlanError(f"{at}.to ({link.to!r:.60}) must name a table of this plan; {hint}")
    if link.key in [column.name for column in part.table.columns]:
        raise PlanError(
            f"{at}.key ({link.key!r:.60}) must not be a released column: it identifies a person. Take "
            f"[tables.{name}.columns.{link.key:.60}] out"
        )
    if link.key == part.table.key:
        raise PlanError(
            f"tables.{name}.key ({link.key!r:.60}) must not be the column of links.key: key names the perpetrator, "
            f"links.key the victim"
        )
    if people[0].table.key is None:
        raise PlanError(
            f"tables.{link.to}.key is missing: it must name the column of {link.to} that links.key of {name} repeats"
        )
    for other in (part, people[0]):
        taken = other.table.name.casefold()
        if taken in KEPT_NAMES:
            raise PlanError(f"tables.{other.table.name} must have another name: the bundle has a file of that name")
        if "." in taken:
            raise PlanError(
                f"tables.{other.table.name!r} must have no '.' in its name: a full stop stands between table and "
                f"column where tables are linked"
            )
    if people[0].table.name.casefold() == name.casefold():
        raise PlanError(f"tables.{name} must differ from {link.to} by more than capitals: it names a file")


def check_unit(unit: PrivacyUnit, tables: Sequence[TablePlan]) -> None:
    """Raises PlanError unless the tables can keep the promise to this unit. tables as `ordered` gives them."""
    if len(tables) < 2:
        if unit.name.casefold() == EITHER:
            raise PlanError(
                f"privacy.unit ({unit.name!r}) needs a second table with links: in one table of one row per person, "
                f"name that person"
            )
        return
    part = tables[1]
    link, name = part.link, part.table.name
    assert link is not None
    at = f"tables.{name}"
    if not unit.either:
        spoken = [*_TWO_UNITS.findall(unit.name), *(word for word in (name,) if word in unit.name.casefold())]
        if spoken:
            raise PlanError(
                f"privacy.unit ({unit.name[:60]!r}) must name one row of {link.to}, for example 'victim', or be "
                f"exactly {EITHER!r}, which protects perpetrators too"
            )
        if link.shared_by_at_most is not None:
            raise PlanError(
                f"{at}.links.shared_by_at_most ({link.shared_by_at_most}) must be left out unless privacy.unit is "
                f"{EITHER!r}: nothing else depends on it"
            )
        return
    if part.table.key is None:
        raise PlanError(
            f"{at}.key is missing: unit {EITHER!r} needs the column that names the perpetrator, which repeats where "
            f"one has several victims"
        )
    if link.shared_by_at_most is None:
        raise PlanError(
            f"{at}.links.shared_by_at_most is missing: unit {EITHER!r} needs the most victims that one perpetrator "
            f"can have, a whole number that is public knowledge; noise grows with it"
        )
    undeclared = [column.name for column in part.table.undeclared]
    if undeclared:
        raise PlanError(
            f"{at}.columns ({', '.join(undeclared)}) must declare values: unit {EITHER!r} cannot discover values of "
            f"{name}. Declare them, leave the columns out, or choose unit 'victim'"
        )


def check_flattened(columns: Sequence[FlattenedColumn], tables: Sequence[TablePlan]) -> None:
    """Raises PlanError unless every column of the derived table can be made. tables as `ordered` gives them."""
    if not columns:
        return
    if len(tables) < 2:
        raise PlanError(f"{FLATTENED} needs a second table with links: it is one row per person made from both")
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PlanError(f"{FLATTENED}.{twice} stands twice")
    known = {part.table.name: {column.name: column for column in part.table.columns} for part in tables}
    for column in columns:
        place = f"{FLATTENED}.{column.name}"
        said = f"{column.table}.{column.column}"
        if column.table not in known:
            raise PlanError(
                f"{place}.from ({said[:80]!r}) must begin with a table of this plan: {nearest(column.table, known)}"
            )
        there = known[column.table]
        if column.column not in there:
            raise PlanError(
                f"{place}.from ({said[:80]!r}) must name a released column of {column.table}: "
                f"{nearest(column.column, there)}"
            )
        values = there[column.column].values
        if values is None:  # discovered only when the release is made
            continue
        if column.has is not None and column.has not in values:
            raise PlanError(
                f"{place}.has ({column.has[:60]!r}) must be a value of {said}: {nearest(column.has, values)}"
            )
        strange = next((old for old in column.recode if old not in values), None)
        if strange is not None:
            raise PlanError(
                f"{place}.recode ({strange[:60]!r}) must rename values of {said}: {nearest(strange, values)}"
            )
