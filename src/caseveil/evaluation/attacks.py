"""Attacks on a release, each beside the same attack where it cannot have learnt about its targets. Private.

An attack that works says little: whoever learns that most victims of one kind were debtors guesses "debt" right, for
victims in the data and for others. What harms the people in the data is the part that works on them alone. So every
attack is made twice, and the control decides.

Control.PEOPLE: the same release is attacked, and the targets of the control are people who were not in it, from a file.
Were they drawn as the people in it were, and had the release learnt about nobody in particular, then both attacks work
equally often, however good or bad the release is. Whether they were drawn so is tried first: the true rows of everybody
else take the place of the release, and know neither side. Where they work differently on the two, the control is not of
the same kind, and nothing is said.

Control.OTHERS, where there is no such file: the targets are the same, and in the place of the release the attacker
holds the true rows of all other people, as many. A release no nearer to the targets than fresh true rows would be works
no better. It is the weaker control: noise makes a release worse than true rows, and can hide what it tells about a few.

Targets are drawn in groups, and no group is more than a tenth of the people, so that the others stay nearly as many as
the release is made of; of the release as many units are drawn, so that sizes do not decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from caseveil.evaluation import attackers
from caseveil.evaluation.attackers import Ints, Outcomes
from caseveil.evaluation.shares import Excess, Share, excess, share
from caseveil.synthesis.records import Codes

FEWEST = 200
"""People in the data, and in a control, below whom attacks say nothing."""

FEWEST_TARGETS = 30
"""Targets on whom an attack is possible, below whom its share is not given."""

MISS = 0.05
"""Chance that one interval or more of one attack on one table misses, over all its columns together."""

MOST_TARGETS = 5000
_WORK = 2_500_000_000  # comparisons of cells in one attack by distance
_ROOM = 250_000_000  # bytes of a table of all targets by all records
_SMALLEST_SAMPLE = 200
_SHARE_HELD_OUT = 10  # a group is at most one part of so many
_DRAW = 20261124


_UNLIKE = (
    "the people in the control are not of the same kind as those in the data: with the true rows of everybody else in "
    "the place of the release this attack{} works on one side more often than on the other. Find a control "
    "that was registered as the data were, or attack without one"
)


class Control(StrEnum):
    """What an attack is held against (see the head of this file)."""

    PEOPLE = "people who were not in it"
    OTHERS = "true rows of everybody else"


class Attack(StrEnum):
    """What the attacker does (evaluation.attackers)."""

    COPYING = "copying"
    VALUE = "singling out by a value"
    COMBINATION = "singling out by a combination"
    LINKAGE = "linkage"
    NEAREST = "inference from the nearest record"
    COUNTS = "inference from counts"


@dataclass(frozen=True, kw_only=True, repr=False)
class Group:
    """Rows of people: codes (rows, attributes), and the person of each row, numbered from 0. Several rows may belong to
    one person, and a person may have none."""

    codes: Codes
    person: Ints
    people: int

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.person.shape != (len(self.codes),):
            raise ValueError("person must name one person for every row of codes")
        if len(self.person) and not 0 <= int(self.person.min()) <= int(self.person.max()) < self.people:
            raise ValueError("person must lie within the people")

    @classmethod
    def one_row_each(cls, codes: Codes) -> Group:
        """Every row is a person."""
        return cls(codes=codes, person=np.arange(len(codes), dtype=np.int64), people=len(codes))

    def of(self, people: Ints) -> Codes:
        """All rows of these people."""
        chosen = np.zeros(self.people, np.bool_)
        chosen[people] = True
        return self.codes[chosen[self.person]]

    def one_each(self, rng: np.random.Generator) -> tuple[Codes, Ints]:
        """One row of every person who has any, drawn at random, and these people."""
        order = rng.permutation(len(self.codes))
        people, first = np.unique(self.person[order], return_index=True)
        return self.codes[order[first]], people.astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Aim:
    """One table under attack. name: of the table. names: of its attributes, in the order of the codes.

    Linked tables are also attacked joined, victims beside perpetrators: then the first `known` attributes are those of
    the victim, and what is sought are the others. known None: each attribute is sought, and all others are known.
    halves: positions of the attributes that the two linking parties know.
    """

    name: str
    names: tuple[str, ...]
    halves: tuple[tuple[int, ...], tuple[int, ...]]
    known: int | None = None

    @property
    def joined(self) -> bool:
        """Whether rows of victims stand beside those of perpetrators."""
        return self.known is not None


@dataclass(frozen=True, kw_only=True)
class Result:
    """One attack on one table.

    across: from victims to perpetrators. column: what an inference seeks; None in one that seeks a column drawn at
    random, another one for every target. success: how often it worked on people in the release. control: how often in
    the control. without: how often the best guess of somebody without any of it is right, where there is such a guess.
    excess: of success over control. yardstick: with Control.PEOPLE, the same excess when the attacker holds the true
    rows of everybody else; the lower end of `excess` is moved down by it where it is more than 0. unknown: why there
    are no numbers; then all of these are None. distance and control_distance: copying alone, in how many attributes the
    nearest record differs, on average.
    """

    attack: Attack
    table: str
    column: str | None = None
    across: bool = False
    success: Share | None = None
    control: Share | None = None
    without: float | None = None
    excess: Excess | None = None
    yardstick: Excess | None = None
    unknown: str | None = None
    distance: float | None = None
    control_distance: float | None = None

    @property
    def found(self) -> bool:
        """Whether the attack works on people in the release more often than chance can explain."""
        return self.excess is not None and self.excess.lower > 0.0


@dataclass(frozen=True, kw_only=True)
class Attacks:
    """All attacks. targets: people attacked in each table, of `people`. control_people: in the control file, None
    without; also_in: of its rows, how many were left out because their key is in the data, None where it has no key."""

    control: Control
    results: tuple[Result, ...]
    targets: Mapping[str, int]
    people: int
    control_people: int | None = None
    also_in: int | None = None
    miss: float = MISS


@dataclass(frozen=True, repr=False)
class _Trial:
    """The release with targets who are in it, and the control. yardstick: rows that know neither targets nor others,
    where these differ."""

    release: Codes
    targets: Codes
    other: Codes
    others: Codes
    yardstick: Codes | None = None


def attack(aim: Aim, release: Group, truth: Group, control: Group | None) -> tuple[list[Result], int]:
    """Every attack on one table, and how many people were targets. control None: Control.OTHERS.

    Deterministic: who is drawn as a target is drawn in the same way each time.
    """
    rng = np.random.default_rng((_DRAW, len(aim.names)))
    few = _too_few(aim, release, truth, control)
    if few is not None:
        return unknown(aim, few), 0
    trials = list(_trials(aim, release, truth, control, rng))
    results = [] if aim.joined else [_copying(aim, trials), _by_value(aim, trials), _by_combination(aim, trials, rng)]
    results.append(_linkage(aim, trials, rng))
    results += _inference(aim, trials, rng)
    unlike = next((one for one in results if one.yardstick is not None and not one.yardstick.holds_nothing), None)
    if unlike is not None:
        return unknown(aim, _UNLIKE.format(f" ({unlike.attack})")), 0
    return results, sum(len(trial.targets) for trial in trials)


def _attacks(aim: Aim) -> tuple[Attack, ...]:
    every = tuple(Attack)
    return every[3:] if aim.joined else every


def _too_few(aim: Aim, release: Group, truth: Group, control: Group | None) -> str | None:
    for group, what in ((truth, "the data hold"), (release, "the release holds"), (control, "the control file holds")):
        people = 0 if group is None else len(np.unique(group.person))
        if group is not None and people < FEWEST:
            return f"{what} rows of {people:,} people here; below {FEWEST} the numbers would say nothing"
    return None


def _trials(
    aim: Aim, release: Group, truth: Group, control: Group | None, rng: np.random.Generator
) -> Iterator[_Trial]:
    rows, people = truth.one_each(rng)
    order = rng.permutation(len(rows))
    records = max(len(release.codes), len(truth.codes))
    most = max(_SMALLEST_SAMPLE, min(MOST_TARGETS, _WORK // (records * len(aim.names)), _ROOM // records))
    if control is not None:
        others, _ = control.one_each(rng)
        size = min(most, len(rows) // 2, len(others))
        chosen = order[:size]
        yield _Trial(
            release=release.codes, targets=rows[chosen],
            other=release.codes, others=others[rng.permutation(len(others))[:size]],
            yardstick=truth.of(np.setdiff1d(people, people[chosen])),
        )  # fmt: skip
        return
    size = min(most, len(rows))
    groups = max(1, math.ceil(_SHARE_HELD_OUT * size / len(rows)))
    with_rows = np.unique(release.person)
    for chosen in np.array_split(order[:size], groups):
        # The rest of a person's rows goes with the target, so that nobody stands on both sides.
        rest = np.setdiff1d(people, people[chosen])
        equal = min(len(rest), len(with_rows))
        yield _Trial(
            release=release.of(rng.choice(with_rows, equal, replace=False)), targets=rows[chosen],
            other=truth.of(rng.choice(rest, equal, replace=False)), others=rows[chosen],
        )  # fmt: skip


@dataclass(frozen=True)
class _Sides:
    """Outcomes on targets and on the control; of the release, and of the yardstick where there is one."""

    inside: Outcomes
    outside: Outcomes
    inside_yardstick: Outcomes | None = None
    outside_yardstick: Outcomes | None = None

    def of(self, columns: Ints) -> _Sides:
        """Of outcomes (targets, columns), one column for every target."""
        every = np.arange(len(columns), dtype=np.int64)
        return _Sides(
            self.inside[every, columns],
            self.outside[every, columns],
            None if self.inside_yardstick is None else self.inside_yardstick[every, columns],
            None if self.outside_yardstick is None else self.outside_yardstick[every, columns],
        )


def _sides(trials: Sequence[_Trial], guess: Callable[[Codes, Codes], Outcomes]) -> _Sides:
    inside, outside = (
        np.concatenate([guess(trial.release, trial.targets) for trial in trials]),
        np.concatenate([guess(trial.other, trial.others) for trial in trials]),
    )
    known = [trial for trial in trials if trial.yardstick is not None]
    if not known:
        return _Sides(inside, outside)
    (trial,) = known
    assert trial.yardstick is not None
    return _Sides(inside, outside, guess(trial.yardstick, trial.targets), guess(trial.yardstick, trial.others))


def _result(
    kind: Attack, aim: Aim, sides: _Sides, *, parts: int = 1, column: str | None = None, without: float | None = None
) -> Result:
    if min(len(sides.inside), len(sides.outside)) < FEWEST_TARGETS:
        return Result(
            attack=kind, table=aim.name, across=aim.joined, column=column,
            unknown=f"it can work on fewer than {FEWEST_TARGETS} of the people who were drawn",
        )  # fmt: skip
    miss = MISS / (2 * parts)
    success, control = share(sides.inside, miss), share(sides.outside, miss)
    beyond, yardstick = excess(success, control), None
    if sides.inside_yardstick is not None and sides.outside_yardstick is not None:
        yardstick = excess(share(sides.inside_yardstick, miss), share(sides.outside_yardstick, miss))
        beyond = replace(beyond, lower=max(-1.0, beyond.lower - max(0.0, yardstick.value)))
    return Result(
        attack=kind, table=aim.name, across=aim.joined, column=column,
        success=success, control=control, without=without, excess=beyond, yardstick=yardstick,
    )  # fmt: skip


def _copying(aim: Aim, trials: Sequence[_Trial]) -> Result:
    sides = _sides(trials, lambda release, targets: attackers.distances(release, targets) == 0)
    near, far = (
        float(np.concatenate([attackers.distances(*side) for side in of]).mean())
        for of in (
            [(trial.release, trial.targets) for trial in trials],
            [(trial.other, trial.others) for trial in trials],
        )
    )
    return replace(_result(Attack.COPYING, aim, sides), distance=near, control_distance=far)


def _by_value(aim: Aim, trials: Sequence[_Trial]) -> Result:
    if not any(attackers.values_to_guess(trial.release) for trial in trials):
        return Result(
            attack=Attack.VALUE, table=aim.name, across=aim.joined,
            unknown="no value stands in exactly one record, so there was nothing to guess",
        )  # fmt: skip

    def guess(release: Codes, targets: Codes) -> Outcomes:
        worked, possible = attackers.singling_out_by_value(release, targets)
        return worked[possible]

    return _result(Attack.VALUE, aim, _sides(trials, guess))


def _by_combination(aim: Aim, trials: Sequence[_Trial], rng: np.random.Generator) -> Result:
    # Which columns come first decides much: they are drawn once, so that both sides are attacked with the same.
    seed = int(rng.integers(1 << 32))
    sides = _sides(
        trials, lambda release, targets: attackers.singling_out(release, targets, np.random.default_rng(seed))
    )
    return _result(Attack.COMBINATION, aim, sides)


def _linkage(aim: Aim, trials: Sequence[_Trial], rng: np.random.Generator) -> Result:
    if not all(aim.halves):
        return Result(
            attack=Attack.LINKAGE,
            table=aim.name,
            across=aim.joined,
            unknown="the table has one column, which has no halves",
        )
    sides = _sides(trials, lambda release, targets: attackers.linkage(release, targets, aim.halves, rng))
    return _result(Attack.LINKAGE, aim, sides, without=1.0 / attackers.CANDIDATES)


def _inference(aim: Aim, trials: Sequence[_Trial], rng: np.random.Generator) -> Iterator[Result]:
    every = range(len(aim.names))
    known = every if aim.known is None else range(aim.known)
    secrets = every if aim.known is None else range(aim.known, len(aim.names))
    without = [_most_frequent(np.concatenate([trial.targets[:, j] for trial in trials])) for j in secrets]
    for kind, guess in (
        (Attack.NEAREST, lambda a, b: attackers.inference_by_nearest(a, b, known, secrets, rng)),
        (Attack.COUNTS, lambda a, b: attackers.inference_by_counts(a, b, known, secrets)),
    ):
        sides = _sides(trials, guess)
        # Both sides have equally many targets, and get the same columns, so that the draw makes no difference.
        drawn = rng.integers(0, len(secrets), len(sides.inside))
        yield _result(kind, aim, sides.of(drawn), parts=2, without=float(np.mean(without)))
        for place, j in enumerate(secrets):
            yield _result(
                kind, aim, sides.of(np.full_like(drawn, place)), parts=2 * len(secrets), column=aim.names[j],
                without=without[place],
            )  # fmt: skip


def _most_frequent(codes: NDArray[np.int32]) -> float:
    return float(np.bincount(np.asarray(codes, np.intp)).max() / len(codes))


def unknown(aim: Aim, why: str) -> list[Result]:
    """Every attack on a table for which there is no fair control."""
    return [Result(attack=one, table=aim.name, across=aim.joined, unknown=why) for one in _attacks(aim)]
