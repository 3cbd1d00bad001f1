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
from caseveil.synthesis import kernel
from caseveil.synthesis.kernel import Single
from caseveil.synthesis.objective import Adam, Objective, softmax, sums_by
from caseveil.synthesis.observed import Marginal, NoisyResiduals


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
        # the widest attribute last: what comes before it is laid out for every component
        order = sorted(range(len(clique)), key=lambda axis: self.domain.sizes[clique[axis]])
        *before, last = (self.probabilities[clique[axis]] for axis in order)
        for factor in before:
            left = (left[:, None, :] * factor[None, :, :]).reshape(-1, left.shape[-1])
        shape = [self.domain.sizes[clique[axis]] for axis in order]
        return np.ascontiguousarray((left @ last.T).reshape(shape).transpose(np.argsort(order)))

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


_START_SPREAD = 0.7
"""Standard deviation of the logits of a random start around the one-way counts."""


def fit(
    residuals: NoisyResiduals,
    *,
    options: FitOptions,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> Mixture:
    """Fits the members to residuals up to length 3, each by Adam until it reaches the noise, and averages them."""
    objective = Objective(residuals, options.widest)
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
    objective: Objective,
    total: float,
    components: int,
    options: FitOptions,
    rng: np.random.Generator,
) -> _Member:
    """One fit from a random start."""

    def evaluate(probabilities: Single, mass: Single) -> tuple[float, Single, Single]:
        loss, pull, by_mass = objective.loss_and_gradient(kernel.times(objective.basis.T, probabilities), mass)
        return loss / objective.degrees, kernel.times(objective.basis, pull), by_mass

    logits = start(residuals, objective, total, components, rng)
    weights, probabilities, reached = descend(evaluate, logits, objective, total, options)
    return _Member(weights=weights, probabilities=probabilities, reached=reached)


def start(
    residuals: NoisyResiduals, objective: Objective, total: float, components: int, rng: np.random.Generator
) -> Single:
    """Logits (all codes, components) around the one-way counts.

    Components start apart in every attribute, and in how much they state at all: records differ in completeness.
    """
    firsts = objective.code_starts[:-1]
    logits = np.zeros((int(objective.code_starts[-1]), components), np.float32)
    for i, size in enumerate(residuals.domain.sizes):
        share = np.clip((residuals.values[(i,)] + total / size) / total, 1e-3, None)
        logits[int(firsts[i]) : int(firsts[i]) + size] = np.log(share / share.sum())[:, None]
    logits += rng.normal(0.0, _START_SPREAD, logits.shape).astype(np.float32)
    logits[firsts] -= rng.normal(0.0, _START_SPREAD, components).astype(np.float32)
    return logits


def descend(
    evaluate: Callable[[Single, Single], tuple[float, Single, Single]],
    logits: Single,
    objective: Objective,
    total: float,
    options: FitOptions,
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Adam until the misfit is that of noise, then a cooling: (weights, probabilities, whether it got there).

    evaluate: the misfit (loss by degree of freedom), and the gradients of the loss in the probabilities (all codes,
    components) and in the mass (components,).
    """
    firsts, owner = objective.code_starts[:-1], objective.owner
    logits = logits.copy()
    scores = np.zeros(logits.shape[1], np.float32)
    adam, adam_scores = Adam(logits), Adam(scores)
    cooling: int | None = None
    reached = False
    for iteration in range(options.iterations):
        probabilities = softmax(logits, firsts, owner)
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        mass = np.asarray(total * weights, np.float32)
        misfit, slope, by_mass = evaluate(probabilities, mass)
        if cooling is None and (misfit <= options.stop or iteration >= options.iterations - options.cooling):
            cooling, reached = iteration, misfit <= options.stop
        step = options.step
        if cooling is not None:
            passed = (iteration - cooling) / options.cooling
            if passed >= 1:
                break
            step *= 0.5 * (1 + math.cos(math.pi * passed))
        slope = slope - sums_by(owner, probabilities * slope)[owner]
        slope *= probabilities
        logits -= step * adam.step(slope, iteration + 1)
        scores -= step * adam_scores.step(mass * (by_mass - float(weights @ by_mass)), iteration + 1)
    last = np.exp(scores.astype(np.float64) - float(scores.max()))
    return last / last.sum(), softmax(logits, firsts, owner).astype(np.float64), reached
