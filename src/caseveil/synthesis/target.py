"""What the records should count: model and measurements blended, with absent combinations barred."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from caseveil.schema.domain import Clique
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import Marginal, NoisyResiduals, cell_variance, centre, spread
from caseveil.synthesis.presence import Presence, stated
from caseveil.synthesis.records import Target

BARRED_FROM = 0.65
"""A combination as likely absent as this is not built on purpose, unless every estimate is to be published."""

BARRED_FROM_OPEN = 0.9
"""The same where every positive estimate is published."""


def blend(residuals: NoisyResiduals, mixture: Mixture) -> dict[Clique, Marginal]:
    """Residuals of the model, moved towards the measured ones by positive-part shrinkage, clique by clique.

    r = measured - model; max(0, 1 - c s_A^2 dim / ||r||^2) of r is kept (James, Stein 1961): nearly all where the data
    is strong, nothing where r is no longer than noise. c = 1 + 2 sqrt(2 / dim) asks for two standard deviations of
    ||r||^2, or else one small clique in three would let pure noise back in.
    """
    out: dict[Clique, Marginal] = {(): np.asarray(residuals.values[()], np.float64)}
    for clique, measured in residuals.values.items():
        if not clique:
            continue
        rest = measured - centre(mixture.expected(clique))
        energy = float((rest**2).sum())
        degrees = residuals.degrees(clique)
        noise = residuals.variance[clique] * degrees * (1.0 + 2.0 * math.sqrt(2.0 / degrees))
        out[clique] = measured - rest + max(0.0, 1.0 - noise / energy) * rest if energy > 0 else measured
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
    blended = blend(residuals, mixture)
    bar = presence.expected_at(BARRED_FROM_OPEN if every_estimate else BARRED_FROM)
    out: dict[Clique, Target] = {}
    for clique in cliques:
        wanted = spread(blended, clique, residuals.domain)
        inner = stated(wanted.shape)
        expected = mixture.expected(clique)
        barred = np.zeros(wanted.shape, np.bool_)
        barred[inner] = expected[inner] < bar
        wanted[inner] = presence.unsmeared(wanted[inner])
        wanted[barred] = 0.0
        weight = cell_variance(residuals.variance, clique, residuals.domain) ** -0.5
        out[clique] = Target(wanted=wanted, weight=weight, barred=barred)
    return out
