"""Exact Gaussian noise, rounded to whole numbers: round(N(0, sigma^2)), bit for bit from the operating system.

The method is Karney, "Sampling exactly from the normal distribution", ACM TOMS 42(1), 2016, algorithms N, H
and B, done on many lanes at once. A real number in (0, 1), a deviate, is a first word and a tail of further
words that is drawn only when a decision needs it, so every comparison and every floor is that of the true
real number: no floating point, no grid, no truncation. Randomness is `os.urandom` and nothing else. There is
no seed and nothing is kept between calls, so forked processes never share noise.

Correctness: docs/proofs/rounded-gaussian.md.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import NoRandomness, PlanError

Words = NDArray[np.uint64]
Lanes = NDArray[np.int64]
Tails = dict[int, list[int]]
"""Further words of the deviates of the few lanes that needed them, by lane."""

SMALLEST_SIGMA = 0.25
LARGEST_SIGMA = 2.0**50

_BATCH = 1 << 15  # lanes at once: the working arrays stay in the cache
_LARGEST_K = 255  # a larger whole part would not fit 64 bits; its probability is below exp(-32000)
_U32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ONE_HALF = np.uint64(1 << 63)


def grid_sigma(sigma: float) -> Fraction:
    """The standard deviation that `rounded_gaussian` uses where `sigma` is wanted: never smaller.

    Every float from 1/4 up to 2^50 stands for itself, exactly; smaller ones are raised to 1/4.
    Raises PlanError for a sigma that is not a positive number below 2^50.
    """
    if not (math.isfinite(sigma) and 0 < sigma < LARGEST_SIGMA):
        raise PlanError(
            f"the noise of a count, sigma ({sigma:g}), must be above 0 and below 2^50; "
            f"raise epsilon, or count shorter combinations of columns with fewer values"
        )
    return Fraction(max(float(sigma), SMALLEST_SIGMA))


def rounded_gaussian(sigma: Fraction, size: int) -> NDArray[np.int64]:
    """`size` independent exact draws of round(N(0, sigma^2)).

    sigma is in the units of the integers that the noise is added to, and must come from `grid_sigma` (a
    fraction below 2^50 whose denominator is a power of two, with at most 53 significant bits).
    Added to integers, this is the Gaussian mechanism rounded to the nearest integer, so it loses no more
    privacy than that (docs/proofs/rounded-gaussian.md).
    """
    return rounded_gaussians((sigma,), (size,))


def rounded_gaussians(sigmas: Sequence[Fraction], sizes: Sequence[int]) -> NDArray[np.int64]:
    """sizes[0] draws of round(N(0, sigmas[0]^2)), then sizes[1] of the next, and so on; all independent.

    One call for many tables is much faster than one each. Each sigma must come from `grid_sigma`.
    """
    return _draw(sigmas, sizes, _Deviates())


def _draw(sigmas: Sequence[Fraction], sizes: Sequence[int], deviates: _Deviates) -> NDArray[np.int64]:
    for sigma in sigmas:
        bits = sigma.denominator
        if not 0 < sigma.numerator < 2**53 or bits > 2**60 or bits & (bits - 1) or sigma >= LARGEST_SIGMA:
            raise ValueError("sigma must come from grid_sigma")
    if any(size < 0 for size in sizes):
        raise ValueError("sizes must be 0 or more")
    repeats = np.array(sizes, dtype=np.intp)
    numerator = np.repeat(np.array([sigma.numerator for sigma in sigmas], dtype=np.int64), repeats)
    denominator = np.repeat(np.array([sigma.denominator for sigma in sigmas], dtype=np.int64), repeats)
    size = len(numerator)
    out = np.empty(size, dtype=np.int64)
    filled = 0
    while filled < size:
        # About half the lanes are accepted. Which ones are kept depends on their order, never on their values.
        lanes = min(_BATCH, 2 * (size - filled) + 64)
        drawn = _batch(lanes, numerator[filled:], denominator[filled:], deviates)
        out[filled : filled + len(drawn)] = drawn
        filled += len(drawn)
    return out


def _batch(
    size: int, numerator: NDArray[np.int64], denominator: NDArray[np.int64], deviates: _Deviates
) -> NDArray[np.int64]:
    """Rounded draws of the lanes, out of `size`, that are accepted, at most one per sigma; algorithm N.

    The first accepted lane gets the first sigma, numerator[0] / denominator[0], and so on.
    """
    whole = _whole_parts(size, deviates)
    fraction, tails = deviates.words(len(whole)), Tails()
    lanes = _accepted(whole, fraction, tails, deviates)[: len(numerator)]
    whole, fraction = whole[lanes], fraction[lanes]
    numerator, denominator = numerator[: len(lanes)], denominator[: len(lanes)]
    # floor(sigma (k + x) + 1/2) = floor((2 num k + floor(2 num x) + den) / (2 den)): the rest is whole.
    part = deviates.floor_of_multiple((2 * numerator).astype(np.uint64), lanes, fraction, tails)
    magnitude = (whole * (2 * numerator) + part + denominator) // (2 * denominator)
    negative = np.frombuffer(_random_bytes(len(lanes)), dtype=np.uint8) >= 128
    return np.where(negative, -magnitude, magnitude)


def _whole_parts(size: int, deviates: _Deviates) -> NDArray[np.int64]:
    """Whole numbers k with probability proportional to exp(-k^2 / 2), at most `size` of them; steps N1, N2."""
    whole = np.zeros(size, dtype=np.int64)
    growing = np.arange(size, dtype=np.int64)
    while growing.size:
        growing = growing[_half_exponential(growing.size, deviates)]
        whole[growing] += 1
    kept = np.ones(size, dtype=np.bool_)
    testing, tests = np.flatnonzero(whole > 1), 0
    while testing.size:
        passed = _half_exponential(testing.size, deviates)
        kept[testing[~passed]] = False
        tests += 1
        testing = testing[passed]
        testing = testing[whole[testing] * (whole[testing] - 1) > tests]
    whole = whole[kept]
    if whole.max(initial=0) > _LARGEST_K:
        raise OverflowError("the noise does not fit 64 bits")
    return whole


def _half_exponential(size: int, deviates: _Deviates) -> NDArray[np.bool_]:
    """Independent events of probability exp(-1/2) each; algorithm H.

    The length n of the longest run 1/2 > u_1 > u_2 > ... > u_n is even with that probability (von Neumann).
    """
    word, tails = deviates.words(size), Tails()
    even = np.ones(size, dtype=np.bool_)
    running = np.flatnonzero(word < _ONE_HALF)
    word, parity = word[running], False
    while running.size:
        even[running] = parity
        below, word, tails = deviates.fresh_below(running, word, tails)
        running, word, parity = running[below], word[below], not parity
    return even


def _accepted(whole: NDArray[np.int64], fraction: Words, tails: Tails, deviates: _Deviates) -> Lanes:
    """Lanes that pass a test of probability exp(-x (2k + x) / 2), as k + 1 passes of algorithm B; step N4."""
    lanes, passes = np.arange(len(whole), dtype=np.int64), 0
    accepted = np.zeros(len(whole), dtype=np.bool_)
    while lanes.size:
        lanes = lanes[_pass(lanes, whole, fraction, tails, deviates)]
        passes += 1
        done = whole[lanes] < passes
        accepted[lanes[done]] = True
        lanes = lanes[~done]
    return np.flatnonzero(accepted)


def _pass(
    lanes: Lanes, whole: NDArray[np.int64], fraction: Words, tails: Tails, deviates: _Deviates
) -> NDArray[np.bool_]:
    """Events of probability exp(-x (2k + x) / (2k + 2)), one for each lane of `lanes`; algorithm B.

    The longest run x > z_1 > z_2 > ... whose every step also passes a trial of probability
    (2k + x) / (2k + 2) has an even length with that probability.
    """
    even = np.ones(len(whole), dtype=np.bool_)
    running, parity = lanes, True
    word, word_tails = fraction[lanes], tails
    while running.size:
        even[running] = parity
        below, word, word_tails = deviates.fresh_below(running, word, word_tails)
        running, word = running[below], word[below]
        # One of 2k + 2 equal cases: the first 2k pass, the next passes if a fresh deviate is below x.
        twice = 2 * whole[running]
        case = deviates.floor_of_multiple((twice + 2).astype(np.uint64), running, deviates.words(running.size), Tails())
        going = case < twice
        open_cases = np.flatnonzero(case == twice)
        asking = running[open_cases]
        going[open_cases] = deviates.fresh_below(asking, fraction[asking], tails)[0]
        running, word, parity = running[going], word[going], not parity
    return even[lanes]


def _random_words(size: int) -> Words:
    """Words of 64 random bits from the operating system."""
    return np.frombuffer(_random_bytes(8 * size), dtype=np.uint64)


def _random_bytes(size: int) -> bytes:
    """Bytes from the operating system; all that were asked for, as numpy would stretch a single sign over many lanes.

    Raises NoRandomness where the system has none, or gives fewer.
    """
    try:
        drawn = os.urandom(size)
    except (OSError, NotImplementedError) as error:
        raise NoRandomness(
            f"the operating system gives no random numbers ({type(error).__name__}), and noise is made of nothing "
            f"else. Nothing was published; what was charged stays charged. Make the release on another machine"
        ) from error
    if len(drawn) != size:
        raise NoRandomness(
            f"the operating system gave {len(drawn):,} random bytes where {size:,} were asked for, and noise is made "
            f"of nothing else. Nothing was published; what was charged stays charged. Make the release on another "
            f"machine"
        )
    return drawn


@dataclass(frozen=True, kw_only=True)
class _Deviates:
    """Draws deviates, compares them, and takes floors of their multiples, all exactly.

    Words hold `width` random bits at the top of 64. Every width gives the same distribution: 64 is fast,
    and tests use a few bits so that ties, once in 2^64 comparisons, happen all the time.
    """

    width: int = 64

    def words(self, size: int) -> Words:
        """First words of fresh deviates."""
        return _random_words(size) & np.uint64(2**64 - 2 ** (64 - self.width))

    def fresh_below(self, lanes: Lanes, word: Words, tails: Tails) -> tuple[NDArray[np.bool_], Words, Tails]:
        """Draw one fresh deviate per lane: is it below the deviate (word, tails) of that lane?

        Returns the answers, and the fresh deviates. A tie draws further words, on both sides, which stay.
        """
        fresh, fresh_tails = self.words(len(lanes)), Tails()
        below = fresh < word
        for position in np.flatnonzero(fresh == word).tolist():
            lane = int(lanes[position])
            below[position] = self._tail_below(fresh_tails.setdefault(lane, []), tails.setdefault(lane, []))
        return below, fresh, fresh_tails

    def _tail_below(self, left: list[int], right: list[int]) -> bool:
        place = 0
        while True:
            for tail in (left, right):
                if len(tail) == place:
                    tail.append(int(self.words(1)[0]))
            if left[place] != right[place]:
                return left[place] < right[place]
            place += 1

    def floor_of_multiple(self, factor: Words, lanes: Lanes, word: Words, tails: Tails) -> NDArray[np.int64]:
        """floor(factor u) for the deviate u of each lane; factor at least 1 and below 2^54.

        The first word pins u to an interval of length 2^-width. Where the floor is the same over all of it,
        that is the answer; elsewhere further words are drawn.
        """
        product = factor * word  # the 64 bits below the binary point
        out = _high_word(factor, word).astype(np.int64)
        # The tail adds less than `reach` to them: no carry, no doubt.
        reach = int(factor.max(initial=1)) << (64 - self.width)
        unsure = product > np.uint64(2**64 - reach) if reach <= 2**64 else np.ones(len(word), dtype=np.bool_)
        for position in np.flatnonzero(unsure).tolist():
            tail = tails.setdefault(int(lanes[position]), [])
            out[position] = self._floor(int(factor[position]), int(word[position]), tail)
        return out

    def _floor(self, factor: int, word: int, tail: list[int]) -> int:
        shift = 64 - self.width
        prefix, bits = word >> shift, self.width
        place = 0
        while True:
            # u lies in [prefix, prefix + 1) / 2^bits
            low = (factor * prefix) >> bits
            if (factor * (prefix + 1) - 1) >> bits == low:
                return low
            if len(tail) == place:
                tail.append(int(self.words(1)[0]))
            prefix, bits = (prefix << self.width) | (tail[place] >> shift), bits + self.width
            place += 1


def _high_word(a: Words, b: Words) -> Words:
    """The upper 64 of the 128 bits of a product."""
    a_high, a_low, b_high, b_low = a >> _U32, a & _LOW, b >> _U32, b & _LOW
    middle = a_high * b_low + ((a_low * b_low) >> _U32)
    carry = a_low * b_high + (middle & _LOW)
    out: Words = a_high * b_high + (middle >> _U32) + (carry >> _U32)
    return out
