"""What an audit found, and the statistics behind it: lower bounds on what was lost, from how often an attack was right.

Two kinds of bounds. Those of Clopper and Pearson (1934) count right and wrong guesses and assume nothing. The gate of
the white-box game assumes what the release claims, that its score is normal with variance 1: a release that does what
it says is called broken with no more than the stated probability, and one that does not has no say in the matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NORMAL = NormalDist()


class Outcome(Enum):
    """What one check says."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check. claimed, estimate, lower: in units of `measure` ('epsilon', 'mu' or 'delta'), None where there is no
    such number. lower: what was lost at least. confidence: 1 - chance that a sound release is called broken here, 1.0
    where no chance is involved. runs: releases that were made for it. reason: one sentence."""

    name: str
    outcome: Outcome
    reason: str
    measure: str = "mu"
    claimed: float | None = None
    estimate: float | None = None
    lower: float | None = None
    confidence: float = 1.0
    runs: int = 0


def probit(chance: float) -> float:
    """Phi^-1, with -inf and inf at 0 and 1."""
    if chance <= 0.0:
        return -math.inf
    return math.inf if chance >= 1.0 else _NORMAL.inv_cdf(chance)


def upper_tail(found: int, trials: int, chance: float) -> float:
    """Probability of `found` or more successes out of `trials`, each with this chance."""
    if found <= 0:
        return 1.0
    if chance <= 0.0:
        return 0.0
    if chance >= 1.0:
        return 1.0
    k = np.arange(found, trials + 1)
    log = np.array([math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1) for i in k.tolist()])
    return min(1.0, float(np.exp(log + k * math.log(chance) + (trials - k) * math.log1p(-chance)).sum()))


def least_chance(found: int, trials: int, alpha: float) -> float:
    """Clopper and Pearson: below it lies a chance under which `found` or more have a probability below alpha."""
    if not 0 <= found <= trials or trials < 1:
        raise ValueError(f"found ({found}) must be 0 to trials ({trials})")
    low, high = 0.0, found / trials
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(found, trials, middle) < alpha else (low, middle)
    return low


def most_chance(found: int, trials: int, alpha: float) -> float:
    """The same from above."""
    return 1.0 - least_chance(trials - found, trials, alpha)


def told_apart(without: Floats, with_it: Floats, cut: float, alpha: float) -> float:
    """Lower bound of mu, wrong with probability alpha: how far apart both worlds must be for a guess 'with' above the
    cut to be right that often. The cut must not come from these scores. 0 where nothing can be said."""
    hit = least_chance(int((with_it > cut).sum()), len(with_it), alpha / 2)
    spared = least_chance(int((without <= cut).sum()), len(without), alpha / 2)
    # mu-GDP: probit(hit) + probit(spared) <= mu (Dong, Roth, Su 2019, Definition 2.6)
    return max(0.0, probit(hit) + probit(spared)) if hit and spared else 0.0


def separation(without: Floats, with_it: Floats) -> float:
    """Distance of the means in deviations: the estimate of mu of a score that is normal. Infinite without noise."""
    spread = math.sqrt((float(without.var(ddof=1)) + float(with_it.var(ddof=1))) / 2)
    apart = float(with_it.mean() - without.mean())
    if spread > 1e-9 * max(abs(apart), 1e-300):
        return apart / spread
    return math.inf if apart else 0.0


def separation_error(mu: float, runs: int) -> float:
    """Standard error of `separation` of normal scores with so many on either side (delta method)."""
    return math.sqrt(2 / runs + mu**2 / (4 * runs))


def separation_bound(mu: float, runs: int, alpha: float) -> float:
    """What `separation` of normal scores, mu apart, with so many on either side passes with probability alpha.

    apart / spread > x where apart is N(mu, 2 / runs) and spread^2 is chi-square over its k = 2 runs - 2 degrees of
    freedom, independent of it (the noncentral t distribution). Summed over the law of spread. With few runs the tail is
    far heavier than that of a normal law with `separation_error`.
    """
    k = 2 * runs - 2
    wide = 12 / math.sqrt(2 * k)
    spread = np.linspace(max(0.0, 1 - wide), 1 + wide, 2001)[1:]
    log_density = (k - 1) * np.log(spread) - k * spread**2 / 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    low, high = mu, mu + 1.0

    def chance(x: float) -> float:
        beyond = (x * spread - mu) * math.sqrt(runs / 4)  # erfc(z / sqrt(2)) / 2 is the tail of a normal law
        return float(weight @ [0.5 * math.erfc(z) for z in beyond.tolist()])

    while chance(high) > alpha:
        low, high = high, mu + 2 * (high - mu)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) > alpha else (low, middle)
    return high


@dataclass(frozen=True, kw_only=True)
class Game:
    """Scores of releases with and without the canaries: mean 0 without, copies x mu with them, deviation 1 in both.

    copies: identical canaries; they cost copies x mu (Dong, Roth, Su 2019, Theorem 2.14), so that few runs suffice.
    claimed: mu that the release says one unit loses. expected: mu that one canary must show if the noise is as the
    release says.
    """

    without: Floats
    with_it: Floats
    copies: int
    claimed: float
    expected: float


ENOUGH = 0.35
"""Error of an estimate, as a share of it, from which on no verdict is given."""


def white_box(name: str, game: Game, alpha: float) -> Finding:
    """The likelihood-ratio game: broken above what is claimed, unknown below what must be seen, held between.

    alpha: probability with which a sound release is called broken.
    """
    runs = min(len(game.without), len(game.with_it))
    if runs < 10:
        return Finding(
            name=name, outcome=Outcome.UNKNOWN, claimed=game.claimed, runs=2 * runs, reason="too few runs to say"
        )
    copies = game.copies
    error = separation_error(copies * game.expected, runs) / copies
    reach = -probit(alpha / 4) * error  # two sides; the other half of alpha is for the bound
    above = max(reach, separation_bound(copies * game.expected, runs, alpha / 4) / copies - game.expected)
    estimate = separation(game.without, game.with_it) / copies
    # the middle of what is expected: it does not come from the scores
    lower = told_apart(game.without, game.with_it, copies * game.expected / 2, alpha / 2) / copies
    spread = f"known to {100 * reach / game.expected:.0f}%"
    if lower > game.claimed or estimate > game.claimed + above:
        outcome, reason = Outcome.BROKEN, f"more is lost than is claimed ({spread})"
    elif estimate > game.expected + above:
        outcome, reason = Outcome.BROKEN, f"the noise is smaller than the release says ({spread})"
    elif reach > ENOUGH * game.expected:
        outcome, reason = Outcome.UNKNOWN, f"too few runs to say ({spread})"
    elif estimate < game.expected - reach:
        outcome, reason = Outcome.UNKNOWN, f"far less was seen than is paid for: the attack failed ({spread})"
    elif estimate < game.claimed - reach:
        outcome, reason = Outcome.HELD, f"as much as the noise lets through, which is less than is claimed ({spread})"
    else:
        outcome, reason = Outcome.HELD, f"as much as is claimed and no more ({spread})"
    return Finding(
        name=name,
        outcome=outcome,
        claimed=game.claimed,
        estimate=estimate,
        lower=lower,
        confidence=1 - alpha,
        runs=len(game.without) + len(game.with_it),
        reason=reason,
    )


def black_box(name: str, without: Floats, with_it: Floats, *, copies: int, claimed: float, alpha: float) -> Finding:
    """An attack on what is published. without, with_it: (runs, features).

    The even runs teach a linear score (Fisher) and the cut, the odd ones are counted. It sees less than was lost, so
    an estimate below the claim says nothing; unknown when it cannot tell both worlds apart at all.
    """
    runs = len(without) + len(with_it)
    if min(len(without), len(with_it)) < 8:
        return Finding(name=name, outcome=Outcome.UNKNOWN, claimed=claimed, runs=runs, reason="too few runs to say")
    a, b = without[0::2], with_it[0::2]
    scale = np.vstack([a - a.mean(axis=0), b - b.mean(axis=0)]).std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    a, b = a / scale, b / scale
    inner = (np.cov(a, rowvar=False) + np.cov(b, rowvar=False)).reshape(a.shape[1], a.shape[1]) / 2
    weights = np.linalg.solve(inner + 0.1 * np.eye(a.shape[1]), b.mean(axis=0) - a.mean(axis=0)) / scale
    cut = float((without[0::2] @ weights).mean() + (with_it[0::2] @ weights).mean()) / 2
    x, y = without[1::2] @ weights, with_it[1::2] @ weights
    estimate = separation(x, y) / copies
    lower = told_apart(x, y, cut, alpha) / copies
    if lower > claimed:
        outcome, reason = Outcome.BROKEN, "what is published tells more than is claimed"
    elif lower == 0.0:
        outcome, reason = Outcome.UNKNOWN, "the attack could not tell both worlds apart in so few runs"
    else:
        outcome, reason = Outcome.HELD, "what is published tells no more than is claimed"
    return Finding(
        name=name,
        outcome=outcome,
        claimed=claimed,
        estimate=estimate,
        lower=lower,
        confidence=1 - alpha,
        runs=runs,
        reason=reason,
    )


@dataclass(frozen=True, kw_only=True)
class Trials:
    """How often a value that `held` people have was discovered, in so many trials."""

    held: int
    found: int
    trials: int


def discovery(
    *, few: Trials, many: Trials, sigma: float, touched: int, delta: float, alpha: float, runs: int
) -> tuple[Finding, Finding]:
    """Whether values are discovered as rarely, and with as much noise, as is claimed. The noise, and the threshold.

    A value that x people hold is found with probability Phi(z + (x - 1) / sigma), z = Phi^-1(delta / touched), where
    one person touches so many values (docs/proofs/value-discovery.md). Two numbers of people give sigma and z.
    Each bound is one of Clopper and Pearson.
    """
    if not few.trials or not many.trials:
        what = Finding(name="discovery: noise", outcome=Outcome.UNKNOWN, reason="too few runs to say")
        return what, Finding(name="discovery: threshold", outcome=Outcome.UNKNOWN, reason="too few runs to say")
    mu, side = math.sqrt(touched) / sigma, alpha / 4
    width = many.held - few.held
    least = [least_chance(one.found, one.trials, side) for one in (few, many)]
    most = [most_chance(one.found, one.trials, side) for one in (few, many)]
    seen = [(one.found + 0.5) / (one.trials + 1) for one in (few, many)]
    root = math.sqrt(touched) / width

    def slope(low: float, high: float) -> float:
        return max(0.0, (probit(high) - probit(low)) * root)

    def chance(parts: Sequence[float]) -> float:
        z = sum(probit(p) - (one.held - 1) / sigma for p, one in zip(parts, (few, many), strict=True)) / 2
        return min(1.0, touched * 0.5 * math.erfc(-z / math.sqrt(2)))

    found = []
    for name, measure, claimed, estimate, lower, upper in (
        ("noise", "mu", mu, slope(*seen), slope(most[0], least[1]), slope(least[0], most[1])),
        ("threshold", "delta", delta, chance(seen), chance(least), chance(most)),
    ):
        if lower > claimed * (1 + 1e-9):
            outcome, reason = Outcome.BROKEN, "values of few people are found more often than is claimed"
        elif upper < claimed * (1 - 1e-9):
            outcome, reason = Outcome.UNKNOWN, "values are found less often than is paid for"
        else:
            outcome, reason = Outcome.HELD, "values are found as often as is claimed"
        found.append(
            Finding(
                name=f"discovery: {name}",
                outcome=outcome,
                measure=measure,
                claimed=claimed,
                estimate=estimate,
                lower=lower,
                confidence=1 - alpha,
                runs=runs,
                reason=reason,
            )
        )
    return found[0], found[1]


def one_run_chance(*, canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Bound on the probability of so many right guesses or more under (epsilon, delta).

    Steinke, Nasr, Jagielski, "Privacy Auditing with One (1) Training Run" (2023), Theorem 5.2: each of the canaries is
    in by a coin of its own, guesses of them are guessed, and under epsilon alone the right ones are dominated by a
    binomial number of chance e^epsilon / (1 + e^epsilon); delta adds 2 m delta max_i P(right - i <= it < right) / i.
    """
    if not 0 <= right <= guesses <= canaries:
        raise ValueError("right must be 0 to guesses, and guesses at most canaries")
    chance = 1 / (1 + math.exp(-epsilon))
    tail = upper_tail(right, guesses, chance)
    worst = 0.0
    for i in range(1, right + 1):
        worst = max(worst, (upper_tail(right - i, guesses, chance) - tail) / i)
    return min(1.0, tail + 2 * canaries * delta * worst)


