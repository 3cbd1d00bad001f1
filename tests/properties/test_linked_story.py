"""A whole linked release, from plan and rows to a verified bundle: what is charged, said and kept, at the edges too."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from caseveil import produce as story
from caseveil import produce_links
from caseveil.errors import InsufficientBudget, RowsError
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta, GaussianDP
from caseveil.records.raw import RawTable
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, write_bundle
from caseveil.release.verify import verify_bundle
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import EITHER, PrivacyUnit
from caseveil.synthesis.model import FitOptions

GENDER = Category(name="gender", values=("Female", "Male"))
REGION = Category(name="region", values=("Asia", "Africa", "Europe"))
ROLE = MultiChoice(name="role", values=("Recruiter", "Driver"))
CAP = 3


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(produce_links, "FIT", FitOptions(ladder=(50,), products=50, iterations=200))


def plan_of(
    *,
    unit: str = "victim",
    cap: int = CAP,
    delta: float | None = 1e-6,
    epsilon: float = 2.0,
    victims: Sequence[Category] = (GENDER, REGION),
    perpetrators: Sequence[Category | MultiChoice] = (GENDER, REGION, ROLE),
    share: float | None = 0.05,
    flattened: tuple[FlattenedColumn, ...] = (),
    budget: EpsilonDelta | None = None,
    ledger: str | None = None,
) -> Plan:
    either = unit == EITHER
    return Plan(
        about=About(name="cases", version="1"),
        promise=Promise(epsilon=epsilon, delta=delta),
        unit=PrivacyUnit(name=unit),
        aggregates=Aggregates(fabrication=Fabrication(share=share)),
        flattened=flattened,
        budget=budget,
        ledger=ledger,
        tables=(
            TablePlan(table=Table(name="victims", columns=tuple(victims), key="victim_id")),
            TablePlan(
                table=Table(name="perpetrators", columns=tuple(perpetrators), key="pid" if either else None),
                link=Link(to="victims", key="of", at_most=cap, shared_by_at_most=2 if either else None),
            ),
        ),
    )


def raw_of(plan: Plan, n: int, seed: int = 0, most: int = CAP, none: float = 0.2) -> list[RawTable]:
    """Victims with up to `most` links, perpetrators from the victim's region more often than not."""
    rng = np.random.default_rng(seed)
    number = np.where(rng.random(n) < none, 0, rng.integers(1, most + 1, n)) if most else np.zeros(n, np.int64)
    of = np.repeat(np.arange(n), number)
    regions = np.array(["Asia", "Africa", "Europe", ""])
    home = rng.integers(0, 4, n)
    cells = {
        "victims": {"gender": rng.choice(["Female", "Male", ""], n), "region": regions[home]},
        "perpetrators": {
            "gender": rng.choice(["Female", "Male"], len(of)),
            "region": regions[np.where(rng.random(len(of)) < 0.6, home[of], rng.integers(0, 4, len(of)))],
            "role": rng.choice(["Recruiter", "Driver", "Driver;Recruiter", ""], len(of)),
        },
    }
    out = []
    for part in plan.tables:
        mine = {column.name: cells[part.table.name][column.name].tolist() for column in part.table.columns}
        if part.link is None:
            mine["victim_id"] = [f"case {i}" for i in range(n)]
        else:
            mine["of"] = [f"case {i}" for i in of]
            mine["pid"] = [f"p{i}" for i in range(len(of))]
        out.append(RawTable(columns=mine))
    return out


def release(plan: Plan, raw: list[RawTable], ledger: Ledger | None = None, seed: int = 0) -> BundleContents:
    rows = story.prepared(plan, raw)
    return story.produce(plan, rows, Ledger.open(None) if ledger is None else ledger, rng=np.random.default_rng(seed))


