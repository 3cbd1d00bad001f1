"""The band of counts that are taken from records."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.release.spread import BEHIND, Spread, link_spreads, spread
from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS, LinkCounts


def published(count: list[int], below: list[int], above: list[int], length: list[int]) -> PublishedCounts:
    numbers = np.array(count, dtype=np.int64)
    return PublishedCounts(
        combination=tuple(f'{{"a": "{i}"}}' for i in range(len(count))),
        length=np.array(length, dtype=np.int64),
        count=numbers,
        lower=numbers - np.array(below, dtype=np.int64),
        upper=numbers + np.array(above, dtype=np.int64),
    )


def test_the_longer_arm_of_the_longest_combinations_counts() -> None:
    """Two sizes of 2-way counts with arms of 10 and 30; single counts, which are tighter, are not looked at."""
    many = BEHIND
    counts = published(
        [500] * many + [16] * many + [1000] * many, [1] * many + [3] * many + [30] * many,
        [1] * many + [10] * many + [4] * many, [1] * many + [2] * many + [2] * many,
    )  # fmt: skip
    band = spread(counts, 2000)
    assert band.size == (16, 1000, 2000)
    draws = [1.959964 * math.sqrt(n * (1 - n / 2000)) for n in band.size]
    assert band.half == tuple(
        math.ceil(x) for x in (math.hypot(10, draws[0]), math.hypot(30, draws[1]), math.hypot(30, draws[1]))
    )
    middle = band.at(np.array([0, 1, 16, math.isqrt(16 * 1000), 1000, 2000, 9999], dtype=np.int64))
    assert middle[0] == middle[1] == middle[2] == band.half[0]
    assert middle[3] == pytest.approx((band.half[0] + band.half[1]) / 2, abs=0.5)
    assert middle[4] == band.half[1]
    assert middle[5] == middle[6] == band.half[2]


def test_few_long_combinations_leave_the_word_to_shorter_ones() -> None:
    few = BEHIND - 1
    counts = published([100] * BEHIND + [20] * few, [0] * BEHIND + [9] * few, [40] * BEHIND + [9] * few,
                       [1] * BEHIND + [2] * few)  # fmt: skip
    assert spread(counts, 100).half[-1] >= 40
    some = spread(published([5, 7], [5, 3], [2, 8], [1, 2]), 50)
    assert some.size[0] == 6
    assert some.half[0] >= 6


def test_nothing_published_tells_nothing() -> None:
    band = spread(published([], [], [], []), 100)
    assert band == Spread(size=(), half=())
    assert np.isinf(band.at(np.array([1, 50], dtype=np.int64))).all()


_counts = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 900), st.integers(0, 900), st.integers(1, 4)), max_size=300
)


@given(_counts, st.integers(0, 20_000))
def test_every_table_has_a_band_that_widens(rows: list[tuple[int, int, int, int]], more: int) -> None:
    counts = published(*([row[k] for row in rows] for k in range(4)))
    people = max((row[0] for row in rows), default=0) + more
    band = spread(counts, people)
    assert bool(band.size) == bool(rows)
    if not rows:
        return
    assert band.size[-1] >= min(people, max(row[0] for row in rows))
    assert all(a < b for a, b in zip(band.size, band.size[1:], strict=False))
    assert all(a <= b for a, b in zip(band.half, band.half[1:], strict=False))
    assert band.half[-1] <= math.ceil(math.hypot(900, 0.98 * math.sqrt(max(people, 5000))))


@pytest.mark.parametrize(
    ("size", "half"), [((1, 2), (3,)), ((0, 2), (1, 1)), ((2, 2), (1, 1)), ((1, 2), (3, 2)), ((1,), (-1,))]
)
def test_a_band_that_is_none_is_refused(size: tuple[int, ...], half: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="band"):
        Spread(size=size, half=half)


def test_every_kind_of_count_across_the_link_has_its_own_band() -> None:
    """People have 0, 1 or 3 links, so links come in bunches: 300 links, sum m^2 / sum m = (60 + 9 * 80) / 300."""
    owner = np.concatenate([np.arange(60), np.repeat(np.arange(60, 140), 3)]).astype(np.int64)
    many = BEHIND
    kinds = {LINKS: (64, 10), ANY: (32, 20), VICTIMS: (16, 5), PAIR: (8, 1000)}
    pairs = [
        (of, f'{{"perpetrators.a": "{i}", "victims.b": "{i}"}}', n, arm)
        for of, (n, arm) in kinds.items() for i in range(many)
    ]  # fmt: skip
    short = [(LINKS, '{"victims.b": "0"}', 64, 999)]  # shorter, hence not looked at
    of, combination, count, arm = zip(*pairs, *short, strict=True)
    numbers, arms = np.array(count, np.int64), np.array(arm, np.int64)
    counts = LinkCounts(combination=combination, of=of, count=numbers, lower=numbers - 1, upper=numbers + arms)
    bands = link_spreads(counts, 200, owner)
    assert list(bands) == [LINKS, ANY, VICTIMS]
    bunch = (60 + 9 * 80) / 300
    for kind, rows, weight in ((LINKS, 300, bunch), (ANY, 200, 1.0), (VICTIMS, 200, 1.0)):
        size, wide = kinds[kind]
        assert bands[kind].size[0] == size
        assert bands[kind].size[-1] == rows
        drawn = 1.959964 * math.sqrt(weight * size * (1 - size / rows))
        assert bands[kind].half[0] == math.ceil(math.hypot(wide, drawn))
    nothing = LinkCounts(combination=(), of=(), count=numbers[:0], lower=numbers[:0], upper=numbers[:0])
    assert set(link_spreads(nothing, 200, owner).values()) == {Spread(size=(), half=())}
    assert set(link_spreads(nothing, 0, owner[:0]).values()) == {Spread(size=(), half=())}
