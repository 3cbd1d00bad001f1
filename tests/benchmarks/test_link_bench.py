"""The benchmark of linked releases: its scores against brute force, its sets and its yardsticks."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import caseveil
from benchmarks import link_contenders as contenders
from benchmarks import link_run, link_worker
from benchmarks import link_score as score
from benchmarks.link_tables import MOST_LINKS, LinkedSet, _takers, deal_anew, positions
from benchmarks.link_words import LinkedCodes, LinkedWords, coded, flattened, joined, true_words
from caseveil.measurement.residuals import cost, optimal_variances
from caseveil.schema.attribute import Binned, Category, MultiChoice
from caseveil.schema.domain import Domain, subsets
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table

CAP = 3
VICTIMS = Table(
    name="victims",
    key="victim_id",
    columns=(
        Category(name="gender", values=("Female", "Male")),
        Binned(name="age", edges=(0, 18, 30)),
        MultiChoice(name="control", values=("Debt", "Threats")),
    ),
)
PERPETRATORS = Table(
    name="perpetrators",
    columns=(Category(name="gender", values=("Female", "Male")), MultiChoice(name="role", values=("Seller", "Buyer"))),
)
FLATTENED = (
    FlattenedColumn(name="majority", table="victims", column="age", recode={"0--17": "Minor", "18--29": "Adult"}),
    FlattenedColumn(name="debt", table="victims", column="control", has="Debt"),
    FlattenedColumn(name="by", table="perpetrators", column="gender"),
    FlattenedColumn(name="roles", table="perpetrators", column="role", recode={"Buyer": "", "Seller": "Sold"}),
    FlattenedColumn(name="sold", table="perpetrators", column="role", has="Seller", yes="yes"),
)

Row = dict[str, str]


def linked_set(people: list[Row], links: list[tuple[int, Row]], cap: int = CAP) -> LinkedSet:
    """A set from rows; each link names its victim by position."""
    keys = [f"V{i}" for i in range(len(people))]
    return LinkedSet(
        name="small",
        about="a small set",
        victims={"victim_id": keys} | {c.name: [row[c.name] for row in people] for c in VICTIMS.columns},
        perpetrators={"victim_id": [keys[v] for v, _ in links]}
        | {c.name: [row[c.name] for _, row in links] for c in PERPETRATORS.columns},
        victims_table=VICTIMS,
        perpetrators_table=PERPETRATORS,
        link=Link(to="victims", key="victim_id", at_most=cap),
        flattened=FLATTENED,
    )


PEOPLE = st.fixed_dictionaries(
    {
        "gender": st.sampled_from(["", "Female", "Male"]),
        "age": st.sampled_from(["", "0", "17", "18", "29.5", "80"]),
        "control": st.sampled_from(["", "Debt", "Threats", "Threats;Debt"]),
    }
)
LINKS = st.fixed_dictionaries(
    {
        "gender": st.sampled_from(["", "Female", "Male"]),
        "role": st.sampled_from(["", "Seller", "Buyer", "Seller;Buyer"]),
    }
)


@st.composite
def linked_sets(draw: st.DrawFn, cap: int = CAP, most: int = 5) -> LinkedSet:
    people = draw(st.lists(PEOPLE, min_size=1, max_size=12))
    numbers = draw(st.lists(st.integers(0, most), min_size=len(people), max_size=len(people)))
    links = [(v, draw(LINKS)) for v, number in enumerate(numbers) for _ in range(number)]
    return linked_set(people, draw(st.permutations(links)), cap)


def codes_of(data: LinkedSet) -> LinkedCodes:
    return coded(true_words(data), data)


# --- brute force: rows as sets of facts -------------------------------------------------------------------------


def victim_facts(row: Row) -> set[str]:
    out = {f"gender {row['gender']}"} if row["gender"] else set()
    if row["age"]:
        out.add("age " + ("minor" if float(row["age"]) < 18 else "young" if float(row["age"]) < 30 else "old"))
    return out | {f"control {item}" for item in row["control"].split(";") if item}


def link_facts(row: Row) -> set[str]:
    out = {f"by {row['gender']}"} if row["gender"] else set()
    return out | {f"role {item}" for item in row["role"].split(";") if item}


CELLS = list(
    itertools.product(
        ["gender Female", "gender Male", "age minor", "age young", "age old", "control Debt", "control Threats"],
        ["by Female", "by Male", "role Seller", "role Buyer"],
    )
)


def rows_of(data: LinkedSet) -> tuple[list[Row], list[tuple[int, Row]]]:
    def rows(columns: Any, table: Table) -> list[Row]:
        names = [c.name for c in table.columns]
        return [dict(zip(names, cells, strict=True)) for cells in zip(*(columns[n] for n in names), strict=True)]

    places = [int(key[1:]) for key in data.perpetrators["victim_id"]]
    links = rows(data.perpetrators, PERPETRATORS) if places else []
    return rows(data.victims, VICTIMS), list(zip(places, links, strict=True))


def cells_of(data: LinkedSet, cap: int | None = None) -> Counter[tuple[str, str]]:
    """Links by two facts, one link at a time; under a cap, each by its chance to be kept."""
    people, links = rows_of(data)
    numbers = Counter(v for v, _ in links)
    out: Counter[tuple[str, str]] = Counter()
    for v, row in links:
        weight = 1 if cap is None else min(numbers[v], cap) / numbers[v]
        for cell in itertools.product(victim_facts(people[v]), link_facts(row)):
            out[cell] += weight  # type: ignore[assignment]
    return out


def concordance_of(data: LinkedSet, attribute: str) -> float:
    """Victims one by one, pairs one by one: percent of the stating pairs that agree."""
    people, links = rows_of(data)
    alike = stated = 0.0
    for v in range(len(people)):
        mine = [row for owner, row in links if owner == v]
        pairs = list(itertools.permutations(mine, 2))
        for a, b in pairs:
            if attribute == "gender":
                stated += bool(a["gender"] and b["gender"]) / len(pairs)
                alike += (a["gender"] == b["gender"] != "") / len(pairs)
            else:
                stated += 1 / len(pairs)
                alike += ((attribute in a["role"].split(";")) == (attribute in b["role"].split(";"))) / len(pairs)
    return 100 * alike / stated if stated else math.nan


ATTRIBUTES = ("gender", "Seller", "Buyer")


@settings(max_examples=60, deadline=None)
@given(linked_sets(), linked_sets())
def test_link_scores_agree_with_counting_by_hand(true: LinkedSet, made: LinkedSet) -> None:
    got = score.score_links(codes_of(true), codes_of(made), true)
    o, s, capped = cells_of(true), cells_of(made), cells_of(true, CAP)
    either = set(o) | set(s)
    assert got["cross_mae"] == pytest.approx(sum(abs(o[c] - s[c]) for c in either) / max(len(either), 1))
    assert got["cross_mae_all"] == pytest.approx(sum(abs(o[c] - s[c]) for c in CELLS) / len(CELLS))
    assert got["cross_mae_capped"] == pytest.approx(sum(abs(capped[c] - s[c]) for c in either) / max(len(either), 1))
    assert got["cross_bias_pct"] == pytest.approx(100 * (s.total() - o.total()) / max(o.total(), 1))
    made_up = sum(s[c] for c in s if not o[c])
    assert got["made_up_pct"] == pytest.approx(100 * made_up / max(s.total(), 1))

    shares = []
    for data in (true, made):
        people, links = rows_of(data)
        numbers = Counter(v for v, _ in links)
        shares.append(Counter(min(numbers[v], CAP) for v in range(len(people))))
        shares[-1] = {k: n / len(people) for k, n in shares[-1].items()}  # type: ignore[assignment]
    apart = sum(abs(shares[0].get(k, 0) - shares[1].get(k, 0)) for k in range(CAP + 1))
    assert got["number_tv_pct"] == pytest.approx(50 * apart)

    off = []
    for attribute in ATTRIBUTES:
        a, b = concordance_of(true, attribute), concordance_of(made, attribute)
        off.append(0.0 if math.isnan(a) else 100.0 if math.isnan(b) else abs(a - b))
    assert got["concordance_worst"] == pytest.approx(max(off))
    assert got["concordance_mean"] == pytest.approx(sum(off) / len(off))


@settings(max_examples=30, deadline=None)
@given(linked_sets())
def test_a_release_of_the_truth_is_perfect_and_the_cap_alone_loses_what_it_says(data: LinkedSet) -> None:
    got = score.score_links(codes_of(data), codes_of(data), data)
    perfect = {"cross_mae", "cross_mae_all", "cross_bias_pct", "made_up_pct", "number_tv_pct", "concordance_worst"}
    assert {got[key] for key in perfect} == {0.0}
    _, links = rows_of(data)
    numbers = Counter(v for v, _ in links)
    lost = score.truncation(codes_of(data), data)
    dropped = sum(max(n - CAP, 0) for n in numbers.values())
    assert lost["links_lost_pct"] == pytest.approx(100 * dropped / max(len(links), 1), abs=1e-9)
    assert got["above_cap"] == sum(n > CAP for n in numbers.values())
    o, capped = cells_of(data), cells_of(data, CAP)
    assert lost["cross_mae"] == pytest.approx(sum(o[c] - capped[c] for c in o) / max(len(o), 1))


@settings(max_examples=40, deadline=None)
@given(linked_sets(most=CAP))
def test_true_counts_across_the_link_agree_with_counting_by_hand(data: LinkedSet) -> None:
    people, links = rows_of(data)
    counts = score.TrueCounts(codes_of(data), data)
    held = [[row for owner, row in links if owner == v] for v in range(len(people))]

    debt_seller = {"victims.control": "Debt", "perpetrators.role": "Seller"}
    both = [(v, row) for v, row in links if "Debt" in people[v]["control"] and "Seller" in row["role"]]
    assert counts.count(debt_seller, "links") == len(both)
    assert counts.count(debt_seller, "victims with any") == len({v for v, _ in both})

    joint = [1 for v, row in links if row["role"] == "Seller;Buyer" and people[v]["age"] in ("0", "17")]
    assert counts.count({"victims.age": "0--17", "perpetrators.role": "Seller;Buyer"}, "links") == len(joint)

    several = {"number of perpetrators": "2", "victims.gender": "Male"}
    want = sum(len(mine) == 2 and row["gender"] == "Male" for row, mine in zip(people, held, strict=True))
    assert counts.count(several, "victims") == want

    for first, second in ((("gender", "Female"),) * 2, (("gender", "Female"), ("role", "Buyer"))):
        want_pairs = 0.0
        for mine in held:
            pairs = list(itertools.permutations(mine, 2))
            want_pairs += sum(
                first[1] in a[first[0]].split(";") and second[1] in b[second[0]].split(";") for a, b in pairs
            ) / max(len(pairs), 1)
        combination = {f"perpetrators.{first[0]}": first[1], f"other perpetrators.{second[0]}": second[1]}
        assert counts.count(combination, "victims by a random pair") == pytest.approx(want_pairs)


def test_coverage_is_the_share_of_intervals_that_hold_the_truth() -> None:
    person = {"gender": "Male", "age": "20", "control": ""}
    data = linked_set([person] * 3, [(0, {"gender": "Male", "role": ""}), (1, {"gender": "Female", "role": ""})])
    male = json.dumps({"perpetrators.gender": "Male", "victims.gender": "Male"})
    published = score.PublishedLinks(
        combination=[male, male, male], of=["links", "links", "victims with any"], lower=[0, 2, 1], upper=[1, 9, 1]
    )
    got = score.score_published(codes_of(data), published, data)
    assert got["coverage_pct"] == pytest.approx(200 / 3)
    assert got["coverage_pct links"] == 50
    assert got["coverage_pct victims with any"] == 100
    assert got["published"] == 3
    with pytest.raises(ValueError, match=r"of \(people\) must be"):
        score.TrueCounts(codes_of(data), data).count({}, "people")
    crowd = linked_set([person], [(0, {"gender": "Male", "role": ""})] * (CAP + 1))
    assert score.score_published(codes_of(crowd), published, crowd) == {}


# --- sets and words ---------------------------------------------------------------------------------------------


def test_raw_cells_become_words_and_the_flattened_table() -> None:
    data = linked_set(
        [
            {"gender": "Female", "age": "17", "control": "Threats;Debt"},
            {"gender": "", "age": "18", "control": "Threats"},
            {"gender": "Male", "age": "99", "control": ""},
        ],
        [
            (1, {"gender": "Male", "role": "Seller"}),
            (0, {"gender": "Male", "role": "Buyer"}),
            (1, {"gender": "Female", "role": "Buyer;Seller"}),
            (1, {"gender": "Male", "role": ""}),
        ],
    )
    words = true_words(data)
    assert words.victims["age"] == ["0--17", "18--29", "30+"]
    assert words.victims["control"] == ["Debt;Threats", "Threats", ""]
    assert words.perpetrators["role"][2] == "Seller;Buyer"
    assert words.victim_of.tolist() == [1, 0, 1, 1]
    assert flattened(words, data) == {
        "majority": ["Minor", "Adult", "30+"],
        "debt": ["1", "", ""],
        "by": ["Male", "Female;Male", ""],
        "roles": ["", "Sold", ""],
        "sold": ["", "yes", ""],
    }
    assert coded(words, data).victims.tolist() == [[1, 1, 1, 1], [0, 2, 0, 1], [2, 3, 0, 0]]
    wrong = dataclasses.replace(words, victims=dict(words.victims) | {"age": ["5", "", ""]})
    with pytest.raises(KeyError):
        coded(wrong, data)


def test_faults_of_keys_are_counted_and_what_names_nobody_is_left_out() -> None:
    words = LinkedWords(victims={"a": ["x", "y", "z"]}, perpetrators={"b": ["p", "q", "r"]}, victim_of=np.zeros(0, int))
    got, faults = joined(["1", "2", "2"], ["2", "9", "1"], words)
    assert faults == 2
    assert got.perpetrators == {"b": ["p", "r"]}
    assert got.victim_of.tolist() == [2, 0]
    assert positions(["1", "2"], ["2", "1", "3"]).tolist() == [1, 0, -1]


def test_links_dealt_anew_are_skewed_and_stay_with_their_kind() -> None:
    rng = np.random.default_rng(4)
    victims = 2000
    owner = np.repeat(np.arange(victims), rng.integers(1, 4, victims))
    kind = rng.choice(["a", "b", "c"], victims)
    out = deal_anew(owner, victims, [kind.tolist()], rng)
    assert len(out) == len(owner)
    numbers = np.bincount(out, minlength=victims)
    assert numbers.min() >= 1
    assert 10 < numbers.max() <= MOST_LINKS
    heaviest = np.sort(numbers)[::-1][: victims // 10]
    assert heaviest.sum() == pytest.approx(len(owner) / 2, rel=0.02)
    assert (kind[out] == kind[owner]).mean() > 0.9
    with pytest.raises(ValueError, match="enough links"):
        deal_anew(np.arange(victims), victims, [kind.tolist()], rng)
    with pytest.raises(ValueError, match="enough links"):
        deal_anew(np.repeat(np.arange(20), 100), 20, [["a"] * 20], rng)


def test_nobody_takes_more_links_than_there_is_room_for() -> None:
    taken = np.bincount(_takers(7, np.array([3, 0, 4]), np.array([1.0, 5.0, 1e-6]), np.random.default_rng(1)))
    assert taken.tolist() == [3, 0, 4]


# --- yardsticks -------------------------------------------------------------------------------------------------


def some_set(victims: int = 400, seed: int = 2) -> LinkedSet:
    rng = np.random.default_rng(seed)
    people = [
        {"gender": g, "age": a, "control": ""}
        for g, a in zip(rng.choice(["Female", "Male"], victims), rng.choice(["10", "20"], victims), strict=True)
    ]
    links = [
        (v, {"gender": people[v]["gender"], "role": "Seller"})
        for v in range(victims)
        for _ in range(int(rng.integers(0, 7)))
    ]
    return linked_set(people, links)


def test_cutting_to_the_cap_keeps_as_many_as_it_should_and_every_link_alike() -> None:
    """Of 6 links under a cap of 3 each is kept with chance 1/2. Over 4,000 draws its share is within 0.06 but with
    chance 2 exp(-2 * 4000 * 0.06^2) < 1e-12 a link (Hoeffding)."""
    codes = LinkedCodes(
        victims=np.zeros((3, 1), np.int64),
        perpetrators=np.arange(9)[:, None],
        victim_of=np.array([1, 1, 0, 1, 1, 1, 0, 1, 0]),
    )
    rng = np.random.default_rng(8)
    kept = np.zeros(9)
    for _ in range(4000):
        cut = contenders.cut_to_cap(codes, CAP, rng)
        assert np.bincount(cut.victim_of, minlength=3).tolist() == [3, 3, 0]
        assert (codes.victim_of[cut.perpetrators[:, 0]] == cut.victim_of).all()
        kept[cut.perpetrators[:, 0]] += 1 / 4000
    mine = codes.victim_of == 1
    np.testing.assert_allclose(kept[~mine], 1.0, atol=1e-9)
    assert np.abs(kept[mine] - 0.5).max() < 0.06


@pytest.mark.parametrize("planned", ["all", "cross", "cells"])
def test_the_noise_of_counted_links_is_what_the_promise_asks_for(planned: str) -> None:
    """The plan costs the budget, no more and no less; the noise of a pair has the variance of the planner's formula.

    The sum of squares over 4,000 draws of one cell is chi-square with 4,000 degrees: off by 0.2 of its mean with
    chance below 2 exp(-4000 * 0.2^2 / 8) < 1e-8 (Laurent, Massart 2000), for each of 3 plans; the seed is fixed.
    """
    domain, victims = contenders.link_domain(some_set())
    assert (domain.sizes, victims) == ((3, 4, 2, 2, 3, 2, 2), 4)
    mu = 0.3
    weights = contenders.pair_weights(domain, victims, planned)
    variances = optimal_variances(weights, domain, mu)
    assert cost(variances, domain) == pytest.approx(mu**2)
    pairs = contenders.cross_pairs(domain, victims)
    assert len(pairs) == 12
    assert set(weights) >= set(pairs)
    assert len(weights) == (7 + 21 if planned == "all" else 12)
    rng = np.random.default_rng(3)
    pair = (1, 4)
    draws = np.array(
        [
            contenders.noise_of(
                pair, contenders.residual_noise({c: variances[c] for c in subsets(pair)}, domain, rng), domain
            )
            for _ in range(4000)
        ]
    )
    expected = sum(
        variances[part]
        * math.prod(1 - 1 / domain.sizes[i] for i in part)
        / math.prod(domain.sizes[i] ** 2 for i in pair if i not in part)
        for part in subsets(pair)
    )
    assert draws[:, 1, 2].var() == pytest.approx(expected, rel=0.2)


def test_noise_of_marginals_is_consistent() -> None:
    """The noise of two pairs that share an attribute sums to the same noise of that attribute."""
    domain = Domain(names=("a", "b", "c"), sizes=(2, 3, 4))
    variances = optimal_variances({(0, 1): 1.0, (0, 2): 1.0}, domain, 1.0)
    residuals = contenders.residual_noise(variances, domain, np.random.default_rng(1))
    left, right = (contenders.noise_of(pair, residuals, domain) for pair in ((0, 1), (0, 2)))
    np.testing.assert_allclose(left.sum(axis=1), right.sum(axis=1))


def test_capping_and_counting_is_right_but_for_noise_that_pays_for_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a budget so large that the noise is below 1e-3, the counts are those of the links under the cap."""
    asked: list[float] = []

    def plan(weights: Any, domain: Domain, mu: float) -> Any:
        asked.append(mu)
        return optimal_variances(weights, domain, mu)

    monkeypatch.setattr("caseveil.measurement.residuals.optimal_variances", plan)
    monkeypatch.setattr("caseveil.privacy.loss.mu_for", lambda promise: 1e6)
    whole = dataclasses.replace(some_set(), link=Link(to="victims", key="victim_id", at_most=6))
    made = contenders.cap_and_count(planned="cross")(whole, 1.0, 1e-6)
    assert made.cross is not None
    assert score.score_counted(codes_of(whole), made.cross, whole)["cross_mae_all"] == 0.0

    capped = some_set()
    made = contenders.cap_and_count(planned="cross")(capped, 1.0, 1e-6)
    assert made.cross is not None
    kept = np.minimum(codes_of(capped).numbers, CAP).sum()
    assert [table.sum() for table in made.cross] == [kept] * 12
    assert asked == [1e6 / 6, 1e6 / CAP]


