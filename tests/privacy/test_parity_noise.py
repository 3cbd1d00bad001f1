"""Our sampler beside that of OpenDP: another program, another method, one distribution where sigma is large.

OpenDP draws the discrete Gaussian, with probabilities proportional to exp(-k^2 / 2 sigma^2) at whole numbers k; ours
is the rounded Gaussian. For a sigma of 100 their variances differ by one part in 120,000, far below what 100,000 draws
can show. Each test has a false-alarm rate of at most 1e-9 (chi-square by the Laurent and Massart bound) and is never
rerun.
"""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.privacy.noise import grid_sigma, rounded_gaussian

SURPRISE = math.log(1e9)
SIZE = 100_000


def discrete_gaussian(sigma: float, size: int) -> NDArray[np.int64]:
    dp: Any = pytest.importorskip("opendp.prelude")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    return np.array(dp.m.make_gaussian(*space, scale=sigma)([0] * size), dtype=np.int64)


def tails_and_cells(draws: NDArray[np.int64], sigma: float) -> NDArray[np.float64]:
    """Draws in cells of sigma / 8 out to 3.5 sigma, and in the two tails beyond."""
    edges = np.arange(-28, 29) * sigma / 8
    return np.bincount(np.searchsorted(edges, draws), minlength=len(edges) + 1).astype(np.float64)


def unlike(first: NDArray[np.int64], second: NDArray[np.int64], sigma: float) -> float:
    """Chi-square statistic of two samples of one size coming from one distribution, minus its bound."""
    a, b = tails_and_cells(first, sigma), tails_and_cells(second, sigma)
    statistic = float(((a - b) ** 2 / (a + b)).sum())
    degrees = len(a) - 1
    return statistic - (degrees + 2 * math.sqrt(degrees * SURPRISE) + 2 * SURPRISE)


def test_the_noise_is_that_of_opendp_where_both_mean_the_same() -> None:
    ours = rounded_gaussian(grid_sigma(100.0), SIZE)
    assert unlike(ours, discrete_gaussian(100.0, SIZE), 100.0) < 0


@pytest.mark.parametrize("sigma", [95.0, 105.0])
def test_another_sigma_of_opendp_is_noticed(sigma: float) -> None:
    """The power of the test above; that it fails to notice has a probability below 1e-9 as well."""
    assert unlike(rounded_gaussian(grid_sigma(100.0), SIZE), discrete_gaussian(sigma, SIZE), 100.0) > 0


def test_where_sigma_is_small_each_has_its_own_distribution() -> None:
    """At sigma 1/2 the two differ, as they should: 0 has probability 0.787 with one and 0.683 with the other."""
    rounded = math.erf(1 / math.sqrt(2))
    weights = [math.exp(-2.0 * k * k) for k in range(-9, 10)]
    discrete = 1 / sum(weights)
    draws = rounded_gaussian(Fraction(1, 2), SIZE), discrete_gaussian(0.5, SIZE)
    reach = math.sqrt((SURPRISE + math.log(4)) / (2 * SIZE))  # Hoeffding: two samples, two sides, 1e-9 in all
    for found, chance in zip(draws, (rounded, discrete), strict=True):
        assert abs(float((found == 0).mean()) - chance) < reach
    assert abs(rounded - discrete) > 2 * reach, "and the one is not taken for the other"


@pytest.mark.parametrize("sigma", [0.25, 0.7, 1.0, 5.0])
def test_each_whole_number_has_its_exact_probability(sigma: float) -> None:
    """Cell by cell: exact binomial bounds (Chernoff) at every k that is likely enough to be seen, and both tails."""
    size = 400_000
    draws = rounded_gaussian(grid_sigma(sigma), size)

    def above(x: float) -> float:
        return math.erfc(x / sigma / math.sqrt(2)) / 2

    far = next(k for k in itertools.count(1) if above(k + 0.5) * size < 1)
    cells = {k: (above(abs(k) - 0.5) - above(abs(k) + 0.5)) if k else 1 - 2 * above(0.5) for k in range(-far, far + 1)}
    found = {k: int((draws == k).sum()) for k in cells}
    checks = [
        *((found[k], cells[k]) for k in cells),
        *((int((draws * s > far).sum()), above(far + 0.5)) for s in (1, -1)),
    ]
    assert sum(count for count, _ in checks) == size
    alarm = SURPRISE + math.log(2 * len(checks))  # all checks and sides together: 1e-9
    for count, chance in checks:
        assert divergence(count / size, chance) * size < alarm


def divergence(share: float, chance: float) -> float:
    """Relative entropy of two coins, in nats."""
    out = share * math.log(share / chance) if share else 0.0
    return out + ((1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0)
