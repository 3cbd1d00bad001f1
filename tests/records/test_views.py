"""Views of linked rows, held against their definitions person by person, in fractions."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.measurement.residuals import integer_residual
from caseveil.records.counting import count_many
from caseveil.records.views import View, link_views
from caseveil.schema.domain import Clique
from caseveil.schema.linked import LinkedTables, centre_of
from caseveil.schema.links import MOST_LINKS
from tests.measurement.invented import up_to
from tests.measurement.invented_links import VIEWS, Codes, Person, by_hand, linked, tables_of, views_of

pytestmark = pytest.mark.engine


def codes(sizes: tuple[int, ...]) -> st.SearchStrategy[Codes]:
    return st.tuples(*(st.integers(0, size - 1) for size in sizes))


def person(tables: LinkedTables) -> st.SearchStrategy[Person]:
    own, other = tables.each.sizes[: tables.v], tables.each.sizes[tables.v + 1 :]
    links = st.lists(codes(other), max_size=tables.link.at_most).map(tuple)
    return st.tuples(codes(own), links)


CASES = st.integers(1, 6).map(tables_of).flatmap(lambda t: st.tuples(st.just(t), st.lists(person(t), max_size=8)))
ONE = st.integers(1, 8).map(tables_of).flatmap(lambda t: st.tuples(st.just(t), person(t)))


def counted(view: View, clique: Clique) -> dict[Codes, Fraction]:
    """Every cell of a marginal that is not 0, in people."""
    table = count_many(view.rows, [clique])[clique]
    return {tuple(map(int, cell)): Fraction(int(table[tuple(cell)]), view.rows.grid) for cell in np.argwhere(table)}


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_marginals_are_those_of_the_definition(case: tuple[LinkedTables, list[Person]]) -> None:
    tables, people = case
    views = views_of(tables, people)
    for name in VIEWS:
        view: View = getattr(views, name)
        assert view.rows.domain == getattr(tables, name)
        # counting many takes another way than counting one; a wide clique holds all of it at once
        for clique in [*up_to(view.rows.domain, 1), tuple(range(len(view.rows.domain)))[:5]]:
            assert counted(view, clique) == by_hand(tables, people, name, clique), (name, clique)
        many = count_many(view.rows, up_to(view.rows.domain, 2))
        for clique, table in many.items():
            expected = by_hand(tables, people, name, clique)
            for cell in itertools.product(*map(range, table.shape)):
                assert Fraction(int(table[cell]), view.rows.grid) == expected.get(cell, 0), (name, clique)


def squared_lengths(view: View, longest: int) -> dict[Clique, Fraction]:
    """Exact squared lengths of all residuals of a view, in units of reach^2 p_A, which bounds one person's."""
    domain = view.rows.domain
    out = {}
    for clique, table in count_many(view.rows, up_to(domain, longest)).items():
        length = sum(int(x) ** 2 for x in integer_residual(table).ravel().tolist())
        sensitivity = math.prod(Fraction(size - 1, size) for size in domain.shape(clique))
        bound = Fraction(view.reach) ** 2 * sensitivity
        out[clique] = Fraction(length, (domain.cells(clique) * view.rows.grid) ** 2) / bound
    return out


@settings(max_examples=60, deadline=None)
@given(ONE)
def test_one_person_stays_within_the_sensitivity(case: tuple[LinkedTables, Person]) -> None:
    tables, who = case
    views = views_of(tables, [who])
    for name in VIEWS:
        assert max(squared_lengths(getattr(views, name), 3).values()) <= 1, name


@pytest.mark.parametrize("cap", [1, 2, 3, 6])
def test_links_that_are_all_alike_reach_the_sensitivity(cap: int) -> None:
    """Exactly, in every clique: the bound cannot be lowered. With a cap of 1 there are no pairs and nothing tilts."""
    tables = tables_of(cap)
    views = views_of(tables, [((2, 1), ((1, 1),) * cap)])
    for name in VIEWS:
        if cap == 1 and name in ("tilt", "pairs"):
            assert not any(squared_lengths(getattr(views, name), 3).values())
        else:
            assert set(squared_lengths(getattr(views, name), 3).values()) == {Fraction(1)}, name


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_what_the_views_say_together(case: tuple[LinkedTables, list[Person]]) -> None:
    """Totals; and c times `each` plus `tilt` is the number of links wherever the perpetrator states something."""
    tables, people = case
    views = views_of(tables, people)
    v, centre = tables.v, Fraction(centre_of(tables.link.at_most))
    assert counted(views.each, ()).get((), 0) == len(people)
    assert counted(views.any, ()).get((), 0) == len(people)
    assert counted(views.pairs, ()).get((), 0) == sum(len(links) > 1 for _, links in people)
    number = counted(views.each, (v,))
    assert number == {(k,): n for k in range(7) if (n := sum(len(links) == k for _, links in people))}
    for i, j in itertools.product(range(v), range(tables.p)):
        mass, change = counted(views.each, (i, v + 1 + j)), counted(views.tilt, (i, v + j))
        for cell in itertools.product(range(tables.each.sizes[i]), range(1, tables.each.sizes[v + 1 + j])):
            links = sum(own[i] == cell[0] and p[j] == cell[1] for own, mine in people for p in mine)
            assert centre * mass.get(cell, 0) + change.get(cell, 0) == links
    for j in range(tables.p):
        one_way = counted(views.pairs, (j,))
        assert one_way == counted(views.pairs, (tables.p + j,)), "no link of a pair comes first"


def test_nobody_and_nobody_with_links() -> None:
    for people in ([], [((1, 1), ()), ((2, 0), ())]):
        views = views_of(tables_of(3), people)
        assert counted(views.each, (2,)) == ({(0,): 2} if people else {})
        assert views.tilt.rows.n == views.pairs.rows.n == 0


def test_links_above_the_cap_are_not_counted() -> None:
    wide = tables_of(4)
    rows = linked(wide, [((1, 1), ((1, 1),) * 4)])
    narrow = replace(wide, link=replace(wide.link, at_most=3))
    with pytest.raises(ValueError, match="cut to the cap"):
        link_views(rows, narrow)


@pytest.mark.parametrize("cap", [9, MOST_LINKS])
def test_weights_stay_whole_at_large_caps(cap: int) -> None:
    """The grid of pairs is a common multiple of k (k - 1) for all k, and counts stay exact."""
    tables = tables_of(cap, (2,), (3,))
    people: list[Person] = [((1,), tuple((i % 3,) for i in range(k))) for k in range(cap + 1)]
    views = views_of(tables, people)
    for name in VIEWS:
        view: View = getattr(views, name)
        every = tuple(range(len(view.rows.domain)))
        assert counted(view, every) == by_hand(tables, people, name, every)
        for clique, table in count_many(view.rows, up_to(view.rows.domain, 3)).items():
            bound = int(np.abs(table).max(initial=0)) * view.rows.domain.cells(clique) * 2 ** len(clique)
            assert bound < 2**53, "a cell, scaled to an integer residual, is exact also as a float"
