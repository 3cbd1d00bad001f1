"""Whom the rows would single out if they were published as they are. For the steward, before a release.

Nothing of this is protected: it must not leave the steward's machine. Columns and counts only, no cell, except where
`rare_values` is asked for them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.records.encoding import distinct_rows
from caseveil.records.identify import Identifying
from caseveil.schema.attribute import MISSING

_TRIPLE_COLUMNS = 20  # triples are looked at among the columns that single out most people in pairs
_DENSE = 4_000_000  # cells of a table of counts beyond which groups are found by sorting

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class RareCombination:
    """People who share their values in these columns with too few others.

    people: rows whose combination (nothing missing) occurs fewer than k times although no shorter part of
    it is that rare; alone: those among them whose combination occurs once.
    """

    columns: tuple[str, ...]
    people: int
    alone: int

    def __str__(self) -> str:
        *first, last = self.columns
        names = f"{', '.join(first)} and {last} together single" if first else f"{last} by itself singles"
        return f"{names} out {self.people:,} {'person' if self.people == 1 else 'people'}"


@dataclass(frozen=True, kw_only=True)
class RiskReport:
    """What the rows would give away. Private.

    people: rows with at least one combination of up to `length` columns that fewer than k rows share;
    alone: rows with at least one that no other row has; combinations: the worst first;
    triple_columns: how many columns were looked at in threes; identifying: columns that identify by themselves, where
    somebody looked for them.
    """

    k: int
    length: int
    people: int
    alone: int
    combinations: tuple[RareCombination, ...]
    triple_columns: int
    identifying: tuple[Identifying, ...] = ()


def assess(columns: Mapping[str, Sequence[str]], *, k: int = 10, length: int = 3, most: int = 20) -> RiskReport:
    """Rare combinations of prepared values, up to three columns.

    columns: a cell per person in each; one of a set column counts as one value. At most `most` combinations are listed.
    """
    if k < 2:
        raise ValueError(f"k ({k}) must be at least 2")
    if not 1 <= length <= 3:
        raise ValueError(f"length ({length}) must be 1, 2 or 3")
    names = list(columns)
    codes, sizes = _value_codes(list(columns.values()))
    first, _, times = distinct_rows(codes, sizes)
    search = _Search(codes=codes[first], sizes=sizes, times=times, k=k)
    found = search.run(length)
    combinations = sorted(
        (RareCombination(columns=tuple(names[i] for i in c), people=p, alone=a) for c, (p, a) in found.items() if p),
        key=lambda combination: (-combination.people, len(combination.columns), combination.columns),
    )
    return RiskReport(
        k=k,
        length=length,
        people=int(times[search.any_rare].sum()),
        alone=int(times[search.any_alone].sum()),
        combinations=tuple(combinations[:most]),
        triple_columns=search.triple_columns,
    )


def _value_codes(columns: Sequence[Sequence[str]]) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Codes of whatever values occur, 0 for missing: (n, columns), and how many codes each column has."""
    codes = np.zeros((len(columns[0]), len(columns)), dtype=np.int64, order="F")
    sizes = []
    for at, cells in enumerate(columns):
        places = {MISSING: 0}
        codes[:, at] = np.fromiter((places.setdefault(c, len(places)) for c in cells), np.int64, count=len(cells))
        sizes.append(max(len(places), 2))
    return codes, tuple(sizes)


