"""Figures of an evaluation. Private, like the numbers in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caseveil.errors import OutputError
from caseveil.evaluation.attack_report import FOUND, SHORT, Headline, headlines
from caseveil.evaluation.attacks import Attacks
from caseveil.evaluation.link_utility import LinkUtility
from caseveil.evaluation.report import Evaluation, band_text, kind_of
from caseveil.evaluation.utility import BANDS, TableUtility

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHADES = ("#9ec9e2", "#5a9fc9", "#2b6da3", "#12406f")
"""Light to dark for longer combinations; one hue, so that it reads in grey and for the colour-blind."""

_TRUE, _SYNTHETIC, _CHANCE = "#222222", "#2b6da3", "#c9c9c9"
_FOUND = "#b5361c"
_FAINT = "#dddddd"


def save_figures(evaluation: Evaluation, folder: Path) -> list[tuple[str, str]]:
    """Writes the figures as SVG; (file name, caption) of each. Raises OutputError."""
    from matplotlib import rc_context

    drawn: list[tuple[str, str, Figure]] = []
    for position, table in enumerate(evaluation.tables, start=1):
        if any(one.bands for one in table.lengths):
            caption = f"Mean error and lost combinations of {table.table}, by how many people truly share them"
            drawn.append((f"errors-{position}.svg", caption, errors(table)))
    if evaluation.links is not None:
        caption = "Share of victims by number of perpetrators, true and synthetic"
        drawn.append(("number.svg", caption, numbers(evaluation.links)))
        if any(one.true is not None for one in evaluation.links.concordance):
            caption = "How often two perpetrators of one victim are alike: true, synthetic and by chance"
            drawn.append(("alike.svg", caption, concordances(evaluation.links)))
    if evaluation.attacks is not None and any(one.result.excess for one in headlines(evaluation.attacks)):
        caption = "How much more often attacks worked on people in the release than in the control, with 95% intervals"
        drawn.append(("attacks.svg", caption, risks(evaluation.attacks)))
    try:
        # The same numbers give the same bytes: no date, fixed ids. Letters stay text, so that they can be searched.
        with rc_context({"svg.hashsalt": "caseveil", "svg.fonttype": "none"}):
            for name, _, figure in drawn:
                figure.savefig(folder / name, format="svg", metadata={"Date": None})
    except OSError as error:
        raise OutputError(f"figures cannot be written: {error.strerror or 'input/output error'}") from None
    return [(name, caption) for name, caption, _ in drawn]


def _plain(axes: Axes, grid: str) -> None:
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.tick_params(length=0, pad=7)
    axes.grid(axis="y" if grid == "y" else "x", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)


def errors(table: TableUtility) -> Figure:
    """Mean error and share lost against the band of the true count, a line for each length."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    bands = [band_text(least, most) for least, most in BANDS]
    for shade, one in zip(_SHADES, table.lengths, strict=False):
        at = [bands.index(band_text(band.least, band.most)) for band in one.bands]
        label = kind_of(one.length)
        left.plot(at, [band.mean_error for band in one.bands], "o-", color=shade, label=label, clip_on=False)
        right.plot(at, [100 * band.lost for band in one.bands], "o-", color=shade, label=label, clip_on=False)
    for axes, title, least in ((left, "Mean error of a count", 10.0), (right, "Lost combinations (%)", 1.0)):
        axes.set_title(title, loc="left", fontsize=10, color=_TRUE)
        axes.set_xticks(range(len(bands)), bands)
        axes.set_xlim(-0.3, len(bands) - 0.7)
        axes.set_xlabel("people who truly share the combination")
        axes.set_ylim(0, max(least, 1.08 * axes.get_ylim()[1]))
        _plain(axes, "y")
    left.legend(frameon=False, fontsize=8)
    return figure


def numbers(links: LinkUtility) -> Figure:
    """Victims by number of perpetrators, true beside synthetic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    places = range(len(links.number.true))
    axes.bar([at - 0.2 for at in places], [100 * x for x in links.number.true], 0.38, color=_TRUE, label="true")
    axes.bar(
        [at + 0.2 for at in places], [100 * x for x in links.number.synthetic], 0.38, color=_SYNTHETIC,
        label="synthetic",
    )  # fmt: skip
    axes.set_xticks(list(places), [*(str(at) for at in places)])
    axes.set_xlabel("perpetrators of a victim, up to the cap")
    axes.set_title("Victims (%)", loc="left", fontsize=10, color=_TRUE)
    axes.legend(frameon=False, fontsize=8)
    _plain(axes, "y")
    return figure


def concordances(links: LinkUtility) -> Figure:
    """A line for each attribute: chance, synthetic and true."""
    from matplotlib.figure import Figure

    shown = [one for one in links.concordance if one.true is not None][::-1]
    figure = Figure(figsize=(7.0, 1.3 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for series, fill, line, mark, size, label in (
        ([one.independent for one in shown], _CHANCE, _CHANCE, "s", 28, "by chance"),
        ([one.true for one in shown], "none", _TRUE, "o", 80, "true"),
        ([one.synthetic for one in shown], _SYNTHETIC, _SYNTHETIC, "D", 22, "synthetic"),
    ):
        known = [(100 * value, at) for at, value in enumerate(series) if value is not None]
        xs, ys = [x for x, _ in known], [y for _, y in known]
        axes.scatter(xs, ys, s=size, facecolors=fill, edgecolors=line, marker=mark, label=label)
    axes.set_yticks(range(len(shown)), [one.attribute for one in shown], parse_math=False)
    axes.set_xlim(-2, 102)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlabel("two perpetrators of one victim alike (%)")
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    _plain(axes, "x")
    return figure


def risks(attacks: Attacks) -> Figure:
    """A line with its interval for each attack on each table; those that could not be made are named in grey."""
    from matplotlib.figure import Figure

    shown = headlines(attacks)[::-1]
    figure = Figure(figsize=(8.6, 1.3 + 0.34 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for found, colour, mark, label in ((False, _SYNTHETIC, "o", "not found"), (True, _FOUND, "D", "found")):
        # A finding in one column is told beside the figure, which shows the attack as a whole.
        here = [(at, one) for at, one in enumerate(shown) if one.result.excess and (one.verdict == FOUND) is found]
        _intervals(axes, here, colour, mark, label)
    for at, one in enumerate(shown):
        if one.result.excess is None:
            axes.text(0.0, at, " unknown", color="#777777", va="center", fontsize=8)
    axes.axvline(0, color=_TRUE, linewidth=0.8)
    axes.set_yticks(
        range(len(shown)), [f"{one.result.table}: {SHORT[one.result.attack]}" for one in shown], parse_math=False
    )
    axes.set_xlim(-4, 102)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlabel("risk (%), 0: no more than the control")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    _plain(axes, "x")
    return figure


def _intervals(axes: Axes, shown: list[tuple[int, Headline]], colour: str, mark: str, label: str) -> None:
    for at, one in shown:
        assert one.result.excess is not None
        lower, value, upper = (
            100 * max(0.0, x) for x in (one.result.excess.lower, one.result.excess.value, one.result.excess.upper)
        )
        axes.plot([lower, upper], [at, at], "-", color=colour, linewidth=2.4, solid_capstyle="butt")
        axes.plot([value], [at], mark, color=colour, markersize=6, label=label if (at, one) == shown[0] else None)
