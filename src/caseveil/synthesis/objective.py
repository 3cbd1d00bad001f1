"""How far a mixture lies from noisy residuals, and which way is down: the objective of the fits.

A residual of a product is the product of the centred factors, so in an orthonormal basis U_i of the centred space of
each attribute the residual coordinates of clique A are N sum_z w_z prod_{i in A} (U_i' P_i(. | z)), and the noise on
them is white with variance s_A^2. The negative log-likelihood is a weighted sum of squares whose value and gradient
are a few matrix products.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique
from caseveil.synthesis import kernel
from caseveil.synthesis.kernel import Index, Single, TripleBlock
from caseveil.synthesis.observed import Marginal, NoisyResiduals


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


def to_coordinates(table: Marginal, clique: Clique, bases: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """A centred table in the coordinates of the bases of its attributes."""
    out = np.asarray(table, np.float64)
    for i in clique:  # each time the first axis is taken off and its coordinates put behind the last
        out = out.reshape(len(bases[i]), -1).T @ bases[i]
    return out.reshape([bases[i].shape[1] for i in clique])


_BLOCK = 2_000
"""Cells that take as long as beginning one more block of triples."""


class Objective:
    """Targets and precisions of all residuals up to length 3, packed for matrix products.

    Triples for which `apart` is true are packed in blocks_apart, and left out of loss_and_gradient.
    """

    def __init__(
        self, residuals: NoisyResiduals, widest: int, apart: Callable[[Clique], bool] = lambda clique: False
    ) -> None:
        domain = residuals.domain
        self.domain = domain
        self.bases = [contrasts(size) for size in domain.sizes]
        sizes = np.array(domain.sizes, np.int64)
        self.starts, self.code_starts = _starts(sizes - 1), _starts(sizes)
        self.owner = np.repeat(np.arange(len(sizes)), np.asarray(sizes, np.intp))
        self.basis = np.zeros((int(self.code_starts[-1]), int(self.starts[-1])), np.float32)
        for place, basis in enumerate(self.bases):
            self.basis[self.codes(place), self.rows(place)] = basis
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
            y = to_coordinates(table, clique, self.bases)
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
        self.blocks = self._blocks({c: y for c, y in triples.items() if not apart(c)}, residuals)
        self.blocks_apart = self._blocks({c: y for c, y in triples.items() if apart(c)}, residuals)

    def rows(self, i: int) -> slice:
        """Contrast coordinates of attribute i."""
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    def codes(self, i: int) -> slice:
        """Codes of attribute i among all codes."""
        return slice(int(self.code_starts[i]), int(self.code_starts[i + 1]))

    def _spans(self, attributes: list[int]) -> Index:
        """Contrast coordinates of several attributes."""
        return np.concatenate([np.arange(self.starts[i], self.starts[i + 1]) for i in attributes]).astype(np.int32)

    def _blocks(self, triples: dict[Clique, NDArray[np.float64]], residuals: NoisyResiduals) -> list[TripleBlock]:
        """The triples by the attribute in their middle; what was not measured, or stands elsewhere, weighs nothing."""
        blocks = []
        for cliques in self._together(sorted(triples, key=lambda clique: clique[1])):
            spans = [self._spans(sorted({c[place] for c in cliques})) for place in range(3)]
            target = np.zeros([len(span) for span in spans], np.float32)
            precision = np.zeros_like(target)
            for clique in cliques:
                at = np.ix_(
                    *(np.searchsorted(span, self._spans([i])) for span, i in zip(spans, clique, strict=True))
                )
                target[at], precision[at] = triples[clique], 1.0 / residuals.variance[clique]
            # the widest as columns: only pairs of the other two are laid out for every component
            order = sorted(range(3), key=lambda place: len(spans[place]))
            first, second, columns = (spans[place] for place in order)
            target, precision = (
                np.ascontiguousarray(table.transpose(order)).reshape(-1, len(columns)) for table in (target, precision)
            )
            blocks.append(
                TripleBlock(first=first, second=second, columns=columns, target=target, precision=precision)
            )
        return blocks

    def _together(self, triples: list[Clique]) -> list[list[Clique]]:
        """Triples, sorted by their middle, in groups that make one block each: as few as waste few cells."""
        groups: list[list[Clique]] = []
        for _, same in itertools.groupby(triples, key=lambda clique: clique[1]):
            cliques = list(same)
            if groups and self._laid_out(groups[-1] + cliques) <= (
                self._laid_out(groups[-1]) + self._laid_out(cliques) + _BLOCK
            ):
                groups[-1] += cliques
            else:
                groups.append(cliques)
        return groups

    def _laid_out(self, cliques: list[Clique]) -> int:
        """Cells of one block of these triples."""
        return math.prod(sum(self.domain.sizes[i] - 1 for i in {c[place] for c in cliques}) for place in range(3))

    def loss_and_gradient(self, factors: Single, mass: Single) -> tuple[float, Single, Single]:
        """Loss, its gradient in the factors (dims, K), and its gradient in the mass (K,) of each component."""
        weighted = factors * mass
        error = weighted.sum(axis=1) - self.target1
        scaled = self.precision1 * error
        loss = float(scaled @ error)
        pull = np.repeat(scaled[:, None], len(mass), axis=1)
        by_mass = (2.0 * scaled) @ factors
        error2 = kernel.by_rows(weighted, factors) - self.target2
        scaled2 = self.precision2 * error2
        loss += 0.5 * float(np.vdot(scaled2, error2))
        towards = kernel.times(scaled2, factors)
        pull += towards
        by_mass += (factors * towards).sum(axis=0)
        loss += kernel.triples(self.blocks, factors, weighted, pull, by_mass)
        pull *= 2.0 * mass
        return loss, pull, by_mass


def softmax(logits: Single, starts: NDArray[np.int64], owner: NDArray[np.int64]) -> Single:
    """Probabilities (all codes, components) from logits; codes of one attribute, from starts on, sum to 1."""
    highest = np.maximum.reduceat(logits, np.asarray(starts, np.intp), axis=0)
    exps = np.exp(logits - highest[owner])
    return np.asarray(exps / sums_by(owner, exps)[owner], np.float32)


def sums_by(owner: NDArray[np.int64], numbers: Single) -> Single:
    """Sums over the codes of each attribute: (attributes, components) of numbers (all codes, components)."""
    # a product of matrices, several times faster than adding up slices
    return kernel.times((owner == np.arange(int(owner[-1]) + 1)[:, None]).astype(np.float32), numbers)


class Adam:
    """Adam (Kingma, Ba 2015) on one array."""

    def __init__(self, like: Single) -> None:
        self.mean = np.zeros_like(like)
        self.square = np.zeros_like(like)

    def step(self, gradient: Single, count: int) -> Single:
        """The direction of the count-th step (from 1 on)."""
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.01 * (gradient * gradient - self.square)
        return np.asarray(
            (self.mean / (1 - 0.9**count)) / (np.sqrt(self.square / (1 - 0.99**count)) + 1e-12), np.float32
        )
