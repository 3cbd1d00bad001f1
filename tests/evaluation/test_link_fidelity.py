"""The public measure of how well links agree with their measurements, where the truth is known."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

from caseveil.evaluation.link_fidelity import LEVEL, link_fidelity, measured_concordance
from caseveil.evaluation.linked_codes import LinkedCodes, concordance
from caseveil.synthesis.observed import NoisyResiduals, reconstruct
from tests.evaluation.linked_cases import CAP, LINKED, codes_of, dealt, linked_rows, measurements, with_noise

ROWS = linked_rows(800, seed=3)
TRUTH = codes_of(ROWS)
EACH, PAIRS = measurements(ROWS)


def report(records: LinkedCodes, each: NoisyResiduals = EACH, pairs: NoisyResiduals = PAIRS) -> Any:
    found = link_fidelity(records, LINKED, each, pairs)
    return json.loads(json.dumps(found, allow_nan=False))


def pairs_by_hand(codes: LinkedCodes, j: int, size: int) -> np.ndarray[Any, Any]:
    table = np.zeros((size, size))
    for victim in range(len(codes.victims)):
        mine = codes.perpetrators[codes.victim_of == victim, j].tolist()
        for one, other in itertools.permutations(mine, 2):
            table[one, other] += 1 / (len(mine) * (len(mine) - 1))
    return table


def test_pairs_within_a_victim_are_those_found_by_hand_in_any_order() -> None:
    order = np.random.default_rng(0).permutation(len(TRUTH.victim_of))
    mixed = LinkedCodes(
        victims=TRUTH.victims, perpetrators=TRUTH.perpetrators[order], victim_of=TRUTH.victim_of[order]
    )
    by_hand = pairs_by_hand(TRUTH, 0, 4)
    for codes in (TRUTH, mixed):
        assert codes.within(0, 0, (4, 4)) == pytest.approx(by_hand)
        assert codes.within(0, 0, (4, 4)).sum() == pytest.approx((TRUTH.numbers >= 2).sum())


def test_tables_across_the_link_are_those_that_are_measured() -> None:
    for i, j in itertools.product(range(LINKED.v), range(LINKED.p)):
        shape = (EACH.domain.sizes[i], EACH.domain.sizes[LINKED.v + 1 + j])
        assert TRUTH.drawn(i, j, shape) == pytest.approx(reconstruct(EACH, (i, LINKED.v + 1 + j)))


def test_the_baseline_keeps_both_margins_and_is_what_dealing_gives_on_average() -> None:
    """Mean of 300 deals: every cell within 6.5 standard errors, 1e-9 for the twelve cells together."""
    shape = (4, 4)
    chance = TRUTH.drawn_by_chance(1, 0, shape)
    own = TRUTH.drawn(1, 0, shape)
    assert chance.sum(axis=0) == pytest.approx(own.sum(axis=0))
    assert chance.sum(axis=1) == pytest.approx(own.sum(axis=1))
    deals = [dealt(TRUTH, seed) for seed in range(300)]
    links = np.stack([deal.crossed(1, 0, shape) for deal in deals])
    error = links.std(axis=0) / math.sqrt(300)
    assert np.all(np.abs(links.mean(axis=0) - TRUTH.crossed_by_chance(1, 0, shape)) <= 6.5 * error + 1e-9)
    shares = [concordance(deal.within(0, 0, shape)) or 0.0 for deal in deals]
    independent = concordance(TRUTH.within_by_chance(0, 4))
    assert independent is not None
    assert abs(np.mean(shares) - independent) <= 6.5 * np.std(shares) / math.sqrt(300)


def test_without_noise_the_measured_concordance_is_the_true_one() -> None:
    for j, size in ((0, 4), (1, 2), (2, 2)):
        estimate, (low, high) = measured_concordance(LINKED, EACH, PAIRS, j)
        true = pairs_by_hand(TRUTH, j, size)
        stated = true[1:, 1:]
        expected = stated[0, 0] / true[1].sum() if size == 2 else np.trace(stated) / stated.sum()
        assert estimate == pytest.approx(expected)
        assert low == pytest.approx(expected, abs=1e-4)
        assert high == pytest.approx(expected, abs=1e-4)


def binomial_tail(n: int, p: float, most: int) -> float:
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(most + 1))


@pytest.mark.parametrize(("of_each", "of_pairs"), [(25.0, 25.0), (2000.0, 2000.0), (400.0, 0.1), (0.1, 400.0)])
def test_the_intervals_hold_the_truth_as_often_as_they_say(of_each: float, of_pairs: float) -> None:
    """400 releases: with little noise, with so much that the denominator is uncertain, and with nearly all of it in
    either measurement. False alarms: 1e-9 a side.
    """
    rng = np.random.default_rng(5)
    low_count = next(k for k in range(400) if binomial_tail(400, LEVEL, k) > 1e-9)
    miss_count = next(k for k in range(400) if binomial_tail(400, 1 - LEVEL, k) > 1e-9)
    for j in (0, 1):
        true = concordance(TRUTH.within(j, j, (4, 4) if j == 0 else (2, 2)))
        assert true is not None
        inside = 0
        for _ in range(400):
            _, (low, high) = measured_concordance(
                LINKED, with_noise(EACH, of_each, rng), with_noise(PAIRS, of_pairs, rng), j
            )
            inside += low <= true <= high
        assert inside >= low_count
        assert 400 - inside >= miss_count


def test_the_truth_lies_as_far_from_its_measurements_as_the_noise_says() -> None:
    """Mean over 60 releases of 72 cells each, spread by about 0.01: ten of these spreads are allowed."""
    rng = np.random.default_rng(7)
    found = [report(TRUTH, with_noise(EACH, 40.0, rng), with_noise(PAIRS, 40.0, rng)) for _ in range(60)]
    assert found[0]["across"]["groups"] == 6
    assert found[0]["across"]["cells"] == (3 + 4) * (4 + 2 + 2)
    rms = math.sqrt(np.mean([one["across"]["rms_sigma"] ** 2 for one in found]))
    assert rms == pytest.approx(1.0, abs=0.15)
    assert np.mean([one["number"]["tv"] for one in found]) <= 1.2 * found[0]["number"]["noise_tv"]
    assert min(one["across"]["independent"]["rms_sigma"] for one in found) > 2 * rms


def test_records_linked_at_random_are_found_out() -> None:
    rng = np.random.default_rng(8)
    each, pairs = with_noise(EACH, 20.0, rng), with_noise(PAIRS, 20.0, rng)
    good, bad = report(TRUTH, each, pairs), report(dealt(TRUTH, 1), each, pairs)
    assert bad["across"]["rms_people"] > 3 * good["across"]["rms_people"]
    assert bad["across"]["worst"]["attributes"] in ("victims.region and perpetrators.gender",
                                                    "victims.gender and perpetrators.role=r")  # fmt: skip
    assert bad["number"] == good["number"]
    for name in ("gender", "role=r"):
        low, high = good["within"][name]["interval"]
        assert low <= good["within"][name]["synthetic"] <= high
        assert not low <= bad["within"][name]["synthetic"] <= high
        assert bad["within"][name]["synthetic"] == pytest.approx(bad["within"][name]["independent"], abs=0.07)


def test_victims_with_another_number_of_perpetrators_are_found_out() -> None:
    # One link less for every victim with all that the cap allows: as many as have CAP links change their number.
    start = np.searchsorted(TRUTH.victim_of, np.flatnonzero(TRUTH.numbers == CAP))
    keep = np.setdiff1d(np.arange(len(TRUTH.victim_of)), start)
    fewer = LinkedCodes(
        victims=TRUTH.victims, perpetrators=TRUTH.perpetrators[keep], victim_of=TRUTH.victim_of[keep]
    )
    assert report(TRUTH)["number"]["tv"] == 0.0
    assert report(fewer)["number"]["tv"] == pytest.approx((TRUTH.numbers == CAP).mean(), abs=1e-4)


def test_what_was_not_measured_is_left_out() -> None:
    total = NoisyResiduals(domain=EACH.domain, values={(): EACH.values[()]}, variance={(): 1.0})
    nothing = NoisyResiduals(domain=PAIRS.domain, values={}, variance={})
    assert report(TRUTH, total, nothing) == {"across": None, "number": None, "within": {}}


def test_noise_above_everything_gives_no_estimate() -> None:
    rng = np.random.default_rng(9)
    loud = [
        measured_concordance(LINKED, with_noise(EACH, 1e9, rng), with_noise(PAIRS, 1e9, rng), 0) for _ in range(20)
    ]
    assert (None, (0.0, 1.0)) in loud


def test_residuals_of_other_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="linked tables"):
        link_fidelity(TRUTH, LINKED, PAIRS, PAIRS)


def test_links_must_name_victims() -> None:
    with pytest.raises(ValueError, match="within the victims"):
        LinkedCodes(victims=TRUTH.victims[:5], perpetrators=TRUTH.perpetrators, victim_of=TRUTH.victim_of)
