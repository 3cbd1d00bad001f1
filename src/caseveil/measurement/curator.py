"""The only door between rows and numbers: charge the ledger, then count, then add noise.

Every method charges first and durably (privacy.ledger), counts exactly (records.counting), adds exact integer noise
from the operating system (privacy.noise), and returns nothing else. What it returns may be published as it stands.
Proofs: docs/proofs/residual-measurement.md, docs/proofs/value-discovery.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from caseveil.measurement.discovery import Discovery, whole_threshold
from caseveil.measurement.residuals import cost, integer_residual
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent
from caseveil.privacy.noise import grid_sigma, rounded_gaussian, rounded_gaussians
from caseveil.records.counting import count_many, value_counts
from caseveil.records.encoding import EncodedRows, encode
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import MultiChoice
from caseveil.schema.domain import Clique
from caseveil.schema.table import Table
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre

_SLACK = 1.0 + 1e-9
"""Rounding allowed in a float sum of costs before it counts as too much."""

_ROOM = 1.0 + 2.0**-30
"""Every standard deviation is made this much larger than asked for, which covers _SLACK and the rounding of every
formula here: the noise is never less than what was charged for."""


@dataclass(frozen=True, kw_only=True)
class Books:
    """Under which names a release is charged."""

    release: str
    version: str
    unit: str
    population: str
    plan_digest: str


class Curator:
    """Guards the rows of one table. Not thread safe."""

    def __init__(self, *, rows: Rows, ledger: Ledger, books: Books) -> None:
        self._rows = rows
        self._ledger = ledger
        self._books = books
        self.events: list[Event] = []

    def _charge(self, event: Event) -> None:
        self._ledger.charge(
            event,
            release=self._books.release,
            version=self._books.version,
            unit=self._books.unit,
            population=self._books.population,
            plan_digest=self._books.plan_digest,
        )
        self.events.append(event)

    def people(self, *, mu: float) -> int:
        """Noisy number of rows; one person changes it by 1, so the noise has standard deviation 1 / mu."""
        self._charge(GaussianEvent(label="number of people", mu=mu, detail="one count, sensitivity 1"))
        noise = rounded_gaussian(grid_sigma(_ROOM / mu), 1)
        return int(self._rows.n + noise[0])

    def values(self, *, mu: float, delta: float) -> Discovery:
        """Values of the undeclared columns that enough people have: noisy counts against a threshold.

        One person adds 1 to at most L counts, L the number of undeclared single-valued columns plus the caps of the
        undeclared set columns (docs/proofs/value-discovery.md; Gopi et al. 2020).
        """
        columns = self._rows.table.undeclared
        touched = sum(column.at_most if isinstance(column, MultiChoice) else 1 for column in columns)
        sigma = grid_sigma(_ROOM * math.sqrt(touched) / mu)
        threshold = whole_threshold(float(sigma), touched, delta)
        self._charge(
            SelectionEvent(
                label="discovery of values",
                mu=mu,
                delta=delta,
                detail=f"columns {', '.join(c.name for c in columns)}; at most {touched} values a person; "
                f"a value is kept from a noisy count of {threshold} on",
            )
        )
        found: dict[str, tuple[str, ...]] = {}
        for column in columns:
            cap = column.at_most if isinstance(column, MultiChoice) else None
            counts = value_counts(self._rows, column.name, at_most=cap)
            names = sorted(counts)
            noisy = np.array([counts[name] for name in names], np.int64) + rounded_gaussian(sigma, len(names))
            found[column.name] = tuple(name for name, count in zip(names, noisy, strict=True) if count >= threshold)
        return Discovery(values=found, threshold=threshold)

    def residuals(self, table: Table, *, mu: float) -> ResidualAllowance:
        """Charges mu for residuals of the table; what is then measured together cannot cost more."""
        self._charge(
            GaussianEvent(
                label="combinations", mu=mu, detail="residuals of marginals, squared sensitivity prod(1 - 1/n_i) each"
            )
        )
        return ResidualAllowance(rows=encode(self._rows, table), mu=mu)


class ResidualAllowance:
    """A charged budget of squared mu, from which residuals may be measured in several steps."""

    def __init__(self, *, rows: EncodedRows, mu: float) -> None:
        self._rows = rows
        self._left = mu**2 * _SLACK

    @property
    def left(self) -> float:
        """mu that is left."""
        return math.sqrt(max(0.0, self._left / _SLACK))

    def measure(self, variances: Mapping[Clique, float]) -> NoisyResiduals:
        """Noisy residuals with these variances s_A^2, in people squared.

        The integer residual (prod n_i) times the centred marginal gets rounded Gaussian noise of standard deviation
        (prod n_i) s_A, is centred again and divided: post-processing (docs/proofs/residual-measurement.md).
        Raises ValueError when the variances cost more than what is left.
        """
        domain = self._rows.domain
        spent = cost(variances, domain)
        if not spent <= self._left:
            raise ValueError(f"measuring costs {spent:g} of squared mu and {self._left:g} is left")
        self._left -= spent
        cliques = list(variances)
        scales = [domain.cells(clique) for clique in cliques]
        sigmas = [grid_sigma(_ROOM * scale * math.sqrt(variances[c])) for c, scale in zip(cliques, scales, strict=True)]
        noise = rounded_gaussians(sigmas, scales)
        exact = count_many(self._rows, cliques)
        values: dict[Clique, Marginal] = {}
        start = 0
        for clique, cells in zip(cliques, scales, strict=True):
            noisy = integer_residual(exact[clique]) + noise[start : start + cells].reshape(domain.shape(clique))
            values[clique] = centre(noisy.astype(np.float64) / cells)
            start += cells
        return NoisyResiduals(domain=domain, values=values, variance=dict(variances))
