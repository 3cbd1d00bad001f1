"""A mixture of victims, each component with several kinds of perpetrators.

A component g of victims has a weight, probabilities of V and of the number of links k, and kinds u of perpetrators
with shares pi(u | g) and probabilities of P. A victim with one of her perpetrators is then a plain mixture over
(g, u), in which V and k do not depend on u; two perpetrators of one victim are two independent kinds of one g:

    each(v, k, p)  = N sum_g w_g P(v | g) P(k | g) sum_u pi(u | g) P(p | g, u)
    pairs(p, p')   = N sum_g w_g P(k >= 2 | g) m_g(p) m_g(p'),   m_g = sum_u pi(u | g) P(. | g, u)

The first is fitted as in synthesis.model. The second says how alike the perpetrators of one victim are: with one kind
per component they would be as alike as the attributes of one person are tied together, which is too much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.synthesis import kernel
from caseveil.synthesis.kernel import Single
from caseveil.synthesis.model import FitOptions, Mixture, descend, start
from caseveil.synthesis.objective import Objective, to_coordinates
from caseveil.synthesis.observed import Marginal, NoisyResiduals

KINDS = 2
"""Kinds of perpetrators per component."""

FIT = FitOptions(ladder=(50, 100, 200), products=1400, iterations=400)
"""Linked tables have many attributes: a step costs several times that of one table, and fewer are taken."""

PAIR_WEIGHT = 4.0
"""How much more a pair of links pulls than a single one: there are few of them, and both must be met to end a fit."""


@dataclass(frozen=True, kw_only=True)
class LinkedMixture:
    """The fitted model. each: the plain mixture over (component, kind), kinds of one component side by side.

    v: number of attributes of victims, and the position of k. kinds: kinds of perpetrators per component.
    """

    each: Mixture
    v: int
    kinds: int

    @property
    def several(self) -> NDArray[np.float64]:
        """P(k >= 2) per component: (components,)."""
        return np.asarray(self.each.probabilities[self.v][2:, :: self.kinds].sum(axis=0))

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of the components of victims: (components,), summing to 1."""
        return np.asarray(self.each.weights.reshape(-1, self.kinds).sum(axis=1))

    def mean(self, attribute: int) -> NDArray[np.float64]:
        """m_g of one attribute of perpetrators (its position in `each`): (codes, components)."""
        weighted = self.each.probabilities[attribute] * self.each.weights
        return np.asarray(weighted.reshape(len(weighted), -1, self.kinds).sum(axis=2) / self.weights)

    def singles(self, attribute: int) -> Marginal:
        """Expected victims with several links, by an attribute of a drawn one."""
        return np.asarray(self.mean(attribute) @ (self.weights * self.several * self.each.total))

    def pairs(self, first: int, second: int) -> Marginal:
        """Expected victims, by the attribute `first` of one link and `second` of another one."""
        mass = self.weights * self.several * self.each.total
        return np.asarray((self.mean(first) * mass) @ self.mean(second).T)


class _PairObjective:
    """How far the model's pairs, and single attributes in pairs, lie from the measured ones, in contrast coordinates
    of P."""

    def __init__(self, pairs: NoisyResiduals, objective: Objective, v: int, kinds: int) -> None:
        p = len(pairs.domain) // 2
        self.kinds = kinds
        self.low = int(objective.starts[v + 1])
        dims = int(objective.starts[-1]) - self.low
        self.target = np.zeros((dims, dims), np.float32)
        self.precision = np.zeros((dims, dims), np.float32)
        self.degrees = 0
        self.several = np.zeros(int(objective.code_starts[-1]), np.float32)
        self.several[objective.codes(v)][2:] = 1.0
        self.single_target = np.zeros((dims, 1), np.float32)
        self.single_precision = np.zeros((dims, 1), np.float32)
        for clique, table in pairs.values.items():
            places = tuple(i if i < p else i - p for i in clique)
            precision = 1.0 / pairs.variance[clique]
            rows, *rest = (self._rows(objective, v + 1 + place) for place in places)
            if not rest:
                y = to_coordinates(table, (v + 1 + places[0],), objective.bases)
                self.single_target[rows, 0], self.single_precision[rows] = y, precision
                self.degrees += y.size
                continue
            (columns,), (i, j) = rest, places
            y = to_coordinates(table, (v + 1 + i, v + 1 + j), objective.bases)
            size = len(y)
            if i == j:
                # symmetric in truth: averaging halves the noise off the diagonal
                y, precision = (y + y.T) / 2, 2.0 * precision
                self.degrees += size * (size + 1) // 2
            else:
                self.degrees += y.size
            self.target[rows, columns], self.precision[rows, columns] = y, precision
            self.target[columns, rows], self.precision[columns, rows] = y.T, precision

    def _rows(self, objective: Objective, attribute: int) -> slice:
        """Coordinates of an attribute of P among those of P."""
        rows = objective.rows(attribute)
        return slice(rows.start - self.low, rows.stop - self.low)

    def loss_and_gradient(self, factors: Single, mass: Single, several: Single) -> tuple[float, Single, Single, Single]:
        """Loss and its gradients in the factors of P (dims, K), the mass (K,), and P(k >= 2) (components,)."""
        dims = len(factors)
        grouped = mass.reshape(-1, self.kinds)
        whole = np.maximum(grouped.sum(axis=1), np.float32(1e-6))
        summed = (factors * mass).reshape(dims, -1, self.kinds).sum(axis=2)
        scale = several / whole
        error = kernel.by_rows(summed * scale, summed) - self.target
        scaled = self.precision * error
        loss = 0.5 * float(np.vdot(scaled, error))
        towards = kernel.times(scaled, summed)
        energy = (summed * towards).sum(axis=0)
        single_error = summed @ several[:, None] - self.single_target
        single = self.single_precision * single_error
        loss += float(np.vdot(single, single_error))
        by_sum = 2.0 * (towards * scale + single * several)
        spread = np.repeat(by_sum, self.kinds, axis=1)
        by_mass = (factors * spread).sum(axis=0) - np.repeat(energy * scale / whole, self.kinds)
        return loss, spread * mass, by_mass, energy / whole + 2.0 * (summed * single).sum(axis=0)


