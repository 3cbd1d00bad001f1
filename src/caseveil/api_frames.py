"""Between the frames that Python users hold and the tables inside."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from caseveil.errors import PlanError
from caseveil.records.raw import RawTable, cell_text
from caseveil.records.source import from_frame, read, to_frame_like

Progress = Callable[[str, float], None]


def plain(value: Any) -> Any:
    """A numpy number as the Python number it is; anything else as it came, for the plan to judge."""
    return value.item() if isinstance(value, np.generic) else value


def is_place(frame: Any) -> bool:
    """Whether a frame was given as a path or a database URL."""
    return isinstance(frame, (str, os.PathLike))


def rows_of(frame: Any, query: str | None = None) -> RawTable:
    """The rows of a frame, a file or a database URL with its query. Raises BadInput."""
    if query is not None and not is_place(frame):
        raise PlanError("query must be left out unless frame is a database URL")
    return read(os.fspath(frame), query=query) if is_place(frame) else from_frame(frame)


def frame_like(frame: Any, columns: Mapping[str, Any]) -> Any:
    """The columns as the same kind of frame; for a path as pandas where it is installed, else pyarrow, else a dict."""
    return to_frame_like(_frame_for_paths() if is_place(frame) else frame, columns)


def _frame_for_paths() -> Any:
    try:
        import pandas

        return pandas.DataFrame()
    except ImportError:
        pass
    try:
        import pyarrow

        return pyarrow.table({})
    except ImportError:
        return {}


def declared(
    columns: Sequence[str], domains: Mapping[str, Sequence[object]] | None, place: str = "domains"
) -> dict[str, tuple[str, ...] | None]:
    """Declared values of every column; None where there are none. Raises PlanError."""
    if domains is not None and not isinstance(domains, Mapping):
        raise PlanError(f"{place} must map a column name to its values, as {{'gender': ['Female', 'Male']}}")
    unknown = [name for name in domains or {} if name not in columns]
    if unknown:
        raise PlanError(f"{place} names columns that the frame does not have: {', '.join(map(str, unknown))}")
    return {name: values_of(name, domains, place) for name in columns}


def values_of(
    name: str, domains: Mapping[str, Sequence[object]] | None, place: str = "domains"
) -> tuple[str, ...] | None:
    """Declared values of one column as text, each once. Raises PlanError."""
    if domains is None or name not in domains:
        return None
    given = domains[name]
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise PlanError(f"{place}[{name!r}] must be a list of values")
    return tuple(dict.fromkeys(text for value in given if (text := cell_text(value).strip())))
