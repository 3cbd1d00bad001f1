"""Plans and files with faults that nobody thought of end in a sentence and cost nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caseveil import produce
from caseveil.errors import PlanError
from tests.assurance import fuzzing, planted

EXAMPLES = 300
"""tools/assurance.py takes many more."""


def test_fuzzed_plans(tmp_path: Path) -> None:
    codes = fuzzing.fuzz_plans(tmp_path, EXAMPLES)
    assert codes[0] > 5, "hardly one plan is sound"
    assert codes[2] > 50, "hardly one plan is at fault"


def test_fuzzed_tables(tmp_path: Path) -> None:
    codes = fuzzing.fuzz_tables(tmp_path, EXAMPLES)
    assert codes[0] > 5, "hardly one file is sound"
    assert codes[2] > 50, "hardly one file is at fault"


def test_the_harness_notices_a_charge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing above could fail."""
    fuzzing.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    real = produce.produce

    def late(*args: Any, **named: Any) -> None:
        real(*args, **named)
        raise PlanError("too late")

    monkeypatch.setattr(produce, "produce", late)
    with pytest.raises(AssertionError, match=r"a refusal changed \['ledger.caseveil'\]"):
        fuzzing.hold(tmp_path, "release", "release.toml", "--quiet")


def test_the_harness_notices_a_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzing.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)

    def loud(*_: object, **__: object) -> None:
        raise PlanError(f"the cell {planted.KEY} is bad")

    monkeypatch.setattr(produce, "produce", loud)
    with pytest.raises(AssertionError, match="a secret is shown"):
        fuzzing.hold(tmp_path, "release", "release.toml", "--quiet")
