"""Pieces of release.toml with their places, so that every refusal says where and what must stand there."""

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from caseveil.errors import PlanError

_REQUIRED = object()


@dataclass(frozen=True, kw_only=True)
class Section:
    """One table of the TOML text, with its place for messages."""

    place: str
    data: Mapping[str, object]

    def at(self, key: str) -> str:
        """The place of a key of this section."""
        return f"{self.place}.{key}" if self.place else key

    def refuse_unknown(self, known: Mapping[str, object], home: Mapping[str, str]) -> None:
        """Raises PlanError for the first key that is not known here; home says where a stray key belongs."""
        for key in self.data:
            if key in known:
                continue
            near = difflib.get_close_matches(key, known, n=1)
            if key in home:
                hint = f"{key} belongs to {home[key]}"
            elif near:
                hint = f"did you mean {near[0]}?"
            else:
                hint = f"known here: {', '.join(known)}"
            raise PlanError(f"{_short(self.at(key))} is not known; {hint}")

    def _get(self, key: str, default: object, takes: str) -> object:
        if key in self.data:
            return self.data[key]
        if default is _REQUIRED:
            raise PlanError(f"{self.at(key)} is missing: {takes} must stand there")
        return default

    def _wrong(self, key: str, value: object, takes: str) -> PlanError:
        return PlanError(f"{self.at(key)} ({sort_of(value)}) must be {takes}")

    def text(self, key: str, default: object = _REQUIRED) -> str:
        """A text; without a default it must be there."""
        value = self._get(key, default, "a text in quotes")
        if not isinstance(value, str):
            raise self._wrong(key, value, "a text in quotes")
        return value

    def maybe_text(self, key: str) -> str | None:
        """A text, or None where there is none."""
        return self.text(key) if key in self.data else None

    def number(self, key: str, default: object = _REQUIRED, takes: str = "a number") -> float:
        """A finite number."""
        value = self._get(key, default, takes)
        if isinstance(value, str) and _is_number(value):
            raise PlanError(f"{self.at(key)} ({value[:30]!r}) must be {takes}, written without quotes")
        return finite(self.at(key), value, takes)

    def whole(self, key: str, default: object = _REQUIRED, takes: str = "a whole number") -> int:
        """A whole number below 2^53."""
        value = self._get(key, default, takes)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, value, "a whole number, written without quotes")
        if abs(value) >= 2**53:
            raise PlanError(f"{self.at(key)} must be below 2^53")
        return value

    def day(self, key: str) -> str:
        """A year, a month or a day, as ISO text."""
        value = self._get(key, _REQUIRED, "a date")
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return value.isoformat()
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self._wrong(key, value, "a year, a month or a day, for example 2026-12-31")
        return value

    def items(self, key: str, takes: str) -> list[object] | None:
        """A list, or None where there is none; takes says what it holds."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, list):
            raise self._wrong(key, value, f"a list of {takes}, in square brackets")
        return value

    def section(self, key: str, example: str) -> Section:
        """A section within this one."""
        value = self._get(key, _REQUIRED, f"a section, for example {example}")
        if not isinstance(value, dict):
            raise self._wrong(key, value, f"a section, for example {example}")
        return Section(place=self.at(key), data=value)


def sort_of(value: object) -> str:
    """What kind of thing a TOML value is. The value itself may be a secret (a database URL): it is not shown."""
    names = {
        bool: "true or false",
        str: "a text",
        int: "a whole number",
        float: "a number",
        list: "a list",
        dict: "a section",
    }
    return names.get(type(value), "a date or time")


def _short(place: str) -> str:
    return place if len(place) <= 120 else place[:117] + "..."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def finite(place: str, value: object, takes: str) -> float:
    """The value as a float. Raises PlanError unless it is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise PlanError(f"{place} ({sort_of(value)}) must be {takes}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise PlanError(f"{place} must be finite")
    return number


@contextmanager
def placed(prefix: str) -> Iterator[None]:
    """Errors of the values themselves name their field; put the place before it."""
    try:
        yield
    except PlanError as error:
        raise PlanError(f"{prefix}{error}") from None


def labels_of(place: str, items: list[object] | None, key: str) -> tuple[str, ...] | None:
    """A list of texts or whole numbers, as cells are written; None for none. Raises PlanError."""
    if items is None:
        return None
    labels = []
    for item in items:
        if isinstance(item, int) and not isinstance(item, bool) and abs(item) < 2**53:
            labels.append(str(item))
        elif isinstance(item, str):
            labels.append(item)
        else:
            raise PlanError(
                f"{place}.{key} (holding {sort_of(item)}) must hold texts in quotes, written as in the data"
            )
    # Cells are compared without the blanks around them, so a label with such blanks could never match.
    padded = [label for label in labels if label != label.strip()]
    if padded:
        raise PlanError(
            f"{place}.{key} ({padded[0][:40]!r}) must have no blanks at its ends: cells are read without them"
        )
    return tuple(labels)


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that is not known here: the likeliest one meant, or all; '' for none."""
    choices = list(known)
    if not choices:
        return ""
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    shown = ", ".join(choices[:12]) + (", ..." if len(choices) > 12 else "")
    return f"did you mean {folded[near[0]]}?" if near else f"known here: {shown}"
