"""Counts that go on from the last release: unbiased, with the noise that is claimed, and the best use of it.

Statistical bounds: a false alarm has probability 1e-9 per test; nothing is rerun.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.measurement.curator import ResidualAllowance
from caseveil.measurement.residuals import cost, optimal_variances
from caseveil.measurement.update import go_on, variances_after
from caseveil.records.encoding import encode
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import Category
from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.observed import NoisyResiduals
from tests.measurement.invented import (
    SURPRISE,
    chi_square_complaint,
    closure,
    contrasts_of,
    coordinates,
    curator_of,
    exact_residuals,
    rows_of,
    up_to,
)

pytestmark = pytest.mark.engine

COLUMNS = [Category(name=n, values=tuple(f"{n}{v}" for v in range(k))) for n, k in (("a", 2), ("b", 1), ("c", 1))]
WEIGHTS: dict[Clique, float] = {(0,): 5.0, (1,): 5.0, (2,): 3.0, (0, 1): 1.0, (0, 2): 2.0, (1, 2): 1.0}
MU = 0.5
RUNS = 250
Go = Callable[[NoisyResiduals, ResidualAllowance, ResidualAllowance | None], NoisyResiduals]


def people(n: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    cells = {c.name: [("", *(c.values or ()))[v] for v in rng.integers(0, 1 + len(c.values or ()), n)] for c in COLUMNS}
    return rows_of(cells, COLUMNS)


def both(one: Rows, other: Rows) -> Rows:
    return Rows(table=one.table, columns={c: [*one.columns[c], *other.columns[c]] for c in one.columns})


OLD, NEW = people(40, 1), people(25, 2)
ALL = both(OLD, NEW)
DOMAIN = OLD.table.domain()


class Spy:
    """An allowance that remembers what was measured of it."""

    def __init__(self, rows: Rows, mu: float) -> None:
        self._own = curator_of(rows).residuals(rows.table, mu=mu)
        self.left = self._own.left
        self.measured: NoisyResiduals | None = None

    def measure(self, variances: Mapping[Clique, float]) -> NoisyResiduals:
        self.measured = self._own.measure(variances)
        return self.measured


def allowance(rows: Rows, mu: float) -> ResidualAllowance:
    return curator_of(rows).residuals(rows.table, mu=mu)


def last_release(weights: Mapping[Clique, float] = WEIGHTS) -> NoisyResiduals:
    return allowance(OLD, MU).measure(optimal_variances(weights, DOMAIN, MU * (1 - 1e-9)))


def real(before: NoisyResiduals, added: ResidualAllowance, everyone: ResidualAllowance | None) -> NoisyResiduals:
    return go_on(before, WEIGHTS, DOMAIN, added=added, everyone=everyone)


def operator(clique: Clique, domain: Domain) -> NDArray[np.float64]:
    """White coordinates of the residual of a clique, as a matrix on the table of all cells."""
    axes = [contrasts_of(n).T if i in clique else np.ones((1, n)) for i, n in enumerate(domain.sizes)]
    out: NDArray[np.float64] = np.ones((1, 1))
    for axis in axes:
        out = np.asarray(np.kron(out, axis))
    return out


def white(residuals: NoisyResiduals) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All coordinates of the residuals with unit noise, and the matrix that gives them from the table of all cells."""
    scaled = [coordinates(table) / residuals.variance[c] ** 0.5 for c, table in residuals.values.items()]
    matrices = [operator(c, residuals.domain) / residuals.variance[c] ** 0.5 for c in residuals.values]
    return np.concatenate([part.ravel() for part in scaled]), np.vstack(matrices)


def test_it_is_the_best_linear_unbiased_estimate() -> None:
    """Generalised least squares over the unknown tables of both groups of people, by dense matrices."""
    before, added, everyone = last_release(), Spy(NEW, MU), Spy(ALL, 0.6 * MU)
    found = real(before, added, everyone)  # type: ignore[arg-type]
    assert added.measured is not None
    assert everyone.measured is not None
    parts = [white(part) for part in (before, added.measured, everyone.measured)]
    nothing = [np.zeros_like(matrix) for _, matrix in parts]
    design = np.vstack(
        [
            np.hstack([parts[0][1], nothing[0]]),
            np.hstack([nothing[1], parts[1][1]]),
            np.hstack([parts[2][1], parts[2][1]]),
        ]
    )
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-10)
    tables = inverse @ design.T @ np.concatenate([values for values, _ in parts])
    for clique, table in found.values.items():
        matrix = operator(clique, DOMAIN)
        asked = np.hstack([matrix, matrix])
        np.testing.assert_allclose(coordinates(table).ravel(), asked @ tables, atol=1e-7)
        covariance = asked @ inverse @ asked.T
        np.testing.assert_allclose(covariance, np.eye(len(covariance)) * found.variance[clique], rtol=1e-7, atol=1e-9)


