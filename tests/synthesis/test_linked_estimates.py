"""Estimates of linked counts: unbiased, and with the deviation that they state, computed exactly from unit noise.

Every estimate is linear in the residuals. The noise of a residual is white noise of variance s^2, centred; so the
variance of an estimate is s^2 times the squared length of its coefficients, summed over residuals: no sampling here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.schema.domain import Clique
from caseveil.synthesis.linked_estimates import LinkMeasurements, PerpetratorEstimates
from caseveil.synthesis.linked_model import LinkedMixture
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre
from tests.measurement.invented_links import (
    VIEWS,
    by_hand,
    link_measurements,
    measured_cliques,
    random_people,
    tables_of,
    views_of,
)

pytestmark = pytest.mark.engine

CAP = 4
TABLES = tables_of(CAP)
V = TABLES.v
PEOPLE = random_people(TABLES, 90, np.random.default_rng(2))
# every residual its own variance, so that none can stand for another
VARIANCE = {
    name: {c: 2.0 + 3.0 * at + 40.0 * view for at, c in enumerate(cliques)}
    for view, (name, cliques) in enumerate(measured_cliques(TABLES).items())
}
EXACT = link_measurements(TABLES, views_of(TABLES, PEOPLE), VARIANCE)

Estimate = Callable[[LinkMeasurements], tuple[Marginal, float]]


def nothing() -> LinkMeasurements:
    def empty(of: NoisyResiduals) -> NoisyResiduals:
        return replace(of, values={c: np.zeros_like(t) for c, t in of.values.items()})

    return replace(EXACT, **{name: empty(getattr(EXACT, name)) for name in VIEWS})


def true_variance(estimate: Estimate) -> NDArray[np.float64]:
    """Variance of every cell, from the response to unit noise in every cell of every residual."""
    blank = nothing()
    variance = np.zeros_like(estimate(blank)[0])
    for name in VIEWS:
        of: NoisyResiduals = getattr(blank, name)
        for clique, table in of.values.items():
            for cell in itertools.product(*map(range, table.shape)):
                unit = np.zeros(table.shape)
                unit[cell] = 1.0
                part = replace(of, values={**of.values, clique: centre(unit)})
                variance += of.variance[clique] * estimate(replace(blank, **{name: part}))[0] ** 2
    return variance


def by_people(view: str, clique: Clique) -> Marginal:
    out = np.zeros(getattr(TABLES, view).shape(clique))
    for cell, weight in by_hand(TABLES, PEOPLE, view, clique).items():
        out[cell] = float(weight)
    return out


@pytest.mark.parametrize("clique", [(), (V,), (0,), (0, V), (V + 1,), (0, V + 1), (0, 1, V), (V, V + 1, V + 2)])
def test_people_by_a_drawn_link(clique: Clique) -> None:
    estimate, deviation = EXACT.people(clique)
    np.testing.assert_allclose(estimate, by_people("each", clique), atol=1e-9)
    np.testing.assert_allclose(true_variance(lambda m: m.people(clique)), deviation**2, rtol=1e-9)


@pytest.mark.parametrize("clique", [(0,), (V,), (V + 1,), (0, V), (1, V + 2)])
def test_victims_with_any(clique: Clique) -> None:
    estimate, deviation = EXACT.anyone(clique)
    np.testing.assert_allclose(estimate, by_people("any", clique), atol=1e-9)
    np.testing.assert_allclose(true_variance(lambda m: m.anyone(clique)), deviation**2, rtol=1e-9)


def links_by_hand(clique: Clique) -> Marginal:
    out = np.zeros(TABLES.each.shape(clique))
    for own, links in PEOPLE:
        for link in links:
            row = (*own, len(links), *link)
            out[tuple(row[i] for i in clique)] += 1
    return out


@pytest.mark.parametrize("clique", [(V + 1,), (V + 2,), (V + 1, V + 2), (0, V + 1), (1, V + 2)])
def test_links(clique: Clique) -> None:
    """Right wherever the perpetrator states something; where not, victims without links stand among them."""
    estimate, deviation = EXACT.links(clique)
    stated = tuple(slice(1, None) if i > V else slice(None) for i in clique)
    np.testing.assert_allclose(estimate[stated], links_by_hand(clique)[stated], atol=1e-9)
    np.testing.assert_allclose(true_variance(lambda m: m.links(clique)), deviation**2, rtol=1e-9)


def test_with_one_link_each_links_are_people() -> None:
    tables = tables_of(1)
    cliques = {**measured_cliques(tables), "tilt": [], "pairs": []}
    people = random_people(tables, 50, np.random.default_rng(1))
    measured = link_measurements(
        tables, views_of(tables, people), {name: dict.fromkeys(of, 4.0) for name, of in cliques.items()}
    )
    estimate, deviation = measured.links((0, V + 1))
    pairs = [(own[0], link[0]) for own, links in people for link in links]
    truth = [[pairs.count((a, b)) for b in (1, 2)] for a in (1, 2)]
    np.testing.assert_allclose(estimate[1:, 1:], truth, atol=1e-9)
    assert deviation == measured.people((0, V + 1))[1]
    assert measured.links_measured((0, V + 1))


@pytest.mark.parametrize(("i", "j"), [(0, 0), (0, 1), (1, 1)])
def test_pairs_of_links(i: int, j: int) -> None:
    """The stated deviation is that of the estimate for two attributes; for one, an upper bound near the truth."""
    estimate, deviation = EXACT.paired(i, j)
    np.testing.assert_allclose(estimate, by_people("pairs", (i, TABLES.p + j)), atol=1e-9)
    true = np.sqrt(true_variance(lambda m: m.paired(i, j)))
    assert (true <= deviation * (1 + 1e-9)).all()
    assert true.max() > (0.99 if i != j else 0.6) * deviation


def test_what_was_not_measured_has_no_interval() -> None:
    without = replace(
        EXACT, each=replace(EXACT.each, values={c: t for c, t in EXACT.each.values.items() if c != (0, V + 1)})
    )
    assert not without.links_measured((0, V + 1))
    assert EXACT.links_measured((0, V + 1))
    estimate, deviation = without.links((0, V + 1))
    assert estimate.shape == TABLES.each.shape((0, V + 1))
    assert deviation > 1e12


def test_estimates_of_perpetrators_are_those_of_links() -> None:
    rng = np.random.default_rng(0)
    each = Mixture(
        domain=TABLES.each,
        weights=np.array([0.4, 0.6]),
        probabilities=tuple(rng.dirichlet(np.ones(size), 2).T for size in TABLES.each.sizes),
        total=90.0,
    )
    estimates = PerpetratorEstimates(measured_links=EXACT, model=LinkedMixture(each=each, v=V, kinds=1))
    assert estimates.domain.names == tuple(f"perpetrators.p{i}" for i in range(TABLES.p))
    assert estimates.measured((0, 1))
    np.testing.assert_allclose(estimates.unbiased((0, 1))[1:, 1:], links_by_hand((V + 1, V + 2))[1:, 1:], atol=1e-9)
    assert estimates.deviation((0, 1)) == EXACT.links((V + 1, V + 2))[1]
    np.testing.assert_allclose(estimates.expected((0, 1)), each.expected((V + 1, V + 2)))
    codes = np.array([[0, 1], [2, 1], [1, 0]])
    np.testing.assert_allclose(estimates.at((0, 1), codes), each.expected((V + 1, V + 2))[tuple(codes.T)])
