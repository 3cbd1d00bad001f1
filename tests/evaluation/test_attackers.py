"""What attackers guess, beside the same done by hand on small tables."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.evaluation import attackers

Codes = NDArray[np.int32]
SIZES = (3, 4, 2, 5, 300)


def table(rows: int, seed: int, sizes: tuple[int, ...] = SIZES) -> Codes:
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, size, rows) for size in sizes], axis=1).astype(np.int32)


def differ(one: NDArray[np.int32], other: NDArray[np.int32]) -> int:
    return int((one != other).sum())


@pytest.mark.parametrize("targets", [1, 64, 130])
def test_distances_are_those_found_by_hand(targets: int) -> None:
    release, people = table(90, 1), table(targets, 2)
    people[0] = release[17]
    by_hand = [min(differ(person, record) for record in release) for person in people]
    assert attackers.distances(release, people).tolist() == by_hand
    assert by_hand[0] == 0


def test_many_attributes_do_not_overflow() -> None:
    release, people = np.zeros((3, 400), np.int32), np.ones((2, 400), np.int32)
    assert attackers.distances(release, people).tolist() == [400, 400]


def test_a_value_singles_out_who_alone_has_it() -> None:
    release, people = table(60, 3), table(50, 4)
    worked, possible = attackers.singling_out_by_value(release, people)
    for at, person in enumerate(people):
        alone = [
            i for i, code in enumerate(person.tolist()) if code and (people[:, i] == code).sum() == 1
        ]  # fmt: skip
        assert possible[at] == bool(alone)
        assert worked[at] == any((release[:, i] == person[i]).sum() == 1 for i in alone)
    assert 0 < worked.sum() < possible.sum()
    guesses = sum((release[:, i] == code).sum() == 1 for i, size in enumerate(SIZES) for code in range(1, size))
    assert attackers.values_to_guess(release) == guesses


def test_a_combination_singles_out_only_who_fits_one_record_and_nobody_else() -> None:
    release, people = table(80, 5, (3, 4, 2, 5)), table(70, 6, (3, 4, 2, 5))
    worked = attackers.singling_out(release, people, np.random.default_rng(0))
    columns = [c for k in range(1, 5) for c in itertools.combinations(range(4), k)]
    possible = np.zeros(len(people), np.bool_)
    for at, person in enumerate(people):
        possible[at] = any(
            (people[:, c] == person[list(c)]).all(axis=1).sum() == 1
            and (release[:, c] == person[list(c)]).all(axis=1).sum() == 1
            for c in columns
        )
    assert not (worked & ~possible).any()
    assert worked.sum() >= 5


def test_who_is_unique_in_a_copy_is_singled_out() -> None:
    people = table(300, 7, (4, 4, 4, 4))
    worked = attackers.singling_out(people, people, np.random.default_rng(0))
    _, inverse, counts = np.unique(people, axis=0, return_inverse=True, return_counts=True)
    assert worked.tolist() == (counts[inverse.reshape(-1)] == 1).tolist()


def test_halves_are_joined_by_the_record_that_holds_both() -> None:
    people = np.stack([np.arange(1, 41)] * 4, axis=1).astype(np.int32)
    rng = np.random.default_rng(0)
    assert attackers.linkage(people, people, ((0, 1), (2, 3)), rng).all()
    crossed = people.copy()
    crossed[:, 2:] = np.roll(people[:, 2:], -3, axis=0)  # the record joins the half of the third person further on
    assert not attackers.linkage(crossed, people, ((0, 1), (2, 3)), rng).any()


def test_without_any_hint_halves_are_joined_by_chance() -> None:
    """A binomial of 4,000 trials at 1/10; the band of 7 standard deviations is left less than once in 1e9 times."""
    people = table(4000, 8, (50, 50))
    release = np.zeros((5, 2), np.int32)
    right = int(attackers.linkage(release, people + 1, ((0,), (1,)), np.random.default_rng(1)).sum())
    assert abs(right - 400) < 7 * math.sqrt(4000 * 0.09)
    with pytest.raises(ValueError, match="at least 10 targets"):
        attackers.linkage(release, people[:9], ((0,), (1,)), np.random.default_rng(1))


def test_a_secret_is_read_off_the_nearest_record() -> None:
    release, people = table(70, 9), table(90, 10)
    found = attackers.inference_by_nearest(release, people, range(5), range(5), np.random.default_rng(2))
    sure = unsure = 0
    for at, person in enumerate(people):
        for j in range(5):
            known = [i for i in range(5) if i != j]
            apart = [(record[known] != person[known]).sum() for record in release]
            nearest = release[np.flatnonzero(apart == np.min(apart)), j]
            if (nearest == person[j]).all() or not (nearest == person[j]).any():
                sure += 1
                assert found[at, j] == (nearest[0] == person[j])
            else:
                unsure += 1
    assert sure > 100
    assert unsure > 100


def test_of_equally_near_records_each_is_drawn_as_often() -> None:
    """A binomial of 3,000 trials at 1/4; the band of 7 standard deviations is left less than once in 1e9 times."""
    release = np.array([[1, 1], [1, 2], [1, 2], [1, 2], [2, 1]], np.int32)
    people = np.tile(np.array([[1, 1]], np.int32), (3000, 1))
    found = attackers.inference_by_nearest(release, people, (0,), (1,), np.random.default_rng(3))
    assert abs(int(found.sum()) - 750) < 7 * math.sqrt(3000 * 3 / 16)


def test_naive_bayes_is_that_by_hand() -> None:
    release, people = table(200, 11, (3, 4, 2)), table(60, 12, (3, 4, 2))
    people[0] = (2, 3, 1)
    found = attackers.inference_by_counts(release, people, (0, 1, 2), (1, 2))
    for at, person in enumerate(people.tolist()):
        for place, j in enumerate((1, 2)):
            scores = []
            for value in range((3, 4, 2)[j]):
                score = math.log((release[:, j] == value).sum() + 0.5)
                for i in {0, 1, 2} - {j}:
                    both = ((release[:, j] == value) & (release[:, i] == person[i])).sum()
                    score += math.log((both + 0.5) / ((release[:, j] == value).sum() + 0.5 * (3, 4, 2)[i]))
                scores.append(score)
            assert found[at, place] == (int(np.argmax(scores)) == person[j])
    assert found.any()
    assert not found.all()
