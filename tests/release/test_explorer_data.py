"""The data of the page say what the files of the bundle say; each part that differs is found and named."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import datetime
import itertools
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.release import explorer_data, prose
from caseveil.release.bundle import BundleContents
from caseveil.release.contents import TableContents
from caseveil.release.explorer_data import differences, is_time, pack, payload, stories_in, unpack
from caseveil.release.spread import link_spreads
from caseveil.release.story import Story
from caseveil.schema.attribute import Binned, Category, Column, MultiChoice, Ordered
from caseveil.schema.table import Table
from caseveil.synthesis.counts import PublishedCounts


def unpacked(data: dict[str, Any], table: dict[str, Any]) -> dict[str, list[str]]:
    """The records of a table read as a page reads them, byte by byte: column -> cells, items joined by '|'."""
    raw = zlib.decompress(base64.b64decode(table["records"]), -15)
    rows, at, out = table["rows"], 0, {}
    for column in table["columns"]:
        values = column["values"]
        if column["set"]:
            size = (rows + 7) // 8
            planes = [raw[at + i * size : at + (i + 1) * size] for i in range(len(values))]
            at += size * len(values)
            out[column["name"]] = [
                "|".join(value for value, plane in zip(values, planes, strict=True) if plane[i // 8] >> (i % 8) & 1)
                for i in range(rows)
            ]
        else:
            form = "B" if len(values) <= 255 else "H" if len(values) <= 65_535 else "I"
            size = struct.calcsize(f"<{form}") * rows
            codes = struct.unpack(f"<{rows}{form}", raw[at : at + size])
            at += size
            out[column["name"]] = ["" if code == 0 else values[code - 1] for code in codes]
    assert at == len(raw)
    return out


def as_page(contents: BundleContents) -> Any:
    """The data as they come out of a page."""
    return json.loads(json.dumps(payload(contents)))


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 300])
def test_records_come_back_in_the_order_of_their_file(make: Callable[..., BundleContents], rows: int) -> None:
    contents = make(rows=rows)
    data = as_page(contents)
    part = contents.tables["cases"]
    found = unpacked(data, data["tables"][0])
    for column in part.table.columns:
        cells = part.records[column.name]
        if isinstance(column, MultiChoice):
            cells = [cell.replace(column.delimiter, "|") for cell in cells]
        assert found[column.name] == list(cells)


@pytest.mark.parametrize(("values", "width"), [(255, 1), (256, 2), (65_535, 2), (65_536, 4)])
def test_a_column_takes_as_few_bytes_as_its_values_need(
    contents: BundleContents, values: int, width: int
) -> None:
    column = Category(name="place", values=tuple(f"p{i}" for i in range(values)))
    table = Table(name="cases", columns=(column,))
    records = {"place": ["", "p0", f"p{values - 1}", "p200"]}
    none = PublishedCounts(combination=[], **{k: np.zeros(0, np.int64) for k in ("length", "count", "lower", "upper")})
    part = TableContents(table=table, records=records, counts=none)
    data = as_page(dataclasses.replace(contents, tables={"cases": part}))
    assert len(unpack(data["tables"][0]["records"])) == 4 * width
    assert unpacked(data, data["tables"][0]) == records
    assert data["tables"][0]["spread"] == {"size": [], "half": []}


def test_counts_stand_with_the_numbers_of_their_values(contents: BundleContents) -> None:
    data = as_page(contents)["tables"][0]
    labels = [(column["name"], value) for column in data["columns"] for value in column["values"]]
    counts = contents.tables["cases"].counts
    delimiters = {c.name: c.delimiter for c in contents.tables["cases"].table.columns if isinstance(c, MultiChoice)}
    for i, text in enumerate(counts.combination):
        named = {
            (name, item)
            for name, cell in json.loads(text).items()
            for item in (cell.split(delimiters[name]) if name in delimiters else [cell])
        }
        assert {labels[one] for one in data["combinations"][i]} == named
    for name in ("count", "lower", "upper"):
        assert data[name] == getattr(counts, name).tolist()


def test_statement_quality_and_stories_are_all_there(contents: BundleContents) -> None:
    story = Story(title="A", text="B\nC", view="t=cases&s=gender:Female")
    data = as_page(dataclasses.replace(contents, stories=(story,)))
    statement = contents.statement
    assert data["format"] == 2
    assert data["statement"]["document"] == json.loads(json.dumps(statement.to_json()))
    assert data["statement"]["sentence"] == str(statement)
    written = [line.strip() for line in prose.markdown(statement, contents.about).split("\n")]
    for title, name in (("How strong the protection is", "strength"), ("What is not protected", "limits")):
        start = written.index(f"## {title}") + 1
        stop = next(i for i in range(start, len(written)) if written[i].startswith("## "))
        told = [line.removeprefix("- ") for line in written[start:stop] if line]
        assert data["statement"][name] == told
    assert any(line.startswith("**Not published is not zero.**") for line in data["statement"]["reading"])
    assert (data["statement"]["level"], data["statement"]["length"]) == (0.95, 3)
    assert data["quality"] == contents.fidelity
    assert data["stories"] == [{"title": "A", "text": "B\nC", "view": "t=cases&s=gender:Female"}]
    assert stories_in(data) == (story,)
    assert "links" not in data
    assert "of" not in data["tables"][0]


def test_links_name_the_record_that_they_belong_to(linked: BundleContents) -> None:
    data = as_page(linked)
    victims, perpetrators = linked.tables.values()
    assert victims.key is not None
    assert perpetrators.key is not None
    assert linked.links is not None
    raw = unpack(data["tables"][1]["of"])
    of = struct.unpack(f"<{perpetrators.rows}I", raw)
    assert [victims.key.cells[i] for i in of] == list(perpetrators.key.cells)
    assert "of" not in data["tables"][0]
    counts = linked.links.counts
    bands = link_spreads(counts, victims.rows, np.array(of, dtype=np.int64))
    assert data["links"] == {
        "of": list(counts.of), "combination": list(counts.combination), "count": counts.count.tolist(),
        "lower": counts.lower.tolist(), "upper": counts.upper.tolist(),
        "table": "perpetrators", "to": "victims", "key": "victim_id", "most": 3,
        "spread": {of: {"size": list(band.size), "half": list(band.half)} for of, band in bands.items()},
    }  # fmt: skip


DATES = (datetime.date(2020, 1, 1), datetime.date(2021, 1, 1), datetime.date(2022, 1, 1))
TIMES: list[tuple[Column, bool]] = [
    (Ordered(name="x", values=("2015", "2016")), True),
    (Ordered(name="x", values=("2015-01", "2015-12")), True),
    (Ordered(name="x", values=("2015-01-31", "2015-02")), True),
    (Ordered(name="x", values=("2015--2019", "2020+")), True),
    (Ordered(name="x", values=("2015", "later")), False),
    (Ordered(name="x", values=("2015-13",)), False),
    (Ordered(name="x", values=("low", "high")), False),
    (Category(name="x", values=("2015", "2016")), False),
    (Binned(name="x", edges=DATES), True),
    (Binned(name="x", edges=DATES, labels=("before", "then", "now")), True),
    (Binned(name="x", edges=(2000.0, 2005.0, 2010.0)), True),
    (Binned(name="x", edges=(0.0, 18.0, 48.0)), False),
    (Binned(name="x", edges=(1000.0, 2000.0)), False),
    (MultiChoice(name="x", values=("2015", "2016")), False),
]  # fmt: skip


@pytest.mark.parametrize(("column", "time"), TIMES)
def test_only_years_months_and_days_in_order_are_time(column: Column, time: bool) -> None:
    assert is_time(column) is time


@given(st.binary(max_size=3000))
def test_packing_has_an_inverse(raw: bytes) -> None:
    assert unpack(pack(raw)) == raw
    assert unpack(pack(raw), at_most=len(raw)) == raw
    assert zlib.decompress(base64.b64decode(pack(raw)), -15) == raw


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: base64.b64encode(b).decode()), st.none()))
def test_what_is_not_packed_is_refused(text: object) -> None:
    with contextlib.suppress(ValueError):
        raw = unpack(text)
        assert isinstance(text, str)
        assert zlib.decompress(base64.b64decode(text), -15) == raw


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack(pack(bytes(10_000_000)), at_most=1000)
    with pytest.raises(ValueError, match="packed"):
        unpack(base64.b64encode(base64.b64decode(pack(b"abc")) + b"more").decode())


def test_bytes_packed_otherwise_are_no_difference(linked: BundleContents) -> None:
    data, expected = as_page(linked), payload(linked)
    for table in data["tables"]:
        for name in {"records", "of"} & set(table):
            packer = zlib.compressobj(1, zlib.DEFLATED, -15)
            other = base64.b64encode(packer.compress(unpack(table[name])) + packer.flush()).decode()
            assert other != table[name]
            table[name] = other
    assert differences(data, expected) == []


def flip(text: str) -> str:
    raw = bytearray(unpack(text))
    raw[-1] ^= 1
    return pack(bytes(raw))


LIES: dict[str, tuple[Callable[[Any], object], str]] = {
    "record": (lambda d: d["tables"][0].update(records=flip(d["tables"][0]["records"])), "records of victims"),
    "cut records": (
        lambda d: d["tables"][1].update(records=pack(unpack(d["tables"][1]["records"])[:-1])), "records of perpetrators"
    ),
    "records that are none": (lambda d: d["tables"][1].update(records=7), "records of perpetrators"),
    "owner": (lambda d: d["tables"][1].update(of=flip(d["tables"][1]["of"])), "of of perpetrators"),
    "count": (lambda d: d["tables"][0]["count"].__setitem__(3, d["tables"][0]["count"][3] + 1), "count of victims"),
    "0 for false": (lambda d: d["tables"][0]["columns"][0].update(set=0), "columns of victims"),
    "combination": (lambda d: d["tables"][0]["combinations"].reverse(), "combinations of victims"),
    "label": (lambda d: d["tables"][0]["columns"][0]["values"].reverse(), "columns of victims"),
    "narrower band": (lambda d: d["tables"][0]["spread"]["half"].__setitem__(-1, 0), "spread of victims"),
    "lost part": (lambda d: d["tables"][0].pop("spread"), "everything of victims"),
    "more in a table": (lambda d: d["tables"][0].update(more=1), "everything of victims"),
    "lost table": (lambda d: d["tables"].pop(), "tables"),
    "tables that are none": (lambda d: d.update(tables=None), "tables"),
    "link count": (lambda d: d["links"]["upper"].__setitem__(0, 0), "links"),
    "no links": (lambda d: d.pop("links"), "links"),
    "epsilon": (lambda d: d["statement"]["document"].update(epsilon=0.1), "statement"),
    "sentence": (lambda d: d["statement"].update(sentence="All is well."), "statement"),
    "quality": (lambda d: d["quality"]["links"].update(concordance=0.9), "quality"),
    "publisher": (lambda d: d.update(publisher="Somebody else"), "publisher"),
    "another form": (lambda d: d.update(format=1), "format"),
    "more": (lambda d: d.update(script="alert(1)"), "parts that are not known"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_every_difference_is_found_and_named(linked: BundleContents, lie: str) -> None:
    change, name = LIES[lie]
    expected = payload(linked)
    data = as_page(linked)
    assert differences(data, expected) == []
    change(data)
    assert differences(data, expected) == [name]


@pytest.mark.parametrize("there", [None, [], "x", 1])
def test_data_of_another_kind_differ_in_all(linked: BundleContents, there: object) -> None:
    assert differences(there, payload(linked)) == ["all of it"]


def test_a_cell_that_is_not_declared_is_an_error(contents: BundleContents) -> None:
    part = contents.tables["cases"]
    for name in part.records:
        records = {**part.records, name: ["Zarathustra", *part.records[name][1:]]}
        damaged = dataclasses.replace(contents, tables={"cases": dataclasses.replace(part, records=records)})
        with pytest.raises(KeyError) as caught:
            payload(damaged)
        assert name == "age" or caught.value  # the error itself is never shown: verify names its kind alone


@pytest.mark.parametrize(
    "stories",
    [
        None, 5, [5], [{}], [{"title": "A", "text": "B"}], [{"title": "A", "text": "B", "view": 1}],
        [{"title": "A", "text": "B", "view": "", "more": ""}], [{"title": "<b>A</b>", "text": "B", "view": ""}],
        [{"title": "A", "text": "B", "view": ""}] * 21,
    ],
)  # fmt: skip
def test_stories_that_are_none_are_refused(contents: BundleContents, stories: object) -> None:
    data = copy.deepcopy(as_page(contents))
    data["stories"] = stories
    with pytest.raises(ValueError, match="no stories"):
        stories_in(data)
    for nothing in (None, {}, []):
        with pytest.raises(ValueError, match="no stories"):
            stories_in(nothing)


def test_sets_of_all_sizes_have_planes_of_whole_bytes(make: Callable[..., BundleContents]) -> None:
    for rows, name in itertools.product((1, 9), ("means of control",)):
        part = make(rows=rows).tables["cases"]
        column = next(c for c in part.table.columns if c.name == name)
        assert len(explorer_data._cells(column, part.records[name])) == 3 * ((rows + 7) // 8)
