"""Linked tables through every command, with the real engine: release, check, verify, evaluate, ledger and budget.

The invented victims have up to five perpetrators each, of whom three count; some perpetrators stand under two
victims, and one of them is a victim too.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from caseveil import cli
from caseveil.privacy.ledger import Ledger
from caseveil.release.bundle import read_bundle

SECRET = "Zanzibar-secret-cell"
KEY = "true-key-"  # every key begins so
PEOPLE, CAP = 500, 3

PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
unit = "victim"
epsilon = 2.0
delta = 1e-4
ledger = "ledger.caseveil"
[aggregates]
length = 2
[tables.perpetrators]
source = "perpetrators.csv"
key = "perpetrator_id"
links = { to = "victims", key = "victim", at_most = 3 }
[tables.perpetrators.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.perpetrators.columns.role]
kind = "multi"
values = ["Recruiter", "Transporter"]
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
"""
EITHER = PLAN.replace('unit = "victim"', 'unit = "victim or perpetrator"').replace(
    "at_most = 3", "at_most = 5, shared_by_at_most = 2"
)


def linked_cases(folder: Path, *, both: bool) -> Path:
    """Writes victims.csv, perpetrators.csv and release.toml. both: one key stands for a victim and a perpetrator."""
    rng = np.random.default_rng(31)
    victims, links = ["victim_id,gender,sector,remarks"], ["victim,perpetrator_id,gender,role,citizenship"]
    mixed = both
    for i in range(PEOPLE):
        gender = rng.choice(["Female", "Male", ""], p=[0.6, 0.3, 0.1])
        victims.append(f"{KEY}{i},{gender},{rng.choice(['Farming', 'Fishing'])},{SECRET}")
        for at in range(int(rng.integers(0, 6))):
            # the first perpetrator of a victim is also the first of a neighbour
            name = f"{KEY}p{i // 2}" if at == 0 else f"{KEY}p{i}-{at}"
            if at == 1 and mixed:
                name, mixed = f"{KEY}{PEOPLE - 1}", False
            roles = ";".join(role for role in ("Recruiter", "Transporter") if rng.random() < 0.5)
            links.append(f"{KEY}{i},{name},{rng.choice(['Female', 'Male'])},{roles},{SECRET}")
    for name, lines in (("victims.csv", victims), ("perpetrators.csv", links)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "release.toml").write_text(PLAN, encoding="utf-8")
    return folder


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def privacy(bundle: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((bundle / "datapackage.json").read_text(encoding="utf-8"))["privacy"]
    return found


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder of the cases after one release, and how it ended."""
    folder = linked_cases(tmp_path_factory.mktemp("linked"), both=True)
    return folder, run("release", folder / "release.toml", "--quiet")


@pytest.fixture
def folder(released: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of the folder after one release, to be changed."""
    return Path(shutil.copytree(released[0], tmp_path / "copy"))


def test_the_bundle_is_told_and_proves_itself(released: tuple[Path, Result]) -> None:
    folder, done = released
    assert done.exit_code == 0, done.output
    assert "Every victim in the data, with all perpetrators linked to this victim, is protected" in done.stdout
    assert "dropped" not in done.stdout, "what the cap did is for the steward alone"
    assert "At most 3 rows of perpetrators count for one of victims. `caseveil check` says" in done.stdout
    verdict = run("verify", folder / "cases-1", "--json")
    assert verdict.exit_code == 0, verdict.stdout
    assert {path.name for path in (folder / "cases-1" / "counts").iterdir()} == {
        f"{table}.{kind}" for table in ("victims", "perpetrators", "links") for kind in ("csv", "parquet")
    }


def test_links_of_the_bundle_are_whole_and_keys_are_invented(released: tuple[Path, Result]) -> None:
    data = released[0] / "cases-1" / "data"
    victims, links = rows(data / "victims.csv"), rows(data / "perpetrators.csv")
    keys = [row["victim_id"] for row in victims]
    numbers = Counter(row["victim"] for row in links)
    assert sorted(keys, key=int) == [str(i + 1) for i in range(len(keys))]
    assert set(numbers) <= set(keys)
    assert max(numbers.values()) <= CAP
    assert list(links[0]) == ["victim", "gender", "role"]
    assert list(victims[0]) == ["victim_id", "gender", "sector"]


def test_no_cell_that_stays_at_home_is_in_the_bundle(released: tuple[Path, Result]) -> None:
    """Neither a column that was not planned nor a key of either table."""
    bundle = released[0] / "cases-1"
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        for cell in (SECRET, KEY):
            assert cell.encode() not in content, path.name


def test_check_tells_the_steward_what_the_cap_would_drop(released: tuple[Path, Result]) -> None:
    folder, _ = released
    true = Counter(row["victim"] for row in rows(folder / "perpetrators.csv"))
    document = json.loads(run("check", folder / "release.toml", "--json", "--quiet").stdout)
    found = document["linked"]["links"]
    assert found == {
        "victims": PEOPLE, "links": sum(true.values()), "without": PEOPLE - len(true),
        "above": sum(number > CAP for number in true.values()),
        "dropped": sum(max(0, number - CAP) for number in true.values()),
        "shared_most": 2, "unnamed": 0, "both": 1,
    }  # fmt: skip
    assert found["dropped"] > 50
    assert document["linked"]["intake"]["unused_columns"] == ["citizenship"]
    checked = run("check", folder / "release.toml", "--quiet")
    said = " ".join(checked.stdout.split())
    for words in (
        f"{PEOPLE} rows of victims fit the plan",
        f"{found['links']:,} rows of perpetrators fit the plan",
        f"{found['dropped']} rows of perpetrators (",
        f"{found['without']} have none.",
        " in up to 3 columns, perpetrators included, that fewer than 10 share; ",
        "1 value of perpetrator_id is also a key of victims. Where this is the same person",
    ):
        assert words in said, words
    assert SECRET not in checked.output


def test_check_warns_of_linked_columns_that_identify(folder: Path) -> None:
    named = PLAN.replace("columns.role]", "columns.full_name]").replace(
        'kind = "multi"\nvalues = ["Recruiter", "Transporter"]', 'kind = "category"'
    )
    (folder / "release.toml").write_text(named, encoding="utf-8")
    links = (folder / "perpetrators.csv").read_text(encoding="utf-8").replace("role", "full_name", 1)
    (folder / "perpetrators.csv").write_text(links, encoding="utf-8")
    found = json.loads(run("check", folder / "release.toml", "--json", "--quiet").stdout)["risk"]["identifying"]
    assert {"column": "perpetrators.full_name", "reason": "a person's name"} in found


def test_the_ledger_holds_the_charge_and_a_second_release_adds_up(folder: Path) -> None:
    ledger = folder / "ledger.caseveil"
    first = Ledger.open(ledger)
    mu = privacy(folder / "cases-1")["mu"]
    assert isinstance(mu, float)
    assert first.total().mu == pytest.approx(mu, rel=1e-9)
    assert {entry.unit for entry in first.entries} == {"victim"}
    again = folder / "again.toml"
    again.write_text(PLAN.replace('version = "1"', 'version = "2"'), encoding="utf-8")
    assert run("release", again, "--quiet").exit_code == 0
    both = Ledger.open(ledger)
    assert [entry.version for entry in both.entries] == ["1", "1", "2", "2"]
    assert both.total().mu == pytest.approx(2**0.5 * mu, rel=1e-9)
    assert run("ledger", "verify", ledger).exit_code == 0
    assert "different units" not in run("ledger", "show", ledger).stdout


def test_a_release_over_the_budget_is_refused_before_anything_is_written(folder: Path) -> None:
    plan = folder / "more.toml"
    budget = "delta = 1e-4\nbudget = { epsilon = 2.2, delta = 1e-4 }"
    plan.write_text(PLAN.replace("delta = 1e-4", budget).replace('version = "1"', 'version = "2"'), encoding="utf-8")
    before = (folder / "ledger.caseveil").read_bytes()
    done = run("release", plan, "--quiet")
    assert done.exit_code == 2
    assert "this release asks for epsilon 2 " in done.stderr
    assert "Nothing was charged" in done.stderr
    assert (folder / "ledger.caseveil").read_bytes() == before
    assert not (folder / "cases-2").exists()


def test_evaluate_holds_links_against_the_truth(folder: Path) -> None:
    before = {path: path.read_bytes() for path in (folder / "cases-1").rglob("*") if path.is_file()}
    done = run("evaluate", folder / "cases-1", folder / "release.toml", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("PRIVATE")
    assert "number of perpetrators" in " ".join(done.stdout.split())
    report = json.loads((folder / "cases-1-private" / "report.json").read_text(encoding="utf-8"))
    assert [table["table"] for table in report["tables"]] == ["victims", "perpetrators"]
    true = Counter(row["victim"] for row in rows(folder / "perpetrators.csv"))
    assert report["links"]["victims"] == PEOPLE
    assert report["links"]["dropped"] == sum(max(0, number - CAP) for number in true.values())
    assert {path: path.read_bytes() for path in before} == before
    for path in (folder / "cases-1-private").iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_forecast_counts_both_tables_and_the_number_of_links(released: tuple[Path, Result]) -> None:
    folder, _ = released
    made = {}
    for name, text in (("victim", PLAN), ("either", EITHER)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        done = run("forecast", folder / f"{name}.toml", "--n", "5000", "--json", "--quiet")
        assert done.exit_code == 0, done.output
        made[name] = json.loads(done.stdout)
    assert made["victim"]["assumed_sizes"] == {"victims.sector": 10}
    errors = [{(row["epsilon"], row["length"]): row["half_width"] for row in made[name]["rows"]} for name in made]
    assert errors[1][2.0, 1] > 3.5 * errors[0][2.0, 1], "four times the noise where a perpetrator has two victims"


def widths(bundle: Path) -> list[float]:
    """Half widths of the intervals of values of victims, which the cap does not change."""
    counts = read_bundle(bundle).tables["victims"].counts
    half = (counts.upper - counts.lower) / 2  # 40 and more people, so none is cut off at zero
    single = [json.loads(text).keys() == {"gender"} for text in counts.combination]
    return [float(width) for width, one in zip(half, single, strict=True) if one]


def test_the_unit_of_victims_and_perpetrators_pays_for_itself(released: tuple[Path, Result], tmp_path: Path) -> None:
    """Somebody in perpetrators with up to two victims: four times the noise, for the same epsilon and mu."""
    linked_cases(tmp_path, both=False)
    plan = tmp_path / "release.toml"
    plan.write_text(EITHER, encoding="utf-8")
    done = run("release", plan, "--quiet")
    assert done.exit_code == 0, done.output
    assert "Every victim or perpetrator in the data, with all links, is protected" in done.stdout
    assert run("verify", tmp_path / "cases-1").exit_code == 0
    told, usual = privacy(tmp_path / "cases-1"), privacy(released[0] / "cases-1")
    assert told["mu"] == pytest.approx(usual["mu"])
    assert "times 4^2" in json.dumps(told["mechanisms"])
    assert "times 4^2" not in json.dumps(usual["mechanisms"])
    assert min(widths(tmp_path / "cases-1")) > 2 * max(widths(released[0] / "cases-1"))
    assert "rows that left out" not in done.stdout
    assert {entry.unit for entry in Ledger.open(tmp_path / "ledger.caseveil").entries} == {"victim or perpetrator"}
    statement = (tmp_path / "cases-1" / "STATEMENT.md").read_text(encoding="utf-8")
    assert "Data with more are refused; nothing was cut off." in statement


def test_the_ledger_says_when_releases_protect_different_units(folder: Path) -> None:
    linked_cases(folder, both=False)
    plan = folder / "either.toml"
    plan.write_text(EITHER.replace('version = "1"', 'version = "2"'), encoding="utf-8")
    assert run("release", plan, "--quiet").exit_code == 0
    said = run("ledger", "show", folder / "ledger.caseveil").stdout
    assert "protect different units" in " ".join(said.split())


def test_a_budget_is_not_kept_on_a_ledger_that_knows_nothing_of_perpetrators(folder: Path) -> None:
    """Releases for victims alone say nothing of what they cost a perpetrator: no total can be held against a limit."""
    linked_cases(folder, both=False)
    plan = folder / "either.toml"
    limited = EITHER.replace('version = "1"', 'version = "3"').replace(
        'ledger = "ledger.caseveil"', 'ledger = "ledger.caseveil"\nbudget = { epsilon = 50.0, delta = 0.01 }'
    )
    assert "budget" in limited
    plan.write_text(limited, encoding="utf-8")
    before = (folder / "ledger.caseveil").read_bytes()
    done = run("release", plan, "--quiet")
    assert done.exit_code == 2
    assert "privacy.budget cannot be kept" in " ".join(done.output.split())
    assert (folder / "ledger.caseveil").read_bytes() == before


def test_no_victim_has_a_perpetrator_is_refused_and_most_without_is_fine(folder: Path) -> None:
    """Victims without perpetrators are sound data, even when they are nearly all."""
    links = (folder / "perpetrators.csv").read_text(encoding="utf-8").splitlines()
    (folder / "perpetrators.csv").write_text("\n".join(links[:40]) + "\n", encoding="utf-8")
    plan = folder / "few.toml"
    plan.write_text(PLAN.replace('version = "1"', 'version = "few"'), encoding="utf-8")
    done = run("release", plan, "--quiet")
    assert done.exit_code == 0, done.output
    assert run("verify", folder / "cases-few").exit_code == 0
    data = folder / "cases-few" / "data"
    assert len({row["victim"] for row in rows(data / "perpetrators.csv")}) < 0.5 * len(rows(data / "victims.csv"))
    before = (folder / "ledger.caseveil").read_bytes()
    (folder / "perpetrators.csv").write_text(links[0] + "\n", encoding="utf-8")
    refused = run("release", plan, "--quiet", "--out", folder / "none")
    assert refused.exit_code == 2
    assert "perpetrators" in refused.stderr
    assert (folder / "ledger.caseveil").read_bytes() == before
    assert not (folder / "none").exists()
