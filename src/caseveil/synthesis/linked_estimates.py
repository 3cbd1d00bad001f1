"""Unbiased estimates of what linked tables count, with their Gaussian error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.schema.linked import LinkedTables, centre_of
from caseveil.synthesis.linked_model import LinkedMixture
from caseveil.synthesis.observed import Marginal, NoisyResiduals, cell_variance, reconstruct

_UNKNOWN = 1e15
"""Deviation of what was not measured: its interval holds everything."""


@dataclass(frozen=True, kw_only=True)
class LinkMeasurements:
    """Noisy residuals of the four views of linked rows (V, k and P as in schema.linked).

    each: V, k and P of a drawn perpetrator. tilt: V and P, weighing (k - c)/k. pairs: P of two perpetrators of one
    victim, pairs of attributes (i, p + j) with i <= j alone. any: V, and whether any perpetrator states a value.
    """

    tables: LinkedTables
    each: NoisyResiduals
    tilt: NoisyResiduals
    pairs: NoisyResiduals
    any: NoisyResiduals

    def people(self, clique: Clique) -> tuple[Marginal, float]:
        """Victims with a drawn perpetrator, by a clique of `each`: estimate and deviation."""
        return _of(self.each, clique)

    def anyone(self, clique: Clique) -> tuple[Marginal, float]:
        """Victims by a clique of `any`: estimate and deviation."""
        return _of(self.any, clique)

    def links(self, clique: Clique) -> tuple[Marginal, float]:
        """Links by a clique of `each` that holds P and not k: c times `each` plus `tilt`.

        Holds where P states a value: victims without links stand in `each` with P missing, and are no links.
        """
        v = self.tables.v
        tilted = tuple(i if i < v else i - 1 for i in clique)
        mass, deviation = _of(self.each, clique)
        if self.tables.link.at_most == 1:
            return mass, deviation
        change, of_change = _of(self.tilt, tilted)
        centre = centre_of(self.tables.link.at_most)
        return centre * mass + change, math.hypot(centre * deviation, of_change)

    def links_measured(self, clique: Clique) -> bool:
        """Whether `links` has an estimate of the clique."""
        tilted = tuple(i if i < self.tables.v else i - 1 for i in clique)
        return self.each.measured(clique) and (self.tables.link.at_most == 1 or self.tilt.measured(tilted))

    def paired(self, i: int, j: int) -> tuple[Marginal, float]:
        """Victims by attribute i of one of two drawn links and attribute j of the other, i <= j.

        Residuals of the pair and of single attributes were measured; the number of victims with two links and more
        follows from `each`. Their noise is independent, but for the two margins of one attribute, which are the same
        numbers: their errors are added up.
        """
        p = self.tables.p
        residual = self.pairs.values[(i, p + j)]
        if i == j:
            residual = (residual + residual.T) / 2
        total, of_total = _several(self.each, self.tables.v)
        rows, columns = residual.shape
        first, second = self.pairs.values[(i,)] / columns, self.pairs.values[(j,)] / rows
        table = residual + first[:, None] + second[None, :] + total / (rows * columns)
        variance, inside = self.pairs.variance, (1 - 1 / rows) * (1 - 1 / columns)
        of_first = math.sqrt(variance[(i,)] * (1 - 1 / rows)) / columns
        of_second = math.sqrt(variance[(j,)] * (1 - 1 / columns)) / rows
        of_singles = of_first + of_second if i == j else math.hypot(of_first, of_second)
        return table, math.hypot(math.sqrt(variance[(i, p + j)] * inside), of_singles, of_total / (rows * columns))


def _of(residuals: NoisyResiduals, clique: Clique) -> tuple[Marginal, float]:
    if not residuals.measured(clique):
        return np.zeros(residuals.domain.shape(clique)), _UNKNOWN
    return reconstruct(residuals, clique), math.sqrt(cell_variance(residuals.variance, clique, residuals.domain))


def _several(each: NoisyResiduals, v: int) -> tuple[float, float]:
    """Victims with two links and more: estimate and deviation."""
    n = each.domain.sizes[v]
    mean = (n - 2) / n  # of the indicator of k >= 2 over the codes of k
    spread = (n - 2) * (1 - mean)  # its squared length about that mean
    variance = each.variance[()] * mean**2 + each.variance[(v,)] * spread
    return float(reconstruct(each, (v,))[2:].sum()), math.sqrt(variance)


@dataclass(frozen=True, kw_only=True)
class PerpetratorEstimates:
    """Estimates of counts of links by P alone (synthesis.counts.Estimates)."""

    measured_links: LinkMeasurements
    model: LinkedMixture

    def _shifted(self, clique: Clique) -> Clique:
        return tuple(self.model.v + 1 + i for i in clique)

    @property
    def domain(self) -> Domain:
        """P."""
        each, low = self.model.each.domain, self.model.v + 1
        return Domain(names=each.names[low:], sizes=each.sizes[low:])

    def measured(self, clique: Clique) -> bool:
        """Whether the clique has an unbiased estimate."""
        return self.measured_links.links_measured(self._shifted(clique))

    def unbiased(self, clique: Clique) -> NDArray[np.float64]:
        """Unbiased estimate of the number of links; shape of the clique."""
        return self.measured_links.links(self._shifted(clique))[0]

    def deviation(self, clique: Clique) -> float:
        """Standard deviation of its Gaussian error."""
        return self.measured_links.links(self._shifted(clique))[1]

    def expected(self, clique: Clique) -> NDArray[np.float64]:
        """Victims with such a drawn link that the model expects; shape of the clique."""
        return self.model.each.expected(self._shifted(clique))

    def at(self, clique: Clique, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same in chosen cells (cells, len(clique))."""
        return self.model.each.at(self._shifted(clique), codes)
