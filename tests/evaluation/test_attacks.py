"""Attacks on releases that give people away, and on those that do not.

Where MISS is set to SELDOM, every attack on a table raises a false alarm at most so often, however the rows were drawn;
people, releases and controls are drawn with fixed seeds besides.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.evaluation import attacks
from caseveil.evaluation.attacks import Aim, Attack, Group, Result, attack

Codes = NDArray[np.int32]
SELDOM = 1e-10


def people(rows: int, seed: int, kinds: int = 4) -> Codes:
    """Seven columns that hang together, and one with many rare values."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, kinds, rows)
    columns = [(kind + rng.integers(0, 5, rows) * (rng.random(rows) < 0.6)) % (3 + i % 5) for i in range(7)]
    return np.stack([*columns, rng.integers(0, 3 * rows, rows)], axis=1).astype(np.int32)


def independent(rows: int, seed: int) -> Codes:
    """Each column as in `people`, without a link between them, and drawn anew."""
    rng = np.random.default_rng(seed + 1)
    return np.stack([rng.permutation(column) for column in people(rows, seed).T], axis=1)


def aim(columns: int) -> Aim:
    return Aim(
        name="cases",
        names=tuple(f"c{i}" for i in range(columns)),
        halves=(tuple(range(0, columns, 2)), tuple(range(1, columns, 2))),
    )


TRUTH = people(2400, 1)
OTHERS = people(2400, 2)
one_each = Group.one_row_each


def run(release: Codes, control: Codes | None, truth: Codes = TRUTH) -> dict[Attack, Result]:
    """What stands for each attack: the result that is not about one column."""
    results, _ = attack(
        aim(truth.shape[1]), one_each(release), one_each(truth), None if control is None else one_each(control)
    )
    return {result.attack: result for result in results if result.column is None}


@pytest.fixture
def _seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "MISS", SELDOM)


LEAST = {Attack.VALUE: 0.05, Attack.COUNTS: 0.0}
"""The lower end of a risk that a copy must pass, else 0.5; counts of pairs give away those who have a rare value."""


@pytest.mark.usefixtures("_seldom")
@pytest.mark.parametrize("control", [None, OTHERS], ids=["others", "people"])
def test_a_copy_of_the_true_rows_is_found(control: Codes | None) -> None:
    found = run(np.random.default_rng(3).permutation(TRUTH), control)
    for kind in Attack:
        excess = found[kind].excess
        assert excess is not None, kind
        assert excess.lower > LEAST.get(kind, 0.5), kind
        assert found[kind].found


@pytest.mark.usefixtures("_seldom")
@pytest.mark.parametrize("with_people", [False, True])
def test_exact_counts_of_few_people_in_many_columns_are_found(with_people: bool) -> None:
    rng = np.random.default_rng(4)
    truth, others = (rng.integers(0, 12, (400, 20)).astype(np.int32) for _ in range(2))
    found = run(truth, others if with_people else None, truth)[Attack.COUNTS]
    assert found.excess is not None
    assert found.excess.lower > 0.3
    assert found.without == pytest.approx(1 / 12, abs=0.05)


@pytest.mark.usefixtures("_seldom")
@pytest.mark.parametrize("control", [None, OTHERS], ids=["others", "people"])
def test_a_release_of_which_every_second_record_is_a_copy_is_found(control: Codes | None) -> None:
    mixed = np.where(np.arange(len(TRUTH))[:, None] % 2 == 0, TRUTH, independent(len(TRUTH), 5))
    found = run(mixed, control)
    for kind in (Attack.COPYING, Attack.COMBINATION, Attack.LINKAGE, Attack.NEAREST):
        excess = found[kind].excess
        assert excess is not None
        assert excess.lower > 0.15, kind


@pytest.mark.usefixtures("_seldom")
@pytest.mark.parametrize("control", [None, OTHERS], ids=["others", "people"])
@pytest.mark.parametrize("release", [people(2400, 6), independent(2400, 7)], ids=["fresh", "independent"])
def test_a_release_that_knows_nobody_is_not(release: Codes, control: Codes | None) -> None:
    """False alarms at most once in 1e9 times: six attacks, SELDOM each."""
    results, targets = attack(
        aim(8), one_each(release), one_each(TRUTH), None if control is None else one_each(control)
    )  # fmt: skip
    assert targets == (2400 if control is None else 1200)
    assert len(results) == 4 + 2 * (1 + 8)
    for result in results:
        assert result.unknown is None
        assert not result.found, (result.attack, result.column)


@pytest.mark.parametrize("control", [None, OTHERS], ids=["others", "people"])
def test_ends_of_intervals_stay_near_nothing_for_a_release_that_knows_nobody(control: Codes | None) -> None:
    """At the level that stewards see, for the seeds of this test: the interval of each attack as a whole is narrow
    enough to say something."""
    for kind, result in run(people(2400, 8), control).items():
        assert result.excess is not None
        assert result.excess.lower <= 0 <= result.excess.upper < 0.25, kind


def test_what_is_learnt_about_everybody_is_no_risk() -> None:
    """A release that knows the population teaches much, and about people in it no more than about others."""
    found = run(people(2400, 9), OTHERS)[Attack.COUNTS]
    assert found.success is not None
    assert found.without is not None
    assert found.success.lower > found.without + 0.1
    assert not found.found


def test_a_control_of_another_kind_says_nothing() -> None:
    results, targets = attack(aim(8), one_each(people(2400, 10)), one_each(TRUTH), one_each(independent(2400, 11)))
    assert targets == 0
    assert {result.attack for result in results} == set(Attack)
    assert all(result.excess is None and "not of the same kind" in str(result.unknown) for result in results)


