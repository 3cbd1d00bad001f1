"""A mixture of products fitted to noisy residuals.

The model gives N sum_z w_z prod_i P_i(x_i | z) people to cell x. A residual of a product is the product of the
centred factors, so in an orthonormal basis U_i of the centred space of each attribute the residual coordinates of
clique A are N sum_z w_z prod_{i in A} (U_i' P_i(. | z)), and the noise on them is white with variance s_A^2. The
negative log-likelihood is a weighted sum of squares whose value and gradient are a few matrix products.

Compare Liu, Vietri, Wu, "Iterative Methods for Private Synthetic Data" (NeurIPS 2021) and Aydore et al.,
"Differentially Private Query Release Through Adaptive Projection" (ICML 2021), which relax records in the same
spirit, with selected queries in place of residuals and a general optimiser in place of closed gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.observed import Marginal, NoisyResiduals

Single = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How hard to fit. None of it touches privacy.

    ladder: numbers of products to try, rising; the first that reaches the noise is kept, so that the mixture is no
        richer than what the measurements can support.
    products: independent fits from different starts are averaged, as many as make up this number of products
        together: their mean has less error than any of them, and smears less.
    iterations: most steps taken.
    step: step size of Adam on logits.
    stop: fitting ends when the loss falls to this share of the degrees of freedom, that is, to the noise
        (Morozov's discrepancy principle); then the step cools to zero over `cooling` more iterations.
    widest: residuals of three attributes with more degrees of freedom than this are left to the blend: they say
        little per number and cost most of the time.
    """

    ladder: tuple[int, ...] = (50, 100, 200, 400)
    products: int = 1200
    iterations: int = 600
    step: float = 0.2
    stop: float = 1.0
    cooling: int = 40
    widest: int = 1_000


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """The fitted model. probabilities[i] has shape (n_i, components); weights sum to 1; total is in people."""

    domain: Domain
    weights: NDArray[np.float64]
    probabilities: tuple[NDArray[np.float64], ...]
    total: float

    def expected(self, clique: Clique) -> Marginal:
        """Expected people in every cell of the marginal; shape of the clique."""
        left = (self.weights * self.total)[None, :]
        if not clique:
            return np.asarray(left.sum())
        for i in clique[:-1]:
            left = (left[:, None, :] * self.probabilities[i][None, :, :]).reshape(-1, left.shape[-1])
        return (left @ self.probabilities[clique[-1]].T).reshape(self.domain.shape(clique))

    def at(self, clique: Clique, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Expected people in chosen cells of a marginal too large to be laid out; codes (cells, len(clique))."""
        out = np.empty(len(codes))
        for low in range(0, len(codes), 4096):
            part = codes[low : low + 4096]
            product = np.broadcast_to(self.weights * self.total, (len(part), len(self.weights)))
            for axis, i in enumerate(clique):
                product = product * self.probabilities[i][part[:, axis]]
            out[low : low + 4096] = product.sum(axis=1)
        return out


def contrasts(size: int) -> NDArray[np.float64]:
    """Orthonormal basis (size, size - 1) of the vectors that sum to zero (Helmert)."""
    basis = np.zeros((size, size - 1))
    for j in range(1, size):
        basis[:j, j - 1] = 1.0
        basis[j, j - 1] = -j
        basis[:, j - 1] /= math.sqrt(j * (j + 1))
    return basis


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


@dataclass(frozen=True)
class _TripleBlock:
    """All fitted triples that share the first attribute of a pair: rows are pair coordinates, columns single ones.

    Every triple stands in three places over all blocks (once per choice of its single attribute), which makes the
    gradient of every attribute one product, with no scatter.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    columns: NDArray[np.int64]
    target: Single
    precision: Single


def _to_coordinates(table: Marginal, clique: Clique, bases: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    out = np.asarray(table, np.float64)
    for axis, i in enumerate(clique):
        out = np.moveaxis(np.tensordot(out, bases[i], axes=([axis], [0])), -1, axis)
    return out


class _Objective:
    """Targets and precisions of all residuals up to length 3, packed for matrix products."""

    def __init__(self, residuals: NoisyResiduals, widest: int) -> None:
        domain = residuals.domain
        self.domain = domain
        self.bases = [contrasts(size) for size in domain.sizes]
        sizes = np.array(domain.sizes, np.int64)
        self.starts, self.code_starts = _starts(sizes - 1), _starts(sizes)
        dims = int(self.starts[-1])
        self.target1 = np.zeros(dims, np.float32)
        self.precision1 = np.zeros(dims, np.float32)
        self.target2 = np.zeros((dims, dims), np.float32)
        self.precision2 = np.zeros((dims, dims), np.float32)
        self.degrees = 0
        triples: dict[Clique, NDArray[np.float64]] = {}
        for clique, table in residuals.values.items():
            if not 1 <= len(clique) <= 3:
                continue
            degrees = residuals.degrees(clique)
            if len(clique) == 3 and degrees > widest:
                continue
            self.degrees += degrees
            y = _to_coordinates(table, clique, self.bases)
            precision = 1.0 / residuals.variance[clique]
            if len(clique) == 1:
                rows = self.rows(clique[0])
                self.target1[rows], self.precision1[rows] = y, precision
            elif len(clique) == 2:
                i, j = self.rows(clique[0]), self.rows(clique[1])
                self.target2[i, j], self.precision2[i, j] = y, precision
                self.target2[j, i], self.precision2[j, i] = y.T, precision
            else:
                triples[clique] = y
        self.blocks = self._blocks(triples, residuals)

    def rows(self, i: int) -> slice:
        """Contrast coordinates of attribute i."""
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    def _span(self, i: int) -> NDArray[np.int64]:
        return np.arange(self.starts[i], self.starts[i + 1], dtype=np.int64)

    def _blocks(self, triples: dict[Clique, NDArray[np.float64]], residuals: NoisyResiduals) -> list[_TripleBlock]:
        by_first: dict[int, dict[tuple[int, int], list[tuple[int, Clique]]]] = {}
        for clique in triples:
            i, j, k = clique
            for pair, single in (((i, j), k), ((i, k), j), ((j, k), i)):
                by_first.setdefault(pair[0], {}).setdefault(pair, []).append((single, clique))
        blocks = []
        for pairs in by_first.values():
            singles = sorted({single for uses in pairs.values() for single, _ in uses})
            column_of: dict[int, slice] = {}
            width = 0
            for single in singles:
                size = self.domain.sizes[single] - 1
                column_of[single] = slice(width, width + size)
                width += size
            a, b, targets, precisions = [], [], [], []
            for (i, j), uses in pairs.items():
                first, second = self._span(i), self._span(j)
                a.append(np.repeat(first, len(second)))
                b.append(np.tile(second, len(first)))
                target = np.zeros((len(first) * len(second), width), np.float32)
                precision = np.zeros((1, width), np.float32)
                for single, clique in uses:
                    y = np.moveaxis(triples[clique], clique.index(single), -1)
                    target[:, column_of[single]] = y.reshape(len(target), -1)
                    precision[0, column_of[single]] = 1.0 / residuals.variance[clique]
                targets.append(target)
                precisions.append(np.broadcast_to(precision, target.shape))
            blocks.append(
                _TripleBlock(
                    a=np.concatenate(a),
                    b=np.concatenate(b),
                    columns=np.concatenate([self._span(single) for single in singles]),
                    target=np.concatenate(targets),
                    precision=np.ascontiguousarray(np.concatenate(precisions)),
                )
            )
        return blocks

    def loss_and_gradient(self, factors: Single, mass: Single) -> tuple[float, Single, Single]:
        """Loss, its gradient in the factors (dims, K), and its gradient in the mass (K,) of each component."""
        weighted = factors * mass
        error = weighted.sum(axis=1) - self.target1
        scaled = self.precision1 * error
        loss = float(scaled @ error)
        pull = np.repeat(scaled[:, None], len(mass), axis=1)
        by_mass = (2.0 * scaled) @ factors
        error2 = weighted @ factors.T - self.target2
        scaled2 = self.precision2 * error2
        loss += 0.5 * float(np.vdot(scaled2, error2))
        towards = scaled2 @ factors
        pull += towards
        by_mass += (factors * towards).sum(axis=0)
        for block in self.blocks:
            pairs = factors[block.a] * factors[block.b]
            error3 = pairs @ weighted[block.columns].T
            error3 -= block.target
            scaled3 = block.precision * error3
            loss += float(np.vdot(scaled3, error3)) / 3.0
            towards = scaled3.T @ pairs
            pull[block.columns] += towards
            by_mass += (2.0 / 3.0) * (factors[block.columns] * towards).sum(axis=0)
        pull *= 2.0 * mass
        return loss, pull, by_mass


def _softmax(logits: Single, starts: NDArray[np.int64], owner: NDArray[np.int64]) -> Single:
    exps = np.exp(logits - np.maximum.reduceat(logits, starts, axis=0)[owner])
    return np.asarray(exps / np.add.reduceat(exps, starts, axis=0)[owner], np.float32)


_START_SPREAD = 0.7
"""Standard deviation of the logits of a random start around the one-way counts."""


class _Adam:
    """Adam (Kingma, Ba 2015) on one array."""

    def __init__(self, like: Single) -> None:
        self.mean = np.zeros_like(like)
        self.square = np.zeros_like(like)

    def step(self, gradient: Single, count: int) -> Single:
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.01 * (gradient * gradient - self.square)
        return np.asarray(
            (self.mean / (1 - 0.9**count)) / (np.sqrt(self.square / (1 - 0.99**count)) + 1e-12), np.float32
        )


def fit(
    residuals: NoisyResiduals,
    *,
    options: FitOptions,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> Mixture:
    """Fits the members to residuals up to length 3, each by Adam until it reaches the noise, and averages them."""
    objective = _Objective(residuals, options.widest)
    total = max(residuals.total, 1.0)
    for components in options.ladder:
        first = _fit_member(residuals, objective, total, components, options, rng)
        if first.reached:
            break
    members, wanted = [first], max(1, options.products // components)
    while len(members) < wanted:
        if progress is not None:
            progress(len(members) / wanted)
        members.append(_fit_member(residuals, objective, total, components, options, rng))
    return Mixture(
        domain=residuals.domain,
        weights=np.concatenate([member.weights for member in members]) / len(members),
        probabilities=tuple(
            np.concatenate([member.probabilities[s : s + n] for member in members], axis=1)
            for s, n in zip(objective.code_starts, residuals.domain.sizes, strict=False)
        ),
        total=total,
    )


@dataclass(frozen=True, kw_only=True)
class _Member:
    """One fit: weights (components,), stacked probabilities (all codes, components), and whether it met the noise."""

    weights: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    reached: bool


def _fit_member(
    residuals: NoisyResiduals,
    objective: _Objective,
    total: float,
    components: int,
    options: FitOptions,
    rng: np.random.Generator,
) -> _Member:
    """One fit from a random start."""
    domain = residuals.domain
    sizes = np.array(domain.sizes, np.int64)
    code_starts = objective.code_starts[:-1]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    basis = np.zeros((int(sizes.sum()), len(objective.target1)), np.float32)
    logits = np.zeros((int(sizes.sum()), components), np.float32)
    for i, size in enumerate(domain.sizes):
        rows = slice(int(code_starts[i]), int(code_starts[i]) + size)
        basis[rows, objective.rows(i)] = objective.bases[i]
        share = np.clip((residuals.values[(i,)] + total / size) / total, 1e-3, None)
        logits[rows] = np.log(share / share.sum())[:, None]
    # Components start apart in every attribute, and in how much they state at all: records differ in completeness.
    logits += rng.normal(0.0, _START_SPREAD, logits.shape).astype(np.float32)
    logits[code_starts] -= rng.normal(0.0, _START_SPREAD, components).astype(np.float32)
    scores = np.zeros(components, np.float32)
    adam, adam_scores = _Adam(logits), _Adam(scores)
    goal = options.stop * objective.degrees
    cooling: int | None = None
    reached = False
    for iteration in range(options.iterations):
        probabilities = _softmax(logits, code_starts, owner)
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        mass = np.asarray(total * weights, np.float32)
        loss, pull, by_mass = objective.loss_and_gradient(basis.T @ probabilities, mass)
        if cooling is None and (loss <= goal or iteration >= options.iterations - options.cooling):
            cooling, reached = iteration, loss <= goal
        step = options.step
        if cooling is not None:
            passed = (iteration - cooling) / options.cooling
            if passed >= 1:
                break
            step *= 0.5 * (1 + math.cos(math.pi * passed))
        slope = basis @ pull
        slope -= np.add.reduceat(probabilities * slope, code_starts, axis=0)[owner]
        slope *= probabilities
        logits -= step * adam.step(slope, iteration + 1)
        scores -= step * adam_scores.step(mass * (by_mass - float(weights @ by_mass)), iteration + 1)
    last = np.exp(scores.astype(np.float64) - float(scores.max()))
    return _Member(
        weights=last / last.sum(),
        probabilities=_softmax(logits, code_starts, owner).astype(np.float64),
        reached=reached,
    )
