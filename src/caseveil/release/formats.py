"""Files of a bundle, written and read back: CSV, Parquet, Frictionless Data Package.

Equal contents give equal bytes, Parquet aside (its writer puts its own version into the file). Values are
written as they are, also those that a spreadsheet would take for a formula: changing them would break the
agreement with the declared values, and the statement tells readers what to do.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from caseveil.release.about import About
from caseveil.release.manifest import digest
from caseveil.release.statement import Statement
from caseveil.schema.codebook import CODEBOOK_COLUMNS, codebook_rows, key_field, key_row, table_schema
from caseveil.schema.table import Table
from caseveil.synthesis.counts import PublishedCounts

COUNTS_COLUMNS = ("combination", "length", "count", "lower", "upper")


@dataclass(frozen=True, kw_only=True)
class ReleasedKey:
    """The first column of a linked table. to: the table whose record it names, by that table's column to_key; None
    for the key of a record itself."""

    name: str
    to: str | None = None
    to_key: str = ""


def encode_csv(columns: Mapping[str, Sequence[str]]) -> bytes:
    """RFC 4180 text in UTF-8 with '\\n' ends: a header, then one line per row; quotes only where needed."""
    if not columns:
        return b"\n"
    lone = len(columns) == 1
    cells = []
    for name, values in columns.items():
        known = {value: _quoted(value, lone) for value in {name, *values}}
        cells.append([known[name], *(known[value] for value in values)])
    lines = cells[0] if lone else [",".join(row) for row in zip(*cells, strict=True)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _quoted(value: str, lone: bool) -> str:
    # An empty cell that is alone on its line must be quoted, or the line reads as no row at all.
    if (lone and not value) or any(letter in value for letter in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def decode_csv(data: bytes) -> dict[str, list[str]]:
    """Inverse of `encode_csv`. Raises ValueError on ragged rows, repeated names, or bytes that are not UTF-8."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError("the file is not CSV") from error
    if not rows:
        raise ValueError("the file has no header")
    header = rows[0]
    if len(set(header)) != len(header):
        raise ValueError("the header repeats a name")
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a row has more or fewer cells than the header")
    columns = zip(*rows[1:], strict=True) if len(rows) > 1 else (() for _ in header)
    return {name: list(values) for name, values in zip(header, columns, strict=True)}


def counts_columns(counts: PublishedCounts) -> dict[str, list[str]]:
    """The published counts as columns of text, in the order of COUNTS_COLUMNS."""
    numbers = {name: [str(int(x)) for x in getattr(counts, name)] for name in COUNTS_COLUMNS[1:]}
    return {"combination": list(counts.combination), **numbers}


def counts_from_columns(columns: Mapping[str, Sequence[str]]) -> PublishedCounts:
    """Inverse of `counts_columns`. Raises ValueError or OverflowError."""
    if tuple(columns) != COUNTS_COLUMNS:
        raise ValueError("counts must have the columns " + ", ".join(COUNTS_COLUMNS))
    length, count, lower, upper = (
        np.array([int(x) for x in columns[name]], dtype=np.int64) for name in COUNTS_COLUMNS[1:]
    )
    return PublishedCounts(
        combination=tuple(columns["combination"]), length=length, count=count, lower=lower, upper=upper
    )


def parquet_status() -> str:
    """'included', or why Parquet files are left out."""
    return "included" if importlib.util.find_spec("pyarrow") else "left out: pyarrow is not installed"


def encode_parquet(columns: Mapping[str, Sequence[str]], *, whole: Iterable[str] = ()) -> bytes:
    """The same columns as Parquet: text, or 64-bit integers for the columns named in whole. Needs pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = set(whole)
    arrays = {
        name: pa.array([int(x) for x in values], pa.int64()) if name in numbers else pa.array(values, pa.string())
        for name, values in columns.items()
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, compression="zstd")
    return sink.getvalue()


def decode_parquet(data: bytes) -> dict[str, list[str]]:
    """Columns of a Parquet file as text. Raises ValueError where the file is not ours. Needs pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        return {name: [str(x) for x in table.column(name).to_pylist()] for name in table.column_names}
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError("the file is not Parquet") from error


