"""What Python users call for two linked tables: synthesize_linked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caseveil import produce as story
from caseveil.api_frames import Progress, declared, frame_like, plain, rows_of
from caseveil.errors import PlanError
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.ledger import Ledger
from caseveil.records.raw import RawTable
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, check_output, write_bundle
from caseveil.release.formats import COUNTS_COLUMNS
from caseveil.release.statement import Statement
from caseveil.schema.attribute import Category
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit

PEOPLE, LINKED = "victims", "perpetrators"
"""Names of the tables of a release made from frames."""

LINK_COLUMNS = ("combination", "of", "count", "lower", "upper")


@dataclass(frozen=True, kw_only=True)
class LinkedRelease:
    """A release of two linked tables that is safe to publish.

    tables: synthetic "victims" and "perpetrators", the same kinds of frame and the same columns as went in, linked by
    invented keys. counts: of each table as in Release.counts, and "links": combination, of, count, lower, upper.
    statement: the promise; str() of it is the sentence for people.
    """

    tables: Mapping[str, Any] = field(repr=False)
    counts: Mapping[str, Any] = field(repr=False)
    statement: Statement
    contents: BundleContents = field(repr=False)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes the bundle into a new folder. Raises OutputError where that is not possible; can be tried again."""
        out = Path(folder)
        check_output(out)
        write_bundle(self.contents, out)
        return out


def synthesize_linked(
    victims: Any,
    perpetrators: Any,
    *,
    key: str,
    max_links: int,
    epsilon: float = 1.0,
    delta: float | None = None,
    length: int = 3,
    domains: Mapping[str, Mapping[str, Sequence[object]]] | None = None,
    fabrication: str | float = "balanced",
    ledger: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LinkedRelease:
    """A release of victims, one row each, and of their perpetrators, one row per link.

    victims, perpetrators: pandas, polars or pyarrow tables, dicts of columns, or paths of CSV, TSV, XLSX or Parquet
    files. key: the column of both that says which perpetrators are whose; it is not released.
    max_links: most perpetrators of one victim that count, a public number; of more, so many are drawn at random.
    epsilon, delta: the promise to one victim with all linked perpetrators.
    domains: public values of columns, {"victims": {...}, "perpetrators": {...}}; columns left out are discovered
    privately.
    length, fabrication, ledger, progress: as in synthesize.

    Raises BadInput before anything is charged.
    """
    frames = {PEOPLE: victims, LINKED: perpetrators}
    raw = {name: rows_of(frame) for name, frame in frames.items()}
    if domains is not None and not isinstance(domains, Mapping):
        raise PlanError("domains must be {'victims': {column: values}, 'perpetrators': {column: values}}")
    strange = [name for name in domains or {} if name not in frames]
    if strange:
        raise PlanError(f"domains must have no table but {PEOPLE} and {LINKED}: {', '.join(map(str, strange))[:80]}")
    for name, part in raw.items():
        if key not in part.columns:
            raise PlanError(f"key ({str(key)[:60]!r}) must be a column of both tables; {name} has none of that name")
    link = Link(to=PEOPLE, key=key, at_most=plain(max_links))
    plan = Plan(
        about=About(name="records", version="1", title="Synthetic records"),
        promise=Promise(epsilon=plain(epsilon), delta=None if delta is None else plain(delta)),
        unit=PrivacyUnit(name="victim"),
        tables=tuple(_table(name, raw[name], key, domains, link) for name in frames),
        ledger=None if ledger is None else os.fspath(ledger),
        aggregates=Aggregates(length=plain(length), fabrication=Fabrication.parse(plain(fabrication))),
    )
    rows = story.prepared(plan, list(raw.values()))
    contents = story.produce(plan, rows, Ledger.open(plan.ledger_path), progress)
    assert contents.links is not None
    tables, counts = {}, {}
    for name, frame in frames.items():
        made = contents.tables[name]
        assert made.key is not None
        cells = {column: made.records.get(column, [""] * made.rows) for column in raw[name].columns}
        tables[name] = frame_like(frame, cells | {key: made.key.cells})
        counts[name] = frame_like(frame, {column: getattr(made.counts, column) for column in COUNTS_COLUMNS})
    across = contents.links.counts
    counts["links"] = frame_like(victims, {column: getattr(across, column) for column in LINK_COLUMNS})
    return LinkedRelease(tables=tables, counts=counts, statement=contents.statement, contents=contents)


def _table(
    name: str,
    raw: RawTable,
    key: str,
    domains: Mapping[str, Mapping[str, Sequence[object]]] | None,
    link: Link,
) -> TablePlan:
    columns = [column for column in raw.columns if column != key]
    if not columns:
        raise PlanError(f"{name} must have a column besides its key")
    values = declared(columns, None if domains is None else domains.get(name), f"domains[{name!r}]")
    table = Table(
        name=name,
        columns=tuple(Category(name=column, values=values[column]) for column in columns),
        key=key if name == PEOPLE else None,
    )
    return TablePlan(table=table, link=None if name == PEOPLE else link)
