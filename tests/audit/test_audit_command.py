"""`caseveil audit` as people run it: plans, bundles, files that are neither, and what it must never touch."""

from __future__ import annotations

import functools
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from caseveil import audit, cli
from caseveil.audit import Options
from caseveil.audit_bundle import arithmetic, sureness
from caseveil.audit_crew import Crew
from caseveil.audit_rows import ABOVE_THE_CAP, bare, canary, others, scarce, touched, with_canaries
from caseveil.errors import PlanError
from caseveil.evaluation.audit import Outcome
from caseveil.measurement import curator
from caseveil.plan import Plan
from caseveil.produce import prepared
from caseveil.produce import run as release
from caseveil.records.linkage import LinkedRows
from caseveil.release.bundle import read_bundle

PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 4.0
delta = 1e-4
ledger = "ledger.caseveil"
budget = { epsilon = 5.0, delta = 1e-3 }
[aggregates]
length = 2
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.means]
kind = "multi"
values = ["Debt", "Threats"]
[tables.victims.columns.age]
kind = "binned"
bins = [0, 18, 30]
"""

LINKED = (
    PLAN
    + """
[tables.perpetrators]
source = "perpetrators.csv"
links = { to = "victims", key = "victim_id", at_most = 3 }
[tables.perpetrators.columns.role]
kind = "category"
"""
)


@pytest.fixture(autouse=True)
def surer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound release is called broken once in 10^9 lines, not once in 1,000."""
    monkeypatch.setattr(audit, "Options", functools.partial(Options, false_alarm=1e-9))


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["audit", *(str(arg) for arg in args)])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    rng = np.random.default_rng(4)
    lines = [f"V{i},{rng.choice(['Female', 'Male'])},Debt,{rng.integers(0, 60)}" for i in range(300)]
    (folder / "victims.csv").write_text("victim_id,gender,means,age\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / "release.toml").write_text(PLAN, encoding="utf-8")
    return release(Plan.read(folder / "release.toml")).out


def test_a_plan_is_audited_without_its_rows_and_its_ledger(tmp_path: Path) -> None:
    """There are no rows, and the ledger is no ledger: neither is looked at. A sound plan: exit 0."""
    plan = tmp_path / "release.toml"
    plan.write_text(PLAN, encoding="utf-8")
    (tmp_path / "ledger.caseveil").write_text("not a ledger", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ended = run(plan, "--runs", 60, "--minutes", 60, "--workers", 1, "--json")
    assert ended.exit_code == 0, ended.output
    document = json.loads(ended.stdout)
    assert document["ok"] is True
    names = [finding["name"] for finding in document["findings"]]
    assert names == [audit.CHARGES, audit.REPEATS, audit.NOISY, audit.ONE_RUN, audit.PUBLISHED]
    runs = {finding["name"]: finding["runs"] for finding in document["findings"]}
    assert (runs[audit.NOISY], runs[audit.PUBLISHED]) == (60, 30)
    assert document["epsilon"] == 4.0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_broken_release_ends_with_1_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tmp_path / "release.toml"
    plan.write_text(PLAN, encoding="utf-8")
    monkeypatch.setattr(curator, "rounded_gaussians", lambda sigmas, sizes: np.zeros(sum(sizes), np.int64))
    ended = run(plan, "--runs", 60, "--minutes", 60, "--workers", 1, "--quiet")
    assert ended.exit_code == 1, ended.output
    assert "BROKEN: noise never repeats, noisy numbers" in ended.stdout
    assert not ended.stderr


def test_a_bundle_is_audited_alone(bundle: Path) -> None:
    ended = run(bundle, "--json")
    assert ended.exit_code == 0, ended.output
    outcomes = {finding["name"]: finding["outcome"] for finding in json.loads(ended.stdout)["findings"]}
    assert outcomes["files and counts"] == "held"
    assert outcomes["arithmetic of the promise"] == "held"
    assert {outcomes[name] for name in (audit.NOISY, audit.PUBLISHED, audit.ONE_RUN)} == {"unknown"}


def test_a_zip_of_a_bundle_is_audited_as_its_folder_is(bundle: Path, tmp_path: Path) -> None:
    whole = Path(shutil.make_archive(str(tmp_path / "cases"), "zip", bundle))
    of_zip, of_folder = (json.loads(run(path, "--json").stdout)["findings"] for path in (whole, bundle))
    assert of_zip == of_folder
    whole.write_bytes(b"V1,Female,Debt" + whole.read_bytes())
    ended = run(whole)
    assert ended.exit_code == 1, ended.output
    assert "BROKEN: files and counts" in ended.stdout


def test_what_cannot_be_said_is_said_with_what_would_help(tmp_path: Path) -> None:
    plan = tmp_path / "release.toml"
    plan.write_text(PLAN.replace("delta = 1e-4\n", ""), encoding="utf-8")
    ended = run(plan, "--runs", 20, "--minutes", 60, "--workers", 1, "--quiet")
    assert ended.exit_code == 0, ended.output
    said = " ".join(ended.stdout.split())
    assert "The promise of these releases of invented people is epsilon 4 at delta" in said
    assert "--minutes and --runs" in said


def test_a_changed_bundle_is_found(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "changed"
    shutil.copytree(bundle, copy)
    records = copy / "data" / "victims.csv"
    records.write_text(records.read_text(encoding="utf-8").replace("Female", "Male", 1), encoding="utf-8")
    ended = run(copy)
    assert ended.exit_code == 1, ended.output
    assert "BROKEN: files and counts" in ended.stdout


def test_a_statement_that_does_not_add_up_is_found(bundle: Path) -> None:
    statement = read_bundle(bundle).statement
    assert arithmetic(statement).outcome is Outcome.HELD
    twice = replace(statement, mechanisms=(*statement.mechanisms, *statement.mechanisms), mu=2 * statement.mu)
    found = arithmetic(twice)
    assert found.outcome is Outcome.BROKEN
    assert found.estimate is not None
    assert found.estimate > 1.3 * statement.epsilon
    strange = replace(statement, mechanisms=({"kind": "magic", "mu": 0.1},))
    assert arithmetic(strange).outcome is Outcome.UNKNOWN


def test_intervals_that_are_surer_than_the_noise_are_found(bundle: Path) -> None:
    contents = read_bundle(bundle)
    (part,) = contents.tables.values()
    count = np.asarray(part.counts.count) + 10_000
    for half, outcome in ((200, Outcome.HELD), (1, Outcome.BROKEN)):
        counts = replace(part.counts, count=count, lower=count - half, upper=count + half)
        changed = replace(contents, tables={"victims": replace(part, counts=counts)})
        assert sureness(changed).outcome is outcome


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["missing.toml"], "does not exist"),
        (["."], "bundle"),
        (["release.toml", "--runs", "3"], "20<=x"),
        (["release.toml", "--minutes", "nan"], "minutes"),
        (["release.toml", "--minutes", "0"], "minutes"),
        (["release.toml", "--workers", "0"], "workers"),
    ],
)
def test_bad_input_ends_with_2_and_a_sentence(
    args: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "release.toml").write_text(PLAN, encoding="utf-8")
    ended = run(*args)
    assert ended.exit_code == 2, ended.output
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("change", [{"runs": 3}, {"minutes": float("inf")}, {"workers": 0}, {"false_alarm": 0.5}])
def test_options_check_themselves(change: dict[str, float]) -> None:
    with pytest.raises(PlanError, match=next(iter(change))):
        Options(**change)  # type: ignore[arg-type]


