"""Residuals give back marginals: against generalised least squares with dense matrices, and by simulation."""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from caseveil.errors import UnmeasuredClique
from caseveil.records.counting import count
from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.observed import NoisyResiduals, cell_variance, centre, reconstruct
from tests.measurement.invented import (
    chi_square_complaint,
    closure,
    domain_of,
    exact_residuals,
    noisy_residuals,
    random_rows,
    up_to,
)

pytestmark = pytest.mark.engine

domains = st.lists(st.integers(2, 4), min_size=1, max_size=3).map(lambda sizes: domain_of(*sizes))


def query(clique: Clique, domain: Domain, *, centred: bool) -> NDArray[np.float64]:
    """Dense matrix that takes the table of all cells to the (centred) marginal of the clique."""
    factors = [(np.eye(n) - centred / n) if i in clique else np.ones((1, n)) for i, n in enumerate(domain.sizes)]
    return functools.reduce(np.kron, factors, np.ones((1, 1)))


@given(domains, st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_reconstruction_is_generalised_least_squares(domain: Domain, seed: int) -> None:
    """Estimate and covariance diagonal, for a random set of measured cliques that is closed under subsets."""
    rng = np.random.default_rng(seed)
    every = [c for k in range(1, len(domain) + 1) for c in itertools.combinations(range(len(domain)), k)]
    cliques = closure([every[i] for i in rng.choice(len(every), min(3, len(every)), replace=False)])
    variance = {c: float(rng.uniform(0.2, 30)) for c in cliques}
    values = {c: centre(np.asarray(rng.normal(0, 10, domain.shape(c)))) for c in cliques}
    residuals = NoisyResiduals(domain=domain, values=values, variance=variance)

    blocks = [query(c, domain, centred=True) for c in cliques]
    # the covariance s^2 P of a block has the pseudo-inverse P / s^2, and P y = y
    information = sum(b.T @ b / variance[c] for b, c in zip(blocks, cliques, strict=True))
    pull = sum(b.T @ values[c].ravel() / variance[c] for b, c in zip(blocks, cliques, strict=True))
    inverse = np.linalg.pinv(information, rcond=1e-10)
    for clique in cliques:
        ask = query(clique, domain, centred=False)
        np.testing.assert_allclose(reconstruct(residuals, clique).ravel(), ask @ inverse @ pull, atol=1e-7)
        diagonal = np.diag(ask @ inverse @ ask.T)
        np.testing.assert_allclose(diagonal, cell_variance(variance, clique, domain), rtol=1e-7)


@given(domains, st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_without_noise_the_marginals_come_back(domain: Domain, seed: int) -> None:
    rows = random_rows(domain, 50, np.random.default_rng(seed))
    residuals = noisy_residuals(rows, dict.fromkeys(up_to(domain, 3), 1.0), None)
    for clique in residuals.values:
        np.testing.assert_allclose(reconstruct(residuals, clique), count(rows, clique), atol=1e-9)


def test_marginals_agree_with_each_other() -> None:
    rng = np.random.default_rng(1)
    domain = domain_of(3, 4, 2, 5)
    residuals = noisy_residuals(random_rows(domain, 500, rng), dict.fromkeys(up_to(domain, 3), 9.0), rng)
    long = reconstruct(residuals, (0, 1, 3))
    np.testing.assert_allclose(long.sum(axis=1), reconstruct(residuals, (0, 3)), atol=1e-9)
    np.testing.assert_allclose(long.sum(axis=(0, 2)), reconstruct(residuals, (1,)), atol=1e-9)
    assert long.sum() == pytest.approx(residuals.total)


def test_cell_variance_is_the_spread_of_the_error() -> None:
    """4000 repetitions, one cell a time: chi-square from both sides, false alarm 1e-9 each."""
    rng = np.random.default_rng()
    domain = domain_of(3, 2, 4)
    rows = random_rows(domain, 300, rng)
    variances = {c: 2.0 + len(c) + sum(c) for c in up_to(domain, 3)}
    exact = exact_residuals(rows, variances)
    clique, cell, runs = (0, 1, 2), (1, 0, 3), 4000
    truth = float(reconstruct(NoisyResiduals(domain=domain, values=exact, variance=variances), clique)[cell])
    errors = np.zeros(runs)
    for run in range(runs):
        values = {c: t + centre(rng.normal(0, math.sqrt(variances[c]), t.shape)) for c, t in exact.items()}
        errors[run] = (
            reconstruct(NoisyResiduals(domain=domain, values=values, variance=variances), clique)[cell] - truth
        )
    squares = float((errors**2).sum()) / cell_variance(variances, clique, domain)
    assert chi_square_complaint(squares, runs) is None
    assert chi_square_complaint(squares * 1.25, runs) is not None
    assert chi_square_complaint(squares / 1.25, runs) is not None


def test_combining_weighs_by_precision_and_keeps_what_only_one_has() -> None:
    domain = domain_of(2, 3)
    a = NoisyResiduals(
        domain=domain, values={(): np.asarray(10.0), (0,): np.array([1.0, -1.0])}, variance={(): 1.0, (0,): 4.0}
    )
    b = NoisyResiduals(
        domain=domain, values={(): np.asarray(16.0), (1,): np.array([1.0, 0.0, -1.0])}, variance={(): 2.0, (1,): 5.0}
    )
    both = a.combine(b)
    assert both.total == pytest.approx(12.0)
    assert both.variance == pytest.approx({(): 2 / 3, (0,): 4.0, (1,): 5.0})
    assert both.values[(0,)] is a.values[(0,)]
    assert both.values[(1,)] is b.values[(1,)]
    assert b.combine(a).total == pytest.approx(both.total)
    assert a.total == 10.0


def test_what_was_not_measured_is_refused_by_name() -> None:
    domain = domain_of(2, 3, 2)
    residuals = noisy_residuals(
        random_rows(domain, 9, np.random.default_rng(0)), {(): 1.0, (0,): 1.0, (0, 1): 1.0}, None
    )
    assert residuals.measured((0,))
    assert not residuals.measured((0, 1))
    with pytest.raises(UnmeasuredClique, match="a1"):
        reconstruct(residuals, (0, 1))
    with pytest.raises(UnmeasuredClique, match="a1"):
        cell_variance(residuals.variance, (0, 1), domain)
