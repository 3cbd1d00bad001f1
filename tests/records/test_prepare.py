# ruff: noqa: RUF001  (letters of other scripts are the point here)
"""Preparation by the plan: what each kind of column makes of cells, and how faults are told."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import RowsError
from caseveil.records.prepare import Rows, prepare
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import Binned, Category, MultiChoice, Ordered, Outside
from caseveil.schema.table import Table

SECRET = "Zanzibarella"


def prepared(column, *cells):
    """The prepared cells of one column, and the report; a key keeps rows apart."""
    rows, report = prepare(RawTable(columns={column.name: cells}), Table(name="t", columns=(column,)))
    return list(rows.columns[column.name]), report


def test_space_is_trimmed_and_missing_words_are_blanked():
    column = Category(name="gender", values=("Female", "Male"), missing=("", "Unknown", "0"))
    cells, report = prepared(column, " Female", "Male\t", "Unknown ", "", "  ", "0")
    assert cells == ["Female", "Male", "", "", "", ""]
    assert report.missing == {"gender": 4}
    assert report.outside == {}
    assert report.rows == 6


def test_zero_is_an_answer_unless_it_is_declared_missing():
    cells, _ = prepared(Category(name="paid", values=("0", "1")), "0", "1", "")
    assert cells == ["0", "1", ""]


def test_undeclared_values_pass_trimmed():
    assert prepared(Category(name="sector"), " a ", "b", "")[0] == ["a", "b", ""]
    assert prepared(MultiChoice(name="means"), "b; a;b", "", ";", "c")[0] == ["a;b", "", "", "c"]


def test_numbers_fall_into_half_open_bins():
    column = Binned(name="age", edges=(0.0, 9.0, 18.0), missing=("", "NA"))
    cells, report = prepared(column, "0", "8.999", "9", "17.0", "18", "1e2", "+9", "9--17", "18+", "NA", " 3 ")
    assert cells == ["0--8", "0--8", "9--17", "9--17", "18+", "18+", "9--17", "9--17", "18+", "", "0--8"]
    assert report.missing == {"age": 1}


@pytest.mark.parametrize("word", ["1,5", "1_0", "nan", "inf", "-inf", "1e999", "١٧", "0x10", "12 years", "1 2"])
def test_what_is_no_number_is_refused_or_made_missing(word):
    column = Binned(name="age", edges=(0.0, 18.0))
    with pytest.raises(RowsError, match="column age: 1 row holds something other than a number"):
        prepared(column, word, "3")
    lenient = Binned(name="age", edges=(0.0, 18.0), outside=Outside.MISSING)
    cells, report = prepared(lenient, word, "3", "-1")
    assert cells == ["", "0--17", ""]
    assert report.outside == {"age": 2}
    assert report.missing == {"age": 2}


def test_a_number_is_a_number_even_where_labels_are_numbers():
    column = Binned(name="grade", edges=(0.0, 10.0), labels=("10", "20"))
    assert prepared(column, "10", "5")[0] == ["20", "10"]


def test_dates_of_every_precision():
    column = Binned(name="day", edges=tuple(datetime.date(year, 1, 1) for year in (2014, 2015, 2016)))
    cells, _ = prepared(
        column, "2014", "2014-12", "2015-06-30", "2015-06-30T07:05:00+02:00", "2016-01-01 00:00", "2099"
    )
    assert cells == ["2014", "2014", "2015", "2015", "2016+", "2016+"]


@pytest.mark.parametrize(
    "word", ["30.06.2015", "2015-02-30", "2015-6-30", "0000", "15-06-30", "2015-06-30x", "20150630"]
)
def test_what_is_no_date_is_refused(word):
    with pytest.raises(RowsError, match="column day: 1 row holds something other than a date"):
        prepared(Binned(name="day", edges=(datetime.date(2014, 1, 1),)), word, "2015")


def test_sets_are_split_trimmed_deduplicated_and_put_in_declared_order():
    column = MultiChoice(name="means", values=("Threats", "Debt"), delimiter="|", missing=("", "Unknown"))
    cells, report = prepared(column, "Debt | Threats", "Threats|Threats", "|Debt||", "Unknown|Debt", "Unknown", "")
    assert cells == ["Threats|Debt", "Threats", "Debt", "Debt", "", ""]
    assert report.outside == {}


def test_items_outside_are_counted_and_the_others_kept():
    lenient = MultiChoice(name="means", values=("Debt",), outside=Outside.MISSING)
    cells, report = prepared(lenient, "Debt;x;y", "z", "Debt")
    assert cells == ["Debt", "", "Debt"]
    assert report.outside == {"means": 3}
    with pytest.raises(RowsError, match="column means: 3 items in 2 rows are outside its declared values"):
        prepared(MultiChoice(name="means", values=("Debt",)), "Debt;x;y", "z", "Debt")


def faulty() -> tuple[RawTable, Table]:
    raw = RawTable(
        columns={
            "victim_id": ["1", "2", "2", ""],
            "gender": ["Female", SECRET, SECRET, ""],
            "age": ["-5", SECRET, "17", "17"],
            "day": [SECRET, "2015", "1800", "2015"],
            "means": [f"Debt;{SECRET};x", "Debt", "", SECRET],
            "sector": ["", " ", "", ""],
            "note": [SECRET] * 4,
        }
    )
    columns = (
        Category(name="gendr", values=("a",)),
        Category(name="gender", values=("Female", "Male")),
        Binned(name="age", edges=(0.0, 18.0)),
        Binned(name="day", edges=(datetime.date(2000, 1, 1),)),
        MultiChoice(name="means", values=("Debt",)),
        Ordered(name="sector"),
    )
    return raw, Table(name="victims", columns=columns, key="victim_id")


def test_all_faults_are_told_together_in_counts():
    raw, table = faulty()
    with pytest.raises(RowsError) as caught:
        prepare(raw, table)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0].partition(";")[0] for line in lines] == [
        "column gendr is not in the data",
        "key column victim_id is empty in 1 row",
        "key column victim_id repeats in 2 rows",
        "column gender",
        "column age",
        "column age",
        "column day",
        "column day",
        "column means",
        "column sector",
    ]
    assert "did you mean gender?" in lines[0]
    assert "2 rows hold a value outside" in lines[3]
    assert "1 row holds something other than a number" in lines[4]
    assert "1 row holds a value below the first edge" in lines[5]
    assert "3 items in 2 rows are outside" in lines[8]
    assert "every cell is missing and no values are declared" in lines[9]
    assert all("\n" not in line and len(line) < 200 for line in lines)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("cells", "says"), [([], "has 0 rows"), (["Female"], "has 1 row;")])
def test_fewer_than_two_rows(cells, says):
    with pytest.raises(RowsError, match=f"table t {says}"):
        prepared(Category(name="gender", values=("Female",)), *cells)


def test_an_all_missing_column_with_declared_values_is_reported():
    cells, report = prepared(Category(name="gender", values=("Female",)), "", "", " ")
    assert cells == ["", "", ""]
    assert report.missing == {"gender": 3}


def test_a_missing_key_column_is_told():
    table = Table(name="t", columns=(Category(name="a", values=("x",)),), key="victim_id")
    with pytest.raises(RowsError, match="key column victim_id is not in the data; did you mean Victim_ID"):
        prepare(RawTable(columns={"a": ["x", "x"], "Victim_ID": ["1", "2"]}), table)


def test_unused_columns_are_named_and_the_key_is_used():
    table = Table(name="t", columns=(Category(name="a", values=("x",)),), key="id")
    rows, report = prepare(RawTable(columns={"b": ["", ""], "id": ["1", "2"], "a": ["x", "x"], "c": ["", ""]}), table)
    assert report.unused_columns == ("b", "c")
    assert list(rows.columns) == ["a"]


def test_rows_show_nothing():
    table = Table(name="t", columns=(Category(name="a"),))
    rows = Rows(table=table, columns={"a": [SECRET, "y", "z"]})
    assert repr(rows) == str(rows) == f"{rows!r}" == "Rows(columns=['a'])"
    with pytest.raises(ValueError, match="those of the table") as caught:
        Rows(table=table, columns={"b": [SECRET]})
    assert SECRET not in str(caught.value)


COLUMNS = (
    Category(name="gender", values=("Female", "Male"), missing=("", "NA"), outside=Outside.MISSING),
    Binned(name="age", edges=(0.0, 18.0, 65.0), outside=Outside.MISSING),
    MultiChoice(name="means", values=("Debt", "Threats", "Force"), outside=Outside.MISSING),
    Category(name="sector"),
    MultiChoice(name="langs", delimiter=","),
)
words = st.sampled_from(
    [
        "",
        " ",
        "NA",
        "Female",
        " Male",
        "17",
        "18.0",
        "70",
        "-1",
        "Debt",
        "Force; Debt",
        "x",
        "fr,en",
        "en,,fr",
        "Debt;x",
    ]
)


@given(st.lists(st.tuples(*[words] * len(COLUMNS)), min_size=2, max_size=20))
def test_preparing_twice_is_preparing_once(rows):
    names = [column.name for column in COLUMNS]
    cells = dict(zip(names, (list(c) for c in zip(*rows, strict=True)), strict=True))
    cells["sector"][0] = cells["langs"][0] = "something"
    table = Table(name="t", columns=COLUMNS)
    once, report = prepare(RawTable(columns=cells), table)
    twice, second = prepare(RawTable(columns=once.columns), table)
    assert twice.columns == once.columns
    assert second.outside == {}
    assert second.missing == report.missing
    for column in COLUMNS[:2]:
        assert set(once.columns[column.name]) <= {"", *column.values}


def test_a_linked_table_may_have_one_row_and_a_key_that_repeats():
    table = Table(name="rows", columns=(Category(name="a"),), key="k")
    rows, report = prepare(RawTable(columns={"k": ["x"], "a": ["1"]}), table, linked=True)
    assert (rows.n, report.rows, report.unused_columns) == (1, 1, ())
    rows, _ = prepare(RawTable(columns={"k": ["x", "x", ""], "a": ["1", "2", "3"]}), table, linked=True)
    assert rows.columns["a"] == ["1", "2", "3"]


def test_a_linked_table_without_rows_is_refused():
    table = Table(name="rows", columns=(Category(name="a"),))
    with pytest.raises(RowsError, match="table rows has no rows; take it out of the plan"):
        prepare(RawTable(columns={"a": []}), table, linked=True)
