"""The story of an evaluation: bundle, plan and rows in; a private folder out. Nothing is spent or published."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import BundleError, OutputError, PlanError
from caseveil.evaluate_attacks import ControlRows, attack_linked, attack_table, read_control
from caseveil.evaluate_page import private_page
from caseveil.evaluation import figures, report
from caseveil.evaluation.link_utility import LinkUtility, link_utility
from caseveil.evaluation.linked_codes import LinkedCodes
from caseveil.evaluation.report import Evaluation
from caseveil.evaluation.utility import CodedCounts, TableUtility, table_utility
from caseveil.intake import read_rows
from caseveil.plan import Plan
from caseveil.records.encoding import encode
from caseveil.records.joined import split
from caseveil.records.linkage import LinkedRows, LinkReport, link_rows
from caseveil.records.prepare import Rows, prepare
from caseveil.release.bundle import BundleContents, TableContents, read_bundle
from caseveil.release.combinations import ValueIndex
from caseveil.release.link_combinations import LinkedBits, LinkIndex
from caseveil.schema.attribute import MISSING, Binned, Column, MultiChoice
from caseveil.schema.linked import LinkedTables
from caseveil.schema.table import Table
from caseveil.synthesis.linked_counts import LinkCounts

Progress = Callable[[str, float], None]

STAGES = {
    "reading": ("Reading the data", 10),
    "checking": ("Checking it against the plan", 5),
    "comparing": ("Comparing the release with it", 40),
    "attacking": ("Attacking the release", 40),
    "writing": ("Writing the report", 5),
}
"""Words for each stage and the share of the time that it takes, roughly."""

PAGE, NUMBERS, EXPLORED = "report.md", "report.json", "report.html"


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What `run` leaves: the private folder and what is in it."""

    out: Path
    evaluation: Evaluation


