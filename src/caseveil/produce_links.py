"""A release of victims linked to their perpetrators: what is measured, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from caseveil.evaluation.fidelity import fidelity
from caseveil.evaluation.link_fidelity import link_fidelity
from caseveil.evaluation.linked_codes import LinkedCodes
from caseveil.measurement.curator import Curator
from caseveil.measurement.link_workload import LINK_WEIGHTS, link_workload, plan_links
from caseveil.measurement.staged import measure_in_stages
from caseveil.measurement.workload import Workload
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import Event
from caseveil.produce_budget import books, open_budget, require
from caseveil.produce_statement import state
from caseveil.produce_table import Stages
from caseveil.produce_update import Before, Going, carried, measure_links, promised
from caseveil.records.encoding import decode
from caseveil.records.linkage import LinkedRows
from caseveil.release.bundle import BundleContents, KeyColumn, LinkContents, TableContents
from caseveil.release.flattened import flatten, standing
from caseveil.schema.attribute import Attribute, MultiChoice
from caseveil.schema.domain import Clique, Domain
from caseveil.schema.linked import LinkedTables
from caseveil.schema.table import Table
from caseveil.synthesis.bars import bars
from caseveil.synthesis.counts import Estimates, PeopleEstimates, Publication, publish
from caseveil.synthesis.linked_counts import LinkedRecords, publish_links
from caseveil.synthesis.linked_estimates import LinkMeasurements, PerpetratorEstimates
from caseveil.synthesis.linked_model import FIT, KINDS, LinkedMixture, fit_linked
from caseveil.synthesis.linked_records import Links, LinkTargets, draw_perpetrators, draw_victims, refine_links
from caseveil.synthesis.linked_target import pair_targets
from caseveil.synthesis.observed import NoisyResiduals
from caseveil.synthesis.presence import Presence, judge_people
from caseveil.synthesis.records import RefineOptions, refine
from caseveil.synthesis.target import barred_below, targets

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Noisy numbers of linked rows, and what they cost."""

    tables: LinkedTables
    workload: Workload
    numbers: LinkMeasurements
    promise: EpsilonDelta
    events: tuple[Event, ...]
    before: Before | None = None


def measure(plan: Plan, rows: LinkedRows, ledger: Ledger, going: Going | None = None) -> Measured:
    """Everything that touches rows, inside one hold of the ledger: all charges, all counts, all noise."""
    people, linked = (part.table for part in plan.tables)
    link = rows.link
    with ledger.locked():
        require(plan, ledger)
        if going is not None:
            people, linked = going.before.tables_of(plan)
            tables = LinkedTables(victims=people, perpetrators=linked, link=link)
            workload = _workload(plan, tables)
            numbers, promise, events = measure_links(plan, rows, going, tables, workload, ledger)
            return Measured(
                tables=tables,
                workload=workload,
                numbers=numbers,
                promise=promise,
                events=events,
                before=going.before,
            )
        curator = Curator(rows=rows, ledger=ledger, books=books(plan), changed=plan.changed)
        opened = open_budget(plan, curator)
        if opened.discovery is not None:
            people, linked = people.resolve(opened.discovery.values), linked.resolve(opened.discovery.linked)
        tables = LinkedTables(victims=people, perpetrators=linked, link=link)
        workload = _workload(plan, tables)
        allowance = curator.link_residuals(tables, mu=opened.mu)
    side = plan_links(tables, allowance.each.left)
    numbers = LinkMeasurements(
        tables=tables,
        tilt=allowance.tilt.measure(side.tilt),
        pairs=allowance.pairs.measure(side.pairs),
        any=allowance.any.measure(side.any),
        each=opened.with_first(measure_in_stages(allowance.each, workload)),
    )
    return Measured(
        tables=tables, workload=workload, numbers=numbers, promise=opened.promise, events=tuple(curator.events)
    )


def _workload(plan: Plan, tables: LinkedTables) -> Workload:
    return link_workload(
        tables,
        length=plan.aggregates.length,
        weights=plan.aggregates.weights or LINK_WEIGHTS,
        cells_cap=plan.aggregates.cells_cap,
    )


