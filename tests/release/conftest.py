"""A small release with invented values: set columns, bins, missing cells, and text that is hard to write."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, KeyColumn, LinkContents, TableContents
from caseveil.release.flattened import flatten
from caseveil.release.link_promise import LinkPromise
from caseveil.release.statement import Statement
from caseveil.schema.attribute import Binned, Category, MultiChoice
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit
from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS, LinkCounts

TABLE = Table(
    name="cases",
    columns=(
        Category(name="gender", values=("Female", "Male", "=Other"), missing=("", "Unknown"), meaning="As recorded"),
        Binned(name="age", edges=(0, 9, 18, 48)),
        MultiChoice(name="means of control", values=("Debt", 'He said "no", twice', "Threats"), delimiter="; "),
        Category(name="région", values=("<b>Nord</b>", "two\nlines\r\n", "@@DATA@@")),
    ),
    key="case_id",
)


VICTIMS_TABLE = Table(
    name="victims",
    columns=(
        Category(name="gender", values=("Female", "Male")),
        Binned(name="age", edges=(0, 18)),
        MultiChoice(name="means", values=("Debt", "Threats"), delimiter="; "),
    ),
    key="victim_id",
)
PERPETRATORS_TABLE = Table(
    name="perpetrators",
    columns=(
        Category(name="gender", values=("Female", "Male"), meaning="As seen by the victim"),
        MultiChoice(name="role", values=("Recruiter", "Exploiter", "Driver")),
        Category(name="région", values=("Asia", "Ümland, süd", "Africa")),
    ),
)
FLATTENED = (
    FlattenedColumn(name="victimGender", table="victims", column="gender", recode={"Female": "Woman"}),
    FlattenedColumn(name="means", table="victims", column="means", recode={"Debt": ""}),
    FlattenedColumn(name="genders", table="perpetrators", column="gender", meaning="Of all perpetrators"),
    FlattenedColumn(
        name="regions", table="perpetrators", column="région", recode={"Africa": "Afrasia", "Asia": "Afrasia"}
    ),
    FlattenedColumn(name="roles", table="perpetrators", column="role"),
    FlattenedColumn(name="isRecruited", table="perpetrators", column="role", has="Recruiter"),
    FlattenedColumn(name="isIndebted", table="victims", column="means", has="Debt", yes="ja"),
)


def invent(rows: int, seed: int, table: Table = TABLE) -> dict[str, list[str]]:
    """Records of a table; the same on every machine."""
    dice = random.Random(seed)
    out: dict[str, list[str]] = {}
    for column in table.columns:
        assert column.values is not None
        if isinstance(column, MultiChoice):
            out[column.name] = [
                column.delimiter.join(value for value in column.values if dice.random() < 0.4) for _ in range(rows)
            ]
        else:
            labels = ("", *column.values)
            out[column.name] = [labels[int(dice.random() * len(labels))] for _ in range(rows)]
    return out


def count_by_hand(table: Table, records: dict[str, list[str]], length: int, least: int = 1) -> PublishedCounts:
    """Published counts by looking at every record: the slow way, as a yardstick."""
    seen: Counter[tuple[tuple[str, str], ...]] = Counter()
    for cells in zip(*records.values(), strict=True):
        values = []
        for column, cell in zip(table.columns, cells, strict=True):
            items = cell.split(column.delimiter) if isinstance(column, MultiChoice) else [cell]
            values += [(column.name, item) for item in items if item]
        for size in range(1, length + 1):
            seen.update(itertools.combinations(values, size))
    kept = {values: n for values, n in sorted(seen.items()) if n >= least}
    delimiters = {column.name: getattr(column, "delimiter", "") for column in table.columns}
    texts = []
    for values in kept:
        cells_of: dict[str, list[str]] = {}
        for name, value in values:
            cells_of.setdefault(name, []).append(value)
        joined = {name: delimiters[name].join(items) for name, items in cells_of.items()}
        texts.append(json.dumps(joined, sort_keys=True, ensure_ascii=False))
    count = np.array(list(kept.values()), dtype=np.int64)
    return PublishedCounts(
        combination=tuple(texts),
        length=np.array([len(values) for values in kept], dtype=np.int64),
        count=count,
        lower=np.maximum(0, count - 9),
        upper=count + 9,
    )


def make_statement(records: int, length: int = 3, **changes: object) -> Statement:
    """A coherent statement with two counting steps."""
    mu = mu_for(EpsilonDelta(epsilon=1.0, delta=5e-6))
    fields: dict[str, object] = {
        "unit": PrivacyUnit(name="victim"),
        "epsilon": 1.0,
        "delta": 5e-6,
        "mu": mu,
        "rho": mu**2 / 2,
        "mechanisms": (
            {"kind": "gaussian", "label": "short counts", "mu": mu * 0.6, "detail": "total, single columns | pairs"},
            {"kind": "gaussian", "label": "long counts", "mu": mu * 0.8, "detail": "12 groups of three columns"},
        ),
        "length": length,
        "records": records,
        "public": ("The columns and their declared values.", "The edges of the bins of age."),
        "groups": {1: 6, 2: 15, 3: 20},
        "unmeasured": {3: 8},
        "fabrication": "balanced",
        "expected_made_up": {1: 0.0, 2: 0.012, 3: 0.048},
        "threshold": "A combination of two values needs a count of 4, one of three a count of 6.",
        "least_count": {1: 1},
        "ledger_kept": True,
        "software": {"caseveil": "0.1.0", "numpy": "2.0.2", "python": "3.11"},
    }
    return Statement(**{**fields, **changes})  # type: ignore[arg-type]


def make_contents(rows: int = 300, seed: int = 1, **changes: object) -> BundleContents:
    """A release of `rows` invented records, counts up to length 3."""
    records = invent(rows, seed)
    part = TableContents(table=TABLE, records=records, counts=count_by_hand(TABLE, records, 3))
    return BundleContents(
        about=About(
            name="cases", version="2026-11", title="Cases, <invented>", publisher="A_publisher", license="CC-BY-4.0"
        ),
        tables={"cases": part},
        statement=make_statement(rows, **changes),
        fidelity={"mean_error_in_sigma": 0.98, "by_length": {"1": 0.9, "2": 1.0}},
        plan_digest="5a" * 32,
    )


def values_of(table: Table, records: Mapping[str, Sequence[str]], prefix: str) -> list[list[tuple[str, str]]]:
    """Per record, its values, each under the name that counts across the link give its column."""
    out: list[list[tuple[str, str]]] = []
    for cells in zip(*records.values(), strict=True):
        here: list[tuple[str, str]] = []
        for column, cell in zip(table.columns, cells, strict=True):
            items = cell.split(column.delimiter) if isinstance(column, MultiChoice) else [cell]
            here += [(f"{prefix}.{column.name}", item) for item in items if item]
        out.append(here)
    return out


def count_links_by_hand(victims: TableContents, perpetrators: TableContents) -> LinkCounts:
    """Counts across the link by looking at every victim and every perpetrator: the slow way, as a yardstick."""
    assert victims.key is not None
    assert perpetrators.key is not None
    of_victim = values_of(victims.table, victims.records, "victims")
    of_link = values_of(perpetrators.table, perpetrators.records, "perpetrators")
    seen: Counter[tuple[str, str]] = Counter()
    parts: dict[str, float] = {}

    def text(*values: tuple[str, str]) -> str:
        cells: dict[str, str] = {}
        for name, value in values:
            delimiter = "; " if name == "victims.means" else ";"
            cells[name] = f"{cells[name]}{delimiter}{value}" if name in cells else value
        return json.dumps(cells, sort_keys=True, ensure_ascii=False)

    for key, own in zip(victims.key.cells, of_victim, strict=True):
        links = [values for to, values in zip(perpetrators.key.cells, of_link, strict=True) if to == key]
        number = ("number of perpetrators", str(len(links)))
        seen[text(number), VICTIMS] += 1
        seen.update((text(number, value), VICTIMS) for value in own)
        for values in links:
            for size in (1, 2):
                for some in itertools.combinations(values, size):
                    seen[text(*some), LINKS] += 1
                    seen[text(*some, number), LINKS] += 1
                    seen.update((text(*some, value), LINKS) for value in own)
        some_link = {some for values in links for size in (1, 2) for some in itertools.combinations(values, size)}
        for some in some_link:
            seen[text(*some), ANY] += 1
            seen.update((text(*some, value), ANY) for value in own)
        for one, other in itertools.permutations(links, 2):
            for a, b in itertools.product(one, other):
                pair = text(a, (f"other {b[0]}", b[1]))
                parts[pair] = parts.get(pair, 0.0) + 1.0 / (len(links) * (len(links) - 1))
    rows = [(what, of, n) for (what, of), n in sorted(seen.items())]
    rows += [(what, PAIR, round(n)) for what, n in sorted(parts.items())]
    count = np.array([n for _, _, n in rows], dtype=np.int64)
    return LinkCounts(
        combination=tuple(what for what, _, _ in rows),
        of=tuple(of for _, of, _ in rows),
        count=count,
        lower=np.maximum(0, count - 12),
        upper=count + 12,
    )


def make_linked(victims: int = 80, seed: int = 4, shared: int | None = None, **changes: object) -> BundleContents:
    """A release of two linked tables, with 0 to 3 perpetrators a victim, in no order."""
    dice = random.Random(seed)
    keys = [f"v{i:04d}" for i in dice.sample(range(10_000), victims)]
    named = [key for key in keys for _ in range(int(dice.random() * 4))]
    dice.shuffle(named)
    tables = {}
    for table, cells in ((VICTIMS_TABLE, keys), (PERPETRATORS_TABLE, named)):
        records = invent(len(cells), seed, table)
        tables[table.name] = TableContents(
            table=table,
            records=records,
            counts=count_by_hand(table, records, 2),
            key=KeyColumn(name="victim_id", cells=cells),
        )
    link = Link(to="victims", key="victim_id", at_most=3, shared_by_at_most=shared)
    promise = LinkPromise(to="victims", table="perpetrators", at_most=3, shared_by_at_most=shared)
    unit = PrivacyUnit(name="victim" if shared is None else "victim or perpetrator")
    return BundleContents(
        about=About(name="linked", version="2026-11", title="Victims and perpetrators", publisher="A_publisher"),
        tables=tables,
        statement=make_statement(victims, 2, unit=unit, links=promise, **changes),
        fidelity={"links": {"concordance": 0.5}},
        plan_digest="7b" * 32,
        links=LinkContents(
            table="perpetrators",
            link=link,
            counts=count_links_by_hand(*tables.values()),
            flattened=flatten(FLATTENED, *tables.values()),
            flattened_columns=FLATTENED,
        ),
    )


@pytest.fixture
def linked() -> BundleContents:
    """80 victims with up to 3 perpetrators each."""
    return make_linked()


@pytest.fixture(scope="session")
def make_links() -> Callable[..., BundleContents]:
    """The builder of linked contents itself."""
    return make_linked


@pytest.fixture
def contents() -> BundleContents:
    """300 records."""
    return make_contents()


@pytest.fixture
def make() -> Callable[..., BundleContents]:
    """The builder itself, for tests that need other contents."""
    return make_contents

