"""What was done to the protected data, as events. An event says what happened; the accountant says what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from caseveil.errors import LedgerError


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text")


def _check_number(name: str, value: object, below: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < below:
        raise ValueError(f"{name} ({value}) must be a number above 0 and below {below:g}")


@dataclass(frozen=True, kw_only=True)
class GaussianEvent:
    """Counts were released with Gaussian noise, rounded or not: mu = L2 sensitivity / standard deviation.

    One event may stand for many tables, mu^2 being the sum of theirs. detail is a sentence for people and
    holds nothing that depends on the rows. Raises ValueError for a mu that is not finite and above 0.
    """

    kind: ClassVar[str] = "gaussian"

    label: str
    mu: float
    detail: str = ""

    def __post_init__(self) -> None:
        _check_text("label", self.label)
        _check_number("mu", self.mu, math.inf)
        _check_text("detail", self.detail)

    def to_json(self) -> dict[str, str | float]:
        """The event as plain data; numbers survive JSON exactly."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class SelectionEvent:
    """Values were released because their noisy counts passed a threshold (private partition selection).

    mu is the loss on the values that both neighbours hold; delta bounds the probability that a value which
    only the changed unit holds is released (docs/proofs/partition-selection-accounting.md). Raises ValueError
    unless mu is finite and above 0 and delta is above 0 and below 1.
    """

    kind: ClassVar[str] = "selection"

    label: str
    mu: float
    delta: float
    detail: str = ""

    def __post_init__(self) -> None:
        _check_text("label", self.label)
        _check_number("mu", self.mu, math.inf)
        _check_number("delta", self.delta, 1.0)
        _check_text("detail", self.detail)

    def to_json(self) -> dict[str, str | float]:
        """The event as plain data; numbers survive JSON exactly."""
        return {"kind": self.kind, **asdict(self)}


Event = GaussianEvent | SelectionEvent

_FIELDS: dict[str, tuple[type[GaussianEvent] | type[SelectionEvent], frozenset[str]]] = {
    "gaussian": (GaussianEvent, frozenset({"kind", "label", "mu", "detail"})),
    "selection": (SelectionEvent, frozenset({"kind", "label", "mu", "delta", "detail"})),
}


def event_from_json(data: object) -> Event:
    """The event that `to_json` wrote. Raises LedgerError for an unknown kind, a missing or an extra field."""
    if not isinstance(data, Mapping):
        raise LedgerError("an event must be a JSON object")
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise LedgerError(
            f"event kind ({kind}) must be one of {', '.join(_FIELDS)}: its cost is not known to this version; "
            f"use the version of Caseveil that wrote it, or a newer one"
        )
    make, fields = _FIELDS[kind]
    if set(data) != fields:
        raise LedgerError(f"a {kind} event must have the fields {', '.join(sorted(fields))} and no others")
    try:
        return make(**{name: value for name, value in data.items() if name != "kind"})
    except ValueError as error:
        raise LedgerError(f"a {kind} event is damaged: {error}") from None
