"""What the promise of a release means when its tables are linked: as data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caseveil.schema.links import Link, number_name
from caseveil.schema.unit import PrivacyUnit
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS


@dataclass(frozen=True, kw_only=True)
class LinkPromise:
    """Each record of `table` belongs to one of `to`; at most at_most of one person count.

    shared_by_at_most None: the unit is a person of `to` with all that is linked. Otherwise somebody in `table` is a
    unit too, with at most that many people of `to`. Raises PlanError, as `Link` does.
    """

    to: str
    table: str
    at_most: int
    shared_by_at_most: int | None = None

    def __post_init__(self) -> None:
        Link(to=self.to, key=self.table, at_most=self.at_most, shared_by_at_most=self.shared_by_at_most)

    def fits(self, link: Link, table: str) -> bool:
        """Whether this speaks of that link of that table."""
        mine = (self.to, self.table, self.at_most, self.shared_by_at_most)
        return mine == (link.to, table, link.at_most, link.shared_by_at_most)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "to": self.to,
            "table": self.table,
            "at_most": self.at_most,
            "shared_by_at_most": self.shared_by_at_most,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> LinkPromise:
        """Inverse of `to_json`. Raises KeyError, TypeError or PlanError."""
        if not isinstance(raw["to"], str) or not isinstance(raw["table"], str):
            raise TypeError("text was expected")
        return cls(
            to=raw["to"], table=raw["table"], at_most=raw["at_most"], shared_by_at_most=raw["shared_by_at_most"]
        )

    @property
    def both(self) -> bool:
        """Whether people of both tables are units of privacy."""
        return self.shared_by_at_most is not None

    def whole(self, unit: PrivacyUnit) -> str:
        """The unit, spelled out."""
        if self.both:
            return f"{unit.name}, with all links"
        return f"{unit.name}, with all {self.table} linked to this {unit.name}"

    def neighbours(self, unit: PrivacyUnit) -> str:
        """The neighbour relation in words."""
        if self.both:
            return (
                f"two data sets are neighbours when one is the other with one {unit.name} added or removed, with all "
                f"links; in both, nobody in {self.to} is linked to more than {self.at_most} in {self.table}, and "
                f"nobody in {self.table} to more than {self.shared_by_at_most} in {self.to}"
            )
        return (
            f"two data sets are neighbours when one is the other with one {unit.name} added or removed, with all "
            f"{self.table} linked to this {unit.name}"
        )

    def subject(self, unit: PrivacyUnit) -> tuple[str, str]:
        """For the sentence of the promise: who is protected, and whether or not what makes little difference."""
        if self.both:
            return f"{unit.name} in the data, with all links,", f"any one {unit.name} is in the data, with all links,"
        return (
            f"{unit.name} in the data, with all {self.table} linked to this {unit.name},",
            f"the records of any one {unit.name} and of all {self.table} linked to this {unit.name} were used",
        )

    # What follows is Markdown, so it is asked of a promise and a unit whose names are written for it (prose.py).

    def _one(self, unit: PrivacyUnit) -> str:
        """Somebody in `to`: of a unit like 'victim or perpetrator', the first."""
        return unit.name.split(" or ")[0] if self.both else unit.name

    def what(self, unit: PrivacyUnit, records: int) -> str:
        """What the files are about."""
        return (
            f"These files describe two linked tables, {self.to} and {self.table}; each record of {self.table} belongs "
            f"to one {self._one(unit)}. None of the records was copied into them. They hold {records:,} **synthetic "
            f"records** of {self.to}, with those of {self.table} linked to them, which look like the real ones and "
            "belong to nobody; and **counts** of how many records have certain values, within a table and across the "
            "link, with intervals. All were made from counts of the real tables to which random noise had been added. "
            "The real records were not used for anything else."
        )

    def thought(self, unit: PrivacyUnit) -> str:
        """The thought experiment behind the promise."""
        if self.both:
            return (
                f"Think of any one {unit.name}, and of this release made twice: once with this person and all links of "
                f"this person in the tables, and once without. (Without somebody in {self.table}, those in {self.to} "
                "stay, and lose that link.) Whatever somebody may conclude from the release, about this person or "
                "anything else, could have been concluded without the person too. How much likelier the person's "
                "records make it is limited by two numbers."
            )
        return (
            f"Think of any one {unit.name}, and of this release made twice: once with the records of this {unit.name} "
            f"and of all {self.table} linked to this {unit.name} in the tables, and once with none of them. Whatever "
            f"somebody may conclude from the release, about this {unit.name} or anything else, could have been "
            "concluded without these records too. How much likelier they make it is limited by two numbers."
        )

    def limits(self, unit: PrivacyUnit) -> list[str]:
        """What the promise does not hold, as items of a list."""
        if self.both:
            return [
                f"**Somebody who stands in the tables under several keys,** or in both {self.to} and {self.table}. "
                "The promise is for one of them. With k of them, mu is k times as large, and epsilon somewhat more "
                "than k times.",
            ]
        return [
            f"**Somebody in {self.table} who is linked to several {self.to}.** Facts about such a person that appear "
            f"through several {self.to} are not hidden as one unit. For somebody linked to k {self.to}, mu is up to 2k "
            "times as large, and epsilon somewhat more than 2k times.",
            f"**A {unit.name} with several records in {self.to}.** The promise is for one record, with all that is "
            f"linked to it. With k records of the same {unit.name}, mu is k times as large, and epsilon somewhat more "
            "than k times.",
        ]

    def reading(self, unit: PrivacyUnit) -> list[str]:
        """How to read linked records and counts across the link, as lines of a list."""
        one, some, cap = self._one(unit), self.table, self.at_most
        capped = (
            f"**No {one} has more than {cap} in {some}, and nobody in {some} more than {self.shared_by_at_most} in "
            f"{self.to}.** Data with more are refused; nothing was cut off."
            if self.both
            else f"**At most {cap} {some} count for one {one}.** Of a {one} with more, {cap} were drawn at random and "
            f"the others left out, so {cap} also stands for more. How often that happened is not told."
        )
        return [
            f"- {capped}",
            f"- A record of {some} is a **link**. Somebody who is linked to three {self.to} stands there three times: "
            f"counts of {some} are counts of links, not of people.",
            "- The keys that tie the tables together were invented. Neither they nor the order of the records mean "
            "anything.",
            "- `counts/links.csv` counts across the link. Its column `of` says what is counted:",
            f"    - `{LINKS}`: records of {some} with these values. Values named for {self.to} are those of the {one} "
            "whom the record belongs to.",
            f"    - `{ANY}`: {self.to} with these values, and with at least one record of {some} that has all values "
            f"named for {some}. Each {one} counts once.",
            f'    - `{VICTIMS}`: {self.to} by "{number_name(some)}" and values of their own.',
            f"    - `{PAIR}`: {self.to} with two or more {some}, each counted in parts. Two of the {some} are drawn at "
            f"random, one after the other; the part is the chance that the first has the values named for {some} and "
            f"the second those named for other {some}. The parts are added up and rounded.",
        ]

    def measured(self, unit: PrivacyUnit) -> str:
        """How links were counted, for the privacy officer."""
        one = self._one(unit)
        text = (
            f"A {one} with k {self.table} counts through each of them with a weight that depends on k and on "
            f"{self.at_most}, the most that count, alone, such as 1/k; and through each pair of them with 1/(k(k-1)). "
            f"Weights are whole numbers on a common grid. Noise is scaled to the most that the weights of one {one} "
            "can add up to"
        )
        if self.both:
            return (
                f"{text}, times {2 * (self.shared_by_at_most or 1)}: to add or remove somebody in {self.table} changes "
                f"the records of up to {self.shared_by_at_most} {self.to}, and to change one is to remove it and add "
                "another."
            )
        return f"{text}."
