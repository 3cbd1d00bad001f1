"""Totals are exact, rounded up once, and never leave anything out."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.privacy.accountant import TotalLoss, total
from caseveil.privacy.loss import EpsilonDelta, GaussianDP, mu_for
from caseveil.privacy.mechanism import GaussianEvent, SelectionEvent


def gaussians(*mus: float) -> list[GaussianEvent]:
    return [GaussianEvent(label="counts", mu=mu) for mu in mus]


@given(mus=st.lists(st.floats(1e-140, 1e100), min_size=1, max_size=20))
def test_the_sum_of_squares_is_rounded_up_and_no_further(mus: list[float]) -> None:
    exact = sum(Fraction(mu) ** 2 for mu in mus)
    found = total(gaussians(*mus)).mu
    assert Fraction(found) ** 2 >= exact
    assert Fraction(found * (1 - 1e-15)) ** 2 < exact


@given(deltas=st.lists(st.floats(1e-300, 0.5), min_size=1, max_size=20))
def test_deltas_add_up_and_are_rounded_up(deltas: list[float]) -> None:
    exact = sum(Fraction(delta) for delta in deltas)
    found = total(SelectionEvent(label="values", mu=0.1, delta=delta) for delta in deltas).delta
    assert exact <= Fraction(found) < exact * Fraction(1 + 1e-15) + Fraction(5e-324)


def test_the_order_does_not_matter_and_small_events_are_not_lost() -> None:
    events = gaussians(1.0, *[1e-9] * 1000)
    assert total(events) == total(reversed(events))
    assert total(events).mu > 1.0


def test_nothing_costs_nothing() -> None:
    nothing = total([])
    assert (nothing.mu, nothing.delta, nothing.rho, nothing.epsilon(1e-6)) == (0.0, 0.0, 0.0, 0.0)


def test_pythagoras() -> None:
    assert total(gaussians(0.3, 0.4)).mu == pytest.approx(0.5, rel=1e-15)
    assert total(gaussians(3.0, 4.0)).mu == 5.0


def test_epsilon_is_taken_at_what_selections_left_of_delta() -> None:
    loss = total([*gaussians(0.3), SelectionEvent(label="values", mu=0.4, delta=1e-7)])
    assert loss.epsilon(1e-6) == pytest.approx(GaussianDP(mu=0.5).epsilon(9e-7), rel=1e-9)
    assert loss.epsilon(1e-6) > GaussianDP(mu=0.5).epsilon(1e-6)
    assert loss.epsilon(1e-7) == math.inf
    assert loss.epsilon(5e-8) == math.inf


def test_measurements_sized_from_a_promise_keep_it_when_added_up() -> None:
    """The room that mu_for leaves covers the floating-point error of splitting mu^2 a thousandfold."""
    promise = EpsilonDelta(epsilon=1.0, delta=4.7e-6)
    budget = mu_for(promise)
    shares = [1 / (i + 1) for i in range(1000)]
    parts = [budget * math.sqrt(share / sum(shares)) for share in shares]
    assert total(gaussians(*parts)).epsilon(promise.delta) <= promise.epsilon


def test_rho_is_half_of_mu_squared() -> None:
    assert TotalLoss(mu=0.25, delta=0.0).rho == pytest.approx(0.03125)


def test_an_unknown_event_is_never_free() -> None:
    with pytest.raises(TypeError, match="the cost of a dict is not known"):
        total([{"kind": "gaussian", "mu": 1.0}])  # type: ignore[list-item]


@pytest.mark.parametrize(("mu", "delta"), [(-1.0, 0.0), (math.nan, 0.0), (math.inf, 0.0), (1.0, -1.0), (1.0, math.nan)])
def test_an_impossible_total_is_refused(mu: float, delta: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        TotalLoss(mu=mu, delta=delta)


@pytest.mark.parametrize("delta", [0.0, 1.0, math.nan])
def test_an_impossible_delta_is_refused(delta: float) -> None:
    with pytest.raises(ValueError, match="delta"):
        TotalLoss(mu=1.0, delta=0.0).epsilon(delta)
