"""What holds for all tests: none of them fails because a machine is slow or busy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("caseveil", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("caseveil")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once for all: for all workers of pytest-xdist, and for all passes of make test."""
    given = os.environ.get("CASEVEIL_TESTS_SHARED")
    own = tmp_path_factory.getbasetemp()
    folder = Path(given) if given else (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder
