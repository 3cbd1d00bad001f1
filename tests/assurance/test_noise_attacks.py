"""The noise under attack, in small: its law shell by shell, independence, and against another sampler.

tools/assurance_noise.py does the same with many more draws. Every test of a sound sampler has a false-alarm rate of at
most 1e-9 for each comparison and is never rerun; every attack is also shown to find a sampler that is at fault.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from caseveil.privacy import noise
from caseveil.privacy.noise import grid_sigma, rounded_gaussian
from tests.assurance import noise_attacks as attack


@pytest.mark.parametrize("sigma", [0.25, 1.0, 37.25, 2.0**49 + 1])
def test_the_law(sigma: float) -> None:
    assert attack.law(sigma, 500_000).ok


def cut(sigma: Fraction, size: int) -> attack.Draws:
    """A fault: nothing beyond 4.25 standard deviations."""
    draws = rounded_gaussian(sigma, size)
    return draws[np.abs(draws) <= 4.25 * float(sigma)][:size]


def heavy(sigma: Fraction, size: int) -> attack.Draws:
    """A fault: one draw in two thousand is three times too large."""
    draws = rounded_gaussian(sigma, size)
    draws[::2000] *= 3
    return draws


def test_faults_of_the_law_are_noticed() -> None:
    assert not attack.law(37.25, 2_000_000, cut, beyond=(4.25,)).ok
    assert not attack.law(37.25, 500_000, heavy).ok
    assert not attack.law(37.25, 500_000, lambda sigma, size: rounded_gaussian(sigma * Fraction(31, 32), size)).ok


@pytest.mark.parametrize("k", [0, 1, 2, 5, 6, 8, 12, 20])
def test_the_law_between_k_and_k_plus_one(k: int) -> None:
    """Together with the next two tests: the density of the noise out to twenty standard deviations."""
    assert attack.shell(k, 200_000).ok


@pytest.mark.parametrize("k", [0, 6, 12])
def test_a_wrong_density_far_out_is_noticed(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sampler that gives a lane the density of its neighbour."""
    real = noise._accepted

    def neighbour(whole: Any, *rest: Any) -> Any:
        return real(np.maximum(whole - 1, 0) if k else whole + 1, *rest)

    monkeypatch.setattr(noise, "_accepted", neighbour)
    assert not attack.shell(k, 200_000).ok


def test_the_whole_part_takes_as_many_trials_as_its_law_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """k^2 trials of probability exp(-1/2): exactly exp(-k^2 / 2), for every k up to 40."""
    needed = attack.whole_part_tests(40, lambda script: monkeypatch.setattr(noise, "_half_exponential", script))
    assert needed == [k * k for k in range(41)]


def test_the_trials_have_their_probability() -> None:
    assert attack.half_exponential(1_000_000) < attack.SURPRISE + np.log(2)


def test_draws_are_independent() -> None:
    assert attack.independence(200_000).ok


def test_draws_that_depend_on_each_other_are_noticed() -> None:
    def twice(sigma: Fraction, size: int) -> attack.Draws:
        return np.repeat(rounded_gaussian(sigma, size // 2), 2)

    def again(sigma: Fraction, size: int) -> attack.Draws:
        """A buffer that is read twice, a batch later."""
        draws = rounded_gaussian(sigma, size)
        at = noise._BATCH // 2
        draws[at : 2 * at] = draws[:at]
        return draws

    def one_sign(sigma: Fraction, size: int) -> attack.Draws:
        """Signs of a batch that come from too few bits."""
        draws = np.abs(rounded_gaussian(sigma, size))
        return draws * np.where(np.tile(rounded_gaussian(Fraction(1000), 48) < 0, size // 48 + 1)[:size], -1, 1)

    for fault in (twice, again, one_sign):
        assert not attack.independence(200_000, fault).ok


def test_another_program_by_another_method_makes_the_same_noise() -> None:
    """Discrete and rounded Gaussian differ by less than 1e-5 in the variance where sigma is 100."""
    theirs = attack.textbook(100, 15_000, random.SystemRandom())
    assert attack.two_samples(rounded_gaussian(grid_sigma(100.0), 150_000), theirs, 100.0).ok
    assert not attack.two_samples(rounded_gaussian(grid_sigma(110.0), 150_000), theirs, 100.0).ok
