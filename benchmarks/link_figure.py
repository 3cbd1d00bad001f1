"""A figure of the error of link counts, written as SVG by hand: equal results give equal bytes everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.averages import Run, mean, number
from benchmarks.link_contenders import CAP_AND_COUNT, CASEVEIL
from benchmarks.link_report import DEALT, Runs, best

SCORE = "cross_mae"
WIDTH, LEFT, RIGHT = 760, 170, 40
ROW, HEAD, FOOT = 34, 64, 44

_INK, _GRID, _PAPER = "#222222", "#dddddd", "#ffffff"
_METHODS = ((CASEVEIL, "#0072b2"), (f"{CAP_AND_COUNT}, best plan", "#d55e00"), (DEALT, "#767676"))


def _values(here: Mapping[str, Sequence[Run]]) -> list[float | None]:
    """The score of every method of the figure, in its order."""
    own = [mean(here[name]).get(SCORE) if name in here else None for name in (CASEVEIL, DEALT)]
    return [own[0], best(here, CAP_AND_COUNT, SCORE), own[1]]


def _text(x: float, y: float, words: str, *, anchor: str = "start", fill: str = _INK, size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="{size}">{escape(words)}</text>'
    )


def _mark(method: int, x: float, y: float) -> str:
    """A circle, a square or a diamond: the methods differ without colour too."""
    colour = _METHODS[method][1]
    if method == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>'
    turn = "" if method == 1 else f' transform="rotate(45 {x:.1f} {y:.1f})"'
    return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}"{turn}/>'


NEAR = 30.0
"""Marks closer than this would have their numbers on one another."""


def _numbers(found: Sequence[tuple[int, float, float]], y: float) -> list[str]:
    """The numbers of the marks of a row, above each. found: method, place and value.

    Of marks that stand close, the first has its number to the left, the last to the right, one between them below.
    """
    out = []
    order = sorted(found, key=lambda mark: mark[1])
    for i, (method, x, value) in enumerate(order):
        after = i > 0 and x - order[i - 1][1] < NEAR
        before = i + 1 < len(order) and order[i + 1][1] - x < NEAR
        anchor = "middle" if after == before else "start" if after else "end"
        below = after and before
        out.append(
            _text(x, y + 17 if below else y - 9, number(value), anchor=anchor, fill=_METHODS[method][1], size=11)
        )
    return out


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from the last at or below low to the first at or above high."""
    every = [m * 10.0**e for e in range(-3, 7) for m in (1, 2, 5)]
    first = max(i for i, tick in enumerate(every) if tick <= low)
    last = min(i for i, tick in enumerate(every) if tick >= high)
    return every[first : max(last, first + 1) + 1]


def draw(places: Runs) -> str:
    """One row per set and epsilon, one mark per method, on a logarithmic axis of links. Places without any are left."""
    rows = [(place, _values(here)) for place, here in sorted(places.items())]
    rows = [(place, values) for place, values in rows if any(value is not None for value in values)]
    found = [value for _, values in rows for value in values if value is not None]
    ticks = _ticks(max(min(found, default=10.0), 0.01), max(max(found, default=100.0), 0.02))
    span = math.log(ticks[-1] / ticks[0])

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(max(value, ticks[0]) / ticks[0]) / span

    bottom = HEAD + ROW * len(rows)
    height = bottom + FOOT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="sans-serif"><title>Error of link counts by method, set and epsilon</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="{_PAPER}"/>',
        _text(16, 22, "Mean absolute error of victim-by-perpetrator link counts (less is better)", size=15),
    ]
    place_of_key = 16.0
    for method, (name, _) in enumerate(_METHODS):
        out += [_mark(method, place_of_key + 6, 43), _text(place_of_key + 18, 47.5, name)]
        place_of_key += 44 + 7.2 * len(name)
    for tick in ticks:
        x = across(tick)
        out.append(f'<line x1="{x:.1f}" y1="{HEAD}" x2="{x:.1f}" y2="{bottom}" stroke="{_GRID}"/>')
        out.append(_text(x, bottom + 18, f"{tick:g}", anchor="middle", size=12))
    out.append(_text(across(ticks[-1]), bottom + 36, "links, logarithmic", anchor="end", size=12))
    for row, ((name, epsilon), values) in enumerate(rows):
        y = HEAD + ROW * (row + 0.62)
        out.append(_text(LEFT - 12, y + 4.5, f"{name}, epsilon {epsilon:g}", anchor="end"))
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{_GRID}"/>')
        marks = [(method, across(value), value) for method, value in enumerate(values) if value is not None]
        out += [_mark(method, x, y) for method, x, _ in marks]
        out += _numbers(marks, y)
    return "\n".join([*out, "</svg>"]) + "\n"
