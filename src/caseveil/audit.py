"""The story of an audit: a plan or a bundle in; findings out. No row is read, no ledger opened, nothing written.

Of a plan, releases of invented rows are made many times, with and without a canary, and it is measured how well an
attacker who knows all else tells both apart. What is found is a lower bound: an audit can break a promise, and can
never prove one (for that there are proofs).
"""

from __future__ import annotations

import math
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caseveil import audit_play as play
from caseveil import audit_rows as invent
from caseveil.audit_bundle import audit_bundle
from caseveil.audit_crew import Batch, Crew, usual_workers
from caseveil.audit_noisy import CHARGES, NOISY, REPEATS, Options, Tried, attack_noisy, batches_of, in_epsilon, match_of
from caseveil.audit_play import Searched
from caseveil.audit_published import black
from caseveil.errors import CaseveilError, PlanError
from caseveil.evaluation.audit import (
    Finding,
    Outcome,
    Trials,
    black_box,
    discovery,
    one_run,
)
from caseveil.plan import Plan
from caseveil.privacy.loss import EpsilonDelta

Progress = Callable[[str, float], None]

STAGES = {
    "inventing": ("Inventing rows", 2),
    "discovery": ("Searching for values", 8),
    "noisy": ("Attacking the noisy numbers", 40),
    "one": ("Attacking one release", 10),
    "published": ("Attacking records and counts", 40),
}
"""Words for each stage and the share of the time that it may take."""

PUBLISHED, ONE_RUN = "published records and counts", "one release, many canaries"

_REACH = 2.0
"""copies x mu of the game of what is published: faults are bounded best there."""

_OTHERS = 300
_CANARIES = 300
_TOO_MANY = 200_000


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All findings about one plan or bundle. epsilon, delta: the promise that was tried; None for a bundle."""

    subject: str
    findings: tuple[Finding, ...]
    epsilon: float | None = None
    delta: float | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Findings of more loss than was promised."""
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.BROKEN)

    @property
    def ok(self) -> bool:
        """Whether nothing was found. Unknown findings do not count: `findings` says which."""
        return not self.broken


def run(path: Path, options: Options | None = None, progress: Progress | None = None) -> Audit:
    """What `caseveil audit` does: a folder or a zip is taken for a bundle, anything else for a plan."""
    start = time.monotonic()
    if path.is_dir() or zipfile.is_zipfile(path):
        return Audit(subject=path.name, findings=audit_bundle(path), seconds=time.monotonic() - start)
    return of_plan(Plan.read(path), options or Options(), progress)


def of_plan(plan: Plan, options: Options, progress: Progress | None = None) -> Audit:
    """Attacks releases of invented rows that are made as the plan says."""
    start = time.monotonic()
    seconds = 60 * options.minutes

    def say(stage: str) -> Callable[[float], None]:
        return lambda fraction: None if progress is None else progress(stage, fraction)

    def left(stage: str) -> float:
        """Time until the share of this stage, and of those before it, is used up."""
        share = 0.0
        for name, (_, part) in STAGES.items():
            share += part
            if name == stage:
                break
        return max(0.0, start + seconds * share / 100 - time.monotonic())

    notes = ["the plan goes on from an earlier release; that part was left out"] if plan.update is not None else []
    plan = invent.bare(plan)
    rng = np.random.default_rng(options.seed)
    findings: list[Finding] = []
    tried: list[Tried] = []
    crew = Crew(workers=options.workers or usual_workers(), prepare=options.prepare)
    with crew:
        say("inventing")(0.0)
        number = _OTHERS
        search: list[Searched] = []
        if any(part.table.undeclared for part in plan.tables):
            names = ("discovery: noise", "discovery: threshold")
            pilot = _guarded(names, lambda: _first_search(plan, crew, rng, search))
            if search:
                number = max(number, _people(plan, search))
                pilot = _guarded(
                    names, lambda: _discovery(plan, search, options, crew, left("discovery"), say("discovery"))
                )
            findings += pilot
        others = invent.others(plan, number, rng)
        findings += _guarded(
            (CHARGES, REPEATS, NOISY),
            lambda: attack_noisy(plan, others, options, crew, left("noisy"), say("noisy"), tried),
        )
        claimed = tried[0].promise if tried else None
        if claimed is not None:
            epsilon, delta = claimed.epsilon, claimed.delta
            say("one")(0.0)
            findings += _guarded(
                (ONE_RUN,),
                lambda: (_one(plan, others, crew, options, rng, EpsilonDelta(epsilon=epsilon, delta=delta)),),
            )
            if options.published:
                mu = tried[0].mu
                findings += _guarded(
                    (PUBLISHED,),
                    lambda: (_published(plan, others, options, crew, left("published"), say("published"), mu, delta),),
                )
    return Audit(
        subject=plan.about.heading,
        findings=tuple(findings),
        epsilon=None if claimed is None else claimed.epsilon,
        delta=None if claimed is None else claimed.delta,
        seconds=time.monotonic() - start,
        notes=tuple(notes),
    )


