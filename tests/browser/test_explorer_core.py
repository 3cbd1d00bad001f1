"""What people do in the explorer, done in a browser, with the numbers on screen held against the counts.

Opened as a file, offline; any error, refused content or request fails the test (conftest.py).
"""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caseveil.release import explorer, explorer_data
from caseveil.release.bundle import BundleContents
from caseveil.release.contents import TableContents
from caseveil.release.spread import spread
from caseveil.schema.attribute import MultiChoice
from tests.browser.conftest import Open, Violations
from tests.browser.invented_page import HOLE, LENGTH, PEOPLE, YEARS, values_of

MARKS = """column => [...document.querySelectorAll(`[data-column="${column}"] .mark`)].map(mark => ({
  value: Number(mark.dataset.value), label: mark.querySelector('.mark-label').textContent,
  source: mark.dataset.source, few: mark.classList.contains('few'), pressed: mark.getAttribute('aria-pressed'),
  number: mark.querySelector('.mark-number').textContent, name: mark.getAttribute('aria-label')}))"""


def number(text: str) -> int:
    return int(re.sub(r"[^\d]", "", text))


def mark(page: Any, column: str, value: int) -> Any:
    return page.locator(f'[data-column="{column}"] .mark[data-value="{value}"]')


class Oracle:
    """The number that a mark must show, by looking at every published count and every record."""

    def __init__(self, part: TableContents) -> None:
        self.table = part.table
        self.rows = values_of(part.table, part.records)
        self.all = (1 << len(self.rows)) - 1
        self.having: dict[tuple[str, str], int] = {}
        """For each value, a bit for each record that has it."""
        for i, row in enumerate(self.rows):
            for part_of_row in set(row):
                self.having[part_of_row] = self.having.get(part_of_row, 0) | 1 << i
        self.multi = {c.name for c in part.table.columns if isinstance(c, MultiChoice)}
        counts = part.counts
        self.published = {
            frozenset(json.loads(text).items()): (int(n), int(low), int(high))
            for text, n, low, high in zip(counts.combination, counts.count, counts.lower, counts.upper, strict=True)
        }
        self.band = spread(counts, part.rows)

    def records(self, parts: dict[str, Sequence[str]]) -> int:
        found = self.all
        for column, values in parts.items():
            any_of_them, stated = 0, 0
            for (name, value), records in self.having.items():
                stated |= records if name == column else 0
                any_of_them |= records if name == column and value in values else 0
            found &= any_of_them | (self.all & ~stated if "" in values else 0)
        return found.bit_count()

    def expect(self, parts: dict[str, Sequence[str]]) -> tuple[str, int, int, int]:
        """source, count, lower, upper."""
        simple = all("" not in v and (len(v) == 1 or name not in self.multi) for name, v in parts.items())
        if simple and 0 < len(parts) <= LENGTH:
            sums: list[list[tuple[str, str]]] = [[]]
            for name, values in parts.items():
                sums = [[*some, (name, value)] for some in sums for value in values]
            found = [self.published.get(frozenset(some)) for some in sums]
            if all(found):
                count, lower, upper = (sum(part[i] for part in found if part) for i in range(3))
                return "published", count, lower, upper
        count = self.records(parts)
        half = float(self.band.at(np.array([count], dtype=np.int64))[0])
        return "records", count, max(0, math.floor(count - half)), math.ceil(count + half)


def agrees(shown: dict[str, Any], expected: tuple[str, int, int, int]) -> bool:
    source, count, lower, upper = expected
    few = lower <= 0 or count < (upper - lower) / 2
    if (shown["source"], shown["few"]) != (source, few):
        return False
    told = [number(text) for text in re.findall(r"\d[\d,]*", shown["name"].split(": ", 1)[1])]
    if few:
        return "too few to tell" in shown["name"] and told == [0, upper]
    return told == [count, lower, upper] and number(shown["number"]) == count


