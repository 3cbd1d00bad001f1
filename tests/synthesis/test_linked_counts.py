"""Counts across the link: the records' own, by brute force, with intervals that hold."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from caseveil.schema.linked import LinkedTables
from caseveil.synthesis.linked_counts import (
    ANY,
    LINKS,
    PAIR,
    VICTIMS,
    LinkCounts,
    LinkedRecords,
    pair_counts,
    publish_links,
)
from caseveil.synthesis.linked_estimates import LinkMeasurements
from caseveil.synthesis.linked_model import LinkedMixture, fit_linked
from caseveil.synthesis.model import FitOptions
from caseveil.synthesis.presence import Presence
from tests.measurement.invented_links import (
    Person,
    link_measurements,
    measured_cliques,
    random_people,
    tables_of,
    views_of,
)

pytestmark = pytest.mark.engine

TABLES = tables_of(3)
TRUTH = random_people(TABLES, 600, np.random.default_rng(0))
VARIANCE = {name: dict.fromkeys(cliques, 60.0) for name, cliques in measured_cliques(TABLES).items()}
VIEWS_OF_TRUTH = views_of(TABLES, TRUTH)
SMALL = FitOptions(ladder=(8,), products=8, iterations=200)
Rows = Counter[tuple[str, str]]


def measured_with(seed: int) -> LinkMeasurements:
    return link_measurements(TABLES, VIEWS_OF_TRUTH, VARIANCE, np.random.default_rng(seed))


def model_of(measured: LinkMeasurements) -> LinkedMixture:
    return fit_linked(measured.each, measured.pairs, v=TABLES.v, options=SMALL, kinds=3, rng=np.random.default_rng(0))


MEASURED = measured_with(0)
MODEL = model_of(MEASURED)


def records_of(tables: LinkedTables, people: list[Person]) -> LinkedRecords:
    number = np.array([len(links) for _, links in people], np.int64)
    return LinkedRecords(
        victims=np.array([own for own, _ in people], np.int32).reshape(-1, tables.v),
        number=number,
        links=np.array([link for _, links in people for link in links], np.int32).reshape(-1, tables.p),
        victim_of=np.repeat(np.arange(len(people), dtype=np.int64), number),
    )


def brute(people: list[Person]) -> Rows:
    """Everything that the four kinds of counts say, person by person."""
    out: dict[tuple[str, str], Fraction] = {}

    def add(of: str, said: dict[str, str], weight: Fraction = Fraction(1)) -> None:
        key = (of, json.dumps(said, sort_keys=True))
        out[key] = out.get(key, Fraction(0)) + weight

    for own, links in people:
        victim = {f"victims.v{i}": f"v{i}{c}" for i, c in enumerate(own) if c}
        number = {"number of perpetrators": str(len(links))}
        said = [{f"perpetrators.p{j}": f"p{j}{c}" for j, c in enumerate(link) if c} for link in links]
        for mine, (a, x) in itertools.product(said, victim.items()):
            for b, y in mine.items():
                add(LINKS, {a: x, b: y})
        for b, y in {pair for mine in said for pair in mine.items()}:
            add(ANY, {b: y})
            for a, x in victim.items():
                add(ANY, {a: x, b: y})
        add(VICTIMS, number)
        for a, x in victim.items():
            add(VICTIMS, {a: x, **number})
        k = len(links)
        for one, other in itertools.permutations(said, 2):
            for b, y in one.items():
                for d, z in other.items():
                    if b <= d:
                        add(PAIR, {b: y, f"other {d}": z}, Fraction(1, k * (k - 1)))
    rounded = {key: int(np.rint(float(weight))) for key, weight in out.items()}
    return Counter({key: count for key, count in rounded.items() if count})


def rows(counts: LinkCounts) -> Rows:
    keys = list(zip(counts.of, counts.combination, strict=True))
    assert len(set(keys)) == len(keys)
    return Counter(dict(zip(keys, counts.count.tolist(), strict=True)))


def published(people: list[Person], share: float | None, scale: float = 2.0) -> LinkCounts:
    return publish_links(records_of(TABLES, people), TABLES, MEASURED, MODEL, Presence(scale=scale), share=share)


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_records(seed: int) -> None:
    """All of them, when everything is published: nothing left out, nothing made up."""
    people = random_people(TABLES, 200, np.random.default_rng(seed + 10))
    counts = published(people, None)
    assert rows(counts) == brute(people)
    assert set(counts.of) == {LINKS, ANY, VICTIMS, PAIR}
    assert (counts.lower >= 0).all()
    assert (counts.lower <= counts.count).all()
    assert (counts.count <= counts.upper).all()
    assert all(text == json.dumps(json.loads(text), sort_keys=True) for text in counts.combination)


def test_no_link_is_a_number_too() -> None:
    found = rows(published([((1, 1), ()), ((1, 0), ()), ((2, 1), ((1, 1),))], None))
    assert found[VICTIMS, '{"number of perpetrators": "0"}'] == 2
    assert found[VICTIMS, '{"number of perpetrators": "0", "victims.v0": "v01"}'] == 2
    assert found[VICTIMS, '{"number of perpetrators": "1", "victims.v0": "v02"}'] == 1


def test_nobody_has_a_link() -> None:
    people: list[Person] = [((1, 1), ())] * 5
    assert rows(published(people, None)) == brute(people)
    assert set(published(people, None).of) == {VICTIMS}


def test_with_a_share_the_small_ones_are_left_out() -> None:
    """Each thing that is counted has its own least count; above it nothing is missing."""
    people = random_people(TABLES, 200, np.random.default_rng(20))
    every, some = rows(published(people, None)), rows(published(people, 0.01, scale=12.0))
    assert 0 < len(some) < len(every)
    for of in (LINKS, ANY, VICTIMS, PAIR):
        mine = {key: count for key, count in some.items() if key[0] == of}
        least = min(mine.values())
        assert mine == {key: count for key, count in every.items() if key[0] == of and count >= least}


def test_a_cap_of_one_has_no_pairs() -> None:
    tables = tables_of(1)
    people = random_people(tables, 150, np.random.default_rng(4))
    variance = {name: dict.fromkeys(of, 20.0) for name, of in measured_cliques(tables).items()}
    variance |= {"tilt": {}, "pairs": {}}
    measured = link_measurements(tables, views_of(tables, people), variance, np.random.default_rng(0))
    counts = publish_links(
        records_of(tables, people), tables, measured, model_of(measured), Presence(scale=1.0), share=None
    )
    assert set(counts.of) == {LINKS, ANY, VICTIMS}
    assert rows(counts) == brute(people)


def test_pairs_over_all_codes() -> None:
    people = random_people(TABLES, 40, np.random.default_rng(5))
    table = pair_counts(records_of(TABLES, people), TABLES)
    np.testing.assert_allclose(table, table.T)
    several = sum(len(links) > 1 for _, links in people)
    assert table[:3, 3:].sum() == pytest.approx(several)
    assert table[:3, :3].sum() == pytest.approx(several)


def test_intervals_hold_what_is_true_as_often_as_they_say() -> None:
    """Other records than the true ones, whose counts therefore do not pull intervals over the truth by themselves.

    Seeded noise, so there is no false alarm: 40 measurements of some 70 true counts.
    """
    others = records_of(TABLES, random_people(TABLES, 600, np.random.default_rng(99)))
    truth = brute(TRUTH)
    held: dict[str, list[bool]] = {of: [] for of in (LINKS, ANY, VICTIMS, PAIR)}
    wide: dict[str, list[int]] = {of: [] for of in held}
    for seed in range(40):
        counts = publish_links(others, TABLES, measured_with(seed), MODEL, Presence(scale=1.0), share=None)
        for of, text, low, high in zip(counts.of, counts.combination, counts.lower, counts.upper, strict=True):
            held[of].append(bool(low <= truth[of, text] <= high))
            wide[of].append(int(high - low))
    for of, hits in held.items():
        assert len(hits) > 200
        assert np.mean(hits) >= 0.95, of
        assert np.median(wide[of]) < 250, of
    assert np.mean([hit for hits in held.values() for hit in hits]) < 1.0, "so wide that they say nothing"
