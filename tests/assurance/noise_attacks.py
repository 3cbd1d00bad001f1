"""Attacks on the noise: what would show that it is not exactly what the ledger was charged for.

Each function draws, compares with the exact law, and returns numbers with `ok`. Whether they are fine is decided by
bounds that a sound sampler passes with a probability of at least 1 - 1e-9 per attack: counts by Chernoff, coins by
Hoeffding (both exact), chi-square statistics by Laurent and Massart, in cells that expect 50 draws or more. Needs numpy
and the engine alone.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseveil.privacy import noise
from caseveil.privacy.noise import grid_sigma, rounded_gaussian

SURPRISE = math.log(1e9)
CHUNK = 1_000_000
"""Draws at once."""

Draws = NDArray[np.int64]
Sampler = Callable[[Fraction, int], Draws]


def upper(x: float) -> float:
    """Probability of a standard normal number above x."""
    return math.erfc(x / math.sqrt(2)) / 2


def between(low: float, high: float) -> float:
    """Probability of a standard normal number between two others."""
    return upper(low) - upper(high) if low > 0 else upper(-high) - upper(-low)


def chi_square_bound(degrees: int) -> float:
    """A chi-square statistic is above this with a probability of at most 1e-9 (Laurent and Massart 2000, Lemma 1)."""
    return degrees + 2 * math.sqrt(degrees * SURPRISE) + 2 * SURPRISE


def surprise(found: int, chance: float, size: int) -> float:
    """Chernoff: a count as far from its mean on its side has a probability of at most exp(-this)."""
    share = found / size
    out = share * math.log(share / chance) if share else 0.0
    return size * (out + ((1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0))


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A chi-square comparison: draws, cells, the statistic and the bound that it must not pass."""

    draws: int
    cells: int
    statistic: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether it fits."""
        return self.statistic < self.bound


def fit(found: NDArray[np.float64], chance: NDArray[np.float64], size: int) -> Fit:
    """Cells of an exact law beside what was found; cells that expect fewer than 50 are put together."""
    thick = chance * size >= 50
    found = np.append(found[thick], found[~thick].sum())
    expected = np.append(chance[thick], chance[~thick].sum()) * size
    if expected[-1] < 50:  # too thin even together: into a cell beside them
        found, expected = _last_two(found), _last_two(expected)
    statistic = float(((found - expected) ** 2 / expected).sum())
    return Fit(draws=size, cells=len(found), statistic=statistic, bound=chi_square_bound(len(found) - 1))


def _last_two(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(values[:-2], values[-2:].sum())


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Draws beyond so many standard deviations, on either side: found, expected, how surprising (nats)."""

    z: float
    found: int
    expected: float
    surprise: float

    @property
    def ok(self) -> bool:
        """Whether it is what one expects."""
        return self.surprise < SURPRISE + math.log(2)


@dataclass(frozen=True, kw_only=True)
class Law:
    """How draws of one sigma compare with round(N(0, sigma^2))."""

    sigma: float
    body: Fit
    tails: tuple[Tail, ...]

    @property
    def ok(self) -> bool:
        """Whether body and tails fit; a false alarm with a probability of at most 1e-9 for each of them."""
        return self.body.ok and all(tail.ok for tail in self.tails)


