"""A release against its rows, beside a count of every row by hand."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from caseveil.evaluation import utility
from caseveil.evaluation.utility import CodedCounts, compared, table_utility
from tests.measurement.invented import domain_of, random_rows

DOMAIN = domain_of(3, 4, 2, 5, 3)
TRUTH = random_rows(DOMAIN, 400, np.random.default_rng(1), 0.8).codes
RECORDS = random_rows(DOMAIN, 380, np.random.default_rng(2), 0.8).codes
NO_COUNTS = CodedCounts(
    combinations=(), count=np.zeros(0, np.int64), lower=np.zeros(0, np.int64), upper=np.zeros(0, np.int64)
)

Combination = tuple[tuple[int, int], ...]


def by_hand(codes: np.ndarray[tuple[int, ...], np.dtype[np.int32]], length: int) -> Counter[Combination]:
    seen: Counter[Combination] = Counter()
    for row in codes.tolist():
        values = [(i, code) for i, code in enumerate(row) if code]
        seen.update(itertools.combinations(values, length))
    return seen


@pytest.mark.parametrize("dense", [1 << 20, 0])
def test_records_are_compared_as_by_hand(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utility, "_DENSE", dense)
    found = table_utility("cases", TRUTH, RECORDS, DOMAIN, NO_COUNTS)
    assert (found.people, found.records) == (400, 380)
    assert [one.length for one in found.lengths] == [1, 2, 3, 4]
    for one in found.lengths:
        true, made = by_hand(TRUTH, one.length), by_hand(RECORDS, one.length)
        either = true | made
        often = [c for c, n in true.items() if n >= 10]
        assert one.combinations == len(either)
        assert one.mean_error == pytest.approx(np.mean([abs(true[c] - made[c]) for c in either]))
        assert one.lost == pytest.approx(np.mean([made[c] == 0 for c in often]))
        assert one.made_up == pytest.approx(np.mean([true[c] == 0 for c in made]))
        assert one.made_up_weight == pytest.approx(sum(n for c, n in made.items() if not true[c]) / made.total())
        for band in one.bands:
            here = [c for c, n in true.items() if band.least <= n <= (band.most or 10**9)]
            assert band.combinations == len(here)
            assert band.mean_error == pytest.approx(np.mean([abs(true[c] - made[c]) for c in here]))
            assert band.lost == pytest.approx(np.mean([made[c] == 0 for c in here]))
        assert sum(band.combinations for band in one.bands) == len(true)
    assert found.lengths[3].made_up > 0.1


def test_published_counts_are_compared_as_by_hand() -> None:
    true = {length: by_hand(TRUTH, length) for length in (1, 2)}
    made = {length: by_hand(RECORDS, length) for length in (1, 2)}
    listed = [(c, n) for length in (1, 2) for c, n in sorted(made[length].items()) if n >= 8]
    count = np.array([n for _, n in listed], np.int64)
    published = CodedCounts(combinations=[c for c, _ in listed], count=count, lower=count - 6, upper=count + 6)
    found = table_utility("cases", TRUTH, RECORDS, DOMAIN, published)
    assert [one.length for one in found.counts] == [1, 2]
    for one in found.counts:
        own = {c: n for c, n in listed if len(c) == one.length}
        truth = true[one.length]
        often = [c for c, n in truth.items() if n >= 10]
        assert one.published == len(own)
        either = own.keys() | truth.keys()
        assert one.mean_error == pytest.approx(np.mean([abs(truth[c] - own.get(c, 0)) for c in either]))
        assert one.mean_error_published == pytest.approx(np.mean([abs(truth[c] - n) for c, n in own.items()]))
        assert one.inside == pytest.approx(np.mean([abs(truth[c] - n) <= 6 for c, n in own.items()]))
        assert one.lost == pytest.approx(np.mean([c not in own for c in often]))
        assert one.made_up == pytest.approx(np.mean([truth[c] == 0 for c in own]))
    assert 0 < found.counts[1].inside < 1


def test_a_perfect_release_has_no_error() -> None:
    found = table_utility("cases", TRUTH, TRUTH[::-1], DOMAIN, NO_COUNTS)
    for one in found.lengths:
        assert (one.mean_error, one.lost, one.made_up, one.made_up_weight) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("attributes", "length"), [(30, 3), (30, 4), (90, 4), (90, 2)])
def test_of_many_groups_the_same_ones_are_drawn_each_time(attributes: int, length: int) -> None:
    domain = domain_of(*[2] * attributes)
    cliques, in_all = compared(domain, length)
    most = utility.MOST_PAIRS if length == 2 else utility.MOST_LONGER
    assert in_all > most
    assert len(set(cliques)) == len(cliques) == most
    assert all(list(clique) == sorted(set(clique)) and len(clique) == length for clique in cliques)
    assert compared(domain, length) == (cliques, in_all)
    assert {i for clique in cliques for i in clique} == set(range(attributes))


def test_no_row_at_all_is_no_error() -> None:
    nothing = np.zeros((0, len(DOMAIN)), np.int32)
    found = table_utility("cases", nothing, nothing, DOMAIN, NO_COUNTS)
    assert [one.combinations for one in found.lengths] == [0, 0, 0, 0]
