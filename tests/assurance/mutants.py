"""Faults planted into our own code, each of which an audit must find; and audits of them.

A fault replaces functions of modules. In another process it is planted by `Plant`, called there before any work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseveil import audit
from caseveil.audit import Audit, Options
from caseveil.evaluation.audit import Finding, Outcome
from caseveil.measurement import curator
from caseveil.measurement.curator import Allowed, Curator
from caseveil.plan import Plan
from caseveil.privacy import noise
from caseveil.privacy.mechanism import SelectionEvent
from caseveil.records import linkage
from caseveil.records.encoding import EncodedRows, encode
from caseveil.records.linkage import LinkedRows
from caseveil.records.views import LinkViews, View, link_views
from caseveil.schema.linked import LinkedTables, tilt_reach

_HEAD = """
[release]
name = "invented"
version = "1"
[privacy]
unit = "victim"
epsilon = 2.0
"""

DECLARED = (
    _HEAD
    + """
[tables.victims]
source = "nowhere.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male", "Other"]
[tables.victims.columns.debt]
kind = "category"
values = ["Yes"]
[tables.victims.columns.age]
kind = "binned"
bins = [0, 18, 30]
"""
)

WIDE = (
    _HEAD.replace("epsilon = 2.0", "epsilon = 0.5")
    + '[tables.victims]\nsource = "nowhere.csv"\n'
    + "".join(
        f'[tables.victims.columns.c{i}]\nkind = "category"\nvalues = {[f"v{k}" for k in range(8)]}\n' for i in range(5)
    )
)
"""Canaries of this plan differ from each other."""

UNDECLARED = DECLARED.replace('values = ["Yes"]\n', "").replace("epsilon = 2.0", "epsilon = 2.0\ndelta = 1e-4")

LINKED = (
    _HEAD.replace("epsilon = 2.0", "epsilon = 2.0\ndelta = 1e-4")
    + """
[tables.victims]
source = "nowhere.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.perpetrators]
source = "nowhere.csv"
links = { to = "victims", key = "victim_id", at_most = 3 }
[tables.perpetrators.columns.role]
kind = "category"
values = ["Recruiter", "Employer"]
"""
)

Patch = tuple[object, str, Callable[[Any], Any]]
"""An object, one of its names, and what takes the place of what stands there."""


def _zeros(_: Any) -> Any:
    return lambda sigmas, sizes: np.zeros(sum(sizes), np.int64)


def _zero(_: Any) -> Any:
    return lambda sigma, size: np.zeros(size, np.int64)


def _scaled(factor: float) -> Callable[[Any], Any]:
    def change(real: Callable[[float], Fraction]) -> Any:
        return lambda sigma: real(sigma * factor)

    return change


def _unwritten(_: Any) -> Any:
    def charge(self: Curator, event: Any) -> None:
        self.events.append(event)

    return charge


def _unsearched(real: Callable[[Curator, Any], None]) -> Any:
    def charge(self: Curator, event: Any) -> None:
        if not isinstance(event, SelectionEvent):
            real(self, event)

    return charge


def _uncounted(_: Any) -> Any:
    def people(self: Curator, *, mu: float) -> int:
        return int(self._rows.n + noise.rounded_gaussian(noise.grid_sigma(1.001 / mu), 1)[0])

    return people


def _free(_: Any) -> Any:
    return lambda self, squared: None


def _lower(real: Callable[[float, int, float], int]) -> Any:
    return lambda sigma, touched, delta: round(0.8 * real(sigma, touched, delta))


def _foretold(_: Any) -> Any:
    return lambda size: np.random.bytes(size)


def _seeded(_: Any) -> Any:
    def draw(sigmas: Sequence[Fraction], sizes: Sequence[int]) -> NDArray[np.int64]:
        rng = np.random.default_rng(20261123)
        parts = [rng.normal(0.0, float(s), n).round().astype(np.int64) for s, n in zip(sigmas, sizes, strict=True)]
        return np.concatenate(parts)

    return draw


def _all_kept(_: Any) -> Any:
    def kept(victim_of: NDArray[np.int64], at_most: int) -> NDArray[np.int64]:
        return np.argsort(victim_of, kind="stable").astype(np.int64)

    return kept


def _unchecked(_: Any) -> Any:
    return lambda self: None


def _uncut(_: Any) -> Any:
    """Views of links above the cap: fractions of 1/k as ever, and a tilt that knows no bound."""

    def views(rows: LinkedRows, tables: LinkedTables) -> LinkViews:
        cap, most = tables.link.at_most, 12
        wide = replace(tables, link=replace(tables.link, at_most=most))
        real = link_views(replace(rows, link=wide.link), wide)
        codes = real.each.rows.codes.copy()
        codes[:, tables.v] = np.minimum(codes[:, tables.v], cap)
        k = rows.numbers[rows.victim_of]
        part = math.lcm(*range(1, most + 1))
        linked = encode(rows.perpetrators, tables.perpetrators).codes
        own = encode(rows.victims, tables.victims).codes[rows.victim_of]
        tilt = EncodedRows(
            domain=tables.tilt,
            codes=np.asfortranarray(np.hstack([own, linked])),
            weights=(2 * k - (cap + 1)) * (part // k),
            grid=2 * part,
        )
        each = EncodedRows(domain=tables.each, codes=codes, weights=real.each.rows.weights, grid=real.each.rows.grid)
        return replace(real, each=View(rows=each), tilt=View(rows=tilt, reach=tilt_reach(cap)))

    return views


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A fault, the plan under which it shows, and the findings of which one at least must break.

    expected None: the audit must not say that the noisy numbers hold, and breaks nothing. runs: enough to be sure.
    """

    name: str
    patches: tuple[Patch, ...]
    expected: str | None
    plan: str = DECLARED
    runs: int = 60

    def plant(self, put: Callable[[Any, str, Any], None]) -> None:
        for place, name, change in self.patches:
            put(place, name, change(getattr(place, name)))


