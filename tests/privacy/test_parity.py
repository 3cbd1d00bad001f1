"""Our totals against those of other accountants, and against arithmetic of many digits from the safe side.

dp-accounting composes privacy loss distributions numerically and knows no formula of ours; OpenDP composes rho.
Both come with the development tools; the engine does not know them, and without them these tests are left out.
"""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.privacy.accountant import TotalLoss, total
from caseveil.privacy.loss import EpsilonDelta, GaussianDP, mu_for
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent

mpmath: Any = pytest.importorskip("mpmath")
mpmath.mp.dps = 60


def gaussians(*mus: float) -> list[Event]:
    return [GaussianEvent(label="counts", mu=mu) for mu in mus]


def selection(mu: float, delta: float) -> Event:
    return SelectionEvent(label="values", mu=mu, delta=delta)


HISTORIES: dict[str, list[Event]] = {
    "one small release": gaussians(0.05),
    "one release": gaussians(0.2567),
    "one large release": gaussians(2.0),
    "three years": gaussians(0.2567, 0.3, 0.15),
    "a great many": gaussians(*[0.1] * 40),
    "one that says almost all": gaussians(0.001, 1.5),
    "a discovery and counts": [selection(0.1, 1e-7), *gaussians(0.25)],
    "two discoveries between counts": [*gaussians(0.3), selection(0.2, 1e-6), *gaussians(0.5), selection(0.05, 3e-5)],
}
EPSILONS = (0.0, 0.05, 0.31234, 1.0, 2.71828, 6.0)
DELTAS = (1e-9, 1e-6, 4.7e-5, 1e-3, 0.05)


def composed(events: Sequence[Event]) -> Any:
    """The same history as a privacy loss distribution of dp-accounting.

    A selection is a Gaussian mechanism next to one that fails, plainly, with probability delta.
    """
    pld = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    common = pytest.importorskip("dp_accounting.pld.common")
    step = 1e-4
    out = pld.identity(value_discretization_interval=step)
    for event in events:
        out = out.compose(
            pld.from_gaussian_mechanism(
                1.0 / event.mu,
                value_discretization_interval=step,
                use_connect_dots=True,
                log_mass_truncation_bound=-60,
            )
        )
        if isinstance(event, SelectionEvent):
            fails = common.DifferentialPrivacyParameters(epsilon=0.0, delta=event.delta)
            out = out.compose(pld.from_privacy_parameters(fails, value_discretization_interval=step))
    return out


@pytest.mark.parametrize("name", HISTORIES)
def test_parity_with_privacy_loss_distributions(name: str) -> None:
    """Within 1e-6 of theirs, in delta at an epsilon and in epsilon at a delta.

    We add deltas of selections up; there, mechanisms that fail apart from each other sometimes fail together, which
    is a little less. So ours is compared with that in mind, and must not be below theirs.
    """
    events = HISTORIES[name]
    theirs, ours = composed(events), total(events)
    kept = math.prod(1.0 - event.delta for event in events if isinstance(event, SelectionEvent))
    alone = GaussianDP(mu=ours.mu)
    for epsilon in EPSILONS:
        found, added = theirs.get_delta_for_epsilon(epsilon), ours.delta + alone.delta(epsilon)
        assert 1.0 - kept * (1.0 - alone.delta(epsilon)) == pytest.approx(found, abs=1e-6, rel=1e-6)
        assert found - 1e-6 <= added <= found + ours.delta + 1e-6
    compared = 0
    for delta in DELTAS:
        if delta > 1.01 * ours.delta:
            found = theirs.get_epsilon_for_delta(delta)
            assert alone.epsilon(1.0 - (1.0 - delta) / kept) == pytest.approx(found, abs=1e-6, rel=1e-6)
            assert found * (1 - 1e-6) - 1e-6 <= ours.epsilon(delta) <= found + 1e-3 * (ours.delta > 0) + 1e-6
            compared += 1
        elif delta < ours.delta:
            assert theirs.get_epsilon_for_delta(delta) == ours.epsilon(delta) == math.inf
    assert compared >= 2


def test_the_parity_would_notice_a_wrong_total() -> None:
    """One thousandth off in one mu, or a forgotten delta, is far above the tolerance."""
    theirs = composed(HISTORIES["two discoveries between counts"])
    ours = total(HISTORIES["two discoveries between counts"])
    assert (
        abs(TotalLoss(mu=ours.mu * 1.001, delta=ours.delta).epsilon(1e-4) - theirs.get_epsilon_for_delta(1e-4)) > 1e-4
    )
    assert abs(TotalLoss(mu=ours.mu, delta=0.0).epsilon(1e-4) - theirs.get_epsilon_for_delta(1e-4)) > 1e-4


