"""How exact counts would be, for the chart beside the sliders. Computed from public sizes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caseveil.forecast_sizes import domain_of_plan
from caseveil.measurement.forecast import forecast
from caseveil.plan import Plan

PEOPLE = 10_000
"""People that a forecast assumes unless a public guess is given."""

_NUMBERS = {1: "one attribute", 2: "two attributes", 3: "three attributes", 4: "four attributes", 5: "five attributes"}


def view(plan: Plan, epsilons: Sequence[float], n: int = PEOPLE) -> dict[str, Any]:
    """The contract's Forecast. `within` is half of the 95% interval of a count, in people; columns is empty where a row
    is about all of them. The plan's own epsilon is told in sentences. n: a public guess of how many people there are.
    """
    link = plan.tables[-1].link
    domain, assumed = domain_of_plan([part.table for part in plan.tables], link, ())
    own = plan.promise.epsilon
    found = forecast(
        domain,
        n=n,
        epsilons=sorted({*epsilons, own}),
        delta=plan.promise.delta,
        length=plan.aggregates.length,
        weights=plan.aggregates.weights,
        cells_cap=plan.aggregates.cells_cap,
        linked=link is not None,
        changed=plan.changed,
    )
    sentences = [
        f"Counts of {_NUMBERS[row.length]} will be within about {_round(row.half_width)} people of the truth, 95 times "
        f"in 100; typically {_round(row.expected_error)} off."
        for row in found.rows
        if row.epsilon == own
    ]
    if assumed:
        sentences.append(f"For {', '.join(assumed)} ten values are assumed, since none are declared.")
    for length, left in found.left_out.items():
        if left:
            groups = f"{left:,} combinations of {length} columns"
            sentences.append(f"{groups} are too many to measure and are left to the model.")
    return {
        "people": n,
        "delta": found.delta,
        "rows": [
            {
                "epsilon": row.epsilon,
                "length": row.length,
                "columns": [],
                "within": row.half_width,
                "share_published": None,
            }
            for row in found.rows
            if row.epsilon in epsilons
        ],
        "sentences": sentences,
    }


def _round(people: float) -> str:
    return f"{people:,.0f}" if people >= 9.5 else f"{people:.2g}"
