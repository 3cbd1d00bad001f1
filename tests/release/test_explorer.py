"""The page is one file, asks nobody for anything, and runs nothing that did not come with it.

What the page does with its data is tested in tests/browser; here is what Python puts into it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from caseveil.release import explorer
from caseveil.release.bundle import BundleContents, render
from caseveil.release.explorer_data import payload

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="@@POLICY@@">
<title>@@TITLE@@</title>
<style>body { color: black }</style>
<style media="print">nav { display: none }</style>
<script type="module">const text = "<style>none of ours</style> <title>";</script>
</head><body><h1>@@TITLE@@</h1>
<script id="data" type="application/json">@@DATA@@</script>
<script>document.title += "!";</script>
</body></html>
"""
HOSTILE = "</script><script>alert(1)</script> <!-- <b> & \u2028 @@POLICY@@ @@DATA@@ @@TITLE@@ \\1 \\g<0>"


class Page(HTMLParser):
    """What a browser sees of a page: (tag, attributes, text) of every script, style and title."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, dict[str, str | None], str]] = []
        self.policy = ""
        self._open = False
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""
        self._open = tag in ("script", "style", "title")
        if self._open:
            self.parts.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            tag, attributes, text = self.parts[-1]
            self.parts[-1] = (tag, attributes, text + data)


def hashes(page: Page, tag: str) -> set[str]:
    found = set()
    for name, attributes, text in page.parts:
        if name == tag and attributes.get("type") != "application/json":
            found.add(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")
    return found


def rules_of(page: Page) -> dict[str, set[str]]:
    rules = (rule.split() for rule in page.policy.split(";"))
    return {name: set(sources) for name, *sources in rules}


@pytest.mark.parametrize("template", [TEMPLATE, None], ids=["small", "packaged"])
def test_policy_forbids_everything_but_what_the_page_holds(contents: BundleContents, template: str | None) -> None:
    page = Page(explorer.render(payload(contents), template))
    rules = rules_of(page)
    assert rules["default-src"] == {"'none'"}
    assert rules["script-src"] == hashes(page, "script")
    assert rules["style-src"] == hashes(page, "style")
    assert rules["img-src"] == {"data:", "blob:"}
    assert rules["base-uri"] == rules["form-action"] == {"'none'"}
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert hashes(page, "script")
    if template:
        assert len(hashes(page, "script")) == len(hashes(page, "style")) == 2


def test_a_page_without_style_allows_none(contents: BundleContents) -> None:
    template = re.sub("<style.*?</style>", "", TEMPLATE.replace("<style>none of ours</style>", ""))
    assert rules_of(Page(explorer.render(payload(contents), template)))["style-src"] == {"'none'"}


@pytest.mark.parametrize("template", [TEMPLATE, None], ids=["small", "packaged"])
def test_data_come_back_and_cannot_leave_their_place(contents: BundleContents, template: str | None) -> None:
    data: dict[str, Any] = {**payload(contents), "title": HOSTILE, "stories": [{"title": HOSTILE}]}
    page = explorer.render(data, template)
    assert explorer.embedded(page) == data
    plain = Page(explorer.render({**data, "title": "x", "stories": []}, template))
    parts = Page(page).parts
    assert [(tag, attributes) for tag, attributes, _ in parts] == [(tag, attr) for tag, attr, _ in plain.parts]
    titles = [text for tag, _, text in parts if tag == "title"]
    assert titles[0] == HOSTILE
    held = next(text for _, attributes, text in parts if attributes.get("id") == "data")
    assert json.loads(held) == data


def test_equal_data_give_equal_bytes(contents: BundleContents) -> None:
    assert explorer.render(payload(contents)) == explorer.render(payload(contents)) == render(contents)["explorer.html"]


@pytest.mark.parametrize(
    "template",
    [
        "", TEMPLATE.replace("@@POLICY@@", ""), TEMPLATE.replace("@@DATA@@", ""), TEMPLATE.replace('id="data" ', ""),
        TEMPLATE + "@@DATA@@", TEMPLATE + "@@POLICY@@",
    ],
)  # fmt: skip
def test_another_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="one place"):
        explorer.render({"title": "x"}, template)


def test_numbers_made_from_the_true_rows_are_refused_but_in_a_private_page(contents: BundleContents) -> None:
    data = {**payload(contents), "private": {"tables": []}}
    with pytest.raises(ValueError, match="true rows"):
        explorer.render(data)
    with pytest.raises(ValueError, match="true rows"):
        explorer.render(payload(contents), private=True)
    assert explorer.embedded(explorer.render(data, private=True))["private"] == {"tables": []}


def test_a_page_without_data_holds_none() -> None:
    for page in (b"", b"<html>", b'<script id="data" type="application/json">{', b"\xff"):
        with pytest.raises(ValueError):  # noqa: PT011 - any of its kinds will do
            explorer.embedded(page)


def test_the_packaged_page_names_no_other_place() -> None:
    own = explorer.packaged()
    assert not re.search(r"\b(src|srcset|ping|action)\s*=\s*[\"']", re.sub(r"<script.*?</script>", "", own, flags=re.S))
    assert not re.search(r"\b(XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\b", own)
    assert not re.search(r"\bon(click|load|error|input|change)=", own)
