"""The countries and regions that ship with the package."""

from __future__ import annotations

import re

import pytest

from caseveil.standards import places


def test_every_entry_of_iso_3166_once() -> None:
    every = places.countries()
    assert len(every) == 249
    assert [c.iso2 for c in every] == sorted({c.iso2 for c in every})
    assert len({c.iso3 for c in every}) == len({c.name for c in every}) == 249
    assert all(re.fullmatch("[A-Z]{2}", c.iso2) and re.fullmatch("[A-Z]{3}", c.iso3) and c.name for c in every)


def test_every_country_but_antarctica_lies_in_one_region() -> None:
    assert places.regions() == ("Africa", "Americas", "Asia", "Europe", "Oceania")
    assert [c.name for c in places.countries() if not c.region or not c.subregion] == ["Antarctica"]
    parts = [places.subregions(region) for region in places.regions()]
    assert sorted(sum(parts, ())) == list(places.subregions())
    assert len(places.subregions()) == 22
    assert places.subregions("Africa") == (
        "Eastern Africa",
        "Middle Africa",
        "Northern Africa",
        "Southern Africa",
        "Western Africa",
    )


@pytest.mark.parametrize(
    ("text", "iso2"),
    [
        ("ke", "KE"),
        ("KEN", "KE"),
        ("Kenya", "KE"),
        ("  cote d'ivoire ", "CI"),
        ("Ivory Coast", "CI"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Korea (Republic of)", "KR"),
        ("Swaziland", "SZ"),
    ],
)
def test_codes_and_names_are_found(text: str, iso2: str) -> None:
    found = places.find_country(text)
    assert found is not None
    assert found.iso2 == iso2


@pytest.mark.parametrize("text", ["", "?", "Atlantis", "XX"])
def test_what_is_no_country_is_not_found(text: str) -> None:
    assert places.find_country(text) is None


def test_no_spelling_means_two_countries() -> None:
    for country in places.countries():
        for text in (country.iso2, country.iso3, country.name, *country.other_names):
            assert places.find_country(text) == country
