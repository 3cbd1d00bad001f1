"""ResidualPlanner: how much noise each residual gets, in closed form.

Xiao, He, Zhang, Kifer, "An Optimal and Scalable Matrix Mechanism for Noisy Marginals under Convex Loss
Functions", NeurIPS 2023. Adding or removing one person changes the residual of clique A by a vector of squared
length p_A = prod_{i in A} (1 - 1/n_i); white noise of variance s_A^2 on it costs p_A / s_A^2 of squared mu.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain, subsets


def squared_sensitivity(clique: Clique, domain: Domain) -> float:
    """p_A: squared Euclidean change of the residual when one person comes or goes."""
    return math.prod(1 - 1 / size for size in domain.shape(clique))


def influence(weights: Mapping[Clique, float], domain: Domain) -> dict[Clique, float]:
    """v_A: by how much sum_T w_T Var_T grows with s_A^2, for every subset A of a weighted clique T."""
    squared = [size * size for size in domain.sizes]
    inner = [1 - 1 / size for size in domain.sizes]
    out: dict[Clique, float] = {}
    for target, weight in weights.items():
        for part in subsets(target):
            factor = weight
            for i in target:
                factor = factor * inner[i] if i in part else factor / squared[i]
            out[part] = out.get(part, 0.0) + factor
    return out


def optimal_variances(weights: Mapping[Clique, float], domain: Domain, mu: float) -> dict[Clique, float]:
    """s_A^2 that minimise sum_T w_T Var_T at total cost sum_A p_A / s_A^2 = mu^2.

    s_A^2 = sqrt(p_A / v_A) * sum_B sqrt(p_B v_B) / mu^2 (Lagrange; Xiao et al. 2023, section 4).
    """
    v = influence(weights, domain)
    p = {clique: squared_sensitivity(clique, domain) for clique in v}
    norm = math.fsum(math.sqrt(p[clique] * v[clique]) for clique in v)
    return {clique: math.sqrt(p[clique] / v[clique]) * norm / mu**2 for clique in v}


def cost(variances: Mapping[Clique, float], domain: Domain) -> float:
    """Squared mu that measuring residuals with these variances costs."""
    return math.fsum(squared_sensitivity(clique, domain) / variance for clique, variance in variances.items())


def top_up(
    weights: Mapping[Clique, float], domain: Domain, mu: float, measured: Mapping[Clique, float]
) -> dict[Clique, float]:
    """Variances of a further measurement, so that both together are as near the optimum as the rest allows.

    measured: variances already paid for. mu: what is left to spend. A residual that already has more than its
    share is not measured again; the others are filled up to a common level (water-filling on the precisions
    sqrt(v_A / p_A), the stationarity condition of the same Lagrangian).
    """
    v = influence(weights, domain)
    p = {clique: squared_sensitivity(clique, domain) for clique in v}
    ideal = {clique: math.sqrt(v[clique] / p[clique]) for clique in v}
    have = {clique: 1.0 / measured[clique] if clique in measured else 0.0 for clique in v}
    # spent(level) = sum p max(0, level * ideal - have) rises piecewise linearly: find its level by sorting the knees
    knees = sorted(v, key=lambda clique: have[clique] / ideal[clique])
    slope, offset, level = 0.0, 0.0, 0.0
    for position, clique in enumerate(knees):
        slope += p[clique] * ideal[clique]
        offset += p[clique] * have[clique]
        level = (mu**2 + offset) / slope
        if position + 1 == len(knees) or level <= have[knees[position + 1]] / ideal[knees[position + 1]]:
            break
    gains = {clique: level * ideal[clique] - have[clique] for clique in v}
    return {clique: 1.0 / gain for clique, gain in gains.items() if gain > 1e-9 * level * ideal[clique]}


def integer_residual(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """(prod n_i) times the centred marginal, exactly: an integer table.

    Its squared sensitivity is (prod n_i)^2 p_A.
    """
    out = table
    for axis, size in enumerate(table.shape):
        out = out * np.int64(size) - out.sum(axis=axis, keepdims=True, dtype=np.int64)
    return out
