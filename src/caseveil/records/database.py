"""The result of a query to columns: DuckDB through its own package, every other database through SQLAlchemy.

Nothing of a URL but its kind, host and database name may appear in an error, and nothing that a driver
says, because drivers quote cells and passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from caseveil.errors import SourceError
from caseveil.records.extras import extra
from caseveil.records.raw import RawTable, cell_text, checked_names

_BATCH = 10_000
_CHECK = "run the query in the database's own client to see why"


def is_url(source: str) -> bool:
    """Whether a source is a database URL and not a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+._-]+://", source) is not None


def read_database(url: str, query: str, *, folder: Path | None = None) -> RawTable:
    """Columns of the result of one query.

    folder is where relative paths of file databases (sqlite:///cases.db, duckdb:///cases.duckdb) start.
    The connection is closed without a commit. Raises SourceError.
    """
    if not query.strip():
        raise SourceError("query ('') must be a SELECT statement when the source is a database")
    if not is_url(url):
        raise SourceError("the database source must be a URL such as sqlite:///cases.db or postgresql://host/name")
    scheme = url.partition("://")[0].lower()
    if scheme == "duckdb":
        return _read_duckdb(_database_file(url, folder), query)
    return _read_sqlalchemy(url, query, folder)


def _database_file(url: str, folder: Path | None) -> Path | None:
    """The file behind sqlite:///path or duckdb:///path; None in memory. SourceError if it does not exist."""
    place = url.partition("://")[2].partition("?")[0].removeprefix("/")
    if place in ("", ":memory:"):
        return None
    path = (folder or Path()) / place
    if not path.is_file():  # a driver would make an empty database of that name
        raise SourceError(f"the database file {path.name} was not found; check the path in source")
    return path


def _read_duckdb(path: Path | None, query: str) -> RawTable:
    duckdb = extra("duckdb", "reading DuckDB databases")
    what = f"the query to {path.name if path else 'duckdb'}"
    try:
        connection = duckdb.connect(str(path), read_only=True) if path else duckdb.connect()
    except Exception as error:
        raise SourceError(f"{what}: the database cannot be opened ({type(error).__name__})") from None
    try:
        try:
            result = connection.execute(query)
            names = [column[0] for column in result.description or ()]
        except Exception as error:
            raise SourceError(f"{what} failed ({type(error).__name__}); {_CHECK}") from None
        return _collect(names, iter(lambda: _fetch(result, what), []), what)
    finally:
        connection.close()


def _read_sqlalchemy(url: str, query: str, folder: Path | None) -> RawTable:
    sqlalchemy = extra("sqlalchemy", "reading databases")
    try:
        address = sqlalchemy.engine.make_url(url)
    except Exception:
        raise SourceError(
            "the database URL cannot be read; it looks like postgresql://user:password@host/name"
        ) from None
    what = f"the query to {address.get_backend_name()} at {address.host or _base(address.database)}"
    if address.get_backend_name() == "sqlite":
        path = _database_file(url, folder)
        address = address.set(database=str(path)) if path else address
    try:
        engine = sqlalchemy.create_engine(address)
    except sqlalchemy.exc.NoSuchModuleError:
        raise SourceError(
            f"{what}: this kind of database is not known; its SQLAlchemy dialect must be installed"
        ) from None
    except ImportError as error:
        raise SourceError(f"{what} needs the package {error.name or 'of its driver'}, which is not installed") from None
    except Exception as error:
        raise SourceError(f"{what}: the URL is not accepted ({type(error).__name__})") from None
    try:
        try:
            # no_parameters: '%' and ':' of the statement reach the database as they are.
            connection = engine.connect().execution_options(no_parameters=True, stream_results=True)
        except Exception as error:
            raise SourceError(
                f"{what}: no connection ({type(error).__name__}); check host, name and password"
            ) from None
        with connection:
            try:
                result = connection.exec_driver_sql(query)
                names = list(result.keys())
            except Exception as error:
                raise SourceError(f"{what} failed ({type(error).__name__}); {_CHECK}") from None
            return _collect(names, iter(lambda: _fetch(result, what), []), what)
    finally:
        engine.dispose()


def _base(database: str | None) -> str:
    return Path(database).name if database else "this machine"


def _fetch(result: Any, what: str) -> list[Sequence[object]]:
    try:
        return list(result.fetchmany(_BATCH))
    except Exception as error:
        raise SourceError(f"{what} broke off ({type(error).__name__}); {_CHECK}") from None


def _collect(names: Sequence[object], batches: Iterable[list[Sequence[object]]], what: str) -> RawTable:
    checked = checked_names(names, what)
    columns: list[list[str]] = [[] for _ in checked]
    once: dict[str, str] = {}
    for batch in batches:
        for name, column, cells in zip(checked, columns, zip(*batch, strict=True), strict=True):
            try:
                column.extend(once.setdefault(text, text) for text in map(cell_text, cells))
            except SourceError as error:
                raise SourceError(f"column {name}: {error}") from None
    return RawTable(columns=dict(zip(checked, columns, strict=True)))
