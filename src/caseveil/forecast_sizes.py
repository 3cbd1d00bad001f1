"""What a forecast needs beside a plan: epsilons to compare, and sizes of columns whose values are not declared."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence

from caseveil.errors import PlanError
from caseveil.schema.attribute import MultiChoice
from caseveil.schema.domain import Domain
from caseveil.schema.links import Link, number_name
from caseveil.schema.table import Table

ASSUMED = 10
"""Values that a column without declared values is assumed to have."""

USUAL_EPSILONS = (0.5, 1.0, 2.0, 4.0)


def parse_epsilons(text: str | None, planned: float) -> tuple[float, ...]:
    """Rising epsilons from a text such as '0.5,1,2'; None gives the usual ones and the planned one."""
    if text is None:
        return tuple(sorted({*USUAL_EPSILONS, planned}))
    try:
        epsilons = {float(part) for part in text.split(",")}
    except ValueError:
        raise PlanError(f"--epsilon ({text[:40]!r}) must be numbers with commas between, for example 0.5,1,2") from None
    if any(not math.isfinite(epsilon) or epsilon <= 0 for epsilon in epsilons):
        raise PlanError(f"--epsilon ({text[:40]!r}) must all be above 0")
    return tuple(sorted(epsilons))


def domain_of_plan(tables: Sequence[Table], link: Link | None, options: Iterable[str]) -> tuple[Domain, dict[str, int]]:
    """The domain that a plan measures, and the sizes that had to be assumed.

    tables: that of people, then the linked one, if any; then the columns of both are named <table>.<column>, also in
    options, and the number of links is one more attribute.
    """
    if link is None:
        return domain_of(tables[0], parse_sizes(options, [c.name for c in tables[0].undeclared]))
    known = parse_sizes(options, [f"{table.name}.{c.name}" for table in tables for c in table.undeclared])
    names: list[str] = []
    counts: list[int] = []
    assumed: dict[str, int] = {}
    for table in tables:
        own = {name.partition(".")[2]: size for name, size in known.items() if name.partition(".")[0] == table.name}
        domain, guessed = domain_of(table, own)
        names += [f"{table.name}.{name}" for name in domain.names]
        counts += domain.sizes
        assumed |= {f"{table.name}.{name}": size for name, size in guessed.items()}
    names.append(number_name(tables[1].name))
    counts.append(link.at_most + 1)
    return Domain(names=tuple(names), sizes=tuple(counts)), assumed


def parse_sizes(options: Iterable[str], undeclared: Sequence[str]) -> dict[str, int]:
    """Sizes by undeclared column from texts such as 'sector=12'. Raises PlanError."""
    sizes = {}
    for option in options:
        column, _, size = option.rpartition("=")
        if not (size.isascii() and size.isdecimal() and 1 <= int(size) <= 100_000 and column):
            raise PlanError(
                f"--sizes ({option[:60]!r}) must be COLUMN=K with K from 1 to 100000, for example sector=12"
            )
        if column not in undeclared:
            near = difflib.get_close_matches(column, undeclared, n=1)
            hint = f"did you mean {near[0]}?" if near else f"such columns here: {', '.join(undeclared) or 'none'}"
            raise PlanError(f"--sizes ({column[:60]}) must name a column of the plan without declared values; {hint}")
        sizes[column] = int(size)
    return sizes


def domain_of(table: Table, sizes: Mapping[str, int]) -> tuple[Domain, dict[str, int]]:
    """The domain of a table, stand-ins filled in for undeclared values, and the sizes that had to be assumed."""
    assumed = {column.name: ASSUMED for column in table.undeclared if column.name not in sizes}
    names: list[str] = []
    counts: list[int] = []
    for column in table.columns:
        if column.values is not None:
            for attribute in column.attributes():
                names.append(attribute.name)
                counts.append(len(attribute.labels))
            continue
        size = sizes.get(column.name, ASSUMED)
        if isinstance(column, MultiChoice):
            names += [f"{column.name}=value {i + 1}" for i in range(size)]
            counts += [2] * size
        else:
            names.append(column.name)
            counts.append(size + 1)
    return Domain(names=tuple(names), sizes=tuple(counts)), assumed
