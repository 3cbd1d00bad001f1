"""The attack on the noisy numbers of releases: with and without a canary, and what is known without chance."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from caseveil import audit_play as play
from caseveil import audit_rows as invent
from caseveil.audit_crew import Batch, Crew
from caseveil.audit_play import Match, Shown
from caseveil.errors import PlanError
from caseveil.evaluation.audit import Finding, Game, Outcome, white_box
from caseveil.plan import Plan
from caseveil.privacy.loss import EpsilonDelta, GaussianDP

NOISY, CHARGES, REPEATS = "noisy numbers", "charges cover the noise", "noise never repeats"

_REACH = 4.0
"""copies x mu of the game: mu is estimated best there."""

_ABLE = 0.85
"""Share of the charged mu that an attack must be able to see; less is budget that bought nothing."""

_NO_CHANCE = math.log(1e-9)


@dataclass(frozen=True, kw_only=True)
class Options:
    """runs: releases for the attack on noisy numbers; half as many are made whole. minutes: after which no more are
    begun. workers: processes, None for as many as there are processors. false_alarm: chance, for each finding, that a
    sound release is called broken. prepare: called in every other process before it works. seed: of the invented rows
    and coins, never of any noise.
    """

    runs: int = 400
    minutes: float = 3.0
    workers: int | None = None
    false_alarm: float = 1e-3
    published: bool = True
    prepare: Callable[[], None] | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.runs < 20:
            raise PlanError(f"runs ({self.runs}) must be 20 or more: from fewer nothing can be said")
        if not 0 < self.minutes < math.inf:
            raise PlanError(f"minutes ({self.minutes:g}) must be a number above 0")
        if self.workers is not None and self.workers < 1:
            raise PlanError(f"workers ({self.workers}) must be 1 or more")
        if not 1e-12 < self.false_alarm < 0.1:
            raise PlanError(f"false_alarm ({self.false_alarm:g}) must be above 1e-12 and below 0.1")


def batches_of(act: Callable[..., object], match: Match, runs: int, size: int) -> list[Batch]:
    """Batches of both worlds in turn, so that both are equally far when time is up."""
    half = math.ceil(runs / 2)
    out: list[Batch] = []
    for start in range(0, half, size):
        out += [(act, (match, side, min(size, half - start))) for side in (False, True)]
    return out


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The promise of the releases that were attacked, and mu of what they charged for noisy counts; both on average."""

    promise: EpsilonDelta
    mu: float


def match_of(plan: Plan, others: invent.Raws, mu: float, reach: float) -> Match:
    """A match with as many canaries as make copies x mu come near to reach."""
    one = invent.canary(plan)
    copies = max(1, round(reach / mu))
    return Match(
        plan=plan,
        without=others,
        with_them=invent.with_canaries(plan, others, [one] * copies),
        canary=one,
        copies=copies,
    )


def attack_noisy(
    plan: Plan,
    others: invent.Raws,
    options: Options,
    crew: Crew,
    seconds: float,
    tick: Callable[[float], None],
    tried: list[Tried],
) -> tuple[Finding, ...]:
    """The likelihood-ratio game, all of it and view by view, and what is known without chance from the same runs."""
    start = time.monotonic()
    pilot = Match(plan=plan, without=others, with_them=others, canary=invent.canary(plan), copies=1)
    first: Shown = crew.do([(play.white, (pilot, False, 1))], seconds)[0][0]
    seen = math.sqrt(math.fsum(first.power.values()))
    match = match_of(plan, others, seen, _REACH)
    took = time.monotonic() - start
    batches = batches_of(play.white, match, options.runs, max(1, min(10, round(2.0 / max(took, 0.01)))))
    results = crew.do(batches, seconds - took, tick)
    sides: tuple[list[Shown], list[Shown]] = ([], [])
    for (_, args), shown in zip(batches, results, strict=True):
        sides[args[1]].extend(shown or [])
    everything = [first, *sides[0], *sides[1]]
    # delta "auto" depends on the noisy number of people
    delta = math.exp(float(np.mean([math.log(one.promise.delta) for one in everything])))
    mu = float(np.mean([one.charged for one in everything]))
    tried.append(Tried(promise=replace(first.promise, delta=delta), mu=mu))
    found = [_charges(everything, plan), _repeats(everything)]
    if not all(sides):
        return (*found, Finding(name=NOISY, outcome=Outcome.UNKNOWN, reason="too few runs to say"))
    games = dict(_games(sides, match.copies))
    whole = white_box(NOISY, games.pop(NOISY), options.false_alarm)
    found.append(in_epsilon(_seen_enough(whole, expected=seen, least=_least(first, plan)), delta))
    if len(games) > 1:
        found += [white_box(f"{NOISY}: {name}", game, options.false_alarm) for name, game in games.items()]
    return tuple(found)


