"""Releases of invented rows, made many times, and what an attacker who knows everything else makes of each."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil import produce_links, produce_table
from caseveil.audit_rows import Canary, Raws, coded
from caseveil.errors import LedgerError
from caseveil.measurement.curator import Curator
from caseveil.measurement.residuals import cost
from caseveil.plan import Plan
from caseveil.privacy.accountant import total
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent
from caseveil.produce import prepared
from caseveil.produce_budget import books, open_budget
from caseveil.records.counting import count_many
from caseveil.records.encoding import EncodedRows, encode
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.views import link_views
from caseveil.schema.domain import Clique
from caseveil.schema.linked import LinkedTables, tilt_reach
from caseveil.schema.table import Table
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre

PEOPLE = "people"
"""The one view of a release of one table; those of linked tables are the fields of records.views.LinkViews."""

Shape = Table | LinkedTables


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The noisy numbers of one release by view, and what it was charged; what an attacker of the measurement sees."""

    views: Mapping[str, NoisyResiduals]
    shape: Shape
    promise: EpsilonDelta
    events: tuple[Event, ...]
    booked: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one release showed of the canary.

    score, power, claim: by view. score has mean 0 without canaries, copies x power with them and variance power, if the
    noise is as the release says; claim is the squared mu that this noise covers for one unit. charged: mu of what was
    charged for noisy counts. booked: whether all charges, and one for values where they were searched for, stand in the
    ledger. needed: epsilon of the ledger at the delta of the promise. digest: of all noise by view. chance: bound on
    the log of the probability that a release of the same rows has the same one.
    """

    score: Mapping[str, float]
    power: Mapping[str, float]
    claim: Mapping[str, float]
    charged: float
    booked: bool
    promise: EpsilonDelta
    needed: float
    digest: Mapping[str, bytes]
    chance: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Match:
    """Both worlds, and the canary that is in one of them `copies` times."""

    plan: Plan
    without: Raws
    with_them: Raws
    canary: Canary
    copies: int


@contextmanager
def _same_seeds() -> Iterator[None]:
    """The generators that a program can seed, all in one state: noise that came from one of them would repeat."""
    states = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def measure(plan: Plan, raws: Raws) -> Seen:
    """One release up to its noisy numbers: checked, joined, charged to a ledger in memory, counted."""
    ledger = Ledger.open(None)
    with _same_seeds():
        rows = prepared(plan, raws)
        if isinstance(rows, LinkedRows):
            linked = produce_links.measure(plan, rows, ledger)
            numbers = linked.numbers
            views = {"each": numbers.each, "tilt": numbers.tilt, "pairs": numbers.pairs, "any": numbers.any}
            shape: Shape = linked.tables
            promise, events = linked.promise, linked.events
        else:
            one = produce_table.measure(plan, rows, ledger)
            views, shape, promise, events = {PEOPLE: one.residuals}, one.table, one.promise, one.events
    return Seen(
        views={name: seen for name, seen in views.items() if seen.values},
        shape=shape,
        promise=promise,
        events=events,
        booked=tuple(entry.event for entry in ledger.entries),
    )


def exact_views(plan: Plan, raws: Raws, shape: Shape) -> dict[str, EncodedRows]:
    """The views of rows before any noise, as the attacker knows them."""
    rows = prepared(plan, raws)
    if isinstance(rows, LinkedRows):
        assert isinstance(shape, LinkedTables)
        return _of_links(rows, shape)
    assert isinstance(shape, Table)
    return {PEOPLE: encode(rows, shape)}


def canary_views(one: Canary, shape: Shape) -> dict[str, EncodedRows]:
    """The views of the canary alone, with as many links as count."""
    if isinstance(shape, Table):
        return {PEOPLE: coded(shape, [one.person])}
    assert one.linked is not None
    cap, linked = shape.link.at_most, one.linked
    rows = LinkedRows(
        victims=Rows(table=shape.victims, columns={c.name: [one.person[c.name]] for c in shape.victims.columns}),
        perpetrators=Rows(
            table=shape.perpetrators, columns={c.name: [linked[c.name]] * cap for c in shape.perpetrators.columns}
        ),
        victim_of=np.zeros(cap, np.int64),
        link=shape.link,
    )
    return _of_links(rows, shape)


def _of_links(rows: LinkedRows, tables: LinkedTables) -> dict[str, EncodedRows]:
    views = link_views(rows, tables)
    return {"each": views.each.rows, "tilt": views.tilt.rows, "pairs": views.pairs.rows, "any": views.any.rows}


def residuals(rows: EncodedRows, cliques: Sequence[Clique]) -> dict[Clique, Marginal]:
    """Exact residuals in people."""
    return {c: centre(t.astype(np.float64) / rows.grid) for c, t in count_many(rows, cliques).items()}


class _Known:
    """Exact residuals of the others and of the canary, counted once for all releases of the same shape."""

    def __init__(self, match: Match, shape: Shape) -> None:
        self._rows = exact_views(match.plan, match.without, shape), canary_views(match.canary, shape)
        self._found: dict[str, tuple[dict[Clique, Marginal], dict[Clique, Marginal]]] = {}

    def of(self, view: str, cliques: Sequence[Clique]) -> tuple[dict[Clique, Marginal], dict[Clique, Marginal]]:
        found = self._found.setdefault(view, ({}, {}))
        lacking = [clique for clique in cliques if clique not in found[0]]
        if lacking:
            for rows, there in zip(self._rows, found, strict=True):
                there.update(residuals(rows[view], lacking))
        return found


def white(match: Match, with_them: bool, runs: int) -> list[Shown]:
    """So many releases, each with the likelihood ratio of its noisy numbers: no attack on them is better."""
    known: dict[Shape, _Known] = {}
    out = []
    for _ in range(runs):
        seen = measure(match.plan, match.with_them if with_them else match.without)
        if seen.shape not in known:
            known[seen.shape] = _Known(match, seen.shape)
        out.append(_shown(match, seen, known[seen.shape]))
    return out


def _shown(match: Match, seen: Seen, known: _Known) -> Shown:
    score, power, claim, chance, digest = {}, {}, {}, {}, {}
    for name, noisy in seen.views.items():
        before, direction = known.of(name, list(noisy.values))
        parts = [
            (float((direction[c] * (table - before[c])).sum()), float((direction[c] ** 2).sum()), noisy.variance[c])
            for c, table in noisy.values.items()
        ]
        score[name] = math.fsum(dot / variance for dot, _, variance in parts)
        power[name] = math.fsum(square / variance for _, square, variance in parts)
        reach = tilt_reach(seen.shape.link.at_most) if name == "tilt" and isinstance(seen.shape, LinkedTables) else 1.0
        claim[name] = cost(noisy.variance, noisy.domain) * reach**2
        digest[name] = _digest(noisy)
        chance[name] = _repeat(noisy)
    searches = any(isinstance(event, SelectionEvent) for event in seen.booked)
    counts = [event for event in seen.events if isinstance(event, GaussianEvent)]
    return Shown(
        score=score,
        power=power,
        claim=claim,
        charged=total(counts).mu,
        booked=seen.booked == seen.events and searches == any(part.table.undeclared for part in match.plan.tables),
        promise=seen.promise,
        needed=total(seen.booked).epsilon(seen.promise.delta),
        digest=digest,
        chance=chance,
    )


def _digest(noisy: NoisyResiduals) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    for clique in sorted(noisy.values):
        made.update(np.ascontiguousarray(noisy.values[clique]).tobytes())
    return made.digest()


def _repeat(noisy: NoisyResiduals) -> float:
    """Log of a bound on the chance of the same noise twice: 1 / (2 sqrt(pi) sigma) for every free cell."""
    return sum(
        -noisy.degrees(c) * math.log(max(1.0, 2 * math.sqrt(math.pi * noisy.variance[c]) * noisy.domain.cells(c)))
        for c in noisy.values
    )


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What one search for undeclared values was charged, and how many of the trial values it found, by their kind."""

    event: SelectionEvent
    found: Mapping[str, int]


