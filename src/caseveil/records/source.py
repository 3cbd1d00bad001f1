"""Where rows come from: a file, a database or a data frame. The door of this room; formats lie behind it.

A file is recognised by its first bytes, not by its name. Everything becomes text, and nothing is
interpreted here: `prepare` does that, by the plan.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from caseveil.errors import SourceError
from caseveil.records.database import is_url, read_database
from caseveil.records.delimited import read_delimited
from caseveil.records.frames import from_frame, read_parquet, to_frame_like
from caseveil.records.raw import RawTable
from caseveil.records.workbook import read_workbook

__all__ = ["RawTable", "from_frame", "is_url", "read", "read_data", "read_database", "read_path", "to_frame_like"]

_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SQLITE = b"SQLite format 3\0"
_DUCKDB = b"DUCK"  # at byte 8


def read(source: str, *, folder: Path = Path(), query: str | None = None, sheet: str | None = None) -> RawTable:
    """The source of a plan: a path (relative ones start at folder) or a database URL with a query.

    book.xlsx#cases is the sheet named cases of a workbook, unless a file of that whole name is there.
    """
    if is_url(source):
        if query is None:
            raise SourceError('a database source needs a query: add query = "SELECT ... FROM ..." beside source')
        return read_database(source, query, folder=folder)
    path = folder / source
    book, mark, named = source.rpartition("#")
    if sheet is None and mark and book.lower().endswith(".xlsx") and not path.exists():
        path, sheet = folder / book, named
    return read_path(path, query=query, sheet=sheet)


def read_path(path: Path, *, query: str | None = None, sheet: str | None = None) -> RawTable:
    """The table in a file: delimited text, .xlsx, Parquet, or (with a query) a SQLite or DuckDB file.

    Raises SourceError if the file is missing, unreadable, not one rectangular table, or changed meanwhile.
    """
    path = Path(path)
    data, before = _bytes(path)
    what = path.name
    if _is_database(data) and query is not None:
        kind = "sqlite" if data.startswith(_SQLITE) else "duckdb"
        table = read_database(f"{kind}:///{path.name}", query, folder=path.resolve().parent)
    elif query is not None:
        raise SourceError(f"query belongs to a database, and {what} is not one; leave query out")
    else:
        table = read_data(data, what, sheet=sheet)
    if _mark(path.stat() if path.exists() else None) != before:
        raise SourceError(f"{what} changed while it was read; wait until nobody writes to it, then start again")
    return table


def read_data(data: bytes, what: str, *, sheet: str | None = None) -> RawTable:
    """The table in the bytes of a file; nothing is written to disk. what: its name, for messages.

    Raises SourceError for what is no rectangular table.
    """
    if not data:
        raise SourceError(f"{what} is empty; it needs a line of column names and the rows below it")
    if _is_database(data):
        raise SourceError(f'{what} is a database; add query = "SELECT ... FROM ..." beside source')
    if data.startswith(b"PAR1"):
        return read_parquet(data, what)
    if data.startswith(b"PK\x03\x04"):
        return read_workbook(data, what, sheet=sheet)
    if data.startswith(_OLD_EXCEL):
        raise SourceError(f"{what} is an old .xls or a workbook with a password; save it as .xlsx without one")
    if data[:5] in (b"%PDF-", b"{\\rtf") or data[:2] == b"\x1f\x8b":
        raise SourceError(f"{what} is not a table; save it as CSV, .xlsx or Parquet")
    return read_delimited(data, what)


def _is_database(head: bytes) -> bool:
    return head.startswith(_SQLITE) or head[8:12] == _DUCKDB


def _mark(stat: os.stat_result | None) -> tuple[int, int, int] | None:
    return None if stat is None else (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _bytes(path: Path) -> tuple[bytes, tuple[int, int, int] | None]:
    """The whole file (of a database the first bytes), and the state it had before it was read."""
    try:
        before = _mark(path.stat())
        if path.is_dir():
            raise SourceError(f"{path} is a folder; name one file in it")
        with path.open("rb") as file:
            data = file.read(16)
            if not _is_database(data):
                data += file.read()
    except FileNotFoundError:
        raise SourceError(f"{path} was not found{_nearest(path)}") from None
    except PermissionError:
        raise SourceError(f"{path} may not be read by you; ask for the right to read it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise SourceError(f"{path} cannot be read ({reason})") from None
    return data, before


def _nearest(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return f"; the folder {path.parent} cannot be opened"
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