def encode_codebook(
    tables: Iterable[Table], keys: Mapping[str, ReleasedKey], derived: Iterable[tuple[str, ...]]
) -> bytes:
    """codebook.csv: one line per column of every table, keys first. derived: rows to add at the end."""
    rows: list[tuple[str, ...]] = []
    for table in tables:
        if table.name in keys:
            rows.append(key_row(table.name, keys[table.name].name, keys[table.name].to))
        rows += codebook_rows([table])
    rows += derived
    return encode_csv({name: [row[i] for row in rows] for i, name in enumerate(CODEBOOK_COLUMNS)})


def records_path(table: str, ending: str = "csv") -> str:
    """Where the synthetic records of a table stand in the bundle."""
    return f"data/{table}.{ending}"


def counts_path(table: str, ending: str = "csv") -> str:
    """Where the published counts of a table stand in the bundle."""
    return f"counts/{table}.{ending}"


def data_package(
    about: About,
    tables: Iterable[Table],
    statement: Statement,
    files: Mapping[str, bytes],
    keys: Mapping[str, ReleasedKey],
) -> dict[str, Any]:
    """datapackage.json: Frictionless Data Package 2.0, readable by version 1 software.

    files: the CSV files by path, for their sizes and hashes. keys: those of linked tables, by table. The block
    `privacy` is the statement.
    """
    package: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": about.name,
        "version": about.version,
        "title": about.heading,
        "description": str(statement),
        "resources": [
            part for table in tables for part in (_records(table, files, keys), _counts(table, files))
        ],
        "privacy": statement.to_json(),
        "caseveil": {
            "title": about.title,
            "publisher": about.publisher,
            "license": about.license,
        },
    }
    if about.publisher:
        package["contributors"] = [{"title": about.publisher, "roles": ["publisher"]}]
    if about.license:
        key = "path" if "://" in about.license else "name"
        package["licenses"] = [{key: about.license}]
    return package


def resource(kind: str, table: str, path: str, data: bytes, schema: Mapping[str, Any], title: str) -> dict[str, Any]:
    """A CSV file in the data package. kind: what it holds of the table."""
    return {
        "name": _resource_name(table, kind),
        "type": "table",
        "profile": "tabular-data-resource",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{digest(data)}",
        "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n"},
        "schema": dict(schema),
        "caseveil": {"table": table, "kind": kind},
        "title": title,
    }


def _resource_name(table: str, kind: str) -> str:
    return f"{table.lower()}-{kind}"


def _records(table: Table, files: Mapping[str, bytes], keys: Mapping[str, ReleasedKey]) -> dict[str, Any]:
    path = records_path(table.name)
    schema = table_schema(table)
    key = keys.get(table.name)
    if key is not None:
        schema["fields"].insert(0, key_field(key.name, key.to))
        if key.to is None:
            schema["primaryKey"] = [key.name]
        else:
            reference = {"resource": _resource_name(key.to, "records"), "fields": [key.to_key]}
            schema["foreignKeys"] = [{"fields": [key.name], "reference": reference}]
    return resource("records", table.name, path, files[path], schema, f"Synthetic records: {table.name}")


def _counts(table: Table, files: Mapping[str, bytes]) -> dict[str, Any]:
    path = counts_path(table.name)
    meanings = {
        "combination": "column -> value, as a JSON object; several items of a set column are joined by its delimiter",
        "length": "how many values the combination names",
        "count": "records with all these values",
        "lower": "lower end of the interval",
        "upper": "upper end of the interval",
    }
    fields: list[dict[str, Any]] = [
        {"name": "combination", "type": "string", "description": meanings["combination"]}
    ]
    for name in COUNTS_COLUMNS[1:]:
        fields.append({"name": name, "type": "integer", "description": meanings[name]})
    schema = {"fields": fields, "missingValues": [""], "primaryKey": ["combination"]}
    return resource("counts", table.name, path, files[path], schema, f"Published counts: {table.name}")


def parse_json(data: bytes) -> Any:
    """JSON in UTF-8 without NaN or repeated keys. Raises ValueError."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_unrepeated)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key stands twice")
    return out
