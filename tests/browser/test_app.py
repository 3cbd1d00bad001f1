"""The steward's application in a real browser, as a new user meets it: the engine in the page, and behind it."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.app_page import KEPT, SECRET, drop, idle, open_cases, promise, release, saved, verified
from tests.browser.conftest import APP, BROWSER, NPM, Start, Violations, plain_server, ready

STEPS = ("open", "prepare", "risk", "promise", "make", "explore", "publish")

NAMED_ON_THE_RIGHT = """[...document.querySelectorAll('.plot')].map(plot => {
  const middle = (part) => { const box = part.getBoundingClientRect(); return box.left + box.width / 2; };
  const name = plot.querySelector('[aria-label="y-axis tick label"]');
  return middle(name) > middle(plot.querySelector('[aria-label=bar]')); })"""


def test_from_a_dropped_file_to_a_bundle_that_verifies(start: Start, tmp_path: Path) -> None:
    """In the browser alone: nothing but the site's own files is asked for (fixture `start`)."""
    page = start(engine="browser")
    open_cases(page)
    assert not page.get_by_role("checkbox", name="Release phone").is_checked()
    page.click("#step-risk")
    assert re.search(r"of 900 people", page.inner_text(".verdict"))
    promise(page)
    page.wait_for_selector(".plot svg")
    release(page)
    page.wait_for_selector("#compare")
    idle(page)
    (name, is_saved, text), *more = page.evaluate(KEPT)
    assert (more, is_saved, "epsilon" in text or "rho" in text or "mu" in text) == ([], False, True)
    page.click("#step-explore")
    inside = page.frame_locator("iframe.explorer")
    assert inside.locator("h1").inner_text()
    inside.locator("nav a").last.click()
    page.click("#step-publish")
    file, bundle = saved(page, "#save-bundle")
    assert file.endswith(".zip")
    found = verified(bundle, tmp_path / "bundle")
    everything = b"".join(path.read_bytes() for path in found.rglob("*") if path.is_file())
    assert SECRET.encode() not in everything
    assert b"55501" not in everything
    file, ledger = saved(page, "#save-ledger")
    assert (file, ledger.decode()) == (name, text)
    _, toml = saved(page, "#save-plan")
    assert b"epsilon = 1" in toml
    # Another visit: what was spent is offered again.
    page.goto("about:blank")
    page.go_back()
    ready(page)
    assert name in page.inner_text(".kept")


def test_a_release_over_the_budget_is_refused_and_charges_nothing(start: Start) -> None:
    page = start()
    open_cases(page)
    promise(page, epsilon=2)
    page.select_option("#budget", "0.5")
    page.wait_for_selector(".refused")
    release(page)
    page.wait_for_selector(".problem")
    assert "budget" in page.inner_text(".problem")
    assert page.evaluate(KEPT) == []
    assert page.locator("#compare").count() == 0


@pytest.mark.parametrize("engine", ["native", "browser", "plain"])
def test_a_cancelled_release_stops_and_keeps_what_was_charged(start: Start, engine: str) -> None:
    """plain: no shared memory, so that the worker is ended and gets files and ledger again."""
    page = start(engine=engine)
    assert page.evaluate("crossOriginIsolated") is (engine != "plain")
    page.click("#example-one")
    page.wait_for_selector("#next")
    promise(page, length=3)
    release(page)
    for _ in range(1_800):
        if page.evaluate(KEPT):
            break
        page.wait_for_timeout(50)
    page.click("#cancel")
    idle(page)
    assert "charge stays" in page.inner_text("main")
    ((_, is_saved, _),) = page.evaluate(KEPT)
    assert is_saved is False
    assert page.locator("#compare").count() == 0
    page.click("#step-promise")
    page.wait_for_selector(".gauge-words")
    page.locator(".of-spent", has_text=re.compile(r"spent [1-9]")).wait_for()


@pytest.mark.parametrize(("name", "content"), [
    ("cases.xlsx", b"PK\x03\x04" + SECRET.encode() * 20),
    ("cases.csv", b""),
    ("cases.csv", b"\x00\x01\x02" + SECRET.encode()),
])  # fmt: skip
def test_a_broken_file_is_told_in_words_and_nothing_of_it(start: Start, name: str, content: bytes) -> None:
    page = start()
    drop(page, {name: content})
    page.wait_for_selector(".problem")
    said = page.inner_text(".problem")
    assert len(said) > 30
    assert SECRET not in said
    assert "fault of its own" not in said
    page.click("#problem-close")
    page.click("#example-one")
    page.wait_for_selector("#next")


