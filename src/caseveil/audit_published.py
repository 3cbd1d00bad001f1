"""What an attacker makes of the published records and counts alone, release by release."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from caseveil.audit_play import PEOPLE, Match, canary_views, residuals
from caseveil.measurement.residuals import optimal_variances
from caseveil.measurement.workload import DEFAULT_WEIGHTS, plan_workload
from caseveil.privacy.ledger import Ledger
from caseveil.produce import prepared, produce
from caseveil.records.encoding import EncodedRows, encode
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.records.views import link_views
from caseveil.release.bundle import BundleContents, TableContents
from caseveil.release.combinations import ValueIndex
from caseveil.schema.linked import LinkedTables
from caseveil.schema.table import Table

_LONGEST = 2
"""Combinations of the records that the attack adds up: longer ones hold more of the noise than of the canary."""


def black(match: Match, with_them: bool, runs: int) -> NDArray[np.float64]:
    """(runs, features) of so many releases, from first to last.

    Features: the likelihood ratio of the records, as if their counts were the noisy ones; records equal to the canary;
    and the middles of the published intervals of all combinations that the canary has.
    """
    out = []
    for _ in range(runs):
        rows = prepared(match.plan, match.with_them if with_them else match.without)
        out.append(_features(match, produce(match.plan, rows, Ledger.open(None))))
    return np.array(out, np.float64)


def _features(match: Match, contents: BundleContents) -> list[float]:
    parts = list(contents.tables.values())
    people = parts[0]
    equal = _equal(people, match.canary.person)
    middles = _middles(people, match.canary.person)
    shape: Table | LinkedTables = people.table
    view, records = PEOPLE, encode(Rows(table=people.table, columns=people.records), people.table)
    if contents.links is not None:
        assert match.canary.linked is not None
        linked = parts[1]
        shape = LinkedTables(victims=people.table, perpetrators=linked.table, link=contents.links.link)
        view, records = "each", _joined(people, linked, shape)
        equal += _equal(linked, match.canary.linked)
        middles += _middles(linked, match.canary.linked)
    return [_filtered(match, records, view, shape), equal, middles]


def _filtered(match: Match, records: EncodedRows, view: str, shape: Table | LinkedTables) -> float:
    workload = plan_workload(records.domain, length=min(_LONGEST, len(records.domain)), weights=DEFAULT_WEIGHTS)
    variances = optimal_variances(workload.weights, records.domain, 1.0)
    direction = residuals(canary_views(match.canary, shape)[view], list(variances))
    seen = residuals(records, list(variances))
    return math.fsum(float((direction[c] * seen[c]).sum()) / variances[c] for c in variances)


def _joined(people: TableContents, linked: TableContents, shape: LinkedTables) -> EncodedRows:
    """The view `each` of synthetic linked records."""
    assert people.key is not None
    assert linked.key is not None
    place = {key: i for i, key in enumerate(people.key.cells)}
    owner = np.array([place[key] for key in linked.key.cells], np.int64)
    order = np.argsort(owner, kind="stable")
    rows = LinkedRows(
        victims=Rows(table=people.table, columns=people.records),
        perpetrators=Rows(
            table=linked.table,
            columns={name: [cells[i] for i in order.tolist()] for name, cells in linked.records.items()},
        ),
        victim_of=owner[order],
        link=shape.link,
    )
    return link_views(rows, shape).each.rows


def _equal(part: TableContents, one: dict[str, str]) -> float:
    columns = [[cell == one[name] for cell in cells] for name, cells in part.records.items()]
    return float(sum(map(all, zip(*columns, strict=True))))


def _middles(part: TableContents, one: dict[str, str]) -> float:
    """Sum of the middles of the intervals, each in units of its width, over combinations that the canary has."""
    index = ValueIndex(table=part.table)
    own = {i for at, column in enumerate(part.table.columns) for i in index.cell(at, one[column.name])}
    return math.fsum(
        (lower + upper) / (2 * max(1, upper - lower))
        for ids, lower, upper in zip(
            index.combinations(part.counts.combination), part.counts.lower, part.counts.upper, strict=True
        )
        if own.issuperset(ids)
    )
