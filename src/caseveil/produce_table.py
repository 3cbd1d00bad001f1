"""A release of one table: what is measured, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from caseveil.evaluation.fidelity import fidelity
from caseveil.measurement.curator import Curator
from caseveil.measurement.staged import measure_in_stages
from caseveil.measurement.workload import DEFAULT_WEIGHTS, Workload, plan_workload
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import Event
from caseveil.produce_budget import books, open_budget, require
from caseveil.produce_statement import state
from caseveil.produce_update import Before, Going, carried, measure_people, promised
from caseveil.records.encoding import decode
from caseveil.records.prepare import Rows
from caseveil.release.bundle import BundleContents, TableContents
from caseveil.release.carried import PEOPLE
from caseveil.schema.attribute import MultiChoice
from caseveil.schema.table import Table
from caseveil.synthesis.bars import bars
from caseveil.synthesis.counts import PeopleEstimates, publish
from caseveil.synthesis.model import FitOptions, fit
from caseveil.synthesis.observed import NoisyResiduals
from caseveil.synthesis.presence import judge
from caseveil.synthesis.records import RefineOptions, draw, refine
from caseveil.synthesis.target import barred_below, targets

Stages = Callable[[str], Callable[[float], None] | None]
"""The progress of a stage, by its name."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Noisy numbers of one table, and what they cost."""

    table: Table
    workload: Workload
    residuals: NoisyResiduals
    promise: EpsilonDelta
    events: tuple[Event, ...]
    before: Before | None = None


def measure(plan: Plan, rows: Rows, ledger: Ledger, going: Going | None = None) -> Measured:
    """Everything that touches rows, inside one hold of the ledger: all charges, all counts, all noise."""
    table = plan.tables[0].table
    with ledger.locked():
        require(plan, ledger)
        if going is not None:
            (table,) = going.before.tables_of(plan)
            workload = _workload(plan, table)
            residuals, promise, events = measure_people(plan, rows, going, table, workload, ledger)
            return Measured(
                table=table,
                workload=workload,
                residuals=residuals,
                promise=promise,
                events=events,
                before=going.before,
            )
        curator = Curator(rows=rows, ledger=ledger, books=books(plan))
        opened = open_budget(plan, curator)
        resolved = table if opened.discovery is None else table.resolve(opened.discovery.values)
        workload = _workload(plan, resolved)
        allowance = curator.residuals(resolved, mu=opened.mu)
    residuals = opened.with_first(measure_in_stages(allowance, workload))
    return Measured(
        table=resolved,
        workload=workload,
        residuals=residuals,
        promise=opened.promise,
        events=tuple(curator.events),
    )


def _workload(plan: Plan, table: Table) -> Workload:
    return plan_workload(
        table.domain(),
        length=plan.aggregates.length,
        weights=plan.aggregates.weights or DEFAULT_WEIGHTS,
        cells_cap=plan.aggregates.cells_cap,
    )


def synthesise(plan: Plan, measured: Measured, stages: Stages, rng: np.random.Generator) -> BundleContents:
    """From noisy numbers to the contents of a bundle; nothing in here can reach a row."""
    residuals, workload = measured.residuals, measured.workload
    people = max(2, round(residuals.total))
    share = plan.aggregates.fabrication.share
    mixture = fit(residuals, options=FitOptions(), rng=rng, progress=stages("fitting"))
    presence = judge(residuals, mixture)
    kept = [clique for clique in workload.weights if residuals.measured(clique) and len(clique) <= 3]
    others = [clique for clique in workload.weights if not residuals.measured(clique)]
    barred = bars(mixture, others, barred_below(presence, every_estimate=share is None, measured=False))
    codes = refine(
        draw(mixture, people, rng, barred),
        residuals.domain,
        targets(residuals, mixture, presence, kept, every_estimate=share is None),
        options=RefineOptions.for_size(people, kept),
        rng=rng,
        bars=barred,
        progress=stages("records"),
    )
    codes = codes[rng.permutation(people)]
    publication = publish(
        codes,
        measured.table.attributes(),
        PeopleEstimates(residuals=residuals, mixture=mixture),
        presence,
        list(workload.weights),
        share=share,
        delimiters={c.name: c.delimiter for c in measured.table.columns if isinstance(c, MultiChoice)},
        progress=stages("counts"),
    )
    return BundleContents(
        about=plan.about,
        tables={
            measured.table.name: TableContents(
                table=measured.table, records=decode(codes, measured.table), counts=publication.counts
            )
        },
        statement=state(
            plan,
            tables=(measured.table,),
            workload=workload,
            residuals=residuals,
            promise=measured.promise,
            events=measured.events,
            least=publication.least,
            made_up=publication.made_up,
            people=people,
            update=promised(plan, measured.before),
        ),
        fidelity=fidelity(codes, residuals),
        plan_digest=plan.digest(),
        carried=carried(plan, {PEOPLE: residuals}, measured.before),
        stories=plan.stories,
    )
