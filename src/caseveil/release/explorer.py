"""explorer.html: one file that shows a release, opens with a double click and needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

PRIVATE = "private"
"""Key of a page's data under which numbers made from the true rows stand; no page of a bundle has it."""

_DATA = re.compile(r'<script id="data" type="application/json">(.*?)</script>', re.DOTALL)
_OWN = re.compile(r"<(script|style)\b([^>]*)>(.*?)</\1>", re.DOTALL)
_PLACE = re.compile(r"@@(POLICY|TITLE|DATA)@@")


def packaged() -> str:
    """The page without data, as web/explorer builds it (make web)."""
    return resources.files("caseveil.release").joinpath("explorer_template.html").read_text("utf-8")


def render(data: Mapping[str, Any], template: str | None = None, *, private: bool = False) -> bytes:
    """The page with its data. Equal data give equal bytes.

    Its policy for content allows its own scripts and styles, known by hash, pictures that it draws itself, and nothing
    else: no network, no other file. template: `packaged` unless given; it holds @@POLICY@@ and @@DATA@@ once and
    @@TITLE@@ anywhere. Raises ValueError for another template, and for data with numbers made from the true rows unless
    the page is `private`.
    """
    if (PRIVATE in data) is not private:
        raise ValueError("numbers made from the true rows belong into a private page, and into no other")
    template = packaged() if template is None else template
    if template.count("@@POLICY@@") != 1 or len(_DATA.findall(template)) != 1 or template.count("@@DATA@@") != 1:
        raise ValueError("the template must have one place for its policy and one for its data")
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    fill = {"POLICY": policy(template), "TITLE": html.escape(str(data["title"])), "DATA": text}
    return _PLACE.sub(lambda place: fill[place.group(1)], template).encode("utf-8")


def policy(template: str) -> str:
    """The page's Content-Security-Policy: everything is forbidden but what the template itself holds."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for tag, attributes, source in _OWN.findall(template):
        if "application/json" not in attributes:  # data are no script, and are not run
            hashes[tag].append(_hash(source))
    allowed = (f"{tag}-src {' '.join(found) or chr(39) + 'none' + chr(39)}" for tag, found in hashes.items())
    return f"default-src 'none'; {'; '.join(allowed)}; img-src data: blob:; base-uri 'none'; form-action 'none'"


def embedded(page: bytes) -> Any:
    """The data inside a page. Raises ValueError."""
    found = _DATA.search(page.decode("utf-8"))
    if found is None:
        raise ValueError("the page holds no data")
    return json.loads(found.group(1))


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode('utf-8')).digest()).decode('ascii')}'"
