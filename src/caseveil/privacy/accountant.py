"""What events cost together, rounded up.

mu-GDP composes exactly: k mechanisms, each chosen in sight of the outputs before it, lose
sqrt(mu_1^2 + ... + mu_k^2) (Dong, Roth, Su 2019; Smith, Thakurta 2022), and the deltas of partition selections
add (docs/proofs/gaussian-composition.md and partition-selection-accounting.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from caseveil.privacy.loss import SMALLEST_DELTA, GaussianDP
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent


@dataclass(frozen=True, kw_only=True)
class TotalLoss:
    """Loss of all events together: mu-GDP, but for a probability delta. mu 0 and delta 0 when nothing happened."""

    mu: float
    delta: float

    def __post_init__(self) -> None:
        if not (0 <= self.mu < math.inf and 0 <= self.delta < math.inf):
            raise ValueError("mu and delta must be finite and 0 or more")

    @property
    def rho(self) -> float:
        """mu^2 / 2, the zero-concentrated loss, rounded up; it holds but for the probability delta."""
        return GaussianDP(mu=self.mu).rho if self.mu else 0.0

    def epsilon(self, delta: float) -> float:
        """Smallest epsilon at this delta in all, rounded up; infinite where selections already took the delta."""
        if not 0 < delta < 1:
            raise ValueError(f"delta ({delta}) must be above 0 and below 1")
        left = delta if not self.delta else math.nextafter(delta - self.delta, -math.inf)
        if self.mu == 0:
            return 0.0 if left >= 0 else math.inf
        return GaussianDP(mu=self.mu).epsilon(left) if left >= SMALLEST_DELTA else math.inf


def total(events: Iterable[Event]) -> TotalLoss:
    """Total loss of events on the same people, added up exactly and rounded up once.

    Raises TypeError for a thing that is no event: a cost that is not known is never taken as none.
    """
    squares, deltas = Fraction(0), Fraction(0)
    for event in events:
        if not isinstance(event, GaussianEvent | SelectionEvent):
            raise TypeError(f"the cost of a {type(event).__name__} is not known")
        squares += Fraction(event.mu) ** 2
        if isinstance(event, SelectionEvent):
            deltas += Fraction(event.delta)
    return TotalLoss(mu=_root_up(squares), delta=_up(deltas))


def together(losses: Iterable[TotalLoss]) -> TotalLoss:
    """Loss of several parts on the same people, added up exactly and rounded up once more."""
    parts = list(losses)
    return TotalLoss(
        mu=_root_up(sum((Fraction(loss.mu) ** 2 for loss in parts), Fraction(0))),
        delta=_up(sum((Fraction(loss.delta) for loss in parts), Fraction(0))),
    )


def _up(value: Fraction) -> float:
    """Smallest float at or above the value."""
    out = float(value)
    return out if Fraction(out) >= value else math.nextafter(out, math.inf)


def _root_up(square: Fraction) -> float:
    """A float at or above the square root, at most a few units in the last place too large."""
    out = math.sqrt(_up(square))
    while Fraction(out) ** 2 < square:
        out = math.nextafter(out, math.inf)
    return out
