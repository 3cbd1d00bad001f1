"""How exact counts would be, for the chart beside the sliders. Computed from public sizes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caseveil.forecast_sizes import domain_of_plan
from caseveil.measurement.forecast import forecast
from caseveil.plan import Plan
from caseveil.records.said import Words, say

PEOPLE = 10_000
"""People that a forecast assumes unless a public guess is given."""


def view(plan: Plan, epsilons: Sequence[float], n: int = PEOPLE) -> dict[str, Any]:
    """The contract's Forecast. `within` is half of the 95% interval of a count and `typical` its mean error, in people.
    n: a public guess of how many people there are."""
    link = plan.tables[-1].link
    domain, assumed = domain_of_plan([part.table for part in plan.tables], link, ())
    found = forecast(
        domain,
        n=n,
        epsilons=sorted(set(epsilons)),
        delta=plan.promise.delta,
        length=plan.aggregates.length,
        weights=plan.aggregates.weights,
        cells_cap=plan.aggregates.cells_cap,
        linked=link is not None,
        changed=plan.changed,
    )
    said = [say("assumed", words=Words(words=tuple(assumed)))] if assumed else []
    said += [say("leftToModel", count=left, length=length) for length, left in found.left_out.items() if left]
    return {
        "people": n,
        "delta": found.delta,
        "rows": [
            {
                "epsilon": row.epsilon,
                "length": row.length,
                "within": row.half_width,
                "typical": row.expected_error,
            }
            for row in found.rows
        ],
        "sentences": list(map(str, said)),
        "said": [one.plain() for one in said],
    }
