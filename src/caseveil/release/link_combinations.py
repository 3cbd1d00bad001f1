"""Combinations across the link as numbers, and how often synthetic records have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from caseveil.release.combinations import Ids, ValueIndex, bit_table, count_rows, named_cells, pack, unpack
from caseveil.schema.links import number_labels, number_name
from caseveil.schema.table import Table
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS


@dataclass(frozen=True)
class LinkCombination:
    """Ids of values, per table as `ValueIndex` numbers them. number: links of the person, or None.

    other: values of a second row of the linked table, for pairs.
    """

    people: Ids
    number: int | None
    linked: Ids
    other: Ids


@dataclass(frozen=True, kw_only=True)
class LinkIndex:
    """Reads combinations of counts/links.csv over two tables whose values are all known."""

    people: Table
    linked: Table
    at_most: int
    of_people: ValueIndex = field(init=False)
    of_linked: ValueIndex = field(init=False)
    _places: dict[str, tuple[str, str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of_people", ValueIndex(table=self.people))
        object.__setattr__(self, "of_linked", ValueIndex(table=self.linked))
        places: dict[str, tuple[str, str]] = {number_name(self.linked.name): ("number", "")}
        for where, prefix, table in (
            ("people", self.people.name, self.people),
            ("linked", self.linked.name, self.linked),
            ("other", f"other {self.linked.name}", self.linked),
        ):
            for column in table.columns:
                places.setdefault(f"{prefix}.{column.name}", (where, column.name))
        object.__setattr__(self, "_places", places)

    def combination(self, text: str, of: str) -> LinkCombination:
        """The combination in a text, for what is counted.

        Raises ValueError if the text is not written as it should be, or names what is not declared or what does not
        go with `of`.
        """
        ids: dict[str, list[int]] = {"people": [], "linked": [], "other": []}
        number = None
        for name, value in named_cells(text).items():
            where, column = self._places.get(name, ("", ""))
            if where == "number":
                labels = number_labels(self.at_most)
                if value not in labels:
                    raise ValueError(f"the combination names a number of links that is not 0 to {self.at_most}")
                number = labels.index(value)
            elif where:
                ids[where] += (self.of_people if where == "people" else self.of_linked).stated(column, value)
            else:
                raise ValueError("the combination names a column or value that is not declared")
        found = LinkCombination(
            people=tuple(sorted(ids["people"])),
            number=number,
            linked=tuple(sorted(ids["linked"])),
            other=tuple(sorted(ids["other"])),
        )
        if of not in _FITS:
            raise ValueError(f"what is counted must be one of {', '.join(_FITS)}")
        if not _FITS[of](found):
            raise ValueError(f"the combination does not go with what is counted ({of})")
        return found


_FITS: dict[str, Callable[[LinkCombination], bool]] = {
    LINKS: lambda c: bool(c.people or c.linked or c.number is not None) and not c.other,
    ANY: lambda c: bool(c.linked) and not c.other,
    VICTIMS: lambda c: c.number is not None and not c.linked and not c.other,
    PAIR: lambda c: bool(c.linked and c.other) and not c.people and c.number is None,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedBits:
    """Synthetic linked records, ready to be counted. owner: position of the person of each link, shape (links,)."""

    index: LinkIndex
    people: NDArray[np.uint64]
    linked: NDArray[np.uint64]
    owner: NDArray[np.int64]
    numbers: NDArray[np.int64]  # (people,) links of each person

    @classmethod
    def of(
        cls,
        index: LinkIndex,
        people: Sequence[Sequence[str]],
        linked: Sequence[Sequence[str]],
        owner: NDArray[np.int64],
        persons: int,
    ) -> LinkedBits:
        """From the columns of both tables. Raises KeyError for undeclared values."""
        return cls(
            index=index,
            people=bit_table(index.of_people, people, persons),
            linked=bit_table(index.of_linked, linked, len(owner)),
            owner=owner,
            numbers=np.bincount(np.asarray(owner, np.intp), minlength=persons).astype(np.int64),
        )

    def count(self, of: str, combinations: Sequence[LinkCombination]) -> NDArray[np.float64]:
        """How many there are of each combination; a fraction for pairs only."""
        if of == LINKS:
            return self._links(combinations)
        return self._pairs(combinations) if of == PAIR else self._people(combinations)

    def _by_number(self) -> list[NDArray[np.uint64]]:
        return [pack(self.numbers == k) for k in range(self.index.at_most + 1)]

    def _links(self, combinations: Sequence[LinkCombination]) -> NDArray[np.float64]:
        """Links: values of the linked table, and those of the person that each link belongs to."""
        persons = len(self.numbers)
        spread = [pack(unpack(bits, persons)[self.owner]) for bits in (*self.people, *self._by_number())]
        table = np.vstack([*spread, self.linked])
        values = len(self.people)
        after = values + self.index.at_most + 1
        ids = [
            (*c.people, *(() if c.number is None else (values + c.number,)), *(after + one for one in c.linked))
            for c in combinations
        ]
        return count_rows(table, ids).astype(np.float64)

    def _people(self, combinations: Sequence[LinkCombination]) -> NDArray[np.float64]:
        """People: their values, their number of links, and whether any one link has all values that are named."""
        persons, values = len(self.numbers), len(self.people)
        table = [*self.people, *self._by_number()]
        any_of: dict[Ids, int] = {}
        for c in combinations:
            if c.linked and c.linked not in any_of:
                any_of[c.linked] = len(table)
                flags = np.zeros(persons, dtype=bool)
                flags[self.owner[self._having(c.linked)]] = True
                table.append(pack(flags))
        ids = [
            (
                *c.people,
                *(() if c.number is None else (values + c.number,)),
                *((any_of[c.linked],) if c.linked else ()),
            )
            for c in combinations
        ]
        return count_rows(np.vstack(table), ids).astype(np.float64)

    def _pairs(self, combinations: Sequence[LinkCombination]) -> NDArray[np.float64]:
        """Sum over people with k >= 2 links of the share of their k (k - 1) ordered pairs, one having the values of
        `linked` and another one those of `other`."""
        having = {ids: self._having(ids) for c in combinations for ids in (c.linked, c.other)}
        k = self.numbers[self.owner].astype(np.float64)
        weight = np.where(k > 1, 1.0 / np.maximum(k * (k - 1.0), 1.0), 0.0)
        by_first: dict[Ids, list[int]] = {}
        for i, c in enumerate(combinations):
            by_first.setdefault(c.linked, []).append(i)
        out = np.zeros(len(combinations), dtype=np.float64)
        for first, where in by_first.items():
            mine = having[first]
            partners = np.bincount(np.asarray(self.owner[mine], np.intp), minlength=len(self.numbers))[
                self.owner
            ].astype(np.float64)
            partners[mine] -= 1.0  # nobody is a pair with itself
            share = partners * weight
            for i in where:
                out[i] = share[having[combinations[i].other]].sum()
        return out

    def _having(self, ids: Ids) -> NDArray[np.int64]:
        """Positions of the links that have all these values."""
        bits = np.bitwise_and.reduce(self.linked[list(ids)], axis=0)
        return np.flatnonzero(unpack(bits, len(self.owner))).astype(np.int64)
