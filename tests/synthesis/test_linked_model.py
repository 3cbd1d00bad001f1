"""The linked mixture: its sums by brute force, its gradient by differences, and what it can and cannot learn."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis import linked_model as room
from caseveil.synthesis.linked_model import PAIR_WEIGHT, LinkedMixture, fit_linked
from caseveil.synthesis.model import FitOptions, Mixture
from caseveil.synthesis.objective import Objective
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre, reconstruct
from tests.measurement.invented import up_to
from tests.measurement.invented_links import link_measurements, measured_cliques, random_people, tables_of, views_of

pytestmark = pytest.mark.engine

Evaluate = Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[float, NDArray[np.float32], NDArray[np.float32]]]
SMALL = FitOptions(ladder=(8,), products=8, iterations=300)


def random_model(seed: int, components: int = 3, kinds: int = 2) -> LinkedMixture:
    """Two attributes of victims, k up to 3, two of perpetrators."""
    rng = np.random.default_rng(seed)
    domain, v = tables_of(3).each, 2
    probabilities = []
    for i, size in enumerate(domain.sizes):
        table = rng.dirichlet(np.ones(size), components if i <= v else components * kinds).T
        probabilities.append(np.repeat(table, kinds, axis=1) if i <= v else table)
    weights = rng.dirichlet(np.ones(components * kinds))
    return LinkedMixture(
        each=Mixture(domain=domain, weights=weights, probabilities=tuple(probabilities), total=500.0), v=v, kinds=kinds
    )


def residuals_of(model: LinkedMixture, variance: float = 1.0) -> tuple[NoisyResiduals, NoisyResiduals]:
    """What a measurement without noise of this model would see: of `each`, and of pairs."""
    domain, low = model.each.domain, model.v + 1
    p = len(domain) - low
    of = {c: centre(model.each.expected(c)) for c in up_to(domain, 3)}
    names, sizes = domain.names[low:], domain.sizes[low:]
    both = Domain(names=(*names, *(f"other {name}" for name in names)), sizes=(*sizes, *sizes))
    pairs: dict[Clique, Marginal] = {(i,): centre(model.singles(low + i)) for i in range(p)}
    pairs |= {(i, p + j): centre(model.pairs(low + i, low + j)) for i in range(p) for j in range(i, p)}
    return (
        NoisyResiduals(domain=domain, values=of, variance=dict.fromkeys(of, variance)),
        NoisyResiduals(domain=both, values=pairs, variance=dict.fromkeys(pairs, variance)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_expected_pairs_are_the_sum_over_components_and_kinds(seed: int) -> None:
    model = random_model(seed)
    each, kinds, v = model.each, model.kinds, model.v
    groups = len(each.weights) // kinds
    for a, b in itertools.product((v + 1, v + 2), repeat=2):
        brute = np.zeros((each.domain.sizes[a], each.domain.sizes[b]))
        for g in range(groups):
            mine = each.weights[g * kinds : (g + 1) * kinds]
            many = sum(each.probabilities[v][k, g * kinds] for k in (2, 3))
            for u, w in itertools.product(range(kinds), repeat=2):
                share = mine.sum() * (mine[u] / mine.sum()) * (mine[w] / mine.sum()) * many * each.total
                first, second = each.probabilities[a][:, g * kinds + u], each.probabilities[b][:, g * kinds + w]
                brute += share * np.outer(first, second)
        np.testing.assert_allclose(model.pairs(a, b), brute, rtol=1e-10)
    several = (model.weights * model.several).sum() * each.total
    assert several == pytest.approx(each.expected((v,))[2:].sum())
    assert model.pairs(v + 1, v + 2).sum() == pytest.approx(several)
    # the mean over drawn links is the one-way count of links that each victim has in parts
    np.testing.assert_allclose(model.mean(v + 1) @ model.weights * each.total, each.expected((v + 1,)))


class Captured(Exception):
    pass


def evaluate_of(
    each: NoisyResiduals, pairs: NoisyResiduals, kinds: int, patch: pytest.MonkeyPatch
) -> tuple[Evaluate, Objective]:
    """The function that a fit descends."""
    caught: list[tuple[Evaluate, Objective]] = []

    def catch(evaluate: Evaluate, _logits: object, objective: Objective, *_: object) -> object:
        caught.append((evaluate, objective))
        raise Captured

    patch.setattr(room, "descend", catch)
    with pytest.raises(Captured):
        fit_linked(each, pairs, v=2, options=SMALL, kinds=kinds, rng=np.random.default_rng(0))
    return caught[0]


def losses(
    each: NoisyResiduals,
    pairs: NoisyResiduals,
    tables: list[NDArray[np.float64]],
    mass: NDArray[np.float64],
    kinds: int,
) -> tuple[float, float]:
    """Both squared distances from the definition, in double precision. tables, mass need not be normalised."""
    loss = 0.0
    for clique, seen in each.values.items():
        if clique:
            letters = "abc"[: len(clique)]
            spec = ",".join(f"{x}z" for x in letters) + f",z->{letters}"
            model = np.einsum(spec, *(tables[i] for i in clique), mass)
            loss += float(((centre(model) - seen) ** 2).sum()) / each.variance[clique]
    v, p = 2, len(pairs.domain) // 2
    between = 0.0
    for clique, seen in pairs.values.items():
        places = tuple(x if x < p else x - p for x in clique)
        model = np.zeros(seen.shape)
        for g in range(len(mass) // kinds):
            mine = slice(g * kinds, (g + 1) * kinds)
            whole, many = mass[mine].sum(), tables[v][2:, g * kinds].sum()
            means = [tables[v + 1 + x][:, mine] @ mass[mine] / whole for x in places]
            model += many * whole * (means[0] if len(means) == 1 else np.outer(*means))
        wanted: Marginal = (seen + seen.T) / 2 if len(places) == 2 and places[0] == places[1] else seen
        between += float(((centre(model) - wanted) ** 2).sum()) / pairs.variance[clique]
    return loss, between


@pytest.mark.parametrize("kinds", [1, 3])
def test_the_gradient_is_that_of_the_loss(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Central differences in double precision, in directions that keep V and k of one component's kinds together."""
    rng = np.random.default_rng(7)
    each, pairs = residuals_of(random_model(5), variance=3.0)
    noisy = {c: table + centre(rng.normal(0, 5, table.shape)) for c, table in pairs.values.items()}
    pairs = NoisyResiduals(domain=pairs.domain, values=noisy, variance={c: 1.0 + sum(c) for c in noisy})
    evaluate, objective = evaluate_of(each, pairs, kinds, monkeypatch)
    groups, sizes = 4, each.domain.sizes
    tables = []
    for i, size in enumerate(sizes):
        table = rng.dirichlet(np.ones(size), groups if i <= 2 else groups * kinds).T
        tables.append(np.repeat(table, kinds, axis=1) if i <= 2 else table)
    mass = rng.uniform(20, 200, groups * kinds)
    misfit, slope, by_mass = evaluate(np.vstack(tables).astype(np.float32), mass.astype(np.float32))
    loss, between = losses(each, pairs, tables, mass, kinds)
    inner = sizes[3:]
    numbers = sum(s - 1 for s in inner)
    numbers += sum((s - 1) * (t - 1) if i != j else s * (s - 1) // 2 for i, s in enumerate(inner)
                   for j, t in enumerate(inner) if i <= j)  # fmt: skip
    assert misfit == pytest.approx(max(loss / objective.degrees, between / numbers), rel=1e-4)

    def total(step: float, table: int | None, row: int, columns: list[int]) -> float:
        moved, heavier = [t.copy() for t in tables], mass.copy()
        if table is None:
            heavier[columns] += step
        else:
            moved[table][row, columns] += step
        parts = losses(each, pairs, moved, heavier, kinds)
        return parts[0] + PAIR_WEIGHT * parts[1]

    def slope_of(table: int | None, row: int, columns: list[int], step: float) -> float:
        return (total(step, table, row, columns) - total(-step, table, row, columns)) / (2 * step)

    scale = float(np.abs(slope).max())
    start = 0
    for i, size in enumerate(sizes):
        for row in range(size):
            for g in range(groups):
                mine = list(range(g * kinds, (g + 1) * kinds))
                for columns in [mine] if i <= 2 else [[column] for column in mine]:
                    assert slope[start + row, columns[0]] == pytest.approx(
                        slope_of(i, row, columns, 1e-5), rel=2e-3, abs=1e-5 * scale
                    ), (i, row, columns)
        start += size
    scale = float(np.abs(by_mass).max())
    for column in range(len(mass)):
        assert by_mass[column] == pytest.approx(slope_of(None, 0, [column], 1e-3), rel=2e-3, abs=1e-4 * scale)


