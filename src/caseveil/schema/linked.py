"""The public spaces in which linked tables are measured and modelled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from caseveil.schema.attribute import Attribute
from caseveil.schema.domain import Domain
from caseveil.schema.links import Link, number_labels, number_name
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True)
class LinkedTables:
    """Victims, their perpetrators and the link between them, all values known.

    Attributes stand in one order everywhere: V, those of victims, at positions 0 to v - 1; k, the number of links, at
    v; P, those of perpetrators, at v + 1 to v + p.
    """

    victims: Table
    perpetrators: Table
    link: Link

    @cached_property
    def victim_attributes(self) -> tuple[Attribute, ...]:
        """V."""
        return self.victims.attributes()

    @cached_property
    def perpetrator_attributes(self) -> tuple[Attribute, ...]:
        """P."""
        return self.perpetrators.attributes()

    @property
    def v(self) -> int:
        """Number of attributes of victims, and the position of k."""
        return len(self.victim_attributes)

    @property
    def p(self) -> int:
        """Number of attributes of perpetrators."""
        return len(self.perpetrator_attributes)

    @property
    def number(self) -> Attribute:
        """k as an attribute; code 0 is no link."""
        name = number_name(self.perpetrators.name)
        return Attribute(name=name, column=name, labels=number_labels(self.link.at_most))

    def _domain(self, *groups: tuple[str, tuple[Attribute, ...]]) -> Domain:
        return Domain(
            names=tuple(f"{table}{attribute.name}" for table, group in groups for attribute in group),
            sizes=tuple(len(attribute.labels) for _, group in groups for attribute in group),
        )

    @cached_property
    def each(self) -> Domain:
        """V, k and P: a victim with one of her perpetrators."""
        return self._domain(
            (f"{self.victims.name}.", self.victim_attributes),
            ("", (self.number,)),
            (f"{self.perpetrators.name}.", self.perpetrator_attributes),
        )

    @cached_property
    def tilt(self) -> Domain:
        """V and P."""
        return self._domain(
            (f"{self.victims.name}.", self.victim_attributes),
            (f"{self.perpetrators.name}.", self.perpetrator_attributes),
        )

    @cached_property
    def pairs(self) -> Domain:
        """P of one perpetrator and P of another one of the same victim."""
        name = self.perpetrators.name
        return self._domain((f"{name}.", self.perpetrator_attributes), (f"other {name}.", self.perpetrator_attributes))

    @cached_property
    def flags(self) -> tuple[tuple[int, int], ...]:
        """(attribute of P, code) of every value that P can state."""
        return tuple(
            (i, code)
            for i, attribute in enumerate(self.perpetrator_attributes)
            for code in range(1, len(attribute.labels))
        )

    @cached_property
    def any(self) -> Domain:
        """V, and for every value that P can state whether any perpetrator of the victim has it."""
        flags = tuple(
            Attribute(
                name=f"{self.perpetrator_attributes[i].name}: {self.perpetrator_attributes[i].labels[code]}",
                column=self.perpetrator_attributes[i].column,
                labels=("no", "yes"),
            )
            for i, code in self.flags
        )
        return self._domain(
            (f"{self.victims.name}.", self.victim_attributes), (f"any {self.perpetrators.name}.", flags)
        )


def centre_of(at_most: int) -> float:
    """The number of links c around which the view `tilt` is taken: halfway between 1 and the cap."""
    return (at_most + 1) / 2


def tilt_reach(at_most: int) -> float:
    """Largest size of a victim's weights in the view `tilt`, |k - c|; never 0, so that a cap of 1 divides nothing."""
    return max((at_most - 1) / 2, 0.5)