def test_dealing_at_random_keeps_everything_but_the_link() -> None:
    data = some_set()
    words = true_words(data)
    dealt = contenders.dealt_at_random(words, np.random.default_rng(1))
    got = score.score_links(codes_of(data), coded(dealt, data), data)
    assert got["number_tv_pct"] == 0.0
    assert got["cross_bias_pct"] == pytest.approx(0.0, abs=5.0)
    assert got["concordance_worst"] > 30  # genders of a victim's perpetrators agree always; dealt, half the time
    assert got["cross_mae"] > 20


# --- Caseveil's place, and the runner ---------------------------------------------------------------------------


def write_bundle(out: Path, data: LinkedSet, *, lost_key: bool) -> None:
    """What the bundle of a release of the set would hold, were it the truth."""
    words = true_words(data)
    (out / "data").mkdir(parents=True)
    (out / "counts").mkdir()
    fresh = [f"S{i}" for i in range(len(data.victims["victim_id"]))]
    named = [fresh[v] for v in words.victim_of.tolist()]
    named[0] = "nobody" if lost_key else named[0]
    contenders.write_csv(out / "data" / "victims.csv", {"victim_id": fresh} | dict(words.victims))
    contenders.write_csv(out / "data" / "perpetrators.csv", {"victim_id": named} | dict(words.perpetrators))
    contenders.write_csv(out / "data" / "flattened.csv", flattened(words, data))
    counts = {"combination": ['{"number of perpetrators": "0"}'], "of": ["victims"], "count": ["1"]}
    contenders.write_csv(out / "counts" / "links.csv", counts | {"lower": ["0"], "upper": ["400"]})


