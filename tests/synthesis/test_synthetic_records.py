"""Drawing and refining records, against brute force over every single move."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from caseveil.records.counting import count
from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis import records as room
from caseveil.synthesis.bars import Bars, bars
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.records import AttributeView, Layout, RefineOptions, Target, draw, refine
from tests.measurement.invented import coded, domain_of, random_rows, up_to

pytestmark = pytest.mark.engine

Codes = NDArray[np.int32]


def mixture_of(domain: Domain, components: int, rng: np.random.Generator) -> Mixture:
    return Mixture(
        domain=domain,
        weights=rng.dirichlet(np.ones(components)),
        probabilities=tuple(rng.dirichlet(np.ones(n), components).T for n in domain.sizes),
        total=1000.0,
    )


def objective(codes: Codes, domain: Domain, targets: dict[Clique, Target], toll: float) -> float:
    """What refine lowers, from scratch."""
    price = toll * float(np.mean([t.weight for t in targets.values()]))
    out = 0.0
    for clique, target in targets.items():
        table = count(coded(domain, codes), clique)
        out += target.weight * float(((table - target.wanted) ** 2).sum())
        if target.barred is not None:
            out += price * float(table[target.barred].sum())
    return out


def random_targets(domain: Domain, n: int, rng: np.random.Generator, *, barred: bool) -> dict[Clique, Target]:
    """Tables of other rows, shaken; every third clique is left out."""
    other = random_rows(domain, n, rng, dependence=0.7)
    out = {}
    for clique in up_to(domain, 3):
        if not clique or (len(clique) > 1 and rng.random() < 0.3):
            continue
        wanted = count(other, clique) + rng.normal(0, 1, domain.shape(clique))
        cells = rng.random(wanted.shape) < 0.1 if barred and len(clique) > 1 else None
        out[clique] = Target(wanted=wanted, weight=float(rng.uniform(0.2, 2)), barred=cells)
    return out


@given(st.lists(st.integers(2, 5), min_size=1, max_size=4), st.integers(1, 400), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_as_many_records_are_drawn_as_asked_for_and_nearly_no_chance_is_left_in_single_columns(
    sizes: list[int], n: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    domain = domain_of(*sizes)
    components = 3
    mixture = mixture_of(domain, components, rng)
    codes = draw(mixture, n, rng)
    assert codes.shape == (n, len(domain))
    assert codes.dtype == np.int32
    for i, size in enumerate(sizes):
        found = np.bincount(codes[:, i], minlength=size)
        assert len(found) == size
        expected = mixture.expected((i,)) * n / mixture.total
        # at most one record for each component's share, and one for each component's column
        assert np.abs(found - expected).max() < 2 * components


def test_sampling_error_is_far_below_that_of_independent_draws() -> None:
    rng = np.random.default_rng(0)
    domain = domain_of(4, 3)
    mixture = mixture_of(domain, 5, rng)
    errors = [np.bincount(draw(mixture, 2000, rng)[:, 0], minlength=4) - 2 * mixture.expected((0,)) for _ in range(50)]
    assert float(np.abs(errors).max()) <= 5.0  # independent draws are off by 20


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=15, deadline=None)
def test_moving_one_by_one_never_raises_the_objective_and_ends_where_no_move_helps(seed: int, barred: bool) -> None:
    """All that refine keeps on the way (layouts, prices, scores) must be right for this to hold."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 5, 4).tolist()
    domain = domain_of(*sizes)
    targets = random_targets(domain, 40, rng, barred=barred)
    start = random_rows(domain, 40, rng).codes
    kept = start.copy()
    options = RefineOptions(sweeps=1, toll=30.0)
    before = objective(start, domain, targets, 30.0)
    codes = refine(start, domain, targets, options=options, rng=rng)
    assert (start == kept).all()
    assert codes.shape == start.shape
    after = objective(codes, domain, targets, 30.0)
    assert after <= before * (1 + 1e-5) + 1e-3
    codes = refine(codes, domain, targets, options=RefineOptions(sweeps=200, toll=30.0), rng=rng)
    settled = objective(codes, domain, targets, 30.0)
    assert settled <= after * (1 + 1e-5) + 1e-3
    for row, j in itertools.product(range(0, len(codes), 7), range(len(domain))):
        for value in range(sizes[j]):
            moved = codes.copy()
            moved[row, j] = value
            assert objective(moved, domain, targets, 30.0) >= settled * (1 - 1e-5) - 1e-2


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_moving_in_groups_still_lowers_the_objective(seed: int) -> None:
    rng = np.random.default_rng(seed)
    domain = domain_of(*rng.integers(2, 6, 5).tolist())
    targets = random_targets(domain, 800, rng, barred=False)
    start = random_rows(domain, 800, rng).codes
    options = RefineOptions()
    before = objective(start, domain, targets, options.toll)
    codes = refine(start, domain, targets, options=options, rng=rng)
    assert objective(codes, domain, targets, options.toll) < 0.6 * before


