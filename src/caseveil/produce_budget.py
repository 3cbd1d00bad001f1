"""How the promise of a plan becomes a budget: its delta as a number, and what is left after both are found."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

import numpy as np

from caseveil.errors import PlanError
from caseveil.measurement.curator import Books, Curator
from caseveil.measurement.discovery import DELTA_SHARE, MU_SHARE, Discovery
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent
from caseveil.privacy.worst_case import Span
from caseveil.schema.domain import Domain
from caseveil.schema.period import Period
from caseveil.synthesis.observed import NoisyResiduals

COUNT_SHARE = 0.15
"""mu of the first look at the number of people, where delta depends on it, as a share of the mu that epsilon gives at
the smallest delta of practice: less than 2% of the budget."""

SMALL_DELTA = 1e-12

_SLACK = 1.0 - 1e-12
"""So that the parts of a budget, as floats, never compose to more than the whole."""

SPREAD = 3.0
"""Standard deviations added to the noisy number of people before delta is set from it: a smaller delta is safer."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A promise with its delta as a number, and what is left of it for combinations.

    mu: of the residuals. discovery: values of undeclared columns, None where there are none. first: a noisy number of
    people that was bought for delta, and its variance.
    """

    promise: EpsilonDelta
    mu: float
    discovery: Discovery | None
    first: tuple[int, float] | None

    def with_first(self, residuals: NoisyResiduals) -> NoisyResiduals:
        """The residuals combined with the first look at the number of people."""
        first = self.first_look(residuals.domain)
        return residuals if first is None else residuals.combine(first)

    def first_look(self, domain: Domain) -> NoisyResiduals | None:
        """The first look at the number of people as a residual; None where there was none."""
        if self.first is None:
            return None
        count, variance = self.first
        return NoisyResiduals(domain=domain, values={(): np.asarray(float(count))}, variance={(): variance})


def books(plan: Plan) -> Books:
    """Under which names the plan is charged, and for whom."""
    return Books(
        release=plan.about.name,
        version=plan.about.version,
        unit=plan.unit.name,
        population=plan.people,
        plan_digest=plan.digest(),
        span=None if plan.update is None else span_of(plan.update.period),
    )


def span_of(period: Period) -> Span:
    """The period as the ledger writes it, in days."""
    after = "" if period.after is None else datetime.date.fromordinal(period.start).isoformat()
    until = datetime.date.fromordinal(period.end).isoformat()
    return Span(joined=period.joined, after=after, until=until)


def require(plan: Plan, ledger: Ledger) -> None:
    """Raises InsufficientBudget where the plan's budget would be passed, and PlanError where nobody can tell."""
    if plan.budget is None:
        return
    others = sorted({entry.unit for entry in ledger.entries if entry.unit != plan.unit.name})
    if plan.unit.either and others:
        raise PlanError(
            f"privacy.budget cannot be kept for unit {plan.unit.name!r}: the ledger holds releases that protect only "
            f"{', '.join(map(repr, others))[:120]}, and what those cost perpetrators is not known; start a new ledger "
            f"for this unit, or choose the unit of the earlier releases"
        )
    wanted = largest(plan, plan.budget)
    ledger.require(
        [event for event, _ in wanted], plan.budget, spans=[span for _, span in wanted], population=plan.people
    )


def open_budget(plan: Plan, curator: Curator) -> Opened:
    """Finds delta and the undeclared values, both charged, and says what is left."""
    undeclared = any(part.table.undeclared for part in plan.tables)
    promise, spent, first = _promise(plan, curator, earlier=(0.0, 0.0))
    discovery_delta = DELTA_SHARE * promise.delta if undeclared else 0.0
    budget = mu_for(EpsilonDelta(epsilon=promise.epsilon, delta=promise.delta - discovery_delta)) ** 2 - spent
    discovery = None
    if undeclared:
        discovery = curator.values(mu=math.sqrt(MU_SHARE * budget), delta=discovery_delta)
        budget *= 1.0 - MU_SHARE
    return Opened(promise=promise, mu=math.sqrt(budget), discovery=discovery, first=first)


def open_update(plan: Plan, curator: Curator, before: NoisyResiduals) -> Opened:
    """The same for a release that goes on from another one: curator guards the rows of who joined since, and all values
    are known. before: what the last release said of everybody else."""
    promise, spent, first = _promise(plan, curator, earlier=(before.total, before.variance[()]))
    return Opened(promise=promise, mu=math.sqrt(mu_for(promise) ** 2 - spent), discovery=None, first=first)


def _promise(
    plan: Plan, curator: Curator, *, earlier: tuple[float, float]
) -> tuple[EpsilonDelta, float, tuple[int, float] | None]:
    """The promise with its delta as a number, the squared mu spent on finding it, and the noisy count bought.

    delta "auto" is 1 / (n ln n) of a noisy n (three deviations up, so that delta is not too large), and never above
    the delta of the budget. earlier: noisy number of people whom the curator does not hold, and its variance.
    """
    if plan.promise.delta is not None:
        return plan.promise.at(2), 0.0, None
    most = 1.0 if plan.budget is None else plan.budget.delta
    least = min(SMALL_DELTA, most)
    mu = COUNT_SHARE * mu_for(EpsilonDelta(epsilon=plan.promise.epsilon, delta=least))
    noisy = curator.people(mu=mu)
    deviation = math.sqrt(1.0 / mu**2 + earlier[1])
    promise = plan.promise.at(max(2, math.ceil(noisy + earlier[0] + SPREAD * deviation)))
    delta = max(least, min(promise.delta, most))
    return EpsilonDelta(epsilon=promise.epsilon, delta=delta), mu**2, (noisy, 1.0 / mu**2)


def largest(plan: Plan, budget: EpsilonDelta) -> tuple[tuple[Event, Span | None], ...]:
    """Events that cost at least what the release will, whatever the noisy count turns out to be, and whom of the
    population each is about."""
    delta = budget.delta if plan.promise.delta is None else plan.promise.delta
    update = plan.update
    goes_on = update is not None and update.previous is not None
    undeclared = any(part.table.undeclared for part in plan.tables) and not goes_on
    selection = DELTA_SHARE * delta if undeclared else 0.0
    mu = mu_for(EpsilonDelta(epsilon=plan.promise.epsilon, delta=delta - selection))
    span = None if update is None else span_of(update.period)
    if update is not None and goes_on:
        parts = zip(shares(mu, update.everyone), (span, span_of(update.period.from_beginning())), strict=True)
        return tuple((GaussianEvent(label="release", mu=part), whom) for part, whom in parts if part)
    if not selection:
        return ((GaussianEvent(label="release", mu=mu), span),)
    part = math.sqrt(MU_SHARE) * mu
    return (
        (SelectionEvent(label="discovery of values", mu=part, delta=selection), span),
        (GaussianEvent(label="release", mu=math.sqrt(1.0 - MU_SHARE) * mu), span),
    )


def shares(mu: float, everyone: float) -> tuple[float, float]:
    """mu for who joined since the last release, and for everybody, of an update; who joined since is in both."""
    if not everyone:
        return mu, 0.0
    return mu * math.sqrt(1.0 - everyone) * _SLACK, mu * math.sqrt(everyone) * _SLACK
