"""The noise has exactly the distribution that is charged for: too little fails, and so does too much.

Statistical tests have a false-alarm rate of at most 1e-9 each (chi-square statistics by the Laurent and Massart
bound, counts by the Chernoff bound) and are never rerun.
"""

import ast
import itertools
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.errors import PlanError
from caseveil.privacy import noise
from caseveil.privacy.noise import _Deviates, _draw, grid_sigma, rounded_gaussian

SOURCE = Path(noise.__file__).parent
SURPRISE = math.log(1e9)
"""The tests fail when something less likely than exp(-SURPRISE) happens."""

Draws = NDArray[np.int64]


def upper(x: float) -> float:
    """Probability of a standard normal number above x."""
    return math.erfc(x / math.sqrt(2)) / 2


def between(low: float, high: float) -> float:
    return upper(low) - upper(high) if low > 0 else upper(-high) - upper(-low)


def chi_square_excess(draws: Draws, sigma: float, cells: int = 60) -> float:
    """Chi-square statistic against round(N(0, sigma^2)), minus its bound. Negative: fits."""
    spread = [3.7 * (2 * (i + 0.5) / cells - 1) for i in range(cells)]
    cuts = sorted({math.floor(z * sigma) for z in spread})  # cells: m <= cut, and above the last one
    edges = [-math.inf, *((cut + 0.5) / sigma for cut in cuts), math.inf]
    chance = np.array([between(a, b) for a, b in itertools.pairwise(edges)])
    found = np.bincount(np.searchsorted(np.array(cuts), draws, side="left"), minlength=len(chance))
    thin = int(np.searchsorted(np.cumsum(chance) * len(draws), 50))  # cells at each end that are put together
    chance, found = fold(chance, thin), fold(found.astype(np.float64), thin)
    expected = chance * len(draws)
    statistic = float((((found - expected) ** 2) / expected).sum())
    degrees = len(expected) - 1
    return statistic - (degrees + 2 * math.sqrt(degrees * SURPRISE) + 2 * SURPRISE)


def fold(values: NDArray[np.float64], thin: int) -> NDArray[np.float64]:
    end = len(values) - thin - 1
    return np.array([values[: thin + 1].sum(), *values[thin + 1 : end], values[end:].sum()])


def surprise(found: int, chance: float, size: int) -> float:
    """Chernoff: exp(-this) bounds the probability of a count as far from its mean, on its side."""
    share = found / size
    out = 0.0
    if share > 0:
        out += share * math.log(share / chance)
    if share < 1:
        out += (1 - share) * math.log((1 - share) / (1 - chance))
    return size * out


SIGMAS = [0.25, 0.5, 1.0, 3.7, 100.0, 12345.6, 2.0**31 + 0.5, 2.0**49 + 1]


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_distribution_is_the_rounded_gaussian(sigma: float) -> None:
    draws = rounded_gaussian(grid_sigma(sigma), 300_000)
    assert chi_square_excess(draws, sigma) < 0


@pytest.mark.parametrize("factor", [0.8, 0.97, 1.03, 1.2])
@pytest.mark.parametrize("sigma", [0.5, 3.7, 12345.6])
def test_another_sigma_is_noticed(sigma: float, factor: float) -> None:
    draws = rounded_gaussian(grid_sigma(sigma * factor), 300_000)
    assert chi_square_excess(draws, sigma) > 0


def test_the_noise_is_not_a_continuous_gaussian_cut_towards_zero() -> None:
    draws = np.trunc(rounded_gaussian(grid_sigma(3.7e6), 300_000) / 1e6).astype(np.int64)
    assert chi_square_excess(draws, 3.7) > 0


def test_the_tails_are_there() -> None:
    size = 1_000_000
    draws = np.abs(rounded_gaussian(grid_sigma(1000.0), size))
    for z in (3.0, 4.0, 4.5):
        found = int((draws > 1000 * z).sum())
        assert surprise(found, 2 * upper(z + 0.0005), size) < SURPRISE
    assert draws.max() > 4000


def test_a_tail_cut_at_four_sigma_would_be_noticed() -> None:
    assert surprise(0, 2 * upper(4.0), 1_000_000) > SURPRISE


