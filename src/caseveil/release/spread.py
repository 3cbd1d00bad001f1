"""How far a count taken from the records may lie from the truth, made from published counts and their intervals alone.

Combinations longer than those published, and "one or more of these" within a set column, have no interval of their
own: the explorer counts them in the records and gives them this band, by size. Counts across the link have bands of
their own, one for each thing counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import ANY, LINKS, VICTIMS, LinkCounts

Ints = NDArray[np.int64]

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
    behind = _longest(np.asarray(counts.length, dtype=np.int64))
    return _band(counts.count[behind], counts.lower[behind], counts.upper[behind], rows)


def link_spreads(counts: LinkCounts, people: int, owner: NDArray[np.int64]) -> dict[str, Spread]:
    """A band for each kind of count across the link that counts whole links or whole people.

    people: number of records of people. owner: (links,) the record of people that each linked record belongs to.
    As `spread`, by kind. Links come in bunches, all those of one person together, so drawing them at random is less
    even than drawing people: the variance of that part is as many times larger as sum m^2 / sum m says, m being the
    number of links of a person.
    """
    numbers = np.bincount(np.asarray(owner, np.intp)).astype(np.float64)
    bunch = float((numbers**2).sum() / max(1.0, numbers.sum()))
    length = np.array([len(json.loads(text)) for text in counts.combination], dtype=np.int64)
    of = np.asarray(counts.of, dtype=object)
    found: dict[str, Spread] = {}
    for kind, rows, weight in ((LINKS, len(owner), bunch), (ANY, people, 1.0), (VICTIMS, people, 1.0)):
        here = np.flatnonzero(of == kind)
        here = here[_longest(length[here])]
        found[kind] = _band(counts.count[here], counts.lower[here], counts.upper[here], rows, weight)
    return found


def _band(count: Ints, lower: Ints, upper: Ints, rows: int, weight: float = 1.0) -> Spread:
    """weight: how many times larger the variance of drawing at random is than that of drawing one by one."""
    count = np.asarray(count, dtype=np.int64)
    arm = np.maximum(upper - count, count - lower).astype(np.float64)
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
    drawn = (_Z * math.sqrt(weight * max(0.0, size * (1.0 - size / max(rows, 1)))) for size in sizes)
    halves = [math.hypot(points[size], part) for size, part in zip(sizes, drawn, strict=True)]
    return Spread(size=tuple(sizes), half=tuple(np.ceil(np.maximum.accumulate(halves)).astype(int).tolist()))


def _longest(length: Ints) -> NDArray[np.bool_]:
    """The published combinations of the greatest length that has enough of them; all of them where none has."""
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
