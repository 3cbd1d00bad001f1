"""A session for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from caseveil.web.service import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """An empty session."""
    made = Session()
    yield made
    made.end()
