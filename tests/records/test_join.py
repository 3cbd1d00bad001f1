"""Two files about the same people become one table: against a walk over rows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.errors import PlanError, RowsError
from caseveil.intake import read_rows
from caseveil.plan import Plan
from caseveil.records.join import added
from caseveil.records.raw import RawTable
from caseveil.records.recipe_words import describe
from caseveil.schema.recipe import Join

SECRET = "Zanzibarella"
JOIN = Join(source="folder/talks.csv", key="of")

PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
unit = "victim"
epsilon = 1
[tables.victims]
source = "v.csv"
key = "id"
join = { source = "talks.csv", key = "of" }
where = [{ column = "language", is_not = ["none"] }]
[tables.victims.columns.gender]
kind = "category"
values = ["F", "M"]
[tables.victims.columns.tongue]
kind = "category"
from = "language"
values = ["Swahili", "Thai"]
"""


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_every_row_gets_its_own_row_or_none(data: st.DataObject) -> None:
    keys = st.lists(st.integers(0, 20).map(str), unique=True, max_size=12)
    own, theirs = data.draw(keys), data.draw(keys)
    raw = RawTable(columns={"id": own, "x": [f"x{key}" for key in own]})
    other = RawTable(columns={"y": [f"y{key}" for key in theirs], "of": [f" {key} " for key in theirs]})
    found = added(raw, other, key="id", join=JOIN)
    rows = list(zip(*found.columns.values(), strict=True))
    assert rows == [(key, f"x{key}", f"y{key}" if key in theirs else "") for key in own]
    # One person more, with rows in both files, is one row more.
    more = RawTable(columns={"id": [*own, "99"], "x": [*raw.columns["x"], "x99"]})
    both = RawTable(columns={"y": ["y99", *other.columns["y"]], "of": ["99", *other.columns["of"]]})
    assert list(zip(*added(more, both, key="id", join=JOIN).columns.values(), strict=True)) == [
        *rows, ("99", "x99", "y99")
    ]  # fmt: skip


def test_a_name_that_is_taken_tells_the_file() -> None:
    raw = RawTable(columns={"id": ["1"], "date": ["a"]})
    other = RawTable(columns={"of": ["1"], "date": ["b"], "id": ["c"]})
    found = added(raw, other, key="id", join=JOIN)
    assert dict(found.columns) == {"id": ["1"], "date": ["a"], "date (talks.csv)": ["b"], "id (talks.csv)": ["c"]}


@pytest.mark.parametrize(
    ("own", "theirs", "said"),
    [
        (["1", "1 ", SECRET], ["1"], "column id must have a value of its own in every row, and 2 rows share"),
        (["1"], [SECRET, SECRET, "2"], "column of of folder/talks.csv must have a value of its own in every row"),
        (["1", " "], ["1"], "column id is empty in 1 rows"),
        (["1"], ["1", ""], "column of of folder/talks.csv is empty"),
    ],
)
def test_keys_that_name_no_one_person_are_refused(own: list[str], theirs: list[str], said: str) -> None:
    with pytest.raises(RowsError, match=said) as met:
        added(RawTable(columns={"id": own}), RawTable(columns={"of": theirs, "y": theirs}), key="id", join=JOIN)
    assert SECRET not in str(met.value)


def test_a_plan_joins_before_all_else(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("id,gender\n1,F\n2,M\n3,F\n")
    (tmp_path / "talks.csv").write_text("of,language\n3,Thai\n1,none\n9,Swahili\n")
    plan = Plan.from_toml(PLAN, tmp_path)
    assert Plan.from_toml(plan.to_toml(), tmp_path) == plan
    assert 'join = { source = "talks.csv", key = "of" }' in plan.to_toml()
    (raw,) = read_rows(plan).raw
    assert (raw.columns["gender"], raw.columns["tongue"]) == (["M", "F"], ["", "Thai"])
    first, *_ = describe(plan.tables[0].table, plan.tables[0].recipe)
    assert first.sentence == "Each row gets the columns of the row of talks.csv that has as of the same id."
    without = Plan.from_toml(PLAN.replace("join =", "# join ="), tmp_path)
    assert without.digest() == plan.digest()  # no name of a file or of its columns is in the digest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('key = "id"\n', "", "tables.victims.join needs the table of people and its key"),
        ('"talks.csv"', '"postgresql://x/y"', "tables.victims.join.source must name a file"),
        ('key = "of"', 'kee = "of"', "tables.victims.join.kee is not known; did you mean key?"),
        (', key = "of"', "", "tables.victims.join.key"),
        ('{ source = "talks.csv", key = "of" }', "3", "tables.victims.join"),
    ],
)
def test_joins_that_make_no_sense_are_refused(old: str, new: str, said: str) -> None:
    assert old in PLAN
    with pytest.raises(PlanError, match=said.replace("?", r"\?")):
        Plan.from_toml(PLAN.replace(old, new), Path())
