"""How well linked records agree with the noisy measurements. Computed from protected numbers only, so it is public.

Beside every number stands a baseline: what it would be if the synthetic perpetrators were dealt to the synthetic
victims at random ("independent").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import UnmeasuredClique
from caseveil.evaluation.linked_codes import LinkedCodes, alike, concordance
from caseveil.schema.domain import Clique, subsets
from caseveil.schema.linked import LinkedTables
from caseveil.synthesis.observed import Marginal, NoisyResiduals, cell_variance, centre, reconstruct

LEVEL = 0.95
"""Share of intervals of the concordance that hold the truth."""

_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def link_fidelity(
    records: LinkedCodes, tables: LinkedTables, each: NoisyResiduals, pairs: NoisyResiduals
) -> dict[str, object]:
    """JSON values: {"across", "number", "within"}.

    records: the synthetic ones. each: residuals over tables.each (one drawn perpetrator of every victim). pairs:
    residuals over tables.pairs, of the cliques of one attribute of two perpetrators of one victim. What was not
    measured is left out.

    across: tables of (attribute of victims, attribute of a perpetrator of theirs), in which every victim counts in
    parts, against their unbiased estimates. rms_sigma: root mean square distance in standard deviations of the noise; 1
    is what the truth itself has. rms_people: the same in people, noise included.
    number: how many perpetrators victims have. tv: total variation distance to the noisy distribution; noise_tv: what
    the truth is expected to have.
    within: concordance of two perpetrators of one victim, by attribute (evaluation.linked_codes.alike): the estimate
    from the measurements with its 95% interval, in the synthetic records, and by chance.
    """
    if each.domain != tables.each or pairs.domain != tables.pairs:
        raise ValueError("residuals must be those of the linked tables")
    return {
        "across": _across(records, tables, each),
        "number": _number(records, tables, each),
        "within": {
            name: found for j, name in _perpetrator_names(tables) if (found := _within(records, tables, each, pairs, j))
        },
    }


def _perpetrator_names(tables: LinkedTables) -> Iterator[tuple[int, str]]:
    return ((j, attribute.name) for j, attribute in enumerate(tables.perpetrator_attributes))


def _across(records: LinkedCodes, tables: LinkedTables, each: NoisyResiduals) -> dict[str, object] | None:
    """Squares are summed over all cells, the missing values among them."""
    cells = groups = 0
    in_sigma, in_people = np.zeros(2), np.zeros(2)  # of the records, of the baseline
    worst = (0.0, "")
    for i in range(tables.v):
        for j in range(tables.p):
            clique = (i, tables.v + 1 + j)
            if not each.measured(clique):
                continue
            shape = (each.domain.sizes[i], each.domain.sizes[clique[1]])
            noisy = reconstruct(each, clique)
            variance = cell_variance(each.variance, clique, each.domain)
            found = (records.drawn(i, j, shape), records.drawn_by_chance(i, j, shape))
            squares = np.array([float(((table - noisy) ** 2).sum()) for table in found])
            in_sigma += squares / variance
            in_people += squares
            cells += noisy.size
            groups += 1
            rms = math.sqrt(squares[0] / variance / noisy.size)
            worst = max(worst, (rms, " and ".join(each.domain.names[place] for place in clique)))
    if not cells:
        return None
    sigma, people = np.sqrt(in_sigma / cells), np.sqrt(in_people / cells)
    return {
        "groups": groups,
        "cells": cells,
        "rms_sigma": round(float(sigma[0]), 4),
        "rms_people": round(float(people[0]), 2),
        "independent": {"rms_sigma": round(float(sigma[1]), 4), "rms_people": round(float(people[1]), 2)},
        "worst": {"attributes": worst[1], "rms_sigma": round(worst[0], 4)},
    }


def _number(records: LinkedCodes, tables: LinkedTables, each: NoisyResiduals) -> dict[str, object] | None:
    clique = (tables.v,)
    if not each.measured(clique):
        return None
    noisy = np.maximum(reconstruct(each, clique), 0.0)
    people = max(1.0, float(noisy.sum()))
    own = records.number_distribution(tables.link.at_most) / max(1, len(records.victims))
    shares = noisy / people
    # Half the sum of the mean sizes of independent errors; that they are clipped and sum to nothing makes it smaller.
    deviation = math.sqrt(cell_variance(each.variance, clique, each.domain))
    floor = 0.5 * len(shares) * math.sqrt(2 / math.pi) * deviation / people
    return {
        "noisy": [round(float(share), 4) for share in shares],
        "synthetic": [round(float(share), 4) for share in own],
        "tv": round(0.5 * float(np.abs(own - shares).sum()), 4),
        "noise_tv": round(min(1.0, floor), 4),
    }


def _within(
    records: LinkedCodes, tables: LinkedTables, each: NoisyResiduals, pairs: NoisyResiduals, j: int
) -> dict[str, object] | None:
    size = len(tables.perpetrator_attributes[j].labels)
    try:
        estimate, interval = measured_concordance(tables, each, pairs, j)
    except UnmeasuredClique:
        return None
    synthetic = concordance(records.within(j, j, (size, size)))
    independent = concordance(records.within_by_chance(j, size))
    return {
        "measured": _rounded(estimate),
        "interval": [round(end, 4) for end in interval],
        "synthetic": _rounded(synthetic),
        "independent": _rounded(independent),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def measured_concordance(
    tables: LinkedTables, each: NoisyResiduals, pairs: NoisyResiduals, j: int
) -> tuple[float | None, tuple[float, float]]:
    """Concordance of attribute j of perpetrators as measured, within 0..1, and its 95% interval.

    It is a ratio of two sums a and b of noisy cells. The interval holds every c for which a - c b, which is Gaussian
    with known variance, is not significantly different from 0 (Fieller, "Some problems in interval estimation", 1954):
    its level is exact however noisy b is. Where b could be 0 it says nothing: no estimate, and (0, 1).
    Raises UnmeasuredClique.
    """
    same, of = alike(len(tables.perpetrator_attributes[j].labels))
    table = _pair_table(tables, each, pairs, j)
    a, b = float((table * same).sum()), float((table * of).sum())
    on_a, on_b = (_noise_weights(part, tables, each, pairs, j) for part in (same, of))
    aa, ab, bb = (_Z**2 * _dot(x, y) for x, y in ((on_a, on_a), (on_a, on_b), (on_b, on_b)))
    square, half, rest = b * b - bb, a * b - ab, a * a - aa
    if b <= 0.0 or square <= 0.0:
        return None, (0.0, 1.0)
    root = math.sqrt(max(0.0, half * half - square * rest))
    low, high = (half - root) / square, (half + root) / square
    return min(1.0, max(0.0, a / b)), (min(1.0, max(0.0, low)), min(1.0, max(0.0, high)))


def _pair_cliques(tables: LinkedTables, pairs: NoisyResiduals, j: int) -> tuple[Clique, Clique]:
    """An attribute of one perpetrator of a pair, and of both."""
    cliques: tuple[Clique, Clique] = ((j,), (j, tables.p + j))
    if any(clique not in pairs.values for clique in cliques):
        raise UnmeasuredClique(f"two times {pairs.domain.names[j]} was not measured")
    return cliques


def _pair_table(tables: LinkedTables, each: NoisyResiduals, pairs: NoisyResiduals, j: int) -> Marginal:
    """Unbiased estimate of the table of one attribute of two perpetrators of a victim, in victims.

    Its interaction and its margins, equal to each other, were measured; their sum is the number of victims with two
    perpetrators or more, from the view `each`.
    """
    one, both = _pair_cliques(tables, pairs, j)
    margin = pairs.values[one]
    size = len(margin)
    several = float(reconstruct(each, (tables.v,))[2:].sum())
    table: Marginal = pairs.values[both] + margin[:, None] / size + margin[None, :] / size + several / size**2
    return table


def _noise_weights(
    functional: Marginal, tables: LinkedTables, each: NoisyResiduals, pairs: NoisyResiduals, j: int
) -> list[Marginal]:
    """How a sum over the pair table answers to white noise of variance 1 in each residual that it is made of.

    The adjoint of `_pair_table`, then of the reconstruction (Xiao et al. 2023), each part times its s_A.
    """
    one, both = _pair_cliques(tables, pairs, j)
    size = len(functional)
    on_margin = (functional.sum(axis=1) + functional.sum(axis=0)) / size
    on_number = np.zeros(each.domain.shape((tables.v,)))
    on_number[2:] = functional.sum() / size**2
    return [
        centre(functional) * math.sqrt(pairs.variance[both]),
        centre(on_margin) * math.sqrt(pairs.variance[one]),
        *_on_residuals(on_number, (tables.v,), each),
    ]


def _on_residuals(functional: Marginal, clique: Clique, residuals: NoisyResiduals) -> Iterator[Marginal]:
    variance: Mapping[Clique, float] = residuals.variance
    cells = residuals.domain.cells(clique)
    for part in subsets(clique):
        over = tuple(axis for axis, place in enumerate(clique) if place not in part)
        summed: NDArray[np.float64] = np.asarray(functional.sum(axis=over))
        share = residuals.domain.cells(part) / cells
        yield centre(summed) * share * math.sqrt(variance[part])


def _dot(x: list[Marginal], y: list[Marginal]) -> float:
    return sum(float((one * other).sum()) for one, other in zip(x, y, strict=True))
