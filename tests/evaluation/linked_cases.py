"""Invented linked rows whose truth is known: victims, up to four perpetrators each, alike within a victim."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from caseveil.evaluation.linked_codes import LinkedCodes
from caseveil.measurement.residuals import integer_residual
from caseveil.records.counting import count_many
from caseveil.records.encoding import EncodedRows, decode, encode
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.views import link_views
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.schema.domain import Clique
from caseveil.schema.linked import LinkedTables
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre
from tests.measurement.invented import closure

CAP = 4
LINKED = LinkedTables(
    victims=Table(
        name="victims",
        columns=(Category(name="gender", values=("f", "m")), Category(name="region", values=("a", "b", "c"))),
        key="victim_id",
    ),
    perpetrators=Table(
        name="perpetrators",
        columns=(Category(name="gender", values=("f", "m", "x")), MultiChoice(name="role", values=("r", "e"))),
    ),
    link=Link(to="victims", key="victim_id", at_most=CAP),
)


def linked_rows(people: int, seed: int, alike: float = 0.7) -> LinkedRows:
    """Perpetrators repeat their victim's own draw with probability `alike`, so they agree with her and each other."""
    rng = np.random.default_rng(seed)
    victims = np.column_stack([rng.integers(0, 3, people), rng.integers(0, 4, people)])
    numbers = rng.choice(CAP + 1, people, p=[0.15, 0.3, 0.3, 0.15, 0.1])
    victim_of = np.repeat(np.arange(people, dtype=np.int64), numbers)
    same = rng.random(len(victim_of)) < alike
    gender = np.where(same, victims[victim_of, 1], rng.integers(0, 4, len(victim_of)))
    recruiter = np.where(same, victims[victim_of, 0] == 1, rng.random(len(victim_of)) < 0.3)
    perpetrators = np.column_stack([gender, recruiter, rng.random(len(victim_of)) < 0.2]).astype(np.int64)
    return LinkedRows(
        victims=Rows(table=LINKED.victims, columns=decode(victims, LINKED.victims)),
        perpetrators=Rows(table=LINKED.perpetrators, columns=decode(perpetrators, LINKED.perpetrators)),
        victim_of=victim_of,
        link=LINKED.link,
    )


def codes_of(rows: LinkedRows) -> LinkedCodes:
    return LinkedCodes(
        victims=encode(rows.victims, LINKED.victims).codes,
        perpetrators=encode(rows.perpetrators, LINKED.perpetrators).codes,
        victim_of=rows.victim_of,
    )


def dealt(codes: LinkedCodes, seed: int) -> LinkedCodes:
    """The same records with the perpetrators dealt to the links at random."""
    order = np.random.default_rng(seed).permutation(len(codes.perpetrators))
    return LinkedCodes(victims=codes.victims, perpetrators=codes.perpetrators[order], victim_of=codes.victim_of)


def exact(view: EncodedRows, cliques: list[Clique]) -> NoisyResiduals:
    """Residuals of a view without noise, in people."""
    values: dict[Clique, Marginal] = {}
    for clique, table in count_many(view, cliques).items():
        values[clique] = integer_residual(table).astype(np.float64) / (view.domain.cells(clique) * view.grid)
    return NoisyResiduals(domain=view.domain, values=values, variance=dict.fromkeys(cliques, 1e-12))


def measurements(rows: LinkedRows) -> tuple[NoisyResiduals, NoisyResiduals]:
    """(each, pairs) without noise: the cliques that a release measures for links."""
    views = link_views(rows, LINKED)
    v, p = LINKED.v, LINKED.p
    each = [(i, v + 1 + j) for i in range(v) for j in range(p)] + [(v, v + 1 + j) for j in range(p)]
    pairs = [*((j,) for j in range(p)), *((j, p + j) for j in range(p))]
    return exact(views.each.rows, closure(each)), exact(views.pairs.rows, pairs)


def with_noise(clean: NoisyResiduals, variance: float, rng: np.random.Generator) -> NoisyResiduals:
    def noise(shape: tuple[int, ...]) -> NDArray[np.float64]:
        return centre(rng.normal(0.0, math.sqrt(variance), shape))

    return NoisyResiduals(
        domain=clean.domain,
        values={c: np.asarray(table + noise(table.shape)) for c, table in clean.values.items()},
        variance=dict.fromkeys(clean.values, variance),
    )
