"""The closed forms of ResidualPlanner against brute force on small domains."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.measurement.residuals import (
    cost,
    influence,
    integer_residual,
    optimal_variances,
    squared_sensitivity,
    top_up,
)
from caseveil.records.counting import count
from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.observed import cell_variance, centre
from tests.measurement.invented import closure, coded, domain_of, random_rows, up_to

pytestmark = pytest.mark.engine

domains = st.lists(st.integers(2, 4), min_size=1, max_size=4).map(lambda sizes: domain_of(*sizes))


@st.composite
def weighted(draw: st.DrawFn) -> tuple[Domain, dict[Clique, float]]:
    domain = draw(domains)
    cliques = [c for c in up_to(domain, 3) if c]
    chosen = draw(st.lists(st.sampled_from(cliques), min_size=1, max_size=6, unique=True))
    return domain, {c: draw(st.floats(0.1, 50)) for c in chosen}


@given(domains, st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_one_person_moves_the_integer_residual_by_exactly_the_claimed_length(domain: Domain, seed: int) -> None:
    """Every person who could come or go, every clique: prod n (n - 1), a whole number, without rounding."""
    rows = random_rows(domain, 20, np.random.default_rng(seed))
    for clique in up_to(domain, 3):
        before = integer_residual(count(rows, clique))
        claimed = math.prod(n * (n - 1) for n in domain.shape(clique))
        assert claimed == pytest.approx(domain.cells(clique) ** 2 * squared_sensitivity(clique, domain), rel=1e-12)
        for person in itertools.product(*(range(n) for n in domain.sizes)):
            more = coded(domain, np.vstack([rows.codes, [person]]))
            change = integer_residual(count(more, clique)) - before
            assert int((change**2).sum()) == claimed


@given(st.lists(st.integers(2, 7), max_size=3), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_integer_residual_is_the_centred_table_times_its_cells(shape: list[int], seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, 1000, shape, dtype=np.int64)
    out = integer_residual(table)
    assert out.dtype == np.int64
    np.testing.assert_allclose(out, table.size * centre(table.astype(np.float64)), rtol=1e-9, atol=1e-6)
    for axis in range(table.ndim):
        assert (out.sum(axis=axis) == 0).all()


def test_integer_residual_has_room_for_the_largest_tables() -> None:
    """A million cells that hold ten thousand million people: Python's whole numbers agree."""
    table = np.full((1000, 1000), 3, np.int64)
    table[7, 11] = 10**10
    out = integer_residual(table)
    total, row, column = int(table.sum()), int(table[7].sum()), int(table[:, 11].sum())
    assert int(out[7, 11]) == 10**6 * 10**10 - 1000 * row - 1000 * column + total
    assert int(out[0, 0]) == 10**6 * 3 - 1000 * 3000 - 1000 * 3000 + total


@given(weighted(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_influence_is_the_gradient_of_the_weighted_variance(
    case: tuple[Domain, dict[Clique, float]], seed: int
) -> None:
    domain, weights = case
    rng = np.random.default_rng(seed)
    v = influence(weights, domain)
    assert sorted(v) == sorted(closure(weights))
    variances = {c: float(rng.uniform(0.1, 9)) for c in v}
    direct = sum(w * cell_variance(variances, c, domain) for c, w in weights.items())
    assert sum(v[c] * variances[c] for c in v) == pytest.approx(direct, rel=1e-9)


def objective(weights: dict[Clique, float], variances: dict[Clique, float], domain: Domain) -> float:
    return sum(w * cell_variance(variances, c, domain) for c, w in weights.items())


@given(weighted(), st.floats(0.05, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_no_other_split_of_the_budget_is_better(case: tuple[Domain, dict[Clique, float]], mu: float, seed: int) -> None:
    domain, weights = case
    rng = np.random.default_rng(seed)
    best = optimal_variances(weights, domain, mu)
    assert cost(best, domain) == pytest.approx(mu**2, rel=1e-9)
    least = objective(weights, best, domain)
    for spread in (0.01, 0.3, 2.0):
        other = {c: s * math.exp(rng.normal(0, spread)) for c, s in best.items()}
        scale = cost(other, domain) / mu**2
        other = {c: s * scale for c, s in other.items()}
        assert objective(weights, other, domain) >= least * (1 - 1e-9)


@given(weighted(), st.floats(0.05, 20))
@settings(max_examples=40, deadline=None)
def test_topping_up_nothing_is_the_optimum(case: tuple[Domain, dict[Clique, float]], mu: float) -> None:
    domain, weights = case
    best = optimal_variances(weights, domain, mu)
    fresh = top_up(weights, domain, mu, {})
    assert sorted(fresh) == sorted(best)
    for clique, variance in best.items():
        assert fresh[clique] == pytest.approx(variance, rel=1e-9)


@given(weighted(), st.floats(0.05, 20), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_top_up_spends_what_is_left_and_no_more_where_it_helps_most(
    case: tuple[Domain, dict[Clique, float]], mu: float, share: float, seed: int
) -> None:
    """Water-filling: topped up cliques meet at one level, the others are above it already."""
    domain, weights = case
    rng = np.random.default_rng(seed)
    v = influence(weights, domain)
    paid_for = [c for c in v if rng.random() < 0.6]
    measured = {c: float(rng.uniform(0.1, 9)) for c in paid_for}
    if measured:
        scale = cost(measured, domain) / (share * mu**2)
        measured = {c: s * scale for c, s in measured.items()}
    left = mu * math.sqrt(1 - share)
    more = top_up(weights, domain, left, measured)
    spent = cost(more, domain)
    assert spent <= left**2 * (1 + 1e-12)
    assert spent == pytest.approx(left**2, rel=1e-7)
    precision = {c: (1 / measured[c] if c in measured else 0.0) + (1 / more[c] if c in more else 0.0) for c in v}
    levels = {c: precision[c] * math.sqrt(squared_sensitivity(c, domain) / v[c]) for c in v}
    level = levels[next(iter(more))]
    for clique in v:
        if clique in more:
            assert levels[clique] == pytest.approx(level, rel=1e-6)
        else:
            assert levels[clique] >= level * (1 - 1e-6)


def test_a_top_up_after_the_first_stage_of_the_same_plan_ends_at_the_optimum() -> None:
    domain = domain_of(3, 4, 2, 5)
    weights = {c: (35.0, 5.0, 1.0)[len(c) - 1] for c in up_to(domain, 3) if c}
    best = optimal_variances(weights, domain, 1.0)
    short = {c: s for c, s in best.items() if len(c) <= 2}
    more = top_up(weights, domain, math.sqrt(1 - cost(short, domain)), short)
    assert all(len(c) == 3 for c in more)
    for clique, variance in more.items():
        assert variance == pytest.approx(best[clique], rel=1e-9)
