"""The tables, the contenders, the runner and the report of the benchmark."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import report, run
from benchmarks.contenders import CONTENDERS, _apportion, _onto_simplex, find, independent, pac_synth
from benchmarks.tables import BenchTable, available, demo_victims, many_valued
from benchmarks.worker import delta_for


def small_table(n: int = 3000) -> BenchTable:
    """Two tied columns, with the characters that trip other programs."""
    rng = np.random.default_rng(0)
    a = rng.choice(["", "0", "x;y", "z:w"], n, p=[0.1, 0.3, 0.4, 0.2])
    b = np.where(rng.random(n) < 0.8, a, rng.choice(["", "0"], n))
    columns = {"a;1": [str(v) for v in a], "b:2": [str(v) for v in b]}
    domains = {name: sorted(set(cells) - {""}) for name, cells in columns.items()}
    return BenchTable(name="small", about="small", columns=columns, domains=domains)


@pytest.mark.parametrize("make", [many_valued, demo_victims])
def test_invented_tables_stay_within_their_domains(make: Any) -> None:
    table = make()
    assert table.columns == make().columns
    assert table.name in available()
    assert {len(cells) for cells in table.columns.values()} == {table.n}
    for name, cells in table.columns.items():
        assert set(cells) - {""} <= set(table.domains[name]), name
        assert "" not in table.domains[name]


def test_the_wide_category_table_is_as_wide_as_it_says() -> None:
    table = many_valued()
    assert table.n == 20_000
    sizes = [len(values) for values in table.domains.values()]
    assert sorted(sizes, reverse=True)[:3] == [190, 190, 120]
    assert len(sizes) == 18


def test_independent_columns_keep_margins_and_lose_ties() -> None:
    """At epsilon 50 the noise is below 1 person, so margins agree to a few people; false alarms below 1e-9."""
    table = small_table()
    made = independent(table, 50.0, 1e-6)
    assert abs(len(made.records["a;1"]) - table.n) <= 10
    for name, cells in table.columns.items():
        for value in {"", *table.domains[name]}:
            assert abs(made.records[name].count(value) - cells.count(value)) <= 20
    tied = sum(x == y for x, y in zip(*table.columns.values(), strict=True)) / table.n
    loose = [x == y for x, y in zip(*made.records.values(), strict=True)]
    assert sum(loose) / len(loose) < tied - 0.2


def test_apportioning_adds_up() -> None:
    assert _apportion(np.array([1.0, 1.0, 1.0]), 10).tolist() == [4, 3, 3]
    assert _apportion(np.array([0.0, 2.5, 7.5]), 4).tolist() == [0, 1, 3]


def test_the_simplex_projection_is_the_nearest_point() -> None:
    values, total = np.array([5.0, -3.0, 2.0, 0.4]), 6.0
    projected = _onto_simplex(values, total)
    assert projected.sum() == pytest.approx(total)
    assert projected.min() >= 0
    rng = np.random.default_rng(1)
    others = rng.dirichlet(np.ones(4), 2000) * total
    assert ((others - values) ** 2).sum(axis=1).min() >= ((projected - values) ** 2).sum() - 1e-9


@pytest.mark.skipif(importlib.util.find_spec("pacsynth") is None, reason="pac-synth is not installed")
def test_pac_synth_gets_and_gives_back_every_value() -> None:
    """With a large budget it finds all values, so ';', ':' and '0' must have survived the way there and back."""
    table = small_table()
    made = pac_synth(accuracy="even", fabrication="uncontrolled")(table, 20.0, 1e-6)
    for name in table.columns:
        assert set(made.records[name]) - {""} == set(table.domains[name])
    assert made.counts is not None
    assert '{"a;1": "x;y", "b:2": "x;y"}' in made.counts.combination


def test_names_of_contenders_differ_and_are_found() -> None:
    assert len({contender.name for contender in CONTENDERS}) == len(CONTENDERS)
    assert find("independent").make is independent
    with pytest.raises(SystemExit, match=r"contender \(nobody\) must be one of: caseveil/"):
        find("nobody")


def test_a_contender_that_fails_or_takes_too_long_is_reported() -> None:
    table = small_table()
    failed = run.one(table, "independent", 1.0, 60)  # the worker knows no table of this name
    assert failed["status"] == "failed"
    assert run.one(table, "independent", 1.0, 0.001)["status"] == "time limit"


def test_a_run_is_scored() -> None:
    table = many_valued()
    done = run.one(table, "independent", 1.0, 120)
    assert done["status"] == "done"
    scores = done["scores"]
    assert isinstance(scores, dict)
    assert scores["rows"] == table.n
    assert 0 < scores["mae_1"] < 200
    assert done["delta"] == delta_for(table.n)


def test_the_peak_of_memory_is_seen_and_is_the_own_one() -> None:
    """A child that needs little reports little, whatever its parent needed; what it let go of still counts."""
    block = np.ones(200 * 2**17)  # 200 MB in the parent
    script = "from benchmarks.worker import peak_megabytes as p; a = p(); b = b'x' * (90 << 20); del b; print(a, p())"
    done = subprocess.run([sys.executable, "-c", script], cwd=run.ROOT, capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before + 80 < after < before + 100
    if Path("/proc/self/status").exists():
        assert before < 200
    assert block[-1] == 1


def _result(date: str, contender: str, seconds: list[float], mae: float, **other: object) -> dict[str, Any]:
    runs = [
        {
            "table": "t",
            "contender": contender,
            "epsilon": 1.0,
            "status": "done",
            "seconds": s,
            "peak_mb": 100.0,
            "scores": {"rows": 100, "rows_syn": 103, "mae_1": mae, "mae_2": 2.0},
        }
        for s in seconds
    ]
    machine = {"cpu": "cpu", "cores": 2, "memory_gb": 4.0, "system": "Linux"}
    return {
        "date": date,
        "name": "n",
        "machine": machine,
        "versions": {"python": "3"},
        "conditions": "quiet",
        "tables": {"t": "a table"},
        "contenders": {contender: "about it"},
        "runs": runs,
    } | other


def test_the_report_averages_compares_and_lets_newer_results_win() -> None:
    old = _result("2026-01-01", "other", [99.0], 99.0)
    new = _result("2026-01-02", "other", [10.0, 20.0], 7.0)
    ours = _result("2026-01-02", report.YARDSTICK, [3.0], 5.0)
    text = report.page([old, new, ours])
    rows = {line.split(" | ")[0][2:]: line.strip("| ").split(" | ") for line in text.splitlines() if line[:2] == "| "}
    titles = rows["method"]
    assert len(rows["other"]) == len(rows[report.YARDSTICK]) == len(titles)
    assert rows["other"][titles.index("time")] == "15 s (5.0x)"
    assert rows[report.YARDSTICK][titles.index("time")] == "3.0 s (1.0x)"
    assert rows["other"][1].startswith("7.0 / 2.0 / ")
    assert rows["other"][titles.index("rows")] == "+3.0%"
    assert "99" not in rows["other"][1]
    assert "2026-01-01" not in text
    assert text.index(f"| {report.YARDSTICK}") < text.index("| other")


def test_the_report_shows_who_did_not_finish() -> None:
    slow = _result("2026-01-02", "slow", [], 0.0, runs=[])
    slow["runs"] = [{"table": "t", "contender": "slow", "epsilon": 1.0, "status": "time limit"}]
    assert "| slow | time limit |" in report.page([slow])