# Invented rows


def plan_of(text: str) -> Plan:
    return bare(Plan.from_toml(text, Path()))


@pytest.mark.parametrize("text", [PLAN, LINKED])
def test_invented_rows_fit_the_plan_and_differ_by_the_canary_alone(text: str) -> None:
    plan = plan_of(text)
    raws = others(plan, 50, np.random.default_rng(2))
    one = canary(plan)
    more = with_canaries(plan, raws, [one, one])
    before, after = prepared(plan, raws), prepared(plan, more)
    if isinstance(before, LinkedRows):
        assert isinstance(after, LinkedRows)
        assert (before.victims.n, after.victims.n) == (50, 52)
        assert more[1].n == raws[1].n + 2 * 3 * ABOVE_THE_CAP
        assert after.numbers[-2:].tolist() == [3, 3]  # the rest is cut
        assert after.numbers[:-2].tolist() == before.numbers.tolist()
    else:
        assert not isinstance(after, LinkedRows)
        assert {name: list(cells[:-2]) for name, cells in after.columns.items()} == dict(before.columns)
        assert [cells[-1] for cells in after.columns.values()] == [one.person[name] for name in after.columns]


def test_scarce_values_stand_around_the_threshold() -> None:
    plan = plan_of(LINKED)
    assert touched(plan) == 3  # one column of links, three links a victim
    rows = scarce(plan, sigma=10.0, delta=3e-6)
    # Phi^-1(1 - 1e-6) = 4.753: found in half of all searches where 48.5 people have a value
    assert (rows.few, rows.many) == (round(1 + 37.53), round(1 + 57.53))
    cells = rows.raws[1].columns["role"]
    assert {cells.count(value) for value in set(cells)} == {rows.few, rows.many}


# Workers


def double(number: int, seconds: float = 0.0) -> int:
    time.sleep(seconds)
    return 2 * number


def fail() -> None:
    raise ValueError("no")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crew_keeps_the_order_and_the_time(workers: int) -> None:
    ticks: list[float] = []
    with Crew(workers=workers) as crew:
        assert crew.do([(double, (i,)) for i in range(7)], 60.0, ticks.append) == [0, 2, 4, 6, 8, 10, 12]
        assert ticks[-1] == 1.0
        assert sorted(ticks) == ticks
        late = crew.do([(double, (i, 0.2)) for i in range(50)], 0.5)
        assert late[0] == 0
        assert late[-1] is None
        with pytest.raises(ValueError, match="no"):
            crew.do([(fail, ()), (double, (1,))], 60.0)
