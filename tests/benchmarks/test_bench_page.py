"""The page of benchmarks is what the kept results say."""

from __future__ import annotations

from benchmarks.link_figure import draw
from benchmarks.link_report import runs_by_place
from benchmarks.report import FIGURE, PAGE, page, read_results
from benchmarks.run import RESULTS


def test_the_page_and_its_figure_follow_from_the_results() -> None:
    results = read_results(RESULTS.rglob("*.json"))
    assert PAGE.read_text(encoding="utf-8") == page(results), "run: python -m benchmarks.report"
    linked = [result for result in results if "sets" in result]
    drawn = FIGURE.read_text(encoding="utf-8") if FIGURE.exists() else None
    assert drawn == (draw(runs_by_place(linked)) if linked else None), "run: python -m benchmarks.report"
