"""Invented case records in which one person, and one perpetrator of hers, are told by secrets, and the search for them.

Every place that a cell can have holds its own secret. The texts share a stem that occurs nowhere else; the numbers and
the date are long enough never to come about by chance.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

STEM = "ZQXJ7WVK"
NUMBERS = ("918273645", "736451928")
DATE = "1893-07-19"
SPELLINGS = (
    STEM, *NUMBERS, "918,273,645", "736,451,928", "9.18273645e", "7.36451928e", DATE, "19.07.1893", "07/19/1893"
)  # fmt: skip

KEY = f"V-{STEM}KEY"
SECRETS = {
    "victim_id": KEY,
    "sector": f"{STEM}SECTOR",  # of a column whose values are discovered
    "means": f"Debt;{STEM}ITEM",
    "education": f"{STEM}EDUCATION",  # outside the declared values
    "age": NUMBERS[0],
    "registered": DATE,
    "remarks": f"{STEM}REMARK",  # of a column that the plan does not name
    "debt": f"{NUMBERS[1]}.25",
}
LINK_SECRETS = {
    "victim_id": KEY,
    "perpetrator_id": f"P-{STEM}PERPETRATOR",
    "role": f"Recruiter;{STEM}ROLE",
    "nationality": f"{STEM}NATION",
    "remarks": f"{STEM}LINKREMARK",
}
SECRET_CELLS = tuple(dict.fromkeys([*SECRETS.values(), *LINK_SECRETS.values(), f"{STEM}ITEM", f"{STEM}ROLE"]))

PEOPLE = 240

_HEAD = """
[release]
name = "cases"
version = "1"
[privacy]
unit = "victim"
epsilon = 4.0
delta = 4e-9
ledger = "ledger.caseveil"
[aggregates]
length = 2
"""
_VICTIMS = """
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
[tables.victims.columns.means]
kind = "multi"
at_most = 2
[tables.victims.columns.education]
kind = "ordered"
values = ["None", "Primary", "Secondary"]
outside = "missing"
[tables.victims.columns.age]
kind = "binned"
bins = [0, 18, 30, 50]
outside = "missing"
[tables.victims.columns.registered]
kind = "binned"
bins = [2019-01-01, 2021-01-01, 2023-01-01]
outside = "missing"
"""
_PERPETRATORS = """
[tables.perpetrators]
source = "perpetrators.csv"
key = "perpetrator_id"
links = { to = "victims", key = "victim_id", at_most = 3 }
[tables.perpetrators.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.perpetrators.columns.role]
kind = "multi"
at_most = 1
[tables.perpetrators.columns.nationality]
kind = "category"
"""
ONE_TABLE = _HEAD + _VICTIMS
LINKED = _HEAD + _VICTIMS + _PERPETRATORS
SMALL = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 4.0
ledger = "ledger.caseveil"
[aggregates]
length = 2
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
"""
SMALL_LINKED = (
    SMALL
    + """
[tables.perpetrators]
source = "perpetrators.csv"
key = "perpetrator_id"
links = { to = "victims", key = "victim_id", at_most = 2 }
[tables.perpetrators.columns.gender]
kind = "category"
values = ["Female", "Male"]
"""
)
"""Plans of a table of people, and of that table and one of perpetrators.

delta is small: of the values that only one person has, any is discovered with a chance below a quarter of it. The
small ones release little, for what is done very often.
"""

Columns = dict[str, list[str]]


def of_series(plan: str, version: str, update: str) -> str:
    """The plan as one of a series of releases, by the date of registration."""
    section = f'[update]\njoined = "registered"\n{update}\n[aggregates]'
    return plan.replace('version = "1"', f'version = "{version}"').replace("[aggregates]", section)


def victims(n: int = PEOPLE) -> Columns:
    """Cells by column; the secrets are those of the eighth person."""
    columns: Columns = {
        "victim_id": [f"V{i:05d}" for i in range(n)],
        "gender": ["Female" if i % 3 else "Male" for i in range(n)],
        "sector": ["Care" if i % 2 else "Mining" for i in range(n)],
        "means": [("Debt", "Threats", "Debt;Threats", "")[i % 4] for i in range(n)],
        "education": [("None", "Primary", "Secondary")[i % 3] for i in range(n)],
        "age": [str(16 + i % 40) for i in range(n)],
        "registered": [f"{2019 + i % 5}-03-11" for i in range(n)],
        "remarks": [f"x{i}" for i in range(n)],
        "debt": [str(100 + i) for i in range(n)],
    }
    for name, cell in SECRETS.items():
        columns[name][7] = cell
    columns["age"][8] = f"{STEM}AGE"  # not even a number
    return columns


