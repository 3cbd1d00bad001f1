"""The plan of a release: every choice that shapes it, made in public before any row is read.

A plan is release.toml as frozen values. `plan_toml` reads the text and `plan_write`
writes it; this file says what a plan is.
"""

from __future__ import annotations

import decimal
import difflib
import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from caseveil import plan_links, plan_recipe, plan_update
from caseveil.errors import PlanError
from caseveil.plan_update import Update
from caseveil.privacy.loss import EpsilonDelta
from caseveil.release.about import About, check_table_names
from caseveil.release.story import Story, check_stories
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.period import Period
from caseveil.schema.recipe import Recipe
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit

LONGEST = 5
"""The longest combinations that can be counted."""

_DIALS = {"open": None, "balanced": 0.05, "minimal": 0.01}
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Promise:
    """The epsilon and delta that this release asks for. delta None is "auto": 1 / (n ln n) of the noisy n."""

    epsilon: float
    delta: float | None = None

    def __post_init__(self) -> None:
        # The ranges belong to EpsilonDelta; a harmless delta stands in for "auto".
        EpsilonDelta(epsilon=self.epsilon, delta=1e-6 if self.delta is None else self.delta)

    def at(self, noisy_n: int) -> EpsilonDelta:
        """The promise with its delta as a number; noisy_n is a public, noisy number of units.

        "auto" is rounded down to two digits, a number that people can write and compare. Fewer than 10 units count
        as 10, so that delta stays well below 1.
        """
        n = max(noisy_n, 10)
        delta = _two_digits_below(1.0 / (n * math.log(n))) if self.delta is None else self.delta
        return EpsilonDelta(epsilon=self.epsilon, delta=delta)


def _two_digits_below(delta: float) -> float:
    """The largest number of two significant digits that is not above delta."""
    return float(decimal.Context(prec=2, rounding=decimal.ROUND_FLOOR).create_decimal(delta))


