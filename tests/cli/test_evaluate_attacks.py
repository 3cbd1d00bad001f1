"""`caseveil evaluate --attacks` as people run it, on a release and on one that copies the true rows."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from caseveil import cli, evaluate
from caseveil.errors import PlanError, RowsError
from caseveil.evaluate_attacks import attack_linked, read_control
from caseveil.evaluation.attacks import Attack, Control
from caseveil.intake import read_rows
from caseveil.plan import Plan
from caseveil.produce import run as release
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows, prepare
from caseveil.records.source import read
from caseveil.release.bundle import read_bundle
from tests.evaluation.linked_cases import LINKED, codes_of, linked_rows

SECRET = "Zanzibar-secret-cell"
PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 2.0
delta = 1e-4
[aggregates]
length = 2
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
[tables.victims.columns.age]
kind = "binned"
bins = [0, 9, 18, 21, 24, 27, 30, 39, 48]
[tables.victims.columns.region]
kind = "category"
values = ["r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"]
[tables.victims.columns.means]
kind = "multi"
values = ["Debt", "Threats", "Hours", "Abuse", "Papers"]
"""


JOINED = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 2.0
delta = 1e-4
[tables.victims]
source = "v.csv"
key = "id"
join = { source = "talks.csv", key = "of" }
[tables.victims.columns.gender]
kind = "category"
values = ["F", "M"]
[tables.victims.columns.language]
kind = "category"
values = ["Thai", "Swahili"]
"""


def write_rows(path: Path, rows: int, seed: int, letter: str) -> None:
    """One sector is rare, so that it is not discovered."""
    rng = np.random.default_rng(seed)
    lines = ["victim_id,gender,sector,age,region,means"]
    for i in range(rows):
        sector = SECRET if i == 17 else rng.choice(["Farming", "Fishing", ""])
        means = ";".join(item for item in ("Debt", "Threats", "Hours", "Abuse", "Papers") if rng.random() < 0.5)
        gender = rng.choice(["Female", "Male", ""])
        lines.append(f"{letter}{i},{gender},{sector},{rng.integers(1, 60)},r{rng.integers(1, 10)},{means}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 1,200 victims, 900 others drawn in the same way, the plan and the release."""
    folder = tmp_path_factory.mktemp("attacked")
    write_rows(folder / "victims.csv", 1200, 1, "V")
    write_rows(folder / "others.csv", 900, 2, "W")
    (folder / "release.toml").write_text(PLAN, encoding="utf-8")
    release(Plan.read(folder / "release.toml"))
    return folder


