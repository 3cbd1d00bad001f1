"""What is written reads back, by us and by others."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.release import formats
from caseveil.release.bundle import BundleContents, render
from caseveil.release.manifest import canonical_json
from caseveil.schema.attribute import Binned, Category, Column, MultiChoice, Ordered, Outside
from caseveil.schema.codebook import table_from_schema, table_schema
from caseveil.schema.table import Table

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@st.composite
def grids(draw: st.DrawFn) -> dict[str, list[str]]:
    names = draw(st.lists(CELLS, min_size=1, max_size=4, unique=True))
    rows = draw(st.integers(0, 5))
    return {name: draw(st.lists(CELLS, min_size=rows, max_size=rows)) for name in names}


@given(grids())
def test_csv_round_trip(columns: dict[str, list[str]]) -> None:
    assert formats.decode_csv(formats.encode_csv(columns)) == columns


@given(st.binary(max_size=60))
def test_decoding_noise_raises_value_error_only(data: bytes) -> None:
    try:
        columns = formats.decode_csv(data)
    except ValueError:
        return
    assert len({len(cells) for cells in columns.values()}) <= 1


@pytest.mark.parametrize("data", [b"", b"a,b\n1\n", b"a,a\n1,2\n", b'a\n"x\n', b"a\n\xff\n", b"a,b\n1,2,3\n"])
def test_bad_csv_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        formats.decode_csv(data)


def test_lone_empty_cell_is_a_row() -> None:
    """Standard readers agree: two rows, the first empty."""
    data = formats.encode_csv({"a": ["", "x"]})
    assert list(csv.reader(io.StringIO(data.decode(), newline=""))) == [["a"], [""], ["x"]]


@given(grids())
def test_parquet_round_trip(columns: dict[str, list[str]]) -> None:
    pytest.importorskip("pyarrow")
    assert formats.decode_parquet(formats.encode_parquet(columns)) == columns


def test_parquet_counts_are_numbers(contents: BundleContents) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(io.BytesIO(render(contents)["counts/cases.parquet"]))
    assert [str(table.schema.field(name).type) for name in formats.COUNTS_COLUMNS] == ["string"] + ["int64"] * 4


def test_bytes_that_are_no_parquet() -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="not Parquet"):
        formats.decode_parquet(b"PAR1 no")


def test_canonical_json() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'.encode()
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


@pytest.mark.parametrize("data", [b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000, b"\xff", b""])
def test_loose_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        formats.parse_json(data)


TABLES: list[Column] = [
    Category(name="a", values=("x",), missing=("", "0"), outside=Outside.MISSING, meaning="yes or blank"),
    Ordered(name="b", values=("low", "high")),
    Binned(name="c", edges=(0.5, 2, 10)),
    Binned(name="d", edges=(datetime.date(2019, 1, 1), datetime.date(2020, 1, 1)), missing=("", "?")),
    Binned(name="e", edges=(0, 18), labels=("minor", "adult")),
    MultiChoice(name="f", values=("p+", "q"), delimiter=" | ", at_most=2),
]


def test_schema_round_trip() -> None:
    table = Table(name="t", columns=tuple(TABLES), key="id")
    through_json = json.loads(canonical_json(table_schema(table)))
    assert table_from_schema("t", through_json).columns == table.columns


def test_schema_needs_known_values() -> None:
    with pytest.raises(ValueError, match="not known"):
        table_schema(Table(name="t", columns=(Category(name="a"),)))


def test_schema_of_others_is_refused() -> None:
    table = Table(name="t", columns=(TABLES[2],))
    for damage in ({"kind": "numbers"}, {"values": ["1"]}, {"missing": "x"}):
        schema = table_schema(table)
        schema["fields"][0]["caseveil"] |= damage
        with pytest.raises((PlanError, ValueError, TypeError)):
            table_from_schema("t", schema)


def test_pattern_of_a_set_column_takes_its_sets_and_no_others() -> None:
    field = table_schema(Table(name="t", columns=(TABLES[5],)))["fields"][0]
    pattern = re.compile(field["constraints"]["pattern"])
    assert pattern.fullmatch("p+ | q")
    assert pattern.fullmatch("q")
    for wrong in ("", "pp", "p+ q", "p+ | ", "r"):
        assert not pattern.fullmatch(wrong)


def test_data_package_describes_what_is_there(contents: BundleContents) -> None:
    files = render(contents)
    package = json.loads(files["datapackage.json"])
    assert [r["path"] for r in package["resources"]] == ["data/cases.csv", "counts/cases.csv"]
    for resource in package["resources"]:
        data = files[resource["path"]]
        assert resource["bytes"] == len(data)
        header = next(csv.reader(io.StringIO(data.decode(), newline="")))
        assert [field["name"] for field in resource["schema"]["fields"]] == header
    assert package["privacy"]["epsilon"] == 1.0
    assert package["licenses"] == [{"name": "CC-BY-4.0"}]
    assert "case_id" not in files["datapackage.json"].decode()
