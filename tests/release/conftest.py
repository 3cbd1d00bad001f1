"""A small release with invented values: set columns, bins, missing cells, and text that is hard to write."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, TableContents
from caseveil.release.statement import Statement
from caseveil.schema.attribute import Binned, Category, MultiChoice
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit
from caseveil.synthesis.counts import PublishedCounts

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


def invent(rows: int, seed: int) -> dict[str, list[str]]:
    """Records of TABLE; the same on every machine."""
    dice = random.Random(seed)
    out: dict[str, list[str]] = {}
    for column in TABLE.columns:
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


@pytest.fixture
def contents() -> BundleContents:
    """300 records."""
    return make_contents()


@pytest.fixture
def make() -> Callable[..., BundleContents]:
    """The builder itself, for tests that need other contents."""
    return make_contents

