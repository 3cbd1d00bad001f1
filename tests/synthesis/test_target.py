"""What records are asked to count: between the model and the measurements."""

import numpy as np
import pytest

from caseveil.records.encoding import EncodedRows
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import cell_variance, centre, reconstruct
from caseveil.synthesis.presence import Presence
from caseveil.synthesis.target import barred_below, blend, targets
from tests.measurement.invented import domain_of, noisy_residuals, random_rows, up_to

pytestmark = pytest.mark.engine

DOMAIN = domain_of(4, 5, 3)
CLIQUES = up_to(DOMAIN, 3)


def rows_and_model(dependence: float) -> tuple[EncodedRows, Mixture]:
    """Rows, and the model in which their columns are independent."""
    rows = random_rows(DOMAIN, 5000, np.random.default_rng(1), dependence)
    shares = [np.bincount(rows.codes[:, i], minlength=n) / rows.n for i, n in enumerate(DOMAIN.sizes)]
    model = Mixture(
        domain=DOMAIN, weights=np.ones(1), probabilities=tuple(s[:, None] for s in shares), total=float(rows.n)
    )
    return rows, model


def test_strong_measurements_overrule_the_model() -> None:
    rows, model = rows_and_model(0.9)
    residuals = noisy_residuals(rows, dict.fromkeys(CLIQUES, 0.01), np.random.default_rng(2))
    blended = blend(residuals, {c: model.expected(c) for c in residuals.values})
    for clique in ((0, 1), (0, 2), (1, 2)):
        gap = np.linalg.norm(residuals.values[clique] - centre(model.expected(clique)))
        assert np.linalg.norm(blended[clique] - residuals.values[clique]) < 0.01 * gap


def test_weak_measurements_leave_a_right_model_alone() -> None:
    rows, model = rows_and_model(0.0)
    residuals = noisy_residuals(rows, dict.fromkeys(CLIQUES, 400.0), np.random.default_rng(2))
    blended = blend(residuals, {c: model.expected(c) for c in residuals.values})
    clean = noisy_residuals(rows, residuals.variance, None)
    ours = sum(float(((blended[c] - clean.values[c]) ** 2).sum()) for c in CLIQUES if len(c) > 1)
    measured = sum(float(((residuals.values[c] - clean.values[c]) ** 2).sum()) for c in CLIQUES if len(c) > 1)
    assert ours < 0.5 * measured
    assert float(blended[()]) == residuals.total


def test_a_blend_lies_between_the_model_and_the_measurement() -> None:
    rows, model = rows_and_model(0.4)
    residuals = noisy_residuals(rows, dict.fromkeys(CLIQUES, 100.0), np.random.default_rng(3))
    blended = blend(residuals, {c: model.expected(c) for c in residuals.values})
    for clique in CLIQUES:
        if not clique:
            continue
        middle = centre(model.expected(clique))
        whole = residuals.values[clique] - middle
        part = blended[clique] - middle
        share = float((part * whole).sum() / (whole**2).sum())
        assert -1e-9 <= share <= 1 + 1e-9
        np.testing.assert_allclose(part, share * whole, atol=1e-6)


@pytest.mark.parametrize("every_estimate", [True, False])
def test_targets_bar_what_is_judged_absent_and_weigh_by_precision(every_estimate: bool) -> None:
    rows, model = rows_and_model(0.3)
    residuals = noisy_residuals(rows, {c: 20.0 + 10 * len(c) for c in CLIQUES}, np.random.default_rng(4))
    presence = Presence(scale=60.0)
    bar = barred_below(presence, every_estimate=every_estimate)
    found = targets(residuals, model, presence, [c for c in CLIQUES if c], every_estimate=every_estimate)
    assert list(found) == [c for c in CLIQUES if c]
    some = 0
    for clique, target in found.items():
        assert target.wanted.shape == DOMAIN.shape(clique)
        assert target.weight == pytest.approx(cell_variance(residuals.variance, clique, DOMAIN) ** -0.5)
        assert target.barred is not None
        inner = np.ones(target.wanted.shape, np.bool_)
        for axis in range(len(clique)):
            inner[(slice(None),) * axis + (0,)] = False
        np.testing.assert_array_equal(target.barred, inner & (model.expected(clique) < bar))
        assert (target.wanted[target.barred] == 0).all()
        assert (target.wanted[inner] >= 0).all()
        some += int(target.barred.sum())
    assert some > 0


def test_fewer_combinations_are_barred_when_every_estimate_is_published() -> None:
    presence = Presence(scale=10.0)
    assert 0 < barred_below(presence, every_estimate=True) < barred_below(presence, every_estimate=False)


def test_plenty_of_data_is_met_as_it_is() -> None:
    rows, model = rows_and_model(0.9)
    residuals = noisy_residuals(rows, dict.fromkeys(CLIQUES, 1e-4), np.random.default_rng(2))
    found = targets(residuals, model, Presence(scale=0.05), [(0, 1)], every_estimate=True)
    barred = found[0, 1].barred
    assert barred is not None
    wanted = found[0, 1].wanted[~barred]
    np.testing.assert_allclose(wanted, reconstruct(residuals, (0, 1))[~barred], atol=2.0)
