"""One victim, many perpetrators: how the rows of one table belong to those of another."""

from __future__ import annotations

from dataclasses import dataclass

from caseveil.errors import PlanError

MOST_LINKS = 12
"""Largest cap on links. Weights 1/k are exact whole numbers on a grid of the least common multiple of 1..cap, which
grows fast, and combinations with the number of links have cap + 1 times as many cells."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """Rows of a table belong to rows of the table `to`: each names one of them in its column `key`.

    at_most: most rows of one victim that count; of a victim with more, that many are drawn at random.
    shared_by_at_most: most victims that one perpetrator may have, declared by the steward; only needed when
    perpetrators are units of privacy too.
    """

    to: str
    key: str
    at_most: int
    shared_by_at_most: int | None = None

    def __post_init__(self) -> None:
        for name, text, what in (("to", self.to, "a table"), ("key", self.key, "the column that names its row")):
            if not text.strip():
                raise PlanError(f"links.{name} ('') must name {what}")
        for name in ("at_most", "shared_by_at_most"):
            number: object = getattr(self, name)
            if number is None and name == "shared_by_at_most":
                continue
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise PlanError(f"links.{name} ({number!r:.40}) must be a whole number of 1 or more")
        if self.at_most > MOST_LINKS:
            raise PlanError(
                f"links.at_most ({self.at_most}) must be {MOST_LINKS} or less: of a person with more links, that many "
                f"are drawn at random"
            )


def number_name(table: str) -> str:
    """Name of the attribute that says how many rows of the table a person has."""
    return f"number of {table}"


def number_labels(at_most: int) -> tuple[str, ...]:
    """Labels of that attribute by code: '0', '1', ... up to the cap, which also stands for all above it."""
    return tuple(map(str, range(at_most + 1)))
