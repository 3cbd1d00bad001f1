"""Which long combinations are worth measuring, decided from public sizes and short counts already paid for.

A residual of three or more attributes is worth its noise when the departure that one may expect from what the short
counts imply stands above that noise. To first order an interaction of strength theta between independent attributes
moves the residual by theta N prod_i C_i, with C_i the covariance matrix of attribute i's indicator, so that its
energy is theta^2 N^2 prod_i ||C_i||_F^2. Interactions live where pairs already hang together: theta^2 is taken in
proportion to the mean product of two of the pair strengths (noise-corrected phi^2) within the clique.

AIM (McKenna et al., VLDB 2022) makes the same trade one clique at a time and pays for each look; here the look is
free, because it reads only what was released.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from caseveil.measurement.residuals import influence, squared_sensitivity
from caseveil.measurement.workload import Workload
from caseveil.schema.domain import Clique
from caseveil.synthesis.observed import NoisyResiduals, centre, reconstruct

POOLING = 400.0
"""By how much a residual may fall short of its own noise and still be worth its price: the fit pools hundreds of
residuals, so that each of them informs long before it stands out by itself (docs/decisions/0002)."""

FLOOR = 0.02
"""Pair strength assumed even where none is seen, so that plentiful data is looked at all the same."""


def _shares(residuals: NoisyResiduals, i: int) -> NDArray[np.float64]:
    counts = np.clip(reconstruct(residuals, (i,)), 0.0, None) + 0.5
    return np.asarray(counts / counts.sum())


def pair_strengths(residuals: NoisyResiduals) -> dict[Clique, float]:
    """Noise-corrected phi^2 per degree of the smaller attribute (Cramer's V^2), between 0 and 1, for measured pairs."""
    shares = [_shares(residuals, i) for i in range(len(residuals.domain))]
    total = max(residuals.total, 1.0)
    out: dict[Clique, float] = {}
    for pair in residuals.values:
        if len(pair) != 2:
            continue
        i, j = pair
        expected = np.outer(shares[i], shares[j]) * total
        # where few are expected the noise rules: the floor keeps such cells from counting
        floor = np.maximum(expected, math.sqrt(residuals.variance[pair]))
        misfit = residuals.values[pair] - centre(expected)
        excess = float(((misfit**2 - residuals.variance[pair] * residuals.degrees(pair) / misfit.size) / floor).sum())
        smaller = min(residuals.domain.shape(pair)) - 1
        out[pair] = min(1.0, max(0.0, excess / total / smaller))
    return out


def expected_energy(residuals: NoisyResiduals, cliques: tuple[Clique, ...]) -> dict[Clique, float]:
    """Squared length of the residual to expect of each clique, in people squared."""
    strengths = pair_strengths(residuals)
    spread = []
    for i in range(len(residuals.domain)):
        share = _shares(residuals, i)
        covariance = np.diag(share) - np.outer(share, share)
        spread.append(float((covariance**2).sum()))
    total = max(residuals.total, 1.0)
    out: dict[Clique, float] = {}
    for clique in cliques:
        pairs = [strengths.get(pair, 0.0) + FLOOR for pair in itertools.combinations(clique, 2)]
        products = [math.sqrt(a * b) for a, b in itertools.combinations(pairs, 2)]
        theta2 = sum(products) / len(products)
        out[clique] = theta2 * total**2 * math.prod(spread[i] for i in clique)
    return out


def worthwhile(workload: Workload, residuals: NoisyResiduals, mu: float) -> tuple[Clique, ...]:
    """Cliques of length 3 and more whose expected energy stands above the noise that measuring them would bring.

    mu: the whole budget of the residuals. Cliques are taken by falling signal while the next one, times POOLING, is
    worth the noise it would then get; shorter cliques keep their place. The result is closed under subsets.
    """
    domain = workload.domain
    long = tuple(clique for clique in workload.weights if len(clique) > 2)
    energy = expected_energy(residuals, long)
    short: Mapping[Clique, float] = {c: w for c, w in workload.weights.items() if len(c) <= 2}
    v = influence(short, domain)
    norm = math.fsum(math.sqrt(squared_sensitivity(c, domain) * v[c]) for c in v)
    signal = {c: energy[c] / residuals.degrees(c) * math.sqrt(workload.weights[c]) for c in long}
    chosen: set[Clique] = set()
    for clique in sorted(long, key=lambda c: -signal[c]):
        norm += math.sqrt(workload.weights[clique]) * squared_sensitivity(clique, domain)
        if POOLING * signal[clique] < norm / mu**2:
            break
        chosen.add(clique)
    closed = [
        c
        for c in long
        if c in chosen and all(p in chosen for k in range(3, len(c)) for p in itertools.combinations(c, k))
    ]
    return tuple(closed)