class _Search:
    """Walks singles, pairs and triples over distinct rows; a mask marks the distinct rows that are rare."""

    def __init__(self, *, codes: NDArray[np.int64], sizes: tuple[int, ...], times: NDArray[np.int64], k: int) -> None:
        self.columns = [np.ascontiguousarray(codes[:, i]) for i in range(codes.shape[1])]
        self.sizes = sizes
        self.times = times
        self.k = k
        self.any_rare: Mask = np.zeros(len(times), dtype=np.bool_)
        self.any_alone: Mask = np.zeros(len(times), dtype=np.bool_)
        self.triple_columns = 0

    def run(self, length: int) -> dict[tuple[int, ...], tuple[int, int]]:
        """(people, alone) for every combination looked at."""
        found: dict[tuple[int, ...], tuple[int, int]] = {}
        filled = [column > 0 for column in self.columns]
        none: Mask = np.zeros(len(self.times), dtype=np.bool_)
        single: list[Mask] = []
        for i, column in enumerate(self.columns):
            single.append(self._mark((i,), column, self.sizes[i], filled[i], none, found))
        if length == 1:
            return found
        burden = np.zeros(len(self.columns), dtype=np.int64)
        for i, j in itertools.combinations(range(len(self.columns)), 2):
            self._mark((i, j), *self._pair(i, j), filled[i] & filled[j], single[i] | single[j], found)
            burden[[i, j]] += found[(i, j)][0]
        if length == 2:
            return found
        chosen = sorted(np.argsort(-burden, kind="stable")[:_TRIPLE_COLUMNS].tolist())
        self.triple_columns = len(chosen)
        pairs: dict[tuple[int, int], Mask] = {}
        for i, j in itertools.combinations(chosen, 2):  # kept for these columns only: all pairs would not fit
            pairs[i, j] = self._mark((i, j), *self._pair(i, j), filled[i] & filled[j], single[i] | single[j], found)
        for i, j in itertools.combinations(chosen, 2):
            index, span = self._pair(i, j)
            both = filled[i] & filled[j]
            for k in chosen[chosen.index(j) + 1 :]:
                triple = index * self.sizes[k] + self.columns[k]
                shorter = pairs[i, j] | pairs[i, k] | pairs[j, k]
                self._mark((i, j, k), triple, span * self.sizes[k], both & filled[k], shorter, found)
        return found

    def _pair(self, i: int, j: int) -> tuple[NDArray[np.int64], int]:
        index, span = self.columns[i] * self.sizes[j] + self.columns[j], self.sizes[i] * self.sizes[j]
        if span > len(self.times):
            kinds, ranks = np.unique(index, return_inverse=True)
            return ranks.reshape(-1).astype(np.int64), len(kinds)
        return index, span

    def _mark(
        self,
        clique: tuple[int, ...],
        index: NDArray[np.int64],
        span: int,
        filled: Mask,
        shorter: Mask,
        found: dict[tuple[int, ...], tuple[int, int]],
    ) -> Mask:
        """Distinct rows whose group holds fewer than k people, or one of whose shorter groups does.

        index numbers the groups below span; filled: nothing is missing in the clique; shorter: a part of the
        clique is rare by itself. Notes the people who are rare by the whole clique only.
        """
        if span > _DENSE:
            kinds, ranks = np.unique(index, return_inverse=True)
            index, span = ranks.reshape(-1), len(kinds)
        people = np.bincount(np.asarray(index, np.intp), weights=self.times.astype(np.float64), minlength=span)[index]
        rare = filled & (people < self.k)
        alone = rare & (people == 1)
        self.any_rare |= rare
        self.any_alone |= alone
        self._note(clique, rare)
        fresh = rare & ~shorter
        found[clique] = (int(self.times[fresh].sum()), int(self.times[fresh & alone].sum()))
        return rare | shorter

    def _note(self, clique: tuple[int, ...], rare: Mask) -> None:
        """For those who look closer."""


@dataclass(frozen=True, kw_only=True)
class RiskParts:
    """People with a rare combination, taken apart. Private.

    by_length: with one of at most 1, 2, ... columns. without: with one that does without the column.
    """

    by_length: tuple[int, ...]
    without: Mapping[str, int]


def take_apart(columns: Mapping[str, Sequence[str]], *, k: int, length: int) -> RiskParts:
    """How many people are singled out as combinations grow, and as each column is left out; as in `assess`."""
    names = list(columns)
    codes, sizes = _value_codes(list(columns.values()))
    first, _, times = distinct_rows(codes, sizes)
    search = _Parts(codes=codes[first], sizes=sizes, times=times, k=k)
    search.run(length)
    counts = [int(times[search.of_length[longest]].sum()) for longest in range(length)]
    return RiskParts(
        by_length=tuple(counts),
        without={name: int(times[mask].sum()) for name, mask in zip(names, search.without, strict=True)},
    )


class _Parts(_Search):
    """A search that also remembers who is rare by a short combination, and who is without a column."""

    def __init__(self, *, codes: NDArray[np.int64], sizes: tuple[int, ...], times: NDArray[np.int64], k: int) -> None:
        super().__init__(codes=codes, sizes=sizes, times=times, k=k)
        self.of_length: list[Mask] = [np.zeros(len(times), dtype=np.bool_) for _ in range(3)]
        self.without: list[Mask] = [np.zeros(len(times), dtype=np.bool_) for _ in sizes]

    def _note(self, clique: tuple[int, ...], rare: Mask) -> None:
        for longest in range(len(clique) - 1, 3):
            self.of_length[longest] |= rare
        for column, mask in enumerate(self.without):
            if column not in clique:
                mask |= rare


def rare_values(
    columns: Mapping[str, Sequence[str]], names: Sequence[str], *, k: int, most: int
) -> list[tuple[tuple[str, ...], int]]:
    """(values, people) of combinations in the columns so named that fewer than k people share, the rarest first.
    Private: it quotes cells, for the steward's eyes alone."""
    cells = zip(*(columns[name] for name in names), strict=True)
    tally = Counter(values for values in cells if all(values))
    rare = [(values, people) for values, people in tally.items() if people < k]
    return sorted(rare, key=lambda found: (found[1], found[0]))[:most]
