"""What a request holds, read with its types checked: a page may be of another version, or anybody's.

Messages name the field and what it must be, never what was there: it may be a cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from caseveil.errors import PlanError


@dataclass(frozen=True, kw_only=True)
class Given:
    """An object of a request, and where it stands, for messages."""

    place: str
    data: Mapping[str, object]

    @classmethod
    def of(cls, place: str, value: object) -> Given:
        """Raises PlanError where the value is no object."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise PlanError(f"{place} must be an object")
        return cls(place=place, data=value)

    def _wrong(self, key: str, what: str) -> PlanError:
        return PlanError(f"{self.place}.{key} must be {what}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there."""
        value = self.data.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def maybe_text(self, key: str) -> str | None:
        """A text, or None where it is null or not there."""
        return None if self.data.get(key) is None else self.text(key)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.data.get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(key, "a number")
        return float(value)

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number; 3.0 counts as one, since a page knows no other numbers."""
        value = self.data.get(key, default)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, "a whole number")
        return value

    def items(self, key: str) -> list[object]:
        """A list."""
        value = self.data.get(key)
        if not isinstance(value, list | tuple):
            raise self._wrong(key, "a list")
        return list(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.items(key)
        if not all(isinstance(item, str) for item in found):
            raise self._wrong(key, "a list of texts")
        return tuple(str(item) for item in found)

    def maybe_texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts, or None where it is null or not there."""
        return None if self.data.get(key) is None else self.texts(key)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers."""
        found = self.items(key)
        wrapped = Given(place=self.place, data={key: None})
        out = []
        for item in found:
            out.append(Given(place=wrapped.place, data={key: item}).number(key))
        return tuple(out)

    def pairs(self, key: str) -> dict[str, str]:
        """An object of texts; empty where it is not there."""
        inner = Given.of(f"{self.place}.{key}", self.data.get(key) or {})
        return {old: inner.text(old) for old in inner.data}

    def part(self, key: str) -> Given:
        """An object within."""
        return Given.of(f"{self.place}.{key}", self.data.get(key))

    def maybe_part(self, key: str) -> Given | None:
        """An object within, or None where it is null or not there."""
        return None if self.data.get(key) is None else self.part(key)

    def parts(self, key: str) -> list[Given]:
        """A list of objects."""
        return [Given.of(f"{self.place}.{key}[{at}]", item) for at, item in enumerate(self.items(key))]