def test_v_and_k_stay_the_same_for_all_kinds_of_a_component() -> None:
    each, pairs = residuals_of(random_model(1))
    model = fit_linked(each, pairs, v=2, options=SMALL, kinds=3, rng=np.random.default_rng(0))
    for i in range(3):
        table = model.each.probabilities[i].reshape(each.domain.sizes[i], -1, 3)
        np.testing.assert_array_equal(table, np.repeat(table[:, :, :1], 3, axis=2))
    for i in (3, 4):
        table = model.each.probabilities[i].reshape(each.domain.sizes[i], -1, 3)
        assert np.abs(table - table[:, :, :1]).max() > 0.01
        np.testing.assert_allclose(table.sum(axis=0), 1.0, atol=1e-5)
    assert model.each.weights.sum() == pytest.approx(1.0)


def test_a_known_mixture_is_found_again() -> None:
    """Counts of all triples, numbers of links and pairs of links, within 1% of 500 people in every cell."""
    truth = random_model(2, components=2, kinds=2)
    each, pairs = residuals_of(truth, variance=0.05)
    options = FitOptions(ladder=(6,), products=12, iterations=1500)
    model = fit_linked(each, pairs, v=2, options=options, kinds=2, rng=np.random.default_rng(0))
    for clique in up_to(each.domain, 3):
        np.testing.assert_allclose(model.each.expected(clique), truth.each.expected(clique), atol=5.0)
    for a, b in itertools.product((3, 4), repeat=2):
        np.testing.assert_allclose(model.pairs(a, b), truth.pairs(a, b), atol=5.0)


