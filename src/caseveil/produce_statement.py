"""The statement of a release, from its plan and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from caseveil.measurement.workload import Workload
from caseveil.plan import Plan
from caseveil.privacy.accountant import total
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import Event
from caseveil.release.link_promise import LinkPromise
from caseveil.release.manifest import software_versions
from caseveil.release.statement import Statement
from caseveil.release.update_promise import UpdatePromise
from caseveil.schema.table import Table
from caseveil.synthesis.counts import LEVEL
from caseveil.synthesis.observed import NoisyResiduals


def state(
    plan: Plan,
    *,
    tables: tuple[Table, ...],
    workload: Workload,
    residuals: NoisyResiduals,
    promise: EpsilonDelta,
    events: tuple[Event, ...],
    least: Mapping[int, int],
    made_up: Mapping[int, float],
    people: int,
    update: UpdatePromise | None = None,
) -> Statement:
    """The statement. tables: as released, in the order of the plan. people: synthetic records of the first."""
    loss = total(events)
    length = plan.aggregates.length
    everywhere = {k: math.comb(len(residuals.domain), k) for k in range(1, length + 1)}
    seen = {k: sum(residuals.measured(c) for c in workload.of_length(k)) for k in everywhere}
    prefixed = len(tables) > 1
    own, found = [], []
    for part, table in zip(plan.tables, tables, strict=True):
        before = f"{table.name}." if prefixed else ""
        searched = {column.name for column in part.table.undeclared}
        found += [f"{before}{name}" for name in (column.name for column in part.table.undeclared)]
        own += [f"{before}{column.name}" for column in table.columns if column.name not in searched]
    public = ["the names, kinds and meanings of the columns, and every other choice in the plan"]
    if own:
        public.append(f"the values, bins and items declared for {', '.join(own)}")
    links = None
    if prefixed:
        link = plan.tables[1].link
        assert link is not None
        links = LinkPromise(
            to=link.to,
            table=tables[1].name,
            at_most=link.at_most,
            shared_by_at_most=link.shared_by_at_most,
        )
    share = plan.aggregates.fabrication.share
    return Statement(
        unit=plan.unit,
        # a bundle gives numbers back as it reads them: 1 would come back as 1.0
        epsilon=float(promise.epsilon),
        delta=float(promise.delta),
        rho=loss.rho,
        mu=loss.mu,
        mechanisms=tuple(event.to_json() for event in events),
        length=length,
        records=people,
        public=tuple(public),
        discovered=tuple(found),
        groups=everywhere,
        unmeasured={k: everywhere[k] - seen[k] for k in everywhere if everywhere[k] > seen[k]},
        fabrication=plan.aggregates.fabrication.dial,
        expected_made_up=made_up,
        threshold=(
            "every combination that the records hold is published"
            if share is None
            else f"a combination is published from the count on at which no more than {100 * share:.3g}% of those "
            f"published are expected to be made up by the noise, and only when all shorter ones within it are published"
        ),
        least_count=least,
        level=LEVEL,
        ledger_kept=plan.ledger is not None,
        software=software_versions(),
        links=links,
        update=update,
    )