def perpetrators(n: int = PEOPLE) -> Columns:
    """Cells by column, one and a half links for each of n people; the secrets are those of the eighth link."""
    links = n + n // 2
    columns: Columns = {
        "perpetrator_id": [f"P{i:05d}" for i in range(links)],
        "victim_id": [f"V{i % n:05d}" for i in range(links)],
        "gender": ["Male" if i % 4 else "Female" for i in range(links)],
        "role": [("Recruiter", "Controller", "")[i % 3] for i in range(links)],
        "nationality": ["Ruritania" if i % 2 else "Graustark" for i in range(links)],
        "remarks": [f"y{i}" for i in range(links)],
    }
    for at, victim in enumerate(columns["victim_id"]):
        if victim == "V00007":
            columns["victim_id"][at] = KEY
    for name, cell in LINK_SECRETS.items():
        columns[name][7] = cell
    return columns


def as_csv(columns: Mapping[str, Sequence[str]], delimiter: str = ",") -> bytes:
    """The columns as delimited text."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return stream.getvalue().encode()


def as_parquet(columns: Mapping[str, Sequence[str]]) -> bytes:
    """The columns as Parquet; a secret lies in the metadata, where other programs leave things too."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: list(cells) for name, cells in columns.items()})
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps({"index": f"{STEM}META"})}), sink)
    return sink.getvalue()


def as_workbook(columns: Mapping[str, Sequence[str]]) -> bytes:
    """The columns as a workbook; secrets lie in a comment, in its properties and in the cell of a further sheet."""
    import openpyxl
    from openpyxl.comments import Comment

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "cases"
    sheet.append(list(columns))
    for row in zip(*columns.values(), strict=True):
        sheet.append([cell or None for cell in row])
    sheet["A3"].comment = Comment(f"{STEM}COMMENT", f"{STEM}AUTHOR")
    book.properties.title = f"{STEM}TITLE"
    hidden = book.create_sheet("notes")
    hidden.sheet_state = "hidden"
    hidden["B2"] = f"{STEM}SHEET"
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def as_sqlite(path: Path, **tables: Mapping[str, Sequence[str]]) -> None:
    """The columns as tables of a SQLite file."""
    import sqlite3

    with sqlite3.connect(path) as connection:
        for name, columns in tables.items():
            connection.execute(f"create table {name} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"insert into {name} values ({marks})", zip(*columns.values(), strict=True))
    connection.close()


def _needles() -> tuple[bytes, ...]:
    """What is searched for: every spelling in several encodings, and hashes of whole cells."""
    found: set[bytes] = set()
    for text in SPELLINGS:
        found |= {text.encode(codec).lower() for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le")}
        found |= {text.encode().hex().encode(), text[::-1].encode().lower()}
        if text != STEM:
            continue
        # In base64 a text has one of three forms, by where it starts; its ends mix with what stands beside it.
        for start in range(3):
            coded = base64.b64encode(b"\0" * start + text.encode())
            found.add(coded[-(-start * 8 // 6) : (start + len(text)) * 8 // 6].lower())
    for cell in SECRET_CELLS:
        found |= {
            hashlib.new(name, cell.encode()).hexdigest().encode() for name in ("md5", "sha1", "sha256", "sha512")
        }
    return tuple(sorted(found))


NEEDLES = _needles()


def secrets_in(data: bytes) -> list[str]:
    """Traces of the secrets in some bytes."""
    lowered = data.lower()
    return [repr(needle) for needle in NEEDLES if needle in lowered]


def _layers(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes, and what they hold once unpacked."""
    yield name, data
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inner in archive.namelist():
                yield f"the name of {inner} in {name}", inner.encode()
                yield from _layers(f"{inner} in {name}", archive.read(inner))
    if data.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        file = pq.ParquetFile(io.BytesIO(data))
        yield f"{name} (cells)", json.dumps(file.read().to_pydict(), default=str).encode()
        yield f"{name} (metadata)", repr((file.metadata.to_dict(), file.schema_arrow.metadata)).encode()


def leaks(produced: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Where traces of the secrets are, in names or in bytes; empty when nowhere."""
    found: dict[str, list[str]] = {}
    for name, data in produced.items():
        for where, layer in (*_layers(name, data), (f"the name of {name}", name.encode())):
            traces = secrets_in(layer)
            if traces:
                found[where] = traces
    return found
