"""Files as a person drops them: read, looked at, and a first draft with what looks identifying set aside."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from caseveil.errors import PlanError, SourceError
from caseveil.plan import Plan
from caseveil.records.draft import column_tallies, draft, names_like_cells, repeated_keys
from caseveil.records.draft_links import DataFile, draft_linked
from caseveil.records.guess import guess
from caseveil.records.identify import identifying_columns
from caseveil.records.raw import RawTable
from caseveil.records.said import Said, looks, say
from caseveil.records.source import read_data
from caseveil.schema.attribute import Category
from caseveil.web.draft import column_draft, from_plan

ROWS_IN_BROWSER = 200_000
ROWS_NATIVE = 5_000_000
PREVIEW = 20
EXAMPLE_PEOPLE = 8_000
_BOOK = b"PK\x03\x04"


class TooLarge(MemoryError):
    """More rows than the place can hold; the text says where they can be opened."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Source:
    """A table as it was opened. name: as a draft names it, "cases.csv" or "book.xlsx#sheet"; stem: for its table."""

    name: str
    stem: str
    raw: RawTable


def rows_limit() -> int:
    """How many rows one table may have here."""
    return ROWS_IN_BROWSER if sys.platform == "emscripten" else ROWS_NATIVE


def read_files(files: Sequence[tuple[str, bytes]]) -> tuple[list[Source], list[dict[str, Any]]]:
    """The tables in one file or two, at most two of them, and remarks about how they were read.

    Nothing is written to disk. Raises SourceError, PlanError and TooLarge.
    """
    if not 1 <= len(files) <= 2:
        raise PlanError(f"{len(files)} files were given: open one file, or two of which one links to the other")
    names = [base_name(name) for name, _ in files]
    if len(set(names)) < len(names):
        raise PlanError("two files have the same name; rename one of them")
    found: list[Source] = []
    remarks: list[dict[str, Any]] = []
    for name, (_, data) in zip(names, files, strict=True):
        sheets, unread = _tables(name, data, most=3 - len(files))
        found += sheets
        if unread:
            remarks.append(remark("note", say("sheets", file=name, count=unread)))
        remarks += [
            remark("note", say("encoding", file=source.name, encoding=source.raw.guessed))
            for source in sheets
            if source.raw.guessed
        ]
    for source in found:
        if source.raw.n > rows_limit():
            raise TooLarge(
                f"{source.name} has {source.raw.n:,} rows, and {rows_limit():,} fit here. Run  caseveil app --native  "
                f"on this computer: the same pages, with room for more"
            )
    return found, remarks


def base_name(name: str) -> str:
    """The name of a file without its folder and without what no file system takes."""
    base = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(letter for letter in base if letter.isprintable() and letter not in ':*?"<>|').strip(" .")
    return plain[-100:] or "data.csv"


def _tables(name: str, data: bytes, *, most: int) -> tuple[list[Source], int]:
    stem = Path(name).stem
    titles = _sheets(data, name) if data.startswith(_BOOK) else []
    if len(titles) <= 1:
        return [Source(name=name, stem=stem, raw=read_data(data, name))], 0
    found: list[Source] = []
    unread = 0
    for title in titles:
        if len(found) == most:
            unread += 1
            continue
        try:
            found.append(Source(name=f"{name}#{title}", stem=title, raw=read_data(data, name, sheet=title)))
        except SourceError as error:
            if "empty" not in str(error):
                raise
    if not found:
        raise SourceError(f"{name}: every sheet is empty")
    return found, unread


def _sheets(data: bytes, name: str) -> list[str]:
    from caseveil.records.workbook import sheet_names

    return sheet_names(data, name)


def drafted(sources: Sequence[Source], folder: Path) -> tuple[list[Source], dict[str, Any], list[dict[str, Any]]]:
    """The tables that are used, a draft of a plan for them, and what to say about it. Raises SourceError."""
    remarks: list[dict[str, Any]] = []
    used = list(sources)
    text = None
    if len(used) == 2:
        try:
            text = draft_linked([DataFile(raw=one.raw, source=one.name, name=one.stem) for one in used])
        except SourceError:
            # Two files were meant together; of the sheets of one workbook the first may stand alone.
            if "#" not in used[0].name or used[0].name.partition("#")[0] != used[1].name.partition("#")[0]:
                raise
            remarks.append(remark("note", say("leftOut", file=used[1].name, other=used[0].name)))
            used = used[:1]
    if text is None:
        text = draft(used[0].raw, source=used[0].name, name=used[0].stem)
    made = from_plan(Plan.from_toml(text, folder))
    used.sort(key=lambda source: [part["source"] for part in made["tables"]].index(source.name))
    for part, source in zip(made["tables"], used, strict=True):
        complete(part, source.raw, in_order=True)
        remarks += about(part, source.raw)
    return used, made, remarks


