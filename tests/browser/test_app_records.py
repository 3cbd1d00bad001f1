"""What the application makes is what the commands make: records as good, plans that travel, one ledger for all tabs."""

from __future__ import annotations

import csv
import io
import itertools
import random
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from caseveil.release.verify import verify_bundle
from tests.browser.app_page import KEPT, SECRET, drop, idle, promise, release, saved
from tests.browser.conftest import Start, ready

COLUMNS, VALUES, ROWS = 8, 4, 2_000
PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
unit = "victim"
epsilon = 4
delta = 1e-6
[aggregates]
length = 2
[tables.cases]
source = "cases.csv"
""" + "".join(
    f"[tables.cases.columns.c{i}]\nkind = \"category\"\nvalues = {[f'v{v}' for v in range(VALUES)]}\n"
    for i in range(COLUMNS)
)


def wide() -> bytes:
    """2,000 rows of eight columns that hang together, by a fixed rule."""
    rng = random.Random(11)
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow([f"c{i}" for i in range(COLUMNS)])
    for _ in range(ROWS):
        row = [rng.randrange(VALUES)]
        for _ in range(1, COLUMNS):
            row.append(row[-1] if rng.random() < 0.4 else rng.randrange(VALUES))
        sheet.writerow([f"v{v}" for v in row])
    return out.getvalue().encode()


def given(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def off(records: bytes, truth: bytes) -> float:
    """Mean absolute error of the counts of all pairs of values."""

    def pairs(text: bytes) -> Counter[Any]:
        rows = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
        names = [f"c{i}" for i in range(COLUMNS)]
        return Counter((a, b, row[a], row[b]) for row in rows for a, b in itertools.combinations(names, 2))

    one, other = pairs(records), pairs(truth)
    cells = set(one) | set(other)
    return sum(abs(one[cell] - other[cell]) for cell in cells) / len(cells)


def records_in(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        names = [name for name in files.namelist() if name.split("/")[1] == "data" and name.endswith(".csv")]
        return {Path(name).name: files.read(name) for name in names}


def published(page: Any) -> tuple[str, bytes]:
    """Makes the release and goes on to where it is saved: the name of the bundle, and the bundle."""
    release(page)
    page.wait_for_selector("#compare")
    idle(page)
    page.click("#step-publish")
    return saved(page, "#save-bundle")


def by_the_commands(folder: Path, bundle: str, files: dict[str, bytes]) -> Path:
    """Puts the files in a folder, verifies the bundle among them and releases by release.toml; the other bundle."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    for words in (["verify", bundle], ["release", "release.toml", "--out", "native"]):
        command = [sys.executable, "-m", "caseveil", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "native"


def test_records_of_the_browser_are_as_good_as_native_ones_and_its_plan_runs(start: Start, tmp_path: Path) -> None:
    """Some 270 independent facts are noisy, so that chance moves the ratio by 6%; 1.5 is over six times that."""
    page = start(engine="browser")
    truth = wide()
    page.set_input_files("#files", [given("cases.csv", truth)])
    page.wait_for_selector("#next")
    page.set_input_files("#plan", [given("old.toml", PLAN.encode())])
    page.click("#step-promise")
    page.wait_for_selector("#epsilon")
    assert page.locator("#epsilon").get_attribute("aria-valuetext").startswith("Epsilon: 4 ")
    name, bundle = published(page)
    _, toml = saved(page, "#save-plan")
    _, report = saved(page, "#save-report")
    (made,) = records_in(bundle).values()
    with zipfile.ZipFile(io.BytesIO(report)) as files:
        assert any(one.endswith("report.html") for one in files.namelist())
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        assert not any("report" in one for one in files.namelist())

    before, after = tomllib.loads(PLAN), tomllib.loads(toml.decode())
    assert after["privacy"]["epsilon"] == before["privacy"]["epsilon"]
    assert {key: column["values"] for key, column in after["tables"]["cases"]["columns"].items()} == {
        key: column["values"] for key, column in before["tables"]["cases"]["columns"].items()
    }
    other = by_the_commands(tmp_path, name, {name: bundle, "cases.csv": truth, "release.toml": toml})
    (native,) = (other / "data").glob("*.csv")
    ratio = off(made, truth) / off(native.read_bytes(), truth)
    assert 1 / 1.5 < ratio < 1.5, ratio


def two_files() -> tuple[bytes, bytes]:
    people = ["victim_id,surname,sex,region"]
    people += [f"V{i:04},{SECRET}{i},{'FM'[i % 3 == 0]},{('North', 'South')[i % 5 > 1]}" for i in range(400)]
    linked = ["perpetrator_id,victim_id,role"]
    linked += [f"P{i:04},V{i % 400:04},{('Recruiter', 'Transporter')[i % 2]}" for i in range(600)]
    return "\n".join(people).encode(), "\n".join(linked).encode()


def sheets() -> list[dict[str, Any]]:
    book = openpyxl.Workbook()
    for i, (title, text) in enumerate(zip(("victims", "perpetrators"), two_files(), strict=True)):
        sheet = book.worksheets[0] if i == 0 else book.create_sheet()
        sheet.title = title
        for line in text.decode().splitlines():
            sheet.append(line.split(","))
    out = io.BytesIO()
    book.save(out)
    return [given("book.xlsx", out.getvalue())]


def test_files_of_every_kind_can_be_dropped_one_after_the_other(start: Start) -> None:
    page = start(engine="browser")
    people, linked = two_files()
    (book,) = sheets()
    columns = ["victim_id,surname,sex,region", "perpetrator_id,victim_id,role"]
    for files, tables in (
        ({"victims.tsv": people.replace(b",", b"\t")}, 1),
        ({"victims.csv": people, "perpetrators.tsv": linked.replace(b",", b"\t")}, 2),
        ({"victims.txt": people.replace(b",", b";")}, 1),
        ({book["name"]: book["buffer"]}, 2),
    ):
        again = page.locator(".grid").count() > 0
        drop(page, files)
        if again:
            page.click("#confirm-yes")
        page.wait_for_function(
            """(columns) => [...document.querySelectorAll('.grid')].map(
                 grid => [...grid.querySelectorAll('th')].map(one => one.textContent).join()).join(' ') === columns""",
            arg=" ".join(columns[:tables]),
        )
        assert page.locator(".problem").count() == 0


@pytest.mark.parametrize("as_book", [False, True])
def test_two_files_and_a_book_of_two_sheets_become_linked_records(
    start: Start, tmp_path: Path, as_book: bool
) -> None:
    page = start()
    names = ("victims.csv", "perpetrators.csv")
    page.set_input_files("#files", sheets() if as_book else list(map(given, names, two_files())))
    page.wait_for_selector("#key-linked")
    assert page.input_value("#key-linked") == "victim_id"
    promise(page, epsilon=4, length=1)
    name, bundle = published(page)
    (tmp_path / name).write_bytes(bundle)
    verdict = verify_bundle(tmp_path / name)
    assert verdict.ok, str(verdict)
    assert len(records_in(bundle)) == 2
    assert SECRET.encode() not in b"".join(records_in(bundle).values())


def test_two_files_with_one_row_each_are_joined_and_the_commands_do_the_same(start: Start, tmp_path: Path) -> None:
    page = start()
    people = ["victim_id,gender,region"]
    people += [f"V{i:04},{('Female', 'Male')[i % 3 > 1]},{('North', 'South')[i % 5 > 1]}" for i in range(500)]
    talks = ["victim_id,tongue,region"] + [f"V{i:04},{('Thai', 'Swahili')[i % 2]},East" for i in range(499, 99, -1)]
    files = {"cases.csv": "\n".join(people).encode(), "talks.csv": "\n".join(talks).encode()}
    page.set_input_files("#files", [given(*file) for file in files.items()])
    page.wait_for_selector("#key-linked")
    page.check("#together-joined")
    assert page.locator("#key-linked").count() == 0
    page.click("#undo")
    page.wait_for_selector("#key-linked")
    page.click("#redo")
    page.click("#step-prepare")
    page.wait_for_selector(".recipe")
    assert "talks.csv" in page.inner_text(".recipe")
    heads = page.locator("#after th").all_inner_texts()
    assert heads == ["gender", "region", "tongue", "region (talks.csv)"]
    promise(page, epsilon=4, length=1)
    name, bundle = published(page)
    _, toml = saved(page, "#save-plan")
    (made,) = records_in(bundle).values()
    tongues = Counter(row["tongue"] for row in csv.DictReader(io.StringIO(made.decode("utf-8-sig"))))
    assert all(abs(tongues[tongue] - 200) < 60 for tongue in ("Thai", "Swahili"))
    by_the_commands(tmp_path, name, {**files, name: bundle, "release.toml": toml})


def test_two_tabs_never_charge_apart(start: Start) -> None:
    page = start(engine="browser")
    other = page.context.new_page()
    other.set_default_timeout(90_000)
    other.goto(page.url)
    for tab in (page, other):
        ready(tab)
        tab.click("#example-one")
        tab.wait_for_selector("#next")
        promise(tab, length=1)
    release(page)
    page.wait_for_selector("#compare")
    idle(page)
    ((_, _, charged),) = page.evaluate(KEPT)
    release(other)
    other.wait_for_selector(".problem")
    assert "Another tab" in other.inner_text(".problem")
    ((_, _, still),) = other.evaluate(KEPT)
    assert still == charged
    assert other.locator("#compare").count() == 0
    page.close()
    other.click("#problem-close")
    release(other)
    other.wait_for_selector("#compare")
    idle(other)
