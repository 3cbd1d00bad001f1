"""The scores of the benchmark against brute force, and against the shared scorer where it is at hand."""

from __future__ import annotations

import importlib.util
import itertools
import json
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import score
from benchmarks.score import PublishedTable, column_sets, score_counts, score_records

SHARED = Path(__file__).resolve().parents[3] / "shared"
Columns = dict[str, list[str]]


def combinations(table: Columns, length: int) -> Counter[tuple[tuple[str, str], ...]]:
    """Every combination of that length and how many rows have it, one row at a time."""
    out: Counter[tuple[tuple[str, str], ...]] = Counter()
    for row in zip(*table.values(), strict=True):
        filled = [(name, cell) for name, cell in zip(table, row, strict=True) if cell]
        out.update(itertools.combinations(filled, length))
    return out


@st.composite
def tables(draw: st.DrawFn, names: str = "abcd") -> Columns:
    rows = draw(st.integers(1, 40))
    cells = st.lists(st.sampled_from(["", "0", "x", "y;z"]), min_size=rows, max_size=rows)
    return {name: draw(cells) for name in names}


@settings(max_examples=60, deadline=None)
@given(tables(), tables())
def test_records_agree_with_counting_by_hand(original: Columns, release: Columns) -> None:
    got = score_records(original, release)
    for length in (1, 2, 3, 4):
        o, s = combinations(original, length), combinations(release, length)
        either = set(o) | set(s)
        assert got[f"mae_{length}"] == pytest.approx(sum(abs(o[c] - s[c]) for c in either) / max(len(either), 1))
        frequent = [c for c in o if o[c] >= 10]
        lost = 100 * sum(c not in s for c in frequent) / len(frequent) if frequent else 0.0
        assert got[f"supp_pct_{length}"] == pytest.approx(lost)
        made_up = [c for c in s if c not in o]
        assert got[f"fab_pct_{length}"] == pytest.approx(100 * len(made_up) / len(s) if s else 0.0)
        mass = 100 * sum(s[c] for c in made_up) / s.total() if s else 0.0
        assert got[f"fabw_pct_{length}"] == pytest.approx(mass)


@settings(max_examples=30, deadline=None)
@given(tables("ab"), tables("ab"))
def test_tvd_counts_missing_as_a_value(original: Columns, release: Columns) -> None:
    o, s = (Counter(zip(*table.values(), strict=True)) for table in (original, release))
    expected = 0.5 * sum(abs(o[c] / o.total() - s[c] / s.total()) for c in set(o) | set(s))
    assert score_records(original, release, [2])["tvd_2"] == pytest.approx(expected)


def test_a_table_scored_against_itself_is_perfect() -> None:
    table = {"a": ["x", "", "y"], "b": ["", "", "z"]}
    scores = score_records(table, table, [1, 2])
    assert scores.pop("rows") == scores.pop("rows_syn") == 3
    assert set(scores.values()) == {0.0}


def test_left_over_rows_show_in_the_fill() -> None:
    original = {"a": ["x", "x"], "b": ["y", "y"]}
    release = {"a": ["x", "x", "", ""], "b": ["y", "y", "", ""]}
    scores = score_records(original, release, [1])
    assert scores["rows_syn"] == 4
    assert scores["filled_tvd_pct"] == pytest.approx(50)


