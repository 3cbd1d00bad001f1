"""The one way from a plan to raw rows: sources are read, and the recipe of each table is carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caseveil.errors import PlanError, RowsError
from caseveil.plan import Plan, TablePlan
from caseveil.records.join import added
from caseveil.records.raw import RawTable
from caseveil.records.recipe import Applied, RecipeReport, apply
from caseveil.records.source import read

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True, repr=False)
class Intake:
    """Private rows of every table of a plan, in its order, and what their recipes met."""

    raw: list[RawTable]
    reports: tuple[RecipeReport, ...]


def read_rows(plan: Plan, progress: Progress | None = None) -> Intake:
    """The rows that the plan names. Raises PlanError where it names none, SourceError, and RowsError as `prepare_rows`
    and a join do."""
    return prepare_rows(plan, [_read(part, plan, progress) for part in plan.tables])


def prepare_rows(plan: Plan, raw: Sequence[RawTable]) -> Intake:
    """The same for rows that were read already: one table for each of the plan, as the files have them, and
    joined where the plan joins two.

    A person who does not stay takes the rows linked to them along. Raises RowsError, one line for every fault.
    """
    applied: list[Applied] = []
    faults: list[str] = []
    for part, rows in zip(plan.tables, raw, strict=True):
        along = None
        if part.link is not None and applied:  # the people come first
            along = (part.link.key, applied[0].left)
        try:
            applied.append(apply(rows, part.table, part.recipe, along=along))
        except RowsError as error:
            prefix = f"{part.table.name}: " if len(plan.tables) > 1 else ""
            faults += [f"{prefix}{line}" for line in str(error).split("\n")]
    if faults:
        raise RowsError("\n".join(faults))
    return Intake(raw=[one.raw for one in applied], reports=tuple(one.report for one in applied))


def _read(table: TablePlan, plan: Plan, progress: Progress | None) -> RawTable:
    if table.source is None:
        raise PlanError(f"tables.{table.table.name}.source is missing: name the file that holds the rows")
    if progress is not None:
        progress("reading", 0.0)
    raw = read(table.source, folder=plan.folder, query=table.query)
    join, key = table.recipe.join, table.table.key
    if join is not None and key is not None:
        raw = added(raw, read(join.source, folder=plan.folder), key=key, join=join)
    if progress is not None:
        progress("reading", 1.0)
    return raw
