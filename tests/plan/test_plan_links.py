"""Plans of linked tables: what is read, what is refused and in which words, and what the digest covers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from caseveil.errors import PlanError
from caseveil.plan import Plan, TablePlan
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit

TEXT = """
[release]
name = "cases"
version = "1"
[privacy]
unit = "victim"
epsilon = 1.0
[tables.perpetrators]
source = "perpetrators.csv"
key = "perpetrator_id"
links = { to = "victims", key = "victim_id", at_most = 6 }
[tables.perpetrators.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.perpetrators.columns.role]
kind = "multi"
values = ["Recruiter", "Transporter"]
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
[flattened.sex]
from = "victims.gender"
recode = { Female = "F", Male = "" }
meaning = "as in the older files"
[flattened.recruited]
from = "perpetrators.role"
has = "Recruiter"
yes = "x"
[flattened.sector]
from = "victims.sector"
recode = { Farming = "Farm" }
"""

EITHER = ('unit = "victim"', 'unit = "victim or perpetrator"')
SHARED = ("at_most = 6 }", "at_most = 6, shared_by_at_most = 3 }")


def changed(*changes: tuple[str, str]) -> str:
    text = TEXT
    for old, new in changes:
        assert old in text, f"{old!r} does not stand in the example"
        text = text.replace(old, new, 1)
    return text


def test_tables_stand_in_the_same_order_however_they_are_written() -> None:
    plan = Plan.from_toml(TEXT, Path())
    first, second = plan.tables
    assert (first.table.name, first.link) == ("victims", None)
    assert (second.table.name, second.link) == ("perpetrators", Link(to="victims", key="victim_id", at_most=6))
    assert second.table.key == "perpetrator_id"
    turned = dataclasses.replace(plan, tables=plan.tables[::-1])
    assert turned == plan
    assert turned.digest() == plan.digest()


def test_the_derived_table_is_read() -> None:
    assert Plan.from_toml(TEXT, Path()).flattened == (
        FlattenedColumn(
            name="sex", table="victims", column="gender", recode={"Female": "F", "Male": ""},
            meaning="as in the older files",
        ),
        FlattenedColumn(name="recruited", table="perpetrators", column="role", has="Recruiter", yes="x"),
        FlattenedColumn(name="sector", table="victims", column="sector", recode={"Farming": "Farm"}),
    )  # fmt: skip


def test_links_may_be_a_section_of_their_own() -> None:
    section = '[tables.perpetrators.links]\nto = "victims"\nkey = "victim_id"\nat_most = 6\n'
    text = changed(('links = { to = "victims", key = "victim_id", at_most = 6 }\n', section))
    assert Plan.from_toml(text, Path()) == Plan.from_toml(TEXT, Path())


def test_both_may_be_units() -> None:
    plan = Plan.from_toml(changed(EITHER, SHARED), Path())
    assert plan.unit.either
    assert plan.tables[1].link == Link(to="victims", key="victim_id", at_most=6, shared_by_at_most=3)
    assert not Plan.from_toml(TEXT, Path()).unit.either


@pytest.mark.parametrize("changes", [(), (EITHER, SHARED)])
def test_written_plans_read_back_equal(changes: tuple[tuple[str, str], ...]) -> None:
    plan = Plan.from_toml(changed(*changes), Path())
    again = Plan.from_toml(plan.to_toml(), Path("elsewhere"))
    assert again == plan
    assert again.digest() == plan.digest()


def test_the_digest_moves_with_links_and_the_derived_table() -> None:
    texts = [
        TEXT,
        changed(("at_most = 6", "at_most = 5")),
        changed(('links = { to = "victims", key = "victim_id"', 'links = { to = "victims", key = "of"')),
        changed(EITHER, SHARED),
        changed(EITHER, ("at_most = 6 }", "at_most = 6, shared_by_at_most = 2 }")),
        changed(("[flattened.sex]", "[flattened.gender]")),
        changed(('Female = "F"', 'Female = "W"')),
        changed(('yes = "x"', 'yes = "y"')),
        changed(('has = "Recruiter"', 'has = "Transporter"')),
        changed(('from = "victims.gender"', 'from = "perpetrators.gender"')),
        changed(("as in the older files", "as before")),
        TEXT.partition("[flattened.")[0],
    ]
    digests = [Plan.from_toml(text, Path()).digest() for text in texts]
    assert len(set(digests)) == len(texts)


LINK = 'links = { to = "victims", key = "victim_id", at_most = 6 }'
THIRD = '[tables.other]\nsource = "o"\n[tables.other.columns.b]\nkind = "category"\n[tables.victims]\n'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (LINK, "", "tables (perpetrators, victims) must be linked: give the table with several rows"),
        (LINK, 'links = "victims"', "tables.perpetrators.links (a text) must be a section, for example {"),
        ("at_most = 6", "at_mots = 6", "tables.perpetrators.links.at_mots is not known; did you mean at_most?"),
        (", at_most = 6", "", "tables.perpetrators.links.at_most is missing: a whole number that is public knowledge"),
        ("at_most = 6", "at_most = 0", "tables.perpetrators.links.at_most (0) must be a whole number of 1 or more"),
        ("at_most = 6", "at_most = 13", "tables.perpetrators.links.at_most (13) must be 12 or less"),
        ("at_most = 6", "at_most = 6.0", "tables.perpetrators.links.at_most (a number) must be a whole number"),
        ("at_most = 6", "at_most = true", "tables.perpetrators.links.at_most (true or false) must be"),
        ('to = "victims"', 'to = "victim"', "must name a table of this plan; did you mean victims?"),
        ('to = "victims"', 'to = "perpetrators"', "links.to ('perpetrators') must name another table"),
        ('to = "victims"', 'to = " "', "tables.perpetrators.links.to ('') must name a table"),
        ('key = "victim_id", ', "", "tables.perpetrators.links.key is missing"),
        ('key = "victim_id", ', 'key = "gender", ', "links.key ('gender') must not be a released column"),
        ('key = "victim_id", ', 'key = "perpetrator_id", ', "must not be the column of links.key"),
        ('victims.csv"\nkey = "victim_id"', 'victims.csv"', "tables.victims.key is missing: it must name the column"),
        (
            'victims.csv"\nkey = "victim_id"',
            'victims.csv"\nkey = "i"\nlinks = { to = "perpetrators", key = "p", at_most = 1 }',
            "tables (perpetrators, victims) must not link to each other in a circle",
        ),
        ("[tables.victims]\n", THIRD, "tables (perpetrators, other, victims) must be at most two"),
        ('source = "victims.csv"\n', 'source = "victims.csv"\nat_most = 3\n', "belongs to [tables.victims.links]"),
        ('unit = "victim"', 'unit = "victim and perpetrator"', "or be exactly 'victim or perpetrator'"),
        ('unit = "victim"', 'unit = "Victim or Perpetrator"', "or be exactly 'victim or perpetrator'"),
        ('unit = "victim"', 'unit = "perpetrator"', "privacy.unit ('perpetrator') must name one row of victims"),
        ('unit = "victim"', 'unit = "victim/offender"', "must name one row of victims"),
        (*EITHER, "links.shared_by_at_most is missing: unit 'victim or perpetrator' needs the most"),
        (*SHARED, "links.shared_by_at_most (3) must be left out unless privacy.unit is 'victim or perpetrator'"),
        ("[tables.victims.columns.sector]", "[tables.victims.columns.gender2]", "released column of victims"),
        ("flattened.sex", "flatened.sex", "flatened is not known; did you mean flattened?"),
        ('from = "victims.gender"', 'form = "victims.gender"', "flattened.sex.form is not known; did you mean from?"),
        ('from = "victims.gender"', 'from = "gender"', "flattened.sex.from must name a table and a column"),
        ('from = "victims.gender"', 'from = "victim.gender"', "a table of this plan: did you mean victims?"),
        ('from = "victims.gender"', 'from = "victims.gendre"', "from ('victims.gendre') must name a released"),
        ('from = "victims.gender"', 'from = "victims.gendre"', "did you mean gender?"),
        ("Female = ", "female = ", "('female') must rename values of victims.gender: did you mean Female?"),
        ('Female = "F"', 'Female = "F;W"', "flattened.sex.recode ('F;W') must not hold ';'"),
        ('Female = "F"', "Female = 1", "flattened.sex.recode.Female (a whole number) must be a text in quotes"),
        ('has = "Recruiter"', 'has = "Recruter"', "has ('Recruter') must be a value of perpetrators.role"),
        ('has = "Recruiter"', "", "flattened.recruited.yes ('x') needs has"),
        ('has = "Recruiter"', 'has = "Recruiter"\nrecode = { Recruiter = "R" }', "must have recode or has, not both"),
        ('yes = "x"', 'yes = " "', "flattened.recruited.yes ('') must be a text"),
    ],
)  # fmt: skip
def test_refusals_name_the_place_and_the_remedy(old: str, new: str, words: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan.from_toml(changed((old, new)), Path())
    assert words in str(caught.value)


def test_what_the_second_unit_needs() -> None:
    for more, words in (
        (('key = "perpetrator_id"\n', ""), "tables.perpetrators.key is missing: unit 'victim or perpetrator' needs"),
        (('values = ["Recruiter", "Transporter"]', ""), "tables.perpetrators.columns (role) must declare values"),
    ):
        with pytest.raises(PlanError) as caught:
            Plan.from_toml(changed(EITHER, SHARED, more), Path())
        assert words in str(caught.value)


def test_the_second_unit_needs_links() -> None:
    table = TablePlan(table=Table(name="t", columns=(Category(name="c"),)))
    plan = Plan.from_toml(TEXT, Path())
    for name in ("victim or perpetrator", "Victim or perpetrator"):
        with pytest.raises(PlanError, match="needs a second table with links"):
            dataclasses.replace(plan, unit=PrivacyUnit(name=name), tables=(table,), flattened=())
    alone = dataclasses.replace(plan, unit=PrivacyUnit(name="perpetrator"), tables=(table,), flattened=())
    assert alone.tables == (table,)


def test_a_derived_table_needs_links() -> None:
    plan = Plan.from_toml(TEXT, Path())
    with pytest.raises(PlanError, match="flattened needs a second table with links"):
        dataclasses.replace(plan, tables=plan.tables[:1])
    with pytest.raises(PlanError, match=r"flattened\.sex stands twice"):
        dataclasses.replace(plan, flattened=plan.flattened[:1] * 2)


def test_a_linked_table_alone_has_nobody_to_link_to() -> None:
    plan = Plan.from_toml(TEXT, Path())
    with pytest.raises(PlanError, match=r"must name a table of this plan; add the table of people"):
        dataclasses.replace(plan, tables=plan.tables[1:], flattened=())


@pytest.mark.parametrize(
    ("people", "linked", "words"),
    [
        ("victims", "flattened", "tables.flattened must have another name"),
        ("Links", "perpetrators", "tables.Links must have another name"),
        ("a.b", "perpetrators", "must have no '.' in its name"),
        ("cases", "Cases", "must differ from cases by more than capitals"),
    ],
)
def test_names_that_linked_tables_cannot_have(people: str, linked: str, words: str) -> None:
    plan = Plan.from_toml(TEXT, Path())
    first = TablePlan(table=Table(name=people, columns=(Category(name="c"),), key="i"))
    second = TablePlan(
        table=Table(name=linked, columns=(MultiChoice(name="c"),)), link=Link(to=people, key="i", at_most=2)
    )
    with pytest.raises(PlanError) as caught:
        dataclasses.replace(plan, tables=(first, second), flattened=())
    assert words in str(caught.value)


def test_a_single_table_may_still_have_those_names() -> None:
    plan = Plan.from_toml(TEXT, Path())
    for name in ("links", "flattened", "a.b"):
        table = Table(name=name, columns=(Category(name="c"),))
        assert dataclasses.replace(plan, tables=(TablePlan(table=table),), flattened=()).tables[0].table.name == name
