"""Fixed contents give the very bytes kept in tests/golden: other people's programs read these formats."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from caseveil.release.bundle import BundleContents, render

GOLDEN = Path(__file__).parents[1] / "golden"
WORDS = ("codebook.csv", "datapackage.json", "fidelity.json", "STATEMENT.md")
ONE = ("data/cases.csv", "counts/cases.csv", *WORDS)
LINKED = (
    "data/victims.csv", "data/perpetrators.csv", "data/flattened.csv",
    "counts/victims.csv", "counts/perpetrators.csv", "counts/links.csv", *WORDS,
)  # fmt: skip
MECHANISMS = ({"kind": "gaussian", "label": "all counts", "mu": 0.25, "detail": "up to three columns together"},)
NUMBERS = {"mu": 0.25, "rho": 0.03125, "mechanisms": MECHANISMS}


def compare(files: dict[str, bytes], kept: tuple[str, ...], folder: Path) -> None:
    """Where a change is meant: set CASEVEIL_WRITE_GOLDEN=1, run the test once, and read the difference."""
    if os.environ.get("CASEVEIL_WRITE_GOLDEN"):
        for path in kept:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(files[path])
        pytest.fail("the golden files were written anew; this is no pass")
    assert set(files) == {*kept, "explorer.html", "manifest.json"}
    for path in kept:
        assert files[path] == (folder / path).read_bytes(), f"{path} is written differently now"


def test_golden_bundle(make: Callable[..., BundleContents], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    compare(render(make(rows=40, seed=3, **NUMBERS)), ONE, GOLDEN / "one_table")


def test_golden_linked_bundle(make_links: Callable[..., BundleContents], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    compare(render(make_links(victims=12, **NUMBERS)), LINKED, GOLDEN / "linked_tables")
