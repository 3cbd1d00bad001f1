"""A release that goes on from the last one: what is taken over, who is counted anew, and what is charged for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caseveil.errors import BundleError, PlanError
from caseveil.measurement.curator import Curator
from caseveil.measurement.link_workload import plan_links
from caseveil.measurement.update import go_on
from caseveil.measurement.workload import Workload
from caseveil.plan import Plan
from caseveil.plan_update import Update
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import Event
from caseveil.produce_budget import Opened, books, open_update, shares, span_of
from caseveil.records.joined import joined_cells
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.raw import RawTable
from caseveil.release.bundle import read_bundle
from caseveil.release.carried import EACH, MEASUREMENTS, PEOPLE, Carried, domains
from caseveil.release.update_promise import UpdatePromise
from caseveil.schema.attribute import Binned, Column
from caseveil.schema.linked import LinkedTables
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.synthesis.linked_estimates import LinkMeasurements
from caseveil.synthesis.observed import NoisyResiduals


@dataclass(frozen=True, kw_only=True, repr=False)
class Before:
    """What the last release left: its noisy residuals, and its tables with all values known."""

    carried: Carried
    tables: Mapping[str, Table]

    @property
    def main(self) -> NoisyResiduals:
        """The view that counts people: that of one table, or of victims with one drawn perpetrator."""
        views = self.carried.views
        return views[PEOPLE] if PEOPLE in views else views[EACH]

    def tables_of(self, plan: Plan) -> tuple[Table, ...]:
        """Tables of the plan, undeclared columns with the values that the last release found.

        Raises PlanError, naming columns, where a table is not what it was: noisy counts of other values cannot be
        added up.
        """
        if set(self.tables) != {part.table.name for part in plan.tables}:
            raise PlanError(f"tables must be those of {self.carried.of[-1]}: {', '.join(self.tables)}")
        out = []
        for part in plan.tables:
            theirs = {column.name: column for column in self.tables[part.table.name].columns}
            table = part.table
            if table.undeclared:
                known = {c.name: theirs[c.name].values or () if c.name in theirs else () for c in table.undeclared}
                table = table.resolve(known)
            ours = {column.name: _codes(column) for column in table.columns}
            before = {name: _codes(column) for name, column in theirs.items()}
            changed = sorted({*ours, *before} - {name for name in ours if before.get(name) == ours[name]})
            if changed or list(ours) != list(before):
                which = ", ".join(changed) if changed else "their order"
                raise PlanError(
                    f"tables.{table.name}.columns must be those of {self.carried.of[-1]}, with the same values; "
                    f"different: {which}. Keep them for the whole series, or begin a new one (without previous)"
                )
            out.append(table)
        return tuple(out)


@dataclass(frozen=True, kw_only=True, repr=False)
class Going:
    """All that a release needs to go on: what was before, and the private rows of who joined since."""

    before: Before
    added: Rows | LinkedRows


def read_before(plan: Plan) -> Before | None:
    """What the release before this one left; None where the plan goes on from nothing.

    Raises BundleError for a bundle that is damaged or keeps no measurements, and PlanError where it is about other
    people, or ended elsewhere.
    """
    if plan.update is None or plan.previous is None:
        return None
    try:
        contents = read_bundle(plan.previous)
    except BundleError as error:
        raise BundleError(f"update.previous: {error}") from None
    carried = contents.carried
    if carried is None:
        raise BundleError(
            f"the bundle {contents.about.name} {contents.about.version} keeps no {MEASUREMENTS}: only a release whose "
            f"plan has [update] can be gone on from. Begin a series: give this plan joined and until, without previous"
        )
    period = plan.update.period
    for what, ours, theirs in (
        ("privacy.unit", plan.unit.name, carried.unit),
        ("privacy.population", plan.people, carried.population),
        ("update.joined", period.joined, carried.period.joined),
    ):
        if ours != theirs:
            raise PlanError(f"{what} ({ours}) must be that of {carried.of[-1]} ({theirs})")
    if period.start != carried.period.end:
        raise PlanError(
            f"update.after ({period.after}) must be where {carried.of[-1]} ended ({carried.period.until}): otherwise "
            f"people would be left out, or counted twice"
        )
    found = Before(carried=carried, tables={name: part.table for name, part in contents.tables.items()})
    if {name: view.domain for name, view in carried.views.items()} != domains(found.tables_of(plan), _link(plan)):
        raise PlanError(
            f"tables must have the links.at_most of {carried.of[-1]}: noisy counts of other combinations cannot be "
            f"added up"
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Covered:
    """Whom a release of a series is about. Private, but for before.

    people: all whom it covers; joined: those of them who joined since the last release, all of them in the first of a
    series; later: people in the data who joined after its end, and wait for the next one. before: name and version of
    the release that it goes on from.
    """

    people: int
    joined: int
    later: int
    before: str | None


def whom(plan: Plan, raw: RawTable, before: Before | None) -> Covered | None:
    """Counts whom the release is about, by the table of people as it was read; None for a plan without periods.

    Raises RowsError as `joined_cells` does.
    """
    if plan.update is None:
        return None
    period = plan.update.period
    cells = joined_cells(raw, period, plan.tables[0].table.name)
    people = sum(period.from_beginning().holds(cell) is True for cell in cells)
    return Covered(
        people=people,
        joined=sum(period.holds(cell) is True for cell in cells),
        later=len(cells) - people,
        before=None if before is None else before.carried.of[-1],
    )


def measure_people(
    plan: Plan, rows: Rows, going: Going, table: Table, workload: Workload, ledger: Ledger
) -> tuple[NoisyResiduals, EpsilonDelta, tuple[Event, ...]]:
    """Noisy residuals of one table of everybody, the promise, and what was charged; the caller holds the ledger."""
    before = going.before.main
    new, again = _curators(plan, rows, going.added, ledger)
    opened, parts = _open(plan, new, going.before)
    added = new.residuals(table, mu=parts[0])
    everyone = None if again is None else again.residuals(table, mu=parts[1])
    first = opened.first_look(workload.domain)
    residuals = go_on(before, workload.weights, workload.domain, added=added, first=first, everyone=everyone)
    return residuals, opened.promise, _events(new, again)


def measure_links(
    plan: Plan, rows: LinkedRows, going: Going, tables: LinkedTables, workload: Workload, ledger: Ledger
) -> tuple[LinkMeasurements, EpsilonDelta, tuple[Event, ...]]:
    """Noisy residuals of all views of linked tables of everybody, the promise, and what was charged."""
    views = going.before.carried.views
    new, again = _curators(plan, rows, going.added, ledger)
    opened, parts = _open(plan, new, going.before)
    allowances = [new.link_residuals(tables, mu=parts[0])]
    if again is not None:
        allowances.append(again.link_residuals(tables, mu=parts[1]))
    found: list[dict[str, NoisyResiduals]] = []
    for allowance in allowances:
        side = plan_links(tables, allowance.each.left)
        found.append(
            {
                "tilt": allowance.tilt.measure(side.tilt),
                "pairs": allowance.pairs.measure(side.pairs),
                "any": allowance.any.measure(side.any),
            }
        )
    sides = {name: views[name].plus(measured) for name, measured in found[0].items()}
    if again is not None:
        sides = {name: measured.combine(found[1][name]) for name, measured in sides.items()}
    each = go_on(
        going.before.main,
        workload.weights,
        workload.domain,
        added=allowances[0].each,
        first=opened.first_look(workload.domain),
        everyone=None if again is None else allowances[1].each,
    )
    return LinkMeasurements(tables=tables, each=each, **sides), opened.promise, _events(new, again)


def carried(plan: Plan, views: Mapping[str, NoisyResiduals], before: Before | None) -> Carried | None:
    """What the release leaves to the next one; None where its plan does not belong to a series."""
    if plan.update is None:
        return None
    return Carried(
        population=plan.people,
        unit=plan.unit.name,
        period=plan.update.period.from_beginning(),
        of=(*(() if before is None else before.carried.of), f"{plan.about.name} {plan.about.version}"),
        views=views,
    )


def promised(plan: Plan, before: Before | None) -> UpdatePromise | None:
    """What the statement says of the series."""
    if plan.update is None:
        return None
    return UpdatePromise(
        period=plan.update.period,
        before=() if before is None else before.carried.of,
        everyone=plan.update.everyone,
    )


def _update(plan: Plan) -> Update:
    assert plan.update is not None, "a release goes on by its plan"
    return plan.update


def _open(plan: Plan, new: Curator, before: Before) -> tuple[Opened, tuple[float, float]]:
    """The promise, and mu for who joined since and for everybody."""
    opened = open_update(plan, new, before.main)
    return opened, shares(opened.mu, _update(plan).everyone)


def _link(plan: Plan) -> Link | None:
    return plan.tables[-1].link


def _codes(column: Column) -> tuple[object, ...]:
    """All that decides what a code of the column means, but for cells that are missing."""
    return column.kind, column.values, column.edges if isinstance(column, Binned) else None


def _curators(
    plan: Plan, rows: Rows | LinkedRows, added: Rows | LinkedRows, ledger: Ledger
) -> tuple[Curator, Curator | None]:
    own, update = books(plan), _update(plan)
    new = Curator(rows=added, ledger=ledger, books=replace(own, span=span_of(update.period)))
    if not update.everyone:
        return new, None
    return new, Curator(rows=rows, ledger=ledger, books=replace(own, span=span_of(update.period.from_beginning())))


def _events(new: Curator, again: Curator | None) -> tuple[Event, ...]:
    return (*new.events, *(() if again is None else again.events))
