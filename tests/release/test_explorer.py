"""The explorer is one file, asks nobody for anything, and shows the published numbers beside their labels."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from caseveil.release import explorer
from caseveil.release.bundle import BundleContents, contents_for_explorer, render

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def page(contents: BundleContents) -> str:
    return render(contents)["explorer.html"].decode("utf-8")


def test_data_comes_back(contents: BundleContents, page: str) -> None:
    assert explorer.embedded(page.encode()) == contents_for_explorer(contents)


def test_data_cannot_end_its_script(contents: BundleContents) -> None:
    data = {**contents_for_explorer(contents), "title": "</script><script>alert(1)</script> @@POLICY@@ @@DATA@@"}
    page = explorer.render(data)
    assert page.count(b"<script") == 2
    assert page.count(b"</script>") == 2
    assert explorer.embedded(page) == data


def test_policy_forbids_everything_but_its_own_script_and_style(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy.group(1).split(";"))
    assert rules["default-src"] == "'none'"
    for tag in ("script", "style"):
        found = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_page_names_no_other_place(page: str) -> None:
    own = re.sub(r'<script id="data".*?</script>', "", page, flags=re.DOTALL)
    assert "//" not in re.sub(r"^\s*//.*$", "", own, flags=re.MULTILINE)
    assert not re.search(r"\b(src|srcset|ping|action)=", own)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|innerHTML|eval)\b", own)


def test_undeclared_combination_is_refused(contents: BundleContents) -> None:
    index = explorer.ValueIndex(table=contents.tables["cases"].table)
    for text in (
        '{"gender": "Nobody"}', '{"nothing": "x"}', '{"gender": ""}', '{"gender": 1}', "[]", "x", "[" * 9999,
        '{"means of control": "Debt; Debt"}', '{"gender":"Female"}',
    ):  # fmt: skip
        with pytest.raises(ValueError, match="combination"):
            index.combination(text)
    assert index.combination('{"gender": "Female", "means of control": "Debt; Threats"}') == (0, 7, 9)


def shown(page: Path, view: str) -> str:
    assert BROWSER
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"{page.as_uri()}#{view}"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60, text=True, encoding="utf-8").stdout


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_numbers_stand_beside_their_labels(contents: BundleContents, page: str, tmp_path: Path) -> None:
    file = tmp_path / "explorer.html"
    file.write_text(page, encoding="utf-8")
    counts = contents.tables["cases"].counts
    number = dict(zip(counts.combination, (int(x) for x in counts.count), strict=True))
    bars = shown(file, "show=gender")
    for value in ("Female", "Male", "=Other"):
        row = re.search(f'<th scope="row">{value}</th>(.*?)</tr>', bars, re.DOTALL)
        assert row
        assert f'<span class="count">{number[f"""{{"gender": "{value}"}}"""]}</span>' in row.group(1)
    heat = shown(file, "show=gender&by=age&order=count")
    ages = re.findall('<th scope="col">([^<]*)</th>', heat.split('class="heat"')[1].split("</thead>")[0])[1:]
    assert sorted(ages) == ["0--8", "18--47", "48+", "9--17"]
    row = re.search('<th scope="row">Male</th>(.*?)</tr>', heat, re.DOTALL)
    assert row
    cells = re.findall(r"<td[^>]*>(\d+)<span", row.group(1))
    assert cells == [str(number[f'{{"age": "{age}", "gender": "Male"}}']) for age in ages]


def test_counts_across_the_link_come_back(linked: BundleContents) -> None:
    data = contents_for_explorer(linked)
    assert explorer.embedded(render(linked)["explorer.html"]) == data
    assert linked.links is not None
    assert data["links"]["count"] == linked.links.counts.count.tolist()
    assert [table["name"] for table in data["tables"]] == ["victims", "perpetrators"]


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_both_tables_and_the_link_are_shown(linked: BundleContents, tmp_path: Path) -> None:
    file = tmp_path / "explorer.html"
    file.write_bytes(render(linked)["explorer.html"])
    assert linked.links is not None
    counts = linked.tables["perpetrators"].counts
    number = dict(zip(counts.combination, counts.count.tolist(), strict=True))
    page = shown(file, "table=perpetrators&show=gender")
    row = re.search('<th scope="row">Female</th>(.*?)</tr>', page, re.DOTALL)
    assert row
    female = number['{"gender": "Female"}']
    assert f'<span class="count">{female}</span>' in row.group(1)
    of = list(dict.fromkeys(linked.links.counts.of))
    options = re.search('<select id="across-of">(.*?)</select>', page, re.DOTALL)
    assert options
    assert re.findall(">([^<]*)</option>", options.group(1)) == of
    first = [int(n) for n, what in zip(linked.links.counts.count, linked.links.counts.of, strict=True) if what == of[0]]
    table = page.split('id="across-hits"')[1]
    cells = [int(text) for text in re.findall(r'<span class="count">([\d,]+)</span>', table)]
    assert cells == sorted(first, reverse=True)[: len(cells)]
    assert len(cells) == min(50, len(first))


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_one_table_has_no_section_on_links(page: str, tmp_path: Path) -> None:
    file = tmp_path / "explorer.html"
    file.write_text(page, encoding="utf-8")
    assert '<section id="across" aria-labelledby="across-title" hidden="">' in shown(file, "show=gender")
