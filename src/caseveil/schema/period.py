"""Who joined the data when: disjoint groups of people, each counted in a release of its own."""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass

from caseveil.errors import PlanError

_TIME = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def first_day(text: str) -> int | None:
    """Ordinal of the first day that '2026', '2026-03' or '2026-03-31' names; None for any other text."""
    return _day(text, last=False)


def last_day(text: str) -> int | None:
    """Ordinal of the last day that '2026', '2026-03' or '2026-03-31' names; None for any other text."""
    return _day(text, last=True)


def _day(text: str, *, last: bool) -> int | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    month, day = (None if part is None else int(part) for part in found.groups()[1:])
    try:
        year, month = int(found.group(1)), month or (12 if last else 1)
        day = day or (calendar.monthrange(year, month)[1] if last else 1)
        return datetime.date(year, month, day).toordinal()
    except ValueError:
        return None


def days_joined(cell: str) -> tuple[int, int] | None:
    """Ordinals of the first and the last day that a cell may mean: a day, with or without a time of day, or a month or
    a year. None where it holds no date."""
    text = cell.strip()
    text = text[:10] if text[10:11] in ("T", " ") else text
    first, last = first_day(text), last_day(text)
    return None if first is None or last is None else (first, last)


@dataclass(frozen=True, kw_only=True)
class Period:
    """People who joined after `after` and no later than `until`, by what stands in the column `joined` of their row.

    after, until: a year, a month or a day, as ISO text; each stands for its last day, so that 2025 and 2025-12-31 are
    the same. after None: since the beginning. Raises PlanError.
    """

    joined: str
    until: str
    after: str | None = None

    def __post_init__(self) -> None:
        if not self.joined.strip():
            raise PlanError("joined ('') must name the column that says when a person came into the data")
        for name, text in (("until", self.until), ("after", self.after)):
            if text is not None and last_day(text) is None:
                raise PlanError(f"{name} ({text[:40]!r}) must be a year, a month or a day, for example 2026-12-31")
        if self.after is not None and self.start >= self.end:
            raise PlanError(f"after ({self.after}) must come before until ({self.until})")

    @property
    def start(self) -> int:
        """Ordinal of the last day before the period; 0 since the beginning."""
        return 0 if self.after is None else last_day(self.after) or 0

    @property
    def end(self) -> int:
        """Ordinal of its last day."""
        return last_day(self.until) or 0

    def holds(self, text: str) -> bool | None:
        """Whether a person with this text in the column joined in the period.

        None where that cannot be told: the text is no date, or names a year or month within which the period begins or
        ends.
        """
        days = days_joined(text)
        if days is None or any(days[0] <= edge < days[1] for edge in (self.start, self.end)):
            return None
        return self.start < days[0] <= self.end

    def from_beginning(self) -> Period:
        """Everybody who joined no later than the end of the period."""
        return Period(joined=self.joined, until=self.until)

    def __str__(self) -> str:
        return f"until {self.until}" if self.after is None else f"after {self.after} until {self.until}"