def test_attacks_stand_in_the_report_and_name_no_cell(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--attacks", "--out", out)
    assert ended.exit_code == 0, ended.output
    assert "Attacks" in ended.stdout
    assert {path.name for path in out.iterdir()} == {
        "report.md", "report.html", "report.json", "errors-1.svg", "attacks.svg",
    }  # fmt: skip
    page = (out / "report.md").read_text(encoding="utf-8")
    assert "## Attacks" in page
    assert "(attacks.svg)" in page
    numbers = json.loads((out / "report.json").read_text(encoding="utf-8"))["attacks"]
    assert numbers["control"] == "true rows of everybody else"
    assert numbers["targets"] == {"victims": 1200}
    said = " ".join(ended.stdout.split())
    reasons = {one["unknown"] for one in numbers["results"] if one["column"] is None and one["unknown"]}
    assert reasons, "nothing here could not be made"
    assert all(reason in said for reason in reasons)
    columns = [one["column"] for one in numbers["results"] if one["attack"] == Attack.COUNTS]
    assert columns == [None, "gender", "sector", "age", "region", *(
        f"means={item}" for item in ("Debt", "Threats", "Hours", "Abuse", "Papers")
    )]  # fmt: skip
    for text in (ended.output, *(path.read_text(encoding="utf-8") for path in out.iterdir())):
        assert SECRET not in text


def test_people_who_were_not_in_it_are_the_control(made: Path, tmp_path: Path) -> None:
    """One of the control's rows is also in the data, and is left out."""
    others = tmp_path / "others.csv"
    extra = (made / "victims.csv").read_text(encoding="utf-8").splitlines()[1]
    others.write_text((made / "others.csv").read_text(encoding="utf-8") + extra + "\n", encoding="utf-8")
    ended = run(
        "evaluate", made / "cases-1", made / "release.toml", "--attacks", "--control", others,
        "--out", tmp_path / "report", "--json", "--quiet",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.output
    numbers = json.loads(ended.stdout)["attacks"]
    assert numbers["control"] == "people who were not in it"
    assert (numbers["control_people"], numbers["also_in"], numbers["targets"]) == (900, 1, {"victims": 600})
    assert all(one["yardstick"] is not None for one in numbers["results"] if one["excess"] is not None)
    assert SECRET not in ended.stdout
    assert "1 row of the file was left out" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("with_people", [False, True])
def test_a_bundle_of_true_rows_is_found(made: Path, with_people: bool) -> None:
    plan = Plan.read(made / "release.toml")
    raw = read("victims.csv", folder=made)
    rows, _ = prepare(raw, plan.tables[0].table)
    contents = read_bundle(made / "cases-1")
    part = contents.tables["victims"]
    copied = dataclasses.replace(
        part, records={**rows.columns, "sector": ["" if cell == SECRET else cell for cell in rows.columns["sector"]]}
    )
    bundle = dataclasses.replace(contents, tables={"victims": copied})
    control = read_control([made / "others.csv"], plan, [raw]) if with_people else None
    before = evaluate.compare(bundle, rows)
    found = evaluate.attacked(bundle, rows, control, before).attacks
    assert found is not None
    assert found.control is (Control.PEOPLE if with_people else Control.OTHERS)
    seen = {one.attack for one in found.results if one.found}
    assert {Attack.COPYING, Attack.COMBINATION, Attack.LINKAGE, Attack.NEAREST} <= seen


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (("victims.csv",), "every key in column victim_id is also in the data"),
        (("others.csv", "others.csv"), "must stand once for each table of the plan: victims"),
        (("gone.csv",), "gone.csv"),
    ],
)
def test_a_control_that_is_none_is_refused(made: Path, tmp_path: Path, control: tuple[str, ...], said: str) -> None:
    named = [part for name in control for part in ("--control", made / name)]
    ended = run(
        "evaluate", made / "cases-1", made / "release.toml", "--attacks", *named, "--out", tmp_path / "report"
    )  # fmt: skip
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert not (tmp_path / "report").exists()


def test_the_control_of_a_plan_with_a_join_holds_the_columns_of_both_files(tmp_path: Path) -> None:
    plan = Plan.from_toml(JOINED, tmp_path)
    (tmp_path / "v.csv").write_text("id,gender\n1,F\n2,M\n")
    (tmp_path / "talks.csv").write_text("of,language\n2,Thai\n1,Swahili\n")
    (tmp_path / "both.csv").write_text("id,gender,language\n8,F,Thai\n9,M,Swahili\n")
    (tmp_path / "one.csv").write_text("id,gender\n8,F\n9,M\n")
    inside = read_rows(plan).raw
    assert isinstance(control := read_control([tmp_path / "both.csv"], plan, inside).rows, Rows)
    assert control.n == 2
    with pytest.raises(RowsError, match=r"--control: .*language"):
        read_control([tmp_path / "one.csv"], plan, inside)


def test_a_zip_is_to_be_unpacked(made: Path, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "cases"), "zip", made / "cases-1")
    for args in (("evaluate", packed, made / "release.toml"), ("explore", packed)):
        ended = run(*args)
        assert ended.exit_code == 2
        assert "unpack it" in ended.stderr


