"""How far linked tables are from the linked tables they were made from.

Records are coded (link_words), code 0 is missing and is not a stated value. Counts are in links and never rescaled.

    cross_mae          mean |released - true| number of links in a cell (value of a victim's attribute, value of a
                       perpetrator's attribute), both stated, over the cells of all pairs of attributes that either
                       uses; cross_mae_all over every cell that the declared values have
    cross_bias_pct     by how much the sum over all these cells is off
    made_up_pct        share of the released links of these cells that lie where there is truly none
    number_tv_pct      total variation distance of the number of perpetrators, the cap standing for all above it
    concordance_*      how far off, in points, is the chance that two perpetrators of one victim, drawn at random, have
                       the same stated value: the worst attribute and the mean of all. Each victim counts by the share
                       of her pairs that state both. In an attribute of a single value a blank says no and is a value.

The truth is all links, also those above the cap; cross_mae_capped compares with the truth after the cap, in which each
link of a victim with k links weighs min(k, cap) / k: what dropping links at random leaves on average.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.link_tables import LinkedSet
from benchmarks.link_words import LinkedCodes
from caseveil.schema.attribute import Attribute, MultiChoice
from caseveil.schema.links import number_name

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Cross = Sequence[Floats]
"""Links by two attributes, missing included: one table for every pair, victims' attributes in the outer loop."""


@dataclass(frozen=True, kw_only=True)
class PublishedLinks:
    """Rows of counts/links.csv."""

    combination: Sequence[str]
    of: Sequence[str]
    lower: Sequence[float]
    upper: Sequence[float]


def sizes_of(attributes: Sequence[Attribute]) -> list[int]:
    """How many codes each attribute takes."""
    return [len(attribute.labels) for attribute in attributes]


def share_kept(numbers: NDArray[np.int64], cap: int) -> Floats:
    """Chance that a link of each victim survives the cap; 1 for a victim without links."""
    return np.asarray(np.minimum(numbers, cap) / np.maximum(numbers, 1) + (numbers == 0), np.float64)


def cross_counts(codes: LinkedCodes, data: LinkedSet, weights: Floats | None = None) -> list[Floats]:
    """Links (or the sums of their weights) in every table of a victim's and a perpetrator's attribute."""
    left, right = (sizes_of(t.attributes()) for t in (data.victims_table, data.perpetrators_table))
    mine = codes.victims[codes.victim_of]
    tables = []
    for (i, n), (j, m) in itertools.product(enumerate(left), enumerate(right)):
        flat = mine[:, i] * m + codes.perpetrators[:, j]
        tables.append(np.bincount(flat, weights, n * m).astype(np.float64).reshape(n, m))
    return tables


def capped_counts(true: LinkedCodes, data: LinkedSet) -> list[Floats]:
    """The true link counts after the cap, on average over the links that are drawn."""
    return cross_counts(true, data, share_kept(true.numbers, data.link.at_most)[true.victim_of])


def _stated(tables: Cross) -> Floats:
    return np.concatenate([table[1:, 1:].ravel() for table in tables])


def score_cross(true: Cross, released: Cross) -> dict[str, float]:
    """Scores of link counts, by the definitions above."""
    t, r = _stated(true), _stated(released)
    either = (t > 0) | (r > 0)
    off = np.abs(r - t)
    return {
        "cross_mae": float(off[either].mean()) if either.any() else 0.0,
        "cross_mae_all": float(off.mean()),
        "cross_bias_pct": 100 * float(r.sum() - t.sum()) / max(float(t.sum()), 1.0),
        "made_up_pct": 100 * float(r[t == 0].sum()) / max(float(r.sum()), 1.0),
    }


def score_counted(true: LinkedCodes, released: Cross, data: LinkedSet) -> dict[str, float]:
    """Scores of link counts against the true links, and their error against those under the cap."""
    capped = score_cross(capped_counts(true, data), released)
    return score_cross(cross_counts(true, data), released) | {"cross_mae_capped": capped["cross_mae"]}


def concordance(codes: LinkedCodes, sizes: Sequence[int]) -> Floats:
    """Chance, in percent and by attribute, that two perpetrators of one victim agree; nan where no pair says."""
    k = codes.numbers
    pairs = np.maximum(k * (k - 1), 1).astype(np.float64)
    out = np.full(len(sizes), np.nan)
    for j, size in enumerate(sizes):
        held = np.bincount(codes.victim_of * size + codes.perpetrators[:, j], minlength=len(k) * size)
        held = held.reshape(len(k), size)[:, (0 if size == 2 else 1) :]
        alike = ((held * (held - 1)).sum(axis=1) / pairs)[k > 1].sum()
        stating = held.sum(axis=1)
        stated = (stating * (stating - 1) / pairs)[k > 1].sum()
        if stated > 0:
            out[j] = 100 * alike / stated
    return out


def number_shares(numbers: NDArray[np.int64], cap: int) -> Floats:
    """Shares of victims with 0, 1, ..., cap or more perpetrators. (cap + 1,)"""
    return np.bincount(np.minimum(numbers, cap), minlength=cap + 1) / max(len(numbers), 1)


