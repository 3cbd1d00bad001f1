"""Exact counts of coded rows. Private: only the curator and the steward's own checks may ask."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from caseveil.records.encoding import EncodedRows, distinct_rows
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import MISSING, Column, MultiChoice
from caseveil.schema.domain import Clique

_COLLAPSE_BELOW = 0.5  # share of distinct rows below which weighted counting of them is faster


def count(rows: EncodedRows, clique: Clique) -> NDArray[np.int64]:
    """People (in parts of 1 / grid) in every cell of one marginal; shape of the clique, 0-d (all of them) for ()."""
    return count_many(rows, (clique,))[clique]


def count_many(rows: EncodedRows, cliques: Iterable[Clique]) -> dict[Clique, NDArray[np.int64]]:
    """People in every cell of each marginal; equal to `count` of each, and faster for many.

    Cliques are taken in lexicographic order so that the flat index of a shared prefix is computed once,
    and equal rows are counted once with their number where there are enough of them.
    """
    ordered = sorted(set(cliques))
    for clique in ordered:
        if any(a >= b for a, b in itertools.pairwise(clique)) or any(
            not 0 <= place < len(rows.domain) for place in clique
        ):
            raise ValueError(f"clique {clique} must hold attribute positions in rising order")
    # Weights are float64 in bincount: whole numbers are exact up to 2^53.
    codes = rows.codes
    weights: NDArray[np.float64] | None = None if rows.weights is None else rows.weights.astype(np.float64)
    if len(ordered) > 8:
        first, kind, _ = distinct_rows(codes, rows.domain.sizes)
        if len(first) < _COLLAPSE_BELOW * rows.n:
            codes = np.asfortranarray(codes[first])
            weights = np.bincount(np.asarray(kind, np.intp), weights=weights).astype(np.float64)
    columns: dict[int, NDArray[np.int64]] = {}
    path: list[NDArray[np.int64]] = []  # path[d]: flat index over the first d + 1 attributes of `walked`
    walked: Clique = ()
    out: dict[Clique, NDArray[np.int64]] = {}
    for clique in ordered:
        if not clique:
            out[clique] = np.array(rows.n if rows.weights is None else rows.weights.sum(), dtype=np.int64)
            continue
        shared = _shared(walked, clique)
        del path[shared:]
        for place in clique[shared:]:
            if place not in columns:
                columns[place] = np.ascontiguousarray(codes[:, place], dtype=np.int64)
            path.append(path[-1] * rows.domain.sizes[place] + columns[place] if path else columns[place])
        walked = clique
        cells = np.bincount(np.asarray(path[-1], np.intp), weights=weights, minlength=rows.domain.cells(clique))
        out[clique] = cells.astype(np.int64).reshape(rows.domain.shape(clique))
    return out


def _mix(cell: str, item: str) -> bytes:
    return hashlib.blake2b(f"{cell}\0{item}".encode("utf-8", "surrogatepass")).digest()


def _shared(walked: Clique, clique: Clique) -> int:
    """Length of the common prefix."""
    length = 0
    for a, b in zip(walked, clique, strict=False):
        if a != b:
            break
        length += 1
    return length


def value_counts(rows: Rows, column: str, *, at_most: int | None = None) -> dict[str, int]:
    """People per value of a column, or per item of a set column; the missing value is left out.

    at_most bounds the items that one person adds to a set column, so that one person changes at most that
    many counts by one. Which items of a larger set are kept follows from that set alone, in an order that is
    as good as random and favours no item.
    """
    declared = next((other for other in rows.table.columns if other.name == column), None)
    if declared is None:
        raise ValueError(f"column {column} must be one of {', '.join(rows.columns)}")
    tally = Counter(rows.columns[column])
    items: Counter[str] = Counter()
    for cell, people in tally.items():
        for item in _items(cell, declared, at_most):
            items[item] += people
    return dict(items)


def linked_value_counts(rows: LinkedRows, column: str, *, at_most: int | None = None) -> dict[str, int]:
    """Victims per value (or item) that any of their linked rows has; the missing value is left out.

    at_most bounds the items of one cell, as in `value_counts`.
    """
    declared = next(other for other in rows.perpetrators.table.columns if other.name == column)
    cells = rows.perpetrators.columns[column]
    seen = set(zip(rows.victim_of.tolist(), cells, strict=True))
    held = {(victim, item) for victim, cell in seen for item in _items(cell, declared, at_most)}
    return dict(Counter(item for _, item in held))


def _items(cell: str, column: Column, at_most: int | None) -> list[str]:
    """What one cell states; nothing where it is missing."""
    if cell == MISSING:
        return []
    if not isinstance(column, MultiChoice):
        return [cell]
    held = cell.split(column.delimiter)
    if at_most is not None and len(held) > at_most:
        held = sorted(held, key=lambda item: _mix(cell, item))[:at_most]
    return held
