"""How far a release is from the table it was made from.

Every cell is a string; "" is missing and takes part in no combination. A combination of length k is k distinct
columns, each with a value. Counts are in records and never rescaled, so a release with too many records pays for it.

Of the combinations of length k, with o records in the original and s in the release:

    mae        mean |s - o| over the combinations that occur in either
    supp_pct   share never released of those with o of 10 or more
    fab_pct    share of the released combinations with o = 0; fabw_pct weighs each by s
    tvd        total variation distance of the joint distribution, missing included, averaged over column sets (k <= 3)

and over whole rows: rows, rows_syn, and filled_tvd_pct, the total variation distance (in percent) between the
distributions of the number of filled cells. Where a length has more than 3000 column sets, 500 are drawn, always
the same ones. Published counts are scored the same way, and coverage_pct is the share of intervals that hold the truth.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, Sequence[str]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_SETS = 3000
DRAWN_SETS = 500
DRAW_SEED = 20261123
DENSE_CELLS = 1 << 20
FREQUENT = 10


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """Published counts, column by column: combination is a JSON object of strings."""

    combination: Sequence[str]
    count: Sequence[float]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None


def column_sets(columns: int, length: int) -> list[tuple[int, ...]]:
    """All sets of `length` columns, or the fixed draw of them when they are too many."""
    every = list(itertools.combinations(range(columns), length))
    if len(every) <= MOST_SETS:
        return every
    drawn = np.random.default_rng(DRAW_SEED).choice(len(every), DRAWN_SETS, replace=False)
    return [every[i] for i in sorted(drawn)]


@dataclass(frozen=True)
class _Rows:
    """Coded distinct rows, one array per column, and how many records each stands for."""

    columns: list[Ints]
    weights: Floats

    @property
    def total(self) -> float:
        return float(self.weights.sum())

    def flat(self, chosen: Sequence[int], shape: Sequence[int]) -> Ints:
        """Position of every row in the joint table of the chosen columns."""
        out = np.zeros(len(self.weights), np.int64)
        for column, size in zip(chosen, shape, strict=True):
            out = out * size + self.columns[column]
        return out


def _coded(tables: Sequence[Columns], names: Sequence[str]) -> tuple[list[_Rows], list[int]]:
    """The tables in one common code, 0 for "", and the number of codes per column."""
    coded: list[list[Ints]] = [[] for _ in tables]
    sizes = []
    for name in names:
        values = sorted(set().union(*(set(table[name]) for table in tables)) - {""})
        code = {"": 0} | {value: position for position, value in enumerate(values, 1)}
        sizes.append(len(code))
        for place, table in zip(coded, tables, strict=True):
            place.append(np.fromiter((code[v] for v in table[name]), np.int64, len(table[name])))
    rows = []
    for place in coded:
        distinct, weights = np.unique(np.stack(place, axis=1), axis=0, return_counts=True)
        rows.append(_Rows(list(np.ascontiguousarray(distinct.T)), weights.astype(np.float64)))
    return rows, sizes


def _side_by_side(
    original: _Rows, release: _Rows, chosen: Sequence[int], shape: Sequence[int]
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Records per cell in both tables, over the cells that either uses, and which of these cells miss no value."""
    a, b = original.flat(chosen, shape), release.flat(chosen, shape)
    cells = math.prod(shape)
    if cells <= DENSE_CELLS:
        used = np.arange(cells, dtype=np.int64)
    else:  # too many cells to lay out: only the used ones are numbered
        used, place = np.unique(np.concatenate([a, b]), return_inverse=True)
        a, b = place[: len(a)], place[len(a) :]
    o: Floats = np.bincount(a, original.weights, len(used)).astype(np.float64)
    s: Floats = np.bincount(b, release.weights, len(used)).astype(np.float64)
    if cells <= DENSE_CELLS:
        used = np.flatnonzero((o > 0) | (s > 0))
        o, s = o[used], s[used]
    whole: NDArray[np.bool_] = np.ones(len(used), np.bool_)
    rest = used
    for size in reversed(shape):
        rest, digit = np.divmod(rest, size)
        whole &= digit > 0
    return o, s, whole


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


