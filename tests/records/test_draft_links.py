"""Drafts for two files: the link is found or its absence explained, and nothing of the rows gets in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from caseveil.demo import write_demo
from caseveil.errors import SourceError
from caseveil.plan import Plan
from caseveil.records.draft_links import AT_MOST, DataFile, draft_linked
from caseveil.records.linkage import link_rows
from caseveil.records.raw import RawTable
from caseveil.records.source import read_path

SECRET = "Zanzibarella"
KEYS = [f"V{i:03d}" for i in range(20)]
OF = [key for i, key in enumerate(KEYS) for _ in range(i % 4)]


def file(name: str, **columns: list[str]) -> DataFile:
    return DataFile(raw=RawTable(columns=columns), source=f"{name}.csv", name=name)


def people(name: str = "victims", keys: list[str] = KEYS) -> DataFile:
    return file(name, victim_id=keys, gender=["Female", "Male"] * 10, surname=[SECRET] * 20)


def others(name: str = "perpetrators", of: list[str] = OF, **more: list[str]) -> DataFile:
    return file(name, victim_id=of, gender=["Female", "Male", ""] * (len(of) // 3), **more)


def drafted(*files: DataFile) -> tuple[str, Plan]:
    text = draft_linked(files)
    assert SECRET not in text
    assert "V00" not in text
    plan = Plan.from_toml(text, Path())
    victims, linked = plan.tables
    assert linked.link is not None
    raws = {file.source: file.raw for file in files}
    link_rows(raws[str(victims.source)], victims.table, raws[str(linked.source)], linked.table, linked.link)
    return text, plan


@pytest.mark.parametrize("turned", [False, True])
def test_the_link_is_found_whichever_file_goes_first(turned: bool) -> None:
    files = [people(), others(perpetrator_id=[f"P{i}" for i in range(30)])]
    text, plan = drafted(*(files[::-1] if turned else files))
    victims, linked = plan.tables
    assert (victims.table.name, victims.table.key, victims.source) == ("victims", "victim_id", "victims.csv")
    assert (linked.table.name, linked.table.key) == ("perpetrators", "perpetrator_id")
    assert linked.link is not None
    assert (linked.link.to, linked.link.key, linked.link.at_most) == ("victims", "victim_id", AT_MOST)
    assert [column.name for column in linked.table.columns] == ["gender"]
    assert plan.unit.name == "victim"
    assert plan.about.name == "victims-and-perpetrators"
    assert "#   surname: it looks like a person's name" in text


@pytest.mark.parametrize("most", [1, 3, 12])
def test_the_cap_is_not_read_off_the_rows(most: int) -> None:
    """Whatever the rows hold, the proposal and all that is said of it stay the same."""
    of = [key for key in KEYS[:12] for _ in range(most)]
    text, plan = drafted(people(), others(of=of))
    assert plan.tables[1].link is not None
    assert plan.tables[1].link.at_most == AT_MOST
    assert f"of more, so many are drawn at random. {AT_MOST} is a proposal and" in text
    assert "never from the rows" in text


def test_a_key_of_perpetrators_may_repeat_but_not_under_one_victim() -> None:
    _, plan = drafted(people(), others(perpetrator_id=[f"P{i % 15}" for i in range(30)]))
    assert plan.tables[1].table.key == "perpetrator_id"
    text, plan = drafted(people(), others(perpetrator_id=[f"P{i // 2}" for i in range(30)]))
    assert plan.tables[1].table.key is None
    assert [column.name for column in plan.tables[1].table.columns] == ["gender"]
    assert "#   perpetrator_id: it looks like a key" in text


def test_the_same_name_goes_before_numbers_that_happen_to_fit() -> None:
    """perpetrator_id 1 to 30 holds every victim_id 1 to 20 by chance."""
    keys = [str(i) for i in range(1, 21)]
    of = [keys[i % 10] for i in range(30)]
    _, plan = drafted(people(keys=keys), others(of=of, perpetrator_id=[str(i) for i in range(1, 31)]))
    assert plan.tables[0].table.name == "victims"
    assert plan.tables[1].link is not None
    assert plan.tables[1].link.key == "victim_id"


def test_where_every_person_has_one_row_the_first_file_is_that_of_people() -> None:
    files = [people(), file("perpetrators", victim_id=KEYS, gender=["Female", "Male"] * 10)]
    assert drafted(*files)[1].tables[0].table.name == "victims"
    assert drafted(*files[::-1])[1].tables[0].table.name == "perpetrators"


def test_a_table_of_offenders_is_never_the_unit() -> None:
    _, plan = drafted(file("data", key=KEYS, sex=["Female", "Male"] * 10), file("perpetrators", key=OF, sex=["F"] * 30))
    assert plan.unit.name == "person"


@pytest.mark.parametrize(("one", "two"), [("cases", "cases"), ("links", "flattened")])
def test_names_that_cannot_both_stand_are_changed(one: str, two: str) -> None:
    _, plan = drafted(people(one), dataclasses.replace(others(two), source="elsewhere.csv"))
    assert len({part.table.name for part in plan.tables}) == 2


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ((people(), file("others", gender=["F", "M"] * 10)), "no column links victims and others: one file must have"),
        ((people(), others(of=[f"X{i}" for i in range(30)])), "Draft a plan for each file by itself, or mend the keys"),
        ((people(), others(of=[f"V{i:05d}" for i in range(18)])), "most rows would match without leading zeros: write"),
        ((people(), file("p", victim_id=OF, surname=[SECRET] * 30)), "p: no column can be proposed for release"),
        ((people(), file("p", **{SECRET: [SECRET, "x"], "17": ["17", "18"]})), "p: the first line looks like a row"),
    ],
)
def test_no_link_or_no_draft(files: tuple[DataFile, DataFile], words: str) -> None:
    with pytest.raises(SourceError) as caught:
        draft_linked(files)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_demo_can_be_drafted(tmp_path: Path) -> None:
    write_demo(tmp_path, victims=400, seed=1)
    names = ("perpetrators", "victims")
    files = [DataFile(raw=read_path(tmp_path / f"{name}.csv"), source=f"{name}.csv", name=name) for name in names]
    plan = Plan.from_toml(draft_linked(files), tmp_path)
    assert [part.table.name for part in plan.tables] == ["victims", "perpetrators"]
    assert plan.tables[1].table.key == "perpetrator_id"
    assert {"age_group", "role", "paid"} <= {column.name for column in plan.tables[1].table.columns}
