"""Linked rows as tables in which one person never counts more than one: what is measured of links.

Each view is coded rows with weights, such that the weights of the rows of any one victim sum to at most `reach` in
size. A marginal of it is then, for one victim, a combination of unit vectors with that total weight, so its residuals
change by at most reach times what one row of one person changes (docs/proofs/linked-measurement.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseveil.records.encoding import EncodedRows, encode
from caseveil.records.linkage import LinkedRows
from caseveil.schema.domain import Domain
from caseveil.schema.linked import LinkedTables, tilt_reach


@dataclass(frozen=True, kw_only=True, repr=False)
class View:
    """Private. reach: largest sum of the sizes of one person's weights, in people; public, from the cap alone."""

    rows: EncodedRows
    reach: float = 1.0


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkViews:
    """Private. V, k and P as in schema.linked.

    each: V, k, P of a uniformly drawn perpetrator of every victim: each link weighs 1/k; a victim without links is
        one row with missing P.
    tilt: V and P, each link weighs (k - c)/k with c = (cap + 1)/2, so that c times `each` plus this counts links.
    pairs: P of one and P of another perpetrator of the same victim: each ordered pair weighs 1/(k(k-1)).
    any: V, and for every value that P can state whether any perpetrator of the victim has it.
    """

    each: View
    tilt: View
    pairs: View
    any: View


def link_views(rows: LinkedRows, tables: LinkedTables) -> LinkViews:
    """All views of the rows, over tables whose values are all known."""
    victims = encode(rows.victims, tables.victims).codes
    perpetrators = encode(rows.perpetrators, tables.perpetrators).codes
    k = rows.numbers
    if len(k) and int(k.max()) > tables.link.at_most:
        raise ValueError("links must be cut to the cap before they are counted")
    return LinkViews(
        each=_each(victims, perpetrators, rows.victim_of, k, tables),
        tilt=_tilt(victims, perpetrators, rows.victim_of, k, tables),
        pairs=_pairs(perpetrators, rows.victim_of, k, tables),
        any=_any(victims, perpetrators, rows.victim_of, tables),
    )


def _rows(
    domain: Domain, parts: list[NDArray[np.int32]], weights: NDArray[np.int64] | None = None, grid: int = 1
) -> EncodedRows:
    return EncodedRows(domain=domain, codes=np.asfortranarray(np.hstack(parts)), weights=weights, grid=grid)


def _each(
    victims: NDArray[np.int32],
    perpetrators: NDArray[np.int32],
    victim_of: NDArray[np.int64],
    k: NDArray[np.int64],
    tables: LinkedTables,
) -> View:
    alone = np.flatnonzero(k == 0)
    owner = np.concatenate([victim_of, alone])
    blank = np.zeros((len(alone), perpetrators.shape[1]), np.int32)
    grid = math.lcm(*range(1, tables.link.at_most + 1))
    weights = np.asarray(grid // np.maximum(k[owner], 1), np.int64)
    number = k[owner, None].astype(np.int32)
    return View(rows=_rows(tables.each, [victims[owner], number, np.vstack([perpetrators, blank])], weights, grid))


def _tilt(
    victims: NDArray[np.int32],
    perpetrators: NDArray[np.int32],
    victim_of: NDArray[np.int64],
    k: NDArray[np.int64],
    tables: LinkedTables,
) -> View:
    cap = tables.link.at_most
    part = math.lcm(*range(1, cap + 1))
    here = k[victim_of]
    # (k - (cap + 1)/2) / k on the grid 1 / (2 lcm)
    weights = np.asarray((2 * here - (cap + 1)) * (part // here), np.int64)
    return View(rows=_rows(tables.tilt, [victims[victim_of], perpetrators], weights, 2 * part), reach=tilt_reach(cap))


def _pairs(
    perpetrators: NDArray[np.int32], victim_of: NDArray[np.int64], k: NDArray[np.int64], tables: LinkedTables
) -> View:
    cap = tables.link.at_most
    start = np.concatenate([[0], np.cumsum(k)])[victim_of]
    here = k[victim_of]
    link = np.arange(len(victim_of), dtype=np.int64)
    firsts, seconds = [], []
    for step in range(1, cap):  # the one that stands `step` further in the circle of the same victim
        mine = link[here > step]
        firsts.append(mine)
        seconds.append(start[mine] + (mine - start[mine] + step) % here[mine])
    first = np.concatenate(firsts) if firsts else np.zeros(0, np.int64)
    second = np.concatenate(seconds) if seconds else np.zeros(0, np.int64)
    grid = math.lcm(*(k * (k - 1) for k in range(2, cap + 1)))
    weights = np.asarray(grid // (here[first] * (here[first] - 1)), np.int64)
    return View(rows=_rows(tables.pairs, [perpetrators[first], perpetrators[second]], weights, grid))


def _any(
    victims: NDArray[np.int32], perpetrators: NDArray[np.int32], victim_of: NDArray[np.int64], tables: LinkedTables
) -> View:
    flags = np.zeros((len(victims), len(tables.flags)), np.int32)
    for position, (i, code) in enumerate(tables.flags):
        flags[victim_of[perpetrators[:, i] == code], position] = 1
    return View(rows=_rows(tables.any, [victims, flags]))
