"""The story of a release: plan, rows and ledger in; a bundle out. Rows are touched by the curator alone."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from caseveil.errors import OutputError, PlanError
from caseveil.evaluation.fidelity import fidelity
from caseveil.measurement.curator import Books, Curator
from caseveil.measurement.discovery import DELTA_SHARE, MU_SHARE
from caseveil.measurement.residuals import optimal_variances, top_up
from caseveil.measurement.selection import worthwhile
from caseveil.measurement.workload import DEFAULT_WEIGHTS, Workload, plan_workload
from caseveil.plan import Plan, TablePlan
from caseveil.privacy.accountant import total
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent
from caseveil.records.encoding import decode
from caseveil.records.prepare import IntakeReport, Rows, prepare
from caseveil.records.risk import RiskReport, assess
from caseveil.records.source import RawTable, read
from caseveil.release.bundle import BundleContents, TableContents, check_output, write_bundle
from caseveil.release.manifest import software_versions
from caseveil.release.statement import Statement
from caseveil.schema.attribute import MultiChoice
from caseveil.schema.table import Table
from caseveil.synthesis.bars import bars
from caseveil.synthesis.counts import LEVEL, Publication, publish
from caseveil.synthesis.model import FitOptions, fit
from caseveil.synthesis.observed import NoisyResiduals
from caseveil.synthesis.presence import judge
from caseveil.synthesis.records import RefineOptions, draw, refine
from caseveil.synthesis.target import barred_below, targets

Progress = Callable[[str, float], None]

COUNT_SHARE = 0.15
"""mu of the first look at the number of people, where delta depends on it, as a share of the mu that epsilon gives at
the smallest delta of practice: less than 2% of the budget."""

SMALL_DELTA = 1e-12

SPREAD = 3.0
"""Standard deviations added to the noisy number of people before delta is set from it: a smaller delta is safer."""


@dataclass(frozen=True, kw_only=True)
class Produced:
    """What `run` leaves: the folder of the bundle, its contents, and the columns in which nothing was discovered."""

    out: Path
    contents: BundleContents
    left_out: tuple[str, ...] = ()

    @property
    def statement(self) -> Statement:
        """The promise of the release."""
        return self.contents.statement


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """What the steward should know before a release. Private."""

    intake: IntakeReport
    risk: RiskReport
    note: str


def run(plan: Plan, *, out: Path | None = None, progress: Progress | None = None) -> Produced:
    """What `caseveil release` does: read, check, charge, make, write. Nothing is charged before all checks passed."""
    out = plan.out if out is None else out
    check_output(out)
    rows, _ = prepare(_read(plan.tables[0], plan, progress), plan.tables[0].table)
    contents = produce(plan, rows, Ledger.open(plan.ledger_path), progress)
    _tell(progress, "writing", 0.0)
    _write(contents, out)
    _tell(progress, "writing", 1.0)
    released = {column.name for part in contents.tables.values() for column in part.table.columns}
    planned = [column.name for table in plan.tables for column in table.table.columns]
    return Produced(out=out, contents=contents, left_out=tuple(name for name in planned if name not in released))


def _write(contents: BundleContents, out: Path) -> None:
    """Writes the bundle; what was paid for is not lost when the place fails in the meantime."""
    try:
        write_bundle(contents, out)
    except OutputError as error:
        try:
            rescue = Path(tempfile.mkdtemp(prefix="caseveil-")) / out.name
            write_bundle(contents, rescue)
        except (OutputError, OSError):
            raise error from None
        raise OutputError(
            f"{error} The release is charged and made: it lies in {rescue}. Move it where you want it"
        ) from None


def check(plan: Plan, progress: Progress | None = None) -> CheckReport:
    """Holds the data against the plan; charges nothing. The report is private."""
    raw = _read(plan.tables[0], plan, progress)
    _tell(progress, "checking", 0.0)
    rows, intake = prepare(raw, plan.tables[0].table)
    report = CheckReport(intake=intake, risk=assess(rows, raw), note=raw.note)
    _tell(progress, "checking", 1.0)
    return report


def produce(
    plan: Plan,
    rows: Rows,
    ledger: Ledger,
    progress: Progress | None = None,
    rng: np.random.Generator | None = None,
) -> BundleContents:
    """Makes the contents of a bundle from checked rows.

    rng serves what happens after the noise (starts of the fit, sampling of records); it is drawn from the operating
    system unless given. The noise itself never comes from it.
    """
    rng = np.random.default_rng() if rng is None else rng
    _tell(progress, "measuring", 0.0)
    measured = _measure(plan, rows, ledger)
    with _one_thread():
        return _synthesise(plan, measured, progress, rng)


def _one_thread() -> AbstractContextManager[object]:
    """Keeps linear algebra on one thread: the products here are small, and threads that spin on a busy machine make
    them ten times slower. Without threadpoolctl nothing is limited."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return cast("AbstractContextManager[object]", threadpool_limits(limits=1))


