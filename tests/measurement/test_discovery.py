"""Thresholds against the exact distribution of the noisy count of a value that one person alone holds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.measurement.discovery import new_value_chance, whole_threshold
from caseveil.privacy.noise import grid_sigma
from tests.measurement.invented import curator_of, rows_of

pytestmark = pytest.mark.engine

sigmas = st.floats(0.25, 2000.0)
people = st.integers(1, 60)
deltas = st.floats(1e-15, 0.3)


def exact_chance(threshold: int, sigma: float, touched: int) -> float:
    """1 - (1 - p)^touched, p summed over the whole numbers that the noisy count of one person can take."""
    far = threshold + math.ceil(12 * sigma) + 3
    cells = [
        0.5 * (math.erfc((m - 1.5) / sigma / math.sqrt(2)) - math.erfc((m - 0.5) / sigma / math.sqrt(2)))
        for m in range(threshold, far)
    ]
    p = math.fsum(cells)
    return -math.expm1(touched * math.log1p(-p))


@given(st.floats(0.25, 50.0), people, deltas)
@settings(max_examples=60, deadline=None)
def test_the_threshold_keeps_delta_and_is_the_smallest_that_does(sigma: float, touched: int, delta: float) -> None:
    threshold = whole_threshold(sigma, touched, delta)
    assert exact_chance(threshold, sigma, touched) <= delta * (1 + 1e-12)
    assert new_value_chance(threshold, sigma, touched) <= delta
    if threshold > 2:
        # the union bound wastes at most touched * p / 2 of the chance
        assert exact_chance(threshold - 1, sigma, touched) * (1 + 1e-8) >= delta * (1 - delta)


@given(sigmas, people, deltas, st.floats(1.0, 3.0))
@settings(max_examples=60, deadline=None)
def test_more_noise_more_values_and_less_delta_raise_the_threshold(
    sigma: float, touched: int, delta: float, factor: float
) -> None:
    threshold = whole_threshold(sigma, touched, delta)
    assert threshold >= 2  # a value that nobody else has is never released for sure
    assert whole_threshold(sigma * factor, touched, delta) >= threshold
    assert whole_threshold(sigma, math.ceil(touched * factor), delta) >= threshold
    assert whole_threshold(sigma, touched, delta / factor) >= threshold


@given(st.integers(2, 500), st.floats(0.25, 100.0), people)
@settings(max_examples=60, deadline=None)
def test_the_chance_is_an_upper_bound_that_falls(threshold: int, sigma: float, touched: int) -> None:
    chance = new_value_chance(threshold, sigma, touched)
    assert chance >= exact_chance(threshold, sigma, touched) * (1 - 1e-9)
    assert new_value_chance(threshold + 1, sigma, touched) <= chance


def test_a_person_with_new_values_in_every_column_is_named_with_probability_at_most_delta() -> None:
    """The union over all that one person touches: 2000 repetitions with delta 0.05 (Chernoff, 1e-9 above 0.089).

    Three columns, one of them a set cut to two items: four values of one person, held by nobody else.
    """
    from caseveil.schema.attribute import MultiChoice

    common = 60
    columns = {
        "a": ["common"] * common + ["new a"],
        "b": ["common"] * common + ["new b"],
        "c": ["x;y"] * common + ["p;q;r;s"],
    }
    rows = rows_of(columns, [MultiChoice(name="c", at_most=2)])
    runs, named = 2000, 0
    for _ in range(runs):
        found = curator_of(rows).values(mu=1.0, delta=0.05).values
        named += any(set(values) & {"new a", "new b", "p", "q", "r", "s"} for values in found.values())
    assert named <= 178
    sigma = float(grid_sigma(2.0))
    touched = exact_chance(whole_threshold(sigma, 4, 0.05), sigma, 4)
    assert named >= runs * touched - 6.2 * math.sqrt(runs * touched)