def checked(plan: Plan, contents: BundleContents, folder: Path) -> BundleContents:
    """The contents after they were written and verified, and held against the plan."""
    write_bundle(contents, folder / "bundle")
    verification = verify_bundle(folder / "bundle")
    assert verification.ok, str(verification)
    victims, linked = (contents.tables[name] for name in ("victims", "perpetrators"))
    assert victims.key is not None
    assert linked.key is not None
    keys = list(victims.key.cells)
    assert len(set(keys)) == len(keys) == victims.rows
    links = Counter(linked.key.cells)
    assert set(links) <= set(keys)
    assert max(links.values(), default=0) <= plan.tables[1].link.at_most  # type: ignore[union-attr]
    assert contents.links is not None
    counts = contents.links.counts
    numbers = Counter(links.get(key, 0) for key in keys)
    for of, text, count in zip(counts.of, counts.combination, counts.count, strict=True):
        said = json.loads(text)
        if of == "victims" and set(said) == {"number of perpetrators"}:
            assert numbers[int(said["number of perpetrators"])] == count
    statement = contents.statement
    assert statement.records == victims.rows
    assert statement.mu == pytest.approx(statement.composed_mu)
    assert GaussianDP(mu=statement.mu).delta(statement.epsilon) + statement.discovery_delta <= statement.delta
    nearly = GaussianDP(mu=statement.mu * 1.001).delta(statement.epsilon)
    assert nearly + statement.discovery_delta > statement.delta, "no budget is thrown away"
    return contents


@pytest.mark.parametrize("delta", [None, 1e-6])
@pytest.mark.parametrize("unit", ["victim", EITHER])
def test_a_linked_release_holds_together(unit: str, delta: float | None, tmp_path: Path) -> None:
    plan = plan_of(unit=unit, delta=delta)
    ledger = Ledger.open(tmp_path / "ledger.caseveil")
    contents = checked(plan, release(plan, raw_of(plan, 400), ledger), tmp_path)
    events = [entry.event for entry in Ledger.open(tmp_path / "ledger.caseveil").entries]
    assert tuple(event.to_json() for event in events) == contents.statement.mechanisms
    assert math.sqrt(sum(event.mu**2 for event in events)) == pytest.approx(contents.statement.mu)
    assert [event.label for event in events] == [*(["number of people"] if delta is None else []), "combinations"]
    assert abs(contents.tables["victims"].rows - 400) < 120
    assert ("times 4^2" in events[-1].detail) == (unit == EITHER)


def test_neighbouring_sets_are_charged_and_told_the_same(tmp_path: Path) -> None:
    """All that is not noise or made from it must not depend on one victim at the cap."""
    plan = plan_of()
    raw = raw_of(plan, 300)
    people, linked = ({name: list(cells) for name, cells in part.columns.items()} for part in raw)
    people["victim_id"].append("one more")
    for name, cell in {"gender": "Male", "region": "Europe"}.items():
        people[name].append(cell)
    for i in range(CAP):
        for name, cell in {"of": "one more", "pid": f"q{i}", "gender": "Male", "region": "Asia", "role": ""}.items():
            linked[name].append(cell)
    both = [
        checked(plan, release(plan, part), tmp_path / str(at))
        for at, part in enumerate((raw, [RawTable(columns=people), RawTable(columns=linked)]))
    ]
    a, b = (contents.statement for contents in both)
    for name in ("mu", "rho", "epsilon", "delta", "mechanisms", "public", "groups", "links", "threshold"):
        assert getattr(a, name) == getattr(b, name), name
    assert both[0].plan_digest == both[1].plan_digest
    assert both[0].tables["victims"].table == both[1].tables["victims"].table


def test_values_are_discovered_on_both_sides(tmp_path: Path) -> None:
    plan = plan_of(
        epsilon=4.0,
        victims=(GENDER, Category(name="region")),
        perpetrators=(GENDER, Category(name="region"), MultiChoice(name="role", at_most=2)),
    )
    contents = checked(plan, release(plan, raw_of(plan, 1500)), tmp_path)
    assert contents.statement.discovered == ("victims.region", "perpetrators.region", "perpetrators.role")
    assert [event["label"] for event in contents.statement.mechanisms] == ["discovery of values", "combinations"]
    linked = contents.tables["perpetrators"].table
    assert [column.values for column in linked.columns[1:]] == [("Africa", "Asia", "Europe"), ("Driver", "Recruiter")]


def test_a_cap_of_one(tmp_path: Path) -> None:
    plan = plan_of(cap=1, share=None)
    contents = checked(plan, release(plan, raw_of(plan, 200)), tmp_path)
    assert contents.links is not None
    assert set(contents.links.counts.of) == {"links", "victims with any", "victims"}


def test_a_table_of_people_with_one_attribute(tmp_path: Path) -> None:
    plan = plan_of(victims=(GENDER,), perpetrators=(GENDER,), share=None)
    checked(plan, release(plan, raw_of(plan, 200)), tmp_path)


