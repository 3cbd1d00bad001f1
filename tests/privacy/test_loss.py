"""Losses are exact to many digits and always on the safe side."""

import math
from decimal import Decimal, localcontext
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.privacy import loss
from caseveil.privacy.loss import EpsilonDelta, GaussianDP, mu_for

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")


@cache
def tail(x: Decimal) -> Decimal:
    """Phi(-x) to 80 digits and more: 1/2 - phi(x) (x + x^3/3 + x^5/15 + ...)."""
    term, total, odd = x, x, 1
    while abs(term) > abs(total) * Decimal(10) ** -195:
        odd += 2
        term = term * x * x / odd
        total += term
    return Decimal("0.5") - (-x * x / 2).exp() / (2 * PI).sqrt() * total


def true_delta(mu: float, epsilon: float) -> Decimal:
    # The 100 digits of pi bound what the subtraction from 1/2 may lose; the deltas compared are above 1e-34.
    with localcontext() as context:
        context.prec = 200
        t = Decimal(epsilon) / Decimal(mu) - Decimal(mu) / 2
        return tail(t) - Decimal(epsilon).exp() * tail(t + Decimal(mu))


MUS = [1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.2567, 1.0, 3.0, 10.0, 50.0]
EPSILONS = [0.0, 1e-7, 1e-5, 1e-3, 0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 100.0]


def within_the_reference(mu: float, epsilon: float) -> bool:
    return abs(epsilon / mu - mu / 2) <= 12


@pytest.mark.parametrize(("mu", "epsilon"), [(m, e) for m in MUS for e in EPSILONS if within_the_reference(m, e)])
def test_delta_is_never_under_and_hardly_over(mu: float, epsilon: float) -> None:
    truth = true_delta(mu, epsilon)
    found = Decimal(GaussianDP(mu=mu).delta(epsilon))
    assert truth <= found <= min(Decimal(1), truth * Decimal(1 + 2e-12 / min(mu, 1.0)))


@settings(max_examples=150, deadline=None)
@given(mu=st.floats(0.01, 8.0), t=st.floats(-6.0, 10.0))
def test_delta_is_never_under_anywhere(mu: float, t: float) -> None:
    epsilon = max(0.0, (t + mu / 2) * mu)
    truth = true_delta(mu, epsilon)
    assert truth <= Decimal(GaussianDP(mu=mu).delta(epsilon)) <= truth * Decimal(1 + 1e-9)


def test_delta_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for mu in (0.05, 0.2567, 1.0, 4.0):
        for epsilon in (0.0, 0.1, 1.0, 4.0):
            plain = stats.norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * stats.norm.cdf(-mu / 2 - epsilon / mu)
            if plain > 1e-8:  # below, the plain formula loses too many digits to compare with
                assert GaussianDP(mu=mu).delta(epsilon) == pytest.approx(plain, rel=1e-6)


def test_mu_agrees_with_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    special = pytest.importorskip("scipy.special")

    def excess(mu: float, epsilon: float, delta: float) -> float:
        t, s = epsilon / mu - mu / 2, epsilon / mu + mu / 2
        first, second = special.log_ndtr(-t), epsilon + special.log_ndtr(-s)
        return float(first + math.log1p(-math.exp(second - first))) - math.log(delta)

    for epsilon in (0.1, 0.5, 1.0, 4.0, 10.0):
        for delta in (1e-9, 4.7e-6, 1e-3):
            root = optimize.brentq(excess, 1e-3, 30.0, args=(epsilon, delta), xtol=1e-13)
            assert mu_for(EpsilonDelta(epsilon=epsilon, delta=delta)) == pytest.approx(root, rel=1e-6)


@pytest.mark.parametrize("x", [loss._LARGE, 3.5, 5.0, 12.0, 39.0, 1e6])
def test_the_continued_fraction_has_converged(monkeypatch: pytest.MonkeyPatch, x: float) -> None:
    """Convergents of even and odd depth lie on either side of the ratio, so their distance bounds the error."""
    here = loss._mills(x)
    monkeypatch.setattr(loss, "_DEPTH", loss._DEPTH + 1)
    assert loss._mills(x) == pytest.approx(here, rel=2.0**-47)


