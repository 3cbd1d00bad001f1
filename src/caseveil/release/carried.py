"""measurements.bin: the noisy residuals of a release, kept so that the next one can go on from them.

They are what all else in the bundle was made of, so they tell nothing more. The file is one line of JSON that names
everything, and then 8-byte little-endian floats: for each view its variances, and its values clique by clique.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import BundleError, PlanError
from caseveil.schema.domain import Clique, Domain
from caseveil.schema.linked import LinkedTables
from caseveil.schema.links import Link
from caseveil.schema.period import Period
from caseveil.schema.table import Table
from caseveil.synthesis.observed import Marginal, NoisyResiduals

MEASUREMENTS = "measurements.bin"
FORMAT = 1

PEOPLE = "people"
"""The one view of a release of one table."""

EACH = "each"
SIDES = ("tilt", "pairs", "any")
"""The views of linked tables, named as in schema.linked.LinkedTables; EACH counts people."""


def domains(tables: Sequence[Table], link: Link | None) -> dict[str, Domain]:
    """By view, the domain that a release of these tables measures. tables: that of people, then the linked one."""
    if link is None:
        return {PEOPLE: tables[0].domain()}
    both = LinkedTables(victims=tables[0], perpetrators=tables[1], link=link)
    return {name: getattr(both, name) for name in (EACH, *SIDES)}


@dataclass(frozen=True, kw_only=True)
class Carried:
    """Noisy residuals by the name of their view, about everybody of a population who joined by the end of the period.

    of: name and version of every release of the series, oldest first, this one last. Raises ValueError.
    """

    population: str
    unit: str
    period: Period
    of: tuple[str, ...]
    views: Mapping[str, NoisyResiduals] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.of:
            raise ValueError("of must name this release")
        if set(self.views) not in ({PEOPLE}, {EACH, *SIDES}):
            raise ValueError("views must be those of one table, or of linked ones")
        main = self.views[PEOPLE if PEOPLE in self.views else EACH]
        if () not in main.values:
            raise ValueError("the number of people must have been measured")

    def to_bytes(self) -> bytes:
        """The file. Equal measurements give equal bytes."""
        blocks: list[NDArray[np.float64]] = []
        views: dict[str, object] = {}
        for name, residuals in self.views.items():
            cliques = list(residuals.values)
            blocks.append(np.array([residuals.variance[c] for c in cliques], np.float64))
            blocks += [np.asarray(residuals.values[c], np.float64).ravel() for c in cliques]
            domain = residuals.domain
            views[name] = {"names": domain.names, "sizes": domain.sizes, "cliques": cliques}
        header = {
            "format": FORMAT,
            "population": self.population,
            "unit": self.unit,
            "joined": self.period.joined,
            "until": self.period.until,
            "of": self.of,
            "views": views,
        }
        text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode("ascii")
        return text + b"\n" + np.concatenate([np.zeros(0), *blocks]).astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Carried:
        """Inverse of `to_bytes`. Raises BundleError."""
        try:
            text, _, rest = data.partition(b"\n")
            header = json.loads(text)
            if header["format"] != FORMAT:
                raise BundleError(f"{MEASUREMENTS} was written in another format: use the version that wrote it")
            numbers = np.frombuffer(rest, "<f8").astype(np.float64)
            if not np.isfinite(numbers).all():
                raise ValueError("numbers must be finite")
            views: dict[str, NoisyResiduals] = {}
            for name, view in header["views"].items():
                views[str(name)], numbers = _residuals(view, numbers)
            if len(numbers):
                raise ValueError("numbers are left over")
            return cls(
                population=str(header["population"]),
                unit=str(header["unit"]),
                period=Period(joined=header["joined"], until=header["until"]),
                of=tuple(map(str, header["of"])),
                views=views,
            )
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError, RecursionError, PlanError) as error:
            raise BundleError(f"{MEASUREMENTS} of the bundle is damaged") from error


def _residuals(
    view: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64]
) -> tuple[NoisyResiduals, NDArray[np.float64]]:
    """One view from the front of the numbers, and the numbers after it."""
    domain = Domain(names=tuple(map(str, view["names"])), sizes=tuple(map(int, view["sizes"])))
    cliques: list[Clique] = [tuple(map(int, clique)) for clique in view["cliques"]]
    variances, numbers = _cut(numbers, len(cliques))
    if not (variances > 0).all() or len(set(cliques)) != len(cliques):
        raise ValueError("variances must be above 0, and cliques differ")
    if any(list(clique) != sorted({i for i in clique if i >= 0}) for clique in cliques):
        raise ValueError("cliques must rise")
    tables: dict[Clique, Marginal] = {}
    for clique in cliques:
        values, numbers = _cut(numbers, domain.cells(clique))
        tables[clique] = values.reshape(domain.shape(clique))
    variance = dict(zip(cliques, variances.tolist(), strict=True))
    return NoisyResiduals(domain=domain, values=tables, variance=variance), numbers


def _cut(numbers: NDArray[np.float64], size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(numbers) < size:
        raise ValueError("numbers are missing")
    return numbers[:size], numbers[size:]
