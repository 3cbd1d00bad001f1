"""The part of docs/assurance.md about noise: the attacks of tests/assurance/noise_attacks.py with many draws."""

from __future__ import annotations

import math
import random

from caseveil.privacy.noise import grid_sigma, rounded_gaussian
from tests.assurance import noise_attacks as attack

SIGMAS = (0.25, 1.0, 37.25, 2.0**31 + 0.5, 2.0**49 + 1)
"""The smallest, a small and a usual one, one beyond 32 bits, and one near the largest."""
BEYOND = (4.0, 5.0, 5.5)
SHELLS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20)


def section(draws: int) -> str:
    """Attacks the noise with so many draws in all, and says in Markdown what came of it.

    Raises AssertionError when a sound sampler would do what was seen with a probability below 1e-9.
    """
    each = max(100_000, draws // 10)
    laws = [attack.law(sigma, each, beyond=BEYOND) for sigma in SIGMAS]
    for law in laws:
        assert law.ok, f"the law of the noise at sigma {law.sigma:g}: {law}"
    shells = {k: attack.shell(k, max(100_000, draws // 50)) for k in SHELLS}
    for k, shell in shells.items():
        assert shell.ok, f"the law between {k} and {k + 1} standard deviations: {shell}"
    trials = max(100_000, draws // 5)
    odd = attack.half_exponential(trials)
    assert odd < attack.SURPRISE + math.log(2), f"trials of probability exp(-1/2): surprise {odd:.1f}"
    coins = attack.independence(max(100_000, min(draws // 10, 10_000_000)))
    assert coins.ok, f"coins of different draws: {coins}"
    theirs = attack.textbook(100, max(10_000, draws // 400), random.SystemRandom())
    ours = rounded_gaussian(grid_sigma(100.0), 10 * len(theirs))
    beside = attack.two_samples(ours, theirs, 100.0)
    assert beside.ok, f"our noise beside another sampler: {beside}"
    return _text(laws, shells, trials, odd, coins, beside, len(theirs))


def _text(
    laws: list[attack.Law],
    shells: dict[int, attack.Fit],
    trials: int,
    odd: float,
    coins: attack.Coins,
    beside: attack.Fit,
    theirs: int,
) -> str:
    rows = "\n".join(
        f"| {law.sigma:,.15g} | {law.body.draws:,} | {law.body.cells} | {law.body.statistic:.0f} | "
        f"{law.body.bound:.0f} | {' | '.join(f'{tail.found:,} ({tail.expected:,.1f})' for tail in law.tails)} |"
        for law in laws
    )
    nearest = max(shells, key=lambda k: shells[k].statistic / shells[k].bound)
    shown = ", ".join(map(str, shells))
    return f"""## Noise

Counts are protected by whole numbers drawn from round(N(0, sigma^2)), \
[exactly](proofs/rounded-gaussian.md). Each bound below is passed by an exact sampler with a probability of 1e-9 at \
most; the tests show for each attack that it finds a sampler at fault.

**The law.** Draws in cells, by their exact probabilities (chi-square), and beyond so many standard deviations, found \
(expected):

| sigma | draws | cells | chi-square | bound | beyond 4 | beyond 5 | beyond 5.5 |
|---|---|---|---|---|---|---|---|
{rows}

**Far out.** The sampler first draws the whole number k of standard deviations, by trials of probability exp(-1/2), \
then what is beyond it. A lane needs k^2 such trials for k, which a test counts for every k up to 40; {trials:,} \
trials came out as exp(-1/2) says, with a surprise of {odd:.1f} nats (bound {attack.SURPRISE + math.log(2):.1f}). \
Given k, {next(iter(shells.values())).draws:,} lanes for each k of {shown} follow the density between k and k + 1; \
chi-square comes nearest to its bound at k = {nearest}: {shells[nearest].statistic:.0f} of {shells[nearest].bound:.0f}.

**Independence.** Sign, size and last bit of {coins.draws:,} draws against those of 1 to 64 draws and about a batch \
later, {coins.comparisons} comparisons: the most conspicuous is {coins.z:.1f} standard deviations off (bound \
{coins.bound:.1f}).

**Another sampler.** {theirs:,} draws of the algorithm of Canonne, Kamath and Steinke, written for this comparison, \
and ten times as many of ours, at sigma 100: chi-square {beside.statistic:.0f}, bound {beside.bound:.0f}. The tests \
hold ours against OpenDP's as well.

**Source.** Shown by tests: with the bytes of the operating system given, noise is given, whatever the state of all \
else; as many bytes are taken, and the same noise is added, whatever the rows; too few bytes, or none, end the \
release; forked processes, threads and new processes draw noise of their own; between rows and noise no number is a \
float, read off the source and watched in releases.
"""
