"""How far a count taken from the records may lie from the truth, made from published counts and their intervals alone.

Combinations longer than those published, and "one or more of these" within a set column, have no interval of their
own: the explorer counts them in the records and gives them this band, by size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from caseveil.synthesis.counts import PublishedCounts

BEHIND = 40
"""Published combinations that stand behind every point of a band, where there are so many."""

SHARE = 0.75
"""A band is as wide as this share of the published intervals of its size reach at most."""

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Half-widths of a band of about 95%, by how many records there are. Sizes rise, half-widths do not fall.

    size: numbers of records, 1 or more. half: people (or links) on either side. Between two sizes half is to be
    interpolated in the logarithm of the size; beyond the first and the last the nearest holds. Both are empty where
    nothing was published: nothing can be told then.
    """

    size: tuple[int, ...]
    half: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.size) != len(self.half):
            raise ValueError("a band must have one half-width per size")
        if any(a >= b for a, b in zip(self.size, self.size[1:], strict=False)) or (self.size and self.size[0] < 1):
            raise ValueError("sizes of a band must rise from 1 or more")
        if any(a > b for a, b in zip(self.half, self.half[1:], strict=False)) or (self.half and self.half[0] < 0):
            raise ValueError("half-widths of a band must not fall")

    def at(self, count: NDArray[np.int64]) -> NDArray[np.float64]:
        """Half-width at each number of records, infinite where nothing was published."""
        if not self.size:
            return np.full(np.shape(count), np.inf)
        return np.interp(np.log(np.maximum(count, 1)), np.log(self.size), np.array(self.half, dtype=np.float64))


def spread(counts: PublishedCounts, rows: int) -> Spread:
    """The band of one table. rows: its number of records.

    Approximate, for no measurement speaks of a longer combination. Two things are added in quadrature:
    how far the truth may lie from published counts of the longest length and about this size, which holds both how far
    records lie from the measurements and the noise of these, taken as the SHARE quantile of the longer arm of their
    intervals; and 1.96 standard deviations of drawing that many of `rows` records at random (binomial), since
    nothing pulled the records towards a combination that was not measured.
    The records are closer to the truth than the measurements one by one, so the band is wider than need be for small
    counts, most of all where epsilon is small. docs/decisions/0006-band-of-the-explorer.md has how often it held the
    truth on invented data.
    """
    behind = _longest(counts)
    count = np.asarray(counts.count, dtype=np.int64)[behind]
    arm = np.maximum(counts.upper - counts.count, counts.count - counts.lower).astype(np.float64)[behind]
    points: dict[int, float] = {}
    for inside in _groups(count):
        points[_middle(count[inside])] = float(np.quantile(arm[inside], SHARE))
    if not points:
        return Spread(size=(), half=())
    last = max(points)
    while last < rows:  # beyond the largest published one only the second part grows
        last = min(2 * last, rows)
        points[last] = points[max(points)]
    sizes = sorted(points)
    halves = [math.hypot(points[size], _Z * math.sqrt(max(0.0, size * (1.0 - size / max(rows, 1))))) for size in sizes]
    return Spread(size=tuple(sizes), half=tuple(np.ceil(np.maximum.accumulate(halves)).astype(int).tolist()))


def _longest(counts: PublishedCounts) -> NDArray[np.bool_]:
    """The published combinations of the greatest length that has enough of them; all of them where none has."""
    length = np.asarray(counts.length, dtype=np.int64)
    enough = [size for size in set(length.tolist()) if int((length == size).sum()) >= BEHIND]
    return length == max(enough) if enough else np.ones(len(length), dtype=bool)


def _groups(count: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
    """Counts of about equal size: from one power of two to another, as far apart as BEHIND of them need."""
    octave = np.log2(np.maximum(count, 1)).astype(np.int64)
    start = 0
    for end in sorted(set((octave + 1).tolist())):
        inside = (octave >= start) & (octave < end)
        rest = int((octave >= end).sum())
        if not rest or (int(inside.sum()) >= BEHIND and rest >= BEHIND):
            yield inside
            start = end


def _middle(count: NDArray[np.int64]) -> int:
    """Their geometric mean."""
    return max(1, round(math.exp(float(np.log(np.maximum(count, 1)).mean()))))
