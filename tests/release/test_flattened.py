"""The derived table holds, for every person, what a reader would collect by hand."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable

import numpy as np
import pytest

from caseveil.release.bundle import BundleContents, KeyColumn, TableContents
from caseveil.release.flattened import flatten, owners, standing
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.schema.codebook import CODEBOOK_COLUMNS, flattened_rows
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.table import Table
from caseveil.synthesis.counts import PublishedCounts


def by_hand(column: FlattenedColumn, contents: BundleContents) -> list[str]:
    """One person after the other, one row after the other."""
    people, linked = contents.tables["victims"], contents.tables["perpetrators"]
    part = contents.tables[column.table]
    assert people.key is not None
    assert linked.key is not None
    source = next(one for one in part.table.columns if one.name == column.column)
    out = []
    for i, key in enumerate(people.key.cells):
        rows = [i] if part is people else [j for j, to in enumerate(linked.key.cells) if to == key]
        stated: set[str] = set()
        for row in rows:
            cell = part.records[column.column][row]
            stated |= set(cell.split(source.delimiter)) if isinstance(source, MultiChoice) else {cell}
        if column.has is not None:
            out.append(column.yes if column.has in stated else "")
        else:
            out.append(";".join(sorted({column.recode.get(value, value) for value in stated - {""}} - {""})))
    return out


def test_every_column_is_what_one_collects_by_hand(linked: BundleContents) -> None:
    assert linked.links is not None
    assert linked.links.flattened is not None
    assert {column.table for column in linked.links.flattened_columns} == {"victims", "perpetrators"}
    for column in linked.links.flattened_columns:
        cells = linked.links.flattened[column.name]
        assert cells == by_hand(column, linked), column.name
        assert "" in cells, "a person who states nothing has an empty cell"
        assert any(cells)


def test_a_value_that_is_recoded_to_nothing_is_dropped(linked: BundleContents) -> None:
    column = FlattenedColumn(name="x", table="victims", column="gender", recode={"Female": "", "Male": ""})
    assert set(flatten([column], *linked.tables.values())["x"]) == {""}


def test_nobody_and_no_links(make_links: Callable[..., BundleContents]) -> None:
    empty = make_links(victims=0)
    assert empty.links is not None
    assert all(cells == [] for cells in flatten(empty.links.flattened_columns, *empty.tables.values()).values())
    people, linked = make_links().tables.values()
    none = dataclasses.replace(
        linked, records={name: [] for name in linked.records}, key=KeyColumn(name="victim_id", cells=[])
    )
    columns = [FlattenedColumn(name="x", table="perpetrators", column="gender")]
    assert flatten(columns, people, none) == {"x": [""] * people.rows}


def test_what_is_not_there_is_refused(linked: BundleContents) -> None:
    people, perpetrators = linked.tables.values()
    for table, column in (("victims", "region"), ("cases", "gender")):
        with pytest.raises(ValueError, match="that no table has"):
            flatten([FlattenedColumn(name="x", table=table, column=column)], people, perpetrators)
    with pytest.raises(ValueError, match="keys"):
        flatten([], dataclasses.replace(people, key=None), perpetrators)
    with pytest.raises(KeyError):
        owners(["a"], ["a", "b"])


def test_columns_whose_source_was_not_discovered_are_left_out(linked: BundleContents) -> None:
    people, perpetrators = (part.table for part in linked.tables.values())
    assert linked.links is not None
    columns = linked.links.flattened_columns
    assert standing(columns, people, perpetrators) == columns
    less = Table(name="perpetrators", columns=perpetrators.columns[1:])
    assert {c.name for c in columns} - {c.name for c in standing(columns, people, less)} == {"genders"}


def test_codebook_of_the_derived_table(linked: BundleContents) -> None:
    assert linked.links is not None
    people, perpetrators = (part.table for part in linked.tables.values())
    rows = [
        dict(zip(CODEBOOK_COLUMNS, row, strict=True))
        for row in flattened_rows(linked.links.flattened_columns, people, perpetrators)
    ]
    of = {row["column"]: row for row in rows}
    assert {row["table"] for row in rows} == {"flattened"}
    assert (of["victimGender"]["values"], of["victimGender"]["delimiter"]) == ('["Male", "Woman"]', "")
    assert (of["regions"]["values"], of["regions"]["delimiter"]) == ('["Afrasia", "Ümland, süd"]', ";")
    assert of["genders"]["meaning"] == "Of all perpetrators"
    assert (of["isIndebted"]["values"], of["isIndebted"]["meaning"]) == ('["ja"]', "From victims.means: Debt")


def test_a_usual_size_takes_as_long_as_a_few_looks_at_each_row() -> None:
    """17,000 people, 37,000 links, 16 columns, beside a plain loop that looks at each row of each column once.

    About as long as the loop; one look at every row for every person would take some thousand times as long.
    """
    dice = random.Random(1)
    values = tuple(f"value {i}" for i in range(60))
    people_table = Table(name="victims", columns=(Category(name="a", values=values),))
    linked_table = Table(
        name="perpetrators", columns=(Category(name="a", values=values), MultiChoice(name="m", values=values[:8]))
    )
    keys = [str(i) for i in range(17_000)]
    named = dice.choices(keys, k=37_000)
    none = np.zeros(0, np.int64)
    empty = PublishedCounts(combination=(), length=none, count=none, lower=none, upper=none)
    people = TableContents(
        table=people_table,
        records={"a": dice.choices(values, k=17_000)},
        counts=empty,
        key=KeyColumn(name="k", cells=keys),
    )
    linked = TableContents(
        table=linked_table,
        records={"a": dice.choices(values, k=37_000), "m": [";".join(dice.sample(values[:8], 3)) for _ in named]},
        counts=empty,
        key=KeyColumn(name="k", cells=named),
    )
    columns = [
        FlattenedColumn(name=f"{i}", table=table, column=column)
        for i, (table, column) in enumerate([("victims", "a"), ("perpetrators", "a"), ("perpetrators", "m")] * 5)
    ]
    columns.append(FlattenedColumn(name="has", table="perpetrators", column="m", has="value 3"))

    def once() -> None:
        for column in columns:
            part = people if column.table == "victims" else linked
            assert part.key is not None
            stated: dict[str, set[str]] = {}
            for key, cell in zip(part.key.cells, part.records[column.column], strict=True):
                stated.setdefault(key, set()).update(cell.split(";"))

    start = time.process_time()
    once()
    looked = time.process_time()
    flatten(columns, people, linked)
    assert time.process_time() - looked < 15 * (looked - start)
