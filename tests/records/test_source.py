"""Files, workbooks, Parquet, databases and frames: the same table from each, and clear refusals."""

import datetime
import decimal
import io
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from caseveil.errors import SourceError
from caseveil.records import source
from caseveil.records.raw import RawTable, cell_text
from caseveil.records.source import from_frame, read, read_database, read_path, to_frame_like

SECRET = "Zanzibarella"
COLUMNS = {"gender": ["Female", "", "Male"], "age": ["17", "", "40"], "day": ["2015-06-30", "", "2016-01-01"]}
AGES = [17, None, 40]
DAYS = [datetime.date(2015, 6, 30), None, datetime.date(2016, 1, 1)]


def as_lists(raw: RawTable) -> dict[str, list[str]]:
    return {name: list(cells) for name, cells in raw.columns.items()}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (None, ""),
        (float("nan"), ""),
        (np.float64("nan"), ""),
        (decimal.Decimal("NaN"), ""),
        (np.datetime64("NaT"), ""),
        (True, "true"),
        (np.bool_(False), "false"),
        (17, "17"),
        (np.int64(17), "17"),
        (17.0, "17"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
        (decimal.Decimal("17.00"), "17"),
        (decimal.Decimal("1.50"), "1.5"),
        (datetime.date(2015, 6, 30), "2015-06-30"),
        (datetime.datetime(2015, 6, 30), "2015-06-30"),
        (datetime.datetime(2015, 6, 30, 7, 5), "2015-06-30T07:05:00"),
        (np.datetime64("2015-06-30T07:05"), "2015-06-30T07:05:00"),
        (["a", None, "b"], "a;;b"),
        ({"b", "a"}, "a;b"),
        (np.str_("x"), "x"),
    ],
)
def test_cells_as_text(value, text):
    assert cell_text(value) == text
    assert type(cell_text(value)) is str


def test_a_cell_that_is_no_value_is_refused_by_its_type():
    with pytest.raises(SourceError, match="not bytes") as caught:
        cell_text(SECRET.encode())
    assert SECRET not in str(caught.value)
    with pytest.raises(SourceError, match=r"column a: .*not bytes"):
        from_frame({"a": [b"x"]})


# --- workbooks


def workbook(path: Path, *rows, title: str = "cases", more: tuple[str, ...] = ()) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for other in more:
        book.create_sheet(other).append(["z"])
    book.save(path)
    return path


def test_a_workbook_gives_text_as_a_person_sees_it(tmp_path):
    path = workbook(
        tmp_path / "cases.xlsx",
        [None, None],  # a blank row above the names
        ["id", "age", "share", "day", "paid", "note", None],
        [1, 17.0, 0.5, datetime.date(2015, 6, 30), True, "x"],
        [None, None],
        [2, None, None, datetime.datetime(2015, 6, 30, 7, 5), False, None],
        [],
    )
    assert as_lists(read_path(path)) == {
        "id": ["1", "2"],
        "age": ["17", ""],
        "share": ["0.5", ""],
        "day": ["2015-06-30", "2015-06-30T07:05:00"],
        "paid": ["true", "false"],
        "note": ["x", ""],
    }


def test_the_first_sheet_or_the_named_one(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ["x"], [1], more=("victims",))
    assert as_lists(read_path(path)) == {"x": ["1"]}
    assert as_lists(read_path(path, sheet="victims")) == {"z": []}
    with pytest.raises(SourceError, match="did you mean 'victims'"):
        read_path(path, sheet="victim")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["a", "b"], [1, SECRET, SECRET]], "row 2: a cell stands in column 3"),
        ([["a", None, "b"], [1, 2, SECRET]], "column 2 has no name"),
        ([["a", SECRET, SECRET], [1, 2, 3]], "columns 2 and 3 have the same name"),
        ([["a", 5], [1, SECRET]], "the name of column 2 must be text, not int"),
        ([], "the sheet is empty"),
    ],
)
def test_a_bad_sheet_is_refused(tmp_path, rows, says):
    path = workbook(tmp_path / "a.xlsx", *rows)
    with pytest.raises(SourceError, match=says) as caught:
        read_path(path)
    assert SECRET not in str(caught.value)


def test_a_zip_that_is_no_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04" + SECRET.encode())
    with pytest.raises(SourceError, match="not a readable Excel workbook"):
        read_path(path)


def test_a_workbook_is_known_by_its_content_not_its_name(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ["x"], [1]).rename(tmp_path / "a.csv")
    assert as_lists(read_path(path)) == {"x": ["1"]}


# --- Parquet


