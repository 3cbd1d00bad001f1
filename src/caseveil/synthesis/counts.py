"""The published counts: the records' own, where they reach the threshold, each with an interval.

Because they are the records' own counts they are whole, nested and add up, and records and counts never disagree.
The interval comes from the unbiased residual estimate, whose error is Gaussian with known variance, whatever the
model did. As no combination has more people than a shorter one within it, its upper end is never above theirs. It is
widened where needed to hold the count.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.attribute import Attribute
from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import NoisyResiduals, cell_variance, reconstruct
from caseveil.synthesis.presence import Presence
from caseveil.synthesis.records import Codes

LEVEL = 0.95
"""Share of published intervals that hold the true count, at least."""

WIDTH = 2.1700903775845606
"""Half-width of an interval in standard deviations: the two-sided 97% point of the normal distribution. Combinations
that are published are not a fair draw, as those that noise lifted over the threshold are among them; the two points
above 95% make up for that."""

WIDTH_OF_SIX = 2.5758293035489004
"""The same when six one-sided bounds must hold together (Bonferroni)."""


_DENSE = 50_000
"""Marginals with more cells are handled by the cells that occur."""


@dataclass(frozen=True, kw_only=True)
class PublishedCounts:
    """Columns of counts/<table>.csv. combination: JSON object, keys sorted; several items of one set column are
    joined by its delimiter and mean 'includes all of these'."""

    combination: Sequence[str]
    length: NDArray[np.int64]
    count: NDArray[np.int64]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Published counts and how they were chosen.

    least: per length, the smallest published count. made_up: per length, the expected share of combinations among
    the published ones that nobody has. inside: per length, the share of counts that lay in their interval before it
    was widened.
    """

    counts: PublishedCounts
    least: Mapping[int, int]
    made_up: Mapping[int, float]
    inside: Mapping[int, float]


