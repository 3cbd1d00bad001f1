"""The page of benchmarks is what the kept results say."""

from __future__ import annotations

import json

from benchmarks.report import PAGE, page
from benchmarks.run import RESULTS


def test_the_page_follows_from_the_results() -> None:
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    results.sort(key=lambda result: str(result["date"]))
    assert PAGE.read_text(encoding="utf-8") == page(results), "run: python -m benchmarks.report"
