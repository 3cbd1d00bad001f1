"""report.html, the steward's private page: the explorer, and the release against the true rows.

Other invented rows of the same columns stand for the true ones, so that every number differs from nought. Opened as a
file, offline; any error, refused content or request fails the test (conftest.py).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caseveil import evaluate
from caseveil.evaluate_page import private_page
from caseveil.evaluation.attacks import Attack, Attacks, Control, Result
from caseveil.evaluation.report import Evaluation
from caseveil.evaluation.shares import Excess, Share
from caseveil.records.linkage import LinkedRows, LinkReport
from caseveil.records.prepare import Rows
from caseveil.release import explorer
from caseveil.release.bundle import BundleContents
from caseveil.release.flattened import owners
from tests.browser.conftest import Open, Violations
from tests.browser.invented_page import make_page

PAGES = ("page=private", "page=stories", "t=victims", "page=linked", "page=quality", "page=privacy")
SECRET = "Zanzibar-secret-cell"
WARNING = "PRIVATE: made from the true records. Never publish."


def share(times: int, trials: int = 1000) -> Share:
    value = times / trials
    return Share(times=times, trials=trials, value=value, lower=max(0.0, value - 0.01), upper=value + 0.01)


def result(attack: Attack, value: float, lower: float, upper: float, **more: Any) -> Result:
    numbers = {"success": share(520), "control": share(404), "excess": Excess(value=value, lower=lower, upper=upper)}
    return Result(attack=attack, table="victims", **{**numbers, **more})


ATTACKS = Attacks(
    control=Control.PEOPLE,
    results=(
        result(Attack.COPYING, 0.001, -0.01, 0.013, distance=2.5, control_distance=2.25),
        Result(attack=Attack.VALUE, table="victims", unknown="no value stands in exactly one record"),
        result(Attack.COMBINATION, -0.4, -0.6, -0.2),
        result(Attack.NEAREST, 0.02, -0.3, 0.31),
        result(Attack.COUNTS, 0.16, -0.01, 0.24, without=0.3),
        result(Attack.COUNTS, 0.31, 0.115, 0.4, column="gender", without=0.3),
    ),
    targets={"victims": 1000},
    people=2000,
    control_people=700,
    also_in=3,
)


@pytest.fixture(scope="module")
def evaluation(invented: BundleContents) -> Evaluation:
    """The invented release against other rows; one of them is a planted cell which no page may hold."""
    truth = make_page(seed=12)
    people, others = truth.tables["victims"], truth.tables["perpetrators"]
    assert people.key is not None
    assert others.key is not None
    assert truth.links is not None
    of = owners(people.key.cells, others.key.cells)
    # A column whose values were to be discovered, and one cell of which was not.
    district = dataclasses.replace(people.table.columns[6], values=None)
    columns = tuple(district if column.name == district.name else column for column in people.table.columns)
    cells = {**people.records, "district": [SECRET, *people.records["district"][1:]]}
    order = np.argsort(of, kind="stable")
    rows = LinkedRows(
        victims=Rows(table=dataclasses.replace(people.table, columns=columns), columns=cells),
        perpetrators=Rows(
            table=others.table, columns={name: [c[i] for i in order.tolist()] for name, c in others.records.items()}
        ),
        victim_of=np.sort(of).astype(np.int64),
        link=truth.links.link,
    )
    joined = LinkReport(victims=people.rows, links=others.rows, without=0, above=4, dropped=9)
    found = evaluate.compare_linked(invented, rows, joined)
    return dataclasses.replace(found, attacks=ATTACKS)


@pytest.fixture(scope="module")
def report(invented: BundleContents, evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("private") / "report.html"
    path.write_bytes(private_page(invented, evaluation))
    return path


def numbers(text: str) -> list[float]:
    """The numbers of a text, shares in parts of one."""
    found = re.findall(r"(\d[\d,]*(?:\.\d+)?)(%?)", text)
    return [float(number.replace(",", "")) / (100 if percent else 1) for number, percent in found]


def table(page: Any, title: str) -> list[list[str]]:
    """Cells below the heads of the table with this caption."""
    rows: list[list[str]] = page.evaluate(
        """title => { const found = [...document.querySelectorAll('table')]
             .find(one => one.caption.textContent === title);
             return [...found.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent)); }""",
        title,
    )
    return rows


def agrees(shown: str, expected: float | None) -> bool:
    """Written with three digits or more, or with one after the point of a percentage."""
    if expected is None:
        return shown == "\u2013"
    (value,) = numbers(shown)
    return value == pytest.approx(expected, rel=0.006, abs=0.0006)


def same(page: Any, title: str, expected: list[list[float | None]]) -> None:
    rows = table(page, title)
    assert len(rows) == len(expected) > 0, title
    for row, wanted in zip(rows, expected, strict=True):
        assert len(row) == len(wanted) + 1, (title, row)
        assert all(map(agrees, row[1:], wanted)), (title, row, wanted)


def test_every_number_is_that_of_the_report(evaluation: Evaluation, report: Path, open_page: Open) -> None:
    page = open_page(page=report)
    for one in evaluation.tables:
        name = one.table.capitalize()
        counts = {found.length: found for found in one.counts}
        lengths = one.lengths
        same(page, f"Mean error of a count: {name}", [
            [found.mean_error, counts[found.length].mean_error if found.length in counts else None]
            for found in lengths
        ])  # fmt: skip
        least = sorted({band.least for found in lengths for band in found.bands})
        banded = [[next((b for b in found.bands if b.least == low), None) for found in lengths] for low in least]
        title = f"Mean error, by how many people truly share the combination: {name}"
        same(page, title, [[band.mean_error if band else None for band in row] for row in banded])
        kept: list[list[float | None]] = [[1 - band.lost if band else None for band in row] for row in banded]
        kept.append([
            sum(band.combinations * (1 - band.lost) for band in found.bands)
            / sum(band.combinations for band in found.bands)
            for found in lengths
        ])  # fmt: skip
        if one.table == "victims":
            assert any(share is not None and 0 < share < 1 for row in kept for share in row)
        same(page, f"True combinations that the records keep: {name}", kept)
        same(page, f"Made-up combinations: {name}", [[f.made_up, f.made_up_weight] for f in lengths])
        same(page, f"Synthetic records: {name}", [
            [f.combinations, f.mean_error, f.lost, f.made_up, f.made_up_weight] for f in lengths
        ])  # fmt: skip
        same(page, f"Published counts: {name}", [
            [f.published, f.mean_error_published, f.mean_error, f.inside, f.lost, f.made_up] for f in one.counts
        ])  # fmt: skip
    links = evaluation.links
    assert links is not None
    across = links.across
    assert across.mean_error != across.independent
    same(page, "Mean error of links, by a value of victims and one of perpetrators",
         [[across.mean_error], [across.independent]])  # fmt: skip
    same(page, "Links and pairs that are off", [
        [across.made_up_weight], [links.within_made_up_weight], [links.number.distance],
        [links.dropped / (links.links + links.dropped)],
    ])  # fmt: skip
    number = links.number
    same(page, "Victims, by how many perpetrators they are linked to",
         [list(pair) for pair in zip(number.synthetic, number.true, strict=True)])  # fmt: skip
    assert table(page, "Victims, by how many perpetrators they are linked to")[-1][0] == "2 or more"
    same(page, "How often two perpetrators of the same record of victims are alike", [
        [one.synthetic, one.true, one.independent] for one in links.concordance
    ])  # fmt: skip
    same(page, "Published counts across the link", [
        [one.published, one.mean_error, one.inside, one.made_up] for one in links.counts
    ])  # fmt: skip
    text = page.inner_text("main")
    assert f"{links.victims:,} victims and {links.links:,} links to perpetrators" in text
    assert "9 links of 4 victims to perpetrators lay above the cap" in text
    assert "The values of these columns were discovered: District." in text


def test_attacks_are_told_with_their_control_and_verdict(report: Path, open_page: Open) -> None:
    page = open_page(page=report)
    rows = table(page, "Risk, with its 95% interval")
    assert [(row[0].split(": ")[1], row[4]) for row in rows] == [
        ("a record equals the person\u2019s row", "no sign"),
        ("singled out by one value", "unknown"),
        ("singled out by a combination", "no sign"),
        ("a column inferred from the nearest record", "too few to tell"),
        ("a column inferred from counts", "found"),  # in one of its columns
    ]
    assert rows[0][1:4] == ["52%", "40.4%", "0.1% (0% to 1.3%)"]
    assert rows[1][1:4] == ["", "", ""]
    assert rows[2][3] == "below 0"
    text = page.inner_text("main")
    for part in (
        "1 of 5 attacks learnt about the people in the release themselves.",
        "Attacks that met too few people to tell: 1. Attacks that could not be made: 1; why stands below.",
        "the same attacks on 700 people who were not in the release",
        "left out because their key is in the data: 3.",
        "Do not publish the release.",
        "It worked on 520 of 1,000 people in the release (52%), and on 404 of 1,000 in the control (40.4%).",
        "unknown: no value stands in exactly one record",
    ):
        assert part in text, part
    page.locator("summary", has_text="Column by column").click()
    assert table(page, "Victims: a column inferred from counts") == [
        ["gender", "52%", "40.4%", "31% (11.5% to 40%)", "found"]
    ]


def test_arabic_words_of_a_drawing_keep_their_direction(report: Path, open_page: Open) -> None:
    """In a drawing, which runs from left to right, "1,000 or more" would else have its number at the wrong end."""
    page = open_page("page=private&lang=ar", page=report)
    marked, plain = page.evaluate(
        """() => { const ticks = [...document.querySelectorAll('.plot svg text')];
             const tick = ticks.find(one => /^\u2067\\d.*\\p{Script=Arabic}/u.test(one.textContent));
             const ends = () => [/\\d/, /\\p{Script=Arabic}/u].map(
               of => tick.getStartPositionOfChar(tick.textContent.search(of)).x);
             const before = ends(); tick.textContent = tick.textContent.slice(1, -1); return [before, ends()]; }"""
    )
    assert marked[0] > marked[1]  # the number, which comes first, stands to the right of the words
    assert plain[0] < plain[1]


def test_without_attacks_links_and_rare_cases_the_page_is_shorter(
    invented: BundleContents, evaluation: Evaluation, open_page: Open, tmp_path: Path
) -> None:
    plain = dataclasses.replace(evaluation, attacks=None, undeclared=(), left_out=("age", "nationality_code"))
    (tmp_path / "plain.html").write_bytes(private_page(invented, plain))
    page = open_page(page=tmp_path / "plain.html")
    assert "The release lacks these columns of the plan: Age, Nationality code." in page.inner_text("main")
    assert page.locator(".private-page > section > h3").all_inner_texts() == [
        "Victims", "Perpetrators", "Across the link",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "said"), [("en", WARNING), ("fr", "CONFIDENTIEL"), ("es", "CONFIDENCIAL"), ("ar", "سري")]
)
def test_the_banner_stands_on_every_page_in_every_language(report: Path, open_page: Open, lang: str, said: str) -> None:
    for view in PAGES:
        page = open_page(f"{view}&lang={lang}", page=report)
        banner = page.locator(".private-banner")
        assert said in banner.inner_text(), view
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        box = banner.bounding_box()
        assert box["y"] == 0, view  # in sight, wherever the page is
        assert box["width"] > 1300, view
        assert page.evaluate("document.documentElement.dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert not re.search(r"\{\w+\}|undefined|NaN", page.inner_text("#page")), view
        assert page.title().startswith("PRIVATE: ")
        assert page.inner_text("h1").startswith("PRIVATE: ")
        # On paper it is the head of a table, which browsers repeat on every sheet.
        page.emulate_media(media="print")
        style = "e => [getComputedStyle(e).display, getComputedStyle(e).breakInside]"
        assert banner.evaluate(style) == ["table-header-group", "avoid"], view
        assert page.evaluate("getComputedStyle(document.querySelector('#page')).display") == "table", view


def test_the_public_page_has_neither_banner_nor_private_page(open_page: Open) -> None:
    page = open_page("page=private")
    assert page.locator(".private-banner").count() == 0
    assert page.locator("nav a", has_text="Against the true rows").count() == 0
    assert page.inner_text("[role=alert]").startswith("One part of the address")
    assert "PRIVATE" not in page.inner_text("#page")
    assert "PRIVATE" not in page.title()


def test_the_private_page_comes_first_and_the_others_stay(report: Path, open_page: Open) -> None:
    page = open_page(page=report)
    assert page.locator("nav a").all_inner_texts() == [
        "Against the true rows", "Stories", "Explore", "Linked records", "Quality", "Privacy",
    ]  # fmt: skip
    page.get_by_role("link", name="Explore").click()
    page.locator('[data-column="gender"] .mark[data-value="0"]').click()
    assert page.evaluate("location.hash") == "#t=victims&gender=Female"
    # What stays in sight while scrolling does not cover the banner, nor the other way round.
    page.evaluate("window.scrollTo(0, 600)")
    above, below = (page.locator(one).bounding_box() for one in (".private-banner", ".selection"))
    assert above["y"] == 0
    assert below["y"] == pytest.approx(above["height"], abs=1)


@pytest.mark.parametrize("view", PAGES[:1] + PAGES[3:5])
def test_what_is_saved_says_that_it_is_private(report: Path, open_page: Open, view: str) -> None:
    page = open_page(view, page=report)
    for kind in ("SVG", "CSV"):
        with page.expect_download() as started:
            page.locator(".export button", has_text=kind).first.click()
        saved = Path(started.value.path()).read_text("utf-8-sig")
        assert "made from the true records" in saved, kind
        if view == "page=private":
            assert started.value.suggested_filename.startswith("PRIVATE-")
        if kind == "CSV":
            heads, *lines = list(csv.reader(io.StringIO(saved)))
            assert len(heads) > 1
            assert any(cell.replace(".", "", 1).isdigit() for cell in lines[0][1:])


def test_no_cell_of_a_row_is_in_the_page(report: Path, evaluation: Evaluation) -> None:
    assert evaluation.undeclared == ("district",)
    text = report.read_text("utf-8")
    assert SECRET not in text
    data = explorer.embedded(text.encode())
    assert sorted(data["private"]) == [
        "attacks", "frequent", "left_out", "links", "plan_digest", "private", "subject", "tables", "undeclared",
        "warning",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "scheme", "lang"), [(390, "light", "en"), (1366, "dark", "en"), (1366, "light", "ar")]
)
def test_axe_finds_nothing_on_the_private_page(
    report: Path, open_page: Open, violations: Violations, width: int, scheme: str, lang: str
) -> None:
    page = open_page(f"page=private&lang={lang}", page=report, width=width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
