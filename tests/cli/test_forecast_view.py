"""Tables, bars and figures of a forecast hold the numbers that they were given."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from caseveil import forecast_view
from caseveil.errors import OutputError, PlanError
from caseveil.forecast_sizes import domain_of, parse_epsilons, parse_sizes
from caseveil.schema.attribute import Binned, Category, MultiChoice
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    epsilon: float
    length: int
    cells: int
    half_width: float
    expected_error: float
    relative: float


ROWS = [
    Row(epsilon=epsilon, length=length, cells=1500, half_width=1234.5, expected_error=error / epsilon, relative=0.5)
    for epsilon in (4.0, 1.0)
    for length, error in ((1, 40.0), (2, 10.0))
]


def test_the_table_is_sorted_and_complete() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(forecast_view.table(ROWS))
    assert isinstance(console.file, io.StringIO)
    lines = [re.findall(r"[\d.,]+", line) for line in console.file.getvalue().splitlines()]
    assert [line for line in lines if len(line) == 6] == [
        ["1", "1", "1,500", "40", "1,234", "0.5"],
        ["1", "4", "1,500", "10", "1,234", "0.5"],
        ["2", "1", "1,500", "10", "1,234", "0.5"],
        ["2", "4", "1,500", "2.5", "1,234", "0.5"],
    ]


def test_bars_are_as_long_as_their_errors() -> None:
    bars = forecast_view.bars(ROWS, ascii_only=True, width=40)
    assert [line.count("#") for line in bars.splitlines()] == [0, 40, 10, 0, 10, 2]
    assert bars.isascii()
    assert "█" * 40 in forecast_view.bars(ROWS, width=40)


def test_figure_bars_stand_over_their_own_labels() -> None:
    drawn = forecast_view.figure(ROWS, n=17_000, subject="Cost $5 or $6_")
    (axes,) = drawn.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["single values", "combinations of 2"]
    heights = {
        (round(bar.get_x() + bar.get_width() / 2), container.get_label()): bar.get_height()
        for container in axes.containers
        for bar in getattr(container, "patches", [])
    }
    assert heights == {(0, "epsilon 1"): 40.0, (0, "epsilon 4"): 10.0, (1, "epsilon 1"): 10.0, (1, "epsilon 4"): 2.5}


@pytest.mark.parametrize("kind", ["svg", "png", "SVG"])
def test_figures_repeat_byte_for_byte(tmp_path: Path, kind: str) -> None:
    paths = [tmp_path / f"{name}.{kind}" for name in "ab"]
    for path in paths:
        forecast_view.save_figure(ROWS, path, n=17_000, subject="Cost $5 or $6_")
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert len(first) > 5_000
    if kind == "svg":
        assert b"Cost $5 or $6_, about 17,000 people" in first


def test_a_figure_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    for path in (tmp_path / "x.gif", tmp_path / "no" / "x.svg"):
        with pytest.raises(OutputError, match=r"figure \(x\."):
            forecast_view.save_figure(ROWS, path, n=10, subject="s")


def test_sizes_stand_in_for_undeclared_values() -> None:
    table = Table(
        name="t",
        columns=(
            Category(name="a", values=("x", "y")),
            Category(name="b"),
            MultiChoice(name="c"),
            Binned(name="d", edges=(0.0, 1.0)),
        ),
    )
    domain, assumed = domain_of(table, parse_sizes(["c=2"], [c.name for c in table.undeclared]))
    assert domain.sizes == (3, 11, 2, 2, 3)
    assert assumed == {"b": 10}
    with pytest.raises(PlanError, match="did you mean"):
        parse_sizes(["bb=3"], [c.name for c in table.undeclared])


def test_epsilons_are_sorted_and_single() -> None:
    assert parse_epsilons(None, 3.0) == (0.5, 1.0, 2.0, 3.0, 4.0)
    assert parse_epsilons("2,1,2", 3.0) == (1.0, 2.0)
