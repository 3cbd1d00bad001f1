"""Which marginals are asked for, and how much each matters. Decided from public sizes alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caseveil.schema.domain import Clique, Domain

DEFAULT_WEIGHTS = (60.0, 6.0, 1.0)
"""Weight of the cell variance of a clique, by length: short combinations are read most and cost least.
Beyond the third length the last weight holds."""

DEFAULT_CELLS_CAP = 3_000_000
"""Most cells that all measured marginals of one release may have together."""

CLIQUES_CAP = 60_000
"""Most cliques that one release measures; beyond it planning and fitting take minutes."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Weights of the measured cliques, and how many of each length were left out for their size."""

    domain: Domain
    weights: Mapping[Clique, float]
    left_out: Mapping[int, int]

    def of_length(self, length: int) -> tuple[Clique, ...]:
        """Cliques of one length."""
        return tuple(clique for clique in self.weights if len(clique) == length)

    def restricted(self, keep: Sequence[Clique]) -> Workload:
        """The same workload with other long cliques left out; keep must be closed under subsets or shorter."""
        kept = set(keep)
        return Workload(
            domain=self.domain,
            weights={clique: weight for clique, weight in self.weights.items() if clique in kept},
            left_out=self.left_out,
        )


def weight_of(length: int, weights: Sequence[float]) -> float:
    """Weight of a clique of this length; the last given weight holds for longer ones."""
    return float(weights[min(length, len(weights)) - 1])


def plan_workload(
    domain: Domain,
    *,
    length: int,
    weights: Sequence[float] = DEFAULT_WEIGHTS,
    cells_cap: int = DEFAULT_CELLS_CAP,
) -> Workload:
    """All cliques up to `length` that fit under the cap: small ones first, every pair before any triple.

    Lengths are taken in turn; within one, cliques by rising number of cells, and only those whose subsets are all in.
    Single attributes are always in: nothing can be made without them.
    """
    chosen: dict[Clique, float] = {}
    left_out: dict[int, int] = {}
    cells = 0
    last: list[Clique] = [()]
    for k in range(1, min(length, len(domain)) + 1):
        # only what extends a chosen clique can have all its subsets in
        candidates = [(*clique, i) for clique in last for i in range(clique[-1] + 1 if clique else 0, len(domain))]
        last = []
        for clique in sorted(candidates, key=lambda c: (domain.cells(c), c)):
            size = domain.cells(clique)
            fits = k == 1 or (cells + size <= cells_cap and len(chosen) < CLIQUES_CAP)
            if fits and all(part in chosen for part in itertools.combinations(clique, k - 1) if part):
                chosen[clique] = weight_of(k, weights)
                last.append(clique)
                cells += size
        left_out[k] = math.comb(len(domain), k) - len(last)
    ordered = dict(sorted(chosen.items(), key=lambda item: (len(item[0]), item[0])))
    return Workload(domain=domain, weights=ordered, left_out=left_out)