class _EachObjective(Objective):
    """How far a victim with one of her perpetrators lies from the measurements.

    V and k do not depend on the kind of a perpetrator, so triples that hold at most one attribute of P see nothing
    but the mean of the kinds, N sum_g w_g V V' sum_u pi(u | g) P(. | g, u): they are most of the work, and are made
    with one product per component instead of one per kind.
    """

    def __init__(self, residuals: NoisyResiduals, widest: int, v: int, kinds: int) -> None:
        super().__init__(residuals, widest, apart=lambda clique: clique[1] <= v)
        self.kinds = kinds
        self.low = int(self.starts[v + 1])

    def loss_and_gradient(self, factors: Single, mass: Single) -> tuple[float, Single, Single]:
        """As of any mixture; factors of V and k are equal for the kinds of one component."""
        loss, pull, by_mass = super().loss_and_gradient(factors, mass)
        kinds, low = self.kinds, self.low
        each = mass.reshape(-1, kinds)
        whole = np.maximum(each.sum(axis=1), np.float32(1e-6))
        share = (each / whole[:, None]).ravel()
        mean = factors[:, ::kinds].copy()
        mean[low:] = (factors[low:] * share).reshape(len(factors) - low, -1, kinds).sum(axis=2)
        pull_mean, by_whole = np.zeros_like(mean), np.zeros_like(whole)
        loss += kernel.triples(self.blocks_apart, mean, mean * whole, pull_mean, by_whole)
        pull += np.repeat(2.0 * pull_mean, kinds, axis=1) * mass
        # mass that goes to one kind counts that kind's P, not the mean
        beyond = factors[low:] - np.repeat(mean[low:], kinds, axis=1)
        by_mass += np.repeat(by_whole, kinds) + 2.0 * (beyond * np.repeat(pull_mean[low:], kinds, axis=1)).sum(axis=0)
        return loss, pull, by_mass


def fit_linked(
    each: NoisyResiduals,
    pairs: NoisyResiduals,
    *,
    v: int,
    options: FitOptions,
    kinds: int,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> LinkedMixture:
    """Fits members to both measurements, each until it reaches the noise, and averages them as synthesis.model does."""
    objective = _EachObjective(each, options.widest, v, kinds)
    between = _PairObjective(pairs, objective, v, kinds)
    total = max(each.total, 1.0)
    for components in options.ladder:
        first = _fit_member(each, objective, between, total, v, components, options, rng)
        if first[2]:
            break
    members, wanted = [first], max(1, options.products // components)
    while len(members) < wanted:
        if progress is not None:
            progress(len(members) / wanted)
        members.append(_fit_member(each, objective, between, total, v, components, options, rng))
    return LinkedMixture(
        each=Mixture(
            domain=each.domain,
            weights=np.concatenate([weights for weights, _, _ in members]) / len(members),
            probabilities=tuple(
                np.concatenate([probabilities[objective.codes(i)] for _, probabilities, _ in members], axis=1)
                for i in range(len(each.domain))
            ),
            total=total,
        ),
        v=v,
        kinds=kinds,
    )


def _fit_member(
    each: NoisyResiduals,
    objective: Objective,
    between: _PairObjective,
    total: float,
    v: int,
    components: int,
    options: FitOptions,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """One fit from a random start: weights, stacked probabilities, whether the noise was reached."""
    kinds = between.kinds
    tied = slice(0, int(objective.code_starts[v + 1]))
    low = between.low
    numbers = objective.codes(v)

    def evaluate(probabilities: Single, mass: Single) -> tuple[float, Single, Single]:
        factors = kernel.times(objective.basis.T, probabilities)
        loss, pull, by_mass = objective.loss_and_gradient(factors, mass)
        several = probabilities[numbers][2:, ::kinds].sum(axis=0)
        loss2, pull2, by_mass2, by_several = between.loss_and_gradient(factors[low:], mass, several)
        pull[low:] += PAIR_WEIGHT * pull2
        slope = kernel.times(objective.basis, pull)
        slope[numbers.start + 2 : numbers.stop] += PAIR_WEIGHT * np.repeat(by_several / kinds, kinds)
        shared = slope[tied].reshape(tied.stop, -1, kinds).sum(axis=2)
        slope[tied] = np.repeat(shared, kinds, axis=1)
        misfit = max(loss / objective.degrees, loss2 / between.degrees if between.degrees else 0.0)
        return misfit, slope, by_mass + PAIR_WEIGHT * by_mass2

    logits = start(each, objective, total, components * kinds, rng)
    logits[tied] = np.repeat(logits[tied, ::kinds], kinds, axis=1)
    return descend(evaluate, logits, objective, total, options)
