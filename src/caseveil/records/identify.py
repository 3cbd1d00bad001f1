"""Columns that look as if they name a person: by their name, or by what their cells look like.

For the steward only. Reasons say what kind of thing was met, never what it was.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from caseveil.records.raw import RawTable
from caseveil.schema.attribute import Binned
from caseveil.schema.recipe import ColumnRecipe, Recipe
from caseveil.schema.table import Table
from caseveil.standards.htcds import find_field


class Looks(StrEnum):
    """What a column that may identify people looks like; completes 'column X looks like ...'."""

    NAME = "a person's name"
    CONTACT = "contact details"
    NUMBER = "an identity number"
    BIRTHDATE = "a date of birth"
    PLACE = "an exact place"
    FREE_TEXT = "free text, which may name anyone"
    LINK = "a link to a person"
    EMAIL = "e-mail addresses"
    TELEPHONE = "telephone or identity numbers"
    DATES = "exact dates, nearly every person with one of their own"
    OWN = "an identifier: most people have a value of their own"


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_NAMED = {
    Looks.NAME: ("surname", "first name", "last name", "family name", "given name", "full name", "nickname",
        "victim name", "person name", "firstname", "lastname", "fullname", "alias", "initials"),
    Looks.CONTACT: ("email", "e mail", "phone", "telephone", "mobile", "whatsapp", "skype"),
    Looks.NUMBER: ("passport", "identity number", "national id", "ssn", "social security", "id number", "iban",
        "uuid", "case number", "file number"),
    Looks.BIRTHDATE: ("birthdate", "birth date", "date of birth", "birthday", "dob"),
    Looks.PLACE: ("address", "street", "postcode", "post code", "postal code", "zip", "zipcode", "latitude",
        "longitude", "lat", "lon", "gps", "village"),
    Looks.FREE_TEXT: ("notes", "note", "comment", "comments", "remarks", "narrative", "story"),
}  # fmt: skip
_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[A-Za-z]{2,}")
_PHONE = re.compile(r"(?:\+|00)?\d[\d ()./-]{7,}\d")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_ENOUGH = 20  # filled cells below which distinct values prove nothing


@dataclass(frozen=True, kw_only=True)
class Identifying:
    """A column that may identify people, and why."""

    column: str
    reason: Looks

    def __str__(self) -> str:
        return f"column {self.column} looks like {self.reason}"


def words(name: str) -> list[str]:
    """The words of a column name in small letters: 'yearRegister', 'year_register', 'Year register' alike."""
    return [word.casefold() for word in _WORDS.findall(name)]


def identifying_columns(
    raw: RawTable, *, released: Table | None = None, recipe: Recipe | None = None
) -> tuple[Identifying, ...]:
    """Columns that look like direct identifiers, in file order.

    With `released`, only the columns that this table would release as they are: binned ones are not. recipe: how raw
    was made; a column whose cells are those of the file is judged by its name there, too.
    """
    names = list(raw.columns)
    if released is not None:
        names = [c.name for c in released.columns if not isinstance(c, Binned) and c.name in raw.columns]
    found = []
    for name in names:
        named = _by_name(name) or _by_name(_name_in_file(name, recipe))
        reason = named or _by_cells(Counter(map(str.strip, raw.columns[name])))
        if reason is not None:
            found.append(Identifying(column=name, reason=reason))
    return tuple(found)


def _name_in_file(name: str, recipe: Recipe | None) -> str:
    one = ColumnRecipe(column=name) if recipe is None else recipe.of(name)
    return name if one.derive or one.group else one.of_file


def _by_name(name: str) -> Looks | None:
    field = find_field(name)
    if field is not None and field.identifies is not None:
        return Looks[field.identifies.name]
    spoken = f" {' '.join(words(name))} "
    if spoken.strip() == "name":
        return Looks.NAME
    for reason, parts in _NAMED.items():
        if any(f" {part} " in spoken for part in parts):
            return reason
    return None


def _by_cells(tally: Counter[str]) -> Looks | None:
    """A reason in the cells, given how often each occurs."""
    tally.pop("", None)
    filled = sum(tally.values())
    if not filled:
        return None
    if any(_EMAIL.fullmatch(cell) for cell in tally):
        return Looks.EMAIL
    if filled < _ENOUGH:
        return None
    own = len(tally) / filled
    if own > 0.2 and _share(tally, _PHONE, filled) > 0.2 and _share(tally, _DATE, filled) < 0.2:
        return Looks.TELEPHONE
    if own > 0.5 and _share(tally, _DATE, filled) > 0.8:
        return Looks.DATES
    spaces = sum(cell.count(" ") * times for cell, times in tally.items()) / filled
    if own > 0.2 and spaces > 5:
        return Looks.FREE_TEXT
    if own > 0.5:
        return Looks.OWN
    return None


def _share(tally: Counter[str], pattern: re.Pattern[str], filled: int) -> float:
    return sum(times for cell, times in tally.items() if pattern.fullmatch(cell)) / filled
