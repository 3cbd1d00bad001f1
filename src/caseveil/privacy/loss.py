"""How much privacy is lost: Gaussian differential privacy, and (epsilon, delta).

A mechanism is mu-GDP when telling two neighbouring data sets apart from its output is no easier than telling
N(0, 1) from N(mu, 1) (Dong, Roth, Su, "Gaussian differential privacy", 2019). It is then (epsilon, delta)-DP
exactly when delta >= delta(epsilon) below (their Corollary 2.13; Balle and Wang 2018, Theorem 8).

Every number here errs to the safe side: losses are rounded up, allowances down. The floating-point error is
bounded under one assumption: `math.exp` and `math.erfc` are within 8 units in the last place, which every
C library in use meets. Proof: docs/proofs/gaussian-composition.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from caseveil.errors import PlanError

SMALLEST_EPSILON = 1e-6
LARGEST_EPSILON = 100.0
SMALLEST_DELTA = 1e-100

_ROOM = 2.0**-45  # relative error allowed for every factor below; what is computed stays within a third of it
_FLOOR = 1e-300  # no delta below this is ever claimed
_VANISHING = 37.5  # Phi(-37.5) is below _FLOOR
_SQRT_TWO = math.sqrt(2.0)
_SQRT_TWO_PI = math.sqrt(2.0 * math.pi)
_LARGE = 3.0  # from here on a Mills ratio is computed as a continued fraction
_DEPTH = 120
_SIZING_ROOM = 2.0**-30


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


@dataclass(frozen=True, kw_only=True)
class EpsilonDelta:
    """The promise (epsilon, delta): no output is more than e^epsilon times likelier with one unit than without,
    but for a probability delta.

    Raises PlanError unless 1e-6 <= epsilon <= 100 and 1e-100 <= delta < 1.
    """

    epsilon: float
    delta: float

    def __post_init__(self) -> None:
        if not SMALLEST_EPSILON <= _number(self.epsilon) <= LARGEST_EPSILON:
            raise PlanError(
                f"epsilon ({self.epsilon}) must be above 0 ({SMALLEST_EPSILON:g} or more) and at most "
                f"{LARGEST_EPSILON:g}; 0.1 is very private, 1 is common, above 10 little is promised"
            )
        if not SMALLEST_DELTA <= _number(self.delta) < 1:
            raise PlanError(
                f'delta ({self.delta}) must be above 0 ({SMALLEST_DELTA:g} or more) and below 1; leave it at "auto", '
                f"or choose well below 1 / (number of people), for example 5e-6 for 20,000 people"
            )


@dataclass(frozen=True, kw_only=True)
class GaussianDP:
    """The loss of one Gaussian mechanism of sensitivity mu and noise 1, and of any number of them composed.

    mu must be a finite number above 0.
    """

    mu: float

    def __post_init__(self) -> None:
        if not 0 < _number(self.mu) < math.inf:
            raise ValueError(f"mu ({self.mu}) must be a finite number above 0")

    @property
    def rho(self) -> float:
        """The loss in zero-concentrated differential privacy: mu^2 / 2 (Bun, Steinke 2016, Prop. 1.6), rounded up."""
        return math.nextafter(self.mu * self.mu / 2, math.inf)

    def delta(self, epsilon: float) -> float:
        """Smallest delta that goes with epsilon >= 0, rounded up (relative excess about 1e-13 / min(mu, 1)).

        delta = Phi(-t) - e^epsilon Phi(-s) with t = epsilon / mu - mu / 2 and s = t + mu (Dong, Roth, Su 2019).
        As e^epsilon phi(s) = phi(t) for the normal density phi, e^epsilon Phi(-s) = phi(t) m(s) with Mills' ratio
        m(s) = Phi(-s) / phi(s): nothing overflows, and nothing but the last difference cancels.
        """
        if not 0 <= epsilon < math.inf:
            raise ValueError(f"epsilon ({epsilon}) must be a finite number, 0 or more")
        ratio, half = epsilon / self.mu, self.mu / 2
        # t a little low is an epsilon a little low, hence a delta a little high; s a little high likewise.
        t = (ratio - half) - 2.0**-51 * (ratio + half) if ratio < math.inf else math.inf
        s = (t + self.mu) + 2.0**-51 * (abs(t) + self.mu)
        if t > _VANISHING:
            return _FLOOR
        square = t * t
        if t >= _LARGE:
            high = math.exp(-square / 2 + 2.0**-51 * square) / _SQRT_TWO_PI * (1 + _ROOM)
            out = high * (_mills(t) * (1 + _ROOM) - _mills(s) * (1 - _ROOM)) * (1 + _ROOM)
        else:
            low = math.exp(-square / 2 - 2.0**-51 * square) / _SQRT_TWO_PI * (1 - _ROOM)
            out = math.erfc(t / _SQRT_TWO) / 2 * (1 + _ROOM) - low * _mills(s) * (1 - 2 * _ROOM)
        return min(max(out, _FLOOR), 1.0)

    def epsilon(self, delta: float) -> float:
        """Smallest epsilon that goes with delta in [1e-100, 1), rounded up; 0 where delta allows it."""
        if not SMALLEST_DELTA <= delta < 1:
            raise ValueError(f"delta ({delta}) must be at least {SMALLEST_DELTA:g} and below 1")
        if self.delta(0.0) <= delta:
            return 0.0
        low, high = 0.0, 1.0
        while self.delta(high) > delta:
            low, high = high, 2 * high
        while high - low > 2.0**-48 * high:
            middle = (low + high) / 2
            if self.delta(middle) > delta:
                low = middle
            else:
                high = middle
        return high


def mu_for(promise: EpsilonDelta) -> float:
    """The largest mu that keeps the promise, rounded down: noise of sensitivity / mu is enough.

    A relative room of 2^-30 is left below it, so that mechanisms whose mu^2 are made to add up to this mu^2 in
    floating point still keep the promise when the accountant adds them up exactly.
    """
    low, high = 0.0, 1.0
    while GaussianDP(mu=high).delta(promise.epsilon) <= promise.delta:
        low, high = high, 2 * high
    while low == 0.0:
        middle = high / 2
        if GaussianDP(mu=middle).delta(promise.epsilon) <= promise.delta:
            low = middle
        else:
            high = middle
    while high - low > 2.0**-48 * high:
        middle = (low + high) / 2
        if GaussianDP(mu=middle).delta(promise.epsilon) <= promise.delta:
            low = middle
        else:
            high = middle
    return low * (1 - _SIZING_ROOM)


def _mills(x: float) -> float:
    """Mills' ratio Phi(-x) / phi(x) of x >= 0 (or above the point where it overflows), within 2^-46 of it.

    Large x: the continued fraction 1 / (x + 1 / (x + 2 / (x + ...))) (Laplace), cut where it has converged.
    """
    if x < _LARGE:
        # exp(x^2 / 2) with the square split so that its large part is exact.
        head = math.ldexp(round(math.ldexp(x, 20)), -20)
        return (
            math.exp(head * head / 2)
            * math.exp((x - head) * (x + head) / 2)
            * math.erfc(x / _SQRT_TWO)
            * (_SQRT_TWO_PI / 2)
        )
    value = x
    for place in range(_DEPTH, 0, -1):
        value = x + place / value
    return 1 / value