@pytest.mark.parametrize("name", [name for name in HISTORIES if "discover" not in name])
def test_renyi_accounting_bounds_ours_from_above_and_not_by_much(name: str) -> None:
    accounting = pytest.importorskip("dp_accounting")
    rdp = pytest.importorskip("dp_accounting.rdp")
    accountant = rdp.RdpAccountant()
    for event in HISTORIES[name]:
        accountant.compose(accounting.GaussianDpEvent(1.0 / event.mu))
    for delta in (1e-9, 1e-6, 1e-4):
        theirs, ours = accountant.get_epsilon(delta), total(HISTORIES[name]).epsilon(delta)
        assert ours <= theirs <= 1.3 * ours + 1e-6


def test_sigma_for_a_promise_is_that_of_dp_accounting() -> None:
    accounting = pytest.importorskip("dp_accounting")
    for epsilon in (0.1, 0.5, 1.0, 4.0):
        for delta in (1e-9, 4.7e-6, 1e-4):
            theirs = accounting.get_sigma_gaussian(epsilon, delta)
            assert 1.0 / mu_for(EpsilonDelta(epsilon=epsilon, delta=delta)) == pytest.approx(theirs, rel=1e-6)


def opendp_gaussians(mus: Sequence[float]) -> Any:
    """OpenDP's discrete Gaussian mechanisms, composed; unit sensitivity and scale 1 / mu each."""
    dp = pytest.importorskip("opendp.prelude")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    return dp, dp.c.make_composition([dp.m.make_gaussian(*space, scale=1.0 / mu) for mu in mus])


@pytest.mark.parametrize("mus", [(0.05,), (0.2567,), (2.0,), (0.2567, 0.3, 0.15), (0.1,) * 40])
def test_parity_with_opendp(mus: tuple[float, ...]) -> None:
    """rho within 1e-6 of theirs. Their epsilon is that of rho, ours that of the Gaussian, which is the smaller one."""
    dp, composed_there = opendp_gaussians(mus)
    ours = total(gaussians(*mus))
    assert ours.rho == pytest.approx(composed_there.map(1.0), rel=1e-6)
    curve = dp.c.make_zCDP_to_approxDP(composed_there).map(1.0)
    for delta in (1e-9, 1e-6, 1e-3):
        assert ours.epsilon(delta) <= curve.epsilon(delta) <= 1.4 * ours.epsilon(delta)


# Every rounding is to the safe side: against 60 digits.


def exact(events: Sequence[Event]) -> tuple[Any, Any]:
    """Sum of squared mus, and of deltas, in 60 digits; a float is taken for exactly what it is."""
    squares = mpmath.fsum(mpmath.mpf(event.mu) ** 2 for event in events)
    deltas = mpmath.fsum(mpmath.mpf(event.delta) for event in events if isinstance(event, SelectionEvent))
    return squares, deltas


def exact_delta(squares: Any, epsilon: float) -> Any:
    mu = mpmath.sqrt(squares)
    t = mpmath.mpf(epsilon) / mu - mu / 2

    def above(x: Any) -> Any:
        return mpmath.erfc(x / mpmath.sqrt(2)) / 2

    return above(t) - mpmath.exp(mpmath.mpf(epsilon)) * above(t + mu)


EVENTS = st.lists(
    st.one_of(
        st.builds(lambda mu: GaussianEvent(label="g", mu=mu), st.floats(1e-3, 1.5)),
        st.builds(
            lambda mu, power: SelectionEvent(label="s", mu=mu, delta=10.0**power),
            st.floats(1e-3, 0.5),
            st.floats(-12, -4),
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(events=EVENTS, power=st.floats(-10, -1.5))
def test_a_total_is_never_less_than_what_was_lost(events: list[Event], power: float) -> None:
    """At the epsilon that is said, the true delta of everything is not above the delta that is said."""
    delta = 10.0**power
    squares, deltas = exact(events)
    found = total(events)
    assert mpmath.mpf(found.mu) ** 2 >= squares
    assert mpmath.mpf(found.delta) >= deltas
    assert mpmath.mpf(found.rho) >= squares / 2
    epsilon = found.epsilon(delta)
    if math.isinf(epsilon):
        assert deltas > mpmath.mpf(delta) * (1 - mpmath.mpf(10) ** -14)
        return
    assert exact_delta(squares, epsilon) + deltas <= mpmath.mpf(delta)
    if epsilon > 0:  # and it is hardly more than what was lost
        tighter = exact_delta(squares, epsilon * (1 - 1e-8)) + deltas
        assert tighter > mpmath.mpf(delta) * (1 - mpmath.mpf(10) ** -13)


@settings(max_examples=150, deadline=None)
@given(epsilon=st.floats(0.01, 20.0), power=st.floats(-12, -1))
def test_a_promise_is_kept_by_the_mu_that_it_gives(epsilon: float, power: float) -> None:
    delta = 10.0**power
    mu = mpmath.mpf(mu_for(EpsilonDelta(epsilon=epsilon, delta=delta)))
    assert exact_delta(mu**2, epsilon) <= mpmath.mpf(delta)
    assert exact_delta((mu * (1 + mpmath.mpf(10) ** -8)) ** 2, epsilon) > mpmath.mpf(delta)
