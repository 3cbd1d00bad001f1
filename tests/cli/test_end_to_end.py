"""The main job as people run it: a process of its own, invented records in, a bundle out that proves itself."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

VICTIMS = 1500


def caseveil(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "caseveil", *args],
        cwd=cwd, env={**os.environ, "PYTHONUTF8": "1"}, capture_output=True, text=True, encoding="utf-8",
        check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder of a small demo and how the command ended."""
    place = tmp_path_factory.mktemp("demo")
    return place / "cases", caseveil("demo", "cases", "--victims", str(VICTIMS), "--seed", "5", cwd=place)


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_demo_says_where_everything_is(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = demo
    assert done.returncode == 0, done.stderr
    bundle = folder / "invented-victims-1"
    promise = "Every victim in the data, with all perpetrators linked to this victim, is protected by differential"
    for said in (promise, "(epsilon 1, delta ", "2.72"):
        assert said in done.stdout
    assert str(Path("cases") / "invented-victims-1" / "explorer.html") in done.stdout
    stages = ("Reading", "Counting and adding noise", "Fitting", "Making records", "Making counts", "Writing")
    at = [done.stderr.index(stage) for stage in stages]
    assert at == sorted(at)
    assert {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()} == {
        "STATEMENT.md", "codebook.csv", "datapackage.json", "explorer.html", "fidelity.json", "manifest.json",
        *(f"counts/{name}.{kind}" for name in ("victims", "perpetrators", "links") for kind in ("csv", "parquet")),
        *(f"data/{name}.{kind}" for name in ("victims", "perpetrators", "flattened") for kind in ("csv", "parquet")),
    }  # fmt: skip
    assert {path.name for path in folder.iterdir() if not path.name.endswith(".lock")} == {
        "victims.csv", "perpetrators.csv", "release.toml", "ledger.caseveil", "invented-victims-1",
    }  # fmt: skip
    sentence = json.loads((bundle / "datapackage.json").read_text(encoding="utf-8"))["privacy"]["sentence"]
    assert sentence in done.stdout
    assert sentence in (bundle / "STATEMENT.md").read_text(encoding="utf-8").replace("\\", "")


def test_the_bundle_proves_itself(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    bundle = folder / "invented-victims-1"
    good = caseveil("verify", str(bundle), "--json", cwd=folder)
    assert good.returncode == 0, good.stdout
    assert json.loads(good.stdout)["ok"] is True
    page = bundle / "counts" / "victims.csv"
    kept = page.read_bytes()
    page.write_bytes(kept.replace(b"1", b"2", 1))
    try:
        assert caseveil("verify", str(bundle), cwd=folder).returncode == 1
    finally:
        page.write_bytes(kept)


def test_the_ledger_holds_what_the_statement_says(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    package = json.loads((folder / "invented-victims-1" / "datapackage.json").read_text(encoding="utf-8"))
    delta = package["privacy"]["delta"]
    shown = caseveil("ledger", "show", "ledger.caseveil", "--delta", repr(delta), "--json", cwd=folder)
    total = json.loads(shown.stdout)["total"]
    assert total["mu"] == pytest.approx(package["privacy"]["mu"], rel=1e-9)
    assert 0.99 < total["epsilon"] <= 1.0 + 1e-9
    assert caseveil("ledger", "verify", "ledger.caseveil", cwd=folder).returncode == 0


def test_the_records_are_like_the_cases(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """The number of records, and of either gender, within 260 people of 1,500.

    False alarms: the noise of these counts has a standard deviation of at most 38 people here, and the records follow
    the noisy counts within a deviation; 260 is more than six deviations of both together, 2e-9 each.
    """
    folder, _ = demo
    true, made = records(folder / "victims.csv"), records(folder / "invented-victims-1" / "data" / "victims.csv")
    assert abs(len(made) - VICTIMS) < 260
    assert list(made[0]) == [c for c in true[0] if c in made[0]], "columns in the order of the plan"
    for gender in ("Female", "Male"):
        counts = [Counter(row["gender"] for row in rows)[gender] for rows in (true, made)]
        assert abs(counts[0] - counts[1]) < 260
    assert not {row["victim_id"] for row in made} & {row["victim_id"] for row in true}, "keys are invented"


def test_every_perpetrator_belongs_to_a_victim(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    data = folder / "invented-victims-1" / "data"
    keys = [row["victim_id"] for row in records(data / "victims.csv")]
    links = Counter(row["victim_id"] for row in records(data / "perpetrators.csv"))
    assert len(set(keys)) == len(keys)
    assert set(links) <= set(keys)
    assert max(links.values()) <= 6
    assert len(records(data / "flattened.csv")) == len(keys)