def _synthesise(plan: Plan, measured: _Measured, progress: Progress | None, rng: np.random.Generator) -> BundleContents:
    """From noisy numbers to the contents of a bundle; nothing in here can reach a row."""
    residuals, workload = measured.residuals, measured.workload
    people = max(2, round(residuals.total))
    share = plan.aggregates.fabrication.share
    mixture = fit(residuals, options=FitOptions(), rng=rng, progress=_stage(progress, "fitting"))
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
        progress=_stage(progress, "records"),
    )
    codes = codes[rng.permutation(people)]
    publication = publish(
        codes,
        measured.table.attributes(),
        residuals,
        mixture,
        presence,
        list(workload.weights),
        share=share,
        delimiters={c.name: c.delimiter for c in measured.table.columns if isinstance(c, MultiChoice)},
        progress=_stage(progress, "counts"),
    )
    return BundleContents(
        about=plan.about,
        tables={
            measured.table.name: TableContents(
                table=measured.table, records=decode(codes, measured.table), counts=publication.counts
            )
        },
        statement=_statement(plan, measured, publication, people),
        fidelity=fidelity(codes, residuals),
        plan_digest=plan.digest(),
    )


@dataclass(frozen=True, kw_only=True)
class _Measured:
    table: Table
    workload: Workload
    residuals: NoisyResiduals
    promise: EpsilonDelta
    events: tuple[Event, ...]


def _measure(plan: Plan, rows: Rows, ledger: Ledger) -> _Measured:
    """Everything that touches rows, inside one hold of the ledger: all charges, all counts, all noise."""
    table = plan.tables[0].table
    books = Books(
        release=plan.about.name,
        version=plan.about.version,
        unit=plan.unit.name,
        population=plan.about.name,
        plan_digest=plan.digest(),
    )
    with ExitStack() as hold:
        hold.enter_context(ledger.locked())
        if plan.budget is not None:
            ledger.require(_largest(plan, table, plan.budget), plan.budget)
        curator = Curator(rows=rows, ledger=ledger, books=books)
        promise, spent, first = _promise(plan, curator)
        discovery_delta = DELTA_SHARE * promise.delta if table.undeclared else 0.0
        budget = mu_for(EpsilonDelta(epsilon=promise.epsilon, delta=promise.delta - discovery_delta)) ** 2 - spent
        resolved = table
        if table.undeclared:
            discovery = curator.values(mu=math.sqrt(MU_SHARE * budget), delta=discovery_delta)
            resolved = table.resolve(discovery.values)
            budget *= 1.0 - MU_SHARE
        mu = math.sqrt(budget)
        domain = resolved.domain()
        workload = plan_workload(
            domain,
            length=plan.aggregates.length,
            weights=plan.aggregates.weights or DEFAULT_WEIGHTS,
            cells_cap=plan.aggregates.cells_cap,
        )
        allowance = curator.residuals(resolved, mu=mu)
    short = {c: v for c, v in optimal_variances(workload.weights, domain, mu).items() if len(c) <= 2}
    residuals = allowance.measure(short)
    long = worthwhile(workload, residuals, mu)
    chosen = workload.restricted([*(c for c in workload.weights if len(c) <= 2), *long])
    if allowance.left > 1e-3 * mu:
        rest = top_up(chosen.weights, domain, allowance.left * (1.0 - 1e-9), residuals.variance)
        residuals = residuals.combine(allowance.measure(rest))
    if first is not None:
        count, variance = first
        residuals = residuals.combine(
            NoisyResiduals(domain=domain, values={(): np.asarray(float(count))}, variance={(): variance})
        )
    return _Measured(
        table=resolved,
        workload=workload,
        residuals=residuals,
        promise=promise,
        events=tuple(curator.events),
    )


