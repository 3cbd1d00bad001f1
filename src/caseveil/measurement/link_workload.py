"""How the budget is split between what is measured of linked rows. Decided from public sizes alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from caseveil.measurement.residuals import cost, influence, optimal_variances, squared_sensitivity
from caseveil.measurement.workload import DEFAULT_CELLS_CAP, Workload, plan_workload
from caseveil.schema.domain import Clique, Domain
from caseveil.schema.linked import LinkedTables, tilt_reach

PAIR_SHARE = 0.16
"""Share of squared mu for pairs of links of one victim: few tables, and what makes siblings as alike as they are."""

TILT_SHARE = 0.03
"""Share of squared mu that turns victims into links: it only serves the intervals of counts of links."""

ANY_SHARE = 0.04
"""Share of squared mu for victims with any link of some kind: it only serves the intervals of those counts."""

SIDE_SHARE = PAIR_SHARE + TILT_SHARE + ANY_SHARE
"""What the views beside `each` take together."""

_ALIKE = 100.0
"""How much more the same attribute of two links, and one attribute alone, matter than two different ones: a share of
pairs that are alike is no better known than the number of pairs that state the attribute."""

LINK_WEIGHTS = (1000.0, 400.0, 1.0)
"""Weight of the cell variance of a clique, by length, as measurement.workload has it for one table. Linked tables have
many attributes: long combinations would take most of the budget from short ones, on which all else stands."""

_NUMBER = (20.0, 4.0)
"""How much more the number of links matters than another attribute, alone and in a pair: every count of links stands
on it."""

_ACROSS = 2.0
"""How much more a pair matters that ties an attribute of the victim to one of the perpetrator."""


def link_workload(
    tables: LinkedTables, *, length: int, weights: Sequence[float] = LINK_WEIGHTS, cells_cap: int = DEFAULT_CELLS_CAP
) -> Workload:
    """All cliques of V, k and P up to `length`, as `plan_workload` chooses them, with `emphasis`."""
    planned = plan_workload(tables.each, length=length, weights=weights, cells_cap=cells_cap)
    return replace(planned, weights={c: emphasis(c, tables.v) * weight for c, weight in planned.weights.items()})


def emphasis(clique: Clique, v: int) -> float:
    """How much more a clique of V, k and P matters than others of its length; v is the position of k."""
    if v in clique and len(clique) <= len(_NUMBER):
        return _NUMBER[len(clique) - 1]
    return _ACROSS if len(clique) == 2 and clique[0] < v < clique[1] else 1.0


@dataclass(frozen=True, kw_only=True)
class LinkVariances:
    """Variances of the residuals of the side views (records.views), in people squared, and what they cost together.

    spent: squared mu as the view `each` would see it.
    """

    tilt: Mapping[Clique, float]
    pairs: Mapping[Clique, float]
    any: Mapping[Clique, float]
    spent: float


def plan_links(tables: LinkedTables, mu: float) -> LinkVariances:
    """Variances of the side views out of a budget of mu for all views together."""
    v, p = tables.v, tables.p
    reach = tilt_reach(tables.link.at_most)
    tilt_weights: dict[Clique, float] = {
        **{(v + i,): 10.0 for i in range(p)},
        **{(v + i, v + j): 1.0 for i, j in itertools.combinations(range(p), 2)},
        **{(i, v + j): 1.0 for i in range(v) for j in range(p)},
    }
    any_weights: dict[Clique, float] = {
        **{(v + f,): 10.0 for f in range(len(tables.flags))},
        **{(i, v + f): 1.0 for i in range(v) for f in range(len(tables.flags))},
    }
    several = tables.link.at_most > 1
    tilt = optimal_variances(tilt_weights, tables.tilt, math.sqrt(TILT_SHARE) * mu / reach) if several else {}
    anyone = optimal_variances(any_weights, tables.any, math.sqrt(ANY_SHARE) * mu)
    pairs = _pair_variances(tables, math.sqrt(PAIR_SHARE) * mu) if several else {}
    spent = cost(tilt, tables.tilt) * reach**2 + cost(anyone, tables.any) + cost(pairs, tables.pairs)
    return LinkVariances(tilt=tilt, pairs=pairs, any=anyone, spent=spent)


def _pair_variances(tables: LinkedTables, mu: float) -> dict[Clique, float]:
    """Residuals of single attributes of one link and of (attribute, attribute of another link).

    Every pair stands in the view in both orders, so one of two equal residuals is enough. The number of pairs follows
    from the view `each`.
    """
    domain: Domain = tables.pairs
    weights: dict[Clique, float] = {(i,): _ALIKE for i in range(tables.p)}
    weights |= {(i, tables.p + j): _ALIKE if i == j else 1.0 for i in range(tables.p) for j in range(i, tables.p)}
    v = {clique: influence({clique: weight}, domain)[clique] for clique, weight in weights.items()}
    sensitivity = {clique: squared_sensitivity(clique, domain) for clique in v}
    norm = math.fsum(math.sqrt(sensitivity[c] * v[c]) for c in v)
    return {c: math.sqrt(sensitivity[c] / v[c]) * norm / mu**2 for c in v}
