"""What the tests of the application share: a session, and Pyodide."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from caseveil.web.service import Session
from tools import pyodide_files


@pytest.fixture
def session() -> Iterator[Session]:
    """An empty session."""
    made = Session()
    yield made
    made.end()


def _missing(why: str) -> None:
    if os.environ.get("CASEVEIL_ALL_CHECKS"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def fetched() -> Path:
    """Pyodide and its wheels."""
    if shutil.which("node") is None:
        _missing("node is not installed")
    try:
        return pyodide_files.fetch()
    except pyodide_files.NotFetched as error:
        _missing(f"Pyodide cannot be fetched: {error}")
        raise