def test_nearly_nobody_has_a_link(tmp_path: Path) -> None:
    """One victim of 300 has one: an empty linked table is refused at the door, and what noise leaves is legal."""
    plan = plan_of(epsilon=1.0)
    raw = raw_of(plan, 300, most=0)
    with pytest.raises(RowsError, match="no rows"):
        story.prepared(plan, raw)
    one = RawTable(columns={"of": ["case 7"], "pid": ["x"], "gender": ["Male"], "region": ["Asia"], "role": [""]})
    contents = checked(plan, release(plan, [raw[0], one]), tmp_path)
    assert contents.tables["perpetrators"].rows < 150


def test_no_synthetic_victim_has_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the fit says: k drawn as 0 everywhere leaves an empty table that can be written and verified."""
    real = produce_links.refine

    def without(*args: object, **kwargs: object) -> object:
        codes = real(*args, **kwargs)  # type: ignore[arg-type]
        codes[:, 2] = 0
        return codes

    monkeypatch.setattr(produce_links, "refine", without)
    plan = plan_of(share=None)
    contents = checked(plan, release(plan, raw_of(plan, 150)), tmp_path)
    assert contents.tables["perpetrators"].rows == 0
    assert contents.links is not None
    assert set(contents.links.counts.of) == {"victims"}


def test_the_flattened_table_follows_the_records(tmp_path: Path) -> None:
    columns = (
        FlattenedColumn(name="victimGender", table="victims", column="gender"),
        FlattenedColumn(name="genders", table="perpetrators", column="gender"),
        FlattenedColumn(name="isRecruited", table="perpetrators", column="role", has="Recruiter"),
    )
    plan = plan_of(flattened=columns)
    contents = checked(plan, release(plan, raw_of(plan, 300)), tmp_path)
    assert contents.links is not None
    assert contents.links.flattened is not None
    victims, linked = contents.tables["victims"], contents.tables["perpetrators"]
    assert victims.key is not None
    assert linked.key is not None
    held: dict[str, set[str]] = {key: set() for key in victims.key.cells}
    for key, gender in zip(linked.key.cells, linked.records["gender"], strict=True):
        held[key] |= {gender} - {""}
    flat = contents.links.flattened
    assert [set(filter(None, cell.split(";"))) for cell in flat["genders"]] == list(held.values())
    assert list(flat["victimGender"]) == list(victims.records["gender"])


def test_large_and_small_epsilons_are_near_and_legal(tmp_path: Path) -> None:
    for epsilon in (0.05, 40.0):
        plan = plan_of(epsilon=epsilon, share=None)
        raw = raw_of(plan, 800)
        contents = checked(plan, release(plan, raw), tmp_path / str(epsilon))
        if epsilon == 40.0:
            links = contents.tables["perpetrators"].rows
            assert abs(links - raw[1].n) < 0.03 * raw[1].n
            assert contents.tables["victims"].rows == pytest.approx(800, abs=5)


def test_what_would_break_the_budget_is_neither_charged_nor_counted(tmp_path: Path) -> None:
    plan = plan_of(budget=EpsilonDelta(epsilon=1.0, delta=1e-6), ledger="ledger.caseveil")
    ledger = Ledger.open(tmp_path / "ledger.caseveil")
    with pytest.raises(InsufficientBudget):
        release(plan, raw_of(plan, 100), ledger)
    assert list(ledger.entries) == []


def test_order_and_keys_say_nothing(tmp_path: Path) -> None:
    """Keys are the numbers from 1 on, and neither the number of links nor an attribute rises or falls with them.

    False alarms: under a random order each correlation is near N(0, 1 / n); 6.4 deviations leave 1e-9 for all four.
    """
    plan = plan_of()
    contents = checked(plan, release(plan, raw_of(plan, 1200)), tmp_path)
    victims, linked = contents.tables["victims"], contents.tables["perpetrators"]
    assert victims.key is not None
    assert linked.key is not None
    n = victims.rows
    assert list(victims.key.cells) == [str(i) for i in range(1, n + 1)]
    links = Counter(linked.key.cells)
    place = np.arange(n)
    for column in (
        [links.get(key, 0) for key in victims.key.cells],
        [cell == "Female" for cell in victims.records["gender"]],
        [cell == "Asia" for cell in victims.records["region"]],
        [not cell for cell in victims.records["region"]],
    ):
        assert abs(np.corrcoef(place, np.array(column, float))[0, 1]) < 6.4 / math.sqrt(n)
