"""Drafted plans: they parse, they fit the rows they were drafted for, and they hold nothing of the rows."""

import datetime
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.errors import SourceError
from caseveil.plan import Plan
from caseveil.records.draft import draft
from caseveil.records.guess import guess
from caseveil.records.prepare import prepare
from caseveil.records.raw import RawTable
from caseveil.records.source import read_path
from caseveil.schema.attribute import Binned, Category, MultiChoice, Outside
from caseveil.standards.places import countries

SECRET = "Zanzibarella"


def drafted(columns, *, source="cases.csv", name="cases"):
    raw = RawTable(columns=columns)
    text = draft(raw, source=source, name=name)
    plan = Plan.from_toml(text, Path())
    rows, report = prepare(raw, plan.tables[0].table)
    return text, plan, rows, report


def guessed(name, cells):
    return guess(name, Counter(cells)).column


def test_a_usual_file():
    n = 40
    text, plan, _, report = drafted(
        {
            "victim_id": [f"V{i}" for i in range(n)],
            "First name": [SECRET] * n,
            "gender": ["Female", "Male", "", "Unknown"] * 10,
            "age": ["17", "x", "40.0", "8"] * 1 + ["25"] * 36,
            "year": ["2011", "2013"] * 20,
            "citizenship": ["Nepal", "Spain", "Nepal", SECRET] + ["Peru"] * 36,
            "flag": ["1", ""] * 20,
            "means": ["Debt;Threats", "Debt", "", "Force;Debt"] * 10,
            "sector": ["Fishing", SECRET] + ["Farming"] * 38,
            "registered": [f"2015-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)],
            "empty": [""] * n,
        },
        name="Victim cases 2026",
    )
    assert plan.about.name == "victim-cases-2026"
    assert plan.unit.name == "victim"
    assert plan.promise.delta is None
    assert plan.ledger == "ledger.caseveil"
    table = plan.tables[0].table
    assert table.key == "victim_id"
    kinds = {column.name: column for column in table.columns}
    assert list(kinds) == ["gender", "age", "year", "citizenship", "flag", "means", "sector", "registered"]
    assert kinds["gender"] == Category(
        name="gender", values=("Female", "Male"), missing=("", "Unknown"), outside=Outside.MISSING
    )
    assert isinstance(kinds["age"], Binned)
    assert kinds["year"].values == ("2010", "2011", "2012", "2013", "2014", "2015+")
    assert len(kinds["citizenship"].values) == len(countries())
    assert kinds["means"] == MultiChoice(name="means")
    assert kinds["sector"] == Category(name="sector")
    assert isinstance(kinds["registered"], Binned)
    assert kinds["registered"].is_date
    assert report.unused_columns == ("First name", "empty")
    assert report.outside == {"age": 1, "citizenship": 1}
    assert "#   First name: it looks like a person's name" in text
    assert "#   empty: no cell is filled" in text
    for cell in (SECRET, "Fishing", "Farming", "Debt", "V1"):
        assert cell not in text


def test_a_person_with_several_rows_is_pointed_out():
    columns = {"victim_id": [f"V{i // 2}" for i in range(40)], "gender": ["Female", "Male"] * 20}
    text, plan, _, _ = drafted(columns)
    assert plan.tables[0].table.key is None
    assert "Careful: victim_id repeats" in text


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "", "1"], ("1",)),
        (["1", "0", "1"], ("0", "1")),
        (["Yes"] * 30 + ["No"], ("Yes", "No")),
        (["Female", "Male"] * 20 + ["Other"], ("Female", "Male", "Other")),
        (["Europe", "Asia"], ("Africa", "Americas", "Asia", "Europe", "Oceania")),
        (["Low", "High"], None),
    ],
)
def test_values_are_a_whole_public_vocabulary_or_none(cells, values):
    assert guessed("x", cells).values == values


def test_namibia_is_a_country():
    column = guessed("country", ["NA", "FR", "DE", "NP", ""])
    assert column.values[:2] == ("AD", "AE")
    assert column.missing == ("",)


def test_a_field_of_the_standard_gets_its_values():
    column = guessed("prs_Gender", ["Feminine", "Masculine"])
    assert "NonConforming" in column.values


@pytest.mark.parametrize(
    ("cells", "edges"),
    [
        (["0", "3", "9"], (0, 1, 2, 5)),
        (["0", "3", "12"], (0, 1, 2, 5, 10, 20, 50)),
        (["1.5", "900"], (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (["123456", "7"], (0, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000)),
        (["-3", "9"], (-5, -2, -1, 0, 1, 2, 5)),
    ],
)
def test_edges_are_round_and_do_not_follow_the_rows(cells, edges):
    column = guessed("amount", cells)
    assert column.edges == edges
    assert guessed("amount", [*cells, "4"]).edges == edges


def test_years_far_apart_go_in_fives():
    assert guessed("year", ["1951", "2014"]).edges == tuple(range(1950, 2016, 5))
    dates = guessed("day", ["1951-03-04", "2014-05-06"])
    assert dates.edges[:2] == (datetime.date(1950, 1, 1), datetime.date(1955, 1, 1))


def test_too_many_values_are_left_to_the_steward():
    assert guessed("town", [f"T{i}" for i in range(401)]) is None


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"empty": ["", ""]}, "no column can be proposed"),
        ({"surname": [SECRET, "x"]}, "no column can be proposed"),
        ({SECRET: [SECRET, "x"], "17": ["17", "18"]}, "first line looks like a row"),
    ],
)
def test_nothing_to_draft(columns, says):
    with pytest.raises(SourceError, match=says) as caught:
        draft(RawTable(columns=columns), source="a.csv", name="a")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["", "CON", "Fälle / Opfer", "..", "a" * 200, "日本"])
def test_any_file_name_gives_a_plan(name):
    drafted({"gender": ["Female", "Male"]}, name=name, source=f'C:\\data\\"{name}".csv')


cells = st.sampled_from(
    [
        "",
        "NA",
        "?",
        "1",
        "0",
        "17",
        "2.5",
        "-3",
        "1e5",
        "2015",
        "2015-06-30",
        "Yes",
        "Female",
        "FR",
        "a;b",
        "x|y",
        "x",
        "日本",
    ]
)
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=10).filter(str.strip)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(names, st.lists(cells, min_size=12, max_size=12), min_size=1, max_size=4))
def test_every_draft_parses_and_fits_its_rows(columns):
    try:
        _, plan, rows, _ = drafted(columns)
    except SourceError:
        return
    assert rows.n == 12
    assert set(rows.columns) <= set(columns)
    assert plan.aggregates.length == 3


@pytest.mark.parametrize("name", ["vp_condensed.csv", "wide_sparse.csv"])
def test_the_shared_tables(name):
    path = Path(__file__).parents[3] / "shared" / "data" / name
    if not path.exists():
        pytest.skip("the shared data are not here")
    raw = read_path(path)
    _, plan, rows, report = drafted(raw.columns)
    assert report.unused_columns == ()
    assert rows.n == raw.n == {"vp_condensed.csv": 21_195, "wide_sparse.csv": 50_000}[name]
    assert len(plan.tables[0].table.columns) == len(raw.columns)
