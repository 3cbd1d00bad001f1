"""The inner loops of synthesis: numpy where it is fast, kernel.wasm in the browser, where it is not.

numpy for WebAssembly comes with neither a matrix library nor vector instructions. In Pyodide these loops therefore
run in a small module of our own (kernel.c) inside Python's own memory; everywhere else, and in a browser without
vector instructions, numpy runs them. Both compute the same to rounding (tests/web/test_pyodide_kernel.py). Nothing
here sees a row of the data: only numbers after the noise, and records made from them.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.ctypeslib import ndpointer
from numpy.typing import NDArray

Single = NDArray[np.float32]
Index = NDArray[np.int32]

_CHUNK = 4
"""Rows of a block of triples that kernel.c works on at once."""

AHEAD = 64
"""Moves that are asked together before they are asked one by one: most are dropped there, at a tenth of the time."""


def _load() -> Any:
    """The functions of kernel.wasm; None outside Pyodide, and in a browser that has no vector instructions."""
    if str(sys.platform) != "emscripten":
        return None
    try:
        library = ctypes.CDLL(str(Path(__file__).with_name("kernel.wasm")))
    except OSError:
        return None
    numbers, places = ndpointer(np.float32, flags="C_CONTIGUOUS"), ndpointer(np.int32, flags="C_CONTIGUOUS")
    answers, anywhere, size = ndpointer(np.uint8, flags="C_CONTIGUOUS"), ctypes.c_void_p, ctypes.c_int
    for name, result, arguments in (
        ("times", None, [numbers, anywhere, size, size, numbers, size, size, size]),
        ("by_rows", None, [numbers] * 3 + [size] * 3),
        ("triples", ctypes.c_double, [numbers] * 4 + [places] * 3 + [numbers] * 5 + [size] * 4),
        ("scores", None, [numbers, numbers, places, size, size, size]),
        ("settle", None, [numbers] + [places] * 4 + [numbers, answers, ctypes.c_float] + [size] * 4),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_compiled = _load()


def _single(array: NDArray[Any]) -> Single:
    return np.ascontiguousarray(array, np.float32)


def _index(array: NDArray[Any]) -> Index:
    return np.ascontiguousarray(array, np.int32)


def times(a: Single, b: Single) -> Single:
    """The matrix product a (m, k) b (k, n). Rows and columns of a may have any strides."""
    if _compiled is None:
        return np.asarray(a @ b)
    b = _single(b)
    out = np.empty((len(a), b.shape[1]), np.float32)
    if a.dtype != np.float32 or min(a.strides) < 0:
        a = _single(a)
    row, column = (stride // 4 for stride in a.strides)
    _compiled.times(out, int(a.ctypes.data), row, column, b, len(a), a.shape[1], b.shape[1])
    return out


def by_rows(a: Single, b: Single) -> Single:
    """Dot products of the rows of a (m, k) with those of b (n, k): (m, n)."""
    if _compiled is None:
        return np.asarray(a @ b.T)
    a, b = _single(a), _single(b)
    out = np.empty((len(a), len(b)), np.float32)
    _compiled.by_rows(out, a, b, len(a), a.shape[1], len(b))
    return out


@dataclass(frozen=True)
class TripleBlock:
    """Triples of which rows hold pairs of two attributes, and columns the third ones.

    first, second: coordinates of the attributes in the pairs; row first[i], second[j] is i * J + j, J being
    len(second). columns: the coordinate of each column. target, precision: (rows, columns). Every triple stands once
    in all blocks, so no product is made twice; the cells of what is no triple weigh nothing.
    """

    first: Index
    second: Index
    columns: Index
    target: Single
    precision: Single


def triples(blocks: Sequence[TripleBlock], factors: Single, weighted: Single, pull: Single, by_mass: Single) -> float:
    """The misfit of all triples. Adds half its gradient in the factors to pull, and that in the mass to by_mass.

    factors, weighted, pull: (coordinates, components), weighted being factors times the mass; by_mass: (components,).
    """
    if _compiled is not None:
        return _triples_compiled(blocks, factors, weighted, pull, by_mass)
    loss = 0.0
    sums = np.zeros_like(pull)
    for block in blocks:
        first, second, third = factors[block.first], factors[block.second], factors[block.columns]
        pairs = (first[:, None, :] * second).reshape(len(block.target), -1)
        error = pairs @ weighted[block.columns].T
        error -= block.target
        scaled = block.precision * error
        loss += float(np.vdot(scaled, error))
        sums[block.columns] += scaled.T @ pairs
        back = (scaled @ third).reshape(len(first), *second.shape)
        pull[block.first] += np.einsum("ijk,jk->ik", back, second)
        pull[block.second] += np.einsum("ijk,ik->jk", back, first)
    pull += sums
    by_mass += 2.0 * (factors * sums).sum(axis=0)
    return loss


def _triples_compiled(
    blocks: Sequence[TripleBlock], factors: Single, weighted: Single, pull: Single, by_mass: Single
) -> float:
    factors, weighted = _single(factors), _single(weighted)
    components = factors.shape[1]
    sums, added = np.zeros_like(factors), np.zeros_like(factors)
    pairs, back = np.empty((_CHUNK, components), np.float32), np.empty((_CHUNK, components), np.float32)
    scaled = np.empty((_CHUNK, max((len(block.columns) for block in blocks), default=0)), np.float32)
    loss = 0.0
    for block in blocks:
        loss += _compiled.triples(
            *(sums, added, factors, weighted, block.first, block.second, block.columns, block.target, block.precision),
            *(pairs, back, scaled, len(block.first), len(block.second), len(block.columns), components),
        )
    pull += sums + added
    by_mass += 2.0 * (factors * sums).sum(axis=0)
    return loss


def scores(local: Single, rows: NDArray[np.intp]) -> Single:
    """For each record, the sum of the rows of local (rows, width) that it stands in; rows (records, tables)."""
    if _compiled is None:
        # a product with ones sums short rows several times faster than sum(axis=1)
        return np.asarray(np.ones(rows.shape[1], np.float32) @ local.take(rows, axis=0))
    out = np.empty((len(rows), local.shape[1]), np.float32)
    _compiled.scores(out, local, _index(rows), len(rows), rows.shape[1], local.shape[1])
    return out


def paths(rows: NDArray[np.intp], width: int, into: Index, out: Index) -> NDArray[np.intp]:
    """Places of the cells that each move goes into, then of those it leaves: (moves, 2 tables) in local.reshape(-1).

    rows (moves, tables): the row of every table; width: of a row; into, out (moves,): the new value and the old one.
    """
    at = rows * width
    return np.concatenate([at + into[:, None], at + out[:, None]], axis=1)


def signs(tables: int) -> Single:
    """What a move adds to the cells of its path: 1 where it goes, -1 where it leaves. (2 tables,)"""
    return np.repeat(np.array([1.0, -1.0], np.float32), tables)


def settle(
    local: Single,
    rows: NDArray[np.intp],
    which: NDArray[np.int64],
    old: Index,
    best: Index,
    *,
    step: Single,
    own: float,
) -> NDArray[np.intp]:
    """Makes those moves that lower the misses, one after the other; returns their positions in `which`.

    local (rows, width): prices of one more record, changed in place. The i-th move takes record which[i], which stands
    in rows[which[i]] (tables,), from value old[which[i]] to best[which[i]]. step (tables,): what one record changes
    a price by; own: the price of a record to itself. AHEAD moves are asked together, and those that lower the misses
    then are asked again when their turn comes.
    """
    if _compiled is not None:
        moved = np.zeros(len(which), np.uint8)
        places, values = (_index(rows), _index(which)), (_index(old), _index(best))
        _compiled.settle(
            local, *places, *values, _single(step), moved, own, len(which), AHEAD, rows.shape[1], local.shape[1]
        )
        return np.flatnonzero(moved)
    cells, sign, own_price = local.reshape(-1), signs(rows.shape[1]), np.float32(own)
    change = sign * np.tile(step, 2)
    moves = []
    for low in range(0, len(which), AHEAD):
        some = which[low : low + AHEAD]
        ways = paths(rows[some], local.shape[1], best[some], old[some])
        for i in np.flatnonzero(cells.take(ways) @ sign + own_price < 0).tolist():
            way = ways[i]
            if cells.take(way) @ sign + own_price < 0:
                cells[way] += change  # no two tables share a cell
                moves.append(low + i)
    return np.array(moves, np.intp)