def test_parquet_columns_of_every_kind(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "cases.parquet"
    table = pa.table(
        {
            "gender": pa.array(COLUMNS["gender"]).dictionary_encode(),
            "age": pa.array([17, None, 40], pa.int16()),
            "height": pa.array([1.0, None, 1.5]),
            "day": pa.array(DAYS),
            "ok": pa.array([True, None, False]),
            "sets": pa.array([["a", "b"], None, []]),
            "nothing": pa.nulls(3),
            "money": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2.00")]),
        }
    )
    parquet.write_table(table, path, row_group_size=1)
    assert as_lists(read_path(path)) == {
        "gender": ["Female", "", "Male"],
        "age": ["17", "", "40"],
        "height": ["1", "", "1.5"],
        "day": COLUMNS["day"],
        "ok": ["true", "", "false"],
        "sets": ["a;b", "", ""],
        "nothing": ["", "", ""],
        "money": ["1.5", "", "2"],
    }


def test_an_empty_and_a_broken_parquet_file(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": pa.array([], pa.string())}), path)
    assert as_lists(read_path(path)) == {"a": []}
    path.write_bytes(b"PAR1" + SECRET.encode())
    with pytest.raises(SourceError, match="not a readable Parquet file"):
        read_path(path)


# --- databases


@pytest.fixture
def sqlite_file(tmp_path):
    path = tmp_path / "cases.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table cases (gender text, age integer, share real)")
        connection.executemany("insert into cases values (?, ?, ?)", [("Female", 17, 0.5), (None, None, 2.0)])
    connection.close()
    return path


QUERY = "select gender, age, share from cases where gender is null or gender like '%e%'"
EXPECTED = {"gender": ["Female", ""], "age": ["17", ""], "share": ["0.5", "2"]}


def test_a_query_to_sqlite_by_url_by_plan_and_by_path(sqlite_file):
    pytest.importorskip("sqlalchemy")
    assert as_lists(read_database(f"sqlite:///{sqlite_file}", QUERY)) == EXPECTED
    assert as_lists(read("sqlite:///cases.db", folder=sqlite_file.parent, query=QUERY)) == EXPECTED
    assert as_lists(read_path(sqlite_file, query=QUERY)) == EXPECTED


def test_a_query_to_duckdb(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "cases.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table cases as select 'Female' as gender, 17 as age, 0.5::double as share")
        connection.execute("insert into cases values (null, null, 2.0)")
    assert as_lists(read("duckdb:///cases.duckdb", folder=tmp_path, query=QUERY)) == EXPECTED
    assert as_lists(read_path(path, query=QUERY)) == EXPECTED
    with pytest.raises(SourceError, match=r"failed \(.*Exception\)"):
        read_path(path, query="delete from cases")  # opened for reading only
    with pytest.raises(SourceError, match="columns 1 and 2 have the same name"):
        read_path(path, query="select gender as g, gender as g from cases")


@pytest.mark.parametrize(
    ("url", "query", "says"),
    [
        ("sqlite:///cases.db", " ", "must be a SELECT"),
        ("sqlite:///cases.db", f"select {SECRET} from cases", "failed"),
        ("sqlite:///cases.db", "select gender, gender from cases", "same name"),
        ("sqlite:///cases.db", "delete from cases", "failed"),
        ("sqlite:///missing.db", "select 1", "missing.db was not found"),
        ("duckdb:///missing.db", "select 1", "missing.db was not found"),
        ("duckdb:///", f"select {SECRET}", "failed"),
        ("duckdb:///", f"select cast('{SECRET}' as integer) as x", "failed"),
        (f"nosuch://user:{SECRET}@host/db", "select 1", "not known|not installed"),
        (f"postgresql://user:{SECRET}@127.0.0.1:1/db", "select 1", "needs the package|no connection"),
        (f"mysql://user:{SECRET}@127.0.0.1:1/db", "select 1", "needs the package|no connection"),
        (f"sqlite://{SECRET}:port/x", "select 1", "cannot be read"),
        (f"just {SECRET}", "select 1", "must be a URL"),
    ],
)
def test_a_database_that_cannot_be_read(sqlite_file, url, query, says):
    pytest.importorskip("sqlalchemy")
    with pytest.raises(SourceError, match=says) as caught:
        read_database(url, query, folder=sqlite_file.parent)
    assert SECRET not in str(caught.value)
    assert not (sqlite_file.parent / "missing.db").exists()
    with sqlite3.connect(sqlite_file) as connection:
        assert connection.execute("select count(*) from cases").fetchone() == (2,)
    connection.close()


# --- paths


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "victims.csv").write_text("a\n1\n")
    with pytest.raises(SourceError, match=r"was not found; did you mean victims\.csv"):
        read_path(tmp_path / "victim.csv")
    with pytest.raises(SourceError, match=r"the folder .* cannot be opened"):
        read_path(tmp_path / "nowhere" / "victim.csv")