MUTANTS = (
    Mutant(
        name="no noise",
        patches=((curator, "rounded_gaussians", _zeros), (curator, "rounded_gaussian", _zero)),
        expected=audit.NOISY,
    ),
    Mutant(
        name="half the variance",
        patches=((curator, "grid_sigma", _scaled(1 / math.sqrt(2))),),
        expected=audit.NOISY,
        runs=800,
    ),
    Mutant(name="charge not written down", patches=((Curator, "_charge", _unwritten),), expected=audit.CHARGES),
    Mutant(
        name="search for values not charged",
        patches=((Curator, "_charge", _unsearched),),
        expected=audit.CHARGES,
        plan=UNDECLARED,
    ),
    Mutant(name="number of people not charged", patches=((Curator, "people", _uncounted),), expected=audit.CHARGES),
    Mutant(name="one budget spent twice", patches=((Allowed, "take", _free),), expected=audit.CHARGES),
    Mutant(
        name="threshold of discovery a fifth too low",
        patches=((curator, "whole_threshold", _lower),),
        expected="discovery: threshold",
        plan=UNDECLARED,
        runs=800,  # with 200 it is missed once in seventy times
    ),
    Mutant(
        name="half the variance in discovery",
        patches=((curator, "grid_sigma", _scaled(1 / math.sqrt(2))),),
        expected="discovery: threshold",  # values of so few people are not found with the noise that was paid for
        plan=UNDECLARED,
        runs=200,
    ),
    Mutant(
        name="links above the cap counted",
        patches=(
            (linkage, "_kept", _all_kept),
            (LinkedRows, "__post_init__", _unchecked),
            (curator, "link_views", _uncut),
        ),
        expected=f"{audit.NOISY}: tilt",
        plan=LINKED,
        runs=300,
    ),
    Mutant(
        name="noise from a generator that a program seeds",
        patches=((noise, "_random_bytes", _foretold),),
        expected=audit.REPEATS,
    ),
    Mutant(
        name="noise from a seed of its own",
        patches=((curator, "rounded_gaussians", _seeded),),
        expected=audit.REPEATS,
    ),
    Mutant(name="twice the noise", patches=((curator, "grid_sigma", _scaled(2.0)),), expected=None, runs=400),
)

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


@dataclass(frozen=True)
class Plant:
    """Plants a fault in a process for good."""

    name: str

    def __call__(self) -> None:
        BY_NAME[self.name].plant(setattr)


def audit_of(plan: str, *, runs: int, workers: int = 1, name: str | None = None, false_alarm: float = 1e-9) -> Audit:
    """An audit of noisy numbers and discovery. name: the fault to plant in the workers, of which there must be two."""
    return audit.of_plan(
        Plan.from_toml(plan, Path()),
        Options(
            runs=runs,
            minutes=60,
            workers=workers,
            false_alarm=false_alarm,
            published=False,
            prepare=None if name is None else Plant(name),
            seed=11,
        ),
    )


def by_name(made: Audit) -> dict[str, Finding]:
    return {finding.name: finding for finding in made.findings}


def caught(mutant: Mutant, made: Audit) -> bool:
    """Whether the audit says of the fault what it should."""
    if mutant.expected is None:
        return made.ok and by_name(made)[audit.NOISY].outcome is Outcome.UNKNOWN
    return by_name(made)[mutant.expected].outcome is Outcome.BROKEN
