"""The page in a real browser, opened as a file."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from caseveil.privacy.filelock import exclusive
from caseveil.release import explorer, explorer_data
from caseveil.release.bundle import BundleContents
from caseveil.web.server import Server
from tests.browser.invented_page import make_page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
NPM = shutil.which("npm")
SOURCES = Path(__file__).parents[2] / "web" / "explorer"


def absent(what: str) -> NoReturn:
    """Skips, so that nobody needs a browser to work on the rest; where all checks are asked for (.ci/run) it fails."""
    if os.environ.get("CASEVEIL_ALL_CHECKS"):
        pytest.fail(f"all checks were asked for, and {what} is not there")
    pytest.skip(f"needs {what}")


PATIENCE = 1200
"""Seconds after which whoever installs or builds for all workers is taken for dead."""


def install(folder: Path, needed: str, shared: Path) -> None:
    """The packages that package-lock.json names, by one worker; the others wait for it."""
    if NPM is None:
        absent("Node 18 or newer with npm (apt-get install nodejs npm)")
    with exclusive(shared / "npm.lock", patience=PATIENCE):
        if not (folder / "node_modules" / needed).exists():
            command = [NPM, "install", "--no-save", "--no-fund", "--no-audit"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)


@pytest.fixture(scope="session")
def installed(shared: Path) -> Path:
    """web/explorer with its packages."""
    install(SOURCES, "axe-core/axe.min.js", shared)
    return SOURCES


Violations = Callable[[Any], list[Any]]


@pytest.fixture(scope="session")
def violations(installed: Path) -> Violations:
    """What axe finds wrong on a page, by the rules of WCAG 2.2 AA and its own of good practice."""
    script = (installed / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

    def found(page: Any) -> list[Any]:
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.evaluate(script)
        result: list[Any] = page.evaluate(
            """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
                 'best-practice'], resultTypes: ['violations']})).violations.map(
                 v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary])"""
        )
        return result

    return found


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
        absent("Chromium (apt-get install chromium)")
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
        tab.set_default_timeout(30_000)
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


ROOT = Path(__file__).parents[2]
APP = ROOT / "web" / "app"
Start = Callable[..., Any]


@pytest.fixture(scope="session")
def site(shared: Path) -> Path:
    """The site as make web makes it, from what the sources are now; built by one worker for all."""
    install(APP, "vite", shared)
    assert NPM
    out = shared / "site"
    with exclusive(shared / "site.lock", patience=PATIENCE):
        if not out.exists():  # it is moved to its place when it is whole
            subprocess.run([NPM, "run", "--silent", "build"], cwd=APP, check=True, capture_output=True, timeout=600)
            command = [sys.executable, str(ROOT / "tools" / "make_site.py"), str(out)]
            made = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if made.returncode:
                absent(f"Pyodide and numpy for it (tools/pyodide_files.py): {made.stderr[-400:]}")
    return out


class Plain(http.server.SimpleHTTPRequestHandler):
    """Any web server: files, and none of the headers that would isolate the page."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def plain_server(site: Path) -> http.server.ThreadingHTTPServer:
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Plain, directory=str(site)))


@pytest.fixture
def start(browser: Any, site: Path) -> Iterator[Start]:
    """Opens the application, its engine ready. Fails the test if the page reports an error or asks another place."""
    servers: list[Any] = []
    contexts: list[Any] = []
    wrong: list[str] = []

    def opened(*, engine: str = "native", width: int = 1366, locale: str = "en-GB", **options: Any) -> Any:
        server = plain_server(site) if engine == "plain" else Server(site, port=0, native=engine == "native")
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_address[1]}"
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=locale, **options)
        contexts.append(context)
        ours = (origin, "blob:", "data:")
        # Of the whole context: pages, workers, frames, the service worker.
        context.on("request", lambda asked: None if asked.url.startswith(ours) else wrong.append(asked.url))
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(server.address if isinstance(server, Server) else f"{origin}/")
        ready(page)
        page.server = server
        return page

    yield opened
    for context in contexts:
        context.close()
    for server in servers:
        server.shutdown()
        server.close() if isinstance(server, Server) else server.server_close()
    assert wrong == []


def ready(page: Any) -> None:
    page.wait_for_selector(".engine:not(.starting):not(:empty), .problem")
    assert page.locator(".problem").count() == 0, page.inner_text(".problem")
