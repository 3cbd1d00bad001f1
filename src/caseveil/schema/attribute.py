"""Kinds of columns, and the coded attributes that they become. Public before any row is seen."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass, field
from enum import Enum

from caseveil.errors import PlanError

MISSING = ""
"""How a missing value is written, in input after preparation and in every output."""


class Outside(Enum):
    """What happens to a value that the declared domain does not hold."""

    REFUSE = "refuse"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One coded axis: labels[0] is the missing value ''. A set column gives one attribute per item.

    name is `column`, or `column=item` for an item of a set column; item is None outside set columns.
    """

    name: str
    column: str
    labels: tuple[str, ...]
    item: str | None = None


def _check_values(name: str, values: tuple[str, ...] | None, missing: tuple[str, ...]) -> None:
    if values is None:
        return
    if not values:
        raise PlanError(f"{name}.values ([]) must name at least one value; leave it out to discover values privately")
    if len(set(values)) != len(values):
        raise PlanError(f"{name}.values must not repeat a value")
    both = sorted(set(values) & set(missing))
    if both or MISSING in values:
        named = ", ".join(map(repr, both)) or repr(MISSING)
        raise PlanError(f"{name}.values must not hold a value that also means missing ({named})")


@dataclass(frozen=True, kw_only=True)
class Category:
    """One of several values without order. values None: discovered privately, and paid for.

    A yes/blank column is a category of one value. Put "0" in missing where 0 is not an answer.
    """

    name: str
    values: tuple[str, ...] | None = None
    missing: tuple[str, ...] = (MISSING,)
    outside: Outside = Outside.REFUSE
    meaning: str = ""
    kind: str = field(default="category", init=False)

    def __post_init__(self) -> None:
        _check_values(self.name, self.values, self.missing)

    def attributes(self) -> tuple[Attribute, ...]:
        """The single attribute of this column; needs values."""
        assert self.values is not None, f"values of {self.name} are not known yet"
        return (Attribute(name=self.name, column=self.name, labels=(MISSING, *self.values)),)


@dataclass(frozen=True, kw_only=True)
class Ordered(Category):
    """One of several values in a declared order (drawn in that order)."""

    kind: str = field(default="ordered", init=False)


Edge = float | datetime.date


def _edge_text(edge: Edge) -> str:
    return edge.isoformat() if isinstance(edge, datetime.date) else f"{edge:g}"


def bin_labels(edges: tuple[Edge, ...]) -> tuple[str, ...]:
    """Labels of half-open bins [edge, next edge), the last one open: '0--8', ..., '48+'.

    Two dashes keep spreadsheets from reading '9-17' as a date. Whole years are written as years.
    """
    dates = [e for e in edges if isinstance(e, datetime.date)]
    if dates:
        years = all((d.month, d.day) == (1, 1) for d in dates)
        labels = []
        for low, high in itertools.pairwise(dates):
            last = high - datetime.timedelta(days=1)
            first_text, last_text = (str(low.year), str(last.year)) if years else (low.isoformat(), last.isoformat())
            labels.append(first_text if first_text == last_text else f"{first_text}--{last_text}")
        return (*labels, f"{dates[-1].year if years else dates[-1].isoformat()}+")
    numbers = [float(e) for e in edges if not isinstance(e, datetime.date)]
    whole = all(n.is_integer() for n in numbers)
    labels = []
    for a, b in itertools.pairwise(numbers):
        if not whole:
            labels.append(f"{a:g} to under {b:g}")
        else:
            labels.append(f"{a:.0f}" if b - a == 1 else f"{a:.0f}--{b - 1:.0f}")
    return (*labels, f"{numbers[-1]:.0f}+" if whole else f"{numbers[-1]:g}+")


@dataclass(frozen=True, kw_only=True)
class Binned:
    """Numbers or dates, cut at declared edges: bin i is [edges[i], edges[i+1]), the last one is open."""

    name: str
    edges: tuple[Edge, ...]
    labels: tuple[str, ...] | None = None
    missing: tuple[str, ...] = (MISSING,)
    outside: Outside = Outside.REFUSE
    meaning: str = ""
    kind: str = field(default="binned", init=False)

    def __post_init__(self) -> None:
        if not self.edges:
            raise PlanError(f"{self.name}.bins ([]) must hold at least one edge")
        kinds = {isinstance(e, datetime.date) for e in self.edges}
        if len(kinds) > 1:
            raise PlanError(f"{self.name}.bins must be all numbers or all dates")
        texts = [_edge_text(e) for e in self.edges]
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):  # type: ignore[operator]
            raise PlanError(f"{self.name}.bins ({', '.join(texts)}) must rise")
        if self.labels is not None and len(self.labels) != len(self.edges):
            raise PlanError(
                f"{self.name}.labels ({len(self.labels)}) must be as many as bins ({len(self.edges)}): "
                f"one per edge, the last bin is open"
            )
        _check_values(self.name, self.values, self.missing)

    @property
    def is_date(self) -> bool:
        """Whether the edges are dates."""
        return isinstance(self.edges[0], datetime.date)

    @property
    def values(self) -> tuple[str, ...]:
        """The labels of the bins, in order."""
        return self.labels if self.labels is not None else bin_labels(self.edges)

    def attributes(self) -> tuple[Attribute, ...]:
        """The single attribute of this column."""
        return (Attribute(name=self.name, column=self.name, labels=(MISSING, *self.values)),)


@dataclass(frozen=True, kw_only=True)
class MultiChoice:
    """A set in one cell ('Debt;Threats'): one yes/blank attribute per item.

    at_most bounds the items one person may add to the private discovery of undeclared values; it is
    public and never derived from the rows. Declared values need no bound.
    """

    name: str
    values: tuple[str, ...] | None = None
    delimiter: str = ";"
    at_most: int = 5
    missing: tuple[str, ...] = (MISSING,)
    outside: Outside = Outside.REFUSE
    meaning: str = ""
    kind: str = field(default="multi", init=False)

    def __post_init__(self) -> None:
        _check_values(self.name, self.values, self.missing)
        if not self.delimiter:
            raise PlanError(f"{self.name}.delimiter ('') must be at least one character")
        if self.at_most < 1:
            raise PlanError(f"{self.name}.at_most ({self.at_most}) must be 1 or more")
        if self.values is not None and any(self.delimiter in value for value in self.values):
            raise PlanError(f"{self.name}.values must not hold the delimiter ({self.delimiter!r})")

    def attributes(self) -> tuple[Attribute, ...]:
        """One yes/blank attribute per item; needs values."""
        assert self.values is not None, f"values of {self.name} are not known yet"
        return tuple(
            Attribute(name=f"{self.name}={item}", column=self.name, labels=(MISSING, item), item=item)
            for item in self.values
        )


Column = Category | Ordered | Binned | MultiChoice