def test_every_decision_can_be_taken_back(start: Start) -> None:
    page = start()
    open_cases(page)
    page.fill("#column-new-name", "part_of_the_country")
    page.locator("#column-new-name").dispatch_event("change")
    assert page.locator(".columns bdi", has_text="part_of_the_country").count() == 1
    page.click("#undo")
    assert page.locator(".columns bdi", has_text="part_of_the_country").count() == 0
    page.keyboard.press("Control+Shift+Z")
    assert page.locator(".columns bdi", has_text="part_of_the_country").count() == 1
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.close(run_before_unload=True)  # asks, for decisions are not saved
    page.wait_for_timeout(300)
    assert not page.is_closed()


def test_what_is_typed_stays_and_one_click_is_enough(start: Start) -> None:
    page = start()
    open_cases(page)
    # Whatever the engine says meanwhile, an unfinished word is not taken away.
    page.click("#column-new-name")
    page.keyboard.press("End")
    page.keyboard.type("_of_case")
    page.evaluate("document.getElementById('undo').click()")
    page.wait_for_timeout(600)
    assert page.input_value("#column-new-name").endswith("_of_case")
    assert page.evaluate("document.activeElement.id") == "column-new-name"
    page.locator("#filter summary").click()
    page.select_option("#where-column", "region")
    page.fill("#where-values", "North | South")
    page.click("#keep-1")
    page.wait_for_timeout(600)
    assert [page.input_value(f"#where-{name}") for name in ("column", "values")] == ["region", "North | South"]
    page.click("#where-add")
    page.wait_for_selector("#where-0")
    assert page.input_value("#where-values") == ""
    page.click("#step-make")
    page.fill("#release-title", "A title")
    page.click("#step-publish")
    assert page.inner_text("h2.page-title") == "Publish"
    page.click("#step-make")
    assert page.input_value("#release-title") == "A title"


@pytest.mark.parametrize("touch", [False, True])
def test_a_press_that_leaves_a_changed_field_is_a_click_however_slow(start: Start, touch: bool) -> None:
    """The change of the field draws the step anew; not between the press and its release."""
    page = start(has_touch=touch)

    def press(place: str) -> None:
        if touch:
            page.tap(place)
        else:
            page.click(place, delay=300)

    open_cases(page)
    done = {
        "#filter summary": "#filter[open]",
        "#column-2": "#column-2[aria-current=true]",
        "#step-risk": "#step-risk[aria-current=step]",
    }
    for position, (place, then) in enumerate(done.items()):
        press("#column-new-name")
        page.keyboard.press("End")
        page.keyboard.type(f"_{position}")
        press(place)
        page.wait_for_selector(then)
    page.click("#step-prepare")
    assert {"region_0_1", "age_group_2"} <= set(page.locator(".columns bdi").all_inner_texts())


@pytest.fixture(scope="module")
def walk() -> Callable[[Any], Iterator[str]]:
    """Through every step with two tables and a release."""

    def steps(page: Any) -> Iterator[str]:
        page.wait_for_selector("#example-two")
        yield "start"
        page.click("#example-two")
        page.wait_for_selector("#next")
        promise(page, length=1)
        for step in STEPS:
            page.click(f"#step-{step}")
            if step == "make":
                page.click("#rehearse")
                page.wait_for_selector("#compare")
                idle(page)
            page.wait_for_timeout(400)
            yield step

    return steps


@pytest.mark.parametrize(("width", "scheme", "locale"), [
    (1366, "light", "en-GB"), (1366, "dark", "fr-FR"), (390, "light", "es-ES"), (390, "dark", "ar-EG"),
])  # fmt: skip
def test_every_step_in_every_language_is_whole_and_axe_finds_nothing(
    start: Start, walk: Callable[[Any], Iterator[str]], violations: Violations, width: int, scheme: str, locale: str
) -> None:
    page = start(width=width, color_scheme=scheme, locale=locale)
    lang = locale[:2]
    for step in walk(page):
        assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
            lang, "rtl" if lang == "ar" else "ltr"
        ]  # fmt: skip
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step
        assert not re.search(r"\{\w+\}|undefined|NaN|\[object", page.inner_text("#page")), step
        assert violations(page) == [], step
        if lang != "en" and step in ("open", "prepare", "risk"):
            assert page.locator("main [lang=en]").all_inner_texts() == [], step
        if step == "risk":
            page.wait_for_selector(".plot svg")
            assert set(page.evaluate(NAMED_ON_THE_RIGHT)) == {lang == "ar"}
            assert "perpetrators" in page.inner_text("#with-links")