def test_a_control_without_attacks_is_refused(made: Path) -> None:
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--control", made / "others.csv")
    assert ended.exit_code == 2
    assert "add --attacks" in ended.stderr


def test_faults_of_the_control_are_counted_and_named_as_its_own(made: Path, tmp_path: Path) -> None:
    text = (made / "others.csv").read_text(encoding="utf-8").replace("Female", SECRET)
    (tmp_path / "strange.csv").write_text(text, encoding="utf-8")
    plan = Plan.read(made / "release.toml")
    with pytest.raises(RowsError, match="--control: column gender") as caught:
        read_control([tmp_path / "strange.csv"], plan, [read("victims.csv", folder=made)])
    assert SECRET not in str(caught.value)


def test_without_keys_the_rows_themselves_are_no_control(made: Path, tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(PLAN.replace('key = "victim_id"\n', ""), encoding="utf-8")
    plan = Plan.read(tmp_path / "release.toml")
    raw = read("victims.csv", folder=made)
    lines = (made / "victims.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "again.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n", encoding="utf-8")
    with pytest.raises(PlanError, match="holds the rows of the release"):
        read_control([tmp_path / "again.csv"], plan, [raw])
    assert read_control([made / "others.csv"], plan, [raw]).also_in is None


def test_linked_tables_are_attacked_each_and_across() -> None:
    rows = linked_rows(900, seed=21)
    seen: list[float] = []
    found = attack_linked(codes_of(linked_rows(900, seed=22)), rows, None, LINKED, either=False, tell=seen.append)
    assert list(found.targets) == ["victims", "perpetrators", "victims with perpetrators"]
    assert found.targets["victims"] == 900
    assert found.targets["perpetrators"] == int((rows.numbers > 0).sum())
    across = {one.column for one in found.results if one.across and one.attack is Attack.NEAREST}
    assert across == {None, "perpetrators.gender", "perpetrators.role=r", "perpetrators.role=e"}
    assert seen[-1] == 1.0


def test_perpetrators_who_are_promised_something_need_people_as_control() -> None:
    """A perpetrator may stand with several victims, and then the rows of everybody else hold the same person."""
    rows, records = linked_rows(600, seed=21), codes_of(linked_rows(600, seed=22))
    found = attack_linked(records, rows, None, LINKED, either=True, tell=lambda _: None)
    for one in found.results:
        assert (one.unknown is not None and "no fair control" in one.unknown) == (one.table != "victims")


LINKED_PLAN = """
[release]
name = "linked"
version = "1"
[privacy]
epsilon = 2.0
delta = 1e-4
[aggregates]
length = 2
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["f", "m"]
[tables.perpetrators]
source = "perpetrators.csv"
links = { to = "victims", key = "victim_id", at_most = 2 }
[tables.perpetrators.columns.role]
kind = "category"
values = ["r", "e"]
"""


def test_a_control_of_linked_tables_loses_people_of_the_data_with_their_links(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(LINKED_PLAN, encoding="utf-8")
    files = {
        "victims.csv": "victim_id,gender\nA,f\nB,m\nC,f\n",
        "perpetrators.csv": "victim_id,role\nA,r\nB,e\n",
        "people.csv": "victim_id,gender\n B ,f\nX,m\nY,f\nZ,m\n",
        "linked.csv": "victim_id,role\nB,r\nX,e\nX,r\nZ,r\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    plan = Plan.read(tmp_path / "release.toml")
    raws = [read(name, folder=tmp_path) for name in ("victims.csv", "perpetrators.csv")]
    found = read_control([tmp_path / "people.csv", tmp_path / "linked.csv"], plan, raws)
    assert found.also_in == 1
    assert isinstance(found.rows, LinkedRows)
    assert list(found.rows.victims.columns["gender"]) == ["m", "f", "m"]
    assert found.rows.victim_of.tolist() == [0, 0, 2]
    with pytest.raises(PlanError, match="victims and perpetrators"):
        read_control([tmp_path / "people.csv"], plan, raws)
