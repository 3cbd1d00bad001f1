"""The fields of the Human Trafficking Case Data Standard (HTCDS) 2.0.

The standard is by the International Organization for Migration (IOM), licensed under CC BY 4.0; see NOTICE.md beside
the data for what was changed. IOM does not endorse this software. Which fields identify a person is our judgement.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files


class FieldType(Enum):
    """What a field holds, in the words of the standard."""

    TEXT = "Text"
    LONG_TEXT = "Long Text"
    NUMBER = "Number"
    DATE = "Date"
    CHECKBOX = "Checkbox"
    PICKLIST = "Picklist"
    PICKLIST_OR_TEXT = "Picklist or Text"
    MULTISELECT = "Multiselect Picklist"
    GEOLOCATION = "Geolocation"
    TO_ORGANISATION = "Lookup [to organisation]"
    TO_PERSON = "Lookup [to person]"
    TO_USER = "Lookup [to user]"


class Identifies(Enum):
    """Why a field must never be released."""

    NAME = "a person's name"
    CONTACT = "a person's contact details"
    NUMBER = "an identity number"
    BIRTHDATE = "a date of birth"
    PLACE = "an exact place"
    FREE_TEXT = "free text, which may name anyone"
    LINK = "a link to a person"


_IDENTIFYING = {
    "prs_FirstName": Identifies.NAME,
    "prs_MiddleName": Identifies.NAME,
    "prs_SecondName": Identifies.NAME,
    "prs_Birthdate": Identifies.BIRTHDATE,
    "prs_IdentityNumber": Identifies.NUMBER,
    "prs_Email": Identifies.CONTACT,
    "prs_HomePhone": Identifies.CONTACT,
    "prs_MobilePhone": Identifies.CONTACT,
    "prs_MailingCity": Identifies.PLACE,
    "prs_MailingStreet": Identifies.PLACE,
    "prs_MailingPostalCode": Identifies.PLACE,
    "prs_MailingLongitude": Identifies.PLACE,
    "prs_MailingLatitude": Identifies.PLACE,
    "hte_City": Identifies.PLACE,
    "hte_Street": Identifies.PLACE,
    "hte_PostalCode": Identifies.PLACE,
    "hte_Longitude": Identifies.PLACE,
    "hte_Latitude": Identifies.PLACE,
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of the standard.

    values and value_labels run in parallel; both are empty where the field takes free values or follows an outside
    vocabulary, which `vocabulary` then names ("Use ISO 3166 country codes standard").
    """

    section: str
    deprecated: bool
    core: bool
    name: str
    label: str
    type: FieldType
    values: tuple[str, ...]
    value_labels: tuple[str, ...]
    vocabulary: str
    description: str
    notes: str

    def __post_init__(self) -> None:
        if len(self.values) != len(self.value_labels):
            raise ValueError(f"{self.name} has {len(self.values)} values and {len(self.value_labels)} labels")

    @property
    def is_set(self) -> bool:
        """Whether one cell may hold several values."""
        return self.type is FieldType.MULTISELECT

    @property
    def identifies(self) -> Identifies | None:
        """Why the field must never be released, or None."""
        if self.type is FieldType.LONG_TEXT:
            return Identifies.FREE_TEXT
        if self.type in (FieldType.TO_PERSON, FieldType.TO_USER):
            return Identifies.LINK
        return _IDENTIFYING.get(self.name)


def _items(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


@cache
def fields() -> tuple[Field, ...]:
    """All 84 fields, in the order of the standard."""
    text = (files("caseveil.standards") / "data" / "htcds_2_0_fields.csv").read_text(encoding="utf-8")
    return tuple(
        Field(
            section=row["section"],
            deprecated=row["status"] == "DEPRECATED",
            core=row["core"] == "yes",
            name=row["name"],
            label=row["label"],
            type=FieldType(row["type"]),
            values=_items(row["values"]),
            value_labels=_items(row["value_labels"]),
            vocabulary=row["vocabulary"],
            description=row["description"],
            notes=row["notes"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def _key(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


@cache
def _index() -> dict[str, Field]:
    """Fields by name, by name without prefix and by label. A spelling that two fields share finds the first."""
    out: dict[str, Field] = {}
    for field in fields():
        out.setdefault(_key(field.name), field)
    for field in fields():
        out.setdefault(_key(field.name.partition("_")[2]), field)
    for field in fields():
        out.setdefault(_key(field.label), field)
    return out


def find_field(name: str) -> Field | None:
    """The field of this name or label: prs_FirstName, first_name and "First Name" are the same. None if unknown."""
    return _index().get(_key(name))


def identifying() -> tuple[Field, ...]:
    """The fields that must never be released."""
    return tuple(field for field in fields() if field.identifies is not None)
