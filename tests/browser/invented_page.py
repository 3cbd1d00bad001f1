"""A release of two linked tables with everything that a page has to cope with, and its counts by plain counting.

Columns over time, in order, binned, of several values, of many values and of places; blanks; values in the middle of
a column that have no published count; intervals of which some reach zero.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, KeyColumn, LinkContents, TableContents
from caseveil.release.link_promise import LinkPromise
from caseveil.release.statement import Statement
from caseveil.release.story import Story
from caseveil.schema.attribute import Binned, Category, MultiChoice, Ordered
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit
from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import ANY, LINKS, VICTIMS, LinkCounts

YEARS = tuple(str(year) for year in range(2015, 2025))
REGIONS = ("Africa", "Americas", "Asia", "Europe", "Oceania")
HOLE = "2019"
"""Has records, and no published count."""

PEOPLE = Table(
    name="victims",
    columns=(
        Ordered(name="year", values=YEARS, meaning="Year of registration"),
        Category(name="gender", values=("Female", "Male", "Other")),
        Binned(name="age", edges=(0, 9, 18, 30, 48)),
        Category(name="citizenship_region", values=REGIONS, meaning="Region of citizenship"),
        Category(name="exploitation_region", values=REGIONS, meaning="Region of exploitation"),
        MultiChoice(name="means_of_control", values=("Debt", "Threats", "Takes | earnings", "Other & more")),
        Category(name="district", values=tuple(f"District {i:03d}" for i in range(300))),
        Category(name="t", values=("<b>bold</b>", "100% = all", "a|b")),
    ),
    key="victim_id",
)
OTHERS = Table(
    name="perpetrators",
    columns=(
        Category(name="gender", values=("Female", "Male")),
        Category(name="relation_to_victim", values=("Employer", "Family", "Stranger")),
        MultiChoice(name="role", values=("Recruiter", "Exploiter")),
    ),
)
LENGTH = 2
LEAST = 6
"""Combinations with fewer records than this are not published."""


def invent(table: Table, rows: int, seed: int) -> dict[str, list[str]]:
    """Records in which values differ in how common they are; about one cell in 12 is blank."""
    dice = random.Random(seed)
    out: dict[str, list[str]] = {}
    for column in table.columns:
        values = column.values or ()
        if isinstance(column, MultiChoice):
            chances = [0.5 / (i + 1) for i in range(len(values))]
            cells = [
                column.delimiter.join(v for v, p in zip(values, chances, strict=True) if dice.random() < p)
                for _ in range(rows)
            ]
        else:
            weights = [1.0 / (i + 1) for i in range(len(values))]
            cells = ["" if dice.random() < 1 / 12 else dice.choices(values, weights)[0] for _ in range(rows)]
        out[column.name] = cells
    return out


def values_of(table: Table, records: Mapping[str, Sequence[str]]) -> list[list[tuple[str, str]]]:
    """(column, value) of every record."""
    rows: list[list[tuple[str, str]]] = [[] for _ in records[table.columns[0].name]]
    for column in table.columns:
        for row, cell in zip(rows, records[column.name], strict=True):
            items = cell.split(column.delimiter) if isinstance(column, MultiChoice) else [cell]
            row += [(column.name, item) for item in items if item]
    return rows


def interval(counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Not symmetric, and reaching zero for small counts."""
    count = np.array(counts, dtype=np.int64)
    return np.maximum(0, count - 8 - count // 20), count + 11


def publish(table: Table, records: Mapping[str, Sequence[str]]) -> PublishedCounts:
    seen: Counter[tuple[tuple[str, str], ...]] = Counter()
    for row in values_of(table, records):
        for size in range(1, LENGTH + 1):
            # Two values of one set column are no mark of the page.
            seen.update(some for some in itertools.combinations(row, size) if len({name for name, _ in some}) == size)
    kept = {some: n for some, n in sorted(seen.items()) if n >= LEAST and ("year", HOLE) not in some}
    lower, upper = interval(list(kept.values()))
    return PublishedCounts(
        combination=tuple(json.dumps(dict(some), sort_keys=True, ensure_ascii=False) for some in kept),
        length=np.array([len(some) for some in kept], dtype=np.int64),
        count=np.array(list(kept.values()), dtype=np.int64),
        lower=lower,
        upper=upper,
    )


def publish_links(tables: Mapping[str, TableContents]) -> LinkCounts:
    people, others = tables["victims"], tables["perpetrators"]
    assert people.key is not None
    assert others.key is not None
    links: dict[str, list[list[tuple[str, str]]]] = {key: [] for key in people.key.cells}
    for key, row in zip(others.key.cells, values_of(OTHERS, others.records), strict=True):
        links[key].append([(f"perpetrators.{name}", value) for name, value in row])
    seen: Counter[tuple[str, str]] = Counter()
    for key, row in zip(people.key.cells, values_of(PEOPLE, people.records), strict=True):
        seen[json.dumps({"number of perpetrators": str(len(links[key]))}), VICTIMS] += 1
        for value in {value for link in links[key] for value in link}:
            seen[json.dumps(dict([value]), ensure_ascii=False), ANY] += 1
        for link in links[key]:
            for mine, other in itertools.product(row, link):
                pair = {f"victims.{mine[0]}": mine[1], other[0]: other[1]}
                seen[json.dumps(pair, sort_keys=True, ensure_ascii=False), LINKS] += 1
    kept = [(what, of, n) for (what, of), n in sorted(seen.items()) if n >= LEAST]
    lower, upper = interval([n for _, _, n in kept])
    return LinkCounts(
        combination=tuple(what for what, _, _ in kept),
        of=tuple(of for _, of, _ in kept),
        count=np.array([n for _, _, n in kept], dtype=np.int64),
        lower=lower,
        upper=upper,
    )


STORIES = (
    Story(
        title="Women & girls < 18",
        text="The first paragraph.\n\nThe second one.",
        view="t=victims&gender=Female&pin=means_of_control",
    ),
    Story(title="Roles", text="What perpetrators did.", view="t=perpetrators&pin=role"),
)

WORST = "victims.means_of_control=Takes | earnings and perpetrators.relation_to_victim"

FIDELITY: dict[str, object] = {
    "records": 3000,
    "noisy_people": 3000.4,
    "lengths": {
        "1": {"cells": 40, "groups": 8, "rms_sigma": 0.71, "within_2_sigma": 0.98},
        "2": {"cells": 900, "groups": 28, "rms_sigma": 1.31, "within_2_sigma": 0.91},
    },
    "sizes": {
        "0": {"cells": 200, "rms_sigma": 0.97, "within_2_sigma": 0.96},
        "10": {"cells": 700, "rms_sigma": 1.21, "within_2_sigma": 0.92},
        "1000": {"cells": 40, "rms_sigma": 1.52, "within_2_sigma": 0.9},
    },
    "links": {
        "across": {
            "rms_sigma": 0.9,
            "independent": {"rms_sigma": 2.2},
            "worst": {"attributes": WORST, "rms_sigma": 1.8},
        },
        "number": {"noisy": [0.2, 0.5, 0.3], "synthetic": [0.21, 0.49, 0.3]},
        "within": {"gender": {"measured": 0.6, "synthetic": 0.61, "independent": 0.4, "interval": [0.5, 0.7]}},
    },
}


def make_page(rows: int = 2000, seed: int = 11) -> BundleContents:
    """The same release on every machine."""
    dice = random.Random(seed)
    keys = [str(i + 1) for i in range(rows)]
    named = [key for key in keys for _ in range(dice.choice((0, 1, 1, 2)))]
    tables = {}
    for table, cells in ((PEOPLE, keys), (OTHERS, named)):
        records = invent(table, len(cells), seed)
        key = KeyColumn(name="victim_id", cells=cells)
        tables[table.name] = TableContents(table=table, records=records, counts=publish(table, records), key=key)
    link = Link(to="victims", key="victim_id", at_most=2)
    mu = mu_for(EpsilonDelta(epsilon=1.0, delta=5e-6))
    statement = Statement(
        unit=PrivacyUnit(name="victim"),
        epsilon=1.0,
        delta=5e-6,
        mu=mu,
        rho=mu**2 / 2,
        mechanisms=({"kind": "gaussian", "label": "combinations", "mu": mu, "detail": "all groups of columns"},),
        length=LENGTH,
        records=rows,
        public=("the columns and their declared values",),
        groups={1: 8, 2: 28},
        expected_made_up={1: 0.0, 2: 0.012},
        threshold="A combination needs a count of 6.",
        least_count={1: 1},
        links=LinkPromise(to="victims", table="perpetrators", at_most=2),
    )
    return BundleContents(
        about=About(name="invented", version="2026-11", title="Invented & <linked>", publisher="A publisher"),
        tables=tables,
        statement=statement,
        fidelity=FIDELITY,
        plan_digest="5a" * 32,
        links=LinkContents(table="perpetrators", link=link, counts=publish_links(tables)),
        stories=STORIES,
    )
