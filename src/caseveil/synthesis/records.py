"""Integer records that match target tables: sampled from the mixture, then moved cell by cell towards the targets.

One move changes one attribute of one record to the value that lowers sum_A w_A || records_A - target_A ||^2 most.
For attribute j only tables that hold j change, so those are laid out with j as the last axis while j is visited: the
score of every value of a batch of records is then one gather of contiguous rows and a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis import kernel
from caseveil.synthesis.bars import Bars
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import Marginal

Codes = NDArray[np.int32]


REDRAWS = 8
"""How often a record that holds a barred combination is drawn anew before it is taken as it is."""


def draw(mixture: Mixture, count: int, rng: np.random.Generator, bars: Bars | None = None) -> Codes:
    """Records (count, attributes) from the mixture, stratified over components and within each attribute.

    Systematic sampling keeps the one-way sampling error below one record per component. Records that hold a barred
    combination are drawn anew from their component.
    """
    return draw_from(mixture, spread_over(mixture.weights, count, rng), rng, bars)


def spread_over(weights: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Components (count,), rising, each as often as its weight says, to within one."""
    edges = np.cumsum(weights)
    positions = (rng.random() + np.arange(count)) / count * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, positions, side="right"), len(edges) - 1), np.int64)


def draw_from(
    mixture: Mixture, component: NDArray[np.int64], rng: np.random.Generator, bars: Bars | None = None
) -> Codes:
    """One record per entry of component, which must rise; see `draw`."""
    codes = _draw_from(mixture, component, rng)
    if bars is None:
        return codes
    bad = np.flatnonzero(bars.hit(codes))
    for _ in range(REDRAWS):
        if not len(bad):
            break
        codes[bad] = _draw_from(mixture, component[bad], rng)
        bad = bad[bars.hit(codes[bad])]
    return codes


