"""One column of a file as the steward sees it, and what could be made of it. Private: values and true counts."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from caseveil.records.guess import guess, missing_words
from caseveil.records.identify import words
from caseveil.records.said import Said, Words, say
from caseveil.schema.attribute import Binned, MultiChoice
from caseveil.schema.cells import date_of, day_of, number_of
from caseveil.schema.recipe import Group
from caseveil.standards.places import find_country
from caseveil.web.draft import column_draft
from caseveil.web.fields import Given
from caseveil.web.opening import remark

MOST_SHOWN = 200
AGE_EDGES = [0, 9, 18, 21, 24, 27, 30, 39, 48]
"""The bands that are usual for trafficking data."""

_MOSTLY = 0.8  # share of filled cells that a suggestion has to explain
_CHOOSE = say("chooseEdges")
_PRICED = say("discoveredDates")


def view(part: Given, raw: Mapping[str, Any], table: str) -> dict[str, Any]:
    """The contract's ColumnView of one column of a draft. raw: columns of the file."""
    cells = raw.get(part.text("from"))
    if cells is None:
        return {"values": [], "distinct": 0, "missing": 0, "smallest": "", "largest": "", "suggestions": []}
    tally = Counter(map(str.strip, cells))
    blank = {"", *(word.strip() for word in part.texts("missing"))}
    blank |= {old for old, new in part.pairs("recode").items() if not new}
    shown = _items(part, tally) if part.text("kind") == "multi" else tally
    filled = Counter({cell: times for cell, times in shown.items() if cell not in blank})
    smallest, largest = _ends(filled)
    return {
        "values": [{"value": cell, "people": times} for cell, times in filled.most_common(MOST_SHOWN)],
        "distinct": len(filled),
        "missing": sum(times for cell, times in tally.items() if cell in blank),
        "smallest": smallest,
        "largest": largest,
        "suggestions": suggestions(part, tally, table),
    }


def _items(part: Given, tally: Counter[str]) -> Counter[str]:
    delimiter = part.text("delimiter", ";") or ";"
    items: Counter[str] = Counter()
    for cell, times in tally.items():
        for item in {piece.strip() for piece in cell.split(delimiter)}:
            items[item] += times
    return items


def _ends(filled: Counter[str]) -> tuple[str, str]:
    """The least and the greatest cell, where nearly all are numbers or dates."""
    for order in (number_of, day_of):
        placed = {cell: place for cell in filled if (place := order(cell)) is not None}
        if placed and sum(filled[cell] for cell in placed) >= _MOSTLY * sum(filled.values()):
            return min(placed, key=lambda cell: placed[cell]), max(placed, key=lambda cell: placed[cell])
    return "", ""


def suggestions(part: Given, tally: Counter[str], table: str) -> list[dict[str, Any]]:
    """What could be done with a column, the likeliest first. Nothing that the column does already is suggested."""
    name = part.text("name")
    out: list[dict[str, Any]] = []

    def suggest(label: Said, change: dict[str, Any], level: str = "", message: Said | None = None) -> None:
        if any(part.data.get(key) != value for key, value in change.items()):
            told = remark(level, message, table, name) if message else None
            out.append({"label": str(label), "said": label.plain(), "change": change, "remark": told})

    missing = [*dict.fromkeys((*part.texts("missing"), *missing_words(tally)))]
    shown = _items(part, tally) if part.text("kind") == "multi" else tally
    filled = Counter({cell: times for cell, times in shown.items() if cell not in missing})
    new = [word for word in missing if word and word not in part.texts("missing")]
    if new and part.data.get("values") is None:
        suggest(say("offer.missing", words=Words(words=tuple(new))), {"missing": missing})
    _places(part, filled, suggest)
    _dates(filled, suggest)
    _numbers(name, filled, suggest)
    _vocabulary(part, tally, suggest)
    _commas(part, filled, suggest)
    _spellings(part, filled, suggest)
    return out


Suggest = Callable[..., None]


def _share(filled: Counter[str], fits: Callable[[str], object]) -> float:
    return sum(times for cell, times in filled.items() if fits(cell)) / max(1, sum(filled.values()))


def _places(part: Given, filled: Counter[str], suggest: Suggest) -> None:
    groups = {name for group in Group for name in group.names}
    named = Counter({cell: times for cell, times in filled.items() if cell not in groups})
    if not named or _share(filled, lambda cell: cell in named and find_country(cell) is not None) < _MOSTLY:
        return
    kind = {} if part.text("kind") == "multi" else {"kind": "category", "bins": None}
    for group, label in (
        (Group.UN_REGION, say("offer.regions")),
        (Group.UN_SUBREGION, say("offer.subregions")),
    ):
        suggest(
            label, {**kind, "group": group.value, "derive": None, "values": list(group.names), "outside": "missing"}
        )