def concordance(model: LinkedMixture, attribute: int) -> float:
    """Share of pairs of links that show the same value."""
    table = model.pairs(attribute, attribute)
    return float(np.trace(table) / table.sum())


def tied_persons() -> LinkedMixture:
    """One sort of victim, and three kinds of perpetrators in whom both attributes go together: links of one victim
    have nothing in common, attributes of one person everything."""
    domain = tables_of(3, (3, 2), (3, 3)).each
    probabilities = [np.repeat(np.full((size, 1), 1 / size), 3, axis=1) for size in domain.sizes[:3]]
    sharp = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]])
    each = Mixture(domain=domain, weights=np.full(3, 1 / 3), probabilities=(*probabilities, sharp, sharp), total=2000.0)
    return LinkedMixture(each=each, v=2, kinds=3)


def test_one_kind_of_perpetrator_makes_siblings_too_alike_and_three_do_not() -> None:
    """In truth a third of pairs agree. With one kind a component can only tie attributes of one person by being
    apart from the others, and then all links of one victim are alike."""
    truth = tied_persons()
    assert concordance(truth, 3) == pytest.approx(1 / 3)
    each, pairs = residuals_of(truth, variance=20.0)
    fits = {
        kinds: fit_linked(each, pairs, v=2, options=SMALL, kinds=kinds, rng=np.random.default_rng(0))
        for kinds in (1, 3)
    }
    own = {kinds: model.each.expected((3, 4)) for kinds, model in fits.items()}
    tied = np.trace(truth.each.expected((3, 4)))
    assert abs(concordance(fits[3], 3) - 1 / 3) < 0.02
    assert abs(concordance(fits[3], 4) - 1 / 3) < 0.02
    assert abs(np.trace(own[3]) - tied) < 0.03 * tied
    too_alike = concordance(fits[1], 3) - 1 / 3
    too_loose = 1 - np.trace(own[1]) / tied
    assert too_alike > 0.05 or too_loose > 0.1, "one kind cannot meet both"


def test_cliques_of_pairs_not_measured_leave_the_fit_alone() -> None:
    """A cap of 1: no pairs at all."""
    tables = tables_of(1)
    views = views_of(tables, random_people(tables, 200, np.random.default_rng(0)))
    cliques: dict[str, dict[Clique, float]] = {
        name: dict.fromkeys(of, 1.0) for name, of in measured_cliques(tables).items()
    }
    cliques["pairs"] = {}
    measured = link_measurements(tables, views, cliques)
    model = fit_linked(measured.each, measured.pairs, v=2, options=SMALL, kinds=3, rng=np.random.default_rng(0))
    assert not model.several.any()
    assert np.abs(model.each.expected((2, 3)) - reconstruct(measured.each, (2, 3))).max() < 15
