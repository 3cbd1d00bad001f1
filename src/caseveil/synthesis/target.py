"""What the records should count: model and measurements blended, with absent combinations barred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from caseveil.schema.domain import Clique
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import Marginal, NoisyResiduals, cell_variance, centre, spread
from caseveil.synthesis.presence import Presence, stated
from caseveil.synthesis.records import Target

BARRED_FROM = 0.675
"""A measured combination as likely absent as this is not built on purpose, unless every estimate is to be published."""

BARRED_FROM_OPEN = 0.915
"""The same where every positive estimate is published."""

BARRED_FROM_UNMEASURED = 0.935
"""The same for combinations that were not measured: with only shorter counts to judge by, it must be near certain."""


def barred_below(presence: Presence, *, every_estimate: bool, measured: bool = True) -> float:
    """Expected count below which a combination is not built on purpose."""
    if not measured:
        return presence.expected_at(BARRED_FROM_UNMEASURED)
    return presence.expected_at(BARRED_FROM_OPEN if every_estimate else BARRED_FROM)


_POOLED_DEGREES = 10.0
"""Degrees of freedom that cliques of the same length lend to each other's estimate of misfit."""


def blend(residuals: NoisyResiduals, expected: Mapping[Clique, Marginal]) -> dict[Clique, Marginal]:
    """Residuals of the model, moved towards the measured ones by positive-part shrinkage, clique by clique.

    expected: what the model expects in the marginal of every measured clique.

    r = measured - model; max(0, 1 - 1 / m) of r is kept (James, Stein 1961), where m is ||r||^2 in units of what
    noise alone gives: nearly all where the data is strong, nothing where r is no longer than noise. Small cliques
    borrow from others of their length, or else one in three would let pure noise back in.
    """
    rest, energy = {}, {}
    for clique, measured in residuals.values.items():
        if clique:
            rest[clique] = measured - centre(expected[clique])
            energy[clique] = float((rest[clique] ** 2).sum()) / residuals.variance[clique]
    pooled = {}
    for length in {len(c) for c in rest}:
        same = [c for c in rest if len(c) == length]
        pooled[length] = sum(energy[c] for c in same) / sum(residuals.degrees(c) for c in same)
    out: dict[Clique, Marginal] = {(): np.asarray(residuals.values[()], np.float64)}
    for clique, r in rest.items():
        misfit = (energy[clique] + _POOLED_DEGREES * pooled[len(clique)]) / (
            residuals.degrees(clique) + _POOLED_DEGREES
        )
        kept = max(0.0, 1.0 - 1.0 / misfit) if misfit > 0 else 1.0
        out[clique] = residuals.values[clique] - r + kept * r
    return out


def targets(
    residuals: NoisyResiduals,
    mixture: Mixture,
    presence: Presence,
    cliques: Iterable[Clique],
    *,
    every_estimate: bool,
) -> dict[Clique, Target]:
    """A target per measured clique: blended counts less what the model smeared, absent combinations barred.

    The weight is one over the standard deviation of a cell, so that precise tables rule without drowning the rest.
    """
    model = {clique: mixture.expected(clique) for clique in residuals.values}
    blended = blend(residuals, model)
    bar = barred_below(presence, every_estimate=every_estimate)
    out: dict[Clique, Target] = {}
    for clique in cliques:
        wanted = spread(blended, clique, residuals.domain)
        inner = stated(wanted.shape)
        expected = model[clique]
        barred = np.zeros(wanted.shape, np.bool_)
        barred[inner] = expected[inner] < bar
        wanted[inner] = presence.unsmeared(wanted[inner])
        wanted[barred] = 0.0
        weight = cell_variance(residuals.variance, clique, residuals.domain) ** -0.5
        out[clique] = Target(wanted=wanted, weight=weight, barred=barred)
    return out