def _promise(plan: Plan, curator: Curator) -> tuple[EpsilonDelta, float, tuple[int, float] | None]:
    """The promise with its delta as a number, the squared mu spent on finding it, and the noisy count bought.

    delta "auto" is 1 / (n ln n) of a noisy n (three deviations up, so that delta is not too large), and never above
    the delta of the budget.
    """
    if plan.promise.delta is not None:
        return plan.promise.at(2), 0.0, None
    most = 1.0 if plan.budget is None else plan.budget.delta
    least = min(SMALL_DELTA, most)
    mu = COUNT_SHARE * mu_for(EpsilonDelta(epsilon=plan.promise.epsilon, delta=least))
    noisy = curator.people(mu=mu)
    promise = plan.promise.at(max(2, noisy + math.ceil(SPREAD / mu)))
    delta = max(least, min(promise.delta, most))
    return EpsilonDelta(epsilon=promise.epsilon, delta=delta), mu**2, (noisy, 1.0 / mu**2)


def _largest(plan: Plan, table: Table, budget: EpsilonDelta) -> tuple[Event, ...]:
    """Events that cost at least what the release will, whatever the noisy count turns out to be."""
    delta = budget.delta if plan.promise.delta is None else plan.promise.delta
    selection = DELTA_SHARE * delta if table.undeclared else 0.0
    mu = mu_for(EpsilonDelta(epsilon=plan.promise.epsilon, delta=delta - selection))
    if not selection:
        return (GaussianEvent(label="release", mu=mu),)
    part = math.sqrt(MU_SHARE) * mu
    return (
        SelectionEvent(label="discovery of values", mu=part, delta=selection),
        GaussianEvent(label="release", mu=math.sqrt(1.0 - MU_SHARE) * mu),
    )


def _statement(plan: Plan, measured: _Measured, publication: Publication, people: int) -> Statement:
    loss = total(measured.events)
    length = plan.aggregates.length
    everywhere = {k: math.comb(len(measured.residuals.domain), k) for k in range(1, length + 1)}
    seen = {k: sum(measured.residuals.measured(c) for c in measured.workload.of_length(k)) for k in everywhere}
    declared = [c.name for c in measured.table.columns if c not in plan.tables[0].table.undeclared and c.values]
    found = [c.name for c in plan.tables[0].table.undeclared]
    public = ["the names, kinds and meanings of the columns, and every other choice in the plan"]
    own = [name for name in declared if name not in found]
    if own:
        public.append(f"the values, bins and items declared for {', '.join(own)}")
    share = plan.aggregates.fabrication.share
    return Statement(
        unit=plan.unit,
        # a bundle gives numbers back as it reads them: 1 would come back as 1.0
        epsilon=float(measured.promise.epsilon),
        delta=float(measured.promise.delta),
        rho=loss.rho,
        mu=loss.mu,
        mechanisms=tuple(event.to_json() for event in measured.events),
        length=length,
        records=people,
        public=tuple(public),
        discovered=tuple(found),
        groups=everywhere,
        unmeasured={k: everywhere[k] - seen[k] for k in everywhere if everywhere[k] > seen[k]},
        fabrication=plan.aggregates.fabrication.dial,
        expected_made_up=publication.made_up,
        threshold=(
            "every combination that the records hold is published"
            if share is None
            else f"a combination is published from the count on at which no more than {100 * share:.3g}% of those "
            f"published are expected to be made up by the noise, and only when all shorter ones within it are published"
        ),
        least_count=publication.least,
        level=LEVEL,
        ledger_kept=plan.ledger is not None,
        software=software_versions(),
    )


def _read(table: TablePlan, plan: Plan, progress: Progress | None) -> RawTable:
    if table.source is None:
        raise PlanError(f"tables.{table.table.name}.source is missing: name the file that holds the rows")
    _tell(progress, "reading", 0.0)
    raw = read(table.source, folder=plan.folder, query=table.query)
    _tell(progress, "reading", 1.0)
    return raw


def _tell(progress: Progress | None, stage: str, fraction: float) -> None:
    if progress is not None:
        progress(stage, fraction)


def _stage(progress: Progress | None, stage: str) -> Callable[[float], None] | None:
    return None if progress is None else lambda fraction: progress(stage, fraction)


__all__ = ["CheckReport", "Produced", "check", "produce", "run"]
