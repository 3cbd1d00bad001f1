"""A release that goes on from the last one: who joined since is counted, and added to what was measured before.

People who joined in different periods are different people, so a count of the new ones costs the old ones nothing
(parallel composition: McSherry 2009), and sums of independent measurements stay unbiased, their variances adding.
Where some budget goes to counting everyone again, both estimates of the same counts are combined by inverse variance,
the best linear unbiased one (docs/proofs/yearly-updates.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from caseveil.measurement.curator import ResidualAllowance
from caseveil.measurement.residuals import optimal_variances, top_up
from caseveil.schema.domain import Clique, Domain, subsets
from caseveil.synthesis.observed import NoisyResiduals

_SLACK = 1.0 - 1e-9
"""So that variances made for a budget never cost a float more than it."""


def go_on(
    before: NoisyResiduals,
    weights: Mapping[Clique, float],
    domain: Domain,
    *,
    added: ResidualAllowance,
    first: NoisyResiduals | None = None,
    everyone: ResidualAllowance | None = None,
) -> NoisyResiduals:
    """Noisy residuals of everyone, from those of the last release; spends all of both allowances.

    weights: by clique, as a workload has them. added: rows of the people who joined since; only what was measured
    before is measured of them. first: what is already known of them. everyone: rows of all people, for whatever is
    worth measuring again.
    """
    new = added.measure(_of_added(before.variance, weights, domain, added.left))
    both = before.plus(new if first is None else new.combine(first))
    if everyone is None:
        return both
    return both.combine(everyone.measure(_of_everyone(both.variance, weights, domain, everyone.left)))


def variances_after(
    before: Mapping[Clique, float], weights: Mapping[Clique, float], domain: Domain, *, added: float, everyone: float
) -> dict[Clique, float]:
    """Variances that `go_on` will leave, from those of the last release. added, everyone: mu for either, 0 for none."""
    new = _of_added(before, weights, domain, added)
    both = {clique: before[clique] + new[clique] for clique in before if clique in new}
    again = _of_everyone(both, weights, domain, everyone) if everyone else {}
    out = dict(both)
    for clique, variance in again.items():
        out[clique] = 1.0 / (1.0 / variance + (1.0 / both[clique] if clique in both else 0.0))
    return out


def _of_added(
    before: Mapping[Clique, float], weights: Mapping[Clique, float], domain: Domain, mu: float
) -> dict[Clique, float]:
    """Variances for who joined since. Those of a sum add, so the best ones do not depend on what they are added to."""
    known = {clique: weight for clique, weight in weights.items() if all(part in before for part in subsets(clique))}
    return optimal_variances(known, domain, mu * _SLACK)


def _of_everyone(
    both: Mapping[Clique, float], weights: Mapping[Clique, float], domain: Domain, mu: float
) -> dict[Clique, float]:
    return top_up(weights, domain, mu * _SLACK, both)
