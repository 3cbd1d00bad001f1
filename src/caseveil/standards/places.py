"""Countries and territories of ISO 3166-1, and the regions that the United Nations puts them in (UN M49).

Names and regions express no opinion about the status of a place.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class Country:
    """One entry of ISO 3166-1.

    region is the UN M49 region and subregion its finest part ("Eastern Africa"); both are "" for Antarctica, which
    has none. other_names are former and short names, for looking up older data.
    """

    iso2: str
    iso3: str
    name: str
    region: str
    subregion: str
    other_names: tuple[str, ...] = ()


@cache
def countries() -> tuple[Country, ...]:
    """All 249 entries, in the order of their two-letter codes."""
    text = (files("caseveil.standards") / "data" / "countries.csv").read_text(encoding="utf-8")
    return tuple(
        Country(
            iso2=row["iso2"],
            iso3=row["iso3"],
            name=row["name"],
            region=row["region"],
            subregion=row["subregion"],
            other_names=tuple(row["other_names"].split(";")) if row["other_names"] else (),
        )
        for row in csv.DictReader(text.splitlines())
    )


def _plain(text: str) -> str:
    """Text without case, accents, punctuation and repeated blanks, to compare names by."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(kept.split())


@cache
def _index() -> Mapping[str, Country]:
    out: dict[str, Country] = {}
    for country in countries():
        for text in (country.iso2, country.iso3, country.name, *country.other_names):
            out.setdefault(_plain(text), country)
    return out


def find_country(text: str) -> Country | None:
    """The country with this code or name, whatever its case, accents and punctuation; None where there is none."""
    return _index().get(_plain(text))


def regions() -> tuple[str, ...]:
    """The five UN regions, in alphabetical order."""
    return tuple(sorted({country.region for country in countries()} - {""}))


def subregions(region: str | None = None) -> tuple[str, ...]:
    """The finest UN parts of one region, or of the whole world, in alphabetical order."""
    found = {c.subregion for c in countries() if c.subregion and region in (None, c.region)}
    return tuple(sorted(found))
