"""How the promise of a plan becomes a budget: its delta as a number, and what is left after both are found."""

from __future__ import annotations

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
from caseveil.schema.domain import Domain
from caseveil.synthesis.observed import NoisyResiduals

COUNT_SHARE = 0.15
"""mu of the first look at the number of people, where delta depends on it, as a share of the mu that epsilon gives at
the smallest delta of practice: less than 2% of the budget."""

SMALL_DELTA = 1e-12

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
        if self.first is None:
            return residuals
        count, variance = self.first
        domain: Domain = residuals.domain
        return residuals.combine(
            NoisyResiduals(domain=domain, values={(): np.asarray(float(count))}, variance={(): variance})
        )


def books(plan: Plan) -> Books:
    """Under which names the plan is charged."""
    return Books(
        release=plan.about.name,
        version=plan.about.version,
        unit=plan.unit.name,
        population=plan.about.name,
        plan_digest=plan.digest(),
    )


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
    ledger.require(largest(plan, plan.budget), plan.budget)


def open_budget(plan: Plan, curator: Curator) -> Opened:
    """Finds delta and the undeclared values, both charged, and says what is left."""
    undeclared = any(part.table.undeclared for part in plan.tables)
    promise, spent, first = _promise(plan, curator)
    discovery_delta = DELTA_SHARE * promise.delta if undeclared else 0.0
    budget = mu_for(EpsilonDelta(epsilon=promise.epsilon, delta=promise.delta - discovery_delta)) ** 2 - spent
    discovery = None
    if undeclared:
        discovery = curator.values(mu=math.sqrt(MU_SHARE * budget), delta=discovery_delta)
        budget *= 1.0 - MU_SHARE
    return Opened(promise=promise, mu=math.sqrt(budget), discovery=discovery, first=first)


def _promise(plan: Plan, curator: Curator) -> tuple[EpsilonDelta, float, tuple[int, float] | None]:
    """The promise with its delta as a number, the squared mu spent on finding it, and the noisy count bought.

    delta "auto" is 1 / (n ln n) of a noisy n (three deviations up, so that delta is not too large), and never above
    the delta of the budget.
    """
    if plan.promise.delta is not None:
        return plan.promise.at(2), 0.0, None
    most = 1.0 if plan.budget is None else plan.budget.delta
    least = min(SMALL_DELTA, most)
    mu = COUNT_SHARE * mu_for(EpsilonDelta(epsilon=plan.promise.epsilon, delta=least))
    noisy = curator.people(mu=mu)
    promise = plan.promise.at(max(2, noisy + math.ceil(SPREAD / mu)))
    delta = max(least, min(promise.delta, most))
    return EpsilonDelta(epsilon=promise.epsilon, delta=delta), mu**2, (noisy, 1.0 / mu**2)


def largest(plan: Plan, budget: EpsilonDelta) -> tuple[Event, ...]:
    """Events that cost at least what the release will, whatever the noisy count turns out to be."""
    delta = budget.delta if plan.promise.delta is None else plan.promise.delta
    undeclared = any(part.table.undeclared for part in plan.tables)
    selection = DELTA_SHARE * delta if undeclared else 0.0
    mu = mu_for(EpsilonDelta(epsilon=plan.promise.epsilon, delta=delta - selection))
    if not selection:
        return (GaussianEvent(label="release", mu=mu),)
    part = math.sqrt(MU_SHARE) * mu
    return (
        SelectionEvent(label="discovery of values", mu=part, delta=selection),
        GaussianEvent(label="release", mu=math.sqrt(1.0 - MU_SHARE) * mu),
    )