def test_numbers_on_screen_are_those_of_the_files_on_a_walk_of_500_selections(
    invented: BundleContents, open_page: Open
) -> None:
    page = open_page("t=victims")
    oracle = Oracle(invented.tables["victims"])
    dice = random.Random(5)
    chosen: dict[str, list[str]] = {}
    columns = {column.name: list(column.values or ()) for column in PEOPLE.columns}
    step = f"""([column, value, look]) => {{ const marks = {MARKS};
      const find = () => document.querySelector(`[data-column="${{column}}"] .mark[data-value="${{value}}"]`);
      let mark = find();
      if (!mark) {{ document.querySelector(`[data-column="${{column}}"] .more`).click(); mark = find(); }}
      mark.click(); return marks(look); }}"""
    checked = sources = 0
    for _ in range(500):
        if sum(map(len, chosen.values())) > dice.randrange(6):
            name = dice.choice(list(chosen))
            value = dice.choice(chosen[name])
        else:
            name = dice.choice([*columns, *chosen])
            value = dice.choice([*columns[name][:12], ""])
        look = dice.choice(list(columns))
        marks = page.evaluate(step, [name, columns[name].index(value) if value else -1, look])
        values = chosen.setdefault(name, [])
        values.remove(value) if value in values else values.append(value)
        if not values:
            del chosen[name]
        others = {column: values for column, values in chosen.items() if column != look}
        for shown in dice.sample(marks, 3 if len(columns[look]) > 2 else 2):
            asked = "" if shown["value"] < 0 else columns[look][shown["value"]]
            expected = oracle.expect({**others, look: [asked]})
            assert agrees(shown, expected), (chosen, look, asked, shown, expected)
            checked += 1
            sources += expected[0] == "published"
    assert checked == 1500
    assert 100 < sources < 1400  # both kinds of numbers were met


