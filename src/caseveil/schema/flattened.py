"""A table of one row per victim derived from linked ones, for users of the older format.

It is made from synthetic records only, so it costs nothing and promises nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from caseveil.errors import PlanError

NAME = "flattened"
"""Name of the derived table: data/flattened.csv."""

JOINT = ";"
"""What stands between the values of several rows in one cell."""


@dataclass(frozen=True, kw_only=True)
class FlattenedColumn:
    """One column of the derived table.

    table, column: where its values come from. For a column of the linked table the cell holds the distinct stated
    values over all of a person's rows, in alphabetical order, joined by ';'. recode: value -> value before that
    ('' drops one); values that it does not name stay as they are. has: the cell holds `yes` where any of the
    person's rows has this value (or item), and is missing otherwise.
    """

    name: str
    table: str
    column: str
    recode: Mapping[str, str] = field(default_factory=dict)
    has: str | None = None
    yes: str = "1"
    meaning: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError(f"{NAME} must not hold a column without a name")
        place = f"{NAME}.{self.name}"
        if not self.table or not self.column:
            raise PlanError(f"{place}.from must name a table and a column, as 'victims.gender'")
        if self.has is not None and self.recode:
            raise PlanError(f"{place} must have recode or has, not both")
        if self.has is not None and not self.has.strip():
            raise PlanError(f"{place}.has ('') must be one of the values of {self.column}")
        if self.has is not None and not self.yes.strip():
            raise PlanError(f"{place}.yes ('') must be a text")
        if self.has is None and self.yes != "1":
            raise PlanError(f"{place}.yes ({self.yes[:40]!r}) needs has: it stands where a row has that value")
        joined = next((value for value in self.recode.values() if JOINT in value), None)
        if joined is not None:
            raise PlanError(f"{place}.recode ({joined[:40]!r}) must not hold {JOINT!r}: it stands between values")