@pytest.mark.parametrize("lost_key", [False, True])
def test_a_bundle_is_run_from_a_plan_read_and_scored(monkeypatch: pytest.MonkeyPatch, lost_key: bool) -> None:
    data = dataclasses.replace(some_set(), link=Link(to="victims", key="victim_id", at_most=6))
    seen: list[Any] = []

    def run(plan: Path) -> SimpleNamespace:
        from caseveil.plan import Plan

        seen.append(Plan.read(plan))
        write_bundle(plan.parent / "made", data, lost_key=lost_key)
        return SimpleNamespace(out=plan.parent / "made")

    monkeypatch.setattr(caseveil, "run", run)
    made = contenders.caseveil(data, 0.25, 1e-6)
    (plan,) = seen
    assert (plan.promise.epsilon, plan.promise.delta, plan.ledger) == (0.25, 1e-6, None)
    assert plan.tables[1].link == data.link
    assert plan.flattened == data.flattened
    assert [part.table.columns for part in plan.tables] == [VICTIMS.columns, PERPETRATORS.columns]
    got = link_worker.scores(data, made)
    assert got["scores"]["key_faults"] == (1.0 if lost_key else 0.0)
    assert (got["scores"]["cross_mae"] > 0) == lost_key
    assert got["scores"]["coverage_pct"] == 100
    assert got["scores"]["flat_mae_3"] == 0.0
    assert got["dealt"]["cross_mae"] > 20


def test_contenders_are_found_and_failures_are_told() -> None:
    assert contenders.find("cap-and-count/cross pairs").name == "cap-and-count/cross pairs"
    with pytest.raises(SystemExit, match="must be one of: caseveil, cap-and-count"):
        contenders.find("nobody")
    failed = link_run.one("no such set", "cap-and-count/cross pairs", 1.0, 60)
    assert failed["status"] == "failed"
    assert "no such set" in str(failed["message"])
