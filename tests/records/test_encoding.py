"""Words to codes and back; equal rows found; counts against brute force."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.records.counting import count, count_many, value_counts
from caseveil.records.encoding import EncodedRows, decode, distinct_rows, encode
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.schema.domain import Domain
from caseveil.schema.table import Table

pytestmark = pytest.mark.engine

TABLE = Table(
    name="t",
    columns=(
        Category(name="gender", values=("Female", "Male")),
        MultiChoice(name="means", values=("Debt", "Force", "Threats"), delimiter=" / "),
        Category(name="year", values=tuple(str(year) for year in range(2000, 2020))),
    ),
)
SETS = [" / ".join(items) for k in range(4) for items in itertools.combinations(("Debt", "Force", "Threats"), k)]


def rows_of(gender, means, year):
    return Rows(table=TABLE, columns={"gender": gender, "means": means, "year": year})


some_rows = st.lists(
    st.tuples(st.sampled_from(["", "Female", "Male"]), st.sampled_from(SETS), st.sampled_from(["", "2000", "2019"])),
    min_size=1,
    max_size=30,
).map(lambda rows: rows_of(*(list(cells) for cells in zip(*rows, strict=True))))


@given(some_rows)
def test_decode_undoes_encode(rows):
    encoded = encode(rows, TABLE)
    assert encoded.codes.dtype == np.int32
    assert encoded.codes.flags.f_contiguous
    assert encoded.codes.shape == (rows.n, 5)
    assert decode(encoded.codes, TABLE) == {name: list(cells) for name, cells in rows.columns.items()}


@given(st.lists(st.tuples(*(st.integers(0, size - 1) for size in TABLE.domain().sizes)), max_size=30))
def test_encode_undoes_decode(codes):
    array = np.array(codes, dtype=np.int32).reshape(-1, 5)
    columns = decode(array, TABLE)
    assert (encode(Rows(table=TABLE, columns=columns), TABLE).codes == array).all()


def test_codes_are_what_the_schema_says():
    encoded = encode(rows_of(["Male", ""], ["Debt / Threats", ""], ["2001", "2000"]), TABLE)
    assert encoded.codes.tolist() == [[2, 1, 0, 1, 2], [0, 0, 0, 0, 1]]
    assert encoded.domain == TABLE.domain()


def test_values_that_were_not_discovered_become_missing_and_dropped_columns_go():
    open_table = Table(name="t", columns=(Category(name="a"), MultiChoice(name="b"), Category(name="c")))
    rows = Rows(table=open_table, columns={"a": ["x", "y"], "b": ["p;q", "q"], "c": ["u", "v"]})
    resolved = open_table.resolve({"a": ("y",), "b": ("q",), "c": ()})
    encoded = encode(rows, resolved)
    assert encoded.codes.tolist() == [[0, 1], [1, 1]]
    assert decode(encoded.codes, resolved) == {"a": ["", "y"], "b": ["q", "q"]}


@pytest.mark.parametrize("codes", [[[3, 0, 0, 0, 0]], [[-1, 0, 0, 0, 0]], [[0, 2, 0, 0, 0]], [[0, 0]]])
def test_codes_outside_the_domain_are_refused(codes):
    with pytest.raises(ValueError, match="codes"):
        decode(np.array(codes, dtype=np.int32), TABLE)


def test_coded_rows_show_nothing_and_must_fit():
    encoded = encode(rows_of(["Male"], ["Debt"], ["2001"]), TABLE)
    assert repr(encoded) == f"EncodedRows(names={list(TABLE.domain().names)})"
    with pytest.raises(ValueError, match="one column per attribute"):
        EncodedRows(domain=TABLE.domain(), codes=np.zeros((2, 4), dtype=np.int32))


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 50), st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 1000]))
def test_distinct_rows_whatever_their_width(n, width, seed, size):
    # 50 columns of 1,000 codes do not fit one word: words are joined by rank.
    rng = np.random.default_rng(seed)
    pool = rng.integers(0, size, (5, width))
    codes = pool[rng.integers(0, 5, n)]
    first, inverse, counts = distinct_rows(codes, (size,) * width)
    assert (codes[first][inverse] == codes).all()
    tally = collections.Counter(map(tuple, codes.tolist()))
    assert {tuple(codes[at].tolist()): times for at, times in zip(first, counts.tolist(), strict=True)} == dict(tally)


def test_rows_that_differ_in_one_of_many_wide_columns_only():
    # 1000^22 is a multiple of 2^64: packed into one word, the first columns would be lost.
    for place in (0, 15, 39):
        codes = np.zeros((3, 40), dtype=np.int32)
        codes[1, place] = 1
        first, inverse, counts = distinct_rows(codes, (1000,) * 40)
        assert sorted(first.tolist()) == [0, 1]
        assert inverse[0] == inverse[2] != inverse[1]
        assert sorted(counts.tolist()) == [1, 2]


def coded(rng, n, sizes):
    domain = Domain(names=tuple(f"x{i}" for i in range(len(sizes))), sizes=sizes)
    codes = np.stack([rng.integers(0, size, n) for size in sizes], axis=1)
    return EncodedRows(domain=domain, codes=np.asfortranarray(codes, dtype=np.int32))


def brute_force(rows, clique):
    out = np.zeros(rows.domain.shape(clique), dtype=np.int64)
    for row in rows.codes.tolist():
        out[tuple(row[i] for i in clique)] += 1
    return out


@settings(max_examples=40)
@given(
    st.integers(0, 60),
    st.lists(st.integers(2, 4), min_size=1, max_size=6).map(tuple),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_counts_equal_brute_force(n, sizes, seed, repeat):
    rng = np.random.default_rng(seed)
    rows = coded(rng, n, sizes)
    if repeat and n:  # many equal rows take the weighted way
        rows = EncodedRows(domain=rows.domain, codes=np.asfortranarray(np.repeat(rows.codes, 3, axis=0)))
    cliques = [clique for length in range(4) for clique in rows.domain.cliques(length)]
    many = count_many(rows, reversed(cliques))
    assert set(many) == set(cliques)
    for clique in cliques:
        expected = brute_force(rows, clique)
        for found in (many[clique], count(rows, clique)):
            assert found.dtype == np.int64
            assert found.shape == rows.domain.shape(clique)
            assert (found == expected).all()
    assert count(rows, ()) == rows.n


def test_a_clique_must_rise_and_exist():
    rows = coded(np.random.default_rng(0), 5, (2, 2))
    for clique in [(1, 0), (0, 0), (2,), (-1,)]:
        with pytest.raises(ValueError, match="rising order"):
            count(rows, clique)


def test_people_per_value_and_per_item():
    rows = rows_of(["Male", "", "Male"], ["Debt / Force", "Debt", ""], ["2000", "2001", "2001"])
    assert value_counts(rows, "gender") == {"Male": 2}
    assert value_counts(rows, "means") == {"Debt": 2, "Force": 1}
    assert value_counts(rows, "year") == {"2000": 1, "2001": 2}
    with pytest.raises(ValueError, match="column nosuch must be one of gender, means, year"):
        value_counts(rows, "nosuch")


def test_a_person_adds_to_a_bounded_number_of_items():
    items = [f"i{k}" for k in range(12)]
    table = Table(name="t", columns=(MultiChoice(name="a"),))
    sets = [";".join(chosen) for chosen in itertools.combinations(items, 4)]
    rows = Rows(table=table, columns={"a": [*sets, "i1;i2", ""]})
    counts = value_counts(rows, "a", at_most=2)
    assert sum(counts.values()) == 2 * len(sets) + 2
    for left_out in (0, 7, len(sets)):  # one person changes at most two counts, by one each
        others = [cell for at, cell in enumerate(rows.columns["a"]) if at != left_out]
        without = value_counts(Rows(table=table, columns={"a": others}), "a", at_most=2)
        changes = [counts[item] - without.get(item, 0) for item in counts]
        assert sorted(changes, reverse=True)[:3] == [1, 1, 0]
        assert min(changes) == 0
    # No item is favoured: 82.5 expected of each, standard deviation 9; six of them is a false alarm of 2e-9 each.
    # The choice is a fixed function of the sets, so this passes or fails once and for all.
    assert all(abs(count - 2 * len(sets) / 12) < 54 for count in counts.values())
    assert value_counts(rows, "a") == {item: 165 + (item in ("i1", "i2")) for item in items}
