"""Proves the part of a bundle from which the next release of a series goes on: measurements.bin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import BundleError
from caseveil.evaluation.fidelity import fidelity
from caseveil.release.carried import EACH, MEASUREMENTS, PEOPLE, domains
from caseveil.release.combinations import ValueIndex
from caseveil.release.contents import BundleContents, TableContents
from caseveil.schema.attribute import MultiChoice
from caseveil.schema.domain import Domain
from caseveil.synthesis.observed import NoisyResiduals

_ROUNDED = 1.5e-4
"""Numbers of fidelity.json are rounded to four digits, of sums that may be added up in another order elsewhere."""


def measurements(contents: BundleContents) -> str:
    """The file is of the tables, people and series that the bundle speaks of, and fidelity.json follows from it.

    Raises BundleError.
    """
    carried, update, about = contents.carried, contents.statement.update, contents.about
    if carried is None or update is None:
        raise BundleError(f"{MEASUREMENTS} and what the statement says of a series belong together; one is missing")
    if carried.of != (*update.before, f"{about.name} {about.version}"):
        raise BundleError(f"{MEASUREMENTS} is of another series of releases than the statement")
    if (carried.unit, carried.period) != (contents.statement.unit.name, update.period.from_beginning()):
        raise BundleError(f"{MEASUREMENTS} is about other people than the statement: another unit or period")
    tables = list(contents.tables.values())
    link = None if contents.links is None else contents.links.link
    if {name: view.domain for name, view in carried.views.items()} != domains([part.table for part in tables], link):
        raise BundleError(f"{MEASUREMENTS} is of other columns or values than the tables")
    people = carried.views[PEOPLE if link is None else EACH]
    again = fidelity(_codes(tables[0]), _first(people, len(tables[0].table.attributes())))
    if not _alike(again, {name: contents.fidelity.get(name) for name in again}):
        raise BundleError(f"fidelity.json does not follow from {MEASUREMENTS} and the records")
    return f"{sum(len(view.values) for view in carried.views.values()):,} noisy tables, as fidelity.json has them"


def _first(residuals: NoisyResiduals, number: int) -> NoisyResiduals:
    """The residuals of the first attributes alone."""
    domain = residuals.domain
    values = {clique: table for clique, table in residuals.values.items() if not clique or clique[-1] < number}
    return NoisyResiduals(
        domain=Domain(names=domain.names[:number], sizes=domain.sizes[:number]),
        values=values,
        variance={clique: residuals.variance[clique] for clique in values},
    )


def _codes(part: TableContents) -> NDArray[np.int32]:
    """Records as codes, one column per attribute; 0 is missing, or that an item of a set is not there."""
    index = ValueIndex(table=part.table)
    columns: list[NDArray[np.int32]] = []
    for position, (column, cells) in enumerate(zip(part.table.columns, part.records.values(), strict=True)):
        base = index.columns.index(position)
        known = {cell: index.cell(position, cell) for cell in set(cells)}
        if isinstance(column, MultiChoice):
            for item in range(len(column.values or ())):
                columns.append(np.fromiter((base + item in known[cell] for cell in cells), np.int32, part.rows))
        else:
            columns.append(np.fromiter((known[c][0] - base + 1 if c else 0 for c in cells), np.int32, part.rows))
    return np.stack(columns, axis=1)


def _alike(one: Any, other: Any) -> bool:
    """Whether JSON values are the same, numbers but for rounding."""
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and set(one) == set(other) and all(_alike(one[k], other[k]) for k in one)
    return isinstance(other, int | float) and math.isclose(one, other, rel_tol=_ROUNDED, abs_tol=_ROUNDED)