def _draw_from(mixture: Mixture, component: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    """One record per entry of component, which must rise; stratified within each component and attribute."""
    used, first, mine, many = np.unique(component, return_index=True, return_inverse=True, return_counts=True)
    rank = np.arange(len(component)) - first[mine]
    codes = np.zeros((len(component), len(mixture.domain)), np.int32)
    for i, probabilities in enumerate(mixture.probabilities):
        # the ladder of each component stands one above that of the component before, so one search serves all
        ladders = np.cumsum(probabilities[:, used], axis=0)
        rungs = (np.arange(len(used)) + ladders / ladders[-1]).T
        points = mine + (rng.random(len(used))[mine] + rank) / many[mine]
        drawn = np.searchsorted(rungs.ravel(), points, side="right") - mine * len(probabilities)
        # in random order within the component
        codes[np.lexsort((rng.random(len(mine)), mine)), i] = np.clip(drawn, 0, len(probabilities) - 1)
    return codes


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the records should count in one marginal.

    wanted: people per cell. weight: price of a squared miss. barred: cells judged absent (None: none), each record
    in one costs `toll` more.
    """

    wanted: Marginal
    weight: float
    barred: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class RefineOptions:
    """How hard to match.

    batch: different records scored at once (more is faster, but the last of them are judged by old prices); scores:
    prices looked up at once, which bounds the memory; copies: of one record that may move in one visit;
    sweeps: visits of every cell; toll: price of one record in a barred cell, in squared misses of a mean table.
    """

    batch: int = 512
    scores: int = 4_000_000
    copies: int = 64
    sweeps: int = 2
    toll: float = 2500.0

    @classmethod
    def for_size(cls, count: int, cliques: Iterable[Clique]) -> RefineOptions:
        """Options for so many records and these targets: in large tasks a miss of a few matters less than the time."""
        visits = count * sum(map(len, cliques))
        return cls(batch=max(512, count // 16), sweeps=2 if visits <= 300_000_000 else 1)


class Layout:
    """All target tables in one flat array, and for each attribute the view that ends in it."""

    def __init__(self, domain: Domain, targets: Mapping[Clique, Target]) -> None:
        self.domain = domain
        self.cliques = list(targets)
        sizes = [domain.cells(clique) for clique in self.cliques]
        self.starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.weight = np.concatenate(
            [np.full(size, targets[c].weight, np.float32) for c, size in zip(self.cliques, sizes, strict=True)]
        )

    def count(self, codes: Codes, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Counts of the records in every cell of every table, flat; each record counts 1, or as its weight says."""
        out = np.zeros(int(self.starts[-1]))
        columns = np.ascontiguousarray(codes.T, np.intp)
        for clique, start in zip(self.cliques, self.starts, strict=False):
            flat = columns[clique[0]] if clique else np.zeros(len(codes), np.intp)
            for i in clique[1:]:
                flat = flat * self.domain.sizes[i] + columns[i]
            size = self.domain.cells(clique)
            out[start : start + size] = np.bincount(flat, weights=weights, minlength=size)
        return out


_EXACT = 2**24
"""Whole numbers below this are exact in single precision."""


class AttributeView:
    """Tables that hold attribute j, as rows (cells of the other attributes) by the codes of j."""

    def __init__(self, layout: Layout, j: int, targets: Mapping[Clique, Target]) -> None:
        sizes = layout.domain.sizes
        pieces: list[NDArray[np.int64]] = []
        bases: list[int] = []
        weights: list[float] = []
        # the row of a table is a sum over its other attributes, so the rows of all are one product of matrices
        steps = np.zeros((len(layout.domain), sum(j in clique for clique in layout.cliques)))
        base = 0
        for clique, start in zip(layout.cliques, layout.starts, strict=False):
            if j not in clique:
                continue
            shape = layout.domain.shape(clique)
            flat = np.arange(start, start + layout.domain.cells(clique), dtype=np.int64).reshape(shape)
            pieces.append(np.moveaxis(flat, clique.index(j), -1).reshape(-1, sizes[j]))
            step = 1
            for i in reversed([i for i in clique if i != j]):
                steps[i, len(bases)] = step
                step *= sizes[i]
            bases.append(base)
            weights.append(targets[clique].weight)
            base += len(pieces[-1])
        # in C order, or else the flat view of prices that a visit changes would be a copy
        self.flat = np.ascontiguousarray(np.concatenate(pieces))
        self.weight = np.array(weights, np.float32)
        self._base = np.array(bases, np.intp)
        self._steps = steps
        self._single_steps = steps.astype(np.float32) if base < _EXACT else None

    def rows(self, codes: Codes) -> NDArray[np.intp]:
        """Row of every table for every record: (records, tables)."""
        if self._single_steps is None:
            return np.asarray((codes @ self._steps).astype(np.intp) + self._base)
        return np.asarray(kernel.times(codes.astype(np.float32), self._single_steps).astype(np.intp) + self._base)


def refine(
    codes: Codes,
    domain: Domain,
    targets: Mapping[Clique, Target],
    *,
    options: RefineOptions,
    rng: np.random.Generator,
    bars: Bars | None = None,
    progress: Callable[[float], None] | None = None,
) -> Codes:
    """Moves cells of the records until their counts match the targets of cliques up to length 3.

    No move leads into a combination that bars forbids; those that targets bar cost a toll.
    """
    codes = np.array(codes, np.int32, order="C")
    layout = Layout(domain, targets)
    wanted = np.concatenate([np.asarray(targets[c].wanted, np.float64).ravel() for c in layout.cliques])
    price = ((layout.count(codes) - wanted) * 2.0 * layout.weight).astype(np.float32)
    toll = options.toll * float(np.mean([target.weight for target in targets.values()]))
    for clique, start in zip(layout.cliques, layout.starts, strict=False):
        barred = targets[clique].barred
        if barred is not None:
            price[start : start + barred.size] += np.float32(toll) * barred.ravel()
    views = [AttributeView(layout, j, targets) for j in range(len(domain))]
    marks = _Marks(domain, rng)
    mark = marks.of(codes)
    for sweep in range(options.sweeps):
        changed = 0
        for position, j in enumerate(rng.permutation(len(domain)).tolist()):
            changed += _visit(codes, mark, marks, j, views[j], price, options, rng, bars)
            if progress is not None:
                progress((sweep + (position + 1) / len(domain)) / options.sweeps)
        if changed == 0:
            break
    return codes


class _Marks:
    """A 64-bit mark of each record, the sum of a random number per code: equal records are scored once."""

    def __init__(self, domain: Domain, rng: np.random.Generator) -> None:
        self._words = [rng.integers(0, 2**63, size, dtype=np.int64) for size in domain.sizes]

    def of(self, codes: Codes) -> NDArray[np.int64]:
        """Marks of all records."""
        out = np.zeros(len(codes), np.int64)
        for i, words in enumerate(self._words):
            out += words[codes[:, i]]
        return out

    def change(self, j: int, old: NDArray[np.int32], new: NDArray[np.int32]) -> NDArray[np.int64]:
        """What a move of attribute j adds to the mark."""
        return np.asarray(self._words[j][new] - self._words[j][old])


def _visit(
    codes: Codes,
    mark: NDArray[np.int64],
    marks: _Marks,
    j: int,
    view: AttributeView,
    price: NDArray[np.float32],
    options: RefineOptions,
    rng: np.random.Generator,
    bars: Bars | None,
) -> int:
    """One visit of attribute j in every record. codes, mark and price are updated in place; returns the moves made."""
    local = price[view.flat]
    width = local.shape[1]
    self_price = 2.0 * float(view.weight.sum())
    step = 2.0 * view.weight
    changed = 0
    order = rng.permutation(len(codes))
    _, first, kind, copies = np.unique(mark[order], return_index=True, return_inverse=True, return_counts=True)
    by_kind, ends = np.argsort(kind, kind="stable"), np.cumsum(copies)
    kinds = rng.permutation(len(first))
    at_once = min(options.batch, max(16, options.scores // (len(step) * width)))
    for low in range(0, len(kinds), at_once):
        batch = kinds[low : low + at_once]
        some = order[first[batch]]
        rows = view.rows(codes[some])
        score = kernel.scores(local, rows)
        old = codes[some, j]
        lanes = np.arange(len(batch))
        score -= (score[lanes, old] - np.float32(self_price))[:, None]
        score[lanes, old] = np.inf
        best = score.argmin(axis=1).astype(np.int32)
        willing = np.flatnonzero(score[lanes, best] < 0)
        if bars is not None and len(willing):
            willing = willing[~bars.hit_by(codes[some[willing]], j, best[willing])]
        if not len(willing):
            continue
        # every copy of a willing record may move, up to a number that no miss is likely to exceed
        many = np.minimum(copies[batch[willing]], options.copies)
        willing = np.repeat(willing, np.asarray(many, np.intp))
        nth = np.arange(len(willing)) - np.repeat(np.cumsum(many) - many, np.asarray(many, np.intp))
        record = order[by_kind[(ends - copies)[batch[willing]] + nth]]
        shuffle = rng.permutation(len(willing))
        willing, record = willing[shuffle], record[shuffle]
        # records must not all correct the same miss, so each is asked again when its turn comes
        moved = kernel.settle(local, rows, willing, old, best, step=step, own=self_price)
        chosen, who = willing[moved], record[moved]
        codes[who, j] = best[chosen]
        mark[who] += marks.change(j, old[chosen], best[chosen])
        changed += len(moved)
    price[view.flat] = local
    return changed
