"""What people save from the page that lies in a bundle, opened as a file: it arrives, and says what protects people.

Picture and table of one figure of every kind are saved on every page that has figures.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from caseveil.release.bundle import EXPLORER, BundleContents, write_bundle
from tests.browser.conftest import Open

SVG = "{http://www.w3.org/2000/svg}"

VIEWS = {
    "stories": "page=stories",
    "marks": "t=victims&gender=Female",
    "matrix": "page=linked&t=victims&gender=Female",
    "bars": "page=linked",
    "number": "page=linked",
    "time": "page=linked&t=victims&gender=Female",
    "flows": "page=linked",
    "map": "page=linked",
    "quality": "page=quality",
    "quality of links": "page=quality",
    "quality in Arabic": "page=quality&lang=ar",
    "in Arabic": "page=linked&lang=ar",
}
PLACE = {"bars": 1, "number": 2, "time": 3, "flows": 5, "map": 6, "quality of links": -1, "quality in Arabic": -1}
"""Which of the figures of the page is saved; the first one unless given."""


@pytest.fixture(scope="module")
def page_of_bundle(invented: BundleContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bundle = tmp_path_factory.mktemp("saved") / "invented-2026-11"
    write_bundle(invented, bundle)
    return bundle / EXPLORER


@pytest.fixture(params=VIEWS)
def buttons(request: pytest.FixtureRequest, open_page: Open, page_of_bundle: Path) -> tuple[Any, Any]:
    """The page, and the buttons of one figure."""
    page = open_page(VIEWS[request.param], page=page_of_bundle)
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    page.wait_for_selector(".export button")
    return page, page.locator(".export").nth(PLACE.get(request.param, 0))


def saved(page: Any, group: Any, kind: str) -> tuple[str, bytes]:
    with page.expect_download() as started:
        group.locator("button", has_text=kind).click()
    download = started.value
    assert download.failure() is None
    name = download.suggested_filename
    assert name.endswith(f".{kind.lower()}")
    # Said in words, too: the status is read out where the browser shows nothing.
    assert name in group.locator("[role=status]").inner_text()
    return name, Path(download.path()).read_bytes()


WHO = {"page=linked": "All victims are counted.", "gender=Female": "Only victims with Gender: Female are counted."}


def who(page: Any) -> str | None:
    """Who is counted in the figures of an English page of counts."""
    address = page.evaluate("location.hash")
    if "lang=" in address or "page=quality" in address:
        return None
    stories = "page=stories" in address  # the first one is of women
    return WHO["gender=Female" if stories or "gender=Female" in address else "page=linked"]


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_picture_of_lines_has_its_title_and_the_promise(buttons: tuple[Any, Any], invented: BundleContents) -> None:
    page, group = buttons
    name, content = saved(page, group, "SVG")
    root = ElementTree.fromstring(content)
    title = root.findtext(f"{SVG}title") or ""
    assert len(title) > 3
    # Arabic words are marked as such, so that numbers in them stand on their side of it.
    texts = [flat("".join(text.itertext())).strip("\u2067\u2069") for text in root.findall(f"{SVG}text")]
    whole = " ".join(texts)
    assert flat(str(invented.statement)) in whole
    # Away from the page nobody sees any more what was selected there.
    assert (who(page) or "") in whole
    assert invented.about.heading in whole
    assert whole.startswith(flat(title))
    assert name.split(".")[0].split("-")[0] == re.split(r"[^\w]+", title)[0]
    # What shapes and colours mean is in the picture, too, where the figure has a key.
    key = """group => [...(group.closest('.plot, .linked-figure')?.querySelectorAll('.key > span') ?? [])]
      .map(one => one.innerText)"""
    assert set(group.evaluate(key)) <= set(texts)
    assert max(len(list(part.iter())) for part in root.findall(f"{SVG}svg")) > 10  # the drawing is in it
    # It stands alone: no class, style sheet or variable of the page, and nothing from elsewhere.
    text = content.decode("utf-8")
    for part in ("var(", "class=", "<style", "currentColor", "http://www.w3.org/1999/xhtml"):
        assert part not in text, part
    assert text.count("http") == text.count("http://www.w3.org/")


def test_a_picture_of_dots_is_not_empty(buttons: tuple[Any, Any]) -> None:
    from matplotlib.image import imread

    page, group = buttons
    _, content = saved(page, group, "PNG")
    assert content.startswith(b"\x89PNG")
    dots = imread(io.BytesIO(content), format="png")
    height, width = dots.shape[:2]
    assert width > 400
    assert height > 200
    ground = dots[0, 0]
    drawn = np.abs(dots - ground).max(axis=2) > 0.05
    assert ground[-1] == 1.0  # not see-through
    # Something is drawn in the upper part (title), the middle (figure) and the lower part (promise).
    for part in np.array_split(drawn, 3):
        assert 0.002 < part.mean() < 0.9
    assert len(np.unique(dots[drawn].round(2), axis=0)) > 5


def test_a_table_has_numbers_and_the_promise(buttons: tuple[Any, Any], invented: BundleContents) -> None:
    page, group = buttons
    _, content = saved(page, group, "CSV")
    assert content.startswith(b"\xef\xbb\xbf")  # so that spreadsheets read it as UTF-8
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    table = lines[: lines.index([])] if [] in lines else lines[: lines.index([""])]
    heads, *rows = table
    assert rows
    assert all(len(row) == len(heads) for row in rows)
    numeric = [
        column for column in zip(*rows, strict=True) if all(cell.replace(".", "", 1).isdigit() for cell in column)
    ]
    assert numeric
    assert any(float(cell) > 0 for column in numeric for cell in column)
    below = [line[0] for line in lines[len(table) :] if line and line[0]]
    assert str(invented.statement) in below
    assert who(page) is None or who(page) in below
    if "too_few_to_tell" in heads:
        few = [dict(zip(heads, row, strict=True)) for row in rows]
        assert all((row["count"] == "") == (row["too_few_to_tell"] == "yes") for row in few)
        assert all(row["lower"] == "0" for row in few if row["count"] == "")
    assert any(invented.about.heading in line for line in below)
