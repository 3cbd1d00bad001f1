"""A first guess at what a column holds, for the draft of a plan.

What is written into a plan becomes public, so no value may come from the rows. Values are written only as
a whole public vocabulary that the column turns out to use, and edges only as round numbers; everything else
is left for private discovery or for the steward.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from dataclasses import dataclass

from caseveil.records.identify import words
from caseveil.records.said import Said, say
from caseveil.schema.attribute import Binned, Category, Column, MultiChoice, Outside
from caseveil.standards.htcds import find_field
from caseveil.standards.places import countries, regions, subregions

MISSING_WORDS = (
    "",
    "Unknown",
    "unknown",
    "UNKNOWN",
    "Not known",
    "NA",
    "N/A",
    "n/a",
    "NULL",
    "null",
    "None",
    "-99",
    "?",
)
_MOSTLY = 0.95  # share of filled cells that a guess has to explain; the rest becomes missing and is counted
_MOST_VALUES = 400  # a column of more different values than this is not proposed for discovery
_AGE_EDGES = (0.0, 9.0, 18.0, 21.0, 24.0, 27.0, 30.0, 39.0, 48.0)
_SET_DELIMITERS = (";", "|")
_VOCABULARIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("a flag: 1 or blank", ("1",)),
    ("a flag: 0 or 1; if 0 only means not known, move it to missing", ("0", "1")),
    ("yes or no", ("Yes", "No")),
    ("yes or no", ("yes", "no")),
    ("yes or no", ("Y", "N")),
    ("true or false", ("true", "false")),
    ("true or false", ("True", "False")),
    ("true or false", ("TRUE", "FALSE")),
    ("gender", ("Female", "Male")),
    ("gender", ("female", "male")),
    ("gender", ("F", "M")),
    ("gender", ("Female", "Male", "Other")),
    ("gender", ("Woman", "Man", "Other")),
    ("gender", ("Female", "Male", "Transgender", "Non-binary", "Other")),
    ("gender", ("Female", "Male", "Transgender", "NonConforming", "Other")),
    ("adult or minor", ("Adult", "Minor")),
    ("adult or minor", ("Adult", "Child")),
)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A proposed column, why, and what the steward should confirm; column None: better left out, because of `unfit`."""

    column: Column | None
    comment: str
    unfit: Said | None = None


def _unfit(why: Said) -> Guess:
    return Guess(column=None, comment=str(why), unfit=why)


def missing_words(tally: Counter[str]) -> tuple[str, ...]:
    """The public words for 'not known' that the cells use; '' is always one."""
    return tuple(word for word in MISSING_WORDS if word == "" or word in tally)


def guess(name: str, tally: Counter[str]) -> Guess:
    """What a column holds, from its name and how often each stripped cell occurs."""
    missing = missing_words(tally)
    filled = Counter({cell: times for cell, times in tally.items() if cell not in missing})
    if not filled:
        return _unfit(say("reason.empty"))
    return (
        _vocabulary(name, filled, missing)
        or _set(name, filled, missing)
        or _numbers(name, filled, missing)
        or _dates(name, filled, missing)
        or _discovered(name, filled, missing)
    )


def _people(filled: Counter[str], values: frozenset[str]) -> int:
    """How many filled cells these values explain."""
    return sum(times for cell, times in filled.items() if cell in values)


