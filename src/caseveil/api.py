"""What Python users call: synthesize, synthesize_linked, forecast, run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caseveil import produce as story
from caseveil.api_frames import Progress, declared, frame_like, plain, rows_of, values_of
from caseveil.api_linked import LinkedRelease, synthesize_linked
from caseveil.errors import PlanError
from caseveil.measurement.forecast import Forecast
from caseveil.measurement.forecast import forecast as expect
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.ledger import Ledger
from caseveil.records.prepare import prepare
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, check_output, write_bundle
from caseveil.release.formats import COUNTS_COLUMNS
from caseveil.release.statement import Statement
from caseveil.schema.attribute import Category, Column
from caseveil.schema.domain import Domain
from caseveil.schema.table import Table

TABLE = "records"
"""Name of the table of a release made from a frame."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release that is safe to publish.

    records: synthetic records, the same kind of frame as went in, cells as text, '' for missing. counts: published
    counts with 95% intervals: combination (JSON object, keys sorted), length, count, lower, upper. statement: the
    promise; str() of it is the sentence for people.
    """

    records: Any = field(repr=False)
    counts: Any = field(repr=False)
    statement: Statement
    contents: BundleContents = field(repr=False)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes the bundle into a new folder. Raises OutputError where that is not possible; can be tried again."""
        out = Path(folder)
        check_output(out)
        write_bundle(self.contents, out)
        return out


def synthesize(
    frame: Any,
    *,
    epsilon: float = 1.0,
    delta: float | None = None,
    length: int = 3,
    domains: Mapping[str, Sequence[object]] | None = None,
    fabrication: str | float = "balanced",
    ledger: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    query: str | None = None,
) -> Release:
    """A release of one table, one row per person.

    frame: pandas, polars or pyarrow table, a dict of columns, a path (CSV, TSV, XLSX, Parquet), or a database URL
    with a query.
    epsilon, delta: the promise; delta None is 1 / (n ln n) of a noisy n that is paid for.
    length: combinations of up to this many columns are counted.
    domains: values of each column, which must be public knowledge; a column left out is discovered privately, which
    costs accuracy and loses rare values. '' (and null) is missing everywhere.
    fabrication: 'open', 'balanced', 'minimal', or the accepted share of made-up combinations.
    ledger: file that remembers what was spent on these people; None keeps the charge in release.statement alone.

    Raises BadInput before anything is charged; InsufficientBudget never (a budget needs a plan).
    """
    raw = rows_of(frame, query)
    values = declared(list(raw.columns), domains)
    if not raw.columns:
        raise PlanError("frame must have at least one column")
    columns: list[Column] = [Category(name=name, values=values[name]) for name in raw.columns]
    plan = Plan(
        about=About(name=TABLE, version="1", title="Synthetic records"),
        promise=Promise(epsilon=plain(epsilon), delta=None if delta is None else plain(delta)),
        tables=(TablePlan(table=Table(name=TABLE, columns=tuple(columns))),),
        ledger=None if ledger is None else os.fspath(ledger),
        aggregates=Aggregates(length=plain(length), fabrication=Fabrication.parse(plain(fabrication))),
    )
    rows, _ = prepare(raw, plan.tables[0].table)
    contents = story.produce(plan, rows, Ledger.open(plan.ledger_path), progress)
    part = contents.tables[TABLE]
    missing = [""] * part.rows
    records = {name: part.records.get(name, missing) for name in raw.columns}
    counts = {name: getattr(part.counts, name) for name in COUNTS_COLUMNS}
    return Release(
        records=frame_like(frame, records),
        counts=frame_like(frame, counts),
        statement=contents.statement,
        contents=contents,
    )


def forecast(
    domains: Mapping[str, Sequence[object] | int],
    *,
    n: int,
    epsilon: float | Sequence[float] = 1.0,
    delta: float | None = None,
    length: int = 3,
) -> Forecast:
    """Expected error of counts by length; needs no data and spends nothing.

    domains: values of each column, or how many there are. n: about how many people, a public guess. delta None is
    1 / (n ln n). str() of the result is a table; .rows has the numbers.
    """
    sizes = {
        str(name): given if isinstance(given, int) else len(values_of(name, {name: given}) or ())
        for name, given in domains.items()
    }
    small = [name for name, size in sizes.items() if size < 1]
    if small or not sizes:
        raise PlanError(f"domains must give at least one value for every column: {', '.join(small) or 'none is given'}")
    domain = Domain(names=tuple(sizes), sizes=tuple(size + 1 for size in sizes.values()))
    epsilons = (float(epsilon),) if isinstance(epsilon, (int, float)) else tuple(float(e) for e in epsilon)
    return expect(domain, n=n, epsilons=epsilons, delta=delta, length=length)


def run(
    plan: str | os.PathLike[str], *, out: str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> story.Produced:
    """What `caseveil release PLAN` does; returns the folder of the bundle (.out) and the promise (.statement)."""
    return story.run(Plan.read(Path(plan)), out=None if out is None else Path(out), progress=progress)


__all__ = ["LinkedRelease", "Release", "forecast", "run", "synthesize", "synthesize_linked"]