@pytest.mark.parametrize("few", ["truth", "release", "control"])
def test_too_few_people_say_nothing(few: str) -> None:
    groups = {name: one_each(people(199 if name == few else 200, 12)) for name in ("release", "truth", "control")}
    results, targets = attack(aim(8), **groups)
    assert targets == 0
    assert all("199 people" in str(result.unknown) for result in results)
    assert len(results) == len(Attack)


def test_an_attack_that_cannot_be_made_is_unknown() -> None:
    common = np.repeat(np.arange(1, 4, dtype=np.int32), 100)[:, None]
    found = run(common, None, common)
    assert "no value stands in exactly one record" in str(found[Attack.VALUE].unknown)
    assert "one column" in str(found[Attack.LINKAGE].unknown)
    assert found[Attack.COPYING].success is not None


def test_both_sides_are_attacked_with_the_same_descriptions() -> None:
    """Which columns come first decides how often descriptions work: with other orders the two sides would differ."""
    trial = attacks._Trial(release=OTHERS, targets=TRUTH[:1000], other=OTHERS, others=TRUTH[:1000])
    found = attacks._by_combination(aim(8), [trial], np.random.default_rng(0))
    assert found.success == found.control
    assert found.success is not None
    assert found.success.times > 20


def test_the_same_attack_gives_the_same_numbers() -> None:
    assert run(people(600, 13), None, TRUTH[:600]) == run(people(600, 13), None, TRUTH[:600])


def test_nobody_stands_on_both_sides() -> None:
    """Every row names its person in its last column, so that a person on both sides would be seen."""
    rng = np.random.default_rng(14)
    person = np.sort(rng.integers(0, 500, 1500))
    codes = np.stack([rng.integers(0, 3, 1500), person], axis=1).astype(np.int32)
    group = Group(codes=codes, person=person, people=500)
    release = one_each(people(480, 15)[:, :2])
    trials = list(attacks._trials(aim(2), release, group, None, np.random.default_rng(0)))
    seen: list[int] = []
    for trial in trials:
        targets = trial.targets[:, 1].tolist()
        assert len(set(targets)) == len(targets)
        assert not set(targets) & set(trial.other[:, 1].tolist())
        assert len(trial.targets) <= 50
        assert len(np.unique(trial.other[:, 1])) == len(trial.release)  # as many people on either side
        seen += targets
    assert sorted(seen) == np.unique(person).tolist()
    control = Group(codes=codes + 1000, person=person, people=500)
    (trial,) = attacks._trials(aim(2), release, group, control, np.random.default_rng(0))
    assert trial.yardstick is not None
    assert not set(trial.targets[:, 1].tolist()) & set(trial.yardstick[:, 1].tolist())
    assert len(trial.targets) == len(trial.others)
    assert trial.release is trial.other


def test_targets_are_fewer_where_tables_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "_WORK", 2400 * 8 * 300)
    assert attack(aim(8), one_each(OTHERS), one_each(TRUTH), None)[1] == 300
    monkeypatch.setattr(attacks, "_WORK", 1)
    assert attack(aim(8), one_each(OTHERS), one_each(TRUTH), None)[1] == 200


def test_a_group_names_a_person_for_every_row() -> None:
    with pytest.raises(ValueError, match="for every row"):
        Group(codes=TRUTH, person=np.zeros(3, np.int64), people=3)
    with pytest.raises(ValueError, match="within the people"):
        Group(codes=TRUTH, person=np.full(len(TRUTH), 9), people=9)


def dealt(rows: int, seed: int) -> tuple[Codes, Codes, NDArray[np.int64]]:
    """Victims, perpetrators who follow their victim, and the victim of each."""
    rng = np.random.default_rng(seed)
    victims = rng.integers(0, 12, (rows, 4)).astype(np.int32)
    victim_of = np.repeat(np.arange(rows, dtype=np.int64), rng.integers(0, 4, rows))
    alike = rng.random((len(victim_of), 4)) < 0.3
    perpetrators = np.where(alike, victims[victim_of], rng.integers(0, 12, (len(victim_of), 4))).astype(np.int32)
    return victims, perpetrators, victim_of


def joined(victims: Codes, perpetrators: Codes, victim_of: NDArray[np.int64]) -> Group:
    return Group(
        codes=np.concatenate([victims[victim_of], perpetrators], axis=1), person=victim_of, people=len(victims)
    )


ACROSS = Aim(name="both", names=tuple("abcdefgh"), halves=((0, 1, 2, 3), (4, 5, 6, 7)), known=4)


@pytest.mark.usefixtures("_seldom")
def test_copied_links_are_found_and_links_dealt_anew_are_not() -> None:
    truth = dealt(2000, 16)
    order = np.random.default_rng(17).permutation(len(truth[1]))
    anew = (truth[0], truth[1][order], truth[2])  # the same victims and perpetrators, joined by chance
    for control in (None, joined(*dealt(2000, 18))):
        copied, _ = attack(ACROSS, joined(*truth), joined(*truth), control)
        assert [one.attack for one in copied if one.column is None] == [Attack.LINKAGE, Attack.NEAREST, Attack.COUNTS]
        assert {one.column for one in copied} == {None, "e", "f", "g", "h"}
        assert all(one.across for one in copied)
        # The nearest record to a victim is the copy, with one to three perpetrators; counts of pairs are too coarse.
        assert all(one.found for one in copied if one.attack in (Attack.LINKAGE, Attack.NEAREST))
        harmless, _ = attack(ACROSS, joined(*anew), joined(*truth), control)
        assert not any(one.found for one in harmless)
        assert all(one.unknown is None for one in harmless)
