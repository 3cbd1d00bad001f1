"""Which marginals are asked for: a function of public sizes."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.measurement.workload import CLIQUES_CAP, Workload, plan_workload, weight_of
from caseveil.schema.domain import Clique, Domain
from tests.measurement.invented import domain_of

pytestmark = pytest.mark.engine

domains = st.lists(st.integers(2, 30), min_size=1, max_size=7).map(lambda sizes: domain_of(*sizes))


def greedy(domain: Domain, length: int, cap: int) -> tuple[set[tuple[int, ...]], int]:
    """The rule in its plainest form."""
    chosen: set[tuple[int, ...]] = set()
    cells = 0
    for k in range(1, min(length, len(domain)) + 1):
        for clique in sorted(itertools.combinations(range(len(domain)), k), key=lambda c: (domain.cells(c), c)):
            whole = all(part in chosen for part in itertools.combinations(clique, k - 1)) or k == 1
            if whole and (k == 1 or cells + domain.cells(clique) <= cap):
                chosen.add(clique)
                cells += domain.cells(clique)
    return chosen, cells


@given(domains, st.integers(1, 5), st.integers(10, 20_000))
@settings(max_examples=60, deadline=None)
def test_small_cliques_come_first_and_all_their_subsets_are_in(domain: Domain, length: int, cap: int) -> None:
    workload = plan_workload(domain, length=length, cells_cap=cap)
    chosen, cells = greedy(domain, length, cap)
    assert set(workload.weights) == chosen
    singles = sum(domain.sizes)
    assert cells <= max(cap, singles)
    for clique in chosen:
        for k in range(1, len(clique)):
            assert all(part in chosen for part in itertools.combinations(clique, k))
    for k in range(1, min(length, len(domain)) + 1):
        assert workload.left_out[k] == math.comb(len(domain), k) - len(workload.of_length(k))
    triples_in = bool(workload.of_length(3))
    left = [c for c in itertools.combinations(range(len(domain)), 2) if c not in chosen]
    if triples_in and left:
        # a pair is out only because it alone would have passed the cap beside all smaller pairs
        assert singles + sum(domain.cells(c) for c in workload.of_length(2)) + min(map(domain.cells, left)) > cap


def test_no_length_is_measured_beyond_what_was_asked_for() -> None:
    workload = plan_workload(domain_of(3, 3, 3, 3, 3, 3), length=2)
    assert sorted(map(len, workload.weights)) == [1] * 6 + [2] * 15
    assert plan_workload(domain_of(3, 3), length=5).left_out == {1: 0, 2: 0}


def test_every_single_column_is_counted_whatever_the_cap() -> None:
    workload = plan_workload(domain_of(5000, 7, 3), length=3, cells_cap=1000)
    assert workload.of_length(1) == ((0,), (1,), (2,))
    assert workload.left_out == {1: 0, 2: 3, 3: 1}


def test_only_sizes_matter() -> None:
    sizes = (4, 9, 2, 7)
    named = Domain(names=("z", "y", "x", "w"), sizes=sizes)
    a, b = plan_workload(domain_of(*sizes), length=3), plan_workload(named, length=3)
    assert a.weights == b.weights


def test_weights_go_by_length_and_the_last_holds_on() -> None:
    workload = plan_workload(domain_of(2, 2, 2, 2, 2), length=5, weights=(7, 3))
    assert {len(c): w for c, w in workload.weights.items()} == {1: 7.0, 2: 3.0, 3: 3.0, 4: 3.0, 5: 3.0}
    assert weight_of(9, (5.0,)) == 5.0


def test_a_restriction_keeps_the_weights() -> None:
    workload = plan_workload(domain_of(2, 3, 4), length=3)
    kept = workload.restricted([(0,), (1,), (0, 1)])
    assert isinstance(kept, Workload)
    assert kept.weights == {c: workload.weights[c] for c in ((0,), (1,), (0, 1))}
    assert kept.left_out == workload.left_out


@pytest.mark.parametrize(
    ("sizes", "length"),
    [((251, 251, 121, *(6,) * 15), 3), ((2,) * 60, 3), ((5,) * 60, 4), ((2,) * 60, 5), ((4,) * 120, 3)],
    ids=["wide values", "60 flags", "60 columns of 4", "60 flags, length 5", "120 columns"],
)
def test_wide_tables_are_planned_without_a_look_at_every_combination(
    sizes: tuple[int, ...], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks are counted, not seconds. 60 flags have 6 million combinations of up to 5, of which 60,000 are chosen."""
    looks = 0
    cells = Domain.cells

    def counted(domain: Domain, clique: Clique) -> int:
        nonlocal looks
        looks += 1
        return cells(domain, clique)

    with monkeypatch.context() as watched:
        watched.setattr(Domain, "cells", counted)
        workload = plan_workload(domain_of(*sizes), length=length)
    # A look is worth its while where a chosen combination grows by a later column; two at each, one more to spare.
    grown = sum(len(sizes) - 1 - clique[-1] for clique in workload.weights if len(clique) < length)
    assert looks <= 3 * (len(sizes) + grown)
    assert sum(workload.domain.cells(c) for c in workload.weights) <= 3_000_000
    assert len(workload.weights) <= CLIQUES_CAP
    assert workload.left_out[1] == workload.left_out[2] == 0