def score_records(original: Columns, release: Columns, lengths: Iterable[int] = (1, 2, 3, 4)) -> dict[str, float]:
    """Scores of synthetic records, by the definitions above. `release` must hold every column of `original`."""
    names = list(original)
    (o_rows, s_rows), sizes = _coded([original, release], names)
    n, m = o_rows.total, s_rows.total
    filled = [
        np.bincount(sum((column > 0).astype(np.int64) for column in rows.columns), rows.weights, len(names) + 1)
        for rows in (o_rows, s_rows)
    ]
    out: dict[str, float] = {
        "rows": n,
        "rows_syn": m,
        "filled_tvd_pct": 50 * float(np.abs(filled[0] / n - filled[1] / m).sum()),
    }
    for length in lengths:
        error = either = frequent = lost = released = made_up = released_mass = made_up_mass = distance = 0.0
        sets = column_sets(len(names), length)
        for chosen in sets:
            o, s, whole = _side_by_side(o_rows, s_rows, chosen, [sizes[c] for c in chosen])
            distance += 0.5 * float(np.abs(o / n - s / m).sum())
            o, s = o[whole], s[whole]
            invented = (s > 0) & (o == 0)
            error += float(np.abs(s - o).sum())
            either += len(o)
            frequent += int((o >= FREQUENT).sum())
            lost += int(((o >= FREQUENT) & (s == 0)).sum())
            released += int((s > 0).sum())
            released_mass += float(s.sum())
            made_up += int(invented.sum())
            made_up_mass += float(s[invented].sum())
        out[f"mae_{length}"] = error / max(either, 1)
        out[f"supp_pct_{length}"] = _percent(lost, frequent)
        out[f"fab_pct_{length}"] = _percent(made_up, released)
        out[f"fabw_pct_{length}"] = _percent(made_up_mass, released_mass)
        if length <= 3:
            out[f"tvd_{length}"] = distance / len(sets)
    return out


def score_counts(original: Columns, published: PublishedTable) -> dict[str, float]:
    """Scores of published counts. A combination that is not published counts as published 0."""
    names = sorted(original)
    parsed: list[dict[str, str]] = [json.loads(text) for text in published.combination]
    by_columns: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, combination in enumerate(parsed):
        by_columns[tuple(sorted(combination))].append(position)
    (rows,), sizes = _coded([original], names)
    codes = [{"": 0} | {v: i for i, v in enumerate(sorted(set(original[name]) - {""}), 1)} for name in names]
    value = np.asarray(published.count, np.float64)
    intervals = published.lower is not None and published.upper is not None
    lower = np.asarray(published.lower if intervals else published.count, np.float64)
    upper = np.asarray(published.upper if intervals else published.count, np.float64)
    out: dict[str, float] = {}
    for length in sorted({len(combination) for combination in parsed}):
        error = either = frequent = lost = listed = made_up = inside = 0.0
        for chosen in column_sets(len(names), length):
            shape = [sizes[c] for c in chosen]
            flat = rows.flat(chosen, shape)
            whole = np.logical_and.reduce([rows.columns[c] > 0 for c in chosen])
            cells, place = np.unique(flat[whole], return_inverse=True)
            truth = dict(zip(cells.tolist(), np.bincount(place, rows.weights[whole], len(cells)).tolist(), strict=True))
            unpublished = dict(truth)
            for position in by_columns.get(tuple(names[c] for c in chosen), ()):
                combination = parsed[position]
                cell: int | None = 0
                for column, size in zip(chosen, shape, strict=True):
                    code = codes[column].get(combination[names[column]])
                    cell = None if cell is None or code is None else cell * size + code
                true = truth.get(cell, 0.0) if cell is not None else 0.0
                if cell is not None:
                    unpublished.pop(cell, None)
                error += abs(float(value[position]) - true)
                listed += 1
                made_up += true == 0
                inside += bool(lower[position] <= true <= upper[position])
            missed = np.fromiter(unpublished.values(), np.float64, len(unpublished))
            error += float(missed.sum())
            either += len(missed)
            lost += int((missed >= FREQUENT).sum())
            frequent += sum(true >= FREQUENT for true in truth.values())
        out[f"counts_mae_{length}"] = error / max(either + listed, 1)
        out[f"counts_supp_pct_{length}"] = _percent(lost, frequent)
        out[f"counts_fab_pct_{length}"] = _percent(made_up, listed)
        if intervals:
            out[f"coverage_pct_{length}"] = _percent(inside, listed)
    return out