def test_marks_stay_beside_their_labels_where_a_value_in_the_middle_has_no_count(
    invented: BundleContents, open_page: Open
) -> None:
    page = open_page("t=victims")
    oracle = Oracle(invented.tables["victims"])
    years = page.evaluate(MARKS, "year")
    assert [shown["label"] for shown in years] == [*YEARS, "Not stated"]
    for shown, year in zip(years, [*YEARS, ""], strict=True):
        assert agrees(shown, oracle.expect({"year": [year]}))
    assert {shown["label"] for shown in years if shown["source"] == "records"} == {HOLE, "Not stated"}
    # On screen, a mark's column stands right above its label, and at the height of its number.
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('[data-column="year"] .upright .mark')].map(mark => {
             const of = q => mark.querySelector(q).getBoundingClientRect();
             const [bar, label, track] = [of('.bar'), of('.mark-label'), of('.track')];
             return [bar.x + bar.width / 2 - label.x - label.width / 2, bar.height / track.height]; })"""
    )
    assert all(abs(offset) < 2 for offset, _ in boxes)
    drawn = [oracle.expect({"year": [year]}) for year in YEARS]
    most = max(upper for _, _, _, upper in drawn)
    for (_, share), (_, count, lower, upper) in zip(boxes, drawn, strict=True):
        few = lower <= 0 or count < (upper - lower) / 2
        assert share == pytest.approx((upper if few else count) / most, abs=0.02)


def test_values_of_a_column_add_up_and_columns_narrow(invented: BundleContents, open_page: Open) -> None:
    page = open_page("t=victims")
    mark(page, "gender", 0).click()
    mark(page, "gender", 1).click()
    mark(page, "age", 1).click()
    source, count, lower, upper = Oracle(invented.tables["victims"]).expect(
        {"gender": ["Female", "Male"], "age": ["9--17"]}
    )
    assert source == "published"
    summary = page.inner_text("#summary")
    assert f"About {count:,} victims ({lower:,} to {upper:,})" in summary
    assert "published count" in summary
    assert page.evaluate("location.hash") == "#t=victims&gender=Female|Male&age=9--17"
    page.get_by_role("button", name="Remove Male from the selection").click()
    assert page.evaluate("location.hash") == "#t=victims&gender=Female&age=9--17"
    page.get_by_role("button", name="Clear the selection of Gender").click()
    assert page.evaluate("location.hash") == "#t=victims&age=9--17"
    page.get_by_role("button", name="Clear all").click()
    assert page.evaluate("location.hash") == "#t=victims"
    assert "all victims are counted" in page.inner_text("#summary")


def test_back_forward_undo_and_a_shared_address(open_page: Open) -> None:
    page = open_page("t=victims")
    mark(page, "gender", 0).click()
    mark(page, "gender", 2).click()
    page.go_back()
    assert mark(page, "gender", 2).get_attribute("aria-pressed") == "false"
    assert mark(page, "gender", 0).get_attribute("aria-pressed") == "true"
    page.go_forward()
    assert mark(page, "gender", 2).get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("location.hash === '#t=victims&gender=Female'")
    page.get_by_role("button", name="Redo").click()
    page.wait_for_function("location.hash === '#t=victims&gender=Female|Other'")
    odd = "#t=victims&.t=a\\|b|100%25+%3D+all&means_of_control=Takes+\\|+earnings&pin=district"
    page.evaluate("address => { location.hash = address }", odd)
    page.wait_for_selector('[data-column="t"] .mark[aria-pressed="true"]')
    pressed = [shown["label"] for shown in page.evaluate(MARKS, "t") if shown["pressed"] == "true"]
    assert sorted(pressed) == ["100% = all", "a|b"]
    summary = page.inner_text("#summary")
    again = open_page(page.evaluate("location.hash.slice(1)"))
    assert again.inner_text("#summary") == summary
    assert again.locator(".board > *").first.get_attribute("data-column") == "district"
    assert again.locator("[role=alert]").is_hidden()


def test_what_an_address_names_and_the_release_has_not_is_left_out_with_a_notice(open_page: Open) -> None:
    page = open_page("t=victims&gender=Female|Martian&shoe=43")
    assert page.inner_text("[role=alert]").startswith("2 parts of the address")
    assert [shown["label"] for shown in page.evaluate(MARKS, "gender") if shown["pressed"] == "true"] == ["Female"]
    mark(page, "gender", 1).click()
    assert page.locator("[role=alert]").is_hidden()


def test_long_lists_are_searched_and_columns_pinned(open_page: Open) -> None:
    page = open_page("t=victims")
    district = page.locator('[data-column="district"]')
    assert district.locator(".rows:not(.blanks) .mark").count() == 8
    district.get_by_role("searchbox").fill("district 29")
    assert district.locator(".rows:not(.blanks) .mark").count() == 10
    mark(page, "district", 295).click()
    district.get_by_role("searchbox").fill("")
    assert mark(page, "district", 295).get_attribute("aria-pressed") == "true"
    district.get_by_role("button", name="Show all 300 values").click()
    assert district.locator(".rows:not(.blanks) .mark").count() == 300
    page.get_by_role("button", name="Pin District to the top").click()
    assert page.locator(".board > *").first.get_attribute("data-column") == "district"
    assert page.evaluate("document.activeElement.textContent") == "Unpin"
    page.get_by_role("searchbox", name="Search columns").fill("region")
    shown = page.locator(".panel:visible").evaluate_all("all => all.map(one => one.dataset.column)")
    assert shown == ["citizenship_region", "exploitation_region"]


def test_too_few_to_tell_is_never_a_solid_bar(open_page: Open) -> None:
    page = open_page("t=victims&gender=Other&age=48%2B")
    styles = page.evaluate(
        """() => [...document.querySelectorAll('.mark.few')].map(mark => {
             const style = getComputedStyle(mark.querySelector('.bar'));
             return [style.backgroundColor, style.backgroundImage.includes('repeating-linear-gradient'),
                     style.borderTopStyle, mark.getAttribute('aria-label').includes('too few to tell')]; })"""
    )
    assert len(styles) > 20
    assert {tuple(style) for style in styles} == {("rgba(0, 0, 0, 0)", True, "dashed", True)}


def test_a_table_stands_behind_every_panel(open_page: Open) -> None:
    page = open_page("t=victims&gender=Female")
    for panel in page.locator(".panel").all():
        panel.locator("summary").click()
        column = panel.get_attribute("data-column")
        panel.locator("table").wait_for()
        rows = panel.locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.children].map(c => c.textContent))")
        table = {row[0]: row[1:] for row in rows}
        for shown in page.evaluate(MARKS, column):
            count, _, upper, source = table[shown["label"]]
            assert count == shown["number"].replace("≈\u2009", "")
            assert f"{upper}" in shown["name"]
            assert source in shown["name"]


def test_keys_alone_reach_and_change_everything(open_page: Open) -> None:
    page = open_page("t=victims")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => { const e = document.activeElement; const s = getComputedStyle(e);
                 if (e === document.body) return [null];
                 return [e.closest('[data-column]')?.dataset.column ?? '', e.className, s.outlineStyle !== 'none']; }"""
        )
        if here[0] is None:
            break  # past the last
        assert here[2], here  # focus can be seen
        if "mark" in here[1].split():
            reached.append(here[0])
    assert reached[: len(PEOPLE.columns)] == [column.name for column in PEOPLE.columns]  # one stop for each panel
    mark(page, "gender", 0).focus()
    first = page.evaluate("document.activeElement.dataset.value")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    second = page.evaluate("document.activeElement.dataset.value")
    assert second != first
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert "gender=" in page.evaluate("location.hash")


