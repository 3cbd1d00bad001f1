"""The invented cases: their shape, their dependences, and the files written."""

from __future__ import annotations

import csv
import itertools
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from caseveil.demo import (
    DEMO_AGE_EDGES,
    DEMO_PERPETRATOR_SETS,
    DEMO_PERPETRATOR_VALUES,
    DEMO_SETS,
    DEMO_VALUES,
    FILES,
    invent,
    plan_text,
    write_demo,
)
from caseveil.demo_cases import AGE_GROUPS, MOST_PERPETRATORS
from caseveil.demo_situations import CONTROLS, FORMS, RELATIONS, ROLES, SECTORS, SITUATIONS
from caseveil.errors import OutputError, PlanError
from caseveil.standards.places import find_country, regions

Columns = dict[str, list[str]]


@pytest.fixture(scope="module")
def cases() -> tuple[Columns, Columns]:
    return invent(12_000, np.random.default_rng(7))


def test_all_columns_are_equally_long_and_hold_text(cases: tuple[Columns, Columns]) -> None:
    victims, perpetrators = cases
    assert {len(cells) for cells in victims.values()} == {12_000}
    assert len({len(cells) for cells in perpetrators.values()}) == 1
    for table in cases:
        assert all(type(cell) is str for cells in table.values() for cell in cells[:200])


def test_every_cell_is_missing_or_one_of_the_declared_values(cases: tuple[Columns, Columns]) -> None:
    victims, perpetrators = cases
    for name, values in DEMO_VALUES.items():
        assert set(victims[name]) - {""} == set(values), name
    for name, items in DEMO_SETS.items():
        assert {item for cell in victims[name] for item in cell.split(";")} - {""} == set(items)
    assert all(0 <= int(age) <= 100 for age in victims["age"] if age)
    assert set(perpetrators["age_group"]) - {""} == set(AGE_GROUPS)
    assert set(perpetrators["relation_to_victim"]) - {""} == set(RELATIONS)
    assert {role for cell in perpetrators["role"] for role in cell.split(";")} - {""} == set(ROLES)


def test_regions_belong_to_countries(cases: tuple[Columns, Columns]) -> None:
    victims, perpetrators = cases
    for table, country, region in (
        (victims, "citizenship", "citizenship_region"),
        (victims, "country_of_exploitation", "exploitation_region"),
        (perpetrators, "citizenship", "citizenship_region"),
    ):
        for name, where in set(zip(table[country], table[region], strict=True)):
            found = find_country(name)
            assert where == (found.region if found is not None else "")
            assert (found is None) == (name == "")
    assert 50 <= len(set(victims["citizenship"])) <= 70
    assert set(victims["exploitation_region"]) <= set(regions())


def test_every_victim_has_one_to_six_perpetrators_about_two(cases: tuple[Columns, Columns]) -> None:
    victims, perpetrators = cases
    links = Counter(perpetrators["victim_id"])
    assert set(links) == set(victims["victim_id"])
    assert set(links.values()) == set(range(1, MOST_PERPETRATORS + 1))
    assert 2.1 < len(perpetrators["victim_id"]) / len(links) < 2.3
    assert len(set(perpetrators["perpetrator_id"])) == len(perpetrators["perpetrator_id"])


def _agreement(perpetrators: Columns, column: str) -> float:
    """Share of pairs of perpetrators of one victim that agree, where both are known."""
    groups: dict[str, list[str]] = defaultdict(list)
    for victim, cell in zip(perpetrators["victim_id"], perpetrators[column], strict=True):
        if cell:
            groups[victim].append(cell)
    pairs = [a == b for group in groups.values() for a, b in itertools.combinations(group, 2)]
    return sum(pairs) / len(pairs)


def test_perpetrators_of_one_victim_are_alike(cases: tuple[Columns, Columns]) -> None:
    _, perpetrators = cases
    assert 0.70 < _agreement(perpetrators, "citizenship") < 0.80
    for column in ("citizenship", "relation_to_victim", "gender", "age_group"):
        shares = np.array([c for v, c in Counter(perpetrators[column]).items() if v], float)
        by_chance = float(((shares / shares.sum()) ** 2).sum())
        assert _agreement(perpetrators, column) > by_chance + 0.05, column


