"""Linked records as codes, and what is counted of them: across the link, within a victim, and had chance dealt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from caseveil.synthesis.observed import Marginal
from caseveil.synthesis.records import Codes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedCodes:
    """Victims and their perpetrators as codes, 0 for missing.

    victims: (people, attributes). perpetrators: (links, attributes). victim_of: (links,) position of the victim of each
    link, in any order. True or synthetic: what is computed from true ones is private.
    """

    victims: Codes
    perpetrators: Codes
    victim_of: Ints

    def __post_init__(self) -> None:
        if self.victims.ndim != 2 or self.perpetrators.ndim != 2:
            raise ValueError("codes must have one row per person or link and one column per attribute")
        if self.victim_of.shape != (len(self.perpetrators),):
            raise ValueError("victim_of must name one victim for every link")
        if len(self.victim_of) and not 0 <= int(self.victim_of.min()) <= int(self.victim_of.max()) < len(self.victims):
            raise ValueError("victim_of must lie within the victims")

    @cached_property
    def numbers(self) -> Ints:
        """Links of each victim."""
        return np.bincount(np.asarray(self.victim_of, np.intp), minlength=len(self.victims)).astype(np.int64)

    @cached_property
    def pairs(self) -> tuple[Ints, Ints, Floats]:
        """Every ordered pair of two links of one victim: first, second, and its weight 1/(k(k-1))."""
        order = np.argsort(self.victim_of, kind="stable").astype(np.int64)
        k = self.numbers[self.victim_of[order]]
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.numbers)])[self.victim_of[order]]
        here = np.arange(len(order), dtype=np.int64)
        firsts, seconds = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for step in range(1, int(self.numbers.max(initial=0))):  # the one that stands `step` further, in a circle
            mine = here[k > step]
            firsts.append(mine)
            seconds.append(start[mine] + (mine - start[mine] + step) % k[mine])
        first, second = np.concatenate(firsts), np.concatenate(seconds)
        weight = 1.0 / (k[first] * (k[first] - 1.0))
        return order[first], order[second], weight

    def number_distribution(self, at_most: int) -> Floats:
        """(at_most + 1,) victims by number of links; more than at_most count as at_most."""
        return np.bincount(np.asarray(np.minimum(self.numbers, at_most), np.intp), minlength=at_most + 1).astype(
            np.float64
        )

    def crossed(self, i: int, j: int, shape: tuple[int, int], weights: Floats | None = None) -> Floats:
        """Links by attribute i of their victim and attribute j of the perpetrator; each counts once unless weighted."""
        flat = self.victims[self.victim_of, i].astype(np.int64) * shape[1] + self.perpetrators[:, j]
        return np.bincount(np.asarray(flat, np.intp), weights, shape[0] * shape[1]).reshape(shape).astype(np.float64)

    def drawn(self, i: int, j: int, shape: tuple[int, int]) -> Floats:
        """Victims by attribute i and attribute j of one of their perpetrators, drawn at random: each victim counts in
        parts 1/k. One without perpetrators counts under the missing value of j."""
        table = self.crossed(i, j, shape, 1.0 / self.numbers[self.victim_of])
        alone = self.victims[self.numbers == 0, i]
        table[:, 0] += np.bincount(np.asarray(alone, np.intp), minlength=shape[0])
        return table

    def drawn_by_chance(self, i: int, j: int, shape: tuple[int, int]) -> Floats:
        """What `drawn` is expected to be if the perpetrators were dealt to the victims who have any at random: both
        margins of the table stay."""
        alone = np.bincount(np.asarray(self.victims[self.numbers == 0, i], np.intp), minlength=shape[0]).astype(
            np.float64
        )
        table = self.drawn(i, j, shape)
        table[:, 0] -= alone
        table = _by_chance(table)
        table[:, 0] += alone
        return table

    def crossed_by_chance(self, i: int, j: int, shape: tuple[int, int]) -> Floats:
        """What `crossed` is expected to be if the perpetrators were dealt to the links at random."""
        return _by_chance(self.crossed(i, j, shape))

    def within(self, i: int, j: int, shape: tuple[int, int]) -> Floats:
        """Victims with two links or more by attribute i of one and attribute j of another of their perpetrators, both
        drawn at random: each victim counts in parts."""
        first, second, weight = self.pairs
        flat = self.perpetrators[first, i].astype(np.int64) * shape[1] + self.perpetrators[second, j]
        return np.bincount(np.asarray(flat, np.intp), weight, shape[0] * shape[1]).reshape(shape).astype(np.float64)

    def within_by_chance(self, j: int, size: int) -> Floats:
        """Shares (size, size) of attribute j for two links drawn from all, without replacement."""
        count = np.bincount(np.asarray(self.perpetrators[:, j], np.intp), minlength=size).astype(np.float64)
        table: Floats = np.outer(count, count) - np.diag(count)
        return table / max(1.0, float(table.sum()))


def _by_chance(table: Floats) -> Floats:
    out: Floats = np.outer(table.sum(axis=1), table.sum(axis=0)) / (float(table.sum()) or 1.0)
    return out


def alike(size: int) -> tuple[Marginal, Marginal]:
    """(same, of): over the table of one attribute of two perpetrators of a victim, the cells in which they are alike,
    and those among which that is counted; concordance is the share of the first in the second.

    An attribute of several values: both state the same value, of pairs in which both state one. A yes/blank attribute:
    both have it, of pairs in which a given one has it (half of each table with either as the given one).
    """
    of: Marginal = np.zeros((size, size))
    same: Marginal = np.zeros((size, size))
    if size == 2:
        of[1, :] += 0.5
        of[:, 1] += 0.5
        same[1, 1] = 1.0
    else:
        of[1:, 1:] = 1.0
        same[np.arange(1, size), np.arange(1, size)] = 1.0
    return same, of


def concordance(table: Marginal) -> float | None:
    """Share of pairs that are `alike` in a table of one attribute of two perpetrators; None where there are none."""
    same, of = alike(len(table))
    among = float((table * of).sum())
    return float((table * same).sum()) / among if among > 0 else None