@pytest.mark.parametrize(
    ("data", "query", "says"),
    [
        (b"", None, "is empty"),
        (b"a\n1\n", "select 1", "query belongs to a database"),
        (b"SQLite format 3\0" + bytes(100), None, "is a database; add query"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", None, "save it as .xlsx without one"),
        (b"%PDF-1.7", None, "is not a table"),
    ],
)
def test_a_file_of_the_wrong_kind(tmp_path, data, query, says):
    path = tmp_path / "cases.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=says):
        read_path(path, query=query)


def test_a_folder_a_forbidden_file_and_an_impossible_name(tmp_path):
    with pytest.raises(SourceError, match="is a folder"):
        read_path(tmp_path)
    with pytest.raises(SourceError, match="cannot be read"):
        read_path(tmp_path / "a\0b")
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    if not os.access(path, os.R_OK):
        with pytest.raises(SourceError, match="may not be read"):
            read_path(path)


@pytest.mark.parametrize("change", ["write", "remove"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, change):
    path = tmp_path / "cases.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    inner = source.read_delimited

    def slow(data, what):
        if change == "write":
            with path.open("a") as file:
                file.write("5,6\n")
        else:
            path.unlink()
        return inner(data, what)

    assert read_path(path).n == 2
    monkeypatch.setattr(source, "read_delimited", slow)
    with pytest.raises(SourceError, match="changed while it was read"):
        read_path(path)


# --- frames


def test_pandas_there_and_back():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "gender": pd.Categorical(["Female", None, "Male"]),
            "age": [17.0, np.nan, 40.0],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "text": pd.array(["a", None, "b"], dtype="string"),
            "day": pd.to_datetime(["2015-06-30", None, "2016-01-01"]),
            "mixed": [1, "x", None],
            "objects": pd.Series([True, pd.NA, np.nan], dtype=object),
        }
    )
    raw = from_frame(frame)
    assert as_lists(raw) == {
        "gender": ["Female", "", "Male"],
        "age": ["17", "", "40"],
        "nullable": ["1", "", "3"],
        "text": ["a", "", "b"],
        "day": COLUMNS["day"],
        "mixed": ["1", "x", ""],
        "objects": ["true", "", ""],
    }
    back = to_frame_like(frame, raw.columns)
    assert type(back) is pd.DataFrame
    assert as_lists(from_frame(back)) == as_lists(raw)
    doubled = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(SourceError, match="columns 1 and 2 have the same name"):
        from_frame(doubled)
    with pytest.raises(SourceError, match="the name of column 1 must be text, not int"):
        from_frame(pd.DataFrame({3: [1]}))


def test_polars_and_pyarrow_there_and_back():
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"gender": ["Female", None, "Male"], "age": AGES, "day": DAYS})
    for frame in (table, pl.from_arrow(table)):
        raw = from_frame(frame)
        assert as_lists(raw) == COLUMNS
        back = to_frame_like(frame, raw.columns)
        assert type(back) is type(frame)
        assert as_lists(from_frame(back)) == COLUMNS
        counts = to_frame_like(frame, {"c": ["x"], "n": np.array([3]), "share": np.array([0.5])})
        assert as_lists(from_frame(counts)) == {"c": ["x"], "n": ["3"], "share": ["0.5"]}
        empty = to_frame_like(frame, {"c": [], "n": np.array([], dtype=np.int64)})
        assert as_lists(from_frame(empty)) == {"c": [], "n": []}
    with pytest.raises(SourceError, match="lazy frame must be collected"):
        from_frame(pl.from_arrow(table).lazy())


def test_dicts_there_and_back():
    raw = from_frame({"gender": ("Female", None, "Male"), "age": np.array([17.0, np.nan, 40.0])})
    assert as_lists(raw) == {"gender": ["Female", "", "Male"], "age": ["17", "", "40"]}
    assert to_frame_like({}, {"a": ["x"], "n": np.array([3])}) == {"a": ["x"], "n": [3]}


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ({"a": [1], "b": [1, 2]}, "equally long"),
        ({" ": [1]}, "column 1 has no name"),
        ({}, "no columns"),
        ([[1, 2]], "must be a pandas, polars or pyarrow table"),
        (io.StringIO("a\n1"), "must be a pandas, polars or pyarrow table"),
    ],
)
def test_what_is_no_table(frame, says):
    with pytest.raises(SourceError, match=says):
        from_frame(frame)


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    import sys

    path = workbook(tmp_path / "a.xlsx", ["x"], [1])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SourceError, match="needs the package openpyxl"):
        read_path(path)


def test_nothing_of_the_rows_in_the_repr():
    assert repr(RawTable(columns={"gender": [SECRET]})) == "RawTable(columns=['gender'])"
