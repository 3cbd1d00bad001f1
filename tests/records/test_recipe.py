"""Recipes: what becomes of cells and rows, against a brute-force walk over rows, and what is told of it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.errors import RowsError
from caseveil.intake import prepare_rows
from caseveil.plan import Plan
from caseveil.records.identify import identifying_columns
from caseveil.records.joined import joined_cells
from caseveil.records.prepare import prepare
from caseveil.records.raw import RawTable
from caseveil.records.recipe import apply, preview
from caseveil.records.recipe_words import describe
from caseveil.schema.attribute import Category, MultiChoice, Outside
from caseveil.schema.period import Period
from caseveil.schema.recipe import ColumnRecipe, Condition, Derive, Group, Recipe
from caseveil.schema.table import Table
from caseveil.standards.places import regions, subregions

SECRET = "Zanzibarella"


def made(recipe: ColumnRecipe, cells: list[str], column: Category | MultiChoice | None = None) -> list[str]:
    column = Category(name="c", outside=Outside.MISSING) if column is None else column
    raw = RawTable(columns={recipe.of_file: cells})
    return list(apply(raw, Table(name="t", columns=(column,)), Recipe(columns=(recipe,))).raw.columns["c"])


@pytest.mark.parametrize(
    ("derive", "cell", "text"),
    [
        (Derive.YEAR, "2024-05-31", "2024"),
        (Derive.YEAR, " 2024 ", "2024"),
        (Derive.YEAR, "0099-01", "0099"),
        (Derive.MONTH, "2024-05-31T10:00:00", "2024-05"),
        (Derive.MONTH, "2024", ""),
        (Derive.QUARTER, "2024-03-31", "2024-Q1"),
        (Derive.QUARTER, "2024-04", "2024-Q2"),
        (Derive.QUARTER, "2024-12", "2024-Q4"),
        (Derive.YEAR, "2024-13-01", ""),
        (Derive.YEAR, "31.05.2024", ""),
        (Derive.WHOLE, "17.9", "17"),
        (Derive.WHOLE, "-0.5", "-1"),
        (Derive.WHOLE, "-0", "0"),
        (Derive.WHOLE, "9007199254740993", "9007199254740993"),
        (Derive.WHOLE, "0e999999999999", "0"),
        (Derive.WHOLE, "1e999", ""),
        (Derive.WHOLE, "seventeen", ""),
    ],
)
def test_derived_texts(derive: Derive, cell: str, text: str) -> None:
    assert made(ColumnRecipe(column="c", derive=derive), [cell]) == [text]


@given(st.dates(), st.times())
def test_parts_of_dates_are_those_of_the_calendar(day: datetime.date, time: datetime.time) -> None:
    for cell in (day.isoformat(), datetime.datetime.combine(day, time).isoformat()):
        assert Derive.YEAR.of(cell) == day.isoformat()[:4]
        assert Derive.MONTH.of(cell) == day.isoformat()[:7]
        assert Derive.QUARTER.of(cell) == f"{day.isoformat()[:4]}-Q{1 + (day.month - 1) // 3}"


def test_countries_become_regions_and_regions_stay() -> None:
    column = Category(name="c", values=regions(), outside=Outside.MISSING)
    one = ColumnRecipe(column="c", group=Group.UN_REGION, recode={"Kosovo": "Europe", "unk": ""})
    assert made(one, ["FR", " kenya", "PHL", "Europe", "Kosovo", "unk", "Antarctica", "Utopia"], column) == [
        "Europe", "Africa", "Asia", "Europe", "Europe", "", "", "",
    ]  # fmt: skip
    for group in Group:  # no name of a region is also that of a country elsewhere
        assert all(group.of(name) in (None, name) for name in group.names)
    assert (Group.UN_REGION.names, Group.UN_SUBREGION.names) == (regions(), subregions())


def test_items_of_sets_are_remade_one_by_one() -> None:
    column = MultiChoice(name="c", values=("Debt", "Threats"), outside=Outside.MISSING, missing=("", "n;a"))
    one = ColumnRecipe(column="c", recode={"owes": "Debt", "?": ""})
    assert made(one, ["owes; Threats", "?;owes", "n;a", "Debt;Threats"], column) == [
        "Debt;Threats", ";Debt", "n;a", "Debt;Threats",
    ]  # fmt: skip


def test_recode_is_looked_up_once_and_goes_before_missing() -> None:
    column = Category(name="c", values=("a", "b"), missing=("", "b?"))
    assert made(ColumnRecipe(column="c", recode={"b?": "b", "a": "b", "b": "a"}), [" b?", "a", "b"], column) == [
        "b", "b", "a",
    ]  # fmt: skip


def test_two_columns_may_come_from_one_and_names_may_be_swapped() -> None:
    table = Table(name="t", columns=(Category(name="x"), Category(name="y"), Category(name="z")))
    recipe = Recipe(
        columns=(
            ColumnRecipe(column="x", source="y"),
            ColumnRecipe(column="y", source="x", derive=Derive.YEAR),
            ColumnRecipe(column="z", source="x"),
        )
    )
    raw = apply(RawTable(columns={"x": ["2024-05-06"] * 2, "y": ["q", "r"], "other": ["1", "2"]}), table, recipe).raw
    rows, report = prepare(raw, table)
    assert rows.columns == {"x": ["q", "r"], "y": ["2024"] * 2, "z": ["2024-05-06"] * 2}
    assert report.unused_columns == ("other",)
    assert raw.of_file("x") == ["2024-05-06"] * 2


def test_a_period_looks_at_the_file_whatever_the_columns_are_made_of() -> None:
    table = Table(name="t", columns=(Category(name="day"), Category(name="came")))
    recipe = Recipe(
        columns=(
            ColumnRecipe(column="day", derive=Derive.QUARTER),
            ColumnRecipe(column="came", source="sex", recode={"m": "x"}),
        ),
        where=(Condition(column="sex", only=("m",)),),
    )
    raw = apply(RawTable(columns={"day": ["2024-05-06", "2024", "2025-01-01"], "sex": ["m", "f", " m"]}), table, recipe)
    assert joined_cells(raw.raw, Period(joined="day", until="2025"), "t") == ["2024-05-06", "2025-01-01"]
    with pytest.raises(RowsError, match="column came is not in the data"):  # of the file, not of the release
        joined_cells(raw.raw, Period(joined="came", until="2025"), "t")


def test_what_cannot_be_read_is_refused_in_counts_or_made_missing() -> None:
    raw = RawTable(columns={"c": ["2024-01-01", SECRET, SECRET, "", "n/a"]})
    recipe = Recipe(columns=(ColumnRecipe(column="c", derive=Derive.YEAR),))
    with pytest.raises(RowsError) as caught:
        apply(raw, Table(name="t", columns=(Category(name="c", missing=("", "n/a")),)), recipe)
    assert str(caught.value).startswith("column c: 2 rows hold something other than a date such as 2015;")
    assert SECRET not in str(caught.value)
    lenient = Table(name="t", columns=(Category(name="c", missing=("", "n/a"), outside=Outside.MISSING),))
    applied = apply(raw, lenient, recipe)
    assert applied.raw.columns["c"] == ["2024", "", "", "", "n/a"]
    assert (applied.report.unmade, applied.report.changed) == ({"c": 2}, {"c": 1})


def test_a_column_that_is_not_there_is_told_with_the_nearest() -> None:
    recipe = Recipe(columns=(ColumnRecipe(column="c", source="Sexx"),), where=(Condition(column="tset", never=("",)),))
    with pytest.raises(RowsError) as caught:
        apply(RawTable(columns={"Sex": ["a"], "test": ["b"]}), Table(name="t", columns=(Category(name="c"),)), recipe)
    assert str(caught.value).split("\n") == [
        "where: column tset is not in the data; did you mean test?",
        "column c: from (Sexx) is not in the data; did you mean Sex?",
    ]


def test_a_new_name_hides_no_identifier() -> None:
    table = Table(name="t", columns=(Category(name="code"),))
    recipe = Recipe(columns=(ColumnRecipe(column="code", source="passport"),))
    raw = apply(RawTable(columns={"passport": ["1", "1"]}), table, recipe).raw
    assert [found.column for found in identifying_columns(raw, released=table, recipe=recipe)] == ["code"]


_cells = st.sampled_from(["", " ", "a", " a", "b", "c", "2024", "2024-05", "FR", "x y"])
_recodes = st.dictionaries(st.sampled_from(["", "a", "b", "zz"]), st.sampled_from(["", "a", "c", "2025-02"]))
_words = st.lists(st.sampled_from(["", "a", "b", "FR"]), min_size=1, max_size=3).map(tuple)


@settings(deadline=None)
@given(
    st.lists(st.tuples(_cells, _cells), max_size=12),
    _recodes,
    st.none() | st.sampled_from(Derive),
    st.sampled_from(["one", "two"]),
    st.none() | _words,
    st.none() | _words,
)
def test_a_recipe_is_the_same_function_of_every_row(
    rows: list[tuple[str, str]],
    recode: dict[str, str],
    derive: Derive | None,
    source: str,
    only: tuple[str, ...] | None,
    never: tuple[str, ...] | None,
) -> None:
    table = Table(name="t", columns=(Category(name="c", outside=Outside.MISSING),))
    where = (Condition(column="two", only=only, never=never),) if only or never else ()
    recipe = Recipe(columns=(ColumnRecipe(column="c", source=source, recode=recode, derive=derive),), where=where)

    def by_hand(row: tuple[str, str]) -> str | None:
        text = row[1].strip()
        if (only is not None and text not in only) or (never is not None and text in never):
            return None
        cell = row[0 if source == "one" else 1].strip()
        cell = recode.get(cell, cell)
        return cell if cell == "" or derive is None else (derive.of(cell) or "")

    def applied(some: list[tuple[str, str]]) -> list[str]:
        raw = RawTable(columns={"one": [a for a, _ in some], "two": [b for _, b in some]})
        return [cell.strip() for cell in apply(raw, table, recipe).raw.columns["c"]]

    expected = [by_hand(row) for row in rows]
    assert applied(rows) == [cell for cell in expected if cell is not None]
    assert [cell for row in rows for cell in applied([row])] == applied(rows)  # nobody else's row has a say


PLAN = """
[release]
name = "a"
version = "1"
[privacy]
unit = "victim"
epsilon = 1
[tables.victims]
source = "v.csv"
key = "id"
where = [{ column = "sex", is = ["F"] }]
[tables.victims.columns.gender]
kind = "category"
from = "sex"
[tables.people]
source = "p.csv"
links = { to = "victims", key = "of", at_most = 3 }
where = [{ column = "role", is_not = ["bystander"] }]
[tables.people.columns.role]
kind = "category"
"""


def test_rows_go_with_the_person_they_belong_to_and_strays_stay_faults() -> None:
    victims = RawTable(columns={"id": ["1", "2 ", "3"], "sex": ["F", "M", "F"]})
    links = RawTable(columns={"of": ["1", "2", " 2", "3", "9"], "role": ["r", "r", "bystander", "r", "r"]})
    found = prepare_rows(Plan.from_toml(PLAN, Path()), [victims, links])
    assert found.raw[0].columns["id"] == ["1", "3"]
    assert found.raw[1].columns["of"] == ["1", "3", "9"]  # 9 names nobody in the file, which is still to be told
    assert [(one.rows, one.left_out, one.along) for one in found.reports] == [(3, 1, 0), (5, 2, 1)]


def test_sentences_and_a_preview() -> None:
    table = Table(name="t", columns=(Category(name="land", values=regions()), Category(name="year")))
    recipe = Recipe(
        columns=(
            ColumnRecipe(column="land", source="country", recode={"Zanz": "TZ", "?": ""}, group=Group.UN_REGION),
            ColumnRecipe(column="year", source="day", derive=Derive.YEAR),
        ),
        where=(Condition(column="test", never=("yes", "")),),
    )
    said = [step.sentence for step in describe(table, recipe)]
    assert said == [
        'Only rows stay whose test is not "yes" or empty.',
        "land is the column country of the file.",
        'In land, "Zanz" becomes "TZ"; "?" becomes missing.',
        "Each country in land becomes its region (Africa, Americas, Asia, Europe, Oceania).",
        "year is the column day of the file.",
        "Of each date in year the year is kept.",
    ]
    plain = " ".join(step.sentence for step in describe(table, recipe, quote=False))
    assert "In land, 2 words are rewritten." in plain
    assert not any(word in plain for word in ("Zanz", "yes", "TZ"))
    raw = RawTable(columns={"country": ["Zanz", "FR", "?"], "day": ["2024-01-02", "x", "y"], "test": ["n", "yes", "n"]})
    shown = preview(raw, table, recipe)
    assert shown.before["country"] == ["Zanz", "?"]
    assert shown.after == {"land": ["Africa", ""], "year": ["2024", ""]}
