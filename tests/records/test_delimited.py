# ruff: noqa: RUF001  (letters of other scripts are the point here)
"""Delimited text: what is read comes back as it was written, and what is broken is refused without being quoted."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import SourceError
from caseveil.records.delimited import read_delimited
from caseveil.records.source import read_path
from caseveil.records.textcode import text_encoding

SECRET = "Zanzibarella"

cell = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=12)
name = st.text(st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=0x24F), min_size=1, max_size=8)


@st.composite
def tables(draw):
    names = draw(st.lists(name, min_size=2, max_size=5, unique=True))
    rows = draw(st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), max_size=6))
    return names, rows


def written(names, rows, delimiter, terminator="\r\n"):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=terminator)
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


@given(
    tables(),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_written_table_is_read_back(table, delimiter, encoding, terminator):
    names, rows = table
    raw = read_delimited(written(names, rows, delimiter, terminator).encode(encoding), "t.csv")
    # Names are letters and digits, so one delimiter only splits the header, whatever the cells hold.
    assert list(raw.columns) == names
    assert [list(cells) for cells in raw.columns.values()] == [list(c) for c in zip(*rows, strict=True)] or not rows
    assert raw.n == len(rows)
    assert raw.note == ""


def test_more_rows_than_one_batch_keep_their_order():
    rows = [[str(i), f"v{i % 7}"] for i in range(20_000)]
    raw = read_delimited(written(["a", "b"], rows, ",").encode(), "t.csv")
    assert raw.columns["a"] == [row[0] for row in rows]
    assert raw.columns["b"][7:14] == raw.columns["b"][:7]
    assert raw.columns["b"][0] is raw.columns["b"][7]  # equal cells are stored once


def test_sets_joined_by_semicolons_do_not_pass_for_the_delimiter():
    raw = read_delimited(b"year,control\n2015,a;b\n2016,c;d\n2017,e;f\n", "t.csv")
    assert raw.columns == {"year": ["2015", "2016", "2017"], "control": ["a;b", "c;d", "e;f"]}


def test_a_quoted_line_break_and_a_doubled_quote_are_kept():
    raw = read_delimited(b'a,b\n"x\ny","say ""no"""\n', "t.csv")
    assert raw.columns == {"a": ["x\ny"], "b": ['say "no"']}


def test_a_separator_line_of_a_spreadsheet_is_obeyed():
    assert read_delimited(b"sep=|\na,x|b\n1|2\n", "t.csv").columns == {"a,x": ["1"], "b": ["2"]}


def test_one_column_and_no_rows_are_tables():
    assert read_delimited(b"a\nx\n\ny\n", "t.csv").columns == {"a": ["x", "y"]}
    assert read_delimited(b"a,b\n", "t.csv").n == 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (f"a,b\n1,2\n3,{SECRET},4\n".encode(), "line 3: 3 fields where the header has 2"),
        (f'a,b\n"x\ny",2\n{SECRET}\n'.encode(), "line 4: 1 fields where the header has 2"),
        (f"sep=,\na,b\n{SECRET}\n".encode(), "line 3: 1 fields"),
        (f"a,{SECRET},{SECRET}\n1,2,3\n".encode(), "columns 2 and 3 have the same name"),
        (f"{SECRET},,b\n1,2,3\n".encode(), "column 2 has no name"),
        (f"\n,,\n{SECRET},{SECRET},3\n".encode(), "column 1 has no name"),
        (f'sep="\na,b\n{SECRET},1\n'.encode(), "line 2: 2 fields where the header has 1"),
        (f"a:b\n{SECRET}:2\n".encode(), "splits at ':'"),
        (f'a,b\n1,"{SECRET}\n'.encode(), "a closing quote is missing"),
        (f'a,b\n1,"{SECRET}"x\n'.encode(), "must be doubled"),
        (f"a,b\n1,{SECRET * 20000}\n".encode(), "longer than 131,072"),
        (f"a,b\n1,{SECRET}\0\n".encode(), "byte 18 is a NUL"),
        (f"a,b\n1,{SECRET}\0\n".encode("utf-16"), "character 18 is a NUL"),
        (f"a,b\n1,{SECRET}\n".encode("utf-16-le"), "byte 1 is a NUL"),
        (b"\xef\xbb\xbfa,b\n" + SECRET.encode() + b"\xe9,2\n", "byte 19 is not UTF-8"),
        (b"\xff\xfea\0,\0b\0\n\0" + SECRET.encode() + b"!", "is not UTF-16"),
        ("a,b\né,ß\n".encode() + SECRET.encode() + b"\xe9,2\n", "two encodings in one file"),
        ("a,b\né,ß\n".encode("cp1252") * 9 + f"{SECRET}é,2\n".encode(), "two encodings in one file"),
    ],
)
def test_a_broken_file_is_refused_without_quoting_it(data, says):
    with pytest.raises(SourceError) as caught:
        read_delimited(data, "cases.csv")
    assert says in str(caught.value)
    assert str(caught.value).startswith("cases.csv")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name\nEspaña\nPerú\nMéxico\nFemale\n", "cp1252"),
        ("name\nSão Tomé\nCôte d’Ivoire\n", "cp1252"),
        ("name\nÖsterreich\nMänner\n", "cp1252"),
        ("pays\né\n", "cp1252"),
        ("країна\nУкраїна\nКиїв\nМолдова\n", "cp1251"),
        ("kraj\nWłochy\nźródło\nmężczyzna\nkobieta\n", "cp1250"),
    ],
)
def test_an_older_code_page_is_recognised_and_said(text, encoding):
    found, note = text_encoding(text.encode(encoding), "t.csv")
    assert text.encode(encoding).decode(found) == text
    assert found in note
    assert "guess" in note


def test_without_charset_normalizer_windows_1252_is_taken(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    encoding, note = text_encoding("kraj\nWłochy\n".encode("cp1250"), "t.csv")
    assert encoding == "cp1252"
    assert "cp1252" in note
    with pytest.raises(SourceError, match="fits neither UTF-8 nor cp1252"):
        text_encoding(b"a\n\x81\x8d\n", "t.csv")


def test_the_delimiter_is_found_beyond_the_sample(tmp_path):
    # More text than the sample holds, cut inside a quoted cell.
    path = tmp_path / "long.csv"
    path.write_text("a;b\n" + 'x;"p\nq, r"\n' * 40_000, encoding="utf-8")
    raw = read_path(path)
    assert raw.n == 40_000
    assert set(raw.columns["b"]) == {"p\nq, r"}


def test_a_line_that_the_sample_cuts_off_does_not_count():
    # Both delimiters split every line alike; the sample ends between the comma and the first semicolon.
    header, row = "x,1;y;z\n", "pp,qqqqqqqq;r;s\n"
    assert (256_001 - len(header)) % len(row) == 9
    assert list(read_delimited((header + row * 20_000).encode(), "t.csv").columns) == ["x,1", "y", "z"]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_source_error(data):
    try:
        raw = read_delimited(data, "x.csv")
    except SourceError:
        return
    assert all(isinstance(text, str) for cells in raw.columns.values() for text in cells)
