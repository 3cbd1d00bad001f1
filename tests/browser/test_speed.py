"""A page of 200,000 records and 24 columns shows its first picture within 2 s and answers a click within 100 ms.

These are limits for a mid-range laptop. A fixed loop tells how fast this machine is now, with what else runs on it: it
takes about LOOP_MS on such a laptop. Only a machine on which it takes longer gets more time, in the same proportion;
none gets less. Medians are taken, so that one pause of the browser or the machine decides nothing. Measured on two idle
cores with a loop of 11 ms: first picture 0.3 s, a click 20 ms, the longest of 20 clicks 52 ms.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.release import explorer, explorer_data
from tests.browser.conftest import Open
from tests.browser.invented_page import make_page

pytestmark = pytest.mark.alone

FIRST_MS = 2000.0
CLICK_MS = 100.0
LOOP_MS = 12.0

LOOP = """() => { const start = performance.now(); let x = 1;
  for (let i = 0; i < 1e7; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  window.kept = x; return performance.now() - start; }"""
"""A chain of ten million multiplications, each of which needs the one before."""

SIZES = [2, 3, 5, 9, 12, 200] * 4
ROWS = 200_000


def allowance(loops: list[float]) -> float:
    """How many times longer than a mid-range laptop this machine may take."""
    return max(1.0, median(loops) / LOOP_MS)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[NDArray[np.uint8]]]:
    """The page, and the codes of its columns: 0 for blank, else 1 + the value's place."""
    random_numbers = np.random.default_rng(3)
    codes = [random_numbers.integers(0, size + 1, ROWS, dtype=np.uint8) for size in SIZES]
    columns = [
        {
            "name": f"column {i}", "kind": "category", "meaning": "", "values": [f"value {j}" for j in range(size)],
            "set": False, "time": False,
        }
        for i, size in enumerate(SIZES)
    ]  # fmt: skip
    counts = [
        int(n) for code, size in zip(codes, SIZES, strict=True) for n in np.bincount(code, minlength=size + 1)[1:]
    ]
    data = explorer_data.payload(dataclasses.replace(make_page(rows=50), stories=()))
    del data["links"]
    table = {
        "name": "cases",
        "rows": ROWS,
        "columns": columns,
        "records": explorer_data.pack(b"".join(code.tobytes() for code in codes)),
        "combinations": [[i] for i in range(sum(SIZES))],
        "count": counts,
        "lower": [n - 50 for n in counts],
        "upper": [n + 50 for n in counts],
        "spread": {"size": [1, 1000], "half": [20, 100]},
    }
    path = tmp_path_factory.mktemp("large") / "large.html"
    path.write_bytes(explorer.render({**data, "tables": [table]}))
    return path, codes


def test_the_first_picture_is_there_within_two_seconds(
    open_page: Open, large: tuple[Path, list[NDArray[np.uint8]]]
) -> None:
    """From the start of opening the file until every panel has its marks and is laid out."""
    took, loops = [], []
    for _ in range(3):
        page = open_page(page=large[0])
        page.wait_for_selector(".board .mark")
        took.append(page.evaluate("document.body.offsetHeight && performance.now()"))
        assert page.locator(".panel").count() == len(SIZES)
        loops += [page.evaluate(LOOP) for _ in range(5)]
        page.context.close()
    assert median(took) < FIRST_MS * allowance(loops), (took, loops)


def test_a_click_is_answered_within_a_tenth_of_a_second(
    open_page: Open, large: tuple[Path, list[NDArray[np.uint8]]]
) -> None:
    """From the click until all 24 panels are counted, written and laid out. Twenty clicks, which narrow and widen."""
    path, codes = large
    page: Any = open_page(page=path)
    page.wait_for_selector(".board .mark")
    clicks = [(column, value) for column in (0, 1, 2, 3, 6, 7, 8, 9) for value in (0, 1)]
    clicks += clicks[-4:]  # the same again: taken back
    took, loops = [], []
    for column, value in clicks:
        loops.append(page.evaluate(LOOP))
        took.append(
            page.evaluate(
                """([column, value]) => {
                     const mark = document.querySelector(`[data-column="column ${column}"] [data-value="${value}"]`);
                     const start = performance.now(); mark.click(); document.body.offsetHeight;
                     return performance.now() - start; }""",
                [column, value],
            )
        )
    assert len(took) == 20
    assert median(took) < CLICK_MS * allowance(loops), (took, loops)
    # What was answered is right.
    passing = np.ones(ROWS, dtype=bool)
    for column in (0, 1, 2, 3, 6, 7):
        passing &= (codes[column] == 1) | (codes[column] == 2)
    assert f"About {int(passing.sum()):,} cases" in page.inner_text("#summary")
