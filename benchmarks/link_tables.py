"""The linked sets of the benchmark: victims, their perpetrators, and what the plan of the demo says about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.score import Columns
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table

Ints = NDArray[np.int64]

VICTIMS = 17_000
SEED = 11
MOST_LINKS = 40
"""Most perpetrators of one victim in the skewed set."""

_PROFILE = ("recruiter_relation", "citizenship_region", "exploitation_region", "gender")
"""Columns of victims in whose order links are dealt anew, so that a victim gets those of victims like her."""


@dataclass(frozen=True, kw_only=True)
class LinkedSet:
    """Raw cells of two linked tables and the plan for them.

    perpetrators[link.key] names a victim by its cell in victims[victims_table.key].
    """

    name: str
    about: str
    victims: Columns
    perpetrators: Columns
    victims_table: Table
    perpetrators_table: Table
    link: Link
    flattened: tuple[FlattenedColumn, ...]

    @property
    def key(self) -> str:
        """The column that identifies a victim."""
        assert self.victims_table.key is not None, "a table of people that is linked to has a key"
        return self.victims_table.key

    @property
    def victim_of(self) -> Ints:
        """Position of the victim of every link."""
        return positions(self.victims[self.key], self.perpetrators[self.link.key])


def positions(keys: Sequence[str], named: Sequence[str]) -> Ints:
    """Where each named key stands among keys; -1 for one that is not there."""
    place = {key: position for position, key in enumerate(keys)}
    return np.fromiter((place.get(key, -1) for key in named), np.int64, len(named))


def _demo(name: str, about: str, victims: Columns, perpetrators: Columns) -> LinkedSet:
    """The set with the plan of the demo."""
    from caseveil.demo import plan_text
    from caseveil.plan import Plan

    plan = Plan.from_toml(plan_text(), Path())
    people, linked = plan.tables
    assert linked.link is not None, "the demo links perpetrators to victims"
    return LinkedSet(
        name=name,
        about=about,
        victims=victims,
        perpetrators=perpetrators,
        victims_table=people.table,
        perpetrators_table=linked.table,
        link=linked.link,
        flattened=plan.flattened,
    )


def demo_linked(victims: int = VICTIMS, seed: int = SEED) -> LinkedSet:
    """The invented cases of `caseveil demo`: one to six perpetrators a victim."""
    from caseveil.demo_cases import invent

    people, perpetrators = invent(victims, np.random.default_rng(seed))
    links = len(perpetrators["victim_id"])
    about = f"{victims:,} invented victims with {links:,} perpetrators, one to six each"
    return _demo("demo", about, people, perpetrators)


def skewed(victims: int = VICTIMS, seed: int = SEED) -> LinkedSet:
    """The demo with its links dealt anew: a tenth of the victims hold half of them, up to 40 each."""
    from caseveil.demo_cases import invent

    rng = np.random.default_rng(seed)
    people, perpetrators = invent(victims, rng)
    owner = positions(people["victim_id"], perpetrators["victim_id"])
    links = len(owner)
    dealt = deal_anew(owner, victims, [people[name] for name in _PROFILE], rng)
    order = np.argsort(dealt, kind="stable")
    columns = {name: [cells[i] for i in order.tolist()] for name, cells in perpetrators.items()}
    columns["victim_id"] = [people["victim_id"][v] for v in dealt[order].tolist()]
    most = int(np.bincount(dealt).max())
    about = f"the same victims and {links:,} perpetrators; a tenth of the victims hold half of the links, up to {most}"
    return _demo("skewed", about, people, columns)


def deal_anew(owner: Ints, victims: int, profile: Sequence[Sequence[str]], rng: np.random.Generator) -> Ints:
    """New owners of the links: a random tenth of the victims holds half of them, nobody more than MOST_LINKS.

    owner (links,) rises. Every other victim keeps its first link. What moves goes, in the order of the profile, to
    victims in the order of their profile: so a victim's perpetrators stay as alike as they were, and go on fitting
    their victim. Raises ValueError where the links do not suffice.
    """
    heavy = np.zeros(victims, np.bool_)
    heavy[rng.choice(victims, victims // 10, replace=False)] = True
    first = np.r_[True, owner[1:] != owner[:-1]]
    wanted = len(owner) // 2 - int(heavy[owner].sum())
    spare = np.flatnonzero(~heavy[owner] & ~first)
    own = np.bincount(owner, minlength=victims)
    room = np.where(heavy, MOST_LINKS - own, 0)
    if not 0 <= wanted <= min(len(spare), int(room.sum())) or room.min() < 0:
        raise ValueError("there must be enough links to deal and enough victims to hold them")
    moved = np.sort(rng.choice(spare, wanted, replace=False))
    takers = _takers(wanted, room, rng.exponential(size=victims), rng)
    codes = np.stack([np.unique(np.asarray(cells), return_inverse=True)[1] for cells in profile])
    rank = np.empty(victims, np.int64)
    rank[np.lexsort(codes[::-1])] = np.arange(victims)
    out = owner.copy()
    out[moved[np.argsort(rank[owner[moved]], kind="stable")]] = takers[np.argsort(rank[takers], kind="stable")]
    return out


def _takers(number: int, room: Ints, weights: NDArray[np.float64], rng: np.random.Generator) -> Ints:
    """Who takes each of so many links: drawn by weight, nobody more than there is room for. -> (number,)"""
    taken = np.zeros(len(room), np.int64)
    while (left := number - int(taken.sum())) > 0:
        chance = np.where(taken < room, weights, 0.0)
        taken = np.minimum(taken + rng.multinomial(left, chance / chance.sum()), room)
    return np.repeat(np.arange(len(room), dtype=np.int64), taken)


SETS: Mapping[str, Callable[[], LinkedSet]] = {"demo": demo_linked, "skewed": skewed}