def test_tables_of_real_records_are_met_nearly_exactly() -> None:
    rng = np.random.default_rng(3)
    domain = domain_of(3, 4, 2, 5)
    truth = random_rows(domain, 2000, rng, dependence=0.6)
    cliques = [c for c in up_to(domain, 2) if c]
    targets = {c: Target(wanted=count(truth, c).astype(np.float64), weight=1.0) for c in cliques}
    codes = refine(
        random_rows(domain, 2000, rng).codes, domain, targets, options=RefineOptions(sweeps=6), rng=rng
    )
    for clique in cliques:
        assert np.abs(count(coded(domain, codes), clique) - targets[clique].wanted).mean() < 2.0


def test_barred_cells_are_emptied() -> None:
    rng = np.random.default_rng(4)
    domain = domain_of(3, 3, 3)
    codes = random_rows(domain, 600, rng).codes
    wanted = np.full((3, 3), 75.0)
    barred = np.zeros((3, 3), np.bool_)
    barred[1, 2] = True
    wanted[1, 2] = 0.0
    targets = {
        (0, 1): Target(wanted=wanted, weight=1.0, barred=barred),
        (2,): Target(wanted=np.full(3, 200.0), weight=1.0),
    }
    done = refine(codes, domain, targets, options=RefineOptions(sweeps=12), rng=rng)
    table = count(coded(domain, done), (0, 1))
    assert table[1, 2] == 0
    assert np.abs(table - wanted).max() <= 3


def a_pair_and_a_triple() -> tuple[Domain, Bars, NDArray[np.bool_], NDArray[np.bool_]]:
    domain = domain_of(3, 4, 2, 3)
    pair = np.zeros((3, 3), np.bool_)
    pair[1, 1] = pair[2, 0] = True
    triple = np.zeros((4, 2, 3), np.bool_)
    triple[3, 1, 2] = triple[0, 0, 1] = True
    return domain, Bars(domain, [((0, 3), pair), ((1, 2, 3), triple)]), pair, triple


def test_bars_find_records_and_moves_as_brute_force_does() -> None:
    domain, barred, pair, triple = a_pair_and_a_triple()
    codes = random_rows(domain, 500, np.random.default_rng(1)).codes

    def hit(codes: Codes) -> NDArray[np.bool_]:
        return np.asarray(pair[codes[:, 0], codes[:, 3]] | triple[codes[:, 1], codes[:, 2], codes[:, 3]])

    np.testing.assert_array_equal(barred.hit(codes), hit(codes))
    for j, size in enumerate(domain.sizes):
        value = np.random.default_rng(j).integers(0, size, 500).astype(np.int32)
        moved = codes.copy()
        moved[:, j] = value
        # only combinations that hold attribute j are asked about
        own = np.zeros(500, np.bool_)
        if j in (0, 3):
            own |= pair[moved[:, 0], moved[:, 3]]
        if j in (1, 2, 3):
            own |= triple[moved[:, 1], moved[:, 2], moved[:, 3]]
        np.testing.assert_array_equal(barred.hit_by(codes, j, value), own)


