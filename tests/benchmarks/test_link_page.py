"""The page of the benchmark of linked releases: targets, tables, figure."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import link_figure, link_report
from benchmarks.report import page


def _runs() -> Iterator[dict[str, Any]]:
    ours = {"cross_mae": 80.0, "cross_mae_all": 70.0, "cross_mae_capped": 80.0, "made_up_pct": 2.5, "key_faults": 0.0}
    ours |= {"above_cap": 0.0, "number_tv_pct": 0.5, "flat_mae_2": 20.0, "flat_mae_3": 30.0, "concordance_worst": 2.0}
    for seconds, off in ((10.0, -10.0), (20.0, 10.0)):
        scores = ours | {"cross_mae": 80.0 + off}
        yield {"contender": "caseveil", "seconds": seconds, "scores": scores, "dealt": {"cross_mae": 170.0}}
    yield {"contender": "cap-and-count/all pairs", "seconds": 0.1, "scores": {"cross_mae": 220.0}}
    yield {"contender": "cap-and-count/cross pairs", "seconds": 0.1, "scores": {"cross_mae": 140.0}}
    yield {"contender": "pac-synth/a", "seconds": 30.0, "scores": {"flat_mae_2": 90.0, "flat_mae_3": 60.0}}
    flat = {"flat_mae_2": 80.0, "flat_mae_3": 70.0, "flat_counts_mae_3": 50.0}
    yield {"contender": "pac-synth/b", "seconds": 30.0, "scores": flat}


def _result(date: str = "2026-11-23", **other: Any) -> dict[str, Any]:
    about = {"about": "invented", "at_most": 6, "links_lost_pct": 26.6, "victims_above_pct": 6.0, "cross_mae": 358.0}
    return {
        "date": date,
        "name": "n",
        "machine": {"cpu": "cpu", "cores": 2, "memory_gb": 4.0, "system": "Linux"},
        "versions": {"python": "3"},
        "conditions": "quiet",
        "contenders": {"caseveil": "ours"},
        "sets": {"demo": about},
        "runs": [{"set": "demo", "epsilon": 1.0, "status": "done", "peak_mb": 100.0} | run for run in _runs()],
    } | other


def test_targets_take_means_and_the_best_of_the_others() -> None:
    here = link_report.runs_by_place([_result()])["demo", 1.0]
    measured = [target.measured for target in link_report.targets(here)]
    counted = [pytest.approx(80 / 220), pytest.approx(80 / 140)]
    flat = [0.25, pytest.approx(30 / 60), None, pytest.approx(30 / 50)]
    assert measured == [0.5, 80.0, *counted, *flat, 2.0, 2.5, 0.0, 15.0]
    met = [target.row.split(" | ")[-1].strip(" |") for target in link_report.targets(here)]
    assert met == ["yes"] * 3 + ["**no**", "yes", "**no**", "", "", "yes", "**no**", "yes", "yes"]
    without = link_report.targets({name: runs for name, runs in here.items() if not name.startswith("caseveil")})
    assert {target.measured for target in without} == {None}
    assert "not measured" in without[0].row


def test_the_page_says_who_did_what_and_newer_results_win() -> None:
    old = _result("2026-01-01")
    old["runs"] = [run | {"scores": {"cross_mae": 999.0}} for run in old["runs"]]
    text = page([old, _result()])
    assert "999" not in text
    rows = {line.split(" | ")[0][2:]: line.strip("| ").split(" | ") for line in text.splitlines() if line[:2] == "| "}
    lines = [line for line in text.splitlines() if line.startswith("| caseveil (2 runs)")]
    assert [line.split(" | ")[1] for line in lines] == ["80 / 70 / 80", "– / 20 / 30"]  # noqa: RUF001
    assert "15 s (1x)" in lines[0]
    assert rows["pac-synth/a"][-2] == "30 s (2x)"
    assert rows[link_report.DEALT + " (2 runs)"][1].startswith("170 / ")
    assert "The cap of 6 alone loses 27% of the links" in text
    assert f"]({link_report.FIGURE_NAME})" in text
    assert "## Linked tables" not in page([])


def test_the_figure_has_a_mark_for_every_method_and_is_the_same_every_time() -> None:
    places = link_report.runs_by_place([_result()])
    drawn = link_figure.draw(places)
    assert drawn == link_figure.draw(places)
    root = ET.fromstring(drawn)
    words = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    assert "demo, epsilon 1" in words
    assert {"80", "140", "170"} <= set(words)  # ours, the best of capping and counting, dealt at random
    assert "220" not in words
    marks = {
        w: float(n.get("x", 0)) for n in root.iter() if n.tag.endswith("text") and (w := n.text) in {"80", "140", "170"}
    }
    assert marks["80"] < marks["140"] < marks["170"]
    ratio = (marks["170"] - marks["140"]) / (marks["140"] - marks["80"])
    assert ratio == pytest.approx(math.log(170 / 140) / math.log(140 / 80), rel=0.01)
    assert link_figure._ticks(30.0, 400.0) == [20.0, 50.0, 100.0, 200.0, 500.0]
    empty = ET.fromstring(link_figure.draw({}))
    assert empty.tag.endswith("svg")


def test_numbers_of_marks_that_stand_close_do_not_lie_on_one_another() -> None:
    apart = [(0, 200.0, 50.0), (1, 400.0, 100.0)]
    for one in link_figure._numbers(apart, 100.0):
        assert 'y="91.0" text-anchor="middle"' in one
    close = [(2, 220.0, 52.0), (0, 200.0, 50.0), (1, 210.0, 51.0)]
    left, below, right = link_figure._numbers(close, 100.0)
    assert 'text-anchor="end"' in left
    assert 'y="117.0"' in below
    assert 'text-anchor="start"' in right
