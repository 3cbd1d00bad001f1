"""The mixture against brute force: losses from dense tables, numeric gradients, and counts that it must recover."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from caseveil.schema.domain import Domain
from caseveil.synthesis.model import FitOptions, Mixture, fit
from caseveil.synthesis.objective import Objective, contrasts
from caseveil.synthesis.observed import NoisyResiduals, centre
from tests.measurement.invented import domain_of, noisy_residuals, random_rows, up_to

pytestmark = pytest.mark.engine

WIDEST = FitOptions().widest
domains = st.lists(st.integers(2, 4), min_size=1, max_size=4).map(lambda sizes: domain_of(*sizes))


def mixture_of(domain: Domain, components: int, total: float, rng: np.random.Generator) -> Mixture:
    return Mixture(
        domain=domain,
        weights=rng.dirichlet(np.ones(components)),
        probabilities=tuple(rng.dirichlet(np.ones(n), components).T for n in domain.sizes),
        total=total,
    )


def dense(mixture: Mixture) -> NDArray[np.float64]:
    """Expected people in every cell of the whole table, one by one."""
    out = np.zeros(mixture.domain.sizes)
    for cell in itertools.product(*(range(n) for n in mixture.domain.sizes)):
        for z, weight in enumerate(mixture.weights):
            product = weight
            for i, code in enumerate(cell):
                product *= mixture.probabilities[i][code, z]
            out[cell] += mixture.total * product
    return out


def noise_of(domain: Domain, rng: np.random.Generator, length: int = 3) -> NoisyResiduals:
    cliques = up_to(domain, length)
    return NoisyResiduals(
        domain=domain,
        values={c: centre(np.asarray(rng.normal(0, 20, domain.shape(c)))) for c in cliques},
        variance={c: float(rng.uniform(1, 50)) for c in cliques},
    )


def inputs(objective: Objective, mixture: Mixture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    factors = np.concatenate([b.T @ p for b, p in zip(objective.bases, mixture.probabilities, strict=True)])
    return factors.astype(np.float32), (mixture.total * mixture.weights).astype(np.float32)


@given(domains, st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_loss_is_the_weighted_misfit_of_all_residuals(domain: Domain, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mixture, residuals = mixture_of(domain, 3, 100.0, rng), noise_of(domain, rng)
    objective = Objective(residuals, WIDEST)
    loss, _, _ = objective.loss_and_gradient(*inputs(objective, mixture))
    table = dense(mixture)
    brute = 0.0
    for clique, seen in residuals.values.items():
        if clique:
            others = tuple(i for i in range(len(domain)) if i not in clique)
            brute += float(((centre(table.sum(axis=others)) - seen) ** 2).sum()) / residuals.variance[clique]
    assert loss == pytest.approx(brute, rel=1e-4)
    assert objective.degrees == sum(residuals.degrees(c) for c in residuals.values if c)


@given(domains, st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_gradients_are_those_of_the_loss(domain: Domain, seed: int) -> None:
    """Central differences: the loss is a polynomial, and float32 leaves about three digits."""
    rng = np.random.default_rng(seed)
    objective = Objective(noise_of(domain, rng), WIDEST)
    factors, mass = inputs(objective, mixture_of(domain, 3, 100.0, rng))
    _, by_factor, by_mass = objective.loss_and_gradient(factors, mass)
    for gradient, which in ((by_factor, 0), (by_mass, 1)):
        direction = rng.normal(size=gradient.shape).astype(np.float32)
        step = 0.02 if which == 0 else 2.0
        losses = []
        for sign in (1, -1):
            moved = [factors, mass]
            moved[which] = moved[which] + np.float32(sign * step) * direction
            losses.append(objective.loss_and_gradient(*moved)[0])
        numeric = (losses[0] - losses[1]) / (2 * step)
        scale = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
        assert numeric == pytest.approx(float((gradient * direction).sum()), abs=0.03 * scale + 1e-4)


@given(domains, st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_all_ways_to_ask_for_expected_counts_agree(domain: Domain, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mixture = mixture_of(domain, 6, 250.0, rng)
    table = dense(mixture)
    for clique in up_to(domain, 4):
        others = tuple(i for i in range(len(domain)) if i not in clique)
        expected = mixture.expected(clique)
        np.testing.assert_allclose(expected, table.sum(axis=others), rtol=1e-9)
        assert expected.sum() == pytest.approx(250.0)
        if clique:
            cells = np.array(list(np.ndindex(*domain.shape(clique))), np.int64)
            np.testing.assert_allclose(mixture.at(clique, cells), expected.ravel(), rtol=1e-9)


def test_chosen_cells_are_taken_in_pieces_without_a_seam() -> None:
    rng = np.random.default_rng(0)
    mixture = mixture_of(domain_of(30, 40, 20), 4, 10.0, rng)
    cells = np.column_stack([rng.integers(0, n, 10_000) for n in (30, 20)])
    np.testing.assert_allclose(mixture.at((0, 2), cells), mixture.expected((0, 2))[tuple(cells.T)], rtol=1e-9)


@pytest.mark.parametrize("size", [2, 3, 7, 50])
def test_contrasts_are_an_orthonormal_basis_of_what_sums_to_zero(size: int) -> None:
    basis = contrasts(size)
    np.testing.assert_allclose(basis.T @ basis, np.eye(size - 1), atol=1e-12)
    np.testing.assert_allclose(basis.sum(axis=0), 0, atol=1e-12)


def small_fit(residuals: NoisyResiduals, seed: int = 0) -> Mixture:
    return fit(residuals, options=FitOptions(ladder=(8,), products=16), rng=np.random.default_rng(seed))


@pytest.mark.parametrize("components", [1, 3])
def test_a_table_that_is_a_mixture_comes_back(components: int) -> None:
    """Residuals without noise of 10,000 people, claimed to have a deviation of 5: the fit is as close as that."""
    rng = np.random.default_rng(components)
    domain = domain_of(3, 4, 2, 3)
    truth = mixture_of(domain, components, 10_000.0, rng)
    cliques = up_to(domain, 3)
    residuals = NoisyResiduals(
        domain=domain,
        values={c: centre(truth.expected(c)) for c in cliques},
        variance=dict.fromkeys(cliques, 25.0),
    )
    fitted = small_fit(residuals)
    assert fitted.weights.sum() == pytest.approx(1.0)
    for i, size in enumerate(domain.sizes):
        assert fitted.probabilities[i].shape == (size, len(fitted.weights))
        np.testing.assert_allclose(fitted.probabilities[i].sum(axis=0), 1.0, rtol=1e-5)
        assert (fitted.probabilities[i] >= 0).all()
    for clique in cliques:
        error = fitted.expected(clique) - truth.expected(clique)
        assert float(np.sqrt((error**2).mean())) < 12.0
    # and what was never measured follows
    error = fitted.expected((0, 1, 2, 3)) - truth.expected((0, 1, 2, 3))
    assert float(np.sqrt((error**2).mean())) < 12.0


def test_the_fit_is_better_than_the_measurements_it_is_made_from() -> None:
    rng = np.random.default_rng(8)
    domain = domain_of(4, 5, 3, 4, 3)
    rows = random_rows(domain, 5000, rng, dependence=0.5)
    cliques = up_to(domain, 3)
    clean = noisy_residuals(rows, dict.fromkeys(cliques, 400.0), None)
    noisy = noisy_residuals(rows, clean.variance, rng)
    fitted = small_fit(noisy)
    triples = [c for c in cliques if len(c) == 3]
    model = sum(float(((centre(fitted.expected(c)) - clean.values[c]) ** 2).sum()) for c in triples)
    measured = sum(float(((noisy.values[c] - clean.values[c]) ** 2).sum()) for c in triples)
    assert model < 0.5 * measured


@pytest.mark.parametrize("total", [-50.0, 0.0, 1.0])
def test_a_total_that_noise_has_driven_to_nothing_still_gives_a_model(total: float) -> None:
    rng = np.random.default_rng(1)
    noise = noise_of(domain_of(3, 2, 4), rng)
    values = {**noise.values, (): np.asarray(total)}
    fitted = small_fit(NoisyResiduals(domain=noise.domain, values=values, variance=noise.variance))
    assert fitted.total == 1.0
    assert np.isfinite(fitted.expected((0, 1, 2))).all()


def test_the_same_generator_gives_the_same_model_and_progress_rises() -> None:
    residuals = noise_of(domain_of(3, 2), np.random.default_rng(1))
    one, two = small_fit(residuals, 5), small_fit(residuals, 5)
    np.testing.assert_array_equal(one.weights, two.weights)
    seen: list[float] = []
    fit(
        residuals,
        options=FitOptions(ladder=(4,), products=16),
        rng=np.random.default_rng(0),
        progress=seen.append,
    )
    assert seen == sorted(seen)
    assert all(0 <= fraction <= 1 for fraction in seen)
