"""The only door between rows and numbers: charge the ledger, then count, then add noise.

Every method charges first and durably (privacy.ledger), counts exactly (records.counting), adds exact integer noise
from the operating system (privacy.noise), and returns nothing else. What it returns may be published as it stands.
Proofs: docs/proofs/residual-measurement.md, docs/proofs/value-discovery.md, docs/proofs/linked-measurement.md.
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
from caseveil.privacy.worst_case import Span
from caseveil.records.counting import count_many, linked_value_counts, value_counts
from caseveil.records.encoding import encode
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.views import View, link_views
from caseveil.schema.attribute import Column, MultiChoice
from caseveil.schema.domain import Clique
from caseveil.schema.linked import LinkedTables
from caseveil.schema.table import Table
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre

_SLACK = 1.0 + 1e-9
"""Rounding allowed in a float sum of costs before it counts as too much."""

_ROOM = 1.0 + 2.0**-30
"""Every standard deviation is made this much larger than asked for, which covers _SLACK and the rounding of every
formula here: the noise is never less than what was charged for."""


@dataclass(frozen=True, kw_only=True)
class Books:
    """Under which names a release is charged.

    span: the people of the population that the rows hold, where they do not hold all; the rows handed to the curator
    must be theirs alone (records.joined), since nobody else is charged for.
    """

    release: str
    version: str
    unit: str
    population: str
    plan_digest: str
    span: Span | None = None


class Curator:
    """Guards the rows of one table, or of victims and their perpetrators. Not thread safe.

    changed: most people whose rows change, counted twice where they change and do not come or go, when one unit comes
    or goes: 1 where people are the units.
    """

    def __init__(self, *, rows: Rows | LinkedRows, ledger: Ledger, books: Books, changed: int = 1) -> None:
        self._linked = rows if isinstance(rows, LinkedRows) else None
        self._rows = rows.victims if isinstance(rows, LinkedRows) else rows
        if changed < 1 or (changed > 1 and self._linked is None):
            raise ValueError(f"changed ({changed}) must be 1, or more for linked rows")
        self._changed = changed
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
            span=self._books.span,
        )
        self.events.append(event)

    def people(self, *, mu: float) -> int:
        """Noisy number of people; a unit that comes or goes changes it by 1 at most, so the noise has standard
        deviation 1 / mu."""
        self._charge(GaussianEvent(label="number of people", mu=mu, detail="one count, sensitivity 1"))
        noise = rounded_gaussian(grid_sigma(_ROOM / mu), 1)
        return int(self._rows.n + noise[0])

    def values(self, *, mu: float, delta: float) -> Discovery:
        """Values of the undeclared columns that enough people have: noisy counts against a threshold.

        One person adds 1 to at most L counts: 1 for a single-valued column, the cap of a set column, and as many times
        that as links count for a column of linked rows (docs/proofs/value-discovery.md; Gopi et al. 2020). Where not
        only people are units (changed above 1) linked columns must be declared: ValueError.
        """
        own = self._rows.table.undeclared
        linked: tuple[Column, ...] = ()
        most = 1
        if self._linked is not None:
            linked, most = self._linked.perpetrators.table.undeclared, self._linked.link.at_most
        if linked and self._changed > 1:
            raise ValueError("values of linked columns cannot be discovered when perpetrators are units too")
        touched = sum(_most_items(column) for column in own) + most * sum(_most_items(column) for column in linked)
        sigma = grid_sigma(_ROOM * math.sqrt(touched) / mu)
        threshold = whole_threshold(float(sigma), touched, delta)
        self._charge(
            SelectionEvent(
                label="discovery of values",
                mu=mu,
                delta=delta,
                detail=f"columns {', '.join(c.name for c in (*own, *linked))}; at most {touched} values a person; "
                f"a value is kept from a noisy count of {threshold} on",
            )
        )

        def kept(counts: Mapping[str, int]) -> tuple[str, ...]:
            names = sorted(counts)
            noisy = np.array([counts[name] for name in names], np.int64) + rounded_gaussian(sigma, len(names))
            return tuple(name for name, count in zip(names, noisy, strict=True) if count >= threshold)

        found = {c.name: kept(value_counts(self._rows, c.name, at_most=_cap(c))) for c in own}
        others: dict[str, tuple[str, ...]] = {}
        if self._linked is not None:
            others = {c.name: kept(linked_value_counts(self._linked, c.name, at_most=_cap(c))) for c in linked}
        return Discovery(values=found, linked=others, threshold=threshold)

    def residuals(self, table: Table, *, mu: float) -> ResidualAllowance:
        """Charges mu for residuals of the table; what is then measured together cannot cost more."""
        self._charge(
            GaussianEvent(
                label="combinations", mu=mu, detail="residuals of marginals, squared sensitivity prod(1 - 1/n_i) each"
            )
        )
        return ResidualAllowance(view=View(rows=encode(self._rows, table)), budget=Allowed(mu, self._changed))

    def link_residuals(self, tables: LinkedTables, *, mu: float) -> LinkAllowance:
        """Charges mu for residuals of all views of linked rows; what is then measured together cannot cost more."""
        if self._linked is None:
            raise ValueError("rows must be linked")
        self._charge(
            GaussianEvent(
                label="combinations",
                mu=mu,
                detail=f"residuals of marginals of victims, one drawn link and pairs of links, at most "
                f"{tables.link.at_most} links each; squared sensitivity prod(1 - 1/n_i) each, times the square of "
                f"the weight that one victim has" + (f", times {self._changed}^2" if self._changed > 1 else ""),
            )
        )
        views, budget = link_views(self._linked, tables), Allowed(mu, self._changed)
        return LinkAllowance(
            each=ResidualAllowance(view=views.each, budget=budget),
            tilt=ResidualAllowance(view=views.tilt, budget=budget),
            pairs=ResidualAllowance(view=views.pairs, budget=budget),
            any=ResidualAllowance(view=views.any, budget=budget),
        )


def _cap(column: Column) -> int | None:
    return column.at_most if isinstance(column, MultiChoice) else None


def _most_items(column: Column) -> int:
    """Values that one cell can add to the discovery."""
    return _cap(column) or 1


class Allowed:
    """Squared mu that was charged and not yet measured away; what one measurement takes grows by changed^2."""

    def __init__(self, mu: float, changed: int = 1) -> None:
        self._left = mu**2 * _SLACK
        self._price = float(changed) ** 2

    @property
    def left(self) -> float:
        """mu that is left, as a single view with people as units would see it."""
        return math.sqrt(max(0.0, self._left / _SLACK / self._price))

    def take(self, squared: float) -> None:
        """Takes this much squared mu, people being the units. Raises ValueError when less is left."""
        if not squared * self._price <= self._left:
            raise ValueError(f"measuring costs {squared * self._price:g} of squared mu and {self._left:g} is left")
        self._left -= squared * self._price


class ResidualAllowance:
    """A charged budget of squared mu, from which residuals of one view may be measured in several steps."""

    def __init__(self, *, view: View, budget: Allowed) -> None:
        self._view = view
        self._budget = budget

    @property
    def left(self) -> float:
        """mu that is left."""
        return self._budget.left / self._view.reach

    def measure(self, variances: Mapping[Clique, float]) -> NoisyResiduals:
        """Noisy residuals with these variances s_A^2, in people squared.

        The integer residual (prod n_i) times the centred marginal, on the grid of the weights, gets rounded Gaussian
        noise of standard deviation (prod n_i) s_A on that grid, is centred again and divided: post-processing
        (docs/proofs/residual-measurement.md). Raises ValueError when the variances cost more than what is left.
        """
        rows = self._view.rows
        domain = rows.domain
        self._budget.take(cost(variances, domain) * self._view.reach**2)
        cliques = list(variances)
        sizes = [domain.cells(clique) for clique in cliques]
        scales = [size * rows.grid for size in sizes]
        sigmas = [grid_sigma(_ROOM * scale * math.sqrt(variances[c])) for c, scale in zip(cliques, scales, strict=True)]
        noise = rounded_gaussians(sigmas, sizes)
        exact = count_many(rows, cliques)
        values: dict[Clique, Marginal] = {}
        start = 0
        for clique, cells, scale in zip(cliques, sizes, scales, strict=True):
            noisy = integer_residual(exact[clique]) + noise[start : start + cells].reshape(domain.shape(clique))
            values[clique] = centre(noisy.astype(np.float64) / scale)
            start += cells
        return NoisyResiduals(domain=domain, values=values, variance=dict(variances))


@dataclass(frozen=True, kw_only=True)
class LinkAllowance:
    """One charged budget, shared by the views of linked rows (records.views)."""

    each: ResidualAllowance
    tilt: ResidualAllowance
    pairs: ResidualAllowance
    any: ResidualAllowance