def complaints(go: Go, share: float) -> list[str]:
    """Everything that is wrong with the noise of `go`: squares too small or too large, or a mean that is not 0."""
    truth = exact_residuals(encode(ALL, ALL.table), closure(WEIGHTS))
    squares, sums, degrees = 0.0, {clique: 0.0 for clique in truth}, 0
    for _ in range(RUNS):
        added = allowance(NEW, MU * math.sqrt(1 - share))
        everyone = allowance(ALL, MU * math.sqrt(share)) if share else None
        found = go(last_release(), added, everyone)
        for clique, table in found.values.items():
            z = coordinates(table - truth[clique]).ravel() / found.variance[clique] ** 0.5
            squares += float((z**2).sum())
            degrees += z.size
            sums[clique] += float(z.sum()) / math.sqrt(z.size * RUNS)
    out = [text] if (text := chi_square_complaint(squares, degrees)) else []
    # sums are standard normal, and two-sided; each of them gets an equal part of the false alarms
    limit = math.sqrt(2 * (SURPRISE + math.log(len(sums))))
    return out + [f"the mean of {clique} is off" for clique, value in sums.items() if abs(value) > limit]


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_counts_are_unbiased_with_exactly_the_noise_that_is_claimed(share: float) -> None:
    assert complaints(real, share) == []


def counts_old_people_twice(
    before: NoisyResiduals, added: ResidualAllowance, everyone: ResidualAllowance | None
) -> NoisyResiduals:
    return real(before, allowance(ALL, MU), everyone)


def forgets_old_noise(
    before: NoisyResiduals, added: ResidualAllowance, everyone: ResidualAllowance | None
) -> NoisyResiduals:
    found = real(before, added, everyone)
    variance = {clique: found.variance[clique] - before.variance[clique] for clique in found.values}
    return NoisyResiduals(domain=DOMAIN, values=found.values, variance=variance)


def adds_noise_that_is_not_there(
    before: NoisyResiduals, added: ResidualAllowance, everyone: ResidualAllowance | None
) -> NoisyResiduals:
    found = real(before, added, everyone)
    variance = {clique: 1.5 * found.variance[clique] for clique in found.values}
    return NoisyResiduals(domain=DOMAIN, values=found.values, variance=variance)


@pytest.mark.parametrize("mutant", [counts_old_people_twice, forgets_old_noise, adds_noise_that_is_not_there])
def test_the_check_finds_planted_faults(mutant: Go) -> None:
    assert complaints(mutant, 0.0)


def test_of_new_people_nothing_is_measured_that_was_not_before() -> None:
    single: dict[Clique, float] = {clique: weight for clique, weight in WEIGHTS.items() if len(clique) == 1}
    before, added = last_release(single), Spy(NEW, MU)
    found = go_on(before, WEIGHTS, DOMAIN, added=added)  # type: ignore[arg-type]
    assert added.measured is not None
    assert set(added.measured.values) == set(found.values) == set(closure(single))
    # what everybody is counted for again may be new
    again = go_on(before, WEIGHTS, DOMAIN, added=allowance(NEW, MU), everyone=allowance(ALL, MU))
    assert set(again.values) == set(closure(WEIGHTS))


def test_what_is_measured_costs_all_that_was_charged_and_no_more() -> None:
    added, everyone = Spy(NEW, MU), Spy(ALL, 0.3)
    real(last_release(), added, everyone)  # type: ignore[arg-type]
    for spy, mu in ((added, MU), (everyone, 0.3)):
        assert spy.measured is not None
        spent = cost(spy.measured.variance, DOMAIN)
        assert mu**2 * (1 - 1e-8) < spent <= mu**2


def test_counting_everybody_again_improves_every_count() -> None:
    """Beside the same count of the new people; and the forecast of variances is what is then measured."""
    before = last_release()
    alone = variances_after(before.variance, WEIGHTS, DOMAIN, added=MU, everyone=0.0)
    more = variances_after(before.variance, WEIGHTS, DOMAIN, added=MU, everyone=0.5)
    assert set(alone) == set(more) == set(closure(WEIGHTS)) == set(up_to(DOMAIN, 2))
    assert all(more[clique] <= alone[clique] for clique in alone)
    assert sum(more[clique] < 0.9 * alone[clique] for clique in alone) > len(alone) / 2
    assert real(before, allowance(NEW, MU), allowance(ALL, 0.5)).variance == pytest.approx(more, rel=1e-12)
    assert real(before, allowance(NEW, MU), None).variance == pytest.approx(alone, rel=1e-12)
    assert all(alone[clique] > before.variance[clique] for clique in alone)


def test_a_first_look_at_the_new_people_counts_too() -> None:
    before = last_release()
    first = NoisyResiduals(domain=DOMAIN, values={(): np.asarray(25.0)}, variance={(): 0.001})
    found = go_on(before, WEIGHTS, DOMAIN, added=allowance(NEW, MU), first=first)
    assert before.variance[()] < found.variance[()] < before.variance[()] + 0.001
    assert found.total == pytest.approx(before.total + 25.0, abs=1.0)
