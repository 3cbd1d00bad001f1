"""What the releases of a ledger have spent, one after the other, as a figure. Nothing in it is about single people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from caseveil.errors import OutputError, PlanError
from caseveil.privacy.ledger_views import Step, steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from caseveil.privacy.ledger import Entry
    from caseveil.privacy.loss import EpsilonDelta

_INK, _FAINT, _BEFORE, _ADDED, _LIMIT = "#222222", "#dddddd", "#9ec9e2", "#2b6da3", "#b2462b"
_SHOWN = 24
"""Releases that fit side by side; of a longer ledger the last ones are drawn."""


def draw(entries: Sequence[Entry], *, delta: float, budget: EpsilonDelta | None) -> Figure:
    """A bar for each release: epsilon of all up to it, the part that it added being darker, and the budget as a line.

    Releases stand in the order of the books, not on an axis of time, as clocks may go back. Raises PlanError for a
    ledger without entries, or when discoveries of values took all of delta.
    """
    from matplotlib.figure import Figure

    done = steps(entries)
    if not done:
        raise PlanError("a figure needs a ledger with a charge, and this one has none yet")
    heights = [step.so_far.epsilon(delta) for step in done]
    if not all(map(math.isfinite, heights)):
        raise PlanError(
            f"a figure needs a larger --delta than {delta:.3g}: discoveries of values took {done[-1].so_far.delta:.3g}"
        )
    before = [0.0, *heights[:-1]][-_SHOWN:]
    done, heights = done[-_SHOWN:], heights[-_SHOWN:]
    drawn = Figure(figsize=(max(6.4, 0.62 * len(done) + 2.4), 4.6), layout="constrained")
    axes = drawn.add_subplot()
    places = range(len(done))
    axes.bar(places, before, 0.7, color=_BEFORE, label="spent before")
    bars = axes.bar(
        places, [h - b for h, b in zip(heights, before, strict=True)], 0.7, before, color=_ADDED, label="added"
    )
    axes.bar_label(bars, [f"{height:.3g}" for height in heights], padding=2, fontsize=8, color=_INK)
    if budget is not None:
        axes.axhline(budget.epsilon, color=_LIMIT, linewidth=1.4, linestyle=(0, (5, 2)), label="budget")
    axes.set_xticks(places, [_tick(step) for step in done], fontsize=8, parse_math=False)
    if len(done) > 4:
        for tick in axes.get_xticklabels():
            tick.set(rotation=35, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.6, max(len(done), 4) - 0.4)
    top = max(*heights, budget.epsilon if budget is not None else 0.0)
    axes.set_ylim(0, 1.12 * top if top > 0 else 1.0)
    axes.set_ylabel(f"epsilon at delta {delta:.3g}")
    axes.tick_params(length=0)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title("Spent on the same people, release by release", loc="left", pad=28, color=_INK)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderpad=0, frameon=False, ncols=3, fontsize=9)
    return drawn


def _tick(step: Step) -> str:
    name = f"{step.release} {step.version}" if step.release else "(interrupted)"
    return f"{name if len(name) <= 28 else name[:27] + '…'}\n{step.time[:10]}"


def save(entries: Sequence[Entry], path: Path, *, delta: float, budget: EpsilonDelta | None) -> None:
    """Write the figure as SVG or PNG, by the ending of the path. Raises OutputError."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("svg", "png"):
        raise OutputError(f"figure ({path.name}) must end in .svg or .png")
    from matplotlib import rc_context

    try:
        # The same numbers give the same bytes: no date, fixed ids. Letters stay text, so that they can be searched.
        with rc_context({"svg.hashsalt": "caseveil", "svg.fonttype": "none"}):
            metadata = {"Date": None} if kind == "svg" else None
            draw(entries, delta=delta, budget=budget).savefig(path, format=kind, dpi=160, metadata=metadata)
    except OSError as error:
        raise OutputError(f"figure ({path.name}) cannot be written: {error.strerror or 'input/output error'}") from None
