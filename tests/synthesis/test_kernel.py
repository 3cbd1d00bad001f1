"""The inner loops in numpy against the same written out move by move."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.synthesis import kernel
from caseveil.synthesis.kernel import Single

pytestmark = pytest.mark.engine

TABLES, WIDTH, CELLS = 7, 5, 20


def invented(records: int, seed: int) -> tuple[Single, NDArray[np.intp], np.random.Generator]:
    """Prices, in whole numbers so that no order of adding matters, and the row of each table for each record."""
    rng = np.random.default_rng(seed)
    local = rng.integers(-50, 50, (TABLES * CELLS, WIDTH)).astype(np.float32)
    rows = (rng.integers(0, CELLS, (records, TABLES)) + CELLS * np.arange(TABLES)).astype(np.intp)
    return local, rows, rng


def test_scores_are_sums_of_rows() -> None:
    local, rows, _ = invented(40, 1)
    for record, score in zip(rows, kernel.scores(local, rows), strict=True):
        assert score.tolist() == [sum(float(local[row, value]) for row in record) for value in range(WIDTH)]


@pytest.mark.parametrize("ahead", [1, 5, kernel.AHEAD])
def test_moves_are_settled_as_one_by_one(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More moves than are asked together, many of them of records in the same cells."""
    monkeypatch.setattr(kernel, "AHEAD", ahead)
    local, rows, rng = invented(700, ahead)
    old = rng.integers(0, WIDTH, len(rows)).astype(np.int32)
    best = ((old + 1) % WIDTH).astype(np.int32)
    which = rng.permutation(np.repeat(np.arange(len(rows)), 2))
    step = np.arange(1.0, TABLES + 1).astype(np.float32)
    own = float(2 * step.sum())
    mine = local.copy()
    moved = kernel.settle(mine, rows, which, old, best, step=step, own=own)

    wanted = local.astype(np.float64)
    made: list[int] = []

    def lowers(move: int) -> bool:
        who = which[move]
        gain = sum(wanted[row, best[who]] - wanted[row, old[who]] for row in rows[who].tolist())
        return bool(gain + own < 0)

    for start in range(0, len(which), ahead):
        for move in [move for move in range(start, min(start + ahead, len(which))) if lowers(move)]:
            if lowers(move):
                made.append(move)
                for row, change in zip(rows[which[move]].tolist(), step.tolist(), strict=True):
                    wanted[row, best[which[move]]] += change
                    wanted[row, old[which[move]]] -= change
    assert 50 < len(made) < len(which) - 50
    assert moved.tolist() == made
    assert np.array_equal(mine, wanted)