def one_run(*, canaries: int, guesses: int, right: int, epsilon: float, delta: float, alpha: float) -> Finding:
    """The audit of one release in which many canaries were in or out by coins. Weak: it finds gross faults only."""
    lower = 0.0
    if one_run_chance(canaries=canaries, guesses=guesses, right=right, epsilon=0.0, delta=delta) < alpha:
        low, high = 0.0, 60.0
        for _ in range(50):
            middle = (low + high) / 2
            bad = one_run_chance(canaries=canaries, guesses=guesses, right=right, epsilon=middle, delta=delta) < alpha
            low, high = (middle, high) if bad else (low, middle)
        lower = low
    share = (right + 0.5) / (guesses + 1)
    said = f"{right:,} of {guesses:,} guesses about {canaries:,} canaries were right"
    if lower > epsilon:
        outcome, reason = Outcome.BROKEN, f"{said}, more than is claimed"
    elif lower == 0.0:
        outcome, reason = Outcome.UNKNOWN, f"{said}: one release is too few to say more"
    else:
        outcome, reason = Outcome.HELD, f"{said}, no more than is claimed"
    return Finding(
        name="one release, many canaries",
        outcome=outcome,
        measure="epsilon",
        claimed=epsilon,
        estimate=max(0.0, math.log(share / (1 - share))),
        lower=lower,
        confidence=1 - alpha,
        runs=1,
        reason=reason,
    )
