"""Linked records against their rows, where the truth is known."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from caseveil.evaluation.link_utility import LinkUtility, link_utility
from caseveil.evaluation.linked_codes import LinkedCodes
from caseveil.synthesis.linked_counts import LINKS, PAIR, LinkCounts
from tests.evaluation.linked_cases import CAP, LINKED, codes_of, dealt, linked_rows

TRUTH = codes_of(linked_rows(600, seed=11))
COUNTS = LinkCounts(
    combination=("{}",) * 4,
    of=(LINKS, PAIR, LINKS, LINKS),
    count=np.array([100, 50, 40, 7], np.int64),
    lower=np.array([90, 45, 30, 1], np.int64),
    upper=np.array([110, 55, 50, 12], np.int64),
)


def against_truth(records: LinkedCodes) -> LinkUtility:
    true = np.array([95.0, 55.4, 51.0, 0.0])
    return link_utility(TRUTH, records, LINKED, COUNTS, true, above=3, dropped=5)


def links_by_hand(codes: LinkedCodes) -> Counter[tuple[int, int, int, int]]:
    seen: Counter[tuple[int, int, int, int]] = Counter()
    for victim, perpetrator in zip(codes.victim_of.tolist(), codes.perpetrators.tolist(), strict=True):
        for (i, a), (j, b) in itertools.product(enumerate(codes.victims[victim].tolist()), enumerate(perpetrator)):
            if a and b:
                seen[i, a, j, b] += 1
    return seen


def test_the_rows_themselves_are_without_error() -> None:
    found = against_truth(TRUTH)
    assert (found.across.mean_error, found.across.made_up_weight, found.within_made_up_weight) == (0.0, 0.0, 0.0)
    assert found.number.distance == 0.0
    assert found.number.true == found.number.synthetic
    assert found.across.independent > 3
    assert all(one.true == one.synthetic for one in found.concordance)
    assert (found.above, found.dropped) == (3, 5)


def test_link_counts_are_compared_as_by_hand() -> None:
    records = codes_of(linked_rows(580, seed=12, alike=0.3))
    found = against_truth(records)
    true, made = links_by_hand(TRUTH), links_by_hand(records)
    either = true | made
    assert found.across.groups == LINKED.v * LINKED.p
    assert found.across.combinations == len(either)
    assert found.across.mean_error == pytest.approx(np.mean([abs(true[c] - made[c]) for c in either]))
    assert found.number.distance == pytest.approx(
        0.5 * sum(abs((TRUTH.numbers == k).mean() - (records.numbers == k).mean()) for k in range(CAP + 1))
    )


def test_dealing_at_random_is_as_bad_as_the_baseline_says() -> None:
    """Mean over 40 deals, which differ by about a tenth of the error; the mean is then within a tenth."""
    found = [against_truth(dealt(TRUTH, seed)) for seed in range(40)]
    error = np.mean([one.across.mean_error for one in found])
    chance = np.mean([one.across.independent for one in found])
    assert chance < error < 2 * chance  # a single deal has chance errors of its own on top
    gender = [one.concordance[0] for one in found]
    assert gender[0].true is not None
    assert gender[0].true > 0.5
    assert np.mean([one.synthetic for one in gender]) == pytest.approx(gender[0].independent, abs=0.02)


def test_what_no_true_link_has_is_made_up() -> None:
    hide = TRUTH.perpetrators[:, 0] == 3
    without = TRUTH.perpetrators.copy()
    without[hide, 0] = 0
    poorer = LinkedCodes(victims=TRUTH.victims, perpetrators=without, victim_of=TRUTH.victim_of)
    found = link_utility(poorer, TRUTH, LINKED, COUNTS, np.zeros(4), above=0, dropped=0)
    made = links_by_hand(TRUTH)
    expected = sum(n for (_, _, j, b), n in made.items() if (j, b) == (0, 3)) / made.total()
    assert found.across.made_up_weight == pytest.approx(expected)
    assert found.within_made_up_weight > 0.1


def test_published_counts_across_the_link() -> None:
    links, pair = against_truth(TRUTH).counts
    assert (links.of, links.published, pair.of, pair.published) == (LINKS, 3, PAIR, 1)
    assert links.mean_error == pytest.approx((5 + 11 + 7) / 3)
    assert links.inside == pytest.approx(1 / 3)
    assert links.made_up == pytest.approx(1 / 3)
    # 55.4 victims, in parts, are 55 to a published whole number.
    assert (pair.mean_error, pair.inside, pair.made_up) == (pytest.approx(5.4), 1.0, 0.0)
