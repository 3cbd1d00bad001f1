"""Whom the promise protects, as a type and as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from caseveil.errors import PlanError

EITHER = "victim or perpetrator"
"""The unit of linked tables that also protects perpetrators, each with all rows that hold the same key."""


@dataclass(frozen=True, kw_only=True)
class PrivacyUnit:
    """The unit of privacy. Neighbouring data sets differ by adding or removing one unit with all its rows.

    In linked tables those are a row of the table of people and all rows linked to it; with the name EITHER also all
    rows of one perpetrator, which may be linked to several people. The plan declares how many of each there can be.
    """

    name: str = "person"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError("privacy.unit ('') must name whom the promise protects, for example 'victim'")

    @property
    def either(self) -> bool:
        """Whether perpetrators are units too, so that noise must also cover all links of one of them."""
        return self.name == EITHER

    @property
    def neighbours(self) -> str:
        """The neighbour relation in words, for one table."""
        return f"two data sets are neighbours when one is the other with one {self.name}'s record added or removed"
