"""The page in a real browser, opened as a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caseveil.release import explorer, explorer_data
from caseveil.release.bundle import BundleContents
from tests.browser.invented_page import make_page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def invented() -> BundleContents:
    return make_page()


@pytest.fixture(scope="session")
def file(invented: BundleContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_bytes(explorer.render(explorer_data.payload(invented)))
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


OWN = ("file:", "data:", "blob:")
"""What a page may ask for: itself, and what it makes."""

Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, file: Path) -> Iterator[Open]:
    """Opens the page at a fragment. Fails the test if the page reports an error, or its policy refuses anything."""
    contexts = []
    wrong: list[str] = []

    def opened(fragment: str = "", *, width: int = 1366, height: int = 900, page: Path = file, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        context.set_offline(True)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        tab.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        tab.on("request", lambda asked: None if asked.url.startswith(OWN) else wrong.append(asked.url))
        tab.goto(f"{page.as_uri()}#{fragment}")
        tab.wait_for_selector("#content, [role=alert]")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
