"""Intervals of shares against closed forms, and their coverage by exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest

from caseveil.evaluation.shares import Share, excess, share


def outcomes(times: int, trials: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.arange(trials) < times


def test_never_and_always_have_the_closed_form() -> None:
    never, always = share(outcomes(0, 40), 0.05), share(outcomes(40, 40), 0.05)
    assert (never.times, never.trials, never.value, never.lower) == (0, 40, 0.0, 0.0)
    assert never.upper == pytest.approx(1 - 0.025 ** (1 / 40), abs=1e-12)
    assert (always.value, always.upper) == (1.0, 1.0)
    assert always.lower == pytest.approx(0.025 ** (1 / 40), abs=1e-12)


def test_the_ends_leave_half_of_the_miss_on_each_side() -> None:
    found = share(outcomes(13, 50), 0.02)

    def mass(low: int, high: int, chance: float) -> float:
        return sum(math.comb(50, k) * chance**k * (1 - chance) ** (50 - k) for k in range(low, high + 1))

    assert mass(13, 50, found.lower) == pytest.approx(0.01, rel=1e-8)
    assert mass(0, 13, found.upper) == pytest.approx(0.01, rel=1e-8)


@pytest.mark.parametrize("trials", [1, 7, 30])
def test_no_chance_is_missed_more_often_than_said(trials: int) -> None:
    miss = 0.1
    found = [share(outcomes(k, trials), miss) for k in range(trials + 1)]
    for chance in np.linspace(0.001, 0.999, 97):
        covered = sum(
            math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
            for k, one in enumerate(found)
            if one.lower <= chance <= one.upper
        )
        assert covered >= 1 - miss - 1e-9


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        share(np.zeros(0, np.bool_), 0.05)
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        share(outcomes(1, 2), 0.0)


def of(value: float, lower: float, upper: float) -> Share:
    return Share(times=0, trials=1, value=value, lower=lower, upper=upper)


def test_excess_is_what_the_control_left_open() -> None:
    found = excess(of(0.7, 0.6, 0.8), of(0.4, 0.3, 0.5))
    assert found.value == pytest.approx(0.5)
    assert found.lower == pytest.approx((0.6 - 0.5) / 0.5)
    assert found.upper == pytest.approx((0.8 - 0.3) / 0.7)
    assert not found.holds_nothing


@pytest.mark.parametrize(
    ("one", "control", "value"),
    [(1.0, 1.0, 0.0), (0.9, 1.0, -1.0), (0.0, 0.9, -1.0), (0.0, 0.2, -0.25), (1.0, 0.3, 1.0)],
)
def test_excess_stays_between_minus_one_and_one(one: float, control: float, value: float) -> None:
    found = excess(of(one, one, one), of(control, control, control))
    for end in (found.value, found.lower, found.upper):
        assert end == pytest.approx(value)
    assert found.holds_nothing == (value == 0.0)