@settings(max_examples=30, deadline=None)
@given(tables(), tables())
def test_sparse_and_dense_counting_agree(original: Columns, release: Columns) -> None:
    dense = score_records(original, release)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score, "DENSE_CELLS", 0)
        assert score_records(original, release) == pytest.approx(dense)


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_counts_agree_with_counting_by_hand(original: Columns, data: st.DataObject) -> None:
    truth = {c: n for length in (1, 2, 3) for c, n in combinations(original, length).items()}
    invented = {(("a", "never"),): 0, (("a", "x"), ("b", "never")): 0}
    some = data.draw(st.lists(st.sampled_from([*truth, *invented]), unique=True, min_size=1))
    published = {c: float(data.draw(st.integers(0, 30))) for c in some}
    margin = data.draw(st.integers(0, 5))
    got = score_counts(
        original,
        PublishedTable(
            combination=[json.dumps(dict(c), sort_keys=True) for c in published],
            count=list(published.values()),
            lower=[n - margin for n in published.values()],
            upper=[n + margin for n in published.values()],
        ),
    )
    for length in {len(c) for c in published}:
        true = {c: n for c, n in truth.items() if len(c) == length}
        listed = {c: n for c, n in published.items() if len(c) == length}
        either = set(true) | set(listed)
        error = sum(abs(listed.get(c, 0) - true.get(c, 0)) for c in either) / len(either)
        assert got[f"counts_mae_{length}"] == pytest.approx(error)
        assert got[f"counts_fab_pct_{length}"] == pytest.approx(100 * sum(c not in true for c in listed) / len(listed))
        frequent = [c for c in true if true[c] >= 10]
        lost = 100 * sum(c not in listed for c in frequent) / len(frequent) if frequent else 0.0
        assert got[f"counts_supp_pct_{length}"] == pytest.approx(lost)
        inside = sum(abs(n - true.get(c, 0)) <= margin for c, n in listed.items())
        assert got[f"coverage_pct_{length}"] == pytest.approx(100 * inside / len(listed))


def test_counts_without_intervals_have_no_coverage() -> None:
    got = score_counts({"a": ["x"]}, PublishedTable(combination=['{"a": "x"}'], count=[1.0]))
    assert got == {"counts_mae_1": 0.0, "counts_supp_pct_1": 0.0, "counts_fab_pct_1": 0.0}


def test_many_column_sets_are_drawn_the_same_each_time() -> None:
    assert len(column_sets(10, 3)) == 120
    drawn = column_sets(40, 3)
    assert len(set(drawn)) == 500
    assert drawn == column_sets(40, 3) == sorted(drawn)


def _shared_scorer() -> ModuleType:
    path = SHARED / "score.py"
    if not path.exists():
        pytest.skip("the shared scorer is not here")
    pytest.importorskip("pandas")
    spec = importlib.util.spec_from_file_location("shared_score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rough_copy(table: Columns, rng: np.random.Generator) -> Columns:
    """The table with some cells of every column shuffled, a few values of its own, and some rows left out."""
    out = {}
    for name, cells in table.items():
        column = np.array(cells, dtype=object)
        moved = np.flatnonzero(rng.random(len(column)) < 0.2)
        column[moved] = column[rng.permutation(moved)]
        column[rng.choice(len(column), 3)] = "new"
        out[name] = [str(cell) for cell in column[5:]]
    return out


@pytest.mark.parametrize("wide", [False, True])
def test_agrees_with_the_shared_scorer(wide: bool) -> None:
    shared = _shared_scorer()
    import pandas as pd

    rng = np.random.default_rng(3)
    columns = 28 if wide else 6  # 28 columns have 3276 triples, more than are all looked at
    values = ["", "1"] if wide else ["", "a", "b;c", "0", "d", "e"]
    original = {f"c{i}": [str(v) for v in rng.choice(values, 400)] for i in range(columns)}
    release = _rough_copy(original, rng)
    lengths = (1, 2, 3) if wide else (1, 2, 3, 4)
    expected = shared.score(pd.DataFrame(original), pd.DataFrame(release), lengths)
    assert score_records(original, release, lengths) == pytest.approx(expected)

    found = [c for length in (1, 2, 3) for c in combinations(release, length).items()]
    kept = [found[i] for i in rng.choice(len(found), 300, replace=False)]
    frame = pd.DataFrame(
        {
            "combination": [json.dumps(dict(c), sort_keys=True) for c, _ in kept],
            "count": [n for _, n in kept],
            "lower": [n - 3 for _, n in kept],
            "upper": [n + 3 for _, n in kept],
        }
    )
    published = PublishedTable(**{name: frame[name].tolist() for name in frame})
    assert score_counts(original, published) == pytest.approx(shared.score_counts(pd.DataFrame(original), frame))
