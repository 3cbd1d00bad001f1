"""A release against the rows it was made from. Private: what is computed here says true things about people.

A combination of length k is k distinct attributes, none of them missing; an item of a set column is an attribute.
Counts are in records and never rescaled, so a release with too many records pays for it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.records import Codes

LENGTHS = (1, 2, 3, 4)

MOST_PAIRS = 3000
MOST_LONGER = 600
"""Groups of attributes of one length that are compared: all pairs up to 3,000, and 600 longer ones; of more, so many
are drawn, always the same."""

FREQUENT = 10
"""People from whom on a combination that never occurs in the release counts as lost."""

BANDS = ((1, 9), (10, 99), (100, 999), (1000, None))
"""Bands of the true count, both ends included."""

_DENSE = 1 << 20
_DRAW = 20261123

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Band:
    """Combinations whose true count is from least to most: how many, their mean error in people, the share lost."""

    least: int
    most: int | None
    combinations: int
    mean_error: float
    lost: float


@dataclass(frozen=True, kw_only=True)
class LengthUtility:
    """Records against the truth, over the combinations of one length.

    groups of groups_in_all groups of attributes were compared. combinations: how many occur in the truth or in the
    records; mean_error: mean distance of their counts, in people. lost: share of the combinations of FREQUENT people or
    more that no record has. made_up: share of the combinations in the records that nobody has; made_up_weight counts
    each by its records.
    """

    length: int
    groups: int
    groups_in_all: int
    combinations: int
    mean_error: float
    lost: float
    made_up: float
    made_up_weight: float
    bands: tuple[Band, ...]


@dataclass(frozen=True, kw_only=True)
class CountsUtility:
    """Published counts against the truth, over the combinations of one length.

    mean_error is over those that are published or true, an unpublished one counting as 0; mean_error_published over the
    published alone. inside: share of published intervals that hold the truth. lost and made_up as in LengthUtility.
    """

    length: int
    groups: int
    groups_in_all: int
    published: int
    mean_error: float
    mean_error_published: float
    inside: float
    lost: float
    made_up: float


@dataclass(frozen=True, kw_only=True)
class TableUtility:
    """One table of a release against the truth."""

    table: str
    people: int
    records: int
    lengths: tuple[LengthUtility, ...]
    counts: tuple[CountsUtility, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class CodedCounts:
    """Published counts as numbers: for each, (attribute, code) pairs in rising order, and its interval."""

    combinations: Sequence[tuple[tuple[int, int], ...]]
    count: Ints
    lower: Ints
    upper: Ints


def compared(domain: Domain, length: int) -> tuple[list[Clique], int]:
    """The groups of attributes of one length that are compared, and how many there are in all."""
    in_all = math.comb(len(domain), length)
    most = MOST_PAIRS if length <= 2 else MOST_LONGER
    if in_all <= most or length == 1:
        return list(domain.cliques(length)), in_all
    rng = np.random.default_rng((_DRAW, length, len(domain)))
    if in_all <= 1_000_000:
        chosen = set(rng.choice(in_all, most, replace=False).tolist())
        return [clique for place, clique in enumerate(domain.cliques(length)) if place in chosen], in_all
    drawn: set[Clique] = set()
    while len(drawn) < most:
        drawn.add(tuple(sorted(rng.choice(len(domain), length, replace=False).tolist())))
    return sorted(drawn), in_all


def table_utility(
    name: str, truth: Codes, records: Codes, domain: Domain, counts: CodedCounts, lengths: Sequence[int] = LENGTHS
) -> TableUtility:
    """Records and published counts of one table against its true rows; all in codes of the same domain."""
    sides = (_collapse(truth), _collapse(records))
    by_clique = _by_clique(counts)
    longest = max((len(clique) for clique in by_clique), default=0)
    return TableUtility(
        table=name,
        people=len(truth),
        records=len(records),
        lengths=tuple(_of_length(sides, domain, length) for length in lengths if length <= len(domain)),
        counts=tuple(_of_counts(sides[0], domain, counts, by_clique, length) for length in range(1, longest + 1)),
    )


@dataclass(frozen=True)
class _Side:
    """Distinct rows, a column each, and how many rows each stands for."""

    columns: list[Ints]
    weights: NDArray[np.float64]

    def flat(self, clique: Clique, domain: Domain) -> tuple[Ints, NDArray[np.float64]]:
        """Positions in the table of the clique, of the rows in which nothing of it is missing, and their weights."""
        present = np.logical_and.reduce([self.columns[i] > 0 for i in clique])
        out = np.zeros(int(present.sum()), np.int64)
        for i in clique:
            out = out * domain.sizes[i] + self.columns[i][present]
        return out, self.weights[present]


def _collapse(codes: Codes) -> _Side:
    distinct, weights = np.unique(codes, axis=0, return_counts=True)
    return _Side([np.ascontiguousarray(column, np.int64) for column in distinct.T], weights.astype(np.float64))


def _side_by_side(truth: _Side, other: _Side, clique: Clique, domain: Domain) -> tuple[Ints, Ints]:
    """People in the truth and in the other, for every combination of the clique that occurs in either."""
    (a, on_a), (b, on_b) = truth.flat(clique, domain), other.flat(clique, domain)
    cells = domain.cells(clique)
    if cells > _DENSE:  # too many to lay out: only the combinations that occur are numbered
        found, place = np.unique(np.concatenate([a, b]), return_inverse=True)
        place = place.reshape(-1)
        a, b, cells = place[: len(a)], place[len(a) :], len(found)
    true = np.rint(np.bincount(np.asarray(a, np.intp), on_a, cells)).astype(np.int64)
    made = np.rint(np.bincount(np.asarray(b, np.intp), on_b, cells)).astype(np.int64)
    used = (true > 0) | (made > 0)
    return true[used], made[used]


def _of_length(sides: tuple[_Side, _Side], domain: Domain, length: int) -> LengthUtility:
    cliques, in_all = compared(domain, length)
    tally = Tally()
    for clique in cliques:
        tally.add(*_side_by_side(*sides, clique, domain))
    return LengthUtility(
        length=length,
        groups=len(cliques),
        groups_in_all=in_all,
        combinations=tally.combinations,
        mean_error=_share(tally.error, tally.combinations),
        lost=_share(tally.lost, tally.frequent),
        made_up=_share(tally.made_up, tally.made),
        made_up_weight=_share(tally.made_up_weight, tally.weight),
        bands=tally.bands(),
    )


class Tally:
    """Adds up the comparison of true with other counts, over the combinations that occur in either."""

    def __init__(self) -> None:
        self.combinations = self.frequent = self.lost = self.made = self.made_up = 0
        self.error = self.weight = self.made_up_weight = 0.0
        self._bands = np.zeros((len(BANDS), 3))  # combinations, error, never in the other

    def add(self, true: NDArray[np.int64], other: NDArray[np.int64] | NDArray[np.float64]) -> None:
        """Adds cells; where both are 0 they do not count."""
        used = (true > 0) | (other > 0)
        true, other = true[used], other[used]
        distance = np.abs(other - true)
        lost, made_up = other == 0, true == 0
        often = true >= FREQUENT
        self.combinations += len(true)
        self.error += float(distance.sum())
        self.frequent += int(often.sum())
        self.lost += int((often & lost).sum())
        self.made += int((~lost).sum())
        self.made_up += int(made_up.sum())
        self.weight += float(other.sum())
        self.made_up_weight += float(other[made_up].sum())
        for row, (least, most) in zip(self._bands, BANDS, strict=True):
            here = (true >= least) & (true <= (np.iinfo(np.int64).max if most is None else most))
            row += (here.sum(), distance[here].sum(), (here & lost).sum())

    def bands(self) -> tuple[Band, ...]:
        """The bands in which there is a combination."""
        return tuple(
            Band(least=least, most=most, combinations=int(n), mean_error=float(error / n), lost=float(lost / n))
            for (least, most), (n, error, lost) in zip(BANDS, self._bands, strict=True)
            if n
        )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _by_clique(counts: CodedCounts) -> Mapping[Clique, list[int]]:
    by_clique: dict[Clique, list[int]] = defaultdict(list)
    for position, combination in enumerate(counts.combinations):
        by_clique[tuple(i for i, _ in combination)].append(position)
    return by_clique


def _of_counts(
    truth: _Side, domain: Domain, counts: CodedCounts, by_clique: Mapping[Clique, list[int]], length: int
) -> CountsUtility:
    cliques, in_all = compared(domain, length)
    error = on_published = 0.0
    union = published = inside = made_up = frequent = lost = 0
    for clique in cliques:
        rows = np.asarray(by_clique.get(clique, ()), np.int64)
        keys = np.array([_flat(counts.combinations[row], domain) for row in rows.tolist()], np.int64)
        flat, weights = truth.flat(clique, domain)
        cells, place = np.unique(flat, return_inverse=True)
        people = np.rint(np.bincount(np.asarray(place.reshape(-1), np.intp), weights, len(cells))).astype(np.int64)
        at = np.minimum(np.searchsorted(cells, keys), max(len(cells) - 1, 0))
        true = np.where(cells[at] == keys, people[at], 0) if len(cells) else np.zeros(len(keys), np.int64)
        unlisted = people[~np.isin(cells, keys)]
        distance = float(np.abs(counts.count[rows] - true).sum())
        error += distance + float(unlisted.sum())
        on_published += distance
        union += len(rows) + len(unlisted)
        published += len(rows)
        inside += int(((counts.lower[rows] <= true) & (true <= counts.upper[rows])).sum())
        made_up += int((true == 0).sum())
        frequent += int((people >= FREQUENT).sum())
        lost += int((unlisted >= FREQUENT).sum())
    return CountsUtility(
        length=length,
        groups=len(cliques),
        groups_in_all=in_all,
        published=published,
        mean_error=_share(error, union),
        mean_error_published=_share(on_published, published),
        inside=_share(inside, published),
        lost=_share(lost, frequent),
        made_up=_share(made_up, published),
    )


def _flat(combination: tuple[tuple[int, int], ...], domain: Domain) -> int:
    out = 0
    for i, code in combination:
        out = out * domain.sizes[i] + code
    return out