def complete(part: dict[str, Any], raw: RawTable, *, in_order: bool = False) -> None:
    """Adds to a table of a draft the columns of the file that it does not release, set aside and with the reason."""
    tallies = {name: Counter(map(str.strip, cells)) for name, cells in raw.columns.items()}
    links = part["links"]
    used = {column["from"] for column in part["columns"]} | {part["key"], links["key"] if links else None}
    names = {column["name"] for column in part["columns"]}
    reasons = {found.column: say("reason.looks", what=looks(found.reason)) for found in identifying_columns(raw)}
    keys = set(repeated_keys(tallies, part["key"]))
    for name, tally in tallies.items():
        if name in used:
            continue
        found = guess(name, tally)
        reason = reasons.get(name)
        if reason is None:
            reason = say("reason.key") if name in keys else found.unfit or say("reason.plan")
        column = column_draft(found.column or Category(name=name))
        if name in names:  # a released column was given the name of another one of the file
            column["name"] = next(new for i in range(2, 1000) if (new := f"{name} ({i})") not in names)
        names.add(column["name"])
        part["columns"].append({**column, "from": name, "keep": False, "reason": str(reason), "why": reason.plain()})
    if in_order:
        place = {name: at for at, name in enumerate(raw.columns)}
        part["columns"].sort(key=lambda column: place.get(column["from"], len(place)))


def about(part: Mapping[str, Any], raw: RawTable) -> list[dict[str, Any]]:
    """Remarks on a table of a fresh draft."""
    table = part["name"]
    out = []
    doubtful = names_like_cells({name: set(map(str.strip, cells)) for name, cells in raw.columns.items()})
    if doubtful:
        out.append(remark("private", say("namesLikeCells", some=doubtful, columns=len(raw.columns)), table))
    if not part["links"]:
        for name in repeated_keys(column_tallies(raw), part["key"]):
            out.append(remark("private", say("repeats"), table, name))
    for column in part["columns"]:
        if not column["keep"]:
            remarked = remark("note", f"Set aside: {column['reason']}", table, column["name"])
            out.append({**remarked, "said": {"code": "aside", "values": {"reason": column["why"]}}})
    return out


def remark(level: str, message: Said | str, table: str = "", column: str = "") -> dict[str, Any]:
    """A remark as the contract has it. message: a text is an error of the engine, which pages show as it is."""
    said = message.plain() if isinstance(message, Said) else None
    return {"level": level, "table": table, "column": column, "message": str(message), "said": said}


def tables_of(sources: Iterable[Source], made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The opened tables as the contract has them, in the order of the draft."""
    by_name = {source.name: source for source in sources}
    return [
        {
            "name": part["name"],
            "source": part["source"],
            "rows": by_name[part["source"]].raw.n,
            "preview": grid(by_name[part["source"]].raw.columns),
        }
        for part in made["tables"]
    ]


def grid(columns: Mapping[str, Sequence[str]], rows: int = PREVIEW) -> dict[str, Any]:
    """The first rows of some columns."""
    cells = zip(*(column[:rows] for column in columns.values()), strict=True)
    return {"columns": list(columns), "rows": [list(row) for row in cells]}


def example(linked: bool) -> tuple[list[Source], dict[str, Any]]:
    """Invented people, always the same, and their draft; with their perpetrators, if linked."""
    import numpy as np

    from caseveil.demo import invent, plan_text

    people, perpetrators = invent(EXAMPLE_PEOPLE, np.random.default_rng(1))
    plan = Plan.from_toml(plan_text(), Path())
    made = from_plan(plan)
    sources = [
        Source(name="victims.csv", stem="victims", raw=RawTable(columns=people)),
        Source(name="perpetrators.csv", stem="perpetrators", raw=RawTable(columns=perpetrators)),
    ]
    if not linked:
        sources, made["tables"] = sources[:1], made["tables"][:1]
        made["rest"]["flattened"] = []
    for part, source in zip(made["tables"], sources, strict=True):
        complete(part, source.raw)
    return sources, made
