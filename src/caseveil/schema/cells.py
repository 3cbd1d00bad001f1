"""What a text says: a number, a day, a month. One reading for bins, for recipes and for the check of a plan."""

from __future__ import annotations

import datetime
import re

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ]\d{2}:\d{2}.*)?)?)?", re.ASCII)


def number_of(text: str) -> float | None:
    """A number with a decimal point; no thousands marks, no NaN; a number too large for a float is none."""
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if abs(number) != float("inf") else None


def day_of(text: str) -> int | None:
    """Ordinal of an ISO date or date and time; a year or a month stands for its first day."""
    found = date_of(text)
    return None if found is None else datetime.date(found[0], found[1] or 1, found[2] or 1).toordinal()


def date_of(text: str) -> tuple[int, int | None, int | None] | None:
    """Year, month and day of an ISO date, with a time or without; None for the parts that 2015 or 2015-06 leave open.

    None for any other text, and for days that no calendar has.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None
    try:
        datetime.date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return None
    return year, month, day
