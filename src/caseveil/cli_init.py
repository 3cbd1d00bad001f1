"""The work of `caseveil init`: from one data file, or two that are linked, to a draft of a plan."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caseveil.errors import OutputError, PlanError, SourceError
from caseveil.plan import Plan

if TYPE_CHECKING:
    from caseveil.records.draft_links import DataFile


def write_draft(
    data: Sequence[str], out: Path, progress: Callable[[str, float], None] | None
) -> tuple[list[str], dict[str, Any]]:
    """Writes the draft to out; returns lines to say and the document of --json.

    Raises BadInput before anything is written.
    """
    from caseveil.records.draft import draft
    from caseveil.records.draft_links import DataFile, draft_linked
    from caseveil.records.source import read_path

    if len(data) > 2:
        raise PlanError(f"DATA ({len(data)} files) must be one file, or two of which one links to the other")
    if any("://" in name for name in data):
        raise SourceError("DATA must be a file; for a database write source and query into the plan by hand")
    if out.exists():
        raise OutputError(f"--out ({out}) already exists and is left as it is; choose another with --out")
    if not out.parent.is_dir():
        raise OutputError(f"--out ({out}) must lie in a folder that exists")
    if len({Path(name).resolve() for name in data}) < len(data):
        raise PlanError("DATA must be two different files")
    files = []
    for done, source in enumerate(map(Path, data)):
        if progress is not None:
            progress("reading", done / len(data))
        raw = read_path(source)
        files.append(DataFile(raw=raw, source=_source_from(source, out.parent), name=_table_name(source)))
    if len(files) == 1:
        text = draft(files[0].raw, source=files[0].source, name=files[0].name, plan=str(out))
    else:
        text = draft_linked(files, plan=str(out))
    plan = Plan.from_toml(text, out.parent)
    try:
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        if not isinstance(error, FileExistsError):
            with contextlib.suppress(OSError):
                out.unlink()  # half a draft would be taken for a whole one
        raise OutputError(f"--out ({out}) cannot be written: {error.strerror}. Nothing was written") from error
    return _said(plan, files, out)


def _said(plan: Plan, files: Sequence[DataFile], out: Path) -> tuple[list[str], dict[str, Any]]:
    from caseveil.records.draft import names_like_cells

    several = len(plan.tables) > 1
    columns, undeclared = [], []
    for part in plan.tables:
        prefix = f"{part.table.name}." if several else ""
        columns += [prefix + column.name for column in part.table.columns]
        undeclared += [prefix + column.name for column in part.table.undeclared]
    there = sum(len(file.raw.columns) for file in files)
    keys = sum(part.table.key is not None for part in plan.tables) + several
    lines = [
        f"Wrote {out}: {len(columns)} of {there} columns would be released.",
        "Read it through: what it says is public and shapes the release."
        + (" It also says why other columns are left out." if there > len(columns) + keys else ""),
    ]
    document: dict[str, Any] = {"plan": str(out), "columns": columns, "undeclared": undeclared}
    doubtful = sum(names_like_cells(file.raw.columns) for file in files)
    if doubtful:
        lines.append(
            f"Careful: {doubtful} of {there} column names look like cells. If the first line of the data is a row, "
            f"delete {out}, put a line of names above it and begin again: names of columns are not kept secret."
        )
        document["names_like_cells"] = doubtful
    if several:
        linked = plan.tables[1]
        assert linked.link is not None
        lines.append(
            f"Every row of {linked.table.name} names its row of {linked.link.to} in column {linked.link.key}. Of one "
            f"person at most {linked.link.at_most} count (links.at_most): a proposal; choose it from public knowledge."
        )
        document["links"] = {
            "table": linked.table.name, "to": linked.link.to, "key": linked.link.key, "at_most": linked.link.at_most
        }  # fmt: skip
    if undeclared:
        lines.append(f"Declare the values of these where they are public knowledge: {', '.join(undeclared)}")
    return [*lines, f"Then:  caseveil check {out}"], document


def _source_from(data: Path, folder: Path) -> str:
    """How a plan in folder names a data file: relative where the file lies below it."""
    try:
        return data.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return data.resolve().as_posix()


def _table_name(data: Path) -> str:
    cleaned = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in data.stem.lower()).strip(
        "_"
    )
    return cleaned or "cases"