def _guarded(names: tuple[str, ...], act: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """The findings, or that they could not be made: an attack that fails to run has not been withstood."""
    try:
        return act()
    except Exception as error:
        said = str(error) if isinstance(error, CaseveilError) else type(error).__name__
        return tuple(
            Finding(name=name, outcome=Outcome.UNKNOWN, reason=f"the attack could not run: {said}") for name in names
        )


def _first_search(plan: Plan, crew: Crew, rng: np.random.Generator, search: list[Searched]) -> tuple[Finding, ...]:
    """One search for values, into `search`: its charge says how many people have to be invented."""
    search += crew.do([(play.discover, (plan, invent.others(plan, 40, rng), 1))], math.inf)[0]
    return ()


def _people(plan: Plan, search: list[Searched]) -> int:
    """People of whom all common values are found. Raises PlanError for too many."""
    sigma, delta = _searched(plan, search)
    number = invent.enough(plan, sigma=sigma, delta=delta)
    if number > _TOO_MANY:
        raise PlanError(
            f"privacy.epsilon ({plan.promise.epsilon:g}) must be larger for an audit of undeclared values: {number:,} "
            f"invented people would be needed. Declare the values, or raise epsilon in a copy of the plan"
        )
    return number


def _discovery(
    plan: Plan, search: list[Searched], options: Options, crew: Crew, seconds: float, tick: Callable[[float], None]
) -> tuple[Finding, ...]:
    """Values around the threshold, and how often they are found."""
    sigma, delta = _searched(plan, search)
    rows = invent.scarce(plan, sigma=sigma, delta=delta)
    runs = max(20, options.runs // 2)
    batches: list[Batch] = [(play.discover, (plan, rows.raws, min(10, runs - start))) for start in range(0, runs, 10)]
    made = [one for result in crew.do(batches, seconds, tick) for one in result or []]
    each = invent.TRIALS * sum(len(part.table.undeclared) for part in plan.tables) * len(made)
    few, many = (
        Trials(held=held, found=sum(one.found[kind] for one in made), trials=each)
        for kind, held in (("few", rows.few), ("many", rows.many))
    )
    sigma, delta = _searched(plan, made)
    return discovery(
        few=few,
        many=many,
        sigma=sigma,
        touched=invent.touched(plan),
        delta=delta,
        alpha=options.false_alarm,
        runs=len(made),
    )


def _searched(plan: Plan, search: list[Searched]) -> tuple[float, float]:
    """Deviation of one noisy count and delta that the charges imply, on average over the searches."""
    mu = float(np.mean([one.event.mu for one in search]))
    return math.sqrt(invent.touched(plan)) / mu, float(np.mean([one.event.delta for one in search]))


def _one(
    plan: Plan, others: invent.Raws, crew: Crew, options: Options, rng: np.random.Generator, promise: EpsilonDelta
) -> Finding:
    """Many canaries by coins in one release; the half of them about which the attack is surest is guessed."""
    canaries = invent.many_canaries(plan, _CANARIES, rng)
    inside = rng.random(_CANARIES) < 0.5
    chosen = [one for one, is_in in zip(canaries, inside.tolist(), strict=True) if is_in]
    raws = invent.with_canaries(plan, others, chosen, above=False)
    (score,) = crew.do([(play.coins, (plan, others, canaries, raws))], math.inf)
    guesses = _CANARIES // 2
    order = np.argsort(score)
    out_of, into = order[: guesses // 2], order[-(guesses - guesses // 2) :]
    right = int((~inside[out_of]).sum() + inside[into].sum())
    return one_run(
        canaries=_CANARIES,
        guesses=guesses,
        right=right,
        epsilon=promise.epsilon,
        delta=promise.delta,
        alpha=options.false_alarm,
    )


def _published(
    plan: Plan,
    others: invent.Raws,
    options: Options,
    crew: Crew,
    seconds: float,
    tick: Callable[[float], None],
    mu: float,
    delta: float,
) -> Finding:
    match = match_of(plan, others, mu, _REACH)
    batches = batches_of(black, match, options.runs // 2, 1)
    sides: Mapping[bool, list[NDArray[np.float64]]] = {False: [], True: []}
    for (_, args), made in zip(batches, crew.do(batches, seconds, tick), strict=True):
        if made is not None:
            sides[args[1]].append(made)
    without, with_them = (np.concatenate(parts) if parts else np.zeros((0, 3)) for parts in sides.values())
    found = black_box(PUBLISHED, without, with_them, copies=match.copies, claimed=mu, alpha=options.false_alarm)
    return in_epsilon(found, delta)


__all__ = ["CHARGES", "NOISY", "ONE_RUN", "PUBLISHED", "REPEATS", "STAGES", "Audit", "Options", "of_plan", "run"]