def test_keys_alone_lead_from_the_example_to_a_zip_that_verifies(start: Start, tmp_path: Path) -> None:
    page = start()

    def reach(name: str, key: str = "Tab") -> None:
        for _ in range(150):
            page.keyboard.press(key)
            here = page.evaluate(
                """() => { const e = document.activeElement; const shown = e.nextElementSibling ?? e;
                     return [e.id, getComputedStyle(e).outlineStyle !== 'none' ||
                       getComputedStyle(shown).outlineStyle !== 'none', e === document.body]; }"""
            )
            assert here[1] or here[2], here  # focus can be seen
            if here[0] == name:
                return
        raise AssertionError(f"{name} cannot be reached")

    def press(name: str, key: str = "Enter") -> None:
        reach(name)
        page.keyboard.press(key)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    press("example-one")
    page.wait_for_selector("#next")
    press("next")
    assert page.evaluate("document.activeElement.textContent") == "Prepare"
    press("keep-0", "Space")
    assert not page.is_checked("#keep-0")
    assert page.evaluate("document.activeElement.id") == "keep-0"
    page.keyboard.press("Control+z")
    assert page.is_checked("#keep-0")
    press("step-promise")
    press("length", "Home")
    assert page.get_attribute("#length", "aria-valuetext") == "Single columns alone"
    press("step-make")
    press("rehearse")
    page.wait_for_selector("#compare")
    idle(page)
    press("release")
    page.wait_for_selector("#confirm-yes")
    assert page.evaluate("document.activeElement.id") == "confirm-no"
    page.keyboard.press("Escape")  # nothing is charged
    page.wait_for_selector("#confirm-yes", state="detached")
    assert page.evaluate("document.activeElement.id") == "release"
    page.keyboard.press("Enter")
    press("confirm-yes")
    page.wait_for_selector("#cancel")
    idle(page)
    assert page.evaluate(KEPT)
    press("step-explore")
    page.frame_locator("iframe.explorer").locator("h1").wait_for()
    reach("step-publish", "Shift+Tab")
    page.keyboard.press("Enter")
    reach("save-bundle")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    verified(Path(waiting.value.path()).read_bytes(), tmp_path / "bundle")


def test_a_second_visit_needs_no_server(start: Start) -> None:
    page = start(engine="plain")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server = page.server
    server.shutdown()
    server.server_close()
    again = page.context.new_page()
    again.set_default_timeout(90_000)
    again.goto(page.url)
    ready(again)
    again.click("#example-one")
    again.wait_for_selector("#next")
    again.click("#step-prepare")
    again.wait_for_selector("#before")


def test_once_installed_it_opens_from_the_desktop_with_the_server_gone(
    browser: Any, site: Path, tmp_path: Path
) -> None:
    server = plain_server(site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # A private window installs nothing, and each of Playwright's contexts is one.
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
    )
    context.set_default_timeout(90_000)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    device = context.new_cdp_session(page)
    assert device.send("Page.getInstallabilityErrors") == {"installabilityErrors": []}
    app = {"manifestId": device.send("Page.getAppId")["appId"]}
    device.send("PWA.install", app)
    server.shutdown()
    server.server_close()
    with context.expect_page() as opened:
        device.send("PWA.launch", app)
    installed = opened.value
    ready(installed)
    installed.click("#example-one")
    installed.wait_for_selector("#next")
    context.close()


@pytest.mark.parametrize("script", ["check", "test"])
def test_types_and_unit_tests_of_the_application_hold(site: Path, script: str) -> None:
    assert NPM
    done = subprocess.run([NPM, "run", "--silent", script], cwd=APP, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_the_page_never_evaluates_text_and_knows_the_explorer_of_this_version(site: Path) -> None:
    from caseveil.release import explorer

    policy = (site / "policy.txt").read_text("utf-8")
    assert policy.strip() in (site / "index.html").read_text("utf-8").replace("&#39;", "'")
    assert "'unsafe-eval'" not in policy
    assert "'unsafe-inline'" not in policy
    for allowed in re.findall(r"'sha256-[^']+'", explorer.policy(explorer.packaged())):
        assert allowed in policy
    pages = sum(path.stat().st_size for path in (site / "assets").iterdir())
    assert pages < 700_000


def test_every_part_of_the_site_is_named_with_its_licence(site: Path) -> None:
    said = (site / "licences.txt").read_text("utf-8")
    parts = re.split(r"^----$", said, flags=re.MULTILINE)
    names = {part.strip().splitlines()[0]: part for part in parts}
    wheels = {"-".join(path.name.split("-")[:2]).replace("-", " ") for path in (site / "wheels").iterdir()}
    for name in {"Pyodide 0.27.7", "CPython 3.12", "Caseveil"} | {one for one in wheels if "caseveil" not in one}:
        assert name in names
    assert "Mozilla Public License" in names["Pyodide 0.27.7"]
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in names["CPython 3.12"]
    assert "NumPy Developers" in names["numpy 2.0.2"]
    assert "Apache License" in names["Caseveil"]