def _public_vocabularies(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """Vocabularies that a column of this name could use: (what it is, all values), the closest first."""
    out: list[tuple[str, tuple[str, ...]]] = []
    field = find_field(name)
    if field is not None and field.values:
        out += [(f"HTCDS 2.0, {field.name}", field.values), (f"HTCDS 2.0, {field.name}", field.value_labels)]
    out += _VOCABULARIES
    out.append(("UN regions", regions()))
    out.append(("UN sub-regions", subregions()))
    out.append(("ISO 3166 two-letter codes", tuple(c.iso2 for c in countries())))
    out.append(("ISO 3166 three-letter codes", tuple(c.iso3 for c in countries())))
    out.append(
        (
            "ISO 3166 countries; regions instead of countries are counted far more exactly",
            tuple(sorted(c.name for c in countries())),
        )
    )
    return [(what, values) for what, values in out if len(set(values)) == len(values) and "" not in values]


def _closest(name: str, filled: Counter[str], delimiter: str | None) -> tuple[str, tuple[str, ...]] | None:
    """The vocabulary that explains most cells, the first of equals, if it explains nearly all."""
    usable = [
        (what, values)
        for what, values in _public_vocabularies(name)
        if delimiter is None or (len(values) > 1 and not any(delimiter in value for value in values))
    ]
    best = max(usable, key=lambda vocabulary: _people(filled, frozenset(vocabulary[1])))
    return best if _people(filled, frozenset(best[1])) >= _MOSTLY * sum(filled.values()) else None


def _but(missing: tuple[str, ...], values: tuple[str, ...]) -> tuple[str, ...]:
    """The missing words that are no value: 'NA' is Namibia in a column of two-letter codes."""
    return tuple(word for word in missing if word not in values)


def _vocabulary(name: str, filled: Counter[str], missing: tuple[str, ...]) -> Guess | None:
    found = _closest(name, filled, None)
    if found is None:
        return None
    what, values = found
    column = Category(name=name, values=values, missing=_but(missing, values), outside=Outside.MISSING)
    return Guess(column=column, comment=what)


def _set(name: str, filled: Counter[str], missing: tuple[str, ...]) -> Guess | None:
    for delimiter in _SET_DELIMITERS:
        joined = sum(times for cell, times in filled.items() if delimiter in cell)
        if joined < max(2, 0.01 * sum(filled.values())):
            continue
        items: Counter[str] = Counter()
        for cell, times in filled.items():
            for item in {part.strip() for part in cell.split(delimiter)} - set(missing):
                items[item] += times
        if not items or len(items) > _MOST_VALUES:
            continue
        found = _closest(name, items, delimiter)
        if found is None:
            column = MultiChoice(name=name, delimiter=delimiter, missing=missing)
            return Guess(column=column, comment="a set of several values in one cell, discovered privately")
        what, values = found
        column = MultiChoice(
            name=name, values=values, delimiter=delimiter, missing=_but(missing, values), outside=Outside.MISSING
        )
        return Guess(column=column, comment=f"a set; {what}")
    return None


def _numbers(name: str, filled: Counter[str], missing: tuple[str, ...]) -> Guess | None:
    numbers = {cell: float(cell) for cell in filled if _is_number(cell)}
    if _people(filled, frozenset(numbers)) < _MOSTLY * sum(filled.values()):
        return None
    low, high = min(numbers.values()), max(numbers.values())
    spoken = words(name)
    if low >= 1900 and high <= 2100 and all(number.is_integer() for number in numbers.values()):
        edges, what = _years(int(low), int(high)), "years"
    elif "age" in spoken and low >= 0 and high <= 130:
        edges, what = _AGE_EDGES, "ages in the bands that are usual for trafficking data"
    else:
        edges, what = _round_edges(low, high), "numbers"
    column = Binned(name=name, edges=edges, missing=missing, outside=Outside.MISSING)
    return Guess(column=column, comment=f"{what}; the edges are a proposal, choose your own without looking at rows")


def _is_number(cell: str) -> bool:
    if not cell.isascii() or not set(cell) <= set("+-.0123456789"):
        return False
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _years(low: int, high: int) -> tuple[float, ...]:
    """Single years over whole fives of years, or steps of five where that were too many."""
    start, end = low // 5 * 5, -(-high // 5) * 5
    step = 1 if end - start <= 40 else 5
    return tuple(float(year) for year in range(start, max(end, start + step) + 1, step))


def _round_edges(low: float, high: float) -> tuple[float, ...]:
    """1, 2, 5, 10, 20, ... up to the power of ten that covers the numbers; from 0, or mirrored below it."""
    reach = max(abs(low), abs(high), 1.0)
    top = math.ceil(math.log10(reach) - 1e-9)
    steps = [float(digit * 10**power) for power in range(max(top - 3, 0), max(top, 1)) for digit in (1, 2, 5)]
    return tuple([-step for step in reversed(steps)] + [0.0, *steps]) if low < 0 else (0.0, *steps)


def _dates(name: str, filled: Counter[str], missing: tuple[str, ...]) -> Guess | None:
    years = {cell: int(cell[:4]) for cell in filled if _is_date(cell)}
    if _people(filled, frozenset(years)) < _MOSTLY * sum(filled.values()):
        return None
    edges = tuple(datetime.date(int(year), 1, 1) for year in _years(min(years.values()), max(years.values())))
    column = Binned(name=name, edges=edges, missing=missing, outside=Outside.MISSING)
    return Guess(
        column=column, comment="dates by year; the edges are a proposal, choose your own without looking at rows"
    )


def _is_date(cell: str) -> bool:
    try:
        day = datetime.date.fromisoformat(cell[:10])
    except ValueError:
        return False
    return cell[4:5] == "-" and 1900 <= day.year <= 2100


def _discovered(name: str, filled: Counter[str], missing: tuple[str, ...]) -> Guess:
    if len(filled) > _MOST_VALUES:
        return _unfit(say("reason.many", most=_MOST_VALUES))
    return Guess(column=Category(name=name, missing=missing), comment="values are discovered privately")
