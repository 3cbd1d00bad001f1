"""Releases that go on from one another: whom a release counts, and what it takes over from the last one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from caseveil.errors import PlanError
from caseveil.schema.period import Period
from caseveil.schema.unit import PrivacyUnit


@dataclass(frozen=True, kw_only=True)
class Update:
    """Whom a release counts: who joined in a period. previous: folder of the bundle whose counts of all who joined
    before are added; None for the first of a series.

    everyone: share of the squared mu that goes to counting all people again; the rest goes to who joined in the period.
    """

    period: Period
    previous: str | None = None
    everyone: float = 0.0

    def __post_init__(self) -> None:
        if self.previous is not None and not self.previous.strip():
            raise PlanError("update.previous ('') must name the folder of the bundle of the last release")
        if (self.previous is None) != (self.period.after is None):
            there, lacking = ("after", "previous") if self.previous is None else ("previous", "after")
            raise PlanError(
                f"update.{lacking} is missing: {there} and {lacking} belong together. A release that goes on names the "
                f"bundle of the last one and where that ended; the first of a series has neither"
            )
        if not (math.isfinite(self.everyone) and 0.0 <= self.everyone < 1.0):
            raise PlanError(f"update.everyone ({self.everyone:g}) must be 0 or more and below 1")
        if self.everyone and self.previous is None:
            raise PlanError("update.everyone must be left out of the first of a series: it counts everybody")


def check_update(update: Update | None, unit: PrivacyUnit) -> None:
    """Raises PlanError where periods cannot say who is counted once."""
    if update is not None and unit.either:
        raise PlanError(
            f"update must be left out for the unit {unit.name!r}: a perpetrator may have victims who joined in "
            f"different periods, and would be counted in each"
        )
