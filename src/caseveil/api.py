"""What Python users call: synthesize, forecast, run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from caseveil import produce as story
from caseveil.errors import PlanError
from caseveil.measurement.forecast import Forecast
from caseveil.measurement.forecast import forecast as expect
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.ledger import Ledger
from caseveil.records.prepare import prepare
from caseveil.records.raw import cell_text
from caseveil.records.source import from_frame, read, to_frame_like
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, check_output, write_bundle
from caseveil.release.formats import COUNTS_COLUMNS
from caseveil.release.statement import Statement
from caseveil.schema.attribute import Category, Column
from caseveil.schema.domain import Domain
from caseveil.schema.table import Table

Progress = Callable[[str, float], None]

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
    by_path = isinstance(frame, (str, os.PathLike))
    if query is not None and not by_path:
        raise PlanError("query must be left out unless frame is a database URL")
    raw = read(os.fspath(frame), query=query) if by_path else from_frame(frame)
    if domains is not None and not isinstance(domains, Mapping):
        raise PlanError("domains must map a column name to its values, as {'gender': ['Female', 'Male']}")
    unknown = [name for name in domains or {} if name not in raw.columns]
    if unknown:
        raise PlanError(f"domains names columns that the frame does not have: {', '.join(map(str, unknown))}")
    if not raw.columns:
        raise PlanError("frame must have at least one column")
    columns: list[Column] = [Category(name=name, values=_values(name, domains)) for name in raw.columns]
    plan = Plan(
        about=About(name=TABLE, version="1", title="Synthetic records"),
        promise=Promise(epsilon=_plain(epsilon), delta=None if delta is None else _plain(delta)),
        tables=(TablePlan(table=Table(name=TABLE, columns=tuple(columns))),),
        ledger=None if ledger is None else os.fspath(ledger),
        aggregates=Aggregates(length=_plain(length), fabrication=Fabrication.parse(_plain(fabrication))),
    )
    rows, _ = prepare(raw, plan.tables[0].table)
    contents = story.produce(plan, rows, Ledger.open(plan.ledger_path), progress)
    part = contents.tables[TABLE]
    missing = [""] * part.rows
    records = {name: part.records.get(name, missing) for name in raw.columns}
    like = _frame_for_paths() if by_path else frame
    counts = {name: getattr(part.counts, name) for name in COUNTS_COLUMNS}
    return Release(
        records=to_frame_like(like, records),
        counts=to_frame_like(like, counts),
        statement=contents.statement,
        contents=contents,
    )


def _plain(value: Any) -> Any:
    """A numpy number as the Python number it is; anything else as it came, for the plan to judge."""
    return value.item() if isinstance(value, np.generic) else value


def _values(name: str, domains: Mapping[str, Sequence[object]] | None) -> tuple[str, ...] | None:
    if domains is None or name not in domains:
        return None
    given = domains[name]
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise PlanError(f"domains[{name!r}] must be a list of values")
    return tuple(dict.fromkeys(text for value in given if (text := cell_text(value).strip())))


def _frame_for_paths() -> Any:
    """An empty frame of the kind handed out for a path: pandas where it is installed, else pyarrow, else a dict."""
    try:
        import pandas

        return pandas.DataFrame()
    except ImportError:
        pass
    try:
        import pyarrow

        return pyarrow.table({})
    except ImportError:
        return {}


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
        str(name): given if isinstance(given, int) else len(_values(name, {name: given}) or ())
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