def law(sigma: float, size: int, sampler: Sampler = rounded_gaussian, beyond: tuple[float, ...] = (4.0, 5.0)) -> Law:
    """Draws beside the exact probabilities of about 120 cells, and of both tails."""
    cuts = np.array(sorted({math.floor(4.5 * sigma * (i / 60 - 1)) for i in range(121)}), dtype=np.int64)
    edges = [-math.inf, *((int(cut) + 0.5) / sigma for cut in cuts), math.inf]
    chance = np.array([between(a, b) for a, b in itertools.pairwise(edges)])
    found = np.zeros(len(chance), dtype=np.int64)
    reach = {z: math.floor(z * sigma) for z in beyond}
    far = dict.fromkeys(beyond, 0)
    for part in _parts(size):
        draws = sampler(grid_sigma(sigma), part)
        found += np.bincount(np.searchsorted(cuts, draws, side="left"), minlength=len(chance))
        for z in beyond:
            far[z] += int((np.abs(draws) > reach[z]).sum())
    tails = []
    for z in beyond:
        p = 2 * upper((reach[z] + 0.5) / sigma)
        tails.append(Tail(z=z, found=far[z], expected=p * size, surprise=surprise(far[z], p, size)))
    return Law(sigma=sigma, body=fit(found.astype(np.float64), chance, size), tails=tuple(tails))


def _parts(size: int) -> Iterator[int]:
    while size > 0:
        yield min(size, CHUNK)
        size -= CHUNK


def shell(k: int, lanes: int) -> Fit:
    """The part of the law between k and k + 1 standard deviations, however rare it is.

    The sampler draws the whole part k first (`whole_part_tests` shows its law) and then, given k, keeps a uniform
    x with the probability exp(-x (2k + x) / 2). Here k is given to all lanes, and 32 cells of x, and the lanes that
    give up, are held against that density: what would take 10^30 draws at 12 sigma takes a million.
    """
    found = np.zeros(33)
    for part in _parts(lanes):
        deviates = noise._Deviates()
        whole = np.full(part, k, dtype=np.int64)
        fraction, tails = deviates.words(part), noise.Tails()
        kept = noise._accepted(whole, fraction, tails, deviates)
        found[:32] += np.bincount((fraction[kept] >> np.uint64(59)).astype(np.int64), minlength=32)
        found[32] += part - len(kept)
    inside = np.array([_mass(k, j / 32, (j + 1) / 32) for j in range(32)])
    return fit(found, np.append(inside, 1 - inside.sum()), lanes)


def _mass(k: int, low: float, high: float) -> float:
    """Integral of exp(-x (2k + x) / 2); Gauss and Legendre with 12 nodes, exact to 1e-15 on these short intervals."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    x = (low + high) / 2 + nodes * (high - low) / 2
    return float((weights * np.exp(-x * (2 * k + x) / 2)).sum() * (high - low) / 2)


def whole_part_tests(most: int, trial: Callable[[Any], Any]) -> list[int]:
    """How many trials of probability exp(-1/2) a lane must pass to have the whole part k, for k up to `most`.

    trial(script) must put the script in the place of `noise._half_exponential`. A lane has the law exp(-k^2 / 2) if
    the number is k + k (k - 1), one failed trial that ends the growth aside, and if any failure among the others drops
    it. Raises AssertionError where a failure goes unnoticed.
    """
    needed = []
    for k in range(most + 1):
        asked = _scripted(k, None, trial)
        needed.append(asked - 1)
        for wrong in {k + 1, k + 1 + (k * (k - 1)) // 2, k * k} if k > 1 else set():
            _scripted(k, wrong, trial)
    return needed


def _scripted(k: int, wrong: int | None, trial: Callable[[Any], Any]) -> int:
    asked = 0

    def answers(size: int, _: Any) -> NDArray[np.bool_]:
        nonlocal asked
        assert size == 1
        asked += 1
        return np.array([asked - 1 != k and asked - 1 != wrong])  # the trial k, from 0, ends the growth

    trial(answers)
    whole = noise._whole_parts(1, noise._Deviates())
    assert whole.tolist() == ([k] if wrong is None else []), (k, wrong)
    return asked


def half_exponential(size: int) -> float:
    """How surprising (nats) the number of passed trials of probability exp(-1/2) is, among so many."""
    passed = sum(int(noise._half_exponential(part, noise._Deviates()).sum()) for part in _parts(size))
    return surprise(passed, math.exp(-0.5), size)


@dataclass(frozen=True, kw_only=True)
class Coins:
    """The most conspicuous of many comparisons of coins: z is in standard deviations, bound what it must not pass."""

    draws: int
    comparisons: int
    z: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether the draws look independent."""
        return self.z < self.bound


