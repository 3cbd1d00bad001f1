"""The forecast for people: a table, bars for a terminal, and a figure.

Everything shown follows from public sizes, so all of it may be shared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from caseveil.errors import OutputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

_SHADES = ("#9ec9e2", "#5a9fc9", "#2b6da3", "#12406f", "#07203b")
"""Light to dark for rising epsilon; one hue, so that it reads in grey and for the colour-blind."""

_INK, _FAINT = "#222222", "#dddddd"


class Row(Protocol):
    """Expected error of the counts of one length at one epsilon; errors are in people."""

    @property
    def epsilon(self) -> float:
        """The epsilon of the release."""
        ...

    @property
    def length(self) -> int:
        """How many values are combined."""
        ...

    @property
    def cells(self) -> int:
        """How many counts of this length there are."""
        ...

    @property
    def half_width(self) -> float:
        """Half the width of the 95% interval."""
        ...

    @property
    def expected_error(self) -> float:
        """Mean distance between a published count and the truth."""
        ...

    @property
    def relative(self) -> float:
        """The expected error over the average count."""
        ...


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: Sequence[Row]) -> Table:
    """One line per length and epsilon."""
    from rich.table import Table as RichTable

    shown = RichTable(title="Expected error of a published count, in people", title_justify="left")
    for heading in ("length", "epsilon", "counts", "typical error", "95% interval", "typical error / average count"):
        shown.add_column(heading, justify="right")
    lengths = sorted({row.length for row in rows})
    for length in lengths:
        for row in sorted((row for row in rows if row.length == length), key=lambda row: row.epsilon):
            shown.add_row(
                str(row.length),
                f"{row.epsilon:g}",
                f"{row.cells:,}",
                _number(row.expected_error),
                f"+/- {_number(row.half_width)}",
                f"{row.relative:.2g}",
            )
        if length != lengths[-1]:
            shown.add_section()
    return shown


def bars(rows: Sequence[Row], *, ascii_only: bool = False, width: int = 40) -> str:
    """Typical error as bars of text, one block per length."""
    most = max(row.expected_error for row in rows)
    mark = "#" if ascii_only else "█"
    lines = []
    for length in sorted({row.length for row in rows}):
        lines.append(f"combinations of {length}" if length > 1 else "single values")
        for row in sorted((row for row in rows if row.length == length), key=lambda row: row.epsilon):
            bar = mark * max(1, round(width * row.expected_error / most)) if most > 0 else ""
            lines.append(f"  epsilon {row.epsilon:<6g} {bar} {_number(row.expected_error)}")
    return "\n".join(lines)


def figure(rows: Sequence[Row], *, n: int, subject: str) -> Figure:
    """Grouped bars of the typical error: one group per length, one shade per epsilon.

    n is the guessed number of units; subject names the plan in the heading.
    """
    from matplotlib.figure import Figure

    lengths = sorted({row.length for row in rows})
    epsilons = sorted({row.epsilon for row in rows})
    errors = {(row.length, row.epsilon): row.expected_error for row in rows}
    drawn = Figure(figsize=(max(6.4, 0.55 * len(errors) + 2), 4.4), layout="constrained")
    axes = drawn.add_subplot()
    width = 0.8 / len(epsilons)
    for place, epsilon in enumerate(epsilons):
        at = [x + (place - (len(epsilons) - 1) / 2) * width for x in range(len(lengths))]
        heights = [errors.get((length, epsilon), float("nan")) for length in lengths]
        bar = axes.bar(at, heights, 0.92 * width, color=_shade(place, len(epsilons)), label=f"epsilon {epsilon:g}")
        texts = ["" if math.isnan(height) else _number(height) for height in heights]
        axes.bar_label(bar, texts, padding=2, fontsize=8, color=_INK, bbox={"fc": "white", "ec": "none", "pad": 0.5})
    axes.set_xticks(range(len(lengths)), ["single values" if k == 1 else f"combinations of {k}" for k in lengths])
    axes.set_ylabel("typical error of a count (people)")
    axes.set_ylim(0, 1.08 * max(errors.values()))
    axes.tick_params(length=0)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    keys = min(5, len(epsilons))
    key_lines = -(-len(epsilons) // keys)
    above = 18 * key_lines + 6
    axes.set_title("How far a published count will be from the truth", loc="left", pad=above + 22, color=_INK)
    axes.annotate(
        f"{subject}, about {n:,} people; from public sizes alone",
        (0, 1),
        (0, above + 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        color="#555555",
        parse_math=False,
    )
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.3, borderpad=0, frameon=False, ncols=keys, fontsize=9
    )
    return drawn


def _shade(place: int, of: int) -> str:
    return _SHADES[2] if of == 1 else _SHADES[round(place * (len(_SHADES) - 1) / (of - 1))]


def save_figure(rows: Sequence[Row], path: Path, *, n: int, subject: str) -> None:
    """Write the figure as SVG or PNG, by the ending of the path. Raises OutputError."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("svg", "png"):
        raise OutputError(f"figure ({path.name}) must end in .svg or .png")
    from matplotlib import rc_context

    try:
        # The same numbers give the same bytes: no date, fixed ids. Letters stay text, so that they can be searched.
        with rc_context({"svg.hashsalt": "caseveil", "svg.fonttype": "none"}):
            metadata = {"Date": None} if kind == "svg" else None
            figure(rows, n=n, subject=subject).savefig(path, format=kind, dpi=160, metadata=metadata)
    except OSError as error:
        raise OutputError(f"figure ({path.name}) cannot be written: {error.strerror or 'input/output error'}") from None
