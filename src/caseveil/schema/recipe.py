"""How released columns are made of the columns of a file, and which rows stay: declared before any row is read.

Every step looks at one row alone, so that a person's row becomes one row or none, whoever else is in the data
(docs/proofs/row-recipes.md). The words of a recipe are those of the file: the steward's, and never published.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from caseveil.errors import PlanError
from caseveil.schema.attribute import MISSING, Column
from caseveil.schema.cells import date_of, number_of
from caseveil.standards.places import find_country, regions, subregions

_EXACT = 2**53  # from here on a float skips whole numbers


class Derive(Enum):
    """The part of a date, or of a number, that is kept."""

    YEAR = "year"
    MONTH = "month"
    QUARTER = "quarter"
    WHOLE = "whole"

    def of(self, text: str) -> str | None:
        """2024, 2024-05 or 2024-Q2 of a date; of a number the whole number at or below it. None where the text is no
        such thing, or a date that leaves the month open where one is needed."""
        if self is Derive.WHOLE:
            number = number_of(text)
            if number is None:
                return None
            if abs(number) < _EXACT:
                return str(math.floor(number))
            return str(int(decimal.Decimal(text).to_integral_value(decimal.ROUND_FLOOR)))
        found = date_of(text)
        if found is None:
            return None
        year, month, _ = found
        if self is Derive.YEAR:
            return f"{year:04}"
        if month is None:
            return None
        return f"{year:04}-{month:02}" if self is Derive.MONTH else f"{year:04}-Q{(month + 2) // 3}"


class Group(Enum):
    """A ready grouping of countries."""

    UN_REGION = "un-region"
    UN_SUBREGION = "un-subregion"

    @property
    def names(self) -> tuple[str, ...]:
        """All groups, in alphabetical order: public, and the values of a column unless it declares others."""
        return regions() if self is Group.UN_REGION else subregions()

    def of(self, text: str) -> str | None:
        """The group of a country by its name or code; None where it is no country, or one without a region."""
        country = find_country(text)
        if country is None:
            return None
        return (country.region if self is Group.UN_REGION else country.subregion) or None


@dataclass(frozen=True, kw_only=True)
class ColumnRecipe:
    """How one released column is made.

    column: its name in the release. source: its name in the file; None for the same. recode: cell -> cell, looked up
    once and first; '' makes a cell missing. derive, group: what is made of the cell then, one of them at most. In a set
    column all of this happens to every item.
    """

    column: str
    source: str | None = None
    recode: Mapping[str, str] = field(default_factory=dict)
    derive: Derive | None = None
    group: Group | None = None

    def __post_init__(self) -> None:
        # No message here repeats what a cell is rewritten from: it may be a cell of the file.
        if self.source is not None and not self.source.strip():
            raise PlanError(f"{self.column}.from ('') must name a column of the file, or be left out")
        if self.derive is not None and self.group is not None:
            raise PlanError(f"{self.column} must have derive or group, not both")
        if any(old != old.strip() or new != new.strip() for old, new in self.recode.items()):
            raise PlanError(f"{self.column}.recode must have no blanks at the ends: cells are read without them")

    @property
    def empty(self) -> bool:
        """Whether the column is that of the file, unchanged."""
        return self.source is None and not self.changes

    @property
    def changes(self) -> bool:
        """Whether cells are remade, beyond a new name for their column."""
        return bool(self.recode) or self.derive is not None or self.group is not None

    @property
    def of_file(self) -> str:
        """Name of the column in the file."""
        return self.column if self.source is None else self.source

    def text(self, cell: str, column: Column) -> str | None:
        """What becomes of one cell, or item of one, without the space around it. column: what it is to fit.

        None where derive or group cannot read it: such a cell counts as outside the column's values. Words that mean
        missing, and declared values, stay as they are.
        """
        text = self.recode.get(cell, cell)
        step = self.derive or self.group
        if step is None or text == MISSING or any(text == word.strip() for word in column.missing):
            return text
        found = step.of(text)
        if found is None and any(text == value.strip() for value in column.values or ()):
            return text
        return found


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Rows stay whose cell is one of `only` and none of `never`, compared without the space around it.

    column: a column of the file, as it is before anything is rewritten. '' is an empty cell. None: no such demand.
    """

    column: str
    only: tuple[str, ...] | None = None
    never: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not self.column.strip():
            raise PlanError("column ('') must name a column of the file")
        if not self.only and not self.never:
            raise PlanError('must have is or is_not, a list of one or more texts, for example is = ["F"]')
        if self.only == () or self.never == ():
            raise PlanError("is and is_not must hold one or more texts, or be left out")
        if any(word != word.strip() for word in (*(self.only or ()), *(self.never or ()))):
            raise PlanError("is and is_not must hold no blanks at the ends of a text: cells are read without them")

    def holds(self, cell: str) -> bool:
        """Whether a row with this cell stays."""
        text = cell.strip()
        return (self.only is None or text in self.only) and (self.never is None or text not in self.never)


@dataclass(frozen=True, kw_only=True)
class Join:
    """A second file with at most one row for each person, whose columns are added to the person's row.

    source: the file. key: its column that holds the key of the person.
    """

    source: str
    key: str

    def __post_init__(self) -> None:
        if not self.source.strip() or "://" in self.source:
            raise PlanError("source must name a file")
        if not self.key.strip():
            raise PlanError("key ('') must name the column of that file that holds the key of the person")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What happens to the rows of one table before they are held against its columns.

    join: a file whose columns are added first. where: rows stay for which all conditions hold. columns: one for each
    released column that is not simply the column of that name in the file.
    """

    columns: tuple[ColumnRecipe, ...] = ()
    where: tuple[Condition, ...] = ()
    join: Join | None = None

    def __post_init__(self) -> None:
        names = [one.column for one in self.columns]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PlanError(f"columns.{twice} must be made in one way only")

    @property
    def empty(self) -> bool:
        """Whether rows stay as they are."""
        return self.join is None and not self.where and all(one.empty for one in self.columns)

    def of(self, column: str) -> ColumnRecipe:
        """How the released column of this name is made."""
        found = next((one for one in self.columns if one.column == column), None)
        return ColumnRecipe(column=column) if found is None else found
