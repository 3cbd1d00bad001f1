"""The reference pages say what the program does now."""

from __future__ import annotations

import pytest

from tools.make_reference import REFERENCE, pages


@pytest.mark.parametrize("page", sorted(pages()))
def test_a_reference_page_is_current(page: str) -> None:
    assert (REFERENCE / page).read_text(encoding="utf-8") == pages()[page], "run: python tools/make_reference.py"


def test_the_pages_name_every_command_and_key() -> None:
    made = pages()
    for command in (
        "demo",
        "init",
        "check",
        "forecast",
        "release",
        "evaluate",
        "verify",
        "explore",
        "ledger show",
        "ledger verify",
    ):
        assert f"## caseveil {command}\n" in made["cli.md"]
    for key in ("epsilon", "fabrication", "cells_cap", "delimiter", "bins", "outside"):
        assert f"| `{key}` |" in made["plan.md"]
