"""Rows that an audit invents from a plan alone: others, identical canaries, and values that few people have.

An audit never needs a real row: the promise holds for all rows, so it may be tried on any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caseveil.evaluation.audit import probit
from caseveil.plan import Plan
from caseveil.records.encoding import EncodedRows, encode
from caseveil.records.prepare import Rows
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING, Column, MultiChoice
from caseveil.schema.links import Link
from caseveil.schema.table import Table

COMMON = ("common 1", "common 2")
"""Invented values of a column without declared ones; enough people have them to be found in every release."""

ABOVE_THE_CAP = 4
"""The linked canary has so many times the links that count; all but the cap must be without effect."""

TRIALS = 3
"""Values of each column that as many people have as should be found about once in six releases, and as many more that
should be found five times in six."""

_OWN_KEY, _LINK_KEY = "person", "row"

Raws = list[RawTable]


def bare(plan: Plan) -> Plan:
    """The plan without the places of its rows, ledger and earlier releases: nothing real is read or charged."""
    return replace(
        plan,
        tables=tuple(replace(part, source=None, query=None) for part in plan.tables),
        ledger=None,
        budget=None,
        update=None,
        folder=Path(),
    )


def touched(plan: Plan) -> int:
    """Most values that one unit adds to the private discovery of undeclared ones."""
    out = 0
    for part in plan.tables:
        times = 1 if part.link is None else part.link.at_most
        out += times * sum(column.at_most if isinstance(column, MultiChoice) else 1 for column in part.table.undeclared)
    return out


@dataclass(frozen=True, kw_only=True)
class Canary:
    """One invented unit: its row, and that of each of its links, which are all alike. None without links."""

    person: dict[str, str]
    linked: dict[str, str] | None = None


def canary(plan: Plan) -> Canary:
    """The unit that attacks look for: the last value of every column, which few of the others have."""
    people = {column.name: _last(column) for column in plan.tables[0].table.columns}
    if len(plan.tables) == 1:
        return Canary(person=people)
    return Canary(person=people, linked={column.name: _last(column) for column in plan.tables[1].table.columns})


def many_canaries(plan: Plan, number: int, rng: np.random.Generator) -> list[Canary]:
    """Units as unlike each other as chance makes them, for the audit of one release."""
    drawn = [{column.name: _uniform(column, number, rng) for column in part.table.columns} for part in plan.tables]
    rows = [[{name: cells[i] for name, cells in columns.items()} for i in range(number)] for columns in drawn]
    linked: Sequence[dict[str, str] | None] = rows[1] if len(rows) > 1 else [None] * number
    return [Canary(person=person, linked=other) for person, other in zip(rows[0], linked, strict=True)]


def others(plan: Plan, number: int, rng: np.random.Generator) -> Raws:
    """So many invented people, each with some links. Values that must be discovered are all common ones."""
    people = {column.name: _cells(column, number, rng) for column in plan.tables[0].table.columns}
    if len(plan.tables) == 1:
        return _raws(plan, people, None, None)
    part = plan.tables[1]
    link = _link(plan)
    # everybody has a link where values of links must be found; nobody has too many, so that nothing is left to chance
    k = rng.integers(1 if part.table.undeclared else 0, link.at_most + 1, number)
    owner = np.repeat(np.arange(number), np.asarray(k, np.intp))
    linked = {column.name: _cells(column, len(owner), rng) for column in part.table.columns}
    for column in part.table.undeclared:  # every victim's links say the same, so that as many victims have each
        linked[column.name] = [COMMON[i % len(COMMON)] for i in owner.tolist()]
    return _raws(plan, people, linked, owner.tolist())


def with_canaries(plan: Plan, raws: Raws, canaries: Sequence[Canary], *, above: bool = True) -> Raws:
    """The same rows and those of the canaries. above: linked ones come with more links than count, where they may."""
    times = 1
    if len(plan.tables) > 1:
        times = _link(plan).at_most * (ABOVE_THE_CAP if above and not plan.unit.either else 1)
    n = raws[0].n
    people = {name: list(cells) for name, cells in raws[0].columns.items()}
    for i, one in enumerate(canaries):
        for name, cell in {**one.person, _key(plan): f"P{n + i}"}.items():
            people[name].append(cell)
    if len(plan.tables) == 1:
        return [RawTable(columns=people)]
    linked = {name: list(cells) for name, cells in raws[1].columns.items()}
    rows = raws[1].n
    for i, one in enumerate(canaries):
        assert one.linked is not None
        for _ in range(times):
            names = {**one.linked, _link(plan).key: f"P{n + i}", plan.tables[1].table.key or _LINK_KEY: f"R{rows}"}
            for name, cell in names.items():
                linked[name].append(cell)
            rows += 1
    return [RawTable(columns=people), RawTable(columns=linked)]


@dataclass(frozen=True, kw_only=True)
class Scarce:
    """Rows in which some values of every undeclared column are held by `few` people, and some by `many`."""

    raws: Raws
    few: int
    many: int


def scarce(plan: Plan, *, sigma: float, delta: float) -> Scarce:
    """Rows around the threshold that noise of this deviation and this delta imply."""
    few, many = (max(1, round(1 + sigma * (_depth(plan, delta) + step))) for step in (-1.0, 1.0))
    many = max(many, few + 1)
    values = [f"few {i}" for i in range(TRIALS) for _ in range(few)]
    values += [f"many {i}" for i in range(TRIALS) for _ in range(many)]

    def cells(table: Table) -> dict[str, list[str]]:
        return {c.name: list(values) if c.values is None else [MISSING] * len(values) for c in table.columns}

    people = cells(plan.tables[0].table)
    if len(plan.tables) == 1:
        return Scarce(raws=_raws(plan, people, None, None), few=few, many=many)
    linked = cells(plan.tables[1].table)
    return Scarce(raws=_raws(plan, people, linked, list(range(len(values)))), few=few, many=many)


def enough(plan: Plan, *, sigma: float, delta: float) -> int:
    """People of whom every common value is found, but for a chance below 1e-11 each."""
    return len(COMMON) * math.ceil(1 + sigma * (_depth(plan, delta) + 7.0))


def _depth(plan: Plan, delta: float) -> float:
    return -probit(delta / touched(plan))


def coded(table: Table, cells: Sequence[dict[str, str]]) -> EncodedRows:
    """Codes of canaries over a table whose values are all known."""
    return encode(Rows(table=table, columns={c.name: [one[c.name] for one in cells] for c in table.columns}), table)


def _link(plan: Plan) -> Link:
    link = plan.tables[1].link
    assert link is not None
    return link


def _key(plan: Plan) -> str:
    return plan.tables[0].table.key or _OWN_KEY


def _raws(
    plan: Plan, people: dict[str, list[str]], linked: dict[str, list[str]] | None, owner: list[int] | None
) -> Raws:
    n = len(next(iter(people.values())))
    out = [RawTable(columns={**people, _key(plan): [f"P{i}" for i in range(n)]})]
    if linked is not None and owner is not None:
        keys = {
            plan.tables[1].table.key or _LINK_KEY: [f"R{i}" for i in range(len(owner))],
            _link(plan).key: [f"P{i}" for i in owner],
        }
        out.append(RawTable(columns={**linked, **keys}))
    return out


def _last(column: Column) -> str:
    return COMMON[0] if column.values is None else column.values[-1]


def _cells(column: Column, number: int, rng: np.random.Generator) -> list[str]:
    """Invented cells: common values in equal parts where none are declared, else some missing and the last one rare."""
    if column.values is None:
        return [COMMON[i % len(COMMON)] for i in range(number)]
    values = column.values
    if isinstance(column, MultiChoice):
        held: NDArray[np.bool_] = rng.random((number, len(values))) < 1.5 / (1.5 + len(values))
        return [column.delimiter.join(v for v, has in zip(values, row, strict=True) if has) for row in held.tolist()]
    weights = np.array([0.5, *(1.0 / (1 + i) for i in range(len(values)))])
    picked = rng.choice(len(weights), number, p=weights / weights.sum())
    return [(MISSING, *values)[i] for i in picked.tolist()]


def _uniform(column: Column, number: int, rng: np.random.Generator) -> list[str]:
    """Cells of which each is equally likely, an item of a set with one half."""
    if column.values is None:
        return _cells(column, number, rng)
    values = column.values
    if isinstance(column, MultiChoice):
        held: NDArray[np.bool_] = rng.random((number, len(values))) < 0.5
        return [column.delimiter.join(v for v, has in zip(values, row, strict=True) if has) for row in held.tolist()]
    return [(MISSING, *values)[i] for i in rng.integers(0, len(values) + 1, number).tolist()]
