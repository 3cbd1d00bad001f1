"""An invented twin of the data, to rehearse a release on: made of the plan alone.

No row is read. The number of people is a public guess (`PEOPLE` unless the draft has one). Every person belongs to one
of four made-up kinds; within a kind every column is drawn by itself, with shares that fall from value to value in an
order of the kind's own, and a sixth of the cells missing. So columns depend on each other, as in any data, but the
dependence is ours and the same for every data set. Columns without declared values get ten stand-ins ("value 1", ...);
people have 0 to the cap of links, each number equally likely. What comes out says how large the noise is and how a
release looks, and nothing about anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from caseveil.forecast_sizes import ASSUMED
from caseveil.plan import Plan, TablePlan
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import MISSING, Column, MultiChoice
from caseveil.schema.recipe import Recipe
from caseveil.schema.table import Table
from caseveil.web.forecast_view import PEOPLE

_KINDS = 4
_FALL = 0.65  # share of a value over that of the one before it
_MISSING = 1.0 / 6.0
_SETS = 1.6  # items of a person in a set column, on average


@dataclass(frozen=True, kw_only=True, repr=False)
class Twin:
    """Invented rows, and the plan for them: that of the release without ledger, budget, recipe and discovery."""

    plan: Plan
    rows: Rows | LinkedRows


def invent(plan: Plan, people: int = PEOPLE) -> Twin:
    """The twin of a plan; always the same for the same declared columns."""
    rng = np.random.default_rng(20261124)
    parts = tuple(_stand_in(part) for part in plan.tables)
    title = f"Rehearsal with invented people: {plan.about.heading}"
    made = replace(plan, tables=parts, ledger=None, budget=None, about=replace(plan.about, title=title))
    kinds = rng.integers(0, _KINDS, people)
    main = _rows(parts[0].table, kinds, rng)
    if len(parts) == 1:
        return Twin(plan=made, rows=main)
    link = parts[1].link
    assert link is not None, "the second table of a plan has a link"
    numbers = rng.integers(0, link.at_most + 1, people)
    numbers[0] = max(1, numbers[0])
    victim_of = np.repeat(np.arange(people, dtype=np.int64), np.asarray(numbers, np.intp))
    linked = _rows(parts[1].table, kinds[victim_of], rng)
    return Twin(plan=made, rows=LinkedRows(victims=main, perpetrators=linked, victim_of=victim_of, link=link))


def _stand_in(part: TablePlan) -> TablePlan:
    columns: list[Column] = []
    for column in part.table.columns:
        if column.values is None:
            names = tuple(f"value {i + 1}" for i in range(ASSUMED))
            column = replace(column, values=names)
        columns.append(column)
    return replace(part, table=replace(part.table, columns=tuple(columns)), recipe=Recipe())


def _rows(table: Table, kinds: NDArray[np.int64], rng: np.random.Generator) -> Rows:
    return Rows(table=table, columns={column.name: _cells(column, kinds, rng) for column in table.columns})


def _cells(column: Column, kinds: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    values = column.values
    assert values is not None, "undeclared values have stand-ins"
    shares = _FALL ** np.arange(len(values))
    shares /= shares.sum()
    n = len(kinds)
    present = rng.random(n) >= _MISSING
    if isinstance(column, MultiChoice):
        held = np.zeros((n, len(values)), np.bool_)
        for kind in range(_KINDS):
            own = np.minimum(0.9, _SETS * shares[rng.permutation(len(values))])
            held[kinds == kind] = rng.random((int((kinds == kind).sum()), len(values))) < own
        items = np.asarray(values, dtype=object)
        texts = [column.delimiter.join(items[row]) for row in held]
        return [text if there else MISSING for text, there in zip(texts, present.tolist(), strict=True)]
    codes = np.zeros(n, np.int64)
    for kind in range(_KINDS):
        order = rng.permutation(len(values))
        mine = kinds == kind
        codes[mine] = order[rng.choice(len(values), int(mine.sum()), p=shares)]
    return [values[code] if there else MISSING for code, there in zip(codes.tolist(), present.tolist(), strict=True)]
