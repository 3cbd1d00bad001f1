"""Libraries that only some sources need, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from caseveil.errors import SourceError


def extra(module: str, purpose: str) -> Any:
    """The module, or SourceError naming what to install. purpose completes '... needs'."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0].replace("_", "-")
        raise SourceError(
            f"{purpose} needs the package {package}, which is not installed: pip install {package}"
        ) from None