def test_pages_follow_each_other_and_hold_what_they_promise(invented: BundleContents, open_page: Open) -> None:
    page = open_page()
    assert page.locator("nav a").all_inner_texts() == ["Stories", "Explore", "Linked records", "Quality", "Privacy"]
    assert page.locator(".story h3").all_inner_texts() == ["Women & girls < 18", "Roles"]
    paragraphs = page.locator(".story").first.locator("p").all_inner_texts()
    assert paragraphs[:2] == ["The first paragraph.", "The second one."]
    page.get_by_role("link", name="Open the view of “Women & girls < 18”").click()
    assert page.evaluate("location.hash") == "#t=victims&gender=Female&pin=means_of_control"
    page.get_by_role("button", name="Perpetrators").click()
    oracle = Oracle(invented.tables["perpetrators"])
    for shown in page.evaluate(MARKS, "relation_to_victim"):
        assert agrees(shown, oracle.expect({"relation_to_victim": [shown["label"] if shown["value"] >= 0 else ""]}))
    page.get_by_role("link", name="Quality").click()
    assert "differ somewhat more" in page.inner_text("main")
    assert page.locator(".plot svg").count() >= 5
    assert "Means of control: Takes | earnings and Relation to victim (1.80)" in page.inner_text("main")
    sizes = page.locator(".plot", has=page.get_by_role("heading", name="By size of the count"))
    sizes.locator("summary").click()
    rows = sizes.locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent))")
    assert rows == [
        ["0", "200", "0.97", "96%"], ["10 to 99", "700", "1.21", "92%"], ["1,000 or more", "40", "1.52", "90%"]
    ]  # fmt: skip
    page.get_by_role("link", name="Privacy").click()
    text = page.inner_text("main")
    assert str(invented.statement) in text
    for line in ("Facts about groups.", "Somebody in perpetrators who is linked to several victims.", "A coin gets"):
        assert line in text
    assert "**" not in text
    for part in ("5 \u00d7 10⁻⁶", "A combination needs a count of 6.", "The columns and their declared values."):
        assert part in text
    page.locator(".document summary").click()
    assert page.locator(".document dt", has_text="expected_made_up").is_visible()


def test_counts_across_the_link_are_those_of_the_file(invented: BundleContents, open_page: Open) -> None:
    page = open_page("page=linked&linked.row=gender&linked.column=relation_to_victim")
    assert invented.links is not None
    counts = invented.links.counts
    expected = {
        (json.loads(what)["victims.gender"], json.loads(what)["perpetrators.relation_to_victim"]): int(n)
        for what, n, low in zip(counts.combination, counts.count, counts.lower, strict=True)
        if set(json.loads(what)) == {"victims.gender", "perpetrators.relation_to_victim"} and low > 0
    }
    assert expected
    figure = page.locator(".linked-figure").first
    figure.locator("summary").click()
    rows = figure.locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.children].map(c => c.textContent))")
    shown = {(row[0], row[1]): row[2] for row in rows if "too few" not in row[2]}
    assert {pair: number(text) for pair, text in shown.items()} == expected
    assert page.locator(".linked-figure").count() == 7


@pytest.mark.parametrize("lang", ["en", "fr", "es", "ar"])
def test_every_language_fills_every_page(open_page: Open, lang: str) -> None:
    for view in ("page=stories", "t=victims&gender=Female", "page=linked", "page=quality", "page=privacy"):
        page = open_page(f"{view}&lang={lang}")
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.evaluate("document.documentElement.dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not re.search(r"\{\w+\}|undefined|NaN", page.inner_text("#page"))


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1366, "light"), (1366, "dark"), (2560, "light")])
def test_axe_finds_nothing(open_page: Open, violations: Violations, width: int, scheme: str) -> None:
    views = ("page=stories", "t=victims&gender=Female|Other", "page=linked&t=victims&gender=Female")
    for view in (*views, "page=linked", "page=quality", "page=privacy"):
        page = open_page(view, width=width, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert violations(page) == [], view


def test_axe_would_find_something(open_page: Open, violations: Violations) -> None:
    page = open_page("page=privacy")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [found[0] for found in violations(page)] == ["button-name"]


def test_a_release_of_one_table_without_stories_opens_on_its_columns(
    invented: BundleContents, open_page: Open, tmp_path: Path
) -> None:
    people = dataclasses.replace(invented.tables["victims"], key=None)
    statement = dataclasses.replace(invented.statement, links=None)
    fidelity = {name: part for name, part in invented.fidelity.items() if name != "links"}
    alone = dataclasses.replace(
        invented, tables={"victims": people}, statement=statement, fidelity=fidelity, links=None, stories=()
    )
    page_of_one = tmp_path / "one.html"
    page_of_one.write_bytes(explorer.render(explorer_data.payload(alone)))
    page = open_page(page=page_of_one)
    assert page.locator("nav a").all_inner_texts() == ["Explore", "Quality", "Privacy"]
    assert page.locator(".panel").count() == len(PEOPLE.columns)
    assert page.locator(".switch").count() == 0
    mark(page, "gender", 0).click()
    assert page.evaluate("location.hash") == "#t=victims&gender=Female"
    page.get_by_role("link", name="Quality").click()
    page.get_by_role("link", name="Explore").click()
    assert mark(page, "gender", 0).get_attribute("aria-pressed") == "true"


def test_damaged_data_are_told_in_words(file: Path, open_page: Open, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(re.sub(r'"records":"[^"]{40}', '"records":"', file.read_text("utf-8"), count=1), encoding="utf-8")
    page = open_page(page=broken)
    assert "cannot be read" in page.inner_text("[role=alert]")
