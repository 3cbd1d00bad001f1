"""A table as it was read: named columns of text, nothing interpreted yet."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from caseveil.errors import SourceError

_WHOLE = 1e15  # floats below this carry every whole number exactly, so "17.0" may be written as "17"


@dataclass(frozen=True, kw_only=True, repr=False)
class RawTable:
    """Private rows as text.

    columns keeps the order of the source; a null is ''. note says how the text was read where that is doubtful;
    guessed: the encoding where that is the doubt.
    file: the columns of the file, where a recipe made others of them (see `recipe`); None where they are `columns`.
    """

    columns: Mapping[str, Sequence[str]]
    note: str = ""
    guessed: str = ""
    file: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        if len({len(cells) for cells in (*self.columns.values(), *(self.file or {}).values())}) > 1:
            raise ValueError("columns must be equally long")

    def of_file(self, name: str) -> Sequence[str] | None:
        """Cells of the file in the column of this name, whatever a recipe made of it; None where there is none."""
        return (self.columns if self.file is None else self.file).get(name)

    @property
    def n(self) -> int:
        """Number of rows. Private."""
        return next((len(cells) for cells in self.columns.values()), 0)

    def __repr__(self) -> str:
        return f"RawTable(columns={list(self.columns)})"


def cell_text(value: object) -> str:
    """One typed cell as text.

    Nulls of every kind (None, NaN, NaT, pandas' NA) become ''. Whole numbers lose '.0'; truth values are
    'true' and 'false'; dates and times are ISO 8601, and a time of midnight is left out, because Excel and
    databases keep dates so; the items of a list are joined by ';'. Raises SourceError for bytes and objects.
    """
    if type(value) is str:
        return value
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if number != number:
            return ""
        return str(int(number)) if number.is_integer() and abs(number) < _WHOLE else repr(number)
    if isinstance(value, Decimal):
        if value.is_nan():
            return ""
        whole = value.is_finite() and value == value.to_integral_value()
        return str(int(value)) if whole else str(value.normalize())
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return "" if np.isnat(value) else cell_text(value.astype("datetime64[us]").item())
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return ";".join(cell_text(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value))
    if isinstance(value, str):
        return str(value)
    raise SourceError(f"cells must be text, numbers, truth values, dates or lists of them, not {type(value).__name__}")


def column_texts(cells: Sequence[object]) -> list[str]:
    """Cells of one column as text, equal texts stored once."""
    once: dict[str, str] = {}
    keep = once.setdefault
    out: list[str] = []
    for cell in cells:
        text = cell if type(cell) is str else cell_text(cell)
        out.append(keep(text, text))
    return out


def checked_names(names: Sequence[object], what: str) -> list[str]:
    """Column names, stripped. SourceError gives positions only: without a header line they would be cells."""
    out: list[str] = []
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not isinstance(name, str):
            raise SourceError(
                f"{what}: the name of column {position} must be text, not {type(name).__name__}; rename it"
            )
        text = name.strip()
        if not text:
            raise SourceError(f"{what}: column {position} has no name; name it in the first line, or remove the column")
        if text in first:
            raise SourceError(
                f"{what}: columns {first[text]} and {position} have the same name; "
                f"rename one of them (does the first line hold the column names?)"
            )
        first[text] = position
        out.append(text)
    if not out:
        raise SourceError(f"{what} has no columns")
    return out