class Estimates(Protocol):
    """What is known of the counts of one table: unbiased estimates with their error, and what the model expects."""

    @property
    def domain(self) -> Domain:
        """The attributes of the table."""

    def measured(self, clique: Clique) -> bool:
        """Whether the clique has an unbiased estimate."""

    def unbiased(self, clique: Clique) -> NDArray[np.float64]:
        """Unbiased estimate of every count; shape of the clique."""

    def deviation(self, clique: Clique) -> float:
        """Standard deviation of its Gaussian error."""

    def expected(self, clique: Clique) -> NDArray[np.float64]:
        """People that the model expects in every cell; shape of the clique."""

    def at(self, clique: Clique, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same in chosen cells (cells, len(clique))."""


@dataclass(frozen=True, kw_only=True)
class PeopleEstimates:
    """Estimates of counts of people, from residuals and the model fitted to them."""

    residuals: NoisyResiduals
    mixture: Mixture

    @property
    def domain(self) -> Domain:
        """The attributes of the table."""
        return self.residuals.domain

    def measured(self, clique: Clique) -> bool:
        """Whether all residuals within the clique were measured."""
        return self.residuals.measured(clique)

    def unbiased(self, clique: Clique) -> NDArray[np.float64]:
        """Unbiased estimate of every count; shape of the clique."""
        return reconstruct(self.residuals, clique)

    def deviation(self, clique: Clique) -> float:
        """Standard deviation of its Gaussian error."""
        return math.sqrt(cell_variance(self.residuals.variance, clique, self.residuals.domain))

    def expected(self, clique: Clique) -> NDArray[np.float64]:
        """People that the model expects in every cell; shape of the clique."""
        return self.mixture.expected(clique)

    def at(self, clique: Clique, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same in chosen cells (cells, len(clique))."""
        return self.mixture.at(clique, codes)


@dataclass(frozen=True)
class _Found:
    """Combinations of one clique without a missing value that occur in the records."""

    clique: Clique
    codes: NDArray[np.int64]  # (found, len(clique))
    flat: NDArray[np.int64]
    count: NDArray[np.int64]
    expected: NDArray[np.float64]


@dataclass(frozen=True)
class _Kept:
    """Published combinations of one clique: flat codes, rising, and the upper ends of their intervals."""

    flat: NDArray[np.int64]
    upper: NDArray[np.int64]


_NONE = _Kept(np.zeros(0, np.int64), np.zeros(0, np.int64))


def _shorter(clique: Clique) -> list[Clique]:
    """The cliques of one attribute less; none below a single attribute."""
    return list(itertools.combinations(clique, len(clique) - 1)) if len(clique) > 1 else []


def _projections(clique: Clique, domain: Domain) -> list[tuple[list[int], tuple[int, ...]]]:
    """For each of `_shorter`, its axes within the clique and its shape."""
    axes = list(itertools.combinations(range(len(clique)), len(clique) - 1)) if len(clique) > 1 else []
    return [(list(part), domain.shape(sub)) for part, sub in zip(axes, _shorter(clique), strict=True)]


def publish(
    codes: Codes,
    attributes: Sequence[Attribute],
    estimates: Estimates,
    presence: Presence,
    cliques: Sequence[Clique],
    *,
    share: float | None,
    delimiters: Mapping[str, str],
    progress: Callable[[float], None] | None = None,
) -> Publication:
    """Counts of every combination of the cliques that the records hold often enough.

    share: expected share of made-up combinations that is accepted per length; None publishes all.
    A combination is published only when all that it contains are.
    """
    domain = estimates.domain
    found: dict[Clique, _Found] = {}
    members = [_members(attribute) for attribute in attributes]
    columns, times = _collapse(codes)
    ordered = sorted(cliques, key=lambda c: (len(c), c))
    for position, clique in enumerate(ordered):
        found[clique] = _find(columns, times, clique, estimates)
        if progress is not None and position % 200 == 0:
            progress(0.5 * position / len(ordered))
    parts, least, made_up, inside = [], {}, {}, {}
    kept: dict[Clique, _Kept] = {}
    for length in sorted({len(c) for c in ordered}):
        group = [found[c] for c in ordered if len(c) == length]
        counts = np.concatenate([f.count for f in group])
        expected = np.concatenate([f.expected for f in group])
        threshold = presence.threshold(counts, expected, share)
        chances, within, published = [], [], 0
        for f in group:
            keep = f.count >= threshold
            within_it = [kept.get(sub, _NONE) for sub in _shorter(f.clique)]
            places = [_flat(f.codes[:, part], shape) for part, shape in _projections(f.clique, domain)]
            for sub, flat in zip(within_it, places, strict=True):
                keep &= np.isin(flat, sub.flat)
            if not keep.any():
                continue
            lower, upper = _interval(f, keep, estimates)
            for sub, flat in zip(within_it, places, strict=True):
                upper = np.minimum(upper, sub.upper[np.searchsorted(sub.flat, flat[keep])])
            kept[f.clique] = _Kept(f.flat[keep], np.maximum(upper, f.count[keep]))
            count = f.count[keep]
            within.append((count >= lower) & (count <= upper))
            chances.append(presence.absent(f.expected[keep]))
            published += len(count)
            parts.append(
                (
                    _texts(f.clique, f.codes[keep], attributes, members, delimiters),
                    np.full(len(count), length, np.int64),
                    count,
                    np.minimum(lower, count),
                    np.maximum(upper, count),
                )
            )
        least[length] = threshold
        if published:
            made_up[length] = float(np.concatenate(chances).mean())
            inside[length] = float(np.concatenate(within).mean())
        if progress is not None:
            progress(0.5 + 0.5 * length / len(ordered[-1]))
    merged = [np.concatenate([part[i] for part in parts]) if parts else np.zeros(0, np.int64) for i in range(1, 5)]
    return Publication(
        counts=PublishedCounts(
            combination=[text for part in parts for text in part[0]],
            length=merged[0],
            count=merged[1],
            lower=merged[2],
            upper=merged[3],
        ),
        least=least,
        made_up=made_up,
        inside=inside,
    )


def _flat(codes: NDArray[np.int64], shape: Sequence[int]) -> NDArray[np.int64]:
    out = np.zeros(len(codes), np.int64)
    for axis, size in enumerate(shape):
        out = out * size + codes[:, axis]
    return out


def _collapse(codes: Codes) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Columns of the distinct records, and how often each occurs."""
    whole = np.ascontiguousarray(codes)
    _, first, times = np.unique(
        whole.view(np.dtype((np.void, whole.itemsize * whole.shape[1]))).ravel(), return_index=True, return_counts=True
    )
    return [np.ascontiguousarray(whole[first, i], np.int64) for i in range(whole.shape[1])], times.astype(np.int64)


def _find(columns: list[NDArray[np.int64]], times: NDArray[np.int64], clique: Clique, estimates: Estimates) -> _Found:
    domain = estimates.domain
    shape = domain.shape(clique)
    index = columns[clique[0]]
    for i in clique[1:]:
        index = index * domain.sizes[i] + columns[i]
    cells = math.prod(shape)
    if cells <= _DENSE:
        table = np.bincount(np.asarray(index, np.intp), weights=times, minlength=cells).astype(np.int64)
        flat = np.flatnonzero(table)
        count = table[flat]
    else:
        flat, inverse = np.unique(index, return_inverse=True)
        count = np.bincount(np.asarray(inverse, np.intp), weights=times).astype(np.int64)
    cell_codes = np.stack(np.unravel_index(flat, shape), axis=1).astype(np.int64)
    stated = (cell_codes > 0).all(axis=1)
    flat, count, cell_codes = flat[stated].astype(np.int64), count[stated], cell_codes[stated]
    expected = estimates.expected(clique).ravel()[flat] if cells <= _DENSE else estimates.at(clique, cell_codes)
    return _Found(clique, cell_codes, flat, count, expected)


def _interval(
    found: _Found, keep: NDArray[np.bool_], estimates: Estimates
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Interval of the true count of the kept combinations; whole numbers, never below 0."""
    clique, codes = found.clique, found.codes[keep]
    if estimates.measured(clique):
        sd = estimates.deviation(clique)
        estimate = estimates.unbiased(clique)[tuple(codes.T)]
        low, high = estimate - WIDTH * sd, estimate + WIDTH * sd
    else:
        low, high = _bounds_from_pairs(clique, codes, estimates)
    lower = np.maximum(0, np.floor(low)).astype(np.int64)
    return lower, np.maximum(lower, np.ceil(high)).astype(np.int64)


def _bounds_from_pairs(
    clique: Clique, codes: NDArray[np.int64], estimates: Estimates
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds on an unmeasured combination from measured pairs within it (Frechet).

    It has no more people than any of its pairs, and no fewer than two pairs with a shared attribute leave room for:
    n(abc) >= n(ab) + n(ac) - n(a), since both are part of n(a). Three bounds of each kind are used, at a level at
    which all six hold together; they come from the first three attributes of longer combinations as well, as upper
    bounds only.
    """
    pairs = list(itertools.combinations(range(len(clique)), 2))[:3]
    high = np.full(len(codes), np.inf)
    low = np.zeros(len(codes))
    values: dict[tuple[int, ...], tuple[NDArray[np.float64], float]] = {}
    for part in [*pairs, *((i,) for i in range(min(3, len(clique))))]:
        sub = tuple(clique[i] for i in part)
        if estimates.measured(sub):
            values[part] = (estimates.unbiased(sub)[tuple(codes[:, part].T)], estimates.deviation(sub))
    for part in pairs:
        if part in values:
            high = np.minimum(high, values[part][0] + WIDTH_OF_SIX * values[part][1])
    for shared in range(min(3, len(clique))) if len(clique) == 3 else ():
        both = [part for part in pairs if shared in part]
        if len(both) == 2 and all(part in values for part in both) and (shared,) in values:
            (a, sa), (b, sb), (c, sc) = values[both[0]], values[both[1]], values[(shared,)]
            low = np.maximum(low, a + b - c - WIDTH_OF_SIX * (sa + sb + sc))
    if not np.isfinite(high).all():
        sub = (clique[0],)
        high = np.minimum(high, estimates.unbiased(sub)[codes[:, 0]] + WIDTH_OF_SIX * estimates.deviation(sub))
    return low, high


def _members(attribute: Attribute) -> list[str]:
    """Every code of an attribute as a member of a JSON object."""
    return [json.dumps({attribute.column: label}, ensure_ascii=False)[1:-1] for label in attribute.labels]


def _texts(
    clique: Clique,
    codes: NDArray[np.int64],
    attributes: Sequence[Attribute],
    members: Sequence[Sequence[str]],
    delimiters: Mapping[str, str],
) -> list[str]:
    """Combinations as JSON objects with sorted keys. members: `_members` of every attribute."""
    columns = [attributes[i].column for i in clique]
    if len(set(columns)) == len(columns):
        order = sorted(range(len(clique)), key=lambda axis: columns[axis])
        pieces = [members[clique[axis]] for axis in order]
        rows = codes[:, order].tolist()
        return ["{" + ", ".join([p[c] for p, c in zip(pieces, row, strict=True)]) + "}" for row in rows]
    texts = []
    for row in codes.tolist():
        items: dict[str, list[str]] = {}
        for i, code in zip(clique, row, strict=True):
            items.setdefault(attributes[i].column, []).append(attributes[i].labels[code])
        joined = {column: delimiters.get(column, ";").join(labels) for column, labels in items.items()}
        texts.append(json.dumps(joined, sort_keys=True, ensure_ascii=False))
    return texts
