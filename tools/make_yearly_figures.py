"""Draws the figures of the tutorial on yearly releases from the numbers that `python -m benchmarks.yearly` keeps.

python tools/make_yearly_figures.py writes docs/tutorials/yearly-*.svg; equal numbers give equal files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
NUMBERS = REPO / "benchmarks" / "results" / "yearly" / "demo.json"
OUT = REPO / "docs" / "tutorials"

WAYS: Mapping[str, tuple[str, str, str, str]] = {
    "anew": ("everybody anew, epsilon 1 each time", "#d55e00", "s", "-"),
    "everyone": ("sums, and everyone = 0.3", "#cc79a7", "^", "-"),
    "sums": ("sums, epsilon 1", "#0072b2", "o", "-"),
    "anew_same_total": ("everybody anew, epsilon 1 over three years", "#767676", "D", "--"),
}
"""By way: its name, colour, mark and line. The ways differ without colour too."""

FIGURES: Mapping[str, tuple[str, str, str]] = {
    "epsilon": ("yearly-spent.svg", "What the releases have cost whoever lost most", "epsilon at delta 1e-6"),
    "error": ("yearly-error.svg", "How far published counts of pairs lie from the truth", "mean error (people)"),
    "width": ("yearly-width.svg", "How wide the 95% intervals of pairs are", "mean width (people)"),
}

Point = Mapping[str, float | str]


def draw(points: Sequence[Point], value: str, title: str, unit: str, write: Callable[..., None]) -> None:
    """One line per way over the years."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(7.2, 4.0), layout="constrained")
    axes = drawn.add_subplot()
    for way, (name, colour, mark, line) in WAYS.items():
        own = [point for point in points if point["way"] == way]
        years, heights = [point["year"] for point in own], [point[value] for point in own]
        axes.plot(years, heights, color=colour, marker=mark, linestyle=line, linewidth=2, markersize=7, label=name)
    axes.set_xticks(sorted({int(point["year"]) for point in points}))
    axes.set_ylim(bottom=0)
    axes.set_ylabel(unit)
    axes.set_title(title, loc="left")
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=True, fontsize=9)
    write(drawn)


def main() -> None:
    """All figures."""
    from matplotlib import rc_context

    points = json.loads(NUMBERS.read_text("utf-8"))["points"]
    for value, (name, title, unit) in FIGURES.items():
        with rc_context({"svg.hashsalt": "caseveil", "svg.fonttype": "none"}):
            draw(
                points, value, title, unit,
                lambda figure, name=name: figure.savefig(OUT / name, format="svg", metadata={"Date": None}),
            )  # fmt: skip


if __name__ == "__main__":
    main()
