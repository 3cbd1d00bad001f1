"""release.toml: what is accepted, what is refused and in which words, and the way back."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.plan_keys import COLUMN_KEYS, KEYS, KINDS
from caseveil.privacy.loss import EpsilonDelta
from caseveil.release.about import About
from caseveil.schema.attribute import Binned, Category, MultiChoice, Ordered, Outside
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit

TEXT = """
[release]
name = "victims"
version = "2026-11"
title = "Victims, year by year"
publisher = "An office"
license = "CC-BY-4.0"

[privacy]
guarantee = "differential-privacy"
unit = "victim"
epsilon = 1.0
delta = 5e-6
ledger = "ledger.caseveil"
budget = { epsilon = 4.0, delta = 2e-5 }

[aggregates]
length = 3
fabrication = "balanced"

[tables.victims]
source = "victims.csv"
key = "victim_id"

[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male", "Other"]
missing = ["", "Unknown"]
outside = "missing"
meaning = "as the person said"

[tables.victims.columns.age]
kind = "binned"
bins = [0, 9, 18, 21.5]

[tables.victims.columns.registered]
kind = "binned"
bins = [2015-01-01, 2016-01-01]
labels = ["2015", "later"]

[tables.victims.columns.step]
kind = "ordered"
values = [1, 2, "3 or more"]

[tables.victims.columns.means]
kind = "multi"
delimiter = "|"
at_most = 3
"""


def plan_with(old: str, new: str) -> Plan:
    assert TEXT.count(old) >= 1, f"{old!r} does not stand in the example"
    return Plan.from_toml(TEXT.replace(old, new, 1), Path("folder"))


def refusal(old: str, new: str) -> str:
    with pytest.raises(PlanError) as caught:
        plan_with(old, new)
    return str(caught.value)


def message_of(text: str) -> str | None:
    """The refusal of a text, or None where it is a plan. Anything but a PlanError goes on up."""
    try:
        Plan.from_toml(text, Path())
    except PlanError as error:
        return str(error)
    return None


def test_everything_in_the_contract_is_read() -> None:
    plan = Plan.from_toml(TEXT, Path("folder"))
    assert plan == Plan(
        about=About(
            name="victims",
            version="2026-11",
            title="Victims, year by year",
            publisher="An office",
            license="CC-BY-4.0",
        ),
        promise=Promise(epsilon=1.0, delta=5e-6),
        unit=PrivacyUnit(name="victim"),
        ledger="ledger.caseveil",
        budget=EpsilonDelta(epsilon=4.0, delta=2e-5),
        aggregates=Aggregates(length=3, fabrication=Fabrication(share=0.05), weights=None, cells_cap=3_000_000),
        tables=(
            TablePlan(
                source="victims.csv",
                table=Table(
                    name="victims",
                    key="victim_id",
                    columns=(
                        Category(
                            name="gender",
                            values=("Female", "Male", "Other"),
                            missing=("", "Unknown"),
                            outside=Outside.MISSING,
                            meaning="as the person said",
                        ),
                        Binned(name="age", edges=(0.0, 9.0, 18.0, 21.5)),
                        Binned(
                            name="registered",
                            edges=(datetime.date(2015, 1, 1), datetime.date(2016, 1, 1)),
                            labels=("2015", "later"),
                        ),
                        Ordered(name="step", values=("1", "2", "3 or more")),
                        MultiChoice(name="means", delimiter="|", at_most=3),
                    ),
                ),
            ),
        ),
    )
    assert plan.folder == Path("folder")
    assert plan.ledger_path == Path("folder/ledger.caseveil")
    assert plan.out == Path("folder/victims-2026-11")
    assert plan.path_of(plan.tables[0]) == Path("folder/victims.csv")


def test_a_short_plan_takes_the_defaults_of_the_reference() -> None:
    plan = Plan.from_toml(
        '[release]\nname="a"\nversion="1"\n[privacy]\nepsilon=2\n[tables.t]\nsource="t.csv"\n'
        '[tables.t.columns.c]\nkind="category"\n',
        Path(),
    )
    assert plan.promise == Promise(epsilon=2.0, delta=None)
    assert plan.unit.name == "person"
    assert (plan.ledger, plan.budget, plan.ledger_path) == (None, None, None)
    assert plan.aggregates == Aggregates(length=3, fabrication=Fabrication(share=0.05), cells_cap=3_000_000)
    assert plan.tables[0].table.columns == (Category(name="c", values=None, missing=("",), outside=Outside.REFUSE),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epsilon = 1.0", "epsilom = 1.0", "privacy.epsilom is not known; did you mean epsilon?"),
        ("epsilon = 1.0", "zzz = 1.0", "privacy.zzz is not known; known here: guarantee, unit, population, epsilon"),
        ("title =", "epsilon =", "release.epsilon is not known; epsilon belongs to [privacy]"),
        ("[aggregates]", "[agregates]", "agregates is not known; did you mean aggregates?"),
        ("budget = {", "budget = { eps = 1,", "privacy.budget.eps is not known; did you mean epsilon?"),
        ("at_most = 3", "at_mots = 3", "tables.victims.columns.means.at_mots is not known; did you mean at_most?"),
        (
            "at_most = 3",
            "bins = [1]",
            "tables.victims.columns.means.bins is not known; bins belongs to columns of kind",
        ),
        ("key =", "kee =", "tables.victims.kee is not known; did you mean key?"),
        (
            "epsilon = 1.0",
            'epsilon = "1.0"',
            "privacy.epsilon ('1.0') must be a number above 0, written without quotes",
        ),
        ("epsilon = 1.0", "epsilon = true", "privacy.epsilon (true or false) must be a number"),
        ("epsilon = 1.0", "epsilon = nan", "privacy.epsilon must be finite"),
        ("epsilon = 1.0", "epsilon = inf", "privacy.epsilon must be finite"),
        ("epsilon = 1.0", f"epsilon = 1{'0' * 400}", "privacy.epsilon must be finite"),
        ("epsilon = 1.0", "epsilon = 0", "privacy.epsilon (0.0) must be above 0"),
        ("epsilon = 1.0", "", "privacy.epsilon is missing"),
        ("delta = 5e-6", "delta = 1", "privacy.delta (1.0) must be above 0"),
        ("delta = 5e-6", 'delta = "soon"', "privacy.delta (a text) must be a number between 0 and 1"),
        ("delta = 5e-6", "delta = 3e-5", "privacy.delta (3e-05) must not be above privacy.budget.delta (2e-05)"),
        ('ledger = "ledger.caseveil"', "", "privacy.budget needs privacy.ledger"),
        ('"differential-privacy"', '"k-anonymity"', "privacy.guarantee (k-anonymity) is planned"),
        ('"differential-privacy"', '"dp"', "privacy.guarantee ('dp') must be differential-privacy"),
        ('unit = "victim"', 'unit = " "', "privacy.unit"),
        ("length = 3", "length = 6", "aggregates.length (6) must be 1 to 5"),
        ("length = 3", "length = 3.0", "aggregates.length (a number) must be a whole number"),
        ("length = 3", "length = true", "aggregates.length (true or false) must be a whole number"),
        ('"balanced"', '"balanse"', "did you mean balanced?"),
        ('"balanced"', "0", "aggregates.fabrication (0) must be above 0 and below 1"),
        ('"balanced"', "1.0", "aggregates.fabrication (1) must be above 0 and below 1"),
        ('"balanced"', "nan", "aggregates.fabrication must be finite"),
        ("length = 3", "length = 3\nweights = [1, 2]", "aggregates.weights (2 numbers) must be one per length: 3"),
        ("length = 3", "length = 3\nweights = [1, 2, 0]", "aggregates.weights must all be numbers above 0"),
        ("length = 3", "cells_cap = 10", "aggregates.cells_cap (10) must be 1000 or more"),
        ('source = "victims.csv"', "", "tables.victims.source is missing"),
        ('source = "victims.csv"', 'source = "x://y"', "tables.victims.query is missing"),
        ('source = "victims.csv"', 'source = "a.csv"\nquery = "select 1"', "tables.victims.query must be left out"),
        ('key = "victim_id"', 'links = { to = "x" }', "tables.victims.links.key is missing"),
        ('key = "victim_id"', 'key = "gender"', "tables.victims.key (gender) must not be a released column"),
        ('kind = "category"', 'kind = "categorical"', "did you mean category?"),
        ('kind = "category"', "", "tables.victims.columns.gender.kind is missing"),
        ('"Female", "Male"', '"Female", "Female"', "tables.victims.columns.gender.values must not repeat a value"),
        ('"Female", "Male"', '"Female", true', "tables.victims.columns.gender.values (holding true or false)"),
        ('"Female", "Male"', '"Female", " Male"', "must have no blanks at its ends"),
        ('["Female", "Male", "Other"]', '"Female"', "tables.victims.columns.gender.values (a text) must be a list"),
        ('outside = "missing"', 'outside = "drop"', "tables.victims.columns.gender.outside ('drop')"),
        ("[0, 9, 18, 21.5]", "[0, 9, 9]", "tables.victims.columns.age.bins (0, 9, 9) must rise"),
        ("[0, 9, 18, 21.5]", "[]", "tables.victims.columns.age.bins"),
        ("[0, 9, 18, 21.5]", '["0"]', "tables.victims.columns.age.bins (holding a text)"),
        ("[0, 9, 18, 21.5]", "[0, 2020-01-01]", "tables.victims.columns.age.bins must be all numbers or all dates"),
        ("[0, 9, 18, 21.5]", "[0, nan]", "tables.victims.columns.age.bins must be finite"),
        ("2016-01-01]", "2016-01-01T00:00:00]", "tables.victims.columns.registered.bins (holding a time)"),
        ('labels = ["2015", "later"]', 'labels = ["2015"]', "tables.victims.columns.registered.labels (1)"),
        ("at_most = 3", "at_most = 0", "tables.victims.columns.means.at_most (0) must be 1 or more"),
        ('delimiter = "|"', 'delimiter = ""', "tables.victims.columns.means.delimiter ('')"),
        ('name = "victims"', 'name = "../victims"', "release.name"),
        ('version = "2026-11"', 'version = "../../x"', "release.version"),
        ('version = "2026-11"', "version = 2026", "release.version (a whole number) must be a text in quotes"),
        ("[release]", "[release", "the plan is not valid TOML: "),
        (
            "[tables.victims]\n",
            '[tables.other]\nsource="o"\n[tables.other.columns.b]\nkind="category"\n[tables.victims]\n',
            "tables (other, victims) must be linked: give the table with several rows per person links =",
        ),
    ],
)
def test_refusals_name_the_place_and_the_remedy(old: str, new: str, words: str) -> None:
    assert words in refusal(old, new)


def test_a_syntax_error_names_its_line() -> None:
    assert "line 4" in refusal('version = "2026-11"', "version = ")


def test_a_table_without_columns_is_refused() -> None:
    text = '[release]\nname="a"\nversion="1"\n[privacy]\nepsilon=1\n[tables.t]\nsource="t.csv"\n[tables.t.columns]\n'
    with pytest.raises(PlanError, match="must name at least one column"):
        Plan.from_toml(text, Path())


def test_two_columns_that_would_share_a_name_are_refused() -> None:
    columns = (MultiChoice(name="means", values=("debt",)), Category(name="means=debt", values=("x",)))
    with pytest.raises(PlanError, match="stands for two things"):
        TablePlan(table=Table(name="t", columns=columns), source="t.csv")


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    for old, new in [
        ('source = "victims.csv"', 'source = ["x://me:hunter2@host/db"]'),
        ('source = "victims.csv"', 'source = "x://me:hunter2@host/db"'),
        ('key = "victim_id"', 'query = "hunter2"'),
    ]:
        assert "hunter2" not in refusal(old, new)


@pytest.mark.parametrize(
    "text", ["", "x", "[" * 5000, "x=" + "[" * 5000, "x=" + "9" * 5000, "\ud800", "\x00", "release=1"]
)
def test_what_is_not_a_plan_is_a_plan_error(text: str) -> None:
    with pytest.raises(PlanError):
        Plan.from_toml(text, Path())


# Every known key with every sort of wrong value, and text with holes: only PlanError may come out.

_values = st.recursive(
    st.sampled_from(
        ["1", "-1", "0.5", "nan", "inf", "true", '""', '"auto"', '"x"', "2020-01-01", "10:00:00", "1" * 30]
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=4,
)
_keys = sorted({key for keys in KEYS.values() for key in keys} | {"zzz"})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([line for line in TEXT.splitlines() if "=" in line]), st.sampled_from(_keys), _values)
def test_a_wrong_line_is_a_plan_error_or_a_plan(line: str, key: str, value: str) -> None:
    message = message_of(TEXT.replace(line, f"{key} = {value}", 1))
    assert message is None or 10 < len(message) < 500


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_text_is_a_plan_error_or_a_plan(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TEXT)))
    length = data.draw(st.integers(0, 40))
    junk = data.draw(st.text(max_size=5))
    assert message_of(TEXT[:at] + junk + TEXT[at + length :]) != ""


# Plans of every shape survive being written and read.

_words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map(str.strip).filter(bool)
_numbers = st.floats(-1e12, 1e12, allow_nan=False).map(lambda number: number + 0.0)
_common = {
    "missing": st.lists(_words, max_size=2).map(lambda extra: ("", *extra)),
    "outside": st.sampled_from(Outside),
    "meaning": st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
}
_some_values = st.none() | st.lists(_words, min_size=1, max_size=4, unique=True).map(tuple)
_edges = st.lists(_numbers, min_size=1, max_size=4, unique=True) | st.lists(
    st.dates(), min_size=1, max_size=4, unique=True
)


@st.composite
def columns(draw: st.DrawFn, name: str) -> object:
    kind = draw(st.sampled_from(KINDS))
    common = {key: draw(strategy) for key, strategy in _common.items()}
    try:
        if kind == "binned":
            edges = tuple(sorted(draw(_edges)))
            labels = draw(st.none() | st.lists(_words, min_size=len(edges), max_size=len(edges), unique=True))
            return Binned(name=name, edges=edges, labels=None if labels is None else tuple(labels), **common)
        if kind == "multi":
            delimiter = draw(st.sampled_from([";", "|", ", "]))
            return MultiChoice(name=name, values=draw(_some_values), delimiter=delimiter, at_most=2, **common)
        return (Ordered if kind == "ordered" else Category)(name=name, values=draw(_some_values), **common)
    except PlanError:
        assume(False)
        raise


@st.composite
def linked_tables(draw: st.DrawFn) -> TablePlan:
    names = draw(st.lists(_words, min_size=1, max_size=3, unique=True))
    table = Table(name="rows", columns=tuple(draw(columns(name)) for name in names), key=draw(st.none() | _words))
    return TablePlan(
        table=table, source="rows.csv", link=Link(to="t", key=draw(_words), at_most=draw(st.integers(1, 12)))
    )


@st.composite
def derived(draw: st.DrawFn, tables: tuple[TablePlan, ...]) -> tuple[FlattenedColumn, ...]:
    made = []
    for name in draw(st.lists(_words, max_size=2, unique=True)):
        part = draw(st.sampled_from(tables))
        column = draw(st.sampled_from(part.table.columns))
        values = column.values or ("anything",)
        has = draw(st.none() | st.sampled_from(values))
        keys = st.sampled_from(values)
        recode = {} if has is not None else draw(st.dictionaries(keys, _words.filter(lambda w: ";" not in w)))
        yes = "1" if has is None else draw(_words)
        made.append(
            FlattenedColumn(name=name, table=part.table.name, column=column.name, recode=recode, has=has, yes=yes)
        )
    return tuple(made)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(_words, min_size=1, max_size=4, unique=True))
    table = Table(
        name="t", columns=tuple(draw(columns(name)) for name in names), key=draw(st.none() | st.just("the key"))
    )
    assume(table.key not in names)
    length = draw(st.integers(1, 5))
    weight = st.floats(1e-6, 1e6)
    share = st.none() | st.sampled_from([0.01, 0.05]) | st.floats(1e-9, 1 - 1e-9)
    delta = draw(st.none() | st.floats(1e-99, 1e-3))
    ledger = draw(st.none() | _words)
    try:
        people = TablePlan(table=table, source=draw(_words.filter(lambda text: "://" not in text)))
        tables = (people, draw(linked_tables())) if table.key is not None and draw(st.booleans()) else (people,)
        return Plan(
            about=About(name="a", version=draw(st.sampled_from(["1", "2026-11", "v1.2+b"])), publisher='"\\ é'),
            promise=Promise(epsilon=draw(st.floats(1e-6, 100)), delta=delta),
            unit=PrivacyUnit(name=draw(_words)),
            ledger=ledger,
            budget=None if ledger is None else draw(st.none() | st.just(EpsilonDelta(epsilon=4.0, delta=2e-3))),
            aggregates=Aggregates(
                length=length,
                fabrication=Fabrication(share=draw(share)),
                weights=draw(st.none() | st.lists(weight, min_size=length, max_size=length).map(tuple)),
                cells_cap=draw(st.integers(1000, 10**9)),
            ),
            tables=tables,
            flattened=draw(derived(tables)) if len(tables) > 1 else (),
        )
    except PlanError:
        assume(False)
        raise


@settings(max_examples=200, deadline=None)
@given(plans())
def test_written_plans_read_back_equal(plan: Plan) -> None:
    again = Plan.from_toml(plan.to_toml(), Path("elsewhere"))
    assert again == plan
    assert again.digest() == plan.digest()


def test_the_reference_names_every_column_key_once() -> None:
    for kind in KINDS:
        assert not set(COLUMN_KEYS) & set(KEYS[kind])
