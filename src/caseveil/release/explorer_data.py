"""The data inside the explorer: all that a page shows, as JSON values. web/explorer/src/payload.ts has the same types.

Everything in it follows from the rest of the bundle, apart from the stories, which stand here only.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import PlanError
from caseveil.release import prose
from caseveil.release.combinations import ValueIndex
from caseveil.release.contents import BundleContents, LinkContents, TableContents
from caseveil.release.flattened import owners
from caseveil.release.manifest import canonical_json
from caseveil.release.spread import link_spreads, spread
from caseveil.release.statement import as_sentence
from caseveil.release.story import Story, check_stories
from caseveil.schema.attribute import Binned, Column, MultiChoice, Ordered

FORMAT = 2
"""Version of the data's form; a page reads only its own."""

_LEVEL = 6
_DAY = r"(19|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
_TIME = re.compile(rf"{_DAY}(--{_DAY}|\+)?")


def payload(contents: BundleContents) -> dict[str, Any]:
    """What the page shows.

    Values are numbered through all columns of a table, missing ones left out; a combination is a list of such numbers.
    Raises ValueError or KeyError if a combination, cell or key is not declared.
    """
    about, statement = contents.about, contents.statement
    tables = [_table(part) for part in contents.tables.values()]
    links = {}
    if contents.links is not None:
        owner = _owner(*contents.tables.values())
        links = {"links": _links(contents.links, tables[0]["rows"], owner)}
        tables[1]["of"] = pack(owner.astype("<u4").tobytes())
    return {
        "format": FORMAT,
        "title": about.heading,
        "version": about.version,
        "publisher": about.publisher,
        "license": about.license,
        "citation": about.citation,
        "statement": {
            "sentence": str(statement),
            "level": statement.level,
            "length": statement.length,
            "threshold": as_sentence(statement.threshold),
            "document": _as_file(statement.to_json()),
            **prose.parts(statement),
        },
        "tables": tables,
        **links,
        "quality": _as_file(dict(contents.fidelity)),
        "stories": [story.to_json() for story in contents.stories],
    }


def _as_file(block: Mapping[str, Any]) -> Any:
    """JSON values as the bundle's own files hold them, keys in order: a bundle that was read writes the same page."""
    return json.loads(canonical_json(block))


def stories_in(data: object) -> tuple[Story, ...]:
    """The stories of a page's data. Raises ValueError for data that no page of this form holds."""
    try:
        found = tuple(Story.from_json(block) for block in data["stories"])  # type: ignore[index]
        check_stories(found)
    except (TypeError, LookupError, AttributeError, ValueError, PlanError) as error:
        raise ValueError("the data of the page hold no stories") from error
    return found


def differences(there: object, expected: Mapping[str, Any]) -> list[str]:
    """Which parts of a page's data differ from what they should be, named by `expected`; [] if none does.

    Packed bytes are compared unpacked: another release of zlib may pack them otherwise.
    """
    if not isinstance(there, dict):
        return ["all of it"]
    wrong = [name for name, part in expected.items() if name != "tables" and not _same(there.get(name), part)]
    tables = there.get("tables")
    if not isinstance(tables, list) or len(tables) != len(expected["tables"]):
        wrong.append("tables")
    else:
        for own, table in zip(tables, expected["tables"], strict=True):
            wrong += [f"{part} of {table['name']}" for part in _parts_that_differ(own, table)]
    return wrong + (["parts that are not known"] if set(there) - set(expected) else [])


def _parts_that_differ(there: object, table: Mapping[str, Any]) -> list[str]:
    if not isinstance(there, dict) or set(there) != set(table):
        return ["everything"]
    packed = ("records", "of")
    wrong = [name for name, part in table.items() if name not in packed and not _same(there[name], part)]
    for name in packed:
        if name not in table:
            continue
        raw = unpack(table[name])
        try:
            same = unpack(there[name], at_most=len(raw)) == raw
        except ValueError:
            same = False
        wrong += [] if same else [name]
    return wrong


