"""The forecast is the error that a release of everything will have."""

import math

import numpy as np
import pytest

from caseveil.errors import PlanError
from caseveil.measurement.forecast import INTERVAL_WIDTH, forecast
from caseveil.measurement.residuals import cost, optimal_variances
from caseveil.measurement.workload import plan_workload
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.synthesis.counts import WIDTH
from caseveil.synthesis.observed import reconstruct
from tests.measurement.invented import domain_of, noisy_residuals, random_rows

pytestmark = pytest.mark.engine

DOMAIN = domain_of(3, 4, 2, 5)


def test_the_forecast_is_the_error_of_the_unbiased_estimates() -> None:
    """Root mean square error over 400 releases within 12%: six standard errors, were only the total noisy."""
    rng = np.random.default_rng()
    rows = random_rows(DOMAIN, 1000, rng)
    prediction = {r.length: r for r in forecast(DOMAIN, n=1000, epsilons=[1.0], delta=1e-5).rows}
    mu = mu_for(EpsilonDelta(epsilon=1.0, delta=1e-5))
    workload = plan_workload(DOMAIN, length=3)
    variances = optimal_variances(workload.weights, DOMAIN, mu)
    assert cost(variances, DOMAIN) == pytest.approx(mu**2)
    errors: dict[int, list[float]] = {1: [], 2: [], 3: []}
    clean = noisy_residuals(rows, variances, None)
    for _ in range(400):
        noisy = noisy_residuals(rows, variances, rng)
        for clique in workload.weights:
            error = reconstruct(noisy, clique) - reconstruct(clean, clique)
            errors[len(clique)].append(float((error**2).mean()))
    for k, squares in errors.items():
        assert math.sqrt(float(np.mean(squares))) == pytest.approx(prediction[k].cell_sd, rel=0.12)
        assert prediction[k].expected_error == pytest.approx(prediction[k].cell_sd * math.sqrt(2 / math.pi))
        assert prediction[k].half_width == pytest.approx(INTERVAL_WIDTH * prediction[k].cell_sd)


def test_forecast_intervals_are_as_wide_as_published_ones() -> None:
    assert INTERVAL_WIDTH == WIDTH


def test_more_epsilon_means_less_error_in_the_order_asked_for() -> None:
    rows = forecast(DOMAIN, n=1000, epsilons=[0.5, 4.0, 1.0], length=2).rows
    assert [(r.epsilon, r.length) for r in rows] == [(0.5, 1), (0.5, 2), (4.0, 1), (4.0, 2), (1.0, 1), (1.0, 2)]
    by = {(r.epsilon, r.length): r.cell_sd for r in rows}
    assert by[4.0, 1] < by[1.0, 1] < by[0.5, 1]


def test_numbers_of_groups_and_the_cap_are_told() -> None:
    told = forecast(domain_of(50, 50, 50, 50), n=1000, epsilons=[1.0], cells_cap=20_000)
    assert {r.length: (r.groups, r.cells) for r in told.rows} == {1: (4, 200), 2: (6, 15_000)}
    assert told.left_out == {1: 0, 2: 0, 3: 4}
    assert "15,000" in str(told)


def test_delta_follows_n() -> None:
    assert forecast(DOMAIN, n=1000, epsilons=[1.0]).delta == pytest.approx(1 / (1000 * math.log(1000)))


@pytest.mark.parametrize(("n", "length", "name"), [(1, 3, "n"), (100, 0, "length"), (100, 6, "length")])
def test_nonsense_is_refused(n: int, length: int, name: str) -> None:
    with pytest.raises(PlanError, match=name):
        forecast(DOMAIN, n=n, epsilons=[1.0], length=length)
