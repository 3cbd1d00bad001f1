"""Expected error of every count, from public sizes alone, before any budget is spent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caseveil.errors import PlanError
from caseveil.measurement.link_workload import LINK_WEIGHTS, SIDE_SHARE
from caseveil.measurement.residuals import optimal_variances
from caseveil.measurement.update import variances_after
from caseveil.measurement.workload import DEFAULT_CELLS_CAP, DEFAULT_WEIGHTS, Workload, plan_workload
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.schema.domain import Clique, Domain, subsets
from caseveil.synthesis.observed import cell_variance

INTERVAL_WIDTH = 2.1700903775845606
"""Half-width of a published interval in standard deviations (synthesis.counts.WIDTH; a test holds them equal)."""


@dataclass(frozen=True, kw_only=True)
class ForecastRow:
    """Expected error of counts of one length at one epsilon, in people.

    groups: combinations of columns; cells: their counts; cell_sd: standard deviation of the unbiased estimate,
    root mean square over the groups; half_width: of its 95% interval; expected_error: its mean absolute error, which
    published counts are seldom above (the model only improves on it); relative: expected_error over the mean count.
    """

    epsilon: float
    length: int
    groups: int
    cells: int
    cell_sd: float
    half_width: float
    expected_error: float
    relative: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Rows by epsilon and length. n, delta: as assumed; left_out: groups per length that the cap leaves unmeasured."""

    rows: tuple[ForecastRow, ...]
    n: int
    delta: float
    left_out: dict[int, int]

    def __str__(self) -> str:
        lines = ["epsilon  length    groups     counts  95% within +-  typical error"]
        lines += [
            f"{r.epsilon:7g}  {r.length:6d}  {r.groups:8,d}  {r.cells:9,d}  "
            f"{r.half_width:13,.1f}  {r.expected_error:13,.1f}"
            for r in self.rows
        ]
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What a release goes on from. variance: of every residual of its view that counts people. everyone: share of
    squared mu for counting everybody again."""

    variance: Mapping[Clique, float] = field(repr=False)
    everyone: float = 0.0

    def then(self, weights: Mapping[Clique, float], domain: Domain, mu: float) -> dict[Clique, float]:
        """Variances after the next release, which has mu in all."""
        added, again = (mu * math.sqrt(share) for share in (1.0 - self.everyone, self.everyone))
        return variances_after(self.variance, weights, domain, added=added, everyone=again)


def forecast(
    domain: Domain,
    *,
    n: int,
    epsilons: Sequence[float],
    delta: float | None = None,
    length: int = 3,
    weights: Sequence[float] | None = None,
    cells_cap: int = DEFAULT_CELLS_CAP,
    linked: bool = False,
    changed: int = 1,
    earlier: Earlier | None = None,
) -> Forecast:
    """Errors if every combination up to `length` is measured; n is a public guess, delta None is 1 / (n ln n).

    linked: the domain is that of a victim with one drawn perpetrator, and further views take their share of the
    budget; what `link_workload` gives more weight to is left out, so that single groups may differ by a tenth.
    changed: how many times larger the noise is for a unit that touches several victims (Curator). earlier: the release
    that is gone on from, in the domain given; a combination that it did not measure is left out.
    Closed form (Xiao et al. 2023); rounding noise to integers adds less than 1/12 to a variance.
    """
    if n < 2:
        raise PlanError(f"n ({n}) must be at least 2: the number of people you expect, a public guess")
    if not 1 <= length <= 5:
        raise PlanError(f"length ({length}) must be 1 to 5")
    people = max(n, 10)
    delta = 1.0 / (people * math.log(people)) if delta is None else delta
    usual = LINK_WEIGHTS if linked else DEFAULT_WEIGHTS
    workload = plan_workload(domain, length=length, weights=weights or usual, cells_cap=cells_cap)
    unit = optimal_variances(workload.weights, domain, 1.0)
    # variances of a first release are in proportion to 1 / mu^2, so they are added up once for all epsilons
    first = _groups(workload, unit, domain, length) if earlier is None else []
    rows = []
    for epsilon in epsilons:
        mu = mu_for(EpsilonDelta(epsilon=epsilon, delta=delta)) * math.sqrt(1.0 - SIDE_SHARE * linked) / changed
        if earlier is None:
            groups = [(k, cliques, variance / mu**2) for k, cliques, variance in first]
        else:
            groups = _groups(workload, earlier.then(workload.weights, domain, mu), domain, length)
        for k, cliques, mean_variance in groups:
            cells = sum(domain.cells(c) for c in cliques)
            sd = math.sqrt(mean_variance)
            error = sd * math.sqrt(2.0 / math.pi)
            rows.append(
                ForecastRow(
                    epsilon=epsilon,
                    length=k,
                    groups=len(cliques),
                    cells=cells,
                    cell_sd=sd,
                    half_width=INTERVAL_WIDTH * sd,
                    expected_error=error,
                    relative=error * cells / (n * len(cliques)),
                )
            )
    return Forecast(rows=tuple(rows), n=n, delta=delta, left_out=dict(workload.left_out))


def _groups(
    workload: Workload, variances: Mapping[Clique, float], domain: Domain, length: int
) -> list[tuple[int, list[Clique], float]]:
    """For each length, the groups whose counts these variances allow, and the mean variance of a cell over them."""
    found = []
    for k in range(1, length + 1):
        cliques = [c for c in workload.of_length(k) if all(part in variances for part in subsets(c))]
        if cliques:
            variance = math.fsum(cell_variance(variances, c, domain) for c in cliques) / len(cliques)
            found.append((k, cliques, variance))
    return found
