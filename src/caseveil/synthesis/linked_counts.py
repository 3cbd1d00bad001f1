"""Counts across the link, from the linked records themselves, each with an interval.

As in synthesis.counts the count is the records' own and the interval comes from an unbiased estimate with a known
Gaussian error. Four things are counted: links; victims with any link of some kind; victims by how many links they have;
and victims by two of their links drawn at random.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.attribute import Attribute
from caseveil.schema.linked import LinkedTables
from caseveil.synthesis.counts import WIDTH
from caseveil.synthesis.linked_estimates import LinkMeasurements
from caseveil.synthesis.linked_model import LinkedMixture
from caseveil.synthesis.presence import Presence

LINKS = "links"
ANY = "victims with any"
VICTIMS = "victims"
PAIR = "victims by a random pair"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LinkCounts:
    """Columns of counts/links.csv.

    combination: JSON object, keys sorted, '<table>.<column>' -> value. of: what is counted (LINKS, ANY, VICTIMS, PAIR).
    """

    combination: Sequence[str]
    of: Sequence[str]
    count: NDArray[np.int64]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LinkedRecords:
    """Synthetic codes: victims (n, v), their number of links (n,), links (m, p) and whose each is (m,), rising."""

    victims: NDArray[np.int32]
    number: Ints
    links: NDArray[np.int32]
    victim_of: Ints


@dataclass(frozen=True)
class _Table:
    """Stated cells of one table of counts: what each is called, how many the records have, and what to expect."""

    labels: list[tuple[tuple[str, str], ...]]
    count: Ints
    expected: Floats
    estimate: Floats
    deviation: float


def publish_links(
    records: LinkedRecords,
    tables: LinkedTables,
    measured: LinkMeasurements,
    model: LinkedMixture,
    presence: Presence,
    *,
    share: float | None,
) -> LinkCounts:
    """Counts of links, victims and pairs of links by one attribute of each side.

    share: expected share of made-up combinations that is accepted for each thing counted; None publishes all that the
    records hold.
    """
    texts: list[str] = []
    of: list[str] = []
    parts: list[tuple[Ints, Ints, Ints]] = []
    for name, kinds in (
        (LINKS, _links(records, tables, measured, model)),
        (ANY, _anyone(records, tables, measured, model)),
        (VICTIMS, _victims(records, tables, measured, model)),
        (PAIR, _pairs(records, tables, measured, model)),
    ):
        found = list(kinds)
        if not found:
            continue
        counts = np.concatenate([t.count for t in found])
        expected = np.concatenate([t.expected for t in found])
        there = counts > 0
        least = presence.threshold(counts[there], expected[there], share)
        for table in found:
            keep = table.count >= least
            count = table.count[keep]
            low = np.maximum(0, np.floor(table.estimate[keep] - WIDTH * table.deviation)).astype(np.int64)
            high = np.maximum(0, np.ceil(table.estimate[keep] + WIDTH * table.deviation)).astype(np.int64)
            parts.append((count, np.minimum(low, count), np.maximum(high, count)))
            of += [name] * len(count)
            texts += [
                json.dumps(dict(sorted(table.labels[i])), ensure_ascii=False) for i in np.flatnonzero(keep).tolist()
            ]
    columns = [np.concatenate([part[i] for part in parts]) if parts else np.zeros(0, np.int64) for i in range(3)]
    return LinkCounts(combination=texts, of=of, count=columns[0], lower=columns[1], upper=columns[2])


def _labels(*sides: tuple[str, Attribute]) -> list[tuple[tuple[str, str], ...]]:
    """What the stated cells of a table are called, in its order; a side is the prefix of its names and an attribute."""
    named = [[(f"{prefix}{a.column}", label) for label in a.labels[1:]] for prefix, a in sides]
    return list(itertools.product(*named))


def _crossed(tables: LinkedTables) -> Iterator[tuple[int, int]]:
    return itertools.product(range(tables.v), range(tables.p))


def _table(rows: NDArray[np.integer], columns: NDArray[np.integer], shape: tuple[int, int]) -> Ints:
    flat = rows.astype(np.int64) * shape[1] + columns
    return np.bincount(np.asarray(flat, np.intp), minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)


def _links(
    records: LinkedRecords, tables: LinkedTables, measured: LinkMeasurements, model: LinkedMixture
) -> Iterator[_Table]:
    """Links by one attribute of the victim and one of the perpetrator."""
    owners = records.victims[records.victim_of]
    v, sizes = tables.v, tables.each.sizes
    for i, j in _crossed(tables):
        clique = (i, v + 1 + j)
        estimate, deviation = measured.links(clique)
        yield _Table(
            _labels(
                (f"{tables.victims.name}.", tables.victim_attributes[i]),
                (f"{tables.perpetrators.name}.", tables.perpetrator_attributes[j]),
            ),
            _table(owners[:, i], records.links[:, j], (sizes[i], sizes[v + 1 + j]))[1:, 1:].ravel(),
            model.each.expected(clique)[1:, 1:].ravel(),
            estimate[1:, 1:].ravel(),
            deviation,
        )


def _anyone(
    records: LinkedRecords, tables: LinkedTables, measured: LinkMeasurements, model: LinkedMixture
) -> Iterator[_Table]:
    """Victims with at least one perpetrator who ..., alone and by one attribute of the victim."""
    n, v, sizes = len(records.victims), tables.v, tables.each.sizes
    flag = 0
    for j, attribute in enumerate(tables.perpetrator_attributes):
        codes = len(attribute.labels)
        holds = np.zeros((codes, n), np.bool_)
        holds[records.links[:, j], records.victim_of] = True
        places = range(v + flag, v + flag + codes - 1)
        flag += codes - 1
        of_other = (f"{tables.perpetrators.name}.", attribute)
        estimates = [measured.anyone((place,)) for place in places]
        yield _Table(
            _labels(of_other),
            holds[1:].sum(axis=1).astype(np.int64),
            model.each.expected((v + 1 + j,))[1:],
            np.array([estimate[1] for estimate, _ in estimates]),
            estimates[0][1],
        )
        for i in range(v):
            found = [measured.anyone((i, place)) for place in places]
            counts = np.stack(
                [
                    np.bincount(np.asarray(records.victims[row, i], np.intp), minlength=sizes[i])[1:]
                    for row in holds[1:]
                ],
                axis=1,
            )
            yield _Table(
                _labels((f"{tables.victims.name}.", tables.victim_attributes[i]), of_other),
                counts.astype(np.int64).ravel(),
                model.each.expected((i, v + 1 + j))[1:, 1:].ravel(),
                np.stack([estimate[1:, 1] for estimate, _ in found], axis=1).ravel(),
                found[0][1],
            )


def _victims(
    records: LinkedRecords, tables: LinkedTables, measured: LinkMeasurements, model: LinkedMixture
) -> Iterator[_Table]:
    """Victims by number of links, alone and by one attribute; no link is a number like any other."""
    v, sizes = tables.v, tables.each.sizes
    number: list[tuple[tuple[str, str], ...]] = [((tables.number.column, label),) for label in tables.number.labels]
    estimate, deviation = measured.people((v,))
    yield _Table(
        number,
        np.bincount(np.asarray(records.number, np.intp), minlength=sizes[v]).astype(np.int64),
        model.each.expected((v,)),
        estimate,
        deviation,
    )
    for i, attribute in enumerate(tables.victim_attributes):
        if not measured.each.measured((i, v)):
            continue
        estimate, deviation = measured.people((i, v))
        own = _labels((f"{tables.victims.name}.", attribute))
        yield _Table(
            [(*a, *b) for a in own for b in number],
            _table(records.victims[:, i], records.number, (sizes[i], sizes[v]))[1:].ravel(),
            model.each.expected((i, v))[1:].ravel(),
            estimate[1:].ravel(),
            deviation,
        )


def _pairs(
    records: LinkedRecords, tables: LinkedTables, measured: LinkMeasurements, model: LinkedMixture
) -> Iterator[_Table]:
    """Victims of several, by one attribute of each of two of their perpetrators drawn at random."""
    if tables.link.at_most < 2:
        return
    v, sizes = tables.v, tables.each.sizes
    counted = pair_counts(records, tables)
    starts = np.concatenate([[0], np.cumsum(sizes[v + 1 :])])
    name, attributes = tables.perpetrators.name, tables.perpetrator_attributes
    for i, j in itertools.combinations_with_replacement(range(tables.p), 2):
        estimate, deviation = measured.paired(i, j)
        block = counted[starts[i] : starts[i + 1], starts[j] : starts[j + 1]]
        yield _Table(
            _labels((f"{name}.", attributes[i]), (f"other {name}.", attributes[j])),
            np.rint(block[1:, 1:]).astype(np.int64).ravel(),
            model.pairs(v + 1 + i, v + 1 + j)[1:, 1:].ravel(),
            estimate[1:, 1:].ravel(),
            deviation,
        )


def pair_counts(records: LinkedRecords, tables: LinkedTables) -> Floats:
    """Victims by two of their links, each ordered pair weighing 1/(k(k-1)): over all codes of P stacked, squared."""
    starts = np.concatenate([[0], np.cumsum(tables.each.sizes[tables.v + 1 :])])
    flags = np.zeros((len(records.links), int(starts[-1])))
    rows = np.arange(len(records.links))
    for i in range(tables.p):
        flags[rows, starts[i] + records.links[:, i]] = 1.0
    k = records.number[records.victim_of].astype(np.float64)
    weight = np.where(k > 1, 1.0 / np.maximum(k * (k - 1.0), 1.0), 0.0)
    firsts = np.flatnonzero(np.r_[True, records.victim_of[1:] != records.victim_of[:-1]]) if len(rows) else rows
    sums = np.add.reduceat(flags, np.asarray(firsts, np.intp), axis=0) if len(rows) else flags
    owner = np.repeat(np.arange(len(firsts)), np.asarray(np.diff(np.append(firsts, len(rows))), np.intp))
    return np.asarray((flags * weight[:, None]).T @ (sums[owner] - flags))


__all__ = ["ANY", "LINKS", "PAIR", "VICTIMS", "LinkCounts", "LinkedRecords", "pair_counts", "publish_links"]