def run(
    bundle: Path,
    plan: Plan,
    *,
    out: Path | None = None,
    attacks: bool = False,
    control: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Evaluated:
    """What `caseveil evaluate` does. The folder of the report is new, and readable by its owner alone where the system
    knows owners.

    attacks: attack the release too. control: files of people who were not in it, one for each table of the plan.

    Raises OutputError for a place within the bundle or one that is taken, BundleError for a bundle that is damaged or
    was made by another plan, PlanError for a control that is none, and what reading and preparing the rows raises.
    """
    if control and not attacks:
        raise PlanError("--control is what attacks are held against: add --attacks, or leave it out")
    out = private_folder(bundle, out)
    contents = read_bundle(bundle)
    check_plan(contents, plan)
    raws = read_rows(plan, progress).raw
    _tell(progress, "checking", 0.0)
    others = read_control(control, plan, raws) if control else None
    if plan.tables[1:]:
        people, linked = plan.tables
        assert linked.link is not None
        rows, _, joined = link_rows(raws[0], people.table, raws[1], linked.table, linked.link, strict=plan.unit.either)
        rows, _ = split(rows, raws[0], plan.period)
        evaluation = compare_linked(contents, rows, joined, progress)
        if attacks:
            evaluation = attacked_linked(contents, rows, others, plan.unit.either, evaluation, progress)
    else:
        single, _ = split(prepare(raws[0], plan.tables[0].table)[0], raws[0], plan.period)
        evaluation = compare(contents, single, progress)
        if attacks:
            evaluation = attacked(contents, single, others, evaluation, progress)
    _tell(progress, "writing", 0.0)
    write(evaluation, contents, out)
    _tell(progress, "writing", 1.0)
    return Evaluated(out=out, evaluation=evaluation)


def private_folder(bundle: Path, out: Path | None) -> Path:
    """Where the report goes: `<bundle>-private` unless given. Raises OutputError."""
    whole = bundle.resolve()
    out = whole.with_name(f"{whole.name}-private") if out is None else out
    place = out.resolve()
    if place == whole or whole in place.parents:
        raise OutputError(
            f"out ({out}) must not lie in the bundle: the report is private, and the bundle is made to be published"
        )
    if os.path.lexists(out):
        raise OutputError(f"out ({out}) already exists and is left as it is: choose another --out, or remove it")
    if not out.parent.is_dir():
        raise OutputError(f"out ({out}) must lie in a folder that exists")
    return out


def check_plan(contents: BundleContents, plan: Plan) -> None:
    """Raises BundleError unless the bundle was made by this plan."""
    if contents.plan_digest == plan.digest():
        return
    ours, its = (f"{about.name} {about.version}" for about in (plan.about, contents.about))
    if ours != its:
        raise BundleError(f"the bundle is {its} and the plan is for {ours}: name the plan that the bundle was made by")
    raise BundleError(
        f"the bundle was made by another plan for {its}, or the plan was changed since: it must be the one that the "
        f"bundle was made by (only source, query, ledger, from, recode and where may differ)"
    )


def compare(contents: BundleContents, rows: Rows, progress: Progress | None = None) -> Evaluation:
    """The release of one table against its checked rows."""
    _tell(progress, "comparing", 0.0)
    (part,) = contents.tables.values()
    table = known_values(part.table, rows)
    found = _table(part, rows, table)
    _tell(progress, "comparing", 1.0)
    return _evaluation(contents, (found,), (rows,), None)


def compare_linked(
    contents: BundleContents, rows: LinkedRows, joined: LinkReport, progress: Progress | None = None
) -> Evaluation:
    """The release of linked tables against their checked rows."""
    if contents.links is None:
        raise BundleError("the bundle must hold linked tables, as the plan does")
    _tell(progress, "comparing", 0.0)
    people, linked = contents.tables.values()
    tables = LinkedTables(
        victims=known_values(people.table, rows.victims),
        perpetrators=known_values(linked.table, rows.perpetrators),
        link=rows.link,
    )
    found = (
        _table(people, rows.victims, tables.victims),
        _table(linked, rows.perpetrators, tables.perpetrators),
    )
    _tell(progress, "comparing", 0.6)
    truth = LinkedCodes(
        victims=encode(rows.victims, tables.victims).codes,
        perpetrators=encode(rows.perpetrators, tables.perpetrators).codes,
        victim_of=rows.victim_of,
    )
    links = link_utility(
        truth,
        synthetic_codes(people, linked, tables),
        tables,
        contents.links.counts,
        _true_counts(contents.links.counts, rows, tables),
        above=joined.above,
        dropped=joined.dropped,
    )
    # An item that was not discovered is a cell of a row, and is named nowhere, not even in a private report.
    named = {attribute.name for attribute in linked.table.attributes()}
    links = replace(links, concordance=tuple(one for one in links.concordance if one.attribute in named))
    _tell(progress, "comparing", 1.0)
    return _evaluation(contents, found, (rows.victims, rows.perpetrators), links)


def attacked(
    contents: BundleContents,
    rows: Rows,
    control: ControlRows | None,
    evaluation: Evaluation,
    progress: Progress | None = None,
) -> Evaluation:
    """The same evaluation with attacks on the release of one table."""
    _tell(progress, "attacking", 0.0)
    found = attack_table(contents, rows, control, lambda done: _tell(progress, "attacking", done))
    return replace(evaluation, attacks=found)


def attacked_linked(
    contents: BundleContents,
    rows: LinkedRows,
    control: ControlRows | None,
    either: bool,
    evaluation: Evaluation,
    progress: Progress | None = None,
) -> Evaluation:
    """The same evaluation with attacks on the release of linked tables."""
    _tell(progress, "attacking", 0.0)
    people, linked = contents.tables.values()
    tables = LinkedTables(victims=people.table, perpetrators=linked.table, link=rows.link)
    records = synthetic_codes(people, linked, tables)
    found = attack_linked(
        records, rows, control, tables, either=either, tell=lambda done: _tell(progress, "attacking", done)
    )
    return replace(evaluation, attacks=found)


def _evaluation(
    contents: BundleContents, tables: tuple[TableUtility, ...], rows: Sequence[Rows], links: LinkUtility | None
) -> Evaluation:
    planned = [column for one in rows for column in one.table.columns]
    released = [{column.name for column in part.table.columns} for part in contents.tables.values()]
    return Evaluation(
        subject=f"{contents.about.name} {contents.about.version}",
        plan_digest=contents.plan_digest,
        tables=tables,
        links=links,
        left_out=tuple(
            column.name
            for one, names in zip(rows, released, strict=True)
            for column in one.table.columns
            if column.name not in names
        ),
        undeclared=tuple(column.name for column in planned if column.values is None),
    )


def known_values(released: Table, rows: Rows) -> Table:
    """The released table with every value that the rows hold, those that were not discovered last. Private."""
    columns: list[Column] = []
    undeclared = {column.name for column in rows.table.undeclared}
    for column in released.columns:
        if column.name in undeclared and not isinstance(column, Binned):
            cells: set[str] = set(rows.columns[column.name])
            if isinstance(column, MultiChoice):
                cells = {item for cell in cells for item in cell.split(column.delimiter)}
            known = column.values or ()
            column = replace(column, values=(*known, *sorted(cells - {MISSING, *known})))
        columns.append(column)
    return replace(released, columns=tuple(columns))


def synthetic_codes(people: TableContents, linked: TableContents, tables: LinkedTables) -> LinkedCodes:
    """The synthetic records of two linked tables of a bundle in codes of `tables`. Raises BundleError."""
    if people.key is None or linked.key is None:
        raise BundleError("linked tables of the bundle must have keys")
    position = {key: at for at, key in enumerate(people.key.cells)}
    try:
        victim_of = np.array([position[key] for key in linked.key.cells], np.int64)
    except KeyError:
        raise BundleError("a synthetic link of the bundle names no synthetic person: run `caseveil verify`") from None
    return LinkedCodes(
        victims=_coded(people, tables.victims),
        perpetrators=_coded(linked, tables.perpetrators),
        victim_of=victim_of,
    )


def _coded(part: TableContents, table: Table) -> NDArray[np.int32]:
    return encode(Rows(table=table, columns=part.records), table).codes


def _table(part: TableContents, rows: Rows, table: Table) -> TableUtility:
    return table_utility(
        part.table.name, encode(rows, table).codes, _coded(part, table), table.domain(), _coded_counts(part, table)
    )


def _coded_counts(part: TableContents, table: Table) -> CodedCounts:
    index = ValueIndex(table=table)
    places: list[tuple[int, int]] = []  # attribute and code of each value, in the order of the index
    for at, attribute in enumerate(table.attributes()):
        places += [(at, code) for code in range(1, len(attribute.labels))]
    try:
        ids = index.combinations(part.counts.combination)
    except ValueError as error:
        raise BundleError(f"counts of {part.table.name} name what the bundle does not declare") from error
    return CodedCounts(
        combinations=[tuple(places[one] for one in combination) for combination in ids],
        count=part.counts.count,
        lower=part.counts.lower,
        upper=part.counts.upper,
    )


def _true_counts(counts: LinkCounts, rows: LinkedRows, tables: LinkedTables) -> NDArray[np.float64]:
    """The true count of every published one across the link."""
    index = LinkIndex(people=tables.victims, linked=tables.perpetrators, at_most=tables.link.at_most)
    bits = LinkedBits.of(
        index, _cells(rows.victims, tables.victims), _cells(rows.perpetrators, tables.perpetrators),
        rows.victim_of, rows.victims.n,
    )  # fmt: skip
    by_kind: dict[str, list[int]] = {}
    for at, kind in enumerate(counts.of):
        by_kind.setdefault(kind, []).append(at)
    out = np.zeros(len(counts.of), np.float64)
    try:
        for kind, where in by_kind.items():
            asked = [index.combination(counts.combination[at], kind) for at in where]
            out[where] = bits.count(kind, asked)
    except ValueError as error:
        raise BundleError("counts across the link name what the bundle does not declare") from error
    return out


def _cells(rows: Rows, table: Table) -> list[Sequence[str]]:
    """Columns of the table in its order; the rows may hold columns that the release lacks."""
    return [rows.columns[column.name] for column in table.columns]


def write(evaluation: Evaluation, contents: BundleContents, out: Path) -> None:
    """Writes the report into the new folder `out`: as a page to read, as numbers with figures, and as a page to explore
    beside the release. All of them, or nothing.

    Raises OutputError.
    """
    aside = out.with_name(f".{out.name}.partial-{secrets.token_hex(4)}")
    try:
        aside.mkdir(mode=0o700)
        drawn = figures.save_figures(evaluation, aside)
        texts: Mapping[str, str] = {PAGE: report.page(evaluation, drawn), NUMBERS: report.as_json(evaluation)}
        for name, text in texts.items():
            (aside / name).write_text(text, encoding="utf-8", newline="\n")
        (aside / EXPLORED).write_bytes(private_page(contents, evaluation))
        if os.path.lexists(out):
            raise OutputError(f"out ({out}) appeared while the report was made: choose another --out")
        aside.rename(out)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise OutputError(
            f"out ({out}) cannot be written: {(error.strerror or type(error).__name__).lower()}. Choose another --out"
        ) from None
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _tell(progress: Progress | None, stage: str, fraction: float) -> None:
    if progress is not None:
        progress(stage, fraction)
