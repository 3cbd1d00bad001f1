"""Perpetrators for synthetic victims: drawn from the victim's component, then moved cell by cell towards the targets.

As in synthesis.records, one move changes one attribute of one perpetrator to the value that lowers the sum of squared
misses most. A link counts 1/k in the tables of victims with a drawn perpetrator, and 1/(k(k-1)) with each other link
of its victim in the tables of pairs; the second half of the price of a move is therefore a product of the summed
attributes of the other links with the prices of pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis import kernel
from caseveil.synthesis.bars import Bars
from caseveil.synthesis.linked_model import LinkedMixture
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import Marginal
from caseveil.synthesis.records import AttributeView, Codes, Layout, Target, draw_from, spread_over

_LEAST = 1e-6


def victims_model(model: LinkedMixture) -> Mixture:
    """The model of V and k alone, one product per component of victims."""
    each, width = model.each, model.v + 1
    return Mixture(
        domain=Domain(names=each.domain.names[:width], sizes=each.domain.sizes[:width]),
        weights=model.weights,
        probabilities=tuple(table[:, :: model.kinds] for table in each.probabilities[:width]),
        total=each.total,
    )


def perpetrators_model(model: LinkedMixture) -> Mixture:
    """The model of P given at least one link, one product per component and kind.

    A victim without links stands in `each` with every P missing; that share of the missing values is taken out.
    """
    each, low = model.each, model.v + 1
    none = each.probabilities[model.v][0]
    tables = []
    for table in each.probabilities[low:]:
        left = table.copy()
        left[0] = np.maximum(left[0] - none, 0.0)
        empty = left.sum(axis=0) < _LEAST
        left[:, empty] = table[:, empty]
        tables.append(left / left.sum(axis=0))
    return Mixture(
        domain=Domain(names=each.domain.names[low:], sizes=each.domain.sizes[low:]),
        weights=each.weights,
        probabilities=tuple(tables),
        total=each.total,
    )


def draw_victims(
    model: LinkedMixture, count: int, rng: np.random.Generator, bars: Bars | None = None
) -> tuple[Codes, NDArray[np.int64]]:
    """V and k of so many victims (count, v + 1), and the component that each was drawn from, rising."""
    component = spread_over(model.weights, count, rng)
    return draw_from(victims_model(model), component, rng, bars), component


def draw_perpetrators(model: LinkedMixture, component: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    """P of one perpetrator per entry of component (the component of its victim, rising): (links, p)."""
    kinds = model.kinds
    shares = model.each.weights.reshape(-1, kinds)
    product = np.empty(len(component), np.int64)
    bounds = np.searchsorted(component, np.arange(len(shares) + 1))
    for g in np.flatnonzero(np.diff(bounds)):
        low, high = int(bounds[g]), int(bounds[g + 1])
        product[low:high] = g * kinds + rng.permutation(spread_over(shares[g], high - low, rng))
    order = np.argsort(product, kind="stable")
    codes = np.empty((len(component), len(model.each.domain) - model.v - 1), np.int32)
    codes[order] = draw_from(perpetrators_model(model), product[order], rng)
    return codes


@dataclass(frozen=True, kw_only=True)
class PairTargets:
    """What pairs of links should count, over all codes of P stacked: (codes, codes), symmetric.

    wanted: victims, each ordered pair of a victim's links weighing 1/(k(k-1)). weight: price of a squared miss.
    """

    wanted: Marginal
    weight: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Links:
    """Links and the rest of what a record of `each` is: codes (links, v + 1 + p), grouped by victim.

    number: links of the same victim (links,). start: position of the first link of the same victim (links,).
    alone: records of victims without a link, which nothing moves.
    """

    codes: Codes
    number: NDArray[np.int64]
    start: NDArray[np.int64]
    alone: Codes


@dataclass(frozen=True, kw_only=True)
class LinkTargets:
    """What linked records should count.

    drawn: victims with a drawn perpetrator, cliques of `each` that hold P: every link counts 1/k. pairs: two links of
    one victim.
    """

    drawn: Mapping[Clique, Target]
    pairs: PairTargets


def refine_links(
    links: Links,
    domain: Domain,
    v: int,
    targets: LinkTargets,
    *,
    sweeps: int,
    toll: float,
    rng: np.random.Generator,
    bars: Bars | None = None,
    progress: Callable[[float], None] | None = None,
) -> Codes:
    """Moves attributes of perpetrators until their counts match; returns codes (links, v + 1 + p) in the same order."""
    work = _Work(links, domain, v, targets, toll)
    attributes = np.arange(v + 1, len(domain))
    for sweep in range(sweeps):
        changed = 0
        for position, j in enumerate(rng.permutation(attributes).tolist()):
            changed += work.visit(j, rng, bars)
            if progress is not None:
                progress((sweep + (position + 1) / len(attributes)) / sweeps)
        if changed == 0:
            break
    return work.codes


_SCORES = 4_000_000
"""Prices looked up at once, which bounds the memory."""


class _Counted:
    """Target tables in which each link counts 1/k: the prices of one more in each of their cells."""

    def __init__(self, domain: Domain, targets: Mapping[Clique, Target], links: Links, toll: float) -> None:
        self.targets = targets
        self.share = (1.0 / links.number).astype(np.float32)
        self.layout = Layout(domain, targets)
        wanted = np.concatenate([np.asarray(targets[c].wanted, np.float64).ravel() for c in self.layout.cliques])
        every = np.concatenate([links.codes, links.alone])
        counts = self.layout.count(every, np.concatenate([self.share, np.ones(len(links.alone))]).astype(np.float64))
        self.price = ((counts - wanted) * 2.0 * self.layout.weight).astype(np.float32)
        fine = toll * float(np.mean([target.weight for target in targets.values()]))
        for clique, first in zip(self.layout.cliques, self.layout.starts, strict=False):
            barred = targets[clique].barred
            if barred is not None:
                self.price[first : first + barred.size] += np.float32(fine) * barred.ravel()


class _Seen:
    """The counted tables that hold one attribute, laid out for its visit."""

    def __init__(self, counted: _Counted, j: int) -> None:
        self.counted = counted
        self.view = AttributeView(counted.layout, j, counted.targets)
        self.local = counted.price[self.view.flat]
        self.width = self.local.shape[1]
        self.cells = self.local.reshape(-1)
        self.step = 2.0 * self.view.weight
        self.own = 2.0 * float(self.view.weight.sum())

    def close(self) -> None:
        """Writes the prices back."""
        self.counted.price[self.view.flat] = self.local


class _Work:
    """State of the moves."""

    def __init__(self, links: Links, domain: Domain, v: int, targets: LinkTargets, toll: float) -> None:
        self.pairs = targets.pairs
        self.codes = np.array(links.codes, np.int32, order="C")
        self.number, self.start = links.number, links.start
        self.counted = _Counted(domain, targets.drawn, links, toll)
        k = links.number.astype(np.float64)
        self.pair_share = np.where(k > 1, 1.0 / np.maximum(k * (k - 1.0), 1.0), 0.0).astype(np.float32)
        self.rank = np.arange(len(links.codes)) - links.start
        self.batch = max(512, len(links.codes) // 16)
        self.low = v + 1
        sizes = np.array(domain.sizes[v + 1 :], np.int64)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def _flags(self) -> NDArray[np.float32]:
        """Attributes of every link as flags over all codes of P: (links, codes)."""
        return np.hstack([self._flags_of(i) for i in range(len(self.offsets) - 1)])

    def _flags_of(self, i: int) -> NDArray[np.float32]:
        """The same of one attribute: (links, its codes)."""
        out = np.zeros((len(self.codes), int(self.offsets[i + 1] - self.offsets[i])), np.float32)
        out[np.arange(len(out)), self.codes[:, self.low + i]] = 1.0
        return out

    def _others(self, flags: NDArray[np.float32]) -> NDArray[np.float32]:
        """Summed flags of the other links of the same victim: shape of flags."""
        first = np.flatnonzero(self.rank == 0)
        sums = np.add.reduceat(flags, np.asarray(first, np.intp), axis=0)
        return np.asarray(np.repeat(sums, np.asarray(self.number[first], np.intp), axis=0) - flags)

    def visit(self, j: int, rng: np.random.Generator, bars: Bars | None) -> int:
        """One visit of attribute j in every link; returns the moves made."""
        seen = _Seen(self.counted, j)
        flags = self._flags()
        others = self._others(flags)
        prices = _PairPrices(self, j - self.low, flags, others)
        changed = 0
        at_once = min(self.batch, max(16, _SCORES // (len(seen.step) * seen.width)))
        last = int(self.rank.max())
        for rank in range(last + 1):
            # links of one victim do not move together, so what the others are is known
            order = rng.permutation(np.flatnonzero(self.rank == rank))
            for low in range(0, len(order), at_once):
                some = order[low : low + at_once]
                changed += self._move(some, j, seen, others[some], prices, rng, bars)
            if rank < last:  # nothing but attribute j has changed
                others[:, prices.mine] = self._others(self._flags_of(j - self.low))
        seen.close()
        return changed

    def _move(
        self,
        some: NDArray[np.int64],
        j: int,
        seen: _Seen,
        others: NDArray[np.float32],
        prices: _PairPrices,
        rng: np.random.Generator,
        bars: Bars | None,
    ) -> int:
        """Moves those of some links that lower the misses; each belongs to another victim."""
        codes = self.codes[some]
        rows = seen.view.rows(codes)
        share, pair_share = self.counted.share[some], self.pair_share[some]
        old = codes[:, j]
        lanes = np.arange(len(some))
        score = kernel.by_rows(others, prices.price) * pair_share[:, None]
        score += kernel.scores(seen.local, rows) * share[:, None]
        own = prices.own * others.sum(axis=1) * pair_share**2 + seen.own * share**2
        score -= (score[lanes, old] - own)[:, None]
        score[lanes, old] = np.inf
        best = score.argmin(axis=1).astype(np.int32)
        willing = np.flatnonzero(score[lanes, best] < 0)
        if bars is not None and len(willing):
            willing = willing[~bars.hit_by(codes[willing], j, best[willing])]
        willing = rng.permutation(willing)
        moves: list[int] = []
        # links must not all correct the same miss, so each is asked again when its turn comes
        sign = kernel.signs(rows.shape[1])
        change = sign * np.tile(seen.step, 2)
        for first in range(0, len(willing), kernel.AHEAD):
            ahead = willing[first : first + kernel.AHEAD]
            places = kernel.paths(rows[ahead], seen.width, best[ahead], old[ahead])
            gain = own[ahead] + prices.gain(best[ahead], old[ahead], others[ahead]) * pair_share[ahead]
            gain += (seen.cells.take(places) @ sign) * share[ahead]
            for place, who in zip(places[gain < 0], ahead[gain < 0].tolist(), strict=True):
                to, of, beside = int(best[who]), int(old[who]), others[who]
                pairs = ((prices.price[to] - prices.price[of]) @ beside) * pair_share[who]
                if own[who] + pairs + (seen.cells.take(place) @ sign) * share[who] >= 0:
                    continue
                seen.cells[place] += share[who] * change  # no two tables share a cell
                prices.move(of, to, 2.0 * pair_share[who] * beside)
                moves.append(who)
        self.codes[some[moves], j] = best[moves]
        return len(moves)


class _PairPrices:
    """Prices of one more pair, for the values of one attribute by all codes of P of the other link."""

    def __init__(self, work: _Work, i: int, flags: NDArray[np.float32], others: NDArray[np.float32]) -> None:
        self.mine = slice(int(work.offsets[i]), int(work.offsets[i + 1]))
        counted = (flags[:, self.mine] * work.pair_share[:, None]).T @ others
        self.weight = work.pairs.weight[self.mine].astype(np.float32)
        self.price = (2.0 * self.weight * (counted - work.pairs.wanted[self.mine])).astype(np.float32)
        self.own = 2.0 * float(self.weight[0][work.offsets[:-1]].mean())

    def gain(self, best: NDArray[np.int32], old: NDArray[np.int32], others: NDArray[np.float32]) -> NDArray[np.float32]:
        """Price of the new values less that of the old ones, over the other links: (moves,)."""
        return np.asarray(((self.price[best] - self.price[old]) * others).sum(axis=1))

    def move(self, old: int, best: int, change: NDArray[np.float32]) -> None:
        """Puts a move into the prices. change: twice what the other links count, by code."""
        self.price[best] += self.weight[best] * change
        self.price[old] -= self.weight[old] * change
        # the block of the attribute with itself is symmetric
        to, of = self.mine.start + best, self.mine.start + old
        self.price[:, to] += self.weight[:, to] * change[self.mine]
        self.price[:, of] -= self.weight[:, of] * change[self.mine]


__all__ = [
    "LinkTargets",
    "Links",
    "PairTargets",
    "draw_perpetrators",
    "draw_victims",
    "perpetrators_model",
    "refine_links",
    "victims_model",
]
