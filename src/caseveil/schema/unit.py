"""Whom the promise protects, as a type and as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from caseveil.errors import PlanError


@dataclass(frozen=True, kw_only=True)
class PrivacyUnit:
    """The unit of privacy. Neighbouring data sets differ by adding or removing one unit with all its rows."""

    name: str = "person"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError("privacy.unit ('') must name whom the promise protects, for example 'victim'")

    @property
    def neighbours(self) -> str:
        """The neighbour relation in words."""
        return f"two data sets are neighbours when one is the other with one {self.name}'s record added or removed"