@dataclass(frozen=True, kw_only=True)
class Fabrication:
    """The share of made-up combinations that is accepted among the published ones. share None publishes
    every positive estimate ("open")."""

    share: float | None = 0.05

    def __post_init__(self) -> None:
        if self.share is not None and not 0.0 < self.share < 1.0:
            raise PlanError(
                f"aggregates.fabrication ({self.share:g}) must be above 0 and below 1, or one of "
                f"{', '.join(_DIALS)}: noise alone makes a share of exactly 0 impossible"
            )

    @classmethod
    def parse(cls, dial: str | float) -> Fabrication:
        """From "open", "balanced" (0.05), "minimal" (0.01) or a share. Raises PlanError."""
        if isinstance(dial, bool):
            raise PlanError("aggregates.fabrication (true or false) must be a name or a number")
        if not isinstance(dial, str):
            return cls(share=float(dial))
        if dial not in _DIALS:
            near = difflib.get_close_matches(dial, _DIALS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise PlanError(
                f"aggregates.fabrication ({dial[:40]!r}) must be one of {', '.join(_DIALS)}, "
                f"or a number between 0 and 1{hint}"
            )
        return cls(share=_DIALS[dial])

    @property
    def dial(self) -> str | float:
        """The name of the setting where it has one, else the share."""
        named = [name for name, share in _DIALS.items() if share == self.share]
        return named[0] if named or self.share is None else self.share


@dataclass(frozen=True, kw_only=True)
class Aggregates:
    """Which combinations are counted and published.

    weights: how much an accurate count of each length matters, shortest first, one per length; None leaves
    the choice to the engine. cells_cap bounds the cells that are measured; what does not fit is named in the
    statement.
    """

    length: int = 3
    fabrication: Fabrication = field(default_factory=Fabrication)
    weights: tuple[float, ...] | None = None
    cells_cap: int = 3_000_000

    def __post_init__(self) -> None:
        for name in ("length", "cells_cap"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise PlanError(f"aggregates.{name} ({value!r:.40}) must be a whole number")
        if not 1 <= self.length <= LONGEST:
            raise PlanError(f"aggregates.length ({self.length}) must be 1 to {LONGEST}")
        if self.cells_cap < 1000:
            raise PlanError(f"aggregates.cells_cap ({self.cells_cap}) must be 1000 or more")
        if self.weights is None:
            return
        if len(self.weights) != self.length:
            raise PlanError(
                f"aggregates.weights ({len(self.weights)} numbers) must be one per length: {self.length} here"
            )
        if any(not (math.isfinite(weight) and weight > 0) for weight in self.weights):
            raise PlanError("aggregates.weights must all be numbers above 0")


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """A table and where its rows come from: a file path as the plan writes it, or a database URL with a query.

    source None means that the rows are handed over in memory. link: how its rows belong to those of another table;
    None for the table of people. recipe: which rows stay, and how columns of the file become those of the table.
    """

    table: Table
    source: str | None = None
    query: str | None = None
    link: Link | None = None
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        place = f"tables.{self.table.name}"
        check_table_names([self.table.name])
        if self.source is not None and not self.source.strip():
            raise PlanError(f"{place}.source ('') must name a file, or a database URL")
        if self.query is not None and not self.query.strip():
            raise PlanError(f"{place}.query ('') must be a query, or be left out")
        if self.is_database and self.query is None:
            raise PlanError(f"{place}.query is missing: a database source needs one, for example 'select * from cases'")
        if self.query is not None and not self.is_database:
            raise PlanError(f"{place}.query must be left out when the source is a file")
        seen: set[str] = set()
        for column in self.table.columns:
            if not column.name.strip():
                raise PlanError(f"{place}.columns must not hold a column without a name")
            names = [attribute.name for attribute in column.attributes()] if column.values else [column.name]
            clash = next((name for name in names if name in seen), None)
            if clash is not None:
                raise PlanError(f"{place}.columns: {clash!r} stands for two things; rename the column {column.name!r}")
            seen.update(names)
        object.__setattr__(self, "recipe", plan_recipe.checked(self.recipe, self.table, self.link))

    @property
    def is_database(self) -> bool:
        """Whether the source is a database URL."""
        return self.source is not None and "://" in self.source


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every choice of a release. folder is where the plan lies; relative paths start there.

    tables: the table of people, then the table that links to it, if there is one, in whatever order they are given.
    flattened: columns of the table that is derived from both. update: whom of the population this release counts, and
    which one it goes on from; None for everybody in the data. population: the people that the data are about, by a name
    that stays the same over all releases; the name of the release unless given. stories: views of the
    explorer, pinned; they can be changed after the release.
    """

    about: About
    promise: Promise
    tables: tuple[TablePlan, ...]
    unit: PrivacyUnit = field(default_factory=PrivacyUnit)
    ledger: str | None = None
    budget: EpsilonDelta | None = None
    aggregates: Aggregates = field(default_factory=Aggregates)
    flattened: tuple[FlattenedColumn, ...] = ()
    update: Update | None = None
    population: str | None = None
    stories: tuple[Story, ...] = ()
    folder: Path = field(default_factory=Path, compare=False)

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.about.version) or self.about.version.endswith("."):
            raise PlanError(
                f"release.version ({self.about.version[:40]!r}) must be letters, digits, '.', '_', '+' or '-', and not "
                f"end in '.': it names a folder"
            )
        object.__setattr__(self, "tables", plan_links.ordered(self.tables))
        plan_links.check_unit(self.unit, self.tables)
        plan_links.check_flattened(self.flattened, self.tables)
        plan_update.check_update(self.update, self.unit)
        check_stories(self.stories)
        if self.population is not None and not self.population.strip():
            raise PlanError("privacy.population ('') must name the people that the data are about, or be left out")
        if self.ledger is not None and not self.ledger.strip():
            raise PlanError("privacy.ledger ('') must name a file, or be left out")
        if self.budget is None:
            return
        if self.ledger is None:
            raise PlanError(
                "privacy.budget needs privacy.ledger: without a ledger nobody remembers what earlier releases spent"
            )
        if self.promise.delta is not None and self.promise.delta > self.budget.delta:
            raise PlanError(
                f"privacy.delta ({self.promise.delta:g}) must not be above privacy.budget.delta ({self.budget.delta:g})"
            )

    @classmethod
    def read(cls, path: Path) -> Plan:
        """The plan in a file. Raises PlanError in words that a person can act on."""
        return cls.from_toml(read_plan_text(path), path.parent)

    @classmethod
    def from_toml(cls, text: str, folder: Path) -> Plan:
        """The plan in a text; relative paths in it start at folder. Raises PlanError."""
        from caseveil import plan_toml

        return plan_toml.parse(text, folder)

    def to_toml(self) -> str:
        """The plan as release.toml; from_toml gives the same plan again when every table names its source."""
        from caseveil import plan_write

        return plan_write.render(self)

    @property
    def ledger_path(self) -> Path | None:
        """Where the ledger lies, or None when no ledger is kept."""
        return None if self.ledger is None else self.folder / self.ledger

    @property
    def people(self) -> str:
        """The population, by name."""
        return self.about.name if self.population is None else self.population

    @property
    def previous(self) -> Path | None:
        """The bundle that this release goes on from, or None."""
        return None if self.update is None or self.update.previous is None else self.folder / self.update.previous

    @property
    def period(self) -> Period | None:
        """When those joined whom the release counts, or None for everybody in the data."""
        return None if self.update is None else self.update.period

    @property
    def changed(self) -> int:
        """Most people whose rows change when one unit comes or goes, each counted twice who is changed and stays."""
        link = self.tables[-1].link
        # a perpetrator who comes or goes changes up to so many victims; each of them goes, and comes back changed
        return 2 * (link.shared_by_at_most or 1) if link is not None and self.unit.either else 1

    @property
    def out(self) -> Path:
        """Where the bundle goes unless another place is asked for."""
        return self.folder / f"{self.about.name}-{self.about.version}"

    def path_of(self, table: TablePlan) -> Path:
        """The file of a table. Raises PlanError when its rows do not come from a file."""
        if table.source is None or table.is_database:
            raise PlanError(f"tables.{table.table.name}.source must name a file here")
        return self.folder / table.source

    def digest(self) -> str:
        """sha256 (hex) of all that shapes the release.

        The places of the rows and of the ledger are left out, so the digest may be published: it cannot
        confirm a guess of a path, a host, a query or a password. So are the names and the cells of the file that a
        recipe holds (from, recode, where): they are few enough to be tried one by one. Stories are left out too, since
        they are told when the release is there to be looked at.
        """
        from caseveil import plan_write

        canonical = json.dumps(plan_write.public_content(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def read_plan_text(path: Path) -> str:
    """The text of a plan file. Raises PlanError for a missing file, a folder or a file that is not UTF-8."""
    if path.is_dir():
        hint = f"; did you mean {path / 'release.toml'}?" if (path / "release.toml").is_file() else ""
        raise PlanError(f"plan ({path}) must be a file, and it is a folder{hint}")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        near: list[str] = []
        if path.parent.is_dir():
            others = sorted(other.name for other in path.parent.iterdir() if other.suffix == ".toml")
            near = difflib.get_close_matches(path.name, others, n=1) or others[:1]
        hint = f"did you mean {path.parent / near[0]}?" if near else "'caseveil init DATA' drafts one"
        raise PlanError(f"plan ({path}) does not exist; {hint}") from None
    except UnicodeDecodeError as error:
        raise PlanError(
            f"plan ({path}) must be saved as UTF-8; byte {error.start} is not. In Notepad: Save as, Encoding: UTF-8"
        ) from None
    except OSError as error:
        raise PlanError(f"plan ({path}) cannot be read: {error.strerror or 'input/output error'}") from None
    except ValueError:
        raise PlanError("plan must be the path of a file; this one holds a character that no path can hold") from None


__all__ = [
    "LONGEST",
    "About",
    "Aggregates",
    "Fabrication",
    "Plan",
    "Promise",
    "TablePlan",
    "read_plan_text",
]
