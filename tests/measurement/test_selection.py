"""Long combinations are measured where the short ones say that it pays."""

import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.measurement import selection
from caseveil.measurement.residuals import optimal_variances
from caseveil.measurement.selection import expected_energy, pair_strengths, worthwhile
from caseveil.measurement.workload import Workload, plan_workload
from caseveil.records.encoding import EncodedRows
from caseveil.schema.domain import Clique
from caseveil.synthesis.observed import NoisyResiduals
from tests.measurement.invented import coded, domain_of, noisy_residuals, random_rows, up_to

pytestmark = pytest.mark.engine


def first_stage(rows: EncodedRows, workload: Workload, mu: float, rng: np.random.Generator) -> NoisyResiduals:
    variances = optimal_variances(workload.weights, rows.domain, mu)
    return noisy_residuals(rows, {c: v for c, v in variances.items() if len(c) <= 2}, rng)


def chosen(rows: EncodedRows, mu: float, length: int = 3) -> tuple[Clique, ...]:
    rng = np.random.default_rng(11)
    workload = plan_workload(rows.domain, length=length)
    return worthwhile(workload, first_stage(rows, workload, mu, rng), mu)


def independent(n: int, columns: int, share: float) -> EncodedRows:
    rng = np.random.default_rng(2)
    return coded(domain_of(*(2,) * columns), (rng.random((n, columns)) < share).astype(np.int32))


def interacting(n: int) -> EncodedRows:
    """Two hidden groups move all columns together, and a column is the parity of two others."""
    rng = np.random.default_rng(2)
    codes = random_rows(domain_of(3, 3, 3, 4, 4), n, rng, dependence=0.9).codes
    parity = (codes[:, :1] + codes[:, 1:2]) % 3
    return coded(domain_of(3, 3, 3, 4, 4, 3), np.hstack([codes, parity]))


def test_columns_that_have_nothing_to_do_with_each_other_are_not_counted_in_threes() -> None:
    assert chosen(independent(5000, 25, 0.05), mu=0.25) == ()


def test_columns_that_interact_are() -> None:
    found = chosen(interacting(30_000), mu=0.5)
    assert (0, 1, 5) in found
    assert len(found) >= 15


def test_more_budget_never_means_fewer() -> None:
    rows = random_rows(domain_of(3, 4, 3, 2, 5, 2), 3000, np.random.default_rng(1), dependence=0.5)
    workload = plan_workload(rows.domain, length=3)
    seen = first_stage(rows, workload, 0.5, np.random.default_rng(0))
    before: set[Clique] = set()
    for mu in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0):
        now = set(worthwhile(workload, seen, mu))
        assert before <= now
        before = now
    assert before


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 3.0))
@settings(max_examples=25, deadline=None)
def test_the_result_is_closed_under_subsets(seed: int, mu: float) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 6, 6).tolist()
    rows = random_rows(domain_of(*sizes), 2000, rng, dependence=0.6)
    workload = plan_workload(rows.domain, length=5)
    found = worthwhile(workload, first_stage(rows, workload, mu, rng), mu)
    assert len(set(found)) == len(found)
    assert set(found) <= set(workload.weights)
    for clique in found:
        for k in range(3, len(clique)):
            assert all(part in found for part in itertools.combinations(clique, k))


def test_it_reads_what_was_released_and_nothing_else() -> None:
    """No row, no exact count: the arguments are public, and the same arguments give the same answer."""
    assert list(inspect.signature(worthwhile).parameters) == ["workload", "residuals", "mu"]
    source = inspect.getsource(selection)
    assert "records" not in "".join(line for line in source.splitlines() if line.startswith(("from ", "import ")))
    rows = interacting(500)
    workload = plan_workload(rows.domain, length=3)
    seen = first_stage(rows, workload, 0.5, np.random.default_rng(3))
    assert worthwhile(workload, seen, 0.5) == worthwhile(workload, seen, 0.5)


def test_pair_strengths_lie_between_independence_and_a_copy() -> None:
    rng = np.random.default_rng(4)
    free = rng.integers(0, 4, (20_000, 2))
    rows = coded(domain_of(4, 4, 4), np.column_stack([free, free[:, 0]]))
    variances = dict.fromkeys(up_to(rows.domain, 2), 100.0)
    strengths = pair_strengths(noisy_residuals(rows, variances, rng))
    assert sorted(strengths) == [(0, 1), (0, 2), (1, 2)]
    assert strengths[0, 1] < 0.01
    assert strengths[1, 2] < 0.01
    assert strengths[0, 2] > 0.9
    assert all(0.0 <= s <= 1.0 for s in strengths.values())


def test_energy_grows_with_dependence_and_with_people() -> None:
    rng = np.random.default_rng(4)
    triple = ((0, 1, 2),)

    def energy(n: int, dependence: float) -> float:
        rows = random_rows(domain_of(4, 4, 4), n, np.random.default_rng(9), dependence)
        return expected_energy(noisy_residuals(rows, dict.fromkeys(up_to(rows.domain, 2), 25.0), rng), triple)[
            triple[0]
        ]

    assert energy(10_000, 0.9) > 2 * energy(10_000, 0.0)
    assert energy(40_000, 0.9) > 4 * energy(10_000, 0.9)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_hardly_any_people_are_no_trouble(n: int) -> None:
    rows = random_rows(domain_of(3, 2, 4), n, np.random.default_rng(0))
    assert isinstance(chosen(rows, mu=0.1), tuple)