def score_links(true: LinkedCodes, released: LinkedCodes, data: LinkedSet) -> dict[str, float]:
    """Scores of linked records, by the definitions above. released without a link is scored as it is."""
    cap = data.link.at_most
    sizes = sizes_of(data.perpetrators_table.attributes())
    apart = np.abs(concordance(true, sizes) - concordance(released, sizes))
    # an attribute of which the release says nothing is as wrong as can be; one of which the truth says nothing is left
    apart = np.where(np.isnan(concordance(true, sizes)), 0.0, np.nan_to_num(apart, nan=100.0))
    number = np.abs(number_shares(true.numbers, cap) - number_shares(released.numbers, cap))
    return score_counted(true, cross_counts(released, data), data) | {
        "number_tv_pct": 50 * float(number.sum()),
        "concordance_worst": float(apart.max()),
        "concordance_mean": float(apart.mean()),
        "links": float(len(true.victim_of)),
        "links_released": float(len(released.victim_of)),
        "above_cap": float((released.numbers > cap).sum()),
    }


def truncation(true: LinkedCodes, data: LinkedSet) -> dict[str, float]:
    """What the cap alone loses, before any noise: links, victims above it, and the error of cross counts."""
    kept = share_kept(true.numbers, data.link.at_most)[true.victim_of]
    error = score_cross(cross_counts(true, data), capped_counts(true, data))
    return {
        "links_lost_pct": 100 * float((1 - kept).sum()) / max(len(kept), 1),
        "victims_above_pct": 100 * float((true.numbers > data.link.at_most).mean()),
        "cross_mae": error["cross_mae"],
    }


class TrueCounts:
    """What a row of counts/links.csv would say without noise."""

    def __init__(self, codes: LinkedCodes, data: LinkedSet) -> None:
        """codes: the true ones, where nobody is above the cap."""
        self._codes, self._data = codes, data
        self._masks: dict[tuple[str, str], Flags] = {}

    def _mask(self, key: str, value: str) -> Flags:
        """Victims (or links) with the value; joined items of a set must all be there."""
        if (key, value) not in self._masks:
            self._masks[key, value] = self._find(key, value)
        return self._masks[key, value]

    def _find(self, key: str, value: str) -> Flags:
        if key == number_name(self._data.perpetrators_table.name):
            return np.asarray(self._codes.numbers == int(value))
        place, _, name = key.partition(".")
        of_victims = place == self._data.victims_table.name
        table = self._data.victims_table if of_victims else self._data.perpetrators_table
        codes = self._codes.victims if of_victims else self._codes.perpetrators
        column = next(c for c in table.columns if c.name == name)
        wanted = value.split(column.delimiter) if isinstance(column, MultiChoice) else [value]
        here: Flags = np.ones(len(codes), np.bool_)
        for position, attribute in enumerate(table.attributes()):
            if attribute.column == name:
                for label in set(wanted) & set(attribute.labels[1:]):
                    here &= codes[:, position] == attribute.labels.index(label)
        return here

    def count(self, combination: Mapping[str, str], of: str) -> float:
        """The true count. of: 'links', 'victims with any', 'victims' or 'victims by a random pair'."""
        linked = self._data.perpetrators_table.name
        victims: Flags = np.ones(len(self._codes.victims), np.bool_)
        one: Flags = np.ones(len(self._codes.victim_of), np.bool_)
        other = one.copy()
        for key, value in combination.items():
            if key.startswith(f"other {linked}."):
                other &= self._mask(key.removeprefix("other "), value)
            elif key.startswith(f"{linked}."):
                one &= self._mask(key, value)
            else:
                victims &= self._mask(key, value)
        owner, size = self._codes.victim_of, len(victims)
        if of == "victims":
            return float(victims.sum())
        if of == "links":
            return float((one & victims[owner]).sum())
        if of == "victims with any":
            return float((np.bincount(owner[one], minlength=size) > 0)[victims].sum())
        if of == "victims by a random pair":
            first, second, both = (np.bincount(owner[mask], minlength=size) for mask in (one, other, one & other))
            k = self._codes.numbers
            several = victims & (k > 1)
            return float(((first * second - both)[several] / (k * (k - 1))[several]).sum())
        raise ValueError(f"of ({of}) must be a kind of count across the link")


def score_published(true: LinkedCodes, published: PublishedLinks, data: LinkedSet) -> dict[str, float]:
    """Share of the intervals that hold the truth, in percent, overall and by what is counted; how many there are.

    Empty where a victim has more links than the cap: the intervals are about the links under it.
    """
    if not published.of or (len(true.numbers) and int(true.numbers.max()) > data.link.at_most):
        return {}
    counts = TrueCounts(true, data)
    truth = np.array(
        [counts.count(json.loads(c), of) for c, of in zip(published.combination, published.of, strict=True)]
    )
    inside = (np.asarray(published.lower) <= truth + 0.5) & (truth - 0.5 <= np.asarray(published.upper))
    kind = np.asarray(published.of)
    out = {"published": float(len(truth)), "coverage_pct": 100 * float(inside.mean())}
    return out | {f"coverage_pct {of}": 100 * float(inside[kind == of].mean()) for of in sorted(set(published.of))}