def synthesise(plan: Plan, measured: Measured, stages: Stages, rng: np.random.Generator) -> BundleContents:
    """From noisy numbers to the contents of a bundle; nothing in here can reach a row."""
    tables, numbers, workload = measured.tables, measured.numbers, measured.workload
    each, v = numbers.each, tables.v
    share = plan.aggregates.fabrication.share
    model = fit_linked(
        each,
        numbers.pairs,
        v=v,
        options=FIT,
        kinds=KINDS,
        rng=rng,
        progress=stages("fitting"),
    )
    presence = judge_people(each, model.each, v)
    records = _records(measured, model, presence, every_estimate=share is None, stages=stages, rng=rng)
    inner = [clique for clique in workload.weights if clique[-1] < v]
    outer = [tuple(i - v - 1 for i in clique) for clique in workload.weights if clique[0] > v]
    people = _publish(
        tables.victims,
        records.victims,
        PeopleEstimates(residuals=each, mixture=model.each),
        presence,
        inner,
        share,
        _part(stages("counts"), 0.0, 0.5),
    )
    linked = _publish(
        tables.perpetrators,
        records.links,
        PerpetratorEstimates(measured_links=numbers, model=model),
        presence,
        outer,
        share,
        _part(stages("counts"), 0.5, 0.9),
    )
    across = publish_links(records, tables, numbers, model, presence, share=share)
    contents = _tables(tables, records, people, linked)
    columns = standing(plan.flattened, tables.victims, tables.perpetrators)
    codes = LinkedCodes(victims=records.victims, perpetrators=records.links, victim_of=records.victim_of)
    return BundleContents(
        about=plan.about,
        tables={part.table.name: part for part in contents},
        statement=state(
            plan,
            tables=(tables.victims, tables.perpetrators),
            workload=workload,
            residuals=each,
            promise=measured.promise,
            events=measured.events,
            least=_both(min, people.least, linked.least),
            made_up=_both(max, people.made_up, linked.made_up),
            people=len(records.victims),
            update=promised(plan, measured.before),
        ),
        fidelity=fidelity(records.victims, _inner(each, v))
        | {"links": link_fidelity(codes, tables, each, numbers.pairs)},
        plan_digest=plan.digest(),
        carried=carried(
            plan,
            {"each": each, "tilt": numbers.tilt, "pairs": numbers.pairs, "any": numbers.any},
            measured.before,
        ),
        stories=plan.stories,
        links=LinkContents(
            table=tables.perpetrators.name,
            link=tables.link,
            counts=across,
            flattened=flatten(columns, *contents) if columns else None,
            flattened_columns=columns,
        ),
    )


def _both(choose: Callable[..., Number], one: Mapping[int, Number], other: Mapping[int, Number]) -> dict[int, Number]:
    """By length, the chosen one of two numbers, or the only one."""
    return {k: choose(part[k] for part in (one, other) if k in part) for k in sorted({*one, *other})}


def _part(progress: Callable[[float], None] | None, low: float, high: float) -> Callable[[float], None] | None:
    """Progress of a part of a stage."""
    return None if progress is None else lambda fraction: progress(low + (high - low) * fraction)


