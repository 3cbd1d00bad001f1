"""A share seen in trials, with an interval that is never too narrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HALVINGS = 44  # leaves less than 1e-13 between the two ends


@dataclass(frozen=True, kw_only=True)
class Share:
    """times of trials, and the interval of the chance behind it."""

    times: int
    trials: int
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class Excess:
    """How much further than a control, as a share of what the control left open: (share - control) / (1 - control).

    1: always, where the control failed. 0: no more than the control. Less than 0, not below -1: less than the control.
    """

    value: float
    lower: float
    upper: float

    @property
    def holds_nothing(self) -> bool:
        """Whether it may well be 0."""
        return self.lower <= 0.0 <= self.upper


def share(outcomes: NDArray[np.bool_], miss: float) -> Share:
    """The share of outcomes that are true, with its interval of Clopper and Pearson (Biometrika 1934).

    It misses the chance of one outcome with probability at most `miss`, whatever that chance is. Outcomes must be
    independent and at least one.
    """
    if not len(outcomes):
        raise ValueError("a share needs at least one trial")
    if not 0.0 < miss < 1.0:
        raise ValueError(f"miss ({miss}) must be between 0 and 1")
    n, times = len(outcomes), int(outcomes.sum())
    logs = np.concatenate([np.zeros(1), np.cumsum(np.log(np.arange(1, n + 1, dtype=np.float64)))])
    ways = logs[n] - logs - logs[::-1]

    def at_least(chance: float) -> float:
        """Probability of so many or more."""
        k = np.arange(times, n + 1, dtype=np.float64)
        return float(np.exp(ways[times:] + k * np.log(chance) + (n - k) * np.log1p(-chance)).sum())

    def at_most(chance: float) -> float:
        """Probability of so many or fewer."""
        k = np.arange(times + 1, dtype=np.float64)
        return float(np.exp(ways[: times + 1] + k * np.log(chance) + (n - k) * np.log1p(-chance)).sum())

    return Share(
        times=times,
        trials=n,
        value=times / n,
        lower=0.0 if times == 0 else _border(lambda chance: at_least(chance) < miss / 2)[0],
        upper=1.0 if times == n else _border(lambda chance: at_most(chance) >= miss / 2)[1],
    )


def _border(low: Callable[[float], bool]) -> tuple[float, float]:
    """The two ends of a tiny interval within 0 to 1 in which `low` turns from true to false."""
    a, b = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (a + b) / 2
        a, b = (middle, b) if low(middle) else (a, middle)
    return a, b


def excess(one: Share, control: Share) -> Excess:
    """How far the first goes beyond the control. The interval misses no more often than the two shares together."""
    return Excess(
        value=_beyond(one.value, control.value),
        lower=_beyond(one.lower, control.upper),
        upper=_beyond(one.upper, control.lower),
    )


def _beyond(share: float, control: float) -> float:
    """Rises with the share and falls with the control."""
    if share >= control:
        return (share - control) / (1.0 - control) if control < 1.0 else 0.0
    return max(-1.0, (share - control) / (1.0 - control)) if control < 1.0 else -1.0
