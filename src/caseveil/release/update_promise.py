"""What the promise of a release means when it goes on from earlier ones: as data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caseveil.errors import PlanError
from caseveil.schema.period import Period


@dataclass(frozen=True, kw_only=True)
class UpdatePromise:
    """Whom a release counts. period: of the people who were counted anew; before: the releases that it goes on from,
    oldest first, none for the first of a series; everyone: share of squared mu for counting everybody again.

    Raises PlanError.
    """

    period: Period
    before: tuple[str, ...] = ()
    everyone: float = 0.0

    def __post_init__(self) -> None:
        if bool(self.before) != (self.period.after is not None):
            raise PlanError("a release that goes on from others must say where those ended")
        if not 0.0 <= self.everyone < 1.0:
            raise PlanError(f"everyone ({self.everyone}) must be 0 or more and below 1")

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "joined": self.period.joined,
            "after": self.period.after,
            "until": self.period.until,
            "before": list(self.before),
            "everyone": self.everyone,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> UpdatePromise:
        """Inverse of `to_json`. Raises KeyError, TypeError or PlanError."""
        after, everyone = raw["after"], raw["everyone"]
        texts = [raw["joined"], raw["until"], *raw["before"], *([] if after is None else [after])]
        if not all(isinstance(text, str) for text in texts) or isinstance(everyone, bool):
            raise TypeError("text was expected")
        period = Period(joined=raw["joined"], until=raw["until"], after=after)
        return cls(period=period, before=tuple(raw["before"]), everyone=float(everyone))

    def words(self, unit: str) -> list[str]:
        """Paragraphs: whom the release counts, and how its counts relate to those of the releases before it."""
        period = self.period
        if not self.before:
            return [
                f"The release is about every {unit} who joined the data by {period.until}. Later ones may be added to "
                f"it by further releases."
            ]
        again = (
            f"Nobody who joined earlier was counted again, so this release tells nothing more about them: each {unit} "
            f"is counted in one release of the series, and loses what that one release costs."
            if not self.everyone
            else f"A part of the budget ({100 * self.everyone:.3g}% of the squared mu) went to counting everybody "
            f"again, and both counts were combined by their precision. So each {unit} who joined earlier loses that "
            f"part once more, on top of what earlier releases cost."
        )
        older = (
            "What was added or mended in records of earlier periods after their release is not in these counts."
            if not self.everyone
            else "What was added or mended in records of earlier periods after their release is in a part of these "
            "counts only, which lie between the old and the new truth there."
        )
        wider = "Noise adds up with the counts: intervals grow from release to release. " if not self.everyone else ""
        return [
            f"The release goes on from {self.before[-1]}. Its noisy counts were taken over, and to them were added "
            f"noisy counts of every {unit} who joined after {period.after} and by {period.until}. {again} This rests "
            f"on the date on which a {unit} joined never changing between releases.",
            f"{wider}{older}",
        ]
