"""A white-box attack on the measurement: can it be told whether g copies of one person were counted?

The attacker knows all other rows and the variances, and uses the likelihood ratio, so no attack is better. g copies
of one person make a release that is mu-GDP into one that is g mu-GDP, hence few runs suffice. The answer must lie at
the claim: below it the promise is broken the other way (budget was wasted), above it the promise is broken.

False alarms: the estimate has a relative standard error of 1.6% (delta method), and 10% are allowed (6.3 of them);
the lower bound is one of Clopper and Pearson at 1e-9. Nothing is rerun.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pytest

from caseveil.measurement import curator as room
from caseveil.measurement.curator import Allowed, ResidualAllowance
from caseveil.measurement.residuals import optimal_variances
from caseveil.records.counting import count_many
from caseveil.records.encoding import EncodedRows
from caseveil.records.views import View
from caseveil.schema.domain import Clique
from caseveil.synthesis.observed import NoisyResiduals, centre
from tests.measurement.invented import coded, domain_of, random_rows, up_to

pytestmark = pytest.mark.engine

DOMAIN = domain_of(2, 3, 2)
MU = 0.25
COPIES = 10
RUNS = 3000
CANARY = [1, 2, 0]

Measure = Callable[[EncodedRows, Mapping[Clique, float]], NoisyResiduals]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Estimate of mu, and a lower bound of it that is wrong with probability 1e-9."""

    estimate: float
    bound: float


def least_chance(found: int, trials: int) -> float:
    """Clopper and Pearson: the smallest chance under which so many successes have a probability of 5e-10."""

    def tail(chance: float) -> float:
        logs = [
            math.lgamma(trials + 1)
            - math.lgamma(k + 1)
            - math.lgamma(trials - k + 1)
            + k * math.log(chance)
            + (trials - k) * math.log1p(-chance)
            for k in range(found, trials + 1)
        ]
        top = max(logs)
        return math.exp(top) * sum(math.exp(x - top) for x in logs)

    if found == 0:
        return 0.0
    low, high = 1e-9, found / trials * (1 - 1e-12)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) < 5e-10 else (low, middle)
    return low


def audit(measure: Measure, runs: int) -> Verdict:
    rows = random_rows(DOMAIN, 25, np.random.default_rng(3))
    more = coded(DOMAIN, np.vstack([rows.codes, [CANARY] * COPIES]))
    variances = optimal_variances({c: (35.0, 5.0, 1.0)[len(c) - 1] for c in up_to(DOMAIN, 3) if c}, DOMAIN, MU)
    person = count_many(coded(DOMAIN, np.array([CANARY])), list(variances))
    direction = {c: centre(person[c].astype(np.float64)) for c in variances}

    def statistic(true: EncodedRows) -> float:
        seen = measure(true, variances)
        return sum(float((direction[c] * seen.values[c]).sum()) / seen.variance[c] for c in variances)

    without = np.array([statistic(rows) for _ in range(runs)])
    with_them = np.array([statistic(more) for _ in range(runs)])
    deviation = math.sqrt((without.var() + with_them.var()) / 2)
    # half of the runs choose the cut, the others are counted
    half = runs // 2
    cut = (without[:half].mean() + with_them[:half].mean()) / 2
    normal = NormalDist()
    hit = least_chance(int((with_them[half:] > cut).sum()), runs - half)
    spared = least_chance(int((without[half:] <= cut).sum()), runs - half)
    bound = normal.inv_cdf(hit) + normal.inv_cdf(spared) if hit and spared else 0.0
    return Verdict(estimate=(with_them.mean() - without.mean()) / deviation / COPIES, bound=bound / COPIES)


def allowance(rows: EncodedRows, mu: float) -> ResidualAllowance:
    return ResidualAllowance(view=View(rows=rows), budget=Allowed(mu))


def real(rows: EncodedRows, variances: Mapping[Clique, float]) -> NoisyResiduals:
    return allowance(rows, MU).measure(variances)


def promised(verdict: Verdict) -> bool:
    return verdict.bound <= MU and 0.9 * MU <= verdict.estimate <= 1.1 * MU


def test_the_measurement_loses_what_it_claims_and_no_more() -> None:
    verdict = audit(real, RUNS)
    assert verdict.bound > 0.7 * MU  # the attack works
    assert promised(verdict)


def short_cliques_underpaid(rows: EncodedRows, variances: Mapping[Clique, float]) -> NoisyResiduals:
    less = {c: v / (4.0 if 1 <= len(c) <= 2 else 1.0) for c, v in variances.items()}
    return allowance(rows, 2 * MU).measure(less)


def off_by_root_two(rows: EncodedRows, variances: Mapping[Clique, float]) -> NoisyResiduals:
    return allowance(rows, 2 * MU).measure({c: v / 2 for c, v in variances.items()})


def off_by_two(rows: EncodedRows, variances: Mapping[Clique, float]) -> NoisyResiduals:
    return allowance(rows, 2 * MU).measure({c: v / 4 for c, v in variances.items()})


def too_much_noise(rows: EncodedRows, variances: Mapping[Clique, float]) -> NoisyResiduals:
    return allowance(rows, MU).measure({c: v * 2 for c, v in variances.items()})


def people_counted_off_the_books(rows: EncodedRows, variances: Mapping[Clique, float]) -> NoisyResiduals:
    again = allowance(rows, 2 * MU).measure({(): variances[()] / 4})
    return real(rows, variances).combine(again)


@pytest.mark.parametrize(
    "fault", [short_cliques_underpaid, off_by_root_two, too_much_noise, people_counted_off_the_books]
)
def test_planted_faults_are_found(fault: Measure) -> None:
    """The estimates are off by 29% and more, and have a standard error of 3%."""
    assert not promised(audit(fault, 800))


def test_a_large_fault_breaks_the_lower_bound() -> None:
    assert audit(off_by_two, 1000).bound > MU


def test_noise_of_half_the_scale_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is scaled by the sizes of all its attributes, the noise by those of all but one."""
    grid = room.grid_sigma
    monkeypatch.setattr(room, "grid_sigma", lambda sigma: grid(sigma / 2.0))
    assert audit(real, 400).estimate > 1.4 * MU