def test_mean_variance_and_neighbours() -> None:
    """Means of n independent numbers, within 6.2 standard errors (5.6e-10, two-sided normal)."""
    size, sigma = 400_000, 50.0
    draws = rounded_gaussian(grid_sigma(sigma), size) / sigma
    assert abs(draws.mean()) < 6.2 / math.sqrt(size)
    assert abs((draws**2).mean() - 1 - 1 / (12 * sigma**2)) < 6.2 * math.sqrt(2 / size)
    assert abs((draws[1:] * draws[:-1]).mean()) < 6.2 / math.sqrt(size)


def test_low_bits_are_as_random_as_they_should_be() -> None:
    """With a large sigma the last bits are uniform; a grid of floats or of first words would show here."""
    draws = rounded_gaussian(grid_sigma(2.0**49 + 12345), 200_000)
    found = np.bincount((draws & 255).astype(np.int64), minlength=256)
    expected = len(draws) / 256
    statistic = float(((found - expected) ** 2 / expected).sum())
    assert statistic < 255 + 2 * math.sqrt(255 * SURPRISE) + 2 * SURPRISE


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("sigma", [0.5, 37.0])
def test_words_of_a_few_bits_give_the_same_distribution(width: int, sigma: float) -> None:
    """With words of w bits a comparison ties once in 2^w: the path that is never seen with 64 bits."""
    draws = _draw((grid_sigma(sigma),), (12_000,), _Deviates(width=width))
    assert chi_square_excess(draws, sigma, cells=20) < 0


class TiesAreLost(_Deviates):
    """A fault: a comparison of equal words is not settled by further words."""

    def _tail_below(self, left: list[int], right: list[int]) -> bool:
        return False


class TailsAreForgotten(_Deviates):
    """A fault: the floor is that of the first word alone."""

    def _floor(self, factor: int, word: int, tail: list[int]) -> int:
        return (factor * (word >> (64 - self.width))) >> self.width


@pytest.mark.parametrize("fault", [TiesAreLost, TailsAreForgotten])
def test_faults_on_the_rare_path_are_noticed(fault: Callable[..., _Deviates]) -> None:
    draws = _draw((grid_sigma(37.0),), (60_000,), fault(width=1))
    assert chi_square_excess(draws, 37.0, cells=20) > 0


def feed(monkeypatch: pytest.MonkeyPatch, *words: int) -> list[int]:
    """Let the next random words be these; what is left over can be looked at."""
    left = list(words)

    def take(size: int) -> NDArray[np.uint64]:
        return np.array([left.pop(0) for _ in range(size)], dtype=np.uint64)

    monkeypatch.setattr(noise, "_random_words", take)
    return left


def test_a_tie_is_settled_by_further_words_that_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    left = feed(monkeypatch, 5, 9, 7, 7, 8, 6)
    tails: dict[int, list[int]] = {}
    word = np.array([5, 3], dtype=np.uint64)
    below, fresh, fresh_tails = _Deviates().fresh_below(np.array([10, 20]), word, tails)
    assert below.tolist() == [False, False]
    assert (fresh.tolist(), fresh_tails, tails, left) == ([5, 9], {10: [7, 8]}, {10: [7, 6]}, [])
    feed(monkeypatch, 5, 2, 7, 5)
    below, _, fresh_tails = _Deviates().fresh_below(np.array([10, 20]), word, tails)
    assert below.tolist() == [True, True]
    assert (fresh_tails, tails) == ({10: [7, 5]}, {10: [7, 6]})


@pytest.mark.parametrize(("tail", "floor"), [([0x5555555555555554], 0), ([0x5555555555555556], 1)])
@pytest.mark.parametrize("undecided", [0, 1, 2])
def test_a_floor_next_to_a_whole_number_asks_for_more(
    monkeypatch: pytest.MonkeyPatch, tail: list[int], floor: int, undecided: int
) -> None:
    """One third in binary is 0101...: with these words the multiple by 3 is just below or above 1."""
    third = 0x5555555555555555
    left = feed(monkeypatch, *[third] * undecided, *tail)
    tails: dict[int, list[int]] = {}
    out = _Deviates().floor_of_multiple(
        np.array([3], dtype=np.uint64), np.array([0]), np.array([third], dtype=np.uint64), tails
    )
    assert (out.tolist(), left) == ([floor], [])
    assert tails == {0: [third] * undecided + tail}


