"""explorer.html: the published counts in one file that opens with a double click and needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib import resources
from typing import Any

from caseveil.release.about import About
from caseveil.release.combinations import ValueIndex
from caseveil.release.statement import Statement, as_sentence
from caseveil.schema.attribute import MultiChoice
from caseveil.schema.table import Table
from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import LinkCounts

_DATA = re.compile(r'<script id="data" type="application/json">(.*?)</script>', re.DOTALL)


def payload(
    about: About,
    statement: Statement,
    tables: Sequence[tuple[Table, int, PublishedCounts]],
    links: LinkCounts | None = None,
) -> dict[str, Any]:
    """What the page shows, as JSON values. tables: (declared table, number of records, its published counts).
    links: counts across the link, as texts.

    Values are numbered through all columns of a table; a combination is a list of such numbers.
    Raises ValueError if a combination names what the table does not declare.
    """
    return {
        "title": about.heading,
        "version": about.version,
        "publisher": about.publisher,
        "license": about.license,
        "citation": about.citation,
        "sentence": str(statement),
        "level": statement.level,
        "length": statement.length,
        "threshold": as_sentence(statement.threshold),
        "tables": [_table(table, rows, counts) for table, rows, counts in tables],
        **({} if links is None else {"links": _links(links)}),
    }


def _table(table: Table, rows: int, counts: PublishedCounts) -> dict[str, Any]:
    return {
        "name": table.name,
        "rows": rows,
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "meaning": column.meaning,
                "values": list(column.values or ()),
                "set": isinstance(column, MultiChoice),
            }
            for column in table.columns
        ],
        "combinations": [list(ids) for ids in ValueIndex(table=table).combinations(counts.combination)],
        "count": [int(x) for x in counts.count],
        "lower": [int(x) for x in counts.lower],
        "upper": [int(x) for x in counts.upper],
    }


def _links(counts: LinkCounts) -> dict[str, Any]:
    return {
        "combination": list(counts.combination),
        "of": list(counts.of),
        "count": [int(x) for x in counts.count],
        "lower": [int(x) for x in counts.lower],
        "upper": [int(x) for x in counts.upper],
    }


def render(data: dict[str, Any]) -> bytes:
    """The page. Its policy for content allows its own script and style, known by hash, and nothing else."""
    template = resources.files("caseveil.release").joinpath("explorer_template.html").read_text("utf-8")
    script, style = (_between(template, tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        f"base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    before, after = template.split("@@DATA@@")
    before = before.replace("@@POLICY@@", policy).replace("@@TITLE@@", html.escape(str(data["title"])))
    return (before + text + after).encode("utf-8")


def embedded(page: bytes) -> Any:
    """The data inside a page. Raises ValueError."""
    found = _DATA.search(page.decode("utf-8"))
    if found is None:
        raise ValueError("the page holds no data")
    return json.loads(found.group(1))


def _between(template: str, tag: str) -> str:
    return template.split(f"<{tag}>", 1)[1].split(f"</{tag}>", 1)[0]


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode('utf-8')).digest()).decode('ascii')}'"
