"""The linked page under a selection of people: each number held against all published counts and linked records."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from caseveil.release.bundle import BundleContents
from caseveil.release.flattened import owners
from caseveil.release.spread import link_spreads, spread
from caseveil.synthesis.linked_counts import ANY, LINKS, VICTIMS
from tests.browser.conftest import Open
from tests.browser.invented_page import OTHERS, PEOPLE, REGIONS, YEARS, values_of

Expected = tuple[str, int, int, int]
Chosen = Mapping[str, Sequence[str]]


class Oracle:
    """What a mark must show, by looking at every published count and every linked record."""

    def __init__(self, contents: BundleContents) -> None:
        people, others = contents.tables["victims"], contents.tables["perpetrators"]
        assert contents.links is not None
        assert people.key is not None
        assert others.key is not None
        self.people = [set(row) for row in values_of(PEOPLE, people.records)]
        owner = owners(people.key.cells, others.key.cells)
        self.links: list[list[set[tuple[str, str]]]] = [[] for _ in self.people]
        for person, row in zip(owner.tolist(), values_of(OTHERS, others.records), strict=True):
            self.links[person].append(set(row))
        counts = contents.links.counts
        self.published = {
            (of, frozenset(json.loads(text).items())): (int(n), int(low), int(high))
            for of, text, n, low, high in zip(
                counts.of, counts.combination, counts.count, counts.lower, counts.upper, strict=True
            )
        }
        self.bands = link_spreads(counts, people.rows, owner)

    def passes(self, row: set[tuple[str, str]], chosen: Chosen) -> bool:
        def has(column: str, values: Sequence[str]) -> bool:
            blank = "" in values and not any(name == column for name, _ in row)
            return blank or any((column, value) in row for value in values)

        return all(has(*part) for part in chosen.items())

    def expect(
        self, of: str, chosen: Chosen, asked: tuple[str, str], tally: Callable[[int], int], mark: tuple[str, str] | None
    ) -> Expected:
        """tally: what one record of people adds. mark: the value of people that the cell stands for."""
        narrowed = {**chosen, **({mark[0]: [mark[1]]} if mark else {})}
        if mark and mark[0] in chosen:  # both must hold; for a set they may be different values
            assert mark[1] in chosen[mark[0]]
        if len(narrowed) == 1:
            ((column, values),) = narrowed.items()
            found = [self.published.get((of, frozenset({asked, (f"victims.{column}", one)}))) for one in values]
            if "" not in values and all(found):
                count, lower, upper = (sum(one[i] for one in found if one) for i in range(3))
                return "published count", count, lower, upper
        count = sum(tally(i) for i, row in enumerate(self.people) if self.passes(row, narrowed))
        half = float(self.bands[of].at(np.array([count], dtype=np.int64))[0])
        return "estimated from records", count, max(0, math.floor(count - half)), math.ceil(count + half)


def rows_of(figure: Any) -> list[list[str]]:
    found: list[list[str]] = figure.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return found


def told(cells: Sequence[str]) -> Expected | tuple[str, int]:
    count, lower, upper, source = cells
    number = lambda text: int(re.sub(r"[^\d]", "", text))  # noqa: E731
    if count == "too few to tell":
        return source, number(upper)
    return source, number(count), number(lower), number(upper)


def wanted(expected: Expected) -> Expected | tuple[str, int]:
    source, count, lower, upper = expected
    return (source, upper) if lower <= 0 or count < (upper - lower) / 2 else expected


SELECTIONS = [
    ("gender=Female", {"gender": ["Female"]}),
    ("gender=Female|Other", {"gender": ["Female", "Other"]}),
    ("gender=Female&age=9--17|18--29", {"gender": ["Female"], "age": ["9--17", "18--29"]}),
    ("year=2015|", {"year": ["2015", ""]}),
    ("citizenship_region=Africa", {"citizenship_region": ["Africa"]}),
]


@pytest.mark.parametrize(("view", "chosen"), SELECTIONS)
def test_every_number_is_that_of_the_people_selected(
    invented: BundleContents, open_page: Open, view: str, chosen: dict[str, list[str]]
) -> None:
    oracle = Oracle(invented)
    page = open_page(f"page=linked&t=victims&{view}&linked.row=citizenship_region&linked.column=relation_to_victim")
    assert "Only victims with" in page.inner_text(".narrowed")
    figures = page.locator(".linked-figure")
    assert figures.count() == 7
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    sources = set()
    matrix = rows_of(figures.nth(0))
    regions = chosen.get("citizenship_region", REGIONS)
    assert len(matrix) == len(regions) * 3
    for region, relation, *cells in matrix:
        assert region in regions
        asked = ("perpetrators.relation_to_victim", relation)
        pair = ("relation_to_victim", relation)
        count = lambda i, pair=pair: sum(pair in link for link in oracle.links[i])  # noqa: E731
        expected = oracle.expect(LINKS, chosen, asked, count, ("citizenship_region", region))
        assert told(cells) == wanted(expected), (region, relation, cells, expected)
        sources.add(expected[0])
    bars = rows_of(figures.nth(1))
    assert sorted(bar[0] for bar in bars) == ["Employer", "Family", "Stranger"]
    for relation, *cells in bars:
        pair = ("relation_to_victim", relation)
        count = lambda i, pair=pair: int(any(pair in link for link in oracle.links[i]))  # noqa: E731
        expected = oracle.expect(ANY, chosen, (f"perpetrators.{pair[0]}", relation), count, None)
        assert told(cells) == wanted(expected), (relation, cells, expected)
    numbers = rows_of(figures.nth(2))
    assert [bar[0] for bar in numbers] == ["0", "1", "2 or more"]
    for value, (_, *cells) in enumerate(numbers):
        count = lambda i, value=value: int(len(oracle.links[i]) == value)  # noqa: E731
        expected = oracle.expect(VICTIMS, chosen, ("number of perpetrators", str(value)), count, None)
        assert told(cells) == wanted(expected), (value, cells, expected)
    years = rows_of(figures.nth(3))
    assert len(years) == 3 * (1 if "year" in chosen else len(YEARS))
    for year, relation, *cells in years:
        pair = ("relation_to_victim", relation)
        count = lambda i, pair=pair: sum(pair in link for link in oracle.links[i])  # noqa: E731
        expected = oracle.expect(LINKS, chosen, (f"perpetrators.{pair[0]}", relation), count, ("year", year))
        assert told(cells) == wanted(expected), (year, relation, cells, expected)
    roles = rows_of(figures.nth(4))
    assert sorted(bar[0] for bar in roles) == ["Exploiter", "Recruiter"]
    for role, *cells in roles:
        count = lambda i, role=role: int(any(("role", role) in link for link in oracle.links[i]))  # noqa: E731
        expected = oracle.expect(ANY, chosen, ("perpetrators.role", role), count, None)
        assert told(cells) == wanted(expected), (role, cells, expected)
    assert sources == ({"published count"} if set(chosen) == {"citizenship_region"} else {"estimated from records"})


def test_flows_and_map_are_those_of_the_people_selected(invented: BundleContents, open_page: Open) -> None:
    """No published combination is as long as a pair of regions beside a gender: all of these are counted in records."""
    page = open_page("page=linked&t=victims&gender=Female&exploitation_region=Asia|Europe")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    people = invented.tables["victims"]
    band = spread(people.counts, people.rows)
    rows = [set(row) for row in values_of(PEOPLE, people.records)]
    shown = rows_of(page.locator(".linked-figure").nth(5))
    assert {(row[0], row[1]) for row in shown} == {(a, b) for a in REGIONS for b in ("Asia", "Europe")}
    for origin, destination, *cells in shown:
        asked = {("gender", "Female"), ("citizenship_region", origin), ("exploitation_region", destination)}
        count = sum(asked <= row for row in rows)
        half = float(band.at(np.array([count], dtype=np.int64))[0])
        expected = ("estimated from records", count, max(0, math.floor(count - half)), math.ceil(count + half))
        assert told(cells) == wanted(expected), (origin, destination)


def test_a_selection_travels_between_the_pages(open_page: Open) -> None:
    page = open_page("t=victims&gender=Female")
    page.get_by_role("link", name="Linked records").click()
    assert page.inner_text(".narrowed") == "Only victims with Gender: Female are counted."
    figure = page.locator(".linked-figure").first
    picked = figure.locator(".linked-mark").first
    picked.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".board")
    assert re.match(r"#t=victims&gender=Female&\w+=.+", page.evaluate("location.hash"))
    page.go_back()
    page.get_by_role("button", name="Clear all").click()
    assert page.inner_text(".narrowed").startswith("All victims are counted.")
    assert page.evaluate("document.activeElement.tagName") == "SELECT"  # the button is gone, focus is not lost
    assert "gender" not in page.evaluate("location.hash")


def test_a_selection_of_perpetrators_is_told_not_to_narrow(open_page: Open) -> None:
    whole = open_page("page=linked").locator(".linked-figure").first
    page = open_page("page=linked&t=perpetrators&relation_to_victim=Family")
    assert page.inner_text(".narrowed").startswith("All victims are counted: Relation to victim: Family was selected")
    for one in (whole, page.locator(".linked-figure").first):
        one.locator("summary").click()
    assert rows_of(page.locator(".linked-figure").first) == rows_of(whole)
