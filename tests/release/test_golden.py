"""Fixed contents give the very bytes kept in tests/golden: other people's programs read these formats."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from caseveil.release.bundle import BundleContents, render

GOLDEN = Path(__file__).parents[1] / "golden" / "one_table"
KEPT = ("data/cases.csv", "counts/cases.csv", "codebook.csv", "datapackage.json", "fidelity.json", "STATEMENT.md")
MECHANISMS = ({"kind": "gaussian", "label": "all counts", "mu": 0.25, "detail": "up to three columns together"},)


def test_golden_bundle(make: Callable[..., BundleContents], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a change is meant: set CASEVEIL_WRITE_GOLDEN=1, run this test once, and read the difference."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    files = render(make(rows=40, seed=3, mu=0.25, rho=0.03125, mechanisms=MECHANISMS))
    if os.environ.get("CASEVEIL_WRITE_GOLDEN"):
        for path in KEPT:
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_bytes(files[path])
        pytest.fail("the golden files were written anew; this is no pass")
    assert set(files) == {*KEPT, "explorer.html", "manifest.json"}
    for path in KEPT:
        assert files[path] == (GOLDEN / path).read_bytes(), f"{path} is written differently now"