def test_no_move_leads_into_a_barred_combination() -> None:
    rng = np.random.default_rng(6)
    domain, barred, _, _ = a_pair_and_a_triple()
    start = random_rows(domain, 900, rng).codes
    start = start[~barred.hit(start)]
    targets = random_targets(domain, len(start), rng, barred=False)
    free = refine(start, domain, targets, options=RefineOptions(), rng=np.random.default_rng(1))
    held = refine(start, domain, targets, options=RefineOptions(), rng=np.random.default_rng(1), bars=barred)
    assert barred.hit(free).any()
    assert not barred.hit(held).any()


def test_bars_are_what_the_model_hardly_expects_and_missing_values_never_are() -> None:
    rng = np.random.default_rng(2)
    domain = domain_of(4, 5, 3)
    mixture = mixture_of(domain, 2, rng)
    found = bars(mixture, [(0,), (0, 1), (0, 1, 2)], below=30.0)
    every = np.array(list(np.ndindex(4, 5, 3)), np.int32)
    pair, triple = mixture.expected((0, 1)) < 30, mixture.expected((0, 1, 2)) < 30
    pair[0], pair[:, 0] = False, False
    triple[0], triple[:, 0], triple[:, :, 0] = False, False, False
    wanted = pair[every[:, 0], every[:, 1]] | triple[tuple(every.T)]
    np.testing.assert_array_equal(found.hit(every), wanted)
    assert wanted.any()
    assert not wanted.all()


def test_records_are_drawn_around_bars() -> None:
    rng = np.random.default_rng(2)
    domain = domain_of(3, 3)
    mixture = mixture_of(domain, 4, rng)
    cells = np.zeros((3, 3), np.bool_)
    cells[1, 1] = True
    barred = Bars(domain, [((0, 1), cells)])
    plain, around = draw(mixture, 3000, rng), draw(mixture, 3000, rng, barred)
    assert len(around) == 3000
    assert barred.hit(around).sum() < 0.1 * barred.hit(plain).sum()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_records_and_a_single_column_work(n: int) -> None:
    rng = np.random.default_rng(0)
    domain = domain_of(2)
    codes = refine(
        draw(mixture_of(domain, 2, rng), n, rng),
        domain,
        {(0,): Target(wanted=np.array([0.0, float(n)]), weight=1.0)},
        options=RefineOptions(),
        rng=rng,
    )
    assert codes.tolist() == [[1]] * n


def test_progress_rises_to_the_end() -> None:
    rng = np.random.default_rng(0)
    domain = domain_of(2, 3, 2)
    seen: list[float] = []
    targets = random_targets(domain, 50, rng, barred=False)
    refine(random_rows(domain, 50, rng).codes, domain, targets, options=RefineOptions(), rng=rng, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] <= 1.0


@pytest.mark.parametrize("exact", [1, 2**24])
def test_a_view_finds_the_cell_of_every_record(exact: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In single precision, and in double where there are too many rows for it."""
    monkeypatch.setattr(room, "_EXACT", exact)
    rng = np.random.default_rng(6)
    domain = domain_of(3, 5, 2, 4)
    targets = random_targets(domain, 40, rng, barred=False)
    codes = random_rows(domain, 60, rng).codes
    layout = Layout(domain, targets)
    for j in range(len(domain)):
        view = AttributeView(layout, j, targets)
        mine = [c for c in layout.cliques if j in c]
        found = view.flat[view.rows(codes), codes[:, j][:, None]]
        for table, clique in enumerate(mine):
            start = int(layout.starts[layout.cliques.index(clique)])
            wanted = start + np.ravel_multi_index(tuple(codes[:, i] for i in clique), domain.shape(clique))
            np.testing.assert_array_equal(found[:, table], wanted)