def test_sectors_go_with_labour_and_situations_shape_the_rest(cases: tuple[Columns, Columns]) -> None:
    victims, _ = cases
    assert all(labour for labour, sector in zip(victims["forced_labour"], victims["sector"], strict=True) if sector)
    assert all(any(row) for row in zip(*(victims[form] for form in FORMS), strict=True))

    def share_of_women(where: list[bool]) -> float:
        kept = [g for g, here in zip(victims["gender"], where, strict=True) if here and g]
        return kept.count("Female") / len(kept)

    assert share_of_women([s == "Construction" for s in victims["sector"]]) < 0.15
    assert share_of_women([bool(s) for s in victims["forced_marriage"]]) > 0.85
    children = [int(a) for a, b in zip(victims["age"], victims["forced_begging"], strict=True) if a and b]
    assert np.median(children) < 18


def test_means_of_control_hang_together(cases: tuple[Columns, Columns]) -> None:
    """Cells that hold several means are commoner than independent means of the same shares would make them."""
    victims, _ = cases
    cells = [set(cell.split(";")) for cell in victims["means_of_control"] if cell]
    flags = np.array([[item in cell for item in CONTROLS] for cell in cells], float)
    assert flags.sum(axis=1).var() > 1.2 * (flags.mean(axis=0) * (1 - flags.mean(axis=0))).sum()


def test_what_is_missing_hangs_together_by_organisation(cases: tuple[Columns, Columns]) -> None:
    victims, _ = cases
    by_organisation: dict[str, list[bool]] = defaultdict(list)
    for organisation, cell in zip(victims["organisation"], victims["education"], strict=True):
        by_organisation[organisation].append(not cell)
    shares = [np.mean(blank) for blank in by_organisation.values() if len(blank) > 100]
    assert max(shares) - min(shares) > 0.3