def _same(there: object, expected: object) -> bool:
    """Equal, and not only to Python, for which true is 1."""
    if isinstance(expected, dict):
        return (
            isinstance(there, dict)
            and set(there) == set(expected)
            and all(_same(there[name], part) for name, part in expected.items())
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(there, list)
            and len(there) == len(expected)
            and all(map(_same, there, expected))
        )
    return there == expected and isinstance(there, bool) == isinstance(expected, bool)


def pack(raw: bytes) -> str:
    """Bytes as base64 of raw deflate (RFC 1951), which browsers unpack by themselves."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(raw) + packer.flush()).decode("ascii")


def unpack(text: object, *, at_most: int = 1 << 40) -> bytes:
    """Inverse of `pack`. Raises ValueError for anything else, and for more than at_most bytes."""
    if not isinstance(text, str):
        raise ValueError("packed bytes are text")
    unpacker = zlib.decompressobj(-15)
    try:
        raw = unpacker.decompress(base64.b64decode(text, validate=True), at_most + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("bytes are not packed as they should be") from error
    if len(raw) > at_most or not unpacker.eof or unpacker.unused_data:
        raise ValueError("bytes are not packed as they should be")
    return raw


def _table(part: TableContents) -> dict[str, Any]:
    table, counts = part.table, part.counts
    band = spread(counts, part.rows)
    return {
        "name": table.name,
        "rows": part.rows,
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "meaning": column.meaning,
                "values": list(column.values or ()),
                "set": isinstance(column, MultiChoice),
                "time": is_time(column),
            }
            for column in table.columns
        ],
        "records": pack(b"".join(_cells(c, part.records[c.name]) for c in table.columns)),
        "combinations": [list(ids) for ids in ValueIndex(table=table).combinations(counts.combination)],
        **_numbers(counts),
        "spread": {"size": list(band.size), "half": list(band.half)},
    }


def is_time(column: Column) -> bool:
    """Whether a column is drawn along time: it is in order, and every value is a year, month or day (ISO 8601), a
    range of them or an open end."""
    if isinstance(column, Binned) and column.is_date:
        return True
    in_order = isinstance(column, Ordered | Binned)
    return in_order and all(_TIME.fullmatch(value) is not None for value in column.values or ("",))


def _cells(column: Column, cells: Sequence[str]) -> bytes:
    """One column of the records. Of a set: a plane of bits per value, eight records a byte, the first one lowest.
    Others: 0 for missing, else 1 + the value's place, in as few bytes as that takes (1, 2 or 4), lowest first.
    """
    values = column.values or ()
    known = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
    which = np.fromiter(map(known.__getitem__, cells), dtype=np.int64, count=len(cells))
    if isinstance(column, MultiChoice):
        items = [set(cell.split(column.delimiter)) if cell else set() for cell in known]
        if not set().union(*items) <= set(values):
            raise KeyError("a cell holds a value that is not declared")
        planes = (np.array([value in item for item in items], dtype=bool) for value in values)
        return b"".join(np.packbits(has[which], bitorder="little").tobytes() for has in planes)
    place = {"": 0, **{value: i + 1 for i, value in enumerate(values)}}
    code = np.array([place[cell] for cell in known], dtype=np.int64)
    width = "<u1" if len(values) < 1 << 8 else "<u2" if len(values) < 1 << 16 else "<u4"
    return code[which].astype(width).tobytes()


def _owner(people: TableContents, linked: TableContents) -> NDArray[np.int64]:
    """Position of the record of people that each linked record belongs to."""
    assert people.key is not None, "contents of linked tables have keys"
    assert linked.key is not None
    return owners(people.key.cells, linked.key.cells)


def _links(links: LinkContents, people: int, owner: NDArray[np.int64]) -> dict[str, Any]:
    counts = links.counts
    bands = link_spreads(counts, people, owner)
    return {
        "of": list(counts.of),
        "combination": list(counts.combination),
        **_numbers(counts),
        "table": links.table,
        "to": links.link.to,
        "key": links.link.key,
        "most": links.link.at_most,
        "spread": {of: {"size": list(band.size), "half": list(band.half)} for of, band in bands.items()},
    }


def _numbers(counts: Any) -> dict[str, list[int]]:
    found: dict[str, NDArray[np.int64]] = {name: getattr(counts, name) for name in ("count", "lower", "upper")}
    return {name: [int(x) for x in numbers] for name, numbers in found.items()}
