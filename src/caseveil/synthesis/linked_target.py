"""What pairs of links should count: model and measurement blended."""

from __future__ import annotations

import numpy as np

from caseveil.schema.domain import Clique
from caseveil.synthesis.linked_model import LinkedMixture
from caseveil.synthesis.linked_records import PairTargets
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre

_POOLED_DEGREES = 10.0
"""As in synthesis.target."""

ALIKE_KEPT = 0.4
"""Least share of the misfit that is kept where both links show the same attribute: a smooth model makes the
perpetrators of one victim a little less alike than they are, always in the same direction."""

PULL = 15.0
"""How much more a miss of a pair matters than one as precise in the tables of single links: those are hundreds."""


def pair_targets(pairs: NoisyResiduals, model: LinkedMixture) -> PairTargets:
    """Model's pairs, moved towards the measured residuals by positive-part shrinkage (synthesis.target.blend)."""
    p, low = len(pairs.domain) // 2, model.v + 1
    starts = np.concatenate([[0], np.cumsum(pairs.domain.sizes[:p])])
    side = int(starts[-1])
    wanted, weight = np.zeros((side, side)), np.zeros((side, side))
    expected: dict[Clique, Marginal] = {
        c: model.singles(low + c[0]) if len(c) == 1 else model.pairs(low + c[0], low + c[1] - p) for c in pairs.values
    }
    energy = {
        clique: float(((table - centre(expected[clique])) ** 2).sum()) / pairs.variance[clique]
        for clique, table in pairs.values.items()
    }
    degrees = {clique: pairs.degrees(clique) for clique in energy}
    pooled = sum(energy.values()) / max(1, sum(degrees.values()))
    misfit = {
        clique: (energy[clique] + _POOLED_DEGREES * pooled) / (degrees[clique] + _POOLED_DEGREES) for clique in energy
    }
    kept = {clique: max(0.0, 1.0 - 1.0 / value) if value > 0 else 1.0 for clique, value in misfit.items()}
    rest = {clique: table - centre(expected[clique]) for clique, table in pairs.values.items()}
    alone = {c[0]: max(kept[c], ALIKE_KEPT) * rest[c] for c in pairs.values if len(c) == 1}
    for clique, variance in pairs.variance.items():
        if len(clique) == 1:
            continue
        i, j = clique[0], clique[1] - p
        own, share = rest[clique], kept[clique]
        if i == j:
            own, variance, share = (own + own.T) / 2, variance / 2, max(share, ALIKE_KEPT)
        moved = share * own
        if i in alone and j in alone:
            moved = moved + alone[i][:, None] / own.shape[1] + alone[j][None, :] / own.shape[0]
        rows, columns = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        block = np.maximum(expected[clique] + moved, 0.0)
        wanted[rows, columns], weight[rows, columns] = block, PULL * variance**-0.5
        wanted[columns, rows], weight[columns, rows] = block.T, PULL * variance**-0.5
    return PairTargets(wanted=wanted, weight=weight)
