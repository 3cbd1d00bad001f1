"""What the tests of the application do in its pages, as hands do it, and what they look for there."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caseveil.release.verify import verify_bundle

SECRET = "Secretville-31415"


def cases(rows: int = 900) -> bytes:
    """A small table with a column that names people, made by a rule."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(["phone", "gender", "age_group", "region", "town"])
    for i in range(rows):
        sheet.writerow(
            [f"+49 30 55501{i:04d}", ("Female", "Male")[i % 7 > 4], ("0-17", "18-29", "30+")[i * 7 % 11 % 3],
             ("North", "South", "East")[i * 5 % 13 % 3], SECRET if i == 5 else "Town"]
        )  # fmt: skip
    return out.getvalue().encode()


def idle(page: Any) -> None:
    page.wait_for_selector("#cancel", state="detached")


def drop(page: Any, files: Mapping[str, bytes]) -> None:
    """As a hand does it, over the place for files."""
    data = page.evaluate_handle(
        """(files) => { const data = new DataTransfer();
             for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
             return data; }""",
        [[name, list(content)] for name, content in files.items()],
    )
    page.dispatch_event(".drop", "dragover", {"dataTransfer": data})
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})


def promise(page: Any, *, epsilon: float = 1, length: int = 2) -> None:
    """Sets sliders as a hand does."""
    page.click("#step-promise")
    places = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10, 12]
    for name, value in (("epsilon", places.index(epsilon)), ("length", length)):
        page.locator(f"#{name}").fill(str(value))
        page.locator(f"#{name}").dispatch_event("change")


def release(page: Any) -> None:
    page.click("#step-make")
    page.click("#release")
    page.click("#confirm-yes")


def saved(page: Any, button: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.click(button)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def verified(bundle: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        files.extractall(folder)
    (found,) = folder.iterdir()
    checked = verify_bundle(found)
    assert checked.ok, str(checked)
    return found


KEPT = """() => new Promise((done, fail) => { const asked = indexedDB.open('caseveil', 1);
  asked.onerror = fail; asked.onsuccess = () => { const all = asked.result.transaction('ledgers')
    .objectStore('ledgers').getAll(); all.onsuccess = () => done(all.result.map(one => [one.name, one.saved,
      new TextDecoder().decode(one.bytes)])); }; })"""


def open_cases(page: Any) -> None:
    drop(page, {"cases.csv": cases()})
    page.wait_for_selector("#next")
    page.click("#step-prepare")
    page.wait_for_selector("#before")
    # What is public knowledge about the columns is declared; the town is not released.
    for name in ("gender", "age_group", "region"):
        page.locator(".column-name", has_text=re.compile(f"^{name}")).click()
        page.wait_for_selector("#column-panel .values")
        if not page.locator("#declared-yes").is_checked():
            page.check("#declared-yes")
        page.click("#values-copy")
    town = page.get_by_role("checkbox", name="Release town")
    if town.is_checked():
        town.uncheck()
