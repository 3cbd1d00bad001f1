"""Keys of release.toml that prepare rows: read, refused in which words, written back, and kept out of the digest."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.plan import Plan
from caseveil.schema.recipe import ColumnRecipe, Condition, Derive, Group, Recipe
from caseveil.standards.places import regions

SECRET = "Zanzibarella"
TEXT = """
[release]
name = "a"
version = "1"
[privacy]
epsilon = 1
[tables.t]
source = "t.csv"
key = "id"
where = [{ column = "sex", is = ["F", 1] }, { column = "test", is_not = ["yes", ""] }]
[tables.t.columns.gender]
kind = "category"
from = "sex"
values = ["Female", "Male"]
recode = { F = "Female", "unk" = "" }
[tables.t.columns.land]
kind = "category"
group = "un-region"
[tables.t.columns.quarter]
kind = "ordered"
from = "day"
derive = "quarter"
[tables.t.columns.means]
kind = "multi"
values = ["Debt"]
recode = { owes = "Debt" }
[tables.t.columns.age]
kind = "binned"
bins = [0, 18]
recode = { minor = "12" }
derive = "whole"
"""


def read(old: str = "", new: str = "") -> Plan:
    assert old in TEXT
    return Plan.from_toml(TEXT.replace(old, new, 1) if old else TEXT, Path())


def test_everything_is_read_and_written_back() -> None:
    plan = read()
    assert plan.tables[0].recipe == Recipe(
        columns=(
            ColumnRecipe(column="gender", source="sex", recode={"F": "Female", "unk": ""}),
            ColumnRecipe(column="land", group=Group.UN_REGION),
            ColumnRecipe(column="quarter", source="day", derive=Derive.QUARTER),
            ColumnRecipe(column="means", recode={"owes": "Debt"}),
            ColumnRecipe(column="age", recode={"minor": "12"}, derive=Derive.WHOLE),
        ),
        where=(Condition(column="sex", only=("F", "1")), Condition(column="test", never=("yes", ""))),
    )
    assert plan.tables[0].table.columns[1].values == regions()
    assert Plan.from_toml(plan.to_toml(), Path("elsewhere")) == plan


def test_the_digest_knows_no_word_of_the_file() -> None:
    base = read().digest()
    for old, new in [
        ('is = ["F", 1]', f'is = ["{SECRET}"]'),
        ('{ column = "test", is_not = ["yes", ""] }', ""),
        ('from = "sex"', f'from = "{SECRET}"'),
        ('{ owes = "Debt" }', f'{{ {SECRET} = "Debt" }}'),
        ('recode = { minor = "12" }', ""),
    ]:
        assert read(old, new).digest() == base
    assert read('derive = "quarter"', 'derive = "year"').digest() != base
    assert read('group = "un-region"', "").digest() != base


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('from = "sex"', 'from = "id"', "tables.t.columns.gender.from ('id') must not be a key"),
        ('from = "sex"', 'from = " "', "tables.t.columns.gender.from ('') must name a column"),
        ('from = "sex"', 'form = "sex"', "did you mean from?"),
        ('{ F = "Female"', '{ F = "Femal"', "to 'Femal') must lead to a declared value, or to \"\" for "
         "missing: did you mean Female?"),
        ('{ F = "Female"', f'{{ " {SECRET}" = "Female"', "must have no blanks at the ends"),
        ('{ F = "Female"', f'{{ {SECRET} = 1.5', "recode (holding a number) must hold texts"),
        ('{ owes = "Debt" }', f'{{ "{SECRET};owes" = "Debt" }}', "must rename single items"),
        ('{ owes = "Debt" }', '{ owes = "Debt;Debt" }', "must not hold the delimiter"),
        ('"un-region"', '"un-regions"', "must be one of un-region, un-subregion; did you mean un-region?"),
        ('group = "un-region"', 'group = "un-region"\nvalues = ["Eurasia"]', "must be regions of un-region"),
        ('group = "un-region"', 'group = "un-region"\nrecode = { X = "Atlantis" }',
         "must lead to a country or a region"),
        ('group = "un-region"', 'group = "un-region"\nderive = "year"', "must have derive or group, not both"),
        ('derive = "quarter"', 'derive = "querter"', "did you mean quarter?"),
        ('derive = "whole"', 'derive = "month"', "must be year or whole for bins of numbers"),
        ('minor = "12"', 'minor = "young"', "must lead to something of which whole can be taken"),
        ('is = ["F", 1]', "is = []", "tables.t.where[1]: must have is or is_not"),
        ('is = ["F", 1]', f'is = [" {SECRET}"]', "no blanks at the ends"),
        ('is = ["F", 1]', f'iss = ["{SECRET}"]', "tables.t.where[1].iss is not known; did you mean is?"),
        ('where = [{ column = "sex", is = ["F", 1] }, { column = "test", is_not = ["yes", ""] }]',
         f'where = "{SECRET}"', "tables.t.where (a text) must be a list of conditions"),
    ],
)  # fmt: skip
def test_refusals_name_the_place_and_no_word_of_the_file(old: str, new: str, words: str) -> None:
    with pytest.raises(PlanError) as caught:
        read(old, new)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(str.strip)
_name = _text.filter(lambda text: bool(text) and text != "id")


@settings(deadline=None)
@given(
    st.none() | _name,
    st.dictionaries(_text, _text, max_size=3),
    st.none() | st.sampled_from(Derive),
    st.lists(st.tuples(_name, st.lists(_text, min_size=1, max_size=2).map(tuple), st.booleans()), max_size=2),
)
def test_any_recipe_is_written_so_that_it_reads_back(
    source: str | None, recode: dict[str, str], derive: Derive | None, where: list[tuple[str, tuple[str, ...], bool]]
) -> None:
    plan = read('derive = "quarter"\n', "")
    part = plan.tables[0]
    conditions = tuple(
        Condition(column=name, only=words) if only else Condition(column=name, never=words)
        for name, words, only in where
    )
    if derive is not None:
        recode = {old: "2024-05-06" if new and derive is not Derive.WHOLE else "" for old, new in recode.items()}
    made = ColumnRecipe(column="quarter", source=source, recode=recode, derive=derive)
    recipe = Recipe(columns=(made,), where=conditions)
    changed = dataclasses.replace(plan, tables=(dataclasses.replace(part, recipe=recipe),))
    # without its group, the column of the text still has the regions as declared values
    assert Plan.from_toml(changed.to_toml(), Path()) == changed
