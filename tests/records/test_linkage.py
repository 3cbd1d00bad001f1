"""Linked rows: joined by key, checked, cut to the cap by chance; and every fault in a sentence without a cell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import RowsError
from caseveil.records.linkage import LinkedRows, LinkReport, link_rows
from caseveil.records.prepare import IntakeReport, Rows
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import Category
from caseveil.schema.links import Link
from caseveil.schema.table import Table

SECRET = "Zanzibarella"
VICTIMS = Table(name="victims", columns=(Category(name="gender", values=("F", "M")),), key="victim_id")
PERPETRATORS = Table(name="perpetrators", columns=(Category(name="role"),), key="pid")
LINK = Link(to="victims", key="of", at_most=2)
SHARED = Link(to="victims", key="of", at_most=2, shared_by_at_most=2)

Linked = tuple[LinkedRows, tuple[IntakeReport, IntakeReport], LinkReport]


def joined(
    keys: Sequence[str],
    of: Sequence[str],
    names: Sequence[str] | None = None,
    *,
    link: Link = LINK,
    strict: bool = False,
) -> Linked:
    """Rows r0, r1, ... that belong to `of`; perpetrators are keyed where names are given."""
    table = PERPETRATORS if names is not None else Table(name="perpetrators", columns=PERPETRATORS.columns)
    raw: dict[str, Sequence[str]] = {"role": [f"r{i}" for i in range(len(of))], "of": of, "extra": [SECRET] * len(of)}
    if names is not None:
        raw["pid"] = names
    people = RawTable(columns={"victim_id": keys, "gender": ["F"] * len(keys)})
    return link_rows(people, VICTIMS, RawTable(columns=raw), table, link, strict=strict)


def refusal(*args: Sequence[str], link: Link = LINK, strict: bool = False) -> str:
    with pytest.raises(RowsError) as caught:
        joined(*args, link=link, strict=strict)
    said = str(caught.value)
    assert SECRET not in said
    return said


def test_rows_are_grouped_by_victim_and_counted() -> None:
    rows, (people, linked), report = joined(["b", " a", "c"], ["a ", "b", "a"], ["x", "x", "y"])
    assert rows.victim_of.tolist() == [0, 1, 1]
    assert rows.perpetrators.columns["role"][0] == "r1"
    assert sorted(rows.perpetrators.columns["role"][1:]) == ["r0", "r2"]
    assert rows.numbers.tolist() == [1, 2, 0]
    assert rows.numbers.dtype == np.int64
    assert report == LinkReport(victims=3, links=3, without=1, above=0, dropped=0, shared_most=2, unnamed=0, both=0)
    assert (people.rows, linked.rows) == (3, 3)
    assert linked.unused_columns == ("extra",)


def test_without_a_key_nothing_is_said_of_perpetrators() -> None:
    _, _, report = joined(["a", "b"], ["a"])
    assert report == LinkReport(victims=2, links=1, without=1, above=0, dropped=0)


def test_one_linked_row_is_enough() -> None:
    rows, _, _ = joined(["a", "b"], ["b"], ["x"])
    assert rows.numbers.tolist() == [0, 1]


def test_links_beyond_the_cap_are_dropped_and_counted() -> None:
    rows, _, report = joined(["a", "b", "c"], ["a"] * 5 + ["b"] * 3 + ["c"] * 2)
    assert rows.numbers.tolist() == [2, 2, 2]
    assert (report.above, report.dropped, report.links) == (2, 4, 10)
    roles = rows.perpetrators.columns["role"]
    assert set(roles[:2]) <= {f"r{i}" for i in range(5)}
    assert set(roles[4:]) == {"r8", "r9"}


def test_every_subset_is_kept_equally_often_and_victims_do_not_hang_together() -> None:
    """4,000 victims with 4 links each, of which 2 count: 6 subsets; then pairs of neighbours, 36 cells.

    False alarms: each count is binomial; by Bernstein a deviation of 7 standard deviations plus 16 has a probability
    below 2e-11, and there are 43 counts, so all of them together stay below 1e-9.
    """
    n = 4000
    keys = [f"V{i}" for i in range(n)]
    rows, _, _ = joined(keys, [key for key in keys for _ in range(4)])
    places = np.array([int(role[1:]) % 4 for role in rows.perpetrators.columns["role"]]).reshape(n, 2)
    subsets = [tuple(sorted(pair)) for pair in places.tolist()]
    tally = Counter(subsets)
    pairs = Counter(zip(subsets[::2], subsets[1::2], strict=True))
    assert len(tally) == 6
    for counts, trials, cells in ((tally, n, 6), (pairs, n // 2, 36)):
        mean, deviation = trials / cells, math.sqrt(trials * (1 - 1 / cells) / cells)
        assert all(abs(count - mean) < 7 * deviation + 16 for count in counts.values())
    order = (places[:, 0] < places[:, 1]).sum()
    assert abs(int(order) - n / 2) < 7 * math.sqrt(n) / 2 + 16, "the order of what is kept says nothing"


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 4))
def test_what_counts_belongs_to_its_victim_and_no_more_than_the_cap(of: list[int], cap: int) -> None:
    keys = [f"V{i}" for i in range(6)]
    link = Link(to="victims", key="of", at_most=cap)
    rows, _, report = joined(keys, [keys[i] for i in of], link=link)
    kept = [int(role[1:]) for role in rows.perpetrators.columns["role"]]
    assert len(set(kept)) == len(kept) == report.links - report.dropped
    assert [of[i] for i in kept] == rows.victim_of.tolist() == sorted(rows.victim_of.tolist())
    assert rows.numbers.tolist() == [min(of.count(i), cap) for i in range(6)]
    assert report.without == sum(i not in of for i in range(6))
    assert report.above == sum(of.count(i) > cap for i in range(6))


@pytest.mark.parametrize(
    ("keys", "of", "words"),
    [
        (["a", "b"], [], "perpetrators: table perpetrators has no rows; take it out of the plan"),
        (["a", "b"], ["a", " "], "key column of is empty in 1 row: every row must name its row of victims"),
        (["a", "b"], ["a", "z", "y"], "2 rows name no row of victims; add these people to victims, or take"),
        (["a", "a"], ["a"], "victims: key column victim_id repeats in 2 rows: one row per person"),
        (["a", ""], ["a"], "victims: key column victim_id is empty in 1 row"),
        (["1", "2"], ["1.0", "2.0"], "2 would match column victim_id without decimals, so that 1.0 is 1: write"),
        (["0001", "0002"], ["1", "2"], "2 would match column victim_id without leading zeros"),
        (["V001", "V002"], ["V1", "V2"], "2 would match column victim_id without leading zeros"),
        (["V1", "V2"], ["v1", "v2"], "2 would match column victim_id without regard to capitals"),
        (["V1", "V2"], ["V 1", "V\u200b2"], "2 would match column victim_id without spaces and unseen characters"),
        (["V1", "V2"], ["1", "2"], "2 would match column victim_id without the letters around the number"),
        (["1000", "2000"], ["1,000", "2,000"], "2 would match column victim_id without thousands marks"),
        (["V-1", "V-2"], ["V1", "'V2"], "2 would match column victim_id without quotation marks, dashes and the like"),
        (["V-01", "V-02"], ["v1", "v2"], "2 would match column victim_id without any of: spaces, capitals, leading"),
        (["01", "02"], ["1", "x"], "without leading zeros: write the key the same way in both files; for the others"),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit(keys: list[str], of: list[str], words: str) -> None:
    assert words in refusal(keys, of)


def test_keys_are_not_joined_by_guess() -> None:
    """7 and 007 may be two people: they are where both are there."""
    rows, _, _ = joined(["7", "007"], ["007", "007", "7"])
    assert rows.numbers.tolist() == [1, 2]
    said = refusal(["7", "07"], ["007"])
    assert "would match" not in said


def test_v7_and_p7_are_not_taken_for_one_person() -> None:
    assert "would match" not in refusal(["V1", "V2"], ["P1", "P2"])


def test_the_wrong_key_column_is_pointed_at() -> None:
    said = refusal(["V1", "V2"], ["P1", "P2"], ["V1", "V2"])
    assert 'column pid would match: did you mean links.key = "pid"?' in said


def test_the_same_perpetrator_twice_under_one_victim() -> None:
    said = refusal(["a", "b"], ["a", "a", "b"], [SECRET, SECRET, SECRET])
    assert "perpetrators: key column pid repeats under the same person in 2 rows: one row per person and" in said
    _, _, report = joined(["a", "b"], ["a", "a"], ["", ""])
    assert (report.unnamed, report.shared_most) == (2, 0)


def test_all_faults_are_told_together() -> None:
    people = RawTable(columns={"victim_id": ["a", "a"], "gender": ["F", SECRET]})
    others = RawTable(columns={"of": ["z"], "roel": ["x"]})
    with pytest.raises(RowsError) as caught:
        link_rows(people, VICTIMS, others, PERPETRATORS, LINK)
    said = str(caught.value).split("\n")
    assert [line.partition(":")[0] for line in said] == ["victims"] * 2 + ["perpetrators"] * 3
    assert "column role is not in the data; did you mean roel?" in said[3]
    assert "key column pid is not in the data" in said[2]
    assert SECRET not in str(caught.value)


def test_absent_key_columns() -> None:
    people = RawTable(columns={"victim": ["a", "b"], "gender": ["F", "M"]})
    others = RawTable(columns={"off": ["a"], "role": ["x"], "pid": ["p"]})
    with pytest.raises(RowsError) as caught:
        link_rows(people, VICTIMS, others, PERPETRATORS, LINK)
    said = str(caught.value)
    assert "victims: key column victim_id is not in the data; did you mean victim?" in said
    assert "perpetrators: key column of is not in the data; did you mean off?" in said


def test_a_person_may_be_both() -> None:
    _, _, report = joined(["a", "b", "c"], ["a", "b", "c"], ["b", "b", "x"])
    assert (report.both, report.shared_most) == (1, 2)


# The unit of victims and perpetrators: what breaks a declared bound is refused


def test_within_its_bounds_nothing_is_refused_or_dropped() -> None:
    rows, _, report = joined(["a", "b"], ["a", "a", "b"], ["x", "y", "x"], link=SHARED, strict=True)
    assert rows.numbers.tolist() == [2, 1]
    assert (report.dropped, report.shared_most) == (0, 2)


@pytest.mark.parametrize(
    ("of", "names", "words"),
    [
        (["a"] * 3, ["x", "y", "z"], "1 row of victims has more than links.at_most (2) rows here; with this unit none"),
        (["a", "b", "c"], ["x"] * 3, "key column pid stands in 3 rows, and links.shared_by_at_most is 2; raise it"),
        (["a", "b"], ["x", ""], "key column pid is empty in 1 row; with this unit every row needs the key"),
        (["a", "b"], ["x", "c"], "1 of the keys in column pid is also in key column victim_id of victims; this unit"),
    ],
)
def test_what_the_second_unit_cannot_cover(of: list[str], names: list[str], words: str) -> None:
    assert words in refusal(["a", "b", "c"], of, names, link=SHARED, strict=True)
    joined(["a", "b", "c"], of, names, link=SHARED)  # legal under the unit of victims


def test_a_strict_link_without_bounds_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="needs shared_by_at_most and a key"):
        joined(["a", "b"], ["a"], ["x"], strict=True)


# The type holds what it says


@pytest.mark.parametrize(
    ("victim_of", "words"),
    [
        ([0, 0, 0], "more links than"),
        ([1, 0, 1], "must rise"),
        ([0, 1, 2], "name rows of victims"),
        ([-1, 0, 1], "name rows of victims"),
        ([0, 1], "one int64 per row"),
    ],
)
def test_linked_rows_check_themselves(victim_of: list[int], words: str) -> None:
    people = Rows(table=VICTIMS, columns={"gender": ["F", "M"]})
    others = Rows(table=PERPETRATORS, columns={"role": ["x", "y", "z"]})
    with pytest.raises(ValueError, match=words):
        LinkedRows(victims=people, perpetrators=others, victim_of=np.array(victim_of, np.int64), link=LINK)


def test_a_print_shows_no_cell() -> None:
    rows, _, _ = joined([SECRET, "b"], [SECRET, "b"])
    assert SECRET not in repr(rows)
    assert "r0" not in repr(rows)