def independence(size: int, sampler: Sampler = rounded_gaussian, lags: int = 64) -> Coins:
    """Three fair coins of every draw (sign; magnitude above its median; lowest bit) against those of later draws.

    Lags up to `lags`, and those about the sizes of batches, at which one lane of the sampler meets another. If draws
    are independent, products of coins are fair coins too, and Hoeffding's bound holds for each sum; all comparisons
    together raise a false alarm with a probability of at most 1e-9.
    """
    sigma = 2.0**40
    batch = noise._BATCH
    accepted = round(batch * 0.49)
    far = sorted({batch // 2, batch, batch + 1, *range(accepted - 2, accepted + 3)})
    draws = sampler(grid_sigma(sigma), size)
    median = 0.6744897501960817 * sigma
    coins = [
        np.where(draws < 0, -1, 1).astype(np.int8),
        np.where(np.abs(draws) < median, -1, 1).astype(np.int8),
        np.where(draws & 1 == 0, -1, 1).astype(np.int8),
    ]
    worst, comparisons = 0.0, 0
    for lag in (0, *range(1, lags + 1), *(lag for lag in far if lag < size // 2)):
        for i, j in itertools.product(range(3), repeat=2):
            if lag == 0 and i >= j:
                continue
            product = coins[i][: size - lag] * coins[j][lag:]
            total = int(product.sum(dtype=np.int64))
            worst = max(worst, abs(total) / math.sqrt(size - lag))
            comparisons += 1
    bound = math.sqrt(2 * (SURPRISE + math.log(2 * comparisons)))
    return Coins(draws=size, comparisons=comparisons, z=worst, bound=bound)


def textbook(sigma: int, size: int, dice: random.Random) -> Draws:
    """Discrete Gaussian draws by the algorithm of Canonne, Kamath and Steinke (2020), one by one, in whole numbers.

    Written from the paper for this comparison, sharing nothing with our sampler but the operating system's bits.
    """
    variance, t = sigma * sigma, sigma + 1

    def bernoulli_exp_below_one(top: int, bottom: int) -> bool:
        k = 1
        while dice.randrange(bottom * k) < top:
            k += 1
        return k % 2 == 1

    def bernoulli_exp(top: int, bottom: int) -> bool:
        while top > bottom:
            if not bernoulli_exp_below_one(1, 1):
                return False
            top -= bottom
        return bernoulli_exp_below_one(top, bottom)

    def laplace() -> int:
        while True:
            u = dice.randrange(t)
            if not bernoulli_exp_below_one(u, t):
                continue
            v = 0
            while bernoulli_exp_below_one(1, 1):
                v += 1
            value, negative = u + t * v, dice.randrange(2) == 1
            if not (negative and value == 0):
                return -value if negative else value

    out = np.empty(size, dtype=np.int64)
    for at in range(size):
        while True:
            y = laplace()
            # exp(-(|y| - variance / t)^2 / (2 variance))
            if bernoulli_exp((abs(y) * t - variance) ** 2, 2 * variance * t * t):
                break
        out[at] = y
    return out


def two_samples(first: Draws, second: Draws, sigma: float) -> Fit:
    """Chi-square of two samples, perhaps of different sizes, coming from one law; 52 inner cells of sigma / 8."""
    edges = np.arange(-26, 27) * sigma / 8
    a, b = (
        np.bincount(np.searchsorted(edges, draws), minlength=len(edges) + 1).astype(np.float64)
        for draws in (first, second)
    )
    n, m = len(first), len(second)
    statistic = float(((a * math.sqrt(m / n) - b * math.sqrt(n / m)) ** 2 / (a + b)).sum())
    return Fit(draws=n + m, cells=len(a), statistic=statistic, bound=chi_square_bound(len(a) - 1))