def _least(first: Shown, plan: Plan) -> float:
    """mu that a canary should be able to show: one unit of rows, where noise covers several."""
    return _ABLE * first.charged / plan.changed


def _seen_enough(finding: Finding, *, expected: float, least: float) -> Finding:
    if finding.outcome is Outcome.HELD and expected < least:
        return replace(
            finding,
            outcome=Outcome.UNKNOWN,
            reason=f"the noise covers a mu of {expected:.3g} and more was charged: budget that buys nothing",
        )
    return finding


def _games(sides: tuple[list[Shown], list[Shown]], copies: int) -> Iterator[tuple[str, Game]]:
    """All views together, then each view that a canary shows in."""
    views = [name for name, power in sides[0][0].power.items() if power > 0]

    def scores(of: list[Shown], names: list[str]) -> NDArray[np.float64]:
        return np.array(
            [sum(one.score[n] for n in names) / math.sqrt(sum(one.power[n] for n in names)) for one in of], np.float64
        )

    both = [*sides[0], *sides[1]]
    for label, names in ((NOISY, views), *((name, [name]) for name in views)):
        expected = float(np.mean([math.sqrt(sum(one.power[n] for n in names)) for one in both]))
        claimed = float(np.mean([math.sqrt(sum(one.claim[n] for n in names)) for one in both]))
        if label == NOISY:
            claimed = float(np.mean([one.charged for one in both]))
        yield (
            label,
            Game(
                without=scores(sides[0], names),
                with_it=scores(sides[1], names),
                copies=copies,
                claimed=claimed,
                expected=expected,
            ),
        )


def _charges(shown: list[Shown], plan: Plan) -> Finding:
    """Whether the charge of every release covers its own noise, and its promise covers the charge. No chance involved:
    variances are known, and what they cost is a sum."""
    worst = max(shown, key=lambda one: math.fsum(one.power.values()) / one.charged**2 if one.charged else math.inf)
    spent = math.sqrt(max(math.fsum(worst.power.values()), math.fsum(worst.claim.values())))
    unbooked = sum(not one.booked for one in shown)
    over = [one for one in shown if not one.needed <= one.promise.epsilon * (1 + 1e-9)]
    outside = [one for one in shown if one.promise.epsilon > plan.promise.epsilon * (1 + 1e-9)]
    broken = True
    if unbooked:
        reason = f"the ledger lacks charges of {unbooked} of {len(shown)} releases"
    elif not spent <= worst.charged * (1 + 1e-6):
        reason = "noise was drawn for more than was charged"
    elif over or outside:
        reason = f"the charges of {len(over) + len(outside)} of {len(shown)} releases exceed their promise"
    else:
        broken, reason = False, "every release charges what its noise costs, and no more than it promises"
    return Finding(
        name=CHARGES,
        outcome=Outcome.BROKEN if broken else Outcome.HELD,
        claimed=worst.charged,
        estimate=spent,
        lower=spent,
        runs=len(shown),
        reason=reason,
    )


def _repeats(shown: list[Shown]) -> Finding:
    """Whether any two releases had the same noise, all generators that can be seeded being in one state."""
    pairs = math.log(max(len(shown) * (len(shown) - 1) / 2, 1.0))
    chance = {view: pairs + max(one.chance[view] for one in shown) for view in shown[0].digest}
    sure = [view for view, log in chance.items() if log < _NO_CHANCE]  # in the others noise may repeat by chance
    repeated = [view for view in sure if len({one.digest[view] for one in shown}) < len(shown)]
    if repeated:
        outcome, reason = Outcome.BROKEN, "the same noise came twice: it can be foretold"
    elif not sure:
        outcome, reason = Outcome.UNKNOWN, "the plan measures so little that noise may repeat by chance"
    else:
        outcome, reason = Outcome.HELD, f"{len(shown)} releases from one state of all seeds differ"
    confidence = 1 - sum(math.exp(chance[view]) for view in sure)
    return Finding(name=REPEATS, outcome=outcome, runs=len(shown), reason=reason, confidence=confidence)


def in_epsilon(finding: Finding, delta: float) -> Finding:
    """The finding with epsilons at this delta in place of mu."""

    def epsilon(mu: float | None) -> float | None:
        if mu is None or mu == math.inf:
            return mu
        return GaussianDP(mu=mu).epsilon(delta) if mu > 0 else 0.0

    return replace(
        finding,
        measure="epsilon",
        claimed=epsilon(finding.claimed),
        estimate=epsilon(finding.estimate),
        lower=epsilon(finding.lower),
    )
