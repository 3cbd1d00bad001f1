"""Files that only a linked release has: counts across the link, and their words in the data package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from caseveil.errors import PlanError
from caseveil.schema.codebook import JOINT, flattened_source, flattened_values
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link, number_name
from caseveil.schema.table import Table
from caseveil.synthesis.linked_counts import LinkCounts

LINK_COUNTS = "links"
"""Name of counts across the link: counts/links.csv."""

COLUMNS = ("combination", "of", "count", "lower", "upper")
RESERVED = (LINK_COUNTS, FLATTENED)
"""Names of files that no table of a linked release may take."""


def check_names(names: Sequence[str]) -> None:
    """Raise PlanError if a table of a linked release would take the file of something else."""
    for name in names:
        if name.casefold() in RESERVED:
            raise PlanError(f"tables.{name} must have another name: a linked release has a file {name} of its own")


def counts_columns(counts: LinkCounts) -> dict[str, list[str]]:
    """Counts across the link as columns of text, in the order of COLUMNS."""
    numbers = {name: [str(int(x)) for x in getattr(counts, name)] for name in COLUMNS[2:]}
    return {"combination": list(counts.combination), "of": list(counts.of), **numbers}


def counts_from_columns(columns: Mapping[str, Sequence[str]]) -> LinkCounts:
    """Inverse of `counts_columns`. Raises ValueError or OverflowError."""
    if tuple(columns) != COLUMNS:
        raise ValueError("counts across the link must have the columns " + ", ".join(COLUMNS))
    count, lower, upper = (np.array([int(x) for x in columns[name]], dtype=np.int64) for name in COLUMNS[2:])
    return LinkCounts(
        combination=tuple(columns["combination"]), of=tuple(columns["of"]), count=count, lower=lower, upper=upper
    )


def counts_schema(link: Link, table: str) -> dict[str, Any]:
    """Table Schema of counts/links.csv."""
    meanings = {
        "combination": (
            f"column -> value, as a JSON object; columns are named '{link.to}.' or '{table}.' and their name, for the "
            f"second of a pair 'other {table}.' and their name, and '{number_name(table)}'"
        ),
        "of": "what is counted; STATEMENT.md says what each word means",
        "count": "how many",
        "lower": "lower end of the interval",
        "upper": "upper end of the interval",
    }
    types = {"combination": "string", "of": "string"}
    fields = [
        {"name": name, "type": types.get(name, "integer"), "description": meanings[name]} for name in COLUMNS
    ]
    return {"fields": fields, "missingValues": [""], "primaryKey": ["combination", "of"]}


def flattened_schema(columns: Sequence[FlattenedColumn], people: Table, linked: Table) -> dict[str, Any]:
    """Table Schema of data/flattened.csv; `caseveil` in each field says how it is derived."""
    fields: list[dict[str, Any]] = []
    for column in columns:
        values = flattened_values(column, flattened_source(column, people, linked))
        own = {
            "kind": "derived",
            "values": values,
            "delimiter": JOINT,
            "table": column.table,
            "column": column.column,
            "recode": dict(column.recode),
            "has": column.has,
            "yes": column.yes,
        }
        field: dict[str, Any] = {"name": column.name, "type": "string", "caseveil": own}
        if column.meaning:
            field["description"] = column.meaning
        fields.append(field)
    return {"fields": fields, "missingValues": [""]}


def flattened_from_schema(schema: Mapping[str, Any]) -> tuple[FlattenedColumn, ...]:
    """Inverse of `flattened_schema`. Raises PlanError, ValueError, TypeError, AttributeError or KeyError."""
    columns = []
    for field in schema["fields"]:
        own = field["caseveil"]
        recode = {_text(old): _text(new) for old, new in own["recode"].items()}
        columns.append(
            FlattenedColumn(
                name=_text(field["name"]),
                table=_text(own["table"]),
                column=_text(own["column"]),
                recode=recode,
                has=None if own["has"] is None else _text(own["has"]),
                yes=_text(own["yes"]),
                meaning=_text(field.get("description", "")),
            )
        )
    return tuple(columns)


def link_block(link: Link, table: str) -> dict[str, Any]:
    """The link as a JSON object."""
    return {
        "table": table,
        "to": link.to,
        "key": link.key,
        "at_most": link.at_most,
        "shared_by_at_most": link.shared_by_at_most,
    }


def link_from_block(block: Mapping[str, Any]) -> tuple[Link, str]:
    """Inverse of `link_block`: the link and the name of the linked table. Raises KeyError, TypeError or PlanError."""
    link = Link(
        to=_text(block["to"]),
        key=_text(block["key"]),
        at_most=block["at_most"],
        shared_by_at_most=block["shared_by_at_most"],
    )
    return link, _text(block["table"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text was expected")
    return value
