"""Records what the curator says about some rows, and says it again about others.

The curator is the only door between rows and what is published. With its words fixed, and the random numbers that serve
after the noise, a bundle must come out the same to the byte whatever rows stand behind the door.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from caseveil import produce_links, produce_table
from caseveil.measurement import curator
from caseveil.measurement.curator import Curator, ResidualAllowance

DOORS = ("people", "values", "measure")
"""What the curator and its allowances say about rows; all else that they do is to charge."""


def _wrapped(cls: type, name: str, around: Callable[[Callable[..., Any], Any, Any, Any], Any]) -> Any:
    real = getattr(cls, name)
    return lambda self, *args, **named: around(real, self, args, named)


def record(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """From now on, every answer of a curator is appended to the list that is returned."""
    answers: list[Any] = []

    def keep(real: Callable[..., Any], self: Any, args: Any, named: Any) -> Any:
        answers.append(real(self, *args, **named))
        return answers[-1]

    _patch(monkeypatch, keep)
    return answers


def replay(monkeypatch: pytest.MonkeyPatch, answers: list[Any]) -> list[Any]:
    """From now on, curators give these answers, in order, and look at no row. The list shrinks as they do."""
    left = list(answers)

    def repeat(real: Callable[..., Any], self: Any, args: Any, named: Any) -> Any:
        real(self, *args, **named)  # charges, and takes from the allowance; what it says is thrown away
        return left.pop(0)

    _patch(monkeypatch, repeat)
    return left


def _patch(monkeypatch: pytest.MonkeyPatch, around: Callable[..., Any]) -> None:
    monkeypatch.setattr(Curator, "people", _wrapped(Curator, "people", around))
    monkeypatch.setattr(Curator, "values", _wrapped(Curator, "values", around))
    monkeypatch.setattr(ResidualAllowance, "measure", _wrapped(ResidualAllowance, "measure", around))
    # The doors are all that there are: a new method that says something about rows belongs into DOORS.
    public = {
        name
        for cls in (Curator, ResidualAllowance, curator.LinkAllowance)
        for name, value in vars(cls).items()
        if callable(value) and not name.startswith("_")
    }
    assert public == {*DOORS, "residuals", "link_residuals"}
    assert produce_table.Curator is produce_links.Curator is Curator
