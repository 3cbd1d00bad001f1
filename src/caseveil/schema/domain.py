"""Sizes of attributes, and sets of attributes (cliques).

Code 0 of every attribute is the missing value; it is a value like any other to the mathematics.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

Clique = tuple[int, ...]
"""Attribute positions in rising order. The empty clique is the total."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The public space of one record: attribute names and how many codes each takes."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.sizes):
            raise ValueError(f"names ({len(self.names)}) and sizes ({len(self.sizes)}) must be equally many")
        if len(set(self.names)) != len(self.names):
            raise ValueError("names must differ from each other")
        if any(size < 2 for size in self.sizes):
            raise ValueError("sizes must be at least 2: the missing value and one other")

    def __len__(self) -> int:
        return len(self.sizes)

    def shape(self, clique: Clique) -> tuple[int, ...]:
        """Sizes of the attributes of the clique, in its order."""
        return tuple([self.sizes[i] for i in clique])  # asked for thousands of times; a list is twice as fast

    def cells(self, clique: Clique) -> int:
        """Number of cells of the marginal of the clique."""
        return math.prod([self.sizes[i] for i in clique])

    def cliques(self, length: int) -> Iterator[Clique]:
        """All cliques of one length, in lexicographic order."""
        return itertools.combinations(range(len(self.sizes)), length)


def subsets(clique: Clique) -> Iterator[Clique]:
    """All subsets of a clique, the empty one and itself included, short ones first."""
    for length in range(len(clique) + 1):
        yield from itertools.combinations(clique, length)
