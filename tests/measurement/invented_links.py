"""Small linked rows whose people are known one by one. Needs numpy and the engine alone."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from caseveil.measurement.curator import Curator
from caseveil.measurement.residuals import integer_residual
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.noise import rounded_gaussians
from caseveil.records.counting import count_many
from caseveil.records.encoding import decode
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.views import LinkViews, View, link_views
from caseveil.schema.attribute import Category
from caseveil.schema.domain import Clique
from caseveil.schema.linked import LinkedTables
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.synthesis.linked_estimates import LinkMeasurements
from caseveil.synthesis.observed import Marginal, NoisyResiduals
from tests.measurement.invented import BOOKS, up_to

Codes = tuple[int, ...]
Person = tuple[Codes, tuple[Codes, ...]]
"""Codes of a victim, and of each of her perpetrators."""

VIEWS = ("each", "tilt", "pairs", "any")


def _table(name: str, sizes: Sequence[int], key: str | None) -> Table:
    return Table(
        name=name,
        columns=tuple(
            Category(name=f"{name[0]}{i}", values=tuple(f"{name[0]}{i}{c}" for c in range(1, size)))
            for i, size in enumerate(sizes)
        ),
        key=key,
    )


def tables_of(cap: int, victim: Sequence[int] = (3, 2), perpetrator: Sequence[int] = (3, 2)) -> LinkedTables:
    """Tables with so many codes an attribute, the missing one included."""
    return LinkedTables(
        victims=_table("victims", victim, "id"),
        perpetrators=_table("perpetrators", perpetrator, None),
        link=Link(to="victims", key="of", at_most=cap),
    )


def random_people(tables: LinkedTables, n: int, rng: np.random.Generator, without: float = 0.2) -> list[Person]:
    """People with 0 to the cap links; half of the links repeat the first one."""
    sizes = tables.each.sizes
    own, other = sizes[: tables.v], sizes[tables.v + 1 :]

    def one(of: Sequence[int]) -> Codes:
        return tuple(int(rng.integers(0, size)) for size in of)

    people = []
    for _ in range(n):
        number = 0 if rng.random() < without else int(rng.integers(1, tables.link.at_most + 1))
        links = [one(other) for _ in range(number)]
        people.append((one(own), tuple(links[0] if rng.random() < 0.5 else link for link in links)))
    return people


def linked(tables: LinkedTables, people: Sequence[Person]) -> LinkedRows:
    """The people as rows, in the plan's words."""

    def rows(table: Table, codes: list[Codes], width: int) -> Rows:
        return Rows(table=table, columns=decode(np.array(codes, np.int64).reshape(-1, width), table))

    return LinkedRows(
        victims=rows(tables.victims, [victim for victim, _ in people], tables.v),
        perpetrators=rows(tables.perpetrators, [link for _, links in people for link in links], tables.p),
        victim_of=np.repeat(np.arange(len(people), dtype=np.int64), [len(links) for _, links in people]),
        link=tables.link,
    )


def weighed(tables: LinkedTables, person: Person, view: str) -> list[tuple[Codes, Fraction]]:
    """What one person adds to a view, by its definition: cells and weights."""
    victim, links = person
    k, cap = len(links), tables.link.at_most
    if view == "each":
        blank = (0,) * tables.p
        return [((*victim, k, *p), Fraction(1, k)) for p in links] if k else [((*victim, 0, *blank), Fraction(1))]
    if view == "tilt":
        return [((*victim, *p), Fraction(2 * k - cap - 1, 2 * k)) for p in links]
    if view == "pairs":
        return [((*p, *q), Fraction(1, k * (k - 1))) for p, q in itertools.permutations(links, 2)]
    flags = tuple(int(any(p[i] == code for p in links)) for i, code in tables.flags)
    return [((*victim, *flags), Fraction(1))]


def by_hand(tables: LinkedTables, people: Iterable[Person], view: str, clique: Clique) -> dict[Codes, Fraction]:
    """Every cell of one marginal that is not 0, summed over people."""
    out: dict[Codes, Fraction] = defaultdict(Fraction)
    for person in people:
        for cell, weight in weighed(tables, person, view):
            out[tuple(cell[i] for i in clique)] += weight
    return {cell: weight for cell, weight in out.items() if weight}


def exact(view: View, cliques: Iterable[Clique]) -> dict[Clique, Marginal]:
    """Residuals of a view without noise, in people."""
    counted = count_many(view.rows, cliques)
    return {
        c: integer_residual(t).astype(np.float64) / (view.rows.domain.cells(c) * view.rows.grid)
        for c, t in counted.items()
    }


def measured_cliques(tables: LinkedTables) -> dict[str, list[Clique]]:
    """What a release measures of each view: up to 3 attributes, and of pairs single attributes and pairs."""
    p = tables.p
    crossed = [(), *((tables.v + j,) for j in range(p)), *((i,) for i in range(tables.v))]
    return {
        "each": up_to(tables.each, 3),
        "tilt": [*crossed, *up_to(tables.tilt, 2)[len(crossed) :]],
        "pairs": [*((i,) for i in range(p)), *((i, p + j) for i in range(p) for j in range(i, p))],
        "any": up_to(tables.any, 2),
    }


def link_measurements(
    tables: LinkedTables,
    views: LinkViews,
    variance: Mapping[str, Mapping[Clique, float]],
    rng: np.random.Generator | None = None,
) -> LinkMeasurements:
    """Residuals of all views, with ordinary floating-point noise where rng is given."""

    def noisy(name: str) -> NoisyResiduals:
        view: View = getattr(views, name)
        values = exact(view, variance[name])
        if rng is not None:
            for clique, table in values.items():
                noise: NDArray[np.float64] = rng.normal(0.0, variance[name][clique] ** 0.5, table.shape)
                for axis in range(noise.ndim):
                    noise = noise - noise.mean(axis=axis, keepdims=True)
                values[clique] = table + noise
        return NoisyResiduals(domain=view.rows.domain, values=values, variance=dict(variance[name]))

    each, tilt, pairs, anyone = map(noisy, VIEWS)
    return LinkMeasurements(tables=tables, each=each, tilt=tilt, pairs=pairs, any=anyone)


def views_of(tables: LinkedTables, people: Sequence[Person]) -> LinkViews:
    return link_views(linked(tables, people), tables)


class BulkNoise:
    """The real noise, drawn for many equal calls at once, which is many times faster for small tables."""

    def __init__(self, calls: int = 100) -> None:
        self._calls = calls
        self._left: dict[tuple[tuple[Fraction, ...], tuple[int, ...]], list[NDArray[np.int64]]] = {}

    def __call__(self, sigmas: Sequence[Fraction], sizes: Sequence[int]) -> NDArray[np.int64]:
        left = self._left.setdefault((tuple(sigmas), tuple(sizes)), [])
        if not left:
            drawn = rounded_gaussians(list(sigmas) * self._calls, list(sizes) * self._calls)
            left.extend(np.split(drawn, self._calls))
        return left.pop()


def link_curator(rows: LinkedRows, ledger: Ledger | None = None, changed: int = 1) -> Curator:
    return Curator(rows=rows, ledger=Ledger.open(None) if ledger is None else ledger, books=BOOKS, changed=changed)