def _records(
    measured: Measured,
    model: LinkedMixture,
    presence: Presence,
    *,
    every_estimate: bool,
    stages: Stages,
    rng: np.random.Generator,
) -> LinkedRecords:
    """Synthetic victims in random order, each with links in random order."""
    tables, workload, each = measured.tables, measured.workload, measured.numbers.each
    v, people = tables.v, max(2, round(each.total))
    seen = [c for c in workload.weights if each.measured(c) and len(c) <= 3]
    unseen = [c for c in workload.weights if not each.measured(c)]
    below = barred_below(presence, every_estimate=every_estimate, measured=False)
    low = [c for c in seen if c[-1] <= v]
    # two attributes of the victim with one of the perpetrator are left to the model: they are most of the work
    high = [c for c in seen if c[-1] > v and not (len(c) == 3 and c[1] < v)]
    all_targets = targets(each, model.each, presence, [*low, *high], every_estimate=every_estimate)
    barred = bars(model.each, [c for c in unseen if c[-1] < v], below)
    people_domain = Domain(names=each.domain.names[: v + 1], sizes=each.domain.sizes[: v + 1])
    codes, component = draw_victims(model, people, rng, barred)
    # a second sweep would bring the records closer to their targets, and no closer to the truth
    options = replace(RefineOptions.for_size(people, low), sweeps=1)
    codes = refine(
        codes,
        people_domain,
        {c: all_targets[c] for c in low},
        options=options,
        rng=rng,
        bars=barred,
        progress=_part(stages("records"), 0.0, 0.5),
    )
    number = codes[:, v].astype(np.int64)
    victim_of = np.repeat(np.arange(people, dtype=np.int64), np.asarray(number, np.intp))
    if not len(victim_of):
        return LinkedRecords(
            victims=codes[:, :v], number=number, links=np.zeros((0, tables.p), np.int32), victim_of=victim_of
        )
    alone = codes[number == 0]
    drawn = draw_perpetrators(model, component[victim_of], rng)
    links = Links(
        codes=np.hstack([codes[victim_of], drawn]),
        number=number[victim_of],
        start=np.repeat(np.cumsum(number) - number, np.asarray(number, np.intp)),
        alone=np.hstack([alone, np.zeros((len(alone), tables.p), np.int32)]),
    )
    moved = refine_links(
        links,
        each.domain,
        v,
        LinkTargets(
            drawn={c: all_targets[c] for c in high},
            pairs=pair_targets(measured.numbers.pairs, model),
        ),
        sweeps=1,
        toll=options.toll,
        rng=rng,
        bars=bars(model.each, [c for c in unseen if c[-1] > v], below),
        progress=_part(stages("records"), 0.5, 1.0),
    )
    return _shuffled(codes[:, :v], number, moved[:, v + 1 :], victim_of, rng)


def _shuffled(
    victims: NDArray[np.int32],
    number: NDArray[np.int64],
    links: NDArray[np.int32],
    victim_of: NDArray[np.int64],
    rng: np.random.Generator,
) -> LinkedRecords:
    """The same records with victims, and the links of each, in random order."""
    order = rng.permutation(len(victims))
    place = np.empty(len(victims), np.int64)
    place[order] = np.arange(len(victims))
    owner = place[victim_of]
    sequence = np.lexsort((rng.random(len(owner)), owner))
    return LinkedRecords(victims=victims[order], number=number[order], links=links[sequence], victim_of=owner[sequence])


def _publish(
    table: Table,
    codes: NDArray[np.int32],
    estimates: Estimates,
    presence: Presence,
    cliques: list[Clique],
    share: float | None,
    progress: Callable[[float], None] | None,
) -> Publication:
    attributes: tuple[Attribute, ...] = table.attributes()
    return publish(
        codes,
        attributes,
        estimates,
        presence,
        cliques,
        share=share,
        delimiters={c.name: c.delimiter for c in table.columns if isinstance(c, MultiChoice)},
        progress=progress,
    )


def _tables(
    tables: LinkedTables, records: LinkedRecords, people: Publication, linked: Publication
) -> tuple[TableContents, TableContents]:
    """Both tables with keys that were invented: the numbers from 1 on, in an order that means nothing."""
    keys = [str(i) for i in range(1, len(records.victims) + 1)]
    key = tables.victims.key or tables.link.key
    return (
        TableContents(
            table=tables.victims,
            records=decode(records.victims, tables.victims),
            counts=people.counts,
            key=KeyColumn(name=key, cells=keys),
        ),
        TableContents(
            table=tables.perpetrators,
            records=decode(records.links, tables.perpetrators),
            counts=linked.counts,
            key=KeyColumn(name=tables.link.key, cells=[keys[i] for i in records.victim_of.tolist()]),
        ),
    )


def _inner(each: NoisyResiduals, v: int) -> NoisyResiduals:
    """The residuals of victims alone."""
    values = {c: table for c, table in each.values.items() if not c or c[-1] < v}
    return replace(
        each,
        domain=Domain(names=each.domain.names[:v], sizes=each.domain.sizes[:v]),
        values=values,
        variance={c: each.variance[c] for c in values},
    )