def _dates(filled: Counter[str], suggest: Suggest) -> None:
    years = [found[0] for cell in filled if (found := date_of(cell)) is not None and len(cell) > 4]
    if not years or _share(filled, lambda cell: len(cell) > 4 and date_of(cell) is not None) < _MOSTLY:
        return
    low, high = min(years) // 5 * 5, -(-(max(years) + 1) // 5) * 5
    for step, label in ((1, say("offer.years")), (5, say("offer.fiveYears"))):
        if (high - low) / step > 60:
            continue
        edges = [datetime.date(year, 1, 1).isoformat() for year in range(max(low, 1), high + 1, step)]
        change = {"kind": "binned", "bins": edges, "values": None, "derive": None, "group": None, "outside": "missing"}
        suggest(label, change, "note", _CHOOSE)
    for part_of, label in (("quarter", say("offer.quarters")), ("month", say("offer.months"))):
        change = {"kind": "ordered", "derive": part_of, "values": None, "bins": None, "group": None}
        suggest(label, change, "price", _PRICED)


def _numbers(name: str, filled: Counter[str], suggest: Suggest) -> None:
    numbers = [number for cell in filled if (number := number_of(cell)) is not None]
    if len(numbers) < 3 or _share(filled, lambda cell: number_of(cell) is not None) < _MOSTLY:
        return
    low, high = min(numbers), max(numbers)
    common = {"kind": "binned", "values": None, "derive": None, "group": None, "outside": "missing"}
    if "age" in words(name) and low >= 0 and high <= 130:
        suggest(say("offer.ageBands"), {**common, "bins": AGE_EDGES})
        for step in (5, 10):
            suggest(say("offer.ages", step=step), {**common, "bins": list(range(0, 91, step))})
        return
    if low >= 1900 and high <= 2100 and all(number.is_integer() for number in numbers):
        start, end = int(low) // 5 * 5, -(-int(high + 1) // 5) * 5
        for step in (1, 5):
            if (end - start) / step <= 60:
                suggest(
                    say("offer.single" if step == 1 else "offer.fives"),
                    {**common, "bins": list(range(start, end + 1, step))},
                    "note",
                    _CHOOSE,
                )
        return
    for rough in ((high - low) / 20, (high - low) / 10):
        width = _nice(rough or 1.0)
        edges = [round(place * width, 10) for place in range(math.floor(low / width), math.floor(high / width) + 1)]
        whole = [int(edge) if float(edge).is_integer() else edge for edge in edges]
        suggest(say("offer.round", width=f"{width:g}"), {**common, "bins": whole}, "note", _CHOOSE)


def _nice(rough: float) -> float:
    """The smallest of ..., 1, 2, 5, 10, 20, ... that is not below a number above 0."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= 0.999 * rough)


def _vocabulary(part: Given, tally: Counter[str], suggest: Suggest) -> None:
    """A public list of values that the column turns out to use, or several values in one cell."""
    found = guess(part.text("from"), tally)
    column = found.column
    if column is None or isinstance(column, Binned):
        return
    made = column_draft(column)
    if isinstance(column, MultiChoice):
        change = {key: made[key] for key in ("kind", "delimiter", "at_most", "missing", "values", "outside", "bins")}
        if part.text("kind") == "multi" and column.values is None:
            return
        sign, values = column.delimiter, column.values
        several = say("offer.several", sign=sign) if values is None else None
        suggest(several or say("offer.severalOf", sign=sign, words=Words(words=values or ())), change)
    elif column.values is not None and part.text("kind") in ("category", "ordered") and part.data.get("group") is None:
        declared = {*(part.maybe_texts("values") or ()), *part.texts("missing"), ""}
        if part.data.get("values") is not None and declared >= tally.keys():
            return
        change = {key: made[key] for key in ("missing", "values", "outside", "bins")}
        suggest(say("offer.list", words=Words(words=column.values)), {"kind": part.text("kind"), **change})


def _commas(part: Given, filled: Counter[str], suggest: Suggest) -> None:
    if part.text("kind") == "multi" or _share(filled, lambda cell: "," in cell) < 0.1 or part.data.get("values"):
        return
    items = {item.strip() for cell in filled for item in cell.split(",")}
    if 2 <= len(items) <= min(100, len(filled)) and all(len(item) < 60 for item in items):
        change = {"kind": "multi", "delimiter": ",", "at_most": 5, "values": None, "bins": None}
        suggest(say("offer.commas"), change)


def _spellings(part: Given, filled: Counter[str], suggest: Suggest) -> None:
    """Cells that differ by capitals or blanks only become the commonest of them."""
    by_plain: dict[str, list[str]] = {}
    for cell, _ in filled.most_common():
        by_plain.setdefault(" ".join(cell.casefold().split()), []).append(cell)
    folded = {cell: same[0] for same in by_plain.values() for cell in same[1:]}
    recode = {**folded, **part.pairs("recode")}
    if folded and len(folded) <= 50 and len(by_plain) <= 400:
        suggest(
            say("offer.spellings", count=len(folded)),
            {"recode": recode},
            "private",
            say("foldedCells"),
        )