def discover(plan: Plan, raws: Raws, runs: int) -> list[Searched]:
    """So many searches for values that were not declared."""
    out = []
    for _ in range(runs):
        ledger = Ledger.open(None)
        with _same_seeds():
            curator = Curator(rows=prepared(plan, raws), ledger=ledger, books=books(plan), changed=plan.changed)
            discovery = open_budget(plan, curator).discovery
        assert discovery is not None, "the plan has undeclared columns"
        events = [one.event for one in ledger.entries if isinstance(one.event, SelectionEvent)]
        if not events:
            raise LedgerError("values were searched for and the ledger holds no charge for it")
        values = [v for found in (*discovery.values.values(), *discovery.linked.values()) for v in found]
        out.append(
            Searched(event=events[0], found={kind: sum(v.startswith(kind) for v in values) for kind in ("few", "many")})
        )
    return out


def coins(plan: Plan, others: Raws, canaries: Sequence[Canary], raws: Raws) -> NDArray[np.float64]:
    """One release of `raws`, in which some of the canaries are; for each of them a score that she is in.

    Best linear estimate of all coins from the likelihood, which knows the other rows. It is as good as any up to the
    shape of coins, and needs only what canaries have in common in each table.
    """
    seen = measure(plan, raws)
    shape, before = seen.shape, exact_views(plan, others, seen.shape)
    m = len(canaries)
    gram, score = np.zeros((m, m)), np.zeros(m)
    for name, (codes, weight) in _one_hot(canaries, shape).items():
        if name not in seen.views:
            continue
        noisy = seen.views[name]
        exact = residuals(before[name], list(noisy.values))
        alike = [(codes[:, i, None] == codes[None, :, i]) - 1.0 / size for i, size in enumerate(noisy.domain.sizes)]
        for clique, table in noisy.values.items():
            at = tuple(codes[:, i] for i in clique)
            factor = weight / noisy.variance[clique]
            score += factor * (table - exact[clique])[at]
            both = np.full((m, m), factor * weight)
            for i in clique:
                both *= alike[i]
            gram += both
    return np.asarray(np.linalg.solve(gram + 4.0 * np.eye(m), score - gram.sum(axis=1) / 2))


def _one_hot(canaries: Sequence[Canary], shape: Shape) -> dict[str, tuple[NDArray[np.int32], float]]:
    """The codes of each canary in every view, in which all her links are alike, and her weight there."""
    people = [one.person for one in canaries]
    if isinstance(shape, Table):
        return {PEOPLE: (coded(shape, people).codes, 1.0)}
    own = coded(shape.victims, people).codes
    linked = coded(shape.perpetrators, [one.linked or {} for one in canaries]).codes
    cap = shape.link.at_most
    number = np.full((len(own), 1), cap, np.int32)
    flags = np.array([[row[i] == code for i, code in shape.flags] for row in linked.tolist()], np.int32)
    return {
        "each": (np.hstack([own, number, linked]), 1.0),
        "tilt": (np.hstack([own, linked]), (cap - 1) / 2),
        "pairs": (np.hstack([linked, linked]), 1.0),
        "any": (np.hstack([own, flags.reshape(len(own), -1)]), 1.0),
    }


__all__ = ["PEOPLE", "Match", "Searched", "Seen", "Shown", "coins", "discover", "measure", "white"]
