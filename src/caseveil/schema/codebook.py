"""A table's columns written for others: Frictionless Table Schema, and rows of a codebook.

The Table Schema carries everything that the bundle needs to rebuild the table; only the key column of the
source, which is never released, is not in it. Linked tables of a release have keys of their own, which mean nothing.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from caseveil.errors import PlanError
from caseveil.schema.attribute import Binned, Category, Column, MultiChoice, Ordered, Outside
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.table import Table

CODEBOOK_COLUMNS = ("table", "column", "kind", "values", "delimiter", "missing", "meaning")
JOINT = ";"
"""What stands between several values of one cell of the derived table."""

_KEY = "key"


def table_schema(table: Table) -> dict[str, Any]:
    """Frictionless Table Schema of a released table. Raises ValueError if values are not known yet.

    A single-valued column has its values as `enum`; a set column has a `pattern`. What Table Schema has
    no word for stands under `caseveil` in each field.
    """
    return {"fields": [_field(column) for column in table.columns], "missingValues": [""]}


def table_from_schema(name: str, schema: Mapping[str, Any]) -> Table:
    """Inverse of `table_schema`, without the key; a field of `key_field` is passed over.

    Raises PlanError, ValueError, TypeError or KeyError where the schema was not written by `table_schema`.
    """
    return Table(name=name, columns=tuple(_column(field) for field in schema["fields"] if key_name(field) is None))


def key_field(name: str, to: str | None) -> dict[str, Any]:
    """Table Schema field of a released key. to: the table whose record it names, or None for a record's own key."""
    constraints = {"required": True} if to else {"required": True, "unique": True}
    return {
        "name": name,
        "type": "string",
        "description": _key_meaning(to),
        "constraints": constraints,
        "caseveil": {"kind": _KEY},
    }


def key_name(field: Mapping[str, Any]) -> str | None:
    """Name of a field that `key_field` wrote; None for any other. Raises TypeError or KeyError on damage."""
    if field["caseveil"]["kind"] != _KEY:
        return None
    if not isinstance(field["name"], str):
        raise TypeError("name must be text")
    return field["name"]


def key_row(table: str, name: str, to: str | None) -> tuple[str, ...]:
    """Row of the codebook for a released key, in the order of CODEBOOK_COLUMNS."""
    return (table, name, _KEY, "[]", "", "[]", _key_meaning(to))


def _key_meaning(to: str | None) -> str:
    whose = f"Names the record of {to} that this one belongs to" if to else "Names this record"
    return f"{whose}. Invented: it means nothing"


def codebook_rows(tables: Iterable[Table]) -> list[tuple[str, ...]]:
    """One row of text per column, in the order of CODEBOOK_COLUMNS. Lists are JSON arrays."""
    rows: list[tuple[str, ...]] = []
    for table in tables:
        for column in table.columns:
            rows.append(
                (
                    table.name,
                    column.name,
                    column.kind,
                    json.dumps(list(_known(column)), ensure_ascii=False),
                    column.delimiter if isinstance(column, MultiChoice) else "",
                    json.dumps(list(column.missing), ensure_ascii=False),
                    column.meaning,
                )
            )
    return rows


def flattened_rows(columns: Iterable[FlattenedColumn], people: Table, linked: Table) -> list[tuple[str, ...]]:
    """Rows of the codebook for the table derived from two linked ones, in the order of CODEBOOK_COLUMNS.

    Raises ValueError if a column comes from none of the two tables.
    """
    rows: list[tuple[str, ...]] = []
    for column in columns:
        source = flattened_source(column, people, linked)
        several = column.has is None and (column.table == linked.name or isinstance(source, MultiChoice))
        rows.append(
            (
                FLATTENED,
                column.name,
                "derived",
                json.dumps(flattened_values(column, source), ensure_ascii=False),
                JOINT if several else "",
                '[""]',
                column.meaning or _origin(column),
            )
        )
    return rows


def flattened_source(column: FlattenedColumn, people: Table, linked: Table) -> Column:
    """The column that a derived one comes from. Raises ValueError if there is none."""
    for table in (people, linked):
        if table.name == column.table:
            for source in table.columns:
                if source.name == column.column:
                    return source
    raise ValueError(f"{FLATTENED}.{column.name} comes from a column that no table has")


def flattened_values(column: FlattenedColumn, source: Column) -> list[str]:
    """The values that a derived column can hold, or its items where it holds several; in alphabetical order."""
    if column.has is not None:
        return [column.yes]
    return sorted({column.recode.get(value, value) for value in _known(source)} - {""})


def _origin(column: FlattenedColumn) -> str:
    origin = f"From {column.table}.{column.column}"
    return origin if column.has is None else f"{origin}: {column.has}"


def _known(column: Column) -> tuple[str, ...]:
    if column.values is None:
        raise ValueError(f"values of {column.name} are not known yet")
    return column.values


def _field(column: Column) -> dict[str, Any]:
    values = _known(column)
    own: dict[str, Any] = {
        "kind": column.kind,
        "values": list(values),
        "missing": list(column.missing),
        "outside": column.outside.value,
    }
    field: dict[str, Any] = {"name": column.name, "type": "string", "caseveil": own}
    if column.meaning:
        field["description"] = column.meaning
    if isinstance(column, MultiChoice):
        own["delimiter"] = column.delimiter
        own["at_most"] = column.at_most
        item = "(" + "|".join(re.escape(value) for value in values) + ")"
        field["constraints"] = {"pattern": f"{item}({re.escape(column.delimiter)}{item})*"}
    else:
        field["constraints"] = {"enum": list(values)}
    if isinstance(column, Binned):
        own["edges"] = [
            edge.isoformat() if isinstance(edge, datetime.date) else float(edge) for edge in column.edges
        ]
        own["labels"] = None if column.labels is None else list(column.labels)
    return field


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError("a list of texts was expected")
    return tuple(value)


def _column(field: Mapping[str, Any]) -> Column:
    own = field["caseveil"]
    name, meaning = field["name"], field.get("description", "")
    if not isinstance(name, str) or not isinstance(meaning, str):
        raise TypeError("name and description must be text")
    values, missing, outside = _texts(own["values"]), _texts(own["missing"]), Outside(own["outside"])
    kind = own["kind"]
    if kind == "multi":
        return MultiChoice(
            name=name,
            values=values,
            delimiter=str(own["delimiter"]),
            at_most=int(own["at_most"]),
            missing=missing,
            outside=outside,
            meaning=meaning,
        )
    if kind == "binned":
        edges = tuple(
            datetime.date.fromisoformat(edge) if isinstance(edge, str) else float(edge) for edge in own["edges"]
        )
        labels = None if own["labels"] is None else _texts(own["labels"])
        binned = Binned(name=name, edges=edges, labels=labels, missing=missing, outside=outside, meaning=meaning)
        if binned.values != values:
            raise ValueError("the labels of the bins do not follow from their edges")
        return binned
    kinds: dict[str, type[Category]] = {"category": Category, "ordered": Ordered}
    if kind not in kinds:
        raise PlanError(f"kind ({kind}) must be category, ordered, binned or multi")
    return kinds[kind](name=name, values=values, missing=missing, outside=outside, meaning=meaning)
