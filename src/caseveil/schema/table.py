"""A table as the plan declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caseveil.errors import NothingDiscovered, PlanError
from caseveil.schema.attribute import Attribute, Column
from caseveil.schema.domain import Domain


@dataclass(frozen=True, kw_only=True)
class Table:
    """One row per person. key names the column that identifies the person; it is never released."""

    name: str
    columns: tuple[Column, ...]
    key: str | None = None

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if not names:
            raise PlanError(f"tables.{self.name}.columns must name at least one column")
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise PlanError(f"tables.{self.name}.columns must differ: {', '.join(repeated)} stands twice")
        if self.key in names:
            raise PlanError(
                f"tables.{self.name}.key ({self.key}) must not be a released column: it identifies a person"
            )

        for column in self.undeclared:
            clash = next((other for other in names if other.startswith(f"{column.name}=")), None)
            if column.kind == "multi" and clash is not None:
                raise PlanError(
                    f"tables.{self.name}.columns: {clash!r} could be mistaken for an item of {column.name!r}; rename it"
                )

    @property
    def undeclared(self) -> tuple[Column, ...]:
        """Columns whose values are to be discovered privately."""
        return tuple(column for column in self.columns if column.values is None)

    def resolve(self, discovered: Mapping[str, tuple[str, ...]]) -> Table:
        """The same table with discovered values filled in. A column where none was found is dropped.

        Raises NothingDiscovered when no column is left.
        """
        columns: list[Column] = []
        for column in self.columns:
            if column.values is not None:
                columns.append(column)
            elif discovered[column.name]:
                columns.append(replace(column, values=discovered[column.name]))
        if not columns:
            raise NothingDiscovered(
                "no value of any column was frequent enough to be discovered at this epsilon; "
                "declare the values (`values` in the plan, `domains` in Python; they must be public knowledge, not "
                "read off the rows). "
                "What it took to look for them stays charged"
            )
        return replace(self, columns=tuple(columns))

    def attributes(self) -> tuple[Attribute, ...]:
        """All coded axes, in column order. Needs declared or discovered values everywhere."""
        return tuple(attribute for column in self.columns for attribute in column.attributes())

    def domain(self) -> Domain:
        """Names and sizes of the attributes."""
        attributes = self.attributes()
        return Domain(names=tuple(a.name for a in attributes), sizes=tuple(len(a.labels) for a in attributes))
