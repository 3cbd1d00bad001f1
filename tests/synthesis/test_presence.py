"""The rule that says which combinations occur."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.schema.domain import Clique
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre
from caseveil.synthesis.presence import ABSENCE, MARGIN, PRIOR_SHARE, Presence, judge, stated
from tests.measurement.invented import domain_of, noisy_residuals, random_rows, up_to

pytestmark = pytest.mark.engine

scales = st.floats(0.3, 100.0)


@given(scales, st.lists(st.floats(-10, 1e4), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_absence_is_a_probability_that_falls(scale: float, values: list[float]) -> None:
    expected = np.sort(np.array(values))
    presence = Presence(scale=scale)
    absent = presence.absent(expected)
    assert ((absent >= 0) & (absent <= 1)).all()
    assert (np.diff(absent) <= 0).all()
    assert (absent[expected <= 0] == 1).all()
    less = presence.unsmeared(expected)
    assert (less >= 0).all()
    assert (less <= np.maximum(expected, 0)).all()
    assert (np.diff(less) >= -1e-9).all()


@given(scales, st.floats(1e-6, 1.0))
@settings(max_examples=50, deadline=None)
def test_the_expected_count_at_a_chance_is_where_the_chance_is(scale: float, chance: float) -> None:
    presence = Presence(scale=scale)
    assert presence.absent(np.array([presence.expected_at(chance)]))[0] == pytest.approx(chance)


@given(
    scales,
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 60)), max_size=60),
    st.sampled_from([0.001, 0.01, 0.05, 0.2, 0.6]),
)
@settings(max_examples=150, deadline=None)
def test_the_threshold_is_the_smallest_that_keeps_the_share(
    scale: float, combinations: list[tuple[int, float]], share: float
) -> None:
    counts = np.array([c for c, _ in combinations], np.int64)
    expected = np.array([e for _, e in combinations])
    presence = Presence(scale=scale)
    threshold = presence.threshold(counts, expected, share)

    def made_up(at_least: int) -> float:
        keep = counts >= at_least
        return float(presence.absent(expected[keep]).mean()) if keep.any() else 0.0

    assert threshold >= 1
    assert made_up(threshold) <= share * (1 + 1e-9)
    for lower in {int(c) for c in counts if c < threshold}:
        assert made_up(lower) > share * (1 - 1e-9)
    if len(counts):
        assert threshold <= counts.max() + 1
        order = np.random.default_rng(0).permutation(len(counts))
        assert presence.threshold(counts[order], expected[order], share) == threshold
        assert presence.threshold(counts, expected, share / 2) >= threshold


def test_open_publishes_all_that_occurs() -> None:
    presence = Presence(scale=50.0)
    assert presence.threshold(np.array([1, 2, 900]), np.array([0.0, 0.1, 0.2]), None) == 1
    assert presence.threshold(np.zeros(0, np.int64), np.zeros(0), 0.05) == 1


def test_stated_cells_leave_the_missing_value_out() -> None:
    table = np.arange(12).reshape(3, 4)
    assert table[stated(table.shape)].tolist() == [[5, 6, 7], [9, 10, 11]]
    assert stated(()) == ()


def smeared_by(scale: float, variance: float, rng: np.random.Generator) -> float:
    """The judgement where a model expects lambda people and lambda (1 - exp(-lambda / scale)) are measured."""
    domain = domain_of(12, 14, 9)
    shares = [np.geomspace(1, 0.01, n)[:, None] for n in domain.sizes]
    model = Mixture(domain=domain, weights=np.ones(1), probabilities=tuple(s / s.sum() for s in shares), total=5000.0)
    values: dict[Clique, Marginal] = {}
    for clique in up_to(domain, 3):
        expected = model.expected(clique)
        found = expected * -np.expm1(-expected / scale) + rng.normal(0, variance**0.5, expected.shape)
        values[clique] = centre(np.asarray(found)) if clique else np.asarray(5000.0)
    return judge(NoisyResiduals(domain=domain, values=values, variance=dict.fromkeys(values, variance)), model).scale


def test_the_judgement_follows_what_is_smeared() -> None:
    found = [smeared_by(scale, 0.25, np.random.default_rng(1)) for scale in (2.0, 6.0, 18.0, 54.0)]
    for less, more in itertools.pairwise(found):
        assert 2.4 < more / less < 3.7


def test_where_the_noise_drowns_everything_the_judgement_follows_the_noise_alone() -> None:
    """The residuals say nothing then, and more noise must mean more caution, up to the end of the grid."""
    for deviation in (100.0, 400.0):
        found = np.array([smeared_by(2.0, deviation**2, np.random.default_rng(seed)) for seed in range(20)])
        cell = deviation * 0.97  # a cell of the longest marginals, nearly all of it from the last residual
        assert 0.3 < np.median(found) / (PRIOR_SHARE * cell * ABSENCE * MARGIN) < 3.0
    assert smeared_by(2.0, 1e9, np.random.default_rng(0)) <= 150.0 * ABSENCE * MARGIN * (1 + 1e-9)


def test_without_any_pair_there_is_still_a_judgement() -> None:
    domain = domain_of(4)
    residuals = noisy_residuals(random_rows(domain, 50, np.random.default_rng(0)), {(): 1.0, (0,): 1.0}, None)
    mixture = Mixture(domain=domain, weights=np.ones(1), probabilities=(np.full((4, 1), 0.25),), total=50.0)
    assert judge(residuals, mixture).scale > 0