def test_the_same_generator_gives_the_same_cases_and_another_does_not() -> None:
    one, again, other = (invent(300, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize("victims", [1, 2, 3])
def test_a_handful_of_victims_works(victims: int) -> None:
    people, perpetrators = invent(victims, np.random.default_rng(0))
    assert len(people["victim_id"]) == victims
    assert set(perpetrators["victim_id"]) == set(people["victim_id"])


def test_no_victims_are_refused() -> None:
    with pytest.raises(ValueError, match="victims \\(0\\) must be 1 or more"):
        invent(0, np.random.default_rng(0))


def test_situations_name_only_known_values() -> None:
    for situation in SITUATIONS:
        assert set(situation.forms) <= set(FORMS)
        assert set(situation.sectors) <= set(SECTORS)
        assert set(situation.controls) <= set(CONTROLS)
        assert set(situation.relations) <= set(RELATIONS)
        assert sum(situation.moved) == pytest.approx(1.0)
        assert sum(situation.relations.values()) == pytest.approx(1.0)


def test_files_hold_what_was_invented(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo", victims=500, seed=3)
    victims, perpetrators = invent(500, np.random.default_rng(3))
    for name, columns in (("victims.csv", victims), ("perpetrators.csv", perpetrators)):
        with (tmp_path / "demo" / name).open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        assert header == list(columns)
        assert rows == [list(row) for row in zip(*columns.values(), strict=True)]
    assert sorted(p.name for p in (tmp_path / "demo").iterdir()) == sorted(FILES)


def test_the_plan_names_columns_and_values_of_the_data() -> None:
    plan = tomllib.loads(plan_text())
    table = plan["tables"]["victims"]
    columns = table["columns"]
    victims, _ = invent(50, np.random.default_rng(0))
    assert set(columns) | {table["key"]} <= set(victims)
    assert set(columns) == {*DEMO_VALUES, *DEMO_SETS, "age"}
    assert columns["age"]["bins"] == list(DEMO_AGE_EDGES)
    assert columns["means_of_control"]["kind"] == "multi"
    for name, values in DEMO_VALUES.items():
        assert columns[name]["values"] == list(values)
    linked = plan["tables"]["perpetrators"]
    assert linked["links"] == {"to": "victims", "key": "victim_id", "at_most": MOST_PERPETRATORS}
    assert set(linked["columns"]) == {*DEMO_PERPETRATOR_VALUES, *DEMO_PERPETRATOR_SETS}
    for name, values in {**DEMO_PERPETRATOR_VALUES, **DEMO_PERPETRATOR_SETS}.items():
        assert linked["columns"][name]["values"] == list(values)


def test_the_plan_is_read_by_the_plan_reader(tmp_path: Path) -> None:
    from caseveil.plan import Plan

    write_demo(tmp_path, victims=20, seed=0)
    plan = Plan.read(tmp_path / "release.toml")
    for planned, most in zip(plan.tables, (150_000, 10_000), strict=True):
        sizes = planned.table.domain().sizes
        assert sum(a * b * c for a, b, c in itertools.combinations(sizes, 3)) < most
    assert Plan.from_toml(plan.to_toml(), tmp_path) == plan


def test_the_linked_tables_fit_the_plan(tmp_path: Path) -> None:
    from caseveil.plan import Plan
    from caseveil.records.linkage import link_rows
    from caseveil.records.source import read

    write_demo(tmp_path, victims=300, seed=0)
    plan = Plan.read(tmp_path / "release.toml")
    people, linked = plan.tables
    assert linked.link is not None
    raws = [read(str(part.source), folder=tmp_path, query=None) for part in plan.tables]
    rows, reports, report = link_rows(raws[0], people.table, raws[1], linked.table, linked.link)
    assert rows.victims.n == report.victims == 300
    assert rows.perpetrators.n == report.links > 300
    assert (report.without, report.above, report.dropped, report.both, report.shared_most) == (0, 0, 0, 0, 1)
    assert [set(each.outside) for each in reports] == [set(), set()]
    assert set(reports[1].unused_columns) == {"citizenship"}


OLDER_FORMAT = {
    "yearRegister": {"2014-2018", "2019", "2020", "2021-2022", "2023-2024"},
    "gender": {"Female", "Male", "Other"},
    "majorityStatus": {"Minor", "Adult"},
    "isForcedLabour": {"1"},
    "isSexualExploit": {"1"},
    "UN_COO_Region": {"Africa", "Americas/Oceania", "Asia", "Europe"},
    "UN_COE_Region": {"Africa", "Americas/Oceania", "Asia", "Europe"},
    "IP_Exploiter": {"1"},
    "IP_Gender": {"Female", "Male", "Other"},
    "IP_ageBroad": {"0--29", "30--44", "45+"},
    "IP_citizen_UNRegion": {"Africa", "Americas/Oceania", "Asia", "Europe"},
    "IP_Relation": {"FamilyIntimatePartner", "FriendAcquaintance", "StrangerUnknownOther"},
    "IP_PayMoney": {"No", "Yes"},
    "IP_RecruiterBroker": {"1"},
    "IP_TransactionProcess": {"1"},
    "IP_ControlAbuseKidnap": {"1"},
}
"""The columns of the older format in its order, and the values that they can hold here."""


def test_the_plan_gives_the_older_format() -> None:
    from caseveil.plan import Plan

    plan = Plan.from_toml(plan_text(), Path())
    assert [column.name for column in plan.flattened] == list(OLDER_FORMAT)
    declared = {(p.table.name, c.name): c.values for p in plan.tables for c in p.table.columns}
    for column in plan.flattened:
        values = declared[column.table, column.column]
        assert values is not None
        made = {column.yes} if column.has is not None else {column.recode.get(value, value) for value in values}
        assert made == OLDER_FORMAT[column.name], column.name
    dictionary = Path(__file__).parents[3] / "shared" / "data" / "vp_condensed_dictionary.csv"
    if dictionary.exists():
        with dictionary.open(encoding="utf-8-sig", newline="") as stream:
            assert [row["column"] for row in csv.DictReader(stream)] == list(OLDER_FORMAT)


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=name):
        write_demo(tmp_path, victims=20, seed=0)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "mine")]


def test_too_few_victims_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="victims \\(1\\) must be 2 or more"):
        write_demo(tmp_path / "demo", victims=1)
    assert not (tmp_path / "demo").exists()


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_demo(tmp_path / "file", victims=20)