def test_ratios_of_mills_agree_with_the_reference() -> None:
    for i in range(120):
        x = i / 10
        with localcontext() as context:
            context.prec = 200
            square = Decimal(x) * Decimal(x)
            truth = tail(Decimal(x)) * (2 * PI).sqrt() * (square / 2).exp()
            assert abs(Decimal(loss._mills(x)) / truth - 1) < Decimal(2.0**-46)


VANISHING = [(1e-6, 100.0), (1e-300, 1.0), (0.2, 30.0), (50.0, 1e6), (1e-3, 1e300), (1e-10, 1e305)]


@pytest.mark.parametrize(("mu", "epsilon"), VANISHING)
def test_a_delta_that_vanishes_is_still_above_nothing(mu: float, epsilon: float) -> None:
    assert 0 < GaussianDP(mu=mu).delta(epsilon) <= 1e-299


def test_a_hopeless_loss_has_delta_one() -> None:
    assert GaussianDP(mu=50.0).delta(0.5) == 1.0
    assert GaussianDP(mu=1e6).delta(100.0) == 1.0
    assert GaussianDP(mu=1e300).delta(1.0) == 1.0


PROMISES = [(e, d) for e in (1e-6, 0.01, 0.1, 1.0, 4.0, 20.0, 100.0) for d in (1e-100, 1e-12, 4.7e-6, 0.01, 0.9)]


@pytest.mark.parametrize(("epsilon", "delta"), PROMISES)
def test_the_largest_mu_keeps_the_promise_and_a_larger_one_does_not(epsilon: float, delta: float) -> None:
    mu = mu_for(EpsilonDelta(epsilon=epsilon, delta=delta))
    assert GaussianDP(mu=mu).delta(epsilon) <= delta
    assert GaussianDP(mu=mu).epsilon(delta) <= epsilon
    assert GaussianDP(mu=mu * (1 + 1e-6)).delta(epsilon) > delta
    assert GaussianDP(mu=mu * (1 + 1e-10)).delta(epsilon) <= delta  # the room for adding up in floating point


@settings(max_examples=60, deadline=None)
@given(mu=st.floats(0.01, 20.0), exponent=st.floats(-20, -0.1))
def test_epsilon_is_the_inverse_of_delta(mu: float, exponent: float) -> None:
    delta = 10.0**exponent
    epsilon = GaussianDP(mu=mu).epsilon(delta)
    assert GaussianDP(mu=mu).delta(epsilon) <= delta
    if epsilon > 0:
        assert GaussianDP(mu=mu).delta(epsilon * (1 - 1e-6)) > delta


def test_known_values() -> None:
    """The number of the shared design notes: epsilon 1 and delta 4.7e-6 give about 0.2567."""
    assert mu_for(EpsilonDelta(epsilon=1.0, delta=4.7e-6)) == pytest.approx(0.2566, abs=1e-4)
    assert 0.03125 <= GaussianDP(mu=0.25).rho <= math.nextafter(0.03125, 1)


def test_small_losses_need_no_epsilon() -> None:
    assert GaussianDP(mu=1e-9).epsilon(1e-6) == 0.0


@pytest.mark.parametrize("epsilon", [0, -1.0, math.nan, math.inf, 101.0, 1e-7, True, "1", None])
def test_an_impossible_epsilon_is_refused_in_words(epsilon: float) -> None:
    with pytest.raises(PlanError, match=r"^epsilon \(.*\) must be above 0 .* at most 100; 0\.1 is very private"):
        EpsilonDelta(epsilon=epsilon, delta=1e-6)


@pytest.mark.parametrize("delta", [0, 1, -0.1, math.nan, math.inf, 1e-101, False, "auto", None])
def test_an_impossible_delta_is_refused_in_words(delta: float) -> None:
    with pytest.raises(PlanError, match=r"^delta \(.*\) must be above 0 .* below 1; leave it at \"auto\""):
        EpsilonDelta(epsilon=1.0, delta=delta)


@pytest.mark.parametrize("mu", [0.0, -1.0, math.nan, math.inf, True])
def test_an_impossible_mu_is_refused(mu: float) -> None:
    with pytest.raises(ValueError, match="mu"):
        GaussianDP(mu=mu)


def test_views_refuse_what_has_no_answer() -> None:
    for epsilon in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="epsilon"):
            GaussianDP(mu=1.0).delta(epsilon)
    for delta in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="delta"):
            GaussianDP(mu=1.0).epsilon(delta)
