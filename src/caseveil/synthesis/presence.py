"""Which combinations really occur, as far as noisy counts can tell.

The fitted model smears a little mass over combinations that nobody has. How far it smears is seen in two ways that
need no more of the rows: how much the averaged fits disagree on rare combinations, and by how much the unbiased
estimates fall short of the model there. Over many tables and budgets the chance that a combination expected lambda
times is absent was found to fall as exp(-lambda / s) for one scale s per release (docs/decisions/0003); s is the
geometric mean of the two views, widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import NoisyResiduals, cell_variance, reconstruct

# Calibrated on invented and subsampled tables, see docs/decisions/0003: scale per unit of disagreement between fits,
# scale per unit of shortfall, and the margin on top.
BY_DISAGREEMENT = 2.8
BY_SHORTFALL = 0.75
MARGIN = 1.15

RARE = (2.0, 30.0)
"""Expected people between which the averaged fits are compared."""

LOOKED_AT = 400
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
        """Expected counts less what was smeared: lambda (1 - exp(-lambda / (1.3 scale)))."""
        clipped = np.maximum(expected, 0.0)
        return np.asarray(clipped * -np.expm1(-clipped / (1.3 * self.scale)))

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
    """Estimates the scale of a release from its fit and its unbiased estimates."""
    cliques = _sample([c for c in residuals.values if len(c) >= 2 and residuals.measured(c)])
    expected, disagreement, unbiased, deviation = [], [], [], []
    for clique in cliques:
        inner = stated(residuals.domain.shape(clique))
        members = mixture.by_member(clique)[(slice(None), *inner)]
        expected.append(members.mean(axis=0).ravel())
        disagreement.append(members.std(axis=0).ravel())
        unbiased.append(reconstruct(residuals, clique)[inner].ravel())
        sd = cell_variance(residuals.variance, clique, residuals.domain) ** 0.5
        deviation.append(np.full(expected[-1].shape, sd))
    if not cliques:
        return Presence(scale=1.0)
    lam = np.concatenate(expected)
    rare = (lam >= RARE[0]) & (lam <= RARE[1])
    spread = float(np.concatenate(disagreement)[rare].mean()) if rare.any() else 1.0
    short = _shortfall(lam, np.concatenate(unbiased), np.concatenate(deviation))
    return Presence(scale=MARGIN * float(np.sqrt(BY_DISAGREEMENT * max(spread, 0.1) * BY_SHORTFALL * short)))


def _sample(cliques: Sequence[Clique]) -> list[Clique]:
    """Evenly spaced cliques, at most LOOKED_AT."""
    step = max(1, len(cliques) // LOOKED_AT)
    return list(cliques)[::step]


def _shortfall(lam: NDArray[np.float64], unbiased: NDArray[np.float64], sd: NDArray[np.float64]) -> float:
    """The s for which lam (1 - exp(-lam / s)) fits the unbiased estimates of rare cells best, by least squares."""
    rare = lam < 2.0 * sd
    lam, unbiased, weight = lam[rare], unbiased[rare], 1.0 / sd[rare] ** 2
    if not len(lam):
        return 1.0
    scales = np.geomspace(0.5, 200.0, 60)
    losses = [float((weight * (unbiased - lam * -np.expm1(-lam / s)) ** 2).sum()) for s in scales]
    return float(scales[int(np.argmin(losses))])
