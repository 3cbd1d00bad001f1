"""Bounds of an audit against what they must be: exact where a sum is possible, by many trials where it is not."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest

from caseveil.evaluation.audit import (
    Finding,
    Game,
    Outcome,
    Trials,
    black_box,
    discovery,
    least_chance,
    most_chance,
    one_run,
    one_run_chance,
    separation,
    separation_bound,
    separation_error,
    told_apart,
    upper_tail,
    white_box,
)

pytestmark = pytest.mark.engine

NORMAL = NormalDist()


def binomial(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize(("found", "trials", "chance"), [(3, 10, 0.2), (10, 10, 0.9), (1, 7, 0.01), (0, 5, 0.3)])
def test_tails_are_sums(found: int, trials: int, chance: float) -> None:
    assert upper_tail(found, trials, chance) == pytest.approx(
        sum(binomial(k, trials, chance) for k in range(found, trials + 1))
    )


@pytest.mark.parametrize(("found", "trials"), [(1, 10), (9, 10), (10, 10), (150, 400)])
@pytest.mark.parametrize("alpha", [0.05, 1e-9])
def test_bounds_of_a_chance_are_where_the_tail_is_alpha(found: int, trials: int, alpha: float) -> None:
    low = least_chance(found, trials, alpha)
    assert upper_tail(found, trials, low) == pytest.approx(alpha, rel=1e-6)
    assert most_chance(trials - found, trials, alpha) == pytest.approx(1 - low)


def test_all_wrong_says_nothing() -> None:
    assert least_chance(0, 20, 0.01) == 0.0
    assert told_apart(np.ones(20), np.zeros(20), 0.5, 0.01) == 0.0


def test_a_bound_holds_as_often_as_it_says() -> None:
    """800 bounds at 90%: more than 140 wrong ones would have a probability below 1e-9 (binomial)."""
    rng = np.random.default_rng(1)
    mu, wrong = 1.5, 0
    for _ in range(800):
        a, b = rng.normal(0, 1, 60), rng.normal(mu, 1, 60)
        wrong += told_apart(a, b, mu / 2, 0.1) > mu
    assert upper_tail(141, 800, 0.1) < 1e-9
    assert wrong <= 140


def normal_game(mu: float, *, spread: float = 1.0, runs: int = 400, claimed: float = 0.4, copies: int = 10) -> Game:
    """Scores in their quantiles, so that nothing is left to chance."""
    quantiles = np.array([NORMAL.inv_cdf((i + 0.5) / runs) for i in range(runs)]) * spread
    return Game(without=quantiles, with_it=quantiles + copies * mu, copies=copies, claimed=claimed, expected=claimed)


@pytest.mark.parametrize(
    ("game", "outcome"),
    [
        (normal_game(0.4), Outcome.HELD),
        (normal_game(0.4, spread=1 / math.sqrt(2)), Outcome.BROKEN),
        (normal_game(0.4, spread=0.0), Outcome.BROKEN),
        (normal_game(0.6), Outcome.BROKEN),
        (normal_game(0.4, spread=2.0), Outcome.UNKNOWN),
        (normal_game(0.0), Outcome.UNKNOWN),
        (normal_game(0.4, runs=40), Outcome.UNKNOWN),
        (normal_game(0.4, runs=4), Outcome.UNKNOWN),
    ],
)
def test_the_game_holds_what_is_at_the_claim_and_nothing_else(game: Game, outcome: Outcome) -> None:
    found = white_box("noise", game, 1e-9)
    assert found.outcome is outcome
    assert found.confidence == (1 - 1e-9 if found.estimate is not None else 1.0)


def test_noise_that_is_smaller_than_it_says_breaks_even_where_the_claim_is_larger() -> None:
    game = normal_game(0.4, spread=0.5)
    wide = Game(without=game.without, with_it=game.with_it, copies=game.copies, claimed=4.0, expected=0.4)
    found = white_box("noise", wide, 1e-9)
    assert found.outcome is Outcome.BROKEN
    assert "smaller than the release says" in found.reason


def test_separation_without_noise_is_infinite() -> None:
    assert separation(np.zeros(5), np.ones(5)) == math.inf
    assert separation(np.zeros(5), np.zeros(5)) == 0.0


@pytest.mark.parametrize(
    ("mu", "runs", "alpha", "bound"),
    [(0.2, 10, 2.5e-4, 2.185), (3.0, 10, 2.5e-10, 17.0201), (3.0, 50, 2.5e-4, 4.2447), (3.0, 1000, 2.5e-10, 3.4348)],
)
def test_the_bound_of_a_separation_is_that_of_noncentral_t(mu: float, runs: int, alpha: float, bound: float) -> None:
    """Quantiles of another implementation (scipy.stats.nct)."""
    assert separation_bound(mu, runs, alpha) == pytest.approx(bound, abs=1e-4)


def test_few_runs_call_a_sound_release_broken_no_more_often_than_is_said() -> None:
    """20,000 sound games of 10 runs, 1% of which may pass: over 290 would have a probability below 1e-9 (binomial).

    Some 600 would pass the bound of a normal law, which holds for many runs only.
    """
    rng = np.random.default_rng(8)
    a, b = rng.normal(0, 1, (20_000, 10)), rng.normal(3, 1, (20_000, 10))
    seen = np.array([separation(one, other) for one, other in zip(a, b, strict=True)])
    assert upper_tail(291, 20_000, 0.01) < 1e-9
    assert np.sum(seen > separation_bound(3.0, 10, 0.01)) <= 290
    assert np.sum(seen > 3.0 - NORMAL.inv_cdf(0.01) * separation_error(3.0, 10)) > 290


@pytest.mark.parametrize(("mu", "outcome"), [(0.2, Outcome.HELD), (2.0, Outcome.BROKEN), (0.0, Outcome.UNKNOWN)])
def test_what_is_published_breaks_only_above_the_claim(mu: float, outcome: Outcome) -> None:
    rng = np.random.default_rng(5)
    without, with_it = rng.normal(0, [1, 3, 9], (400, 3)), rng.normal(0, [1, 3, 9], (400, 3))
    with_it[:, 0] += 10 * mu
    found = black_box("published", without, with_it, copies=10, claimed=0.25, alpha=1e-6)
    assert found.outcome is outcome
    if mu == 0.2:
        assert found.estimate == pytest.approx(0.2, rel=0.2)


def test_a_feature_that_never_changes_does_no_harm() -> None:
    rng = np.random.default_rng(6)
    a = np.column_stack([rng.normal(0, 1, 60), np.zeros(60)])
    found = black_box("published", a, a + np.array([4.0, 0.0]), copies=4, claimed=1.0, alpha=1e-3)
    assert found.outcome is Outcome.HELD


def trials(held: int, *, sigma: float, delta: float, touched: int, number: int = 3000) -> Trials:
    chance = NORMAL.cdf(NORMAL.inv_cdf(delta / touched) + (held - 1) / sigma)
    return Trials(held=held, found=round(number * chance), trials=number)


def searched(*, sigma: float, delta: float) -> tuple[Finding, Finding]:
    """What is found where noise and delta are as given and 20 and 1e-6 are claimed, 2 values a person."""
    few, many = (trials(held, sigma=sigma, delta=delta, touched=2) for held in (80, 120))
    return discovery(few=few, many=many, sigma=20.0, touched=2, delta=1e-6, alpha=1e-9, runs=1000)


def test_discovery_at_its_claim_holds() -> None:
    noise, threshold = searched(sigma=20.0, delta=1e-6)
    assert (noise.outcome, threshold.outcome) == (Outcome.HELD, Outcome.HELD)
    assert noise.estimate == pytest.approx(math.sqrt(2) / 20, rel=0.01)
    assert threshold.estimate == pytest.approx(1e-6, rel=0.1)


def test_discovery_too_easy_too_quiet_or_too_rare_is_seen() -> None:
    assert searched(sigma=20.0, delta=1e-5)[1].outcome is Outcome.BROKEN
    assert searched(sigma=10.0, delta=1e-20)[0].outcome is Outcome.BROKEN
    assert searched(sigma=20.0, delta=1e-9)[1].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("epsilon", [0.0, 0.7])
def test_one_run_bound_covers_the_worst_mechanism_with_delta(epsilon: float) -> None:
    """Randomised response that, with probability delta for each person, tells her coin: two of them, by enumeration."""
    delta, m = 0.05, 2
    q = 1 / (1 + math.exp(-epsilon))
    right = delta + (1 - delta) * q
    for least in range(1, m + 1):
        true = sum(
            math.prod(right if hit else 1 - right for hit in hits)
            for hits in itertools.product((False, True), repeat=m)
            if sum(hits) >= least
        )
        assert true <= one_run_chance(canaries=m, guesses=m, right=least, epsilon=epsilon, delta=delta) + 1e-12


def test_one_run_without_delta_is_binomial() -> None:
    bound = one_run_chance(canaries=100, guesses=50, right=40, epsilon=1.0, delta=0.0)
    assert bound == pytest.approx(upper_tail(40, 50, math.e / (1 + math.e)))


@pytest.mark.parametrize(
    ("right", "outcome"), [(150, Outcome.BROKEN), (110, Outcome.HELD), (75, Outcome.UNKNOWN), (0, Outcome.UNKNOWN)]
)
def test_one_run_finds_gross_faults_only(right: int, outcome: Outcome) -> None:
    found = one_run(canaries=300, guesses=150, right=right, epsilon=1.0, delta=1e-6, alpha=1e-3)
    assert found.outcome is outcome
    assert found.lower is not None
    assert (found.lower > 0) == (outcome is not Outcome.UNKNOWN)
