"""Caseveil: releases of sensitive case records that are safe to publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caseveil.api import LinkedRelease, Release, forecast, run, synthesize, synthesize_linked

__version__ = "0.1.0"

__all__ = ["LinkedRelease", "Release", "__version__", "forecast", "run", "synthesize", "synthesize_linked"]


def __getattr__(name: str) -> Any:
    """Loads the engine when a public name is first used, so that `import caseveil` stays light."""
    if name in __all__:
        from caseveil import api

        return getattr(api, name)
    raise AttributeError(f"module 'caseveil' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, so that completion offers them before the engine is loaded."""
    return sorted({*globals(), *__all__})