@pytest.mark.parametrize("width", [1, 3, 11, 64])
def test_floors_agree_with_fractions(width: int) -> None:
    maker = random.Random(width)
    chosen = [1, 2, 3, 2**32 - 1, 2**32, 2**54 - 2, *(maker.randrange(1, 2**54) for _ in range(60))]
    factor = np.array(chosen, dtype=np.uint64)
    deviates = _Deviates(width=width)
    word = deviates.words(len(factor))
    tails: dict[int, list[int]] = {}
    out = deviates.floor_of_multiple(factor, np.arange(len(factor)), word, tails)
    for lane, value in enumerate(out.tolist()):
        low, step = Fraction(0), Fraction(1)
        for digit in (int(word[lane]), *tails.get(lane, [])):
            step /= 2**width
            low += (digit >> (64 - width)) * step
        assert value <= chosen[lane] * low
        assert chosen[lane] * (low + step) <= value + 1


def test_high_words_agree_with_whole_numbers() -> None:
    maker = random.Random(1)
    edge = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
    a = [maker.choice([*edge, maker.randrange(2**64)]) for _ in range(500)]
    b = [maker.choice([*edge, maker.randrange(2**64)]) for _ in range(500)]
    out = noise._high_word(np.array(a, np.uint64), np.array(b, np.uint64))
    assert out.tolist() == [(x * y) >> 64 for x, y in zip(a, b, strict=True)]


def test_bernoulli_trials_have_probability_exp_of_minus_one_half() -> None:
    size = 400_000
    for width in (64, 8):
        found = int(noise._half_exponential(size, _Deviates(width=width)).sum())
        assert surprise(found, math.exp(-0.5), size) < SURPRISE


@pytest.mark.parametrize("size", [0, 1, 2, 1000, 70_000])
def test_as_many_as_asked_for(size: int) -> None:
    draws = rounded_gaussian(Fraction(1000), size)
    assert (draws.shape, draws.dtype) == ((size,), np.int64)


def test_grid_sigma_is_never_smaller_and_hardly_larger() -> None:
    for sigma in (1e-9, 0.2, 0.25, 0.3, 1.1, 44.4321, 2.0**31 - 0.1, 1e15):
        grid = grid_sigma(sigma)
        assert grid >= Fraction(sigma)
        assert float(grid) == max(sigma, 0.25)
        assert len(rounded_gaussian(grid, 3)) == 3


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.inf, math.nan, 2.0**50])
def test_an_impossible_sigma_is_refused_in_words(sigma: float) -> None:
    with pytest.raises(PlanError, match=r"sigma \(.*\), must be above 0 and below 2\^50; raise epsilon"):
        grid_sigma(sigma)


@pytest.mark.parametrize("sigma", [Fraction(1, 3), Fraction(0), Fraction(-1), Fraction(2**53), Fraction(2**50)])
def test_a_sigma_off_the_grid_is_refused(sigma: Fraction) -> None:
    with pytest.raises(ValueError, match="grid_sigma"):
        rounded_gaussian(sigma, 1)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        rounded_gaussian(Fraction(1), -1)


def test_no_seed_of_anybody_repeats_the_noise() -> None:
    draws = []
    for _ in range(2):
        random.seed(7)
        np.random.seed(7)
        draws.append(rounded_gaussian(Fraction(2**40), 100).tolist())
    assert draws[0] != draws[1]


def test_two_processes_draw_different_noise() -> None:
    program = (
        "from fractions import Fraction; from caseveil.privacy.noise import rounded_gaussian as draw;"
        "print(draw(Fraction(2**40), 50).tolist())"
    )
    said = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=here()).stdout
        for _ in range(2)
    }
    assert len(said) == 2


def here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE.parents[1])}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_draws_different_noise() -> None:
    rounded_gaussian(Fraction(1000), 5000)  # whatever was kept would be inherited
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writable, repr(rounded_gaussian(Fraction(2**40), 20).tolist()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        said = pipe.read().decode()
    assert said.startswith("[")
    assert said != repr(rounded_gaussian(Fraction(2**40), 20).tolist())


def test_every_random_bit_comes_from_the_operating_system() -> None:
    """No other generator is imported or named in the room."""
    for path in SOURCE.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in imported if "random" in name}
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "random"]
