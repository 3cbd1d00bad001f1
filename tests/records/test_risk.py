"""Rare combinations against brute force, and columns that identify people."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.records.identify import identifying_columns, words
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.raw import RawTable
from caseveil.records.risk import RareCombination, assess
from caseveil.records.risk_links import linked_columns, with_links
from caseveil.schema.attribute import Binned, Category, MultiChoice
from caseveil.schema.links import Link
from caseveil.schema.table import Table

SECRET = "Zanzibarella"


def brute_force(columns, k, length):
    """(people, alone) per combination, and the rows marked at all, straight from the definition."""
    names = list(columns)
    n = len(columns[names[0]])
    rare: dict[tuple[str, ...], set[int]] = {}
    people, alone, found = set(), set(), {}
    for size in range(1, length + 1):
        for clique in itertools.combinations(names, size):
            groups = Counter(tuple(columns[c][i] for c in clique) for i in range(n))
            full = [i for i in range(n) if all(columns[c][i] for c in clique)]
            rare[clique] = {i for i in full if groups[tuple(columns[c][i] for c in clique)] < k}
            shorter = [rare[part] for r in range(1, size) for part in itertools.combinations(clique, r)]
            fresh = rare[clique].difference(*shorter)
            lone = {i for i in fresh if groups[tuple(columns[c][i] for c in clique)] == 1}
            people |= fresh
            alone |= {i for i in full if groups[tuple(columns[c][i] for c in clique)] == 1}
            if fresh:
                found[clique] = (len(fresh), len(lone))
    return found, len(people), len(alone)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "c"])] * 4), min_size=1, max_size=25),
    st.integers(2, 5),
    st.integers(1, 3),
    st.booleans(),
)
def test_rare_combinations_equal_brute_force(rows, k, length, sorting):
    columns = dict(zip("wxyz", (list(cells) for cells in zip(*rows, strict=True)), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        if sorting:  # groups found by sorting instead of a table of counts
            patch.setattr("caseveil.records.risk._DENSE", 3)
        report = assess(columns, k=k, length=length, most=100)
    found, people, alone = brute_force(columns, k, length)
    assert {c.columns: (c.people, c.alone) for c in report.combinations} == found
    assert report.people == people
    assert report.alone == alone


def test_the_worst_come_first_and_only_so_many():
    columns = {"a": ["x"] * 8 + ["y", "z"], "b": ["p", "q"] * 5, "c": [str(i) for i in range(10)]}
    report = assess(columns, k=3, most=2)
    assert [str(c) for c in report.combinations] == [
        "c by itself singles out 10 people",
        "a by itself singles out 2 people",
    ]
    assert str(RareCombination(columns=("a", "b", "c"), people=1, alone=1)) == "a, b and c together single out 1 person"
    assert report.triple_columns == 3


@pytest.mark.parametrize(("k", "length"), [(1, 3), (10, 0), (10, 4)])
def test_bounds(k, length):
    with pytest.raises(ValueError, match=r"must be"):
        assess({"a": ["x"]}, k=k, length=length)


def test_links_single_people_out_by_their_number_and_by_what_occurs_in_them():
    taken = Category(name="number of perpetrators")  # a column of people may be called as the number of links is
    people = Table(name="victims", columns=(Category(name="gender"), taken), key="id")
    linked = Table(name="perpetrators", columns=(Category(name="gender"), MultiChoice(name="role", delimiter="|")))
    rows = LinkedRows(
        victims=Rows(table=people, columns={"gender": ["F", "F", "F", "M"], taken.name: ["x"] * 4}),
        perpetrators=Rows(
            table=linked,
            columns={"gender": ["M", "F", "F", "M", "M"], "role": ["b|a", "c", "", "a|b", "c"]},
        ),
        victim_of=np.array([0, 0, 2, 3, 3], np.int64),
        link=Link(to="victims", key="of", at_most=3),
    )
    assert with_links(rows) == {
        "victims.gender": ["F", "F", "F", "M"],
        "victims.number of perpetrators": ["x"] * 4,
        "number of perpetrators": ["2", "0", "1", "2"],
        "perpetrators.gender": ["F + M", "", "F", "M"],
        "perpetrators.role": ["a + b + c", "", "", "a + b + c"],
    }
    assert linked_columns(rows) == {
        "victims.gender": ("victims", people.columns[0]),
        "victims.number of perpetrators": ("victims", taken),
        "perpetrators.gender": ("perpetrators", linked.columns[0]),
        "perpetrators.role": ("perpetrators", linked.columns[1]),
    }
    # By what stands in the table of people the first three are alike.
    assert assess(rows.victims.columns, k=2).people == 1
    assert assess(with_links(rows), k=2, length=2).people == 4


def test_words_of_names():
    assert words("yearRegister") == words("year_register") == words("Year register") == ["year", "register"]
    assert words("UN_COO_Region") == ["un", "coo", "region"]
    assert words("prénom2") != []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("prs_FirstName", "name"),
        ("Second Name", "name"),
        ("victimName", "name"),
        ("date_of_birth", "birth"),
        ("E-mail", "contact"),
        ("mobile_phone", "contact"),
        ("passportNumber", "identity"),
        ("cas_ReasonForCaseClosure", "free text"),
        ("home address", "place"),
        ("Latitude", "place"),
        ("case_notes", "free text"),
    ],
)
def test_names_that_identify(name, reason):
    (found,) = identifying_columns(RawTable(columns={name: ["1", "2"]}))
    assert found.column == name
    assert reason in found.reason


@pytest.mark.parametrize(
    "name", ["gender", "age", "relationship", "country_of_exploitation", "organisation", "platform"]
)
def test_names_that_do_not(name):
    assert identifying_columns(RawTable(columns={name: ["a"] * 30})) == ()


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["", "", f"{SECRET}@example.org"], "e-mail addresses"),
        ([f"+44 20 7946 {i:04d}" for i in range(40)], "telephone or identity numbers"),
        ([f"2015-{m:02d}-{d:02d}" for m in range(1, 6) for d in range(1, 9)], "exact dates"),
        ([f"She said to {SECRET} that she would go to place {i}" for i in range(30)], "free text"),
        ([f"{SECRET}{i}" for i in range(40)], "an identifier"),
    ],
)
def test_cells_that_identify(cells, reason):
    (found,) = identifying_columns(RawTable(columns={"x": cells}))
    assert reason in found.reason
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "cells", [["2015--2016", "2017--2018"] * 20, ["1", "0"] * 20, [str(i % 9) for i in range(60)], [""] * 30]
)
def test_cells_that_do_not(cells):
    assert identifying_columns(RawTable(columns={"x": cells})) == ()


def test_binned_and_unreleased_columns_are_left_alone():
    cells = [str(i) for i in range(30)]
    raw = RawTable(columns={"age": cells, "phone": cells, "code": cells})
    table = Table(name="t", columns=(Binned(name="age", edges=(0.0, 18.0)), Category(name="code")))
    assert [found.column for found in identifying_columns(raw, released=table)] == ["code"]
    assert [found.column for found in identifying_columns(raw)] == ["age", "phone", "code"]
