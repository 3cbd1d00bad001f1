"""What a bundle says, before it is files. All of it is safe to publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caseveil.errors import PlanError
from caseveil.release import link_files
from caseveil.release.about import About, check_table_names
from caseveil.release.carried import Carried
from caseveil.release.statement import Statement
from caseveil.release.story import Story, check_stories
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import LinkCounts


@dataclass(frozen=True, kw_only=True)
class KeyColumn:
    """A column of keys that ties linked tables together: invented, one cell per record, and without meaning."""

    name: str
    cells: Sequence[str] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError("a key must have a name")


@dataclass(frozen=True, kw_only=True)
class TableContents:
    """One table of a bundle: what it declares, its synthetic records (column -> cells), its published counts.

    key: of a linked table, the first column of its file: a record's own key, or that of the record it belongs to.
    """

    table: Table
    records: Mapping[str, Sequence[str]] = field(repr=False)
    counts: PublishedCounts = field(repr=False)
    key: KeyColumn | None = None

    def __post_init__(self) -> None:
        names = tuple(column.name for column in self.table.columns)
        if tuple(self.records) != names:
            raise PlanError(f"records of {self.table.name} must have the columns of the table, in its order")
        if len({len(values) for values in self.records.values()}) > 1:
            raise PlanError(f"records of {self.table.name} must have equally many cells in every column")
        if self.key is not None:
            if self.key.name in names:
                raise PlanError(f"the key of {self.table.name} ({self.key.name}) must not be one of its columns")
            if len(self.key.cells) != self.rows:
                raise PlanError(f"the key of {self.table.name} must have one cell per record")

    @property
    def rows(self) -> int:
        """Number of synthetic records."""
        return len(next(iter(self.records.values())))


@dataclass(frozen=True, kw_only=True)
class LinkContents:
    """How two tables of a bundle hang together: records of `table` belong to records of `link.to`.

    flattened: the derived table of one row per record of `link.to` (release/flattened.py), column -> cells, with
    flattened_columns as the plan has them; None where the plan asks for none.
    """

    table: str
    link: Link
    counts: LinkCounts = field(repr=False)
    flattened: Mapping[str, Sequence[str]] | None = field(default=None, repr=False)
    flattened_columns: tuple[FlattenedColumn, ...] = ()

    def __post_init__(self) -> None:
        if tuple(self.flattened or ()) != tuple(column.name for column in self.flattened_columns):
            raise PlanError(f"{FLATTENED} must have the columns that the plan gives it, in their order")
        if self.flattened is not None and not self.flattened_columns:
            raise PlanError(f"{FLATTENED} must have a column, or be left out")


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """Everything that a bundle says. All of it is safe to publish.

    tables: by name, in the order of the plan; of linked tables, that of people first. fidelity: JSON values computed
    from protected numbers only. Tables have keys where there are links. carried: what the next release of a series
    goes on from. stories: views that the steward pinned in the explorer.
    """

    about: About
    tables: Mapping[str, TableContents]
    statement: Statement
    fidelity: Mapping[str, object]
    plan_digest: str
    links: LinkContents | None = None
    stories: tuple[Story, ...] = ()
    carried: Carried | None = None

    def __post_init__(self) -> None:
        check_stories(self.stories)
        if not self.tables:
            raise PlanError("a bundle must hold at least one table")
        check_table_names(self.tables)
        for name, contents in self.tables.items():
            if contents.table.name != name:
                raise PlanError(f"tables.{name} must stand under its own name ({contents.table.name})")
        if self.links is None:
            if any(part.key is not None for part in self.tables.values()):
                raise PlanError("keys must be left out of a release without links")
            return
        link_files.check_names(tuple(self.tables))
        if tuple(self.tables) != (self.links.link.to, self.links.table):
            raise PlanError(f"tables must be {self.links.link.to} and {self.links.table}, in this order")
        keys = [part.key for part in self.tables.values()]
        if keys[0] is None or keys[1] is None or keys[1].name != self.links.link.key:
            raise PlanError(f"linked tables must have keys, that of {self.links.table} named {self.links.link.key}")
