"""The story of a release: plan, rows and ledger in; a bundle out. Rows are touched by the curator alone."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from caseveil import produce_links, produce_table
from caseveil.errors import CaseveilError, OutputError
from caseveil.intake import Intake, read_rows
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.produce_budget import require
from caseveil.produce_update import Before, Covered, Going, read_before, whom
from caseveil.records.identify import Identifying, identifying_columns
from caseveil.records.joined import split
from caseveil.records.linkage import LinkedRows, LinkReport, link_rows
from caseveil.records.prepare import IntakeReport, Rows, prepare
from caseveil.records.recipe import RecipeReport
from caseveil.records.risk import RiskReport, assess
from caseveil.records.risk_links import with_links
from caseveil.records.source import RawTable
from caseveil.release.bundle import BundleContents, check_output, write_bundle
from caseveil.release.statement import Statement

Progress = Callable[[str, float], None]


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
    """What the steward should know before a release. Private.

    risk: of the people whom the release covers, and columns of either table that identify. note: how files were read,
    where that was doubtful. linked: intake of the linked table and what joining met; None without links. covered: whom
    a release of a series is about; None for one that stands alone. recipes: what the recipe of each table met. refused:
    why budget or ledger would refuse the release now; '' where they would not.
    """

    intake: IntakeReport
    risk: RiskReport
    note: str
    linked: tuple[IntakeReport, LinkReport] | None = None
    covered: Covered | None = None
    recipes: tuple[RecipeReport, ...] = ()
    refused: str = ""


def run(plan: Plan, *, out: Path | None = None, progress: Progress | None = None) -> Produced:
    """What `caseveil release` does: read, check, charge, make, write. Nothing is charged before all checks passed."""
    out = plan.out if out is None else out
    check_output(out)
    before = read_before(plan)
    rows, added = counted(plan, read_rows(plan, progress).raw)
    going = None if before is None or added is None else Going(before=before, added=added)
    contents = produce(plan, rows, Ledger.open(plan.ledger_path), progress, going=going)
    _tell(progress, "writing", 0.0)
    _write(contents, out)
    _tell(progress, "writing", 1.0)
    return Produced(out=out, contents=contents, left_out=_left_out(plan, contents))


def counted(plan: Plan, raw: list[RawTable]) -> tuple[Rows | LinkedRows, Rows | LinkedRows | None]:
    """Checked rows of everybody whom the release is about, and of those among them who joined since the last one;
    None where the plan does not go on from one. raw: as `intake` gives it."""
    return split(prepared(plan, raw), raw[0], plan.period)


def prepared(plan: Plan, raw: list[RawTable]) -> Rows | LinkedRows:
    """Checked rows of the tables of the plan, in its order. raw: as `intake` gives it, with recipes carried out."""
    if len(plan.tables) == 1:
        return prepare(raw[0], plan.tables[0].table)[0]
    return _joined(plan, raw)[0]


def _joined(plan: Plan, raw: list[RawTable]) -> tuple[LinkedRows, tuple[IntakeReport, IntakeReport], LinkReport]:
    people, linked = plan.tables
    assert linked.link is not None, "the second table of a plan has a link"
    return link_rows(raw[0], people.table, raw[1], linked.table, linked.link, strict=plan.unit.either)


def _left_out(plan: Plan, contents: BundleContents) -> tuple[str, ...]:
    """Columns that were planned and are not released; with the name of the table where there are two."""
    names = []
    for part in plan.tables:
        released = {column.name for column in contents.tables[part.table.name].table.columns}
        before = f"{part.table.name}." if len(plan.tables) > 1 else ""
        names += [f"{before}{column.name}" for column in part.table.columns if column.name not in released]
    return tuple(names)


def _write(contents: BundleContents, out: Path) -> None:
    """Writes the bundle; what was paid for is not lost when the place fails in the meantime."""
    try:
        write_bundle(contents, out)
    except OutputError as error:
        try:
            folder = Path(tempfile.mkdtemp(prefix="caseveil-"))
            rescue = folder / out.name
            try:
                write_bundle(contents, rescue)
            except OutputError:
                folder.rmdir()
                raise
        except (OutputError, OSError):
            raise error from None
        raise OutputError(
            f"{error} The release is charged and made: it lies in {rescue}. Move it where you want it"
        ) from None


def check(plan: Plan, progress: Progress | None = None) -> CheckReport:
    """Holds the data, and the bundle that the plan goes on from, against the plan; charges nothing. The report is
    private."""
    before = read_before(plan)
    found = read_rows(plan, progress)
    raw = found.raw
    _tell(progress, "checking", 0.0)
    rows: Rows | LinkedRows
    if len(plan.tables) == 1:
        rows, intake = prepare(raw[0], plan.tables[0].table)
        linked = None
    else:
        rows, (intake, linked_intake), links = _joined(plan, raw)
        linked = (linked_intake, links)
    note = " ".join(part.note for part in raw if part.note)
    people = split(rows, raw[0], plan.period)[0]
    seen = with_links(people) if isinstance(people, LinkedRows) else people.columns
    risk = replace(assess(seen), identifying=_identifying(plan, raw))
    intake = _with_unmade(intake, found, 0)
    if linked is not None:
        linked = (_with_unmade(linked[0], found, 1), linked[1])
    report = CheckReport(
        intake=intake,
        risk=risk,
        note=note,
        linked=linked,
        covered=whom(plan, raw[0], before),
        recipes=found.reports,
        refused=_refused(plan),
    )
    _tell(progress, "checking", 1.0)
    return report


def _refused(plan: Plan) -> str:
    """Why the budget would not admit the release; '' without a budget, and where it would."""
    if plan.budget is None:
        return ""
    path = plan.ledger_path
    try:
        require(plan, Ledger() if path is None or not path.exists() else Ledger.read(path))
    except CaseveilError as error:
        return str(error)
    return ""


def _with_unmade(intake: IntakeReport, found: Intake, table: int) -> IntakeReport:
    """The report with cells that a recipe could not read counted as outside."""
    outside = Counter(intake.outside)
    outside.update(found.reports[table].unmade)
    return replace(intake, outside=dict(outside))


def _identifying(plan: Plan, raw: list[RawTable]) -> tuple[Identifying, ...]:
    """Released columns that may identify a person, where there are several tables with the name of theirs."""
    several = len(plan.tables) > 1
    return tuple(
        replace(found, column=f"{part.table.name}.{found.column}") if several else found
        for part, rows in zip(plan.tables, raw, strict=True)
        for found in identifying_columns(rows, released=part.table, recipe=part.recipe)
    )


def produce(
    plan: Plan,
    rows: Rows | LinkedRows,
    ledger: Ledger,
    progress: Progress | None = None,
    rng: np.random.Generator | None = None,
    *,
    going: Going | None = None,
) -> BundleContents:
    """Makes the contents of a bundle from checked rows.

    going: what the last release left and who joined since, where the plan goes on from one.

    rng serves what happens after the noise (starts of the fit, sampling of records); it is drawn from the operating
    system unless given. The noise itself never comes from it.
    """
    if (plan.previous is None) != (going is None):
        raise ValueError("a plan with update.previous, and no other, needs what the last release left")
    rng = np.random.default_rng() if rng is None else rng
    stages = _stages(progress)
    _tell(progress, "measuring", 0.0)
    if isinstance(rows, LinkedRows):
        linked = produce_links.measure(plan, rows, ledger, going)
        with _one_thread():
            return produce_links.synthesise(plan, linked, stages, rng)
    measured = produce_table.measure(plan, rows, ledger, going)
    with _one_thread():
        return produce_table.synthesise(plan, measured, stages, rng)


def _one_thread() -> AbstractContextManager[object]:
    """Keeps linear algebra on one thread: the products here are small, and threads that spin on a busy machine make
    them ten times slower. Without threadpoolctl nothing is limited."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return cast("AbstractContextManager[object]", threadpool_limits(limits=1))


def _tell(progress: Progress | None, stage: str, fraction: float) -> None:
    if progress is not None:
        progress(stage, fraction)


def _stages(progress: Progress | None) -> produce_table.Stages:
    def of(stage: str) -> Callable[[float], None] | None:
        return None if progress is None else lambda fraction: progress(stage, fraction)

    return of


__all__ = ["Before", "CheckReport", "Covered", "Produced", "check", "prepared", "produce", "read_before", "run"]
