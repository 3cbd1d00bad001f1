"""Noisy residuals, and the marginals they give back. No row is reachable from here.

A marginal over a clique T is the sum, over the subsets A of T, of the residual of A spread evenly over
the axes of T that A lacks (Xiao et al., "An Optimal and Scalable Matrix Mechanism for Noisy Marginals
under Convex Loss Functions", NeurIPS 2023).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import UnmeasuredClique
from caseveil.schema.domain import Clique, Domain, subsets

Marginal = NDArray[np.float64]


def centre(table: Marginal) -> Marginal:
    """The residual part of a table: every axis made to sum to zero."""
    for axis in range(table.ndim):
        table = table - table.mean(axis=axis, keepdims=True)
    return table


@dataclass(frozen=True, kw_only=True)
class NoisyResiduals:
    """Noisy residuals of people's counts.

    values[A] has the shape of clique A and is centred along every axis. variance[A] is the variance s_A^2
    of the white noise that was projected onto the residual space of A, in people squared.
    """

    domain: Domain
    values: Mapping[Clique, Marginal]
    variance: Mapping[Clique, float]

    @property
    def total(self) -> float:
        """Noisy number of people."""
        return float(self.values[()])

    def measured(self, clique: Clique) -> bool:
        """Whether every subset of the clique was measured."""
        return all(part in self.values for part in subsets(clique))

    def degrees(self, clique: Clique) -> int:
        """Dimension of the residual space of the clique."""
        return math.prod(size - 1 for size in self.domain.shape(clique))

    def combine(self, other: NoisyResiduals) -> NoisyResiduals:
        """Inverse-variance combination of two independent measurements of the same people."""
        values, variance = dict(self.values), dict(self.variance)
        for clique, table in other.values.items():
            if clique in values:
                a, b = 1.0 / variance[clique], 1.0 / other.variance[clique]
                values[clique] = (a * values[clique] + b * table) / (a + b)
                variance[clique] = 1.0 / (a + b)
            else:
                values[clique], variance[clique] = table, other.variance[clique]
        return NoisyResiduals(domain=self.domain, values=values, variance=variance)

    def plus(self, other: NoisyResiduals) -> NoisyResiduals:
        """Residuals of the people of both measurements together, nobody being in both; variances add.

        What only one of them measured is not known of all, and is left out.
        """
        shared = [clique for clique in self.values if clique in other.values]
        return NoisyResiduals(
            domain=self.domain,
            values={clique: self.values[clique] + other.values[clique] for clique in shared},
            variance={clique: self.variance[clique] + other.variance[clique] for clique in shared},
        )


def spread(parts: Mapping[Clique, Marginal], clique: Clique, domain: Domain) -> Marginal:
    """Sum of the residuals of all subsets of the clique, each spread evenly over the other axes."""
    shape = domain.shape(clique)
    out: Marginal = np.zeros(shape)
    cells = domain.cells(clique)
    for part in subsets(clique):
        if part not in parts:
            raise UnmeasuredClique(f"the residual of {', '.join(domain.names[i] for i in part)} was not measured")
        share = domain.cells(part) / cells
        out += np.asarray(parts[part]).reshape([domain.sizes[i] if i in part else 1 for i in clique]) * share
    return out


def reconstruct(residuals: NoisyResiduals, clique: Clique) -> Marginal:
    """Best linear unbiased estimate of one marginal, in people; shape of the clique.

    Raises UnmeasuredClique if a subset of the clique was not measured.
    """
    return spread(residuals.values, clique, residuals.domain)


def cell_variance(variance: Mapping[Clique, float], clique: Clique, domain: Domain) -> float:
    """Variance of one cell of the reconstructed marginal, in people squared; the same for every cell.

    Var_T = sum over A in T of s_A^2 prod_{i in A}(1 - 1/n_i) prod_{j in T but not A} 1/n_j^2 (Xiao et al. 2023).
    """
    out = 0.0
    for part in subsets(clique):
        if part not in variance:
            raise UnmeasuredClique(f"the residual of {', '.join(domain.names[i] for i in part)} was not measured")
        inside = math.prod(1 - 1 / domain.sizes[i] for i in part)
        outside = math.prod(1 / domain.sizes[j] ** 2 for j in clique if j not in part)
        out += variance[part] * inside * outside
    return out
