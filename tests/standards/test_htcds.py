"""The fields of HTCDS 2.0 that ship with the package."""

from __future__ import annotations

from importlib.resources import files

import pytest

from caseveil.standards import htcds
from caseveil.standards.htcds import FieldType, Identifies


def test_all_fields_are_there() -> None:
    names = [field.name for field in htcds.fields()]
    assert len(names) == len(set(names)) == 84
    assert sum(field.is_set for field in htcds.fields()) == 9


def test_values_and_labels_run_in_parallel() -> None:
    industry = htcds.find_field("vic_ForcedLabourIndustry")
    assert industry is not None
    assert len(industry.values) == 21
    assert [value[0] for value in industry.values] == [chr(ord("A") + i) for i in range(21)]
    labels = dict(zip(industry.values, industry.value_labels, strict=True))
    assert labels["F_Construction"] == "Construction"
    assert labels["P_Education"] == "Education"
    for field in htcds.fields():
        assert len(set(field.values)) == len(field.values)
        assert not (field.values and field.vocabulary)


def test_a_picklist_has_values_or_names_its_vocabulary() -> None:
    for field in htcds.fields():
        if field.type in (FieldType.PICKLIST, FieldType.MULTISELECT):
            assert field.values or "ISO" in field.vocabulary, field.name


@pytest.mark.parametrize("name", ["prs_FirstName", "First Name", "first_name", "FIRSTNAME"])
def test_names_are_found_in_any_spelling(name: str) -> None:
    found = htcds.find_field(name)
    assert found is not None
    assert found.name == "prs_FirstName"
    assert found.identifies is Identifies.NAME


def test_what_is_no_field_is_not_found() -> None:
    assert htcds.find_field("shoe size") is None
    assert htcds.find_field("") is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("prs_Birthdate", Identifies.BIRTHDATE),
        ("prs_IdentityNumber", Identifies.NUMBER),
        ("prs_MobilePhone", Identifies.CONTACT),
        ("hte_Street", Identifies.PLACE),
        ("cco_CaseComment", Identifies.FREE_TEXT),
        ("cas_CaseOwner", Identifies.LINK),
    ],
)
def test_identifying_fields_say_why(name: str, why: Identifies) -> None:
    field = htcds.find_field(name)
    assert field is not None
    assert field.identifies is why
    assert field in htcds.identifying()


@pytest.mark.parametrize("name", ["prs_Gender", "prs_Citizenship", "vic_MethodsOfControl", "per_RoleInProcess"])
def test_fields_that_releases_are_made_of_do_not_identify(name: str) -> None:
    field = htcds.find_field(name)
    assert field is not None
    assert field.identifies is None


def test_every_field_judged_identifying_exists() -> None:
    assert set(htcds._IDENTIFYING) <= {field.name for field in htcds.fields()}


def test_the_attribution_ships_beside_the_data() -> None:
    notice = (files("caseveil.standards") / "data" / "NOTICE.md").read_text(encoding="utf-8")
    assert "International" in notice
    assert "CC BY 4.0" in notice
    assert "does not endorse" in notice
