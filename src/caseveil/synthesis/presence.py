"""Which combinations really occur, as far as noisy counts can tell.

The fitted model smears a little mass over combinations that nobody has: it expects lambda people and finds
lambda (1 - exp(-lambda / s)) for some scale s, and the chance that a combination is absent was found to fall as
exp(-lambda / s') with s' in proportion to s, over many tables and budgets (docs/decisions/0003). The scale shows in the
noisy residuals themselves, whose noise is white and known: s is the posterior mode of that one number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import NoisyResiduals, cell_variance, centre

PRIOR_SHARE, PRIOR_SPREAD = 0.13, 0.8
"""The logarithm of the scale of smearing is taken as normal, with this standard deviation, around this share of the
standard deviation of a published count: more noise, more smear, where the residuals themselves say little."""

ABSENCE = 1.0 / 1.55
"""Scale of absence per scale of smearing, calibrated on several tables and budgets (docs/decisions/0003)."""

MARGIN = 1.7
"""Widening of the scale, so that made-up combinations are rather expected too many than too few."""

LOOKED_AT = 600
"""Most cliques looked at: the scale settles long before."""


def stated(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The cells of a marginal in which no attribute is missing."""
    return tuple(slice(1, None) for _ in shape)


@dataclass(frozen=True, kw_only=True)
class Presence:
    """Chance that an expected combination is absent: exp(-expected / scale); scale is in people."""

    scale: float

    def absent(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of absence of combinations with these expected counts."""
        return np.asarray(np.exp(-np.maximum(expected, 0.0) / self.scale))

    def expected_at(self, chance: float) -> float:
        """Expected count at which the probability of absence is `chance`."""
        return float(-self.scale * np.log(chance))

    def unsmeared(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected counts less what was smeared: lambda (1 - exp(-lambda / s)), s the scale of smearing."""
        clipped = np.maximum(expected, 0.0)
        return np.asarray(clipped * -np.expm1(-clipped * (MARGIN * ABSENCE / self.scale)))

    def threshold(self, counts: NDArray[np.int64], expected: NDArray[np.float64], share: float | None) -> int:
        """Smallest count from which on the expected share of made-up combinations is at most `share`.

        counts: what would be published; expected: what the model expects there. share None publishes all.
        """
        if share is None or not len(counts):
            return 1
        order = np.argsort(-counts, kind="stable")
        sorted_counts = counts[order]
        running = np.cumsum(self.absent(expected[order])) / np.arange(1, len(order) + 1)
        last_of_count = np.flatnonzero(np.append(sorted_counts[1:] != sorted_counts[:-1], True))
        good = last_of_count[running[last_of_count] <= share]
        return int(sorted_counts[good[-1]]) if len(good) else int(sorted_counts[0]) + 1


def judge(residuals: NoisyResiduals, mixture: Mixture) -> Presence:
    """Estimates the scale of a release from its fit and its noisy residuals."""
    scales = np.geomspace(0.3, 150.0, 40)
    cliques = [c for c in residuals.values if len(c) >= 2 and residuals.measured(c)]
    if not cliques:
        return Presence(scale=MARGIN * ABSENCE)
    loss = (np.log(scales / _usual(residuals, cliques)) / PRIOR_SPREAD) ** 2
    step = max(1, len(cliques) // LOOKED_AT)
    for clique in cliques[::step]:
        loss += step * _change(residuals, mixture, clique, scales, inner=False)
    return Presence(scale=MARGIN * ABSENCE * float(scales[int(np.argmin(loss))]))


def judge_people(residuals: NoisyResiduals, mixture: Mixture, attributes: int) -> Presence:
    """The same for linked tables, from the first so many attributes, those of people, where all are stated.

    With many attributes the residuals of one clique say little, and what is missing for one reason in all attributes
    of a link looks like smearing. So they may lower the scale that such noise usually brings, and not raise it.
    """
    scales = np.geomspace(0.3, 150.0, 40)
    cliques = [c for c in residuals.values if len(c) >= 2 and c[-1] < attributes and residuals.measured(c)]
    if not cliques:
        return Presence(scale=MARGIN * ABSENCE)
    usual = _usual(residuals, cliques)
    loss = (np.log(scales / usual) / PRIOR_SPREAD) ** 2
    step = max(1, len(cliques) // LOOKED_AT)
    for clique in cliques[::step]:
        loss += step * _change(residuals, mixture, clique, scales, inner=True)
    return Presence(scale=MARGIN * ABSENCE * min(usual, float(scales[int(np.argmin(loss))])))


def _usual(residuals: NoisyResiduals, cliques: list[Clique]) -> float:
    """The scale of smearing that noise like this usually brings."""
    most = max(map(len, cliques))
    longest = [c for c in cliques if len(c) == most]
    variances = [cell_variance(residuals.variance, c, residuals.domain) for c in longest]
    return PRIOR_SHARE * math.sqrt(float(np.mean(variances)))


def _change(
    residuals: NoisyResiduals, mixture: Mixture, clique: Clique, scales: NDArray[np.float64], *, inner: bool
) -> NDArray[np.float64]:
    """How much better (below 0) or worse each scale of smearing explains one residual: (scales,).

    inner: only cells in which all is stated were smeared.
    """
    expected = mixture.expected(clique)
    misfit = residuals.values[clique] - centre(expected)
    columns = (slice(None), *(None,) * expected.ndim)
    smeared = expected * np.exp(-expected / scales[columns])
    if inner:
        mask = np.zeros(expected.shape)
        mask[stated(expected.shape)] = 1.0
        smeared = smeared * mask
    for axis in range(1, smeared.ndim):
        smeared -= smeared.mean(axis=axis, keepdims=True)
    # || misfit + smeared ||^2 less what does not depend on the scale
    change = (smeared * (2.0 * misfit + smeared)).reshape(len(scales), -1).sum(axis=1)
    return np.asarray(change / residuals.variance[clique])
