"""Values that were not declared: the threshold above which a noisy count may name its value.

Gopi, Gulhane, Kulkarni, Shen, Shokouhi, Yekhanin, "Differentially Private Set Union" (ICML 2020), for the Gaussian;
here for whole numbers (docs/proofs/partition-selection-accounting.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

MU_SHARE = 0.15
"""Share of squared mu that discovery takes where some columns are undeclared."""

DELTA_SHARE = 0.25
"""Share of delta that discovery takes."""


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Discovered values by column, in alphabetical order, and the noisy count from which on they were kept.

    linked: those of the columns of linked rows."""

    values: Mapping[str, tuple[str, ...]]
    threshold: int
    linked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def new_value_chance(threshold: int, sigma: float, touched: int) -> float:
    """Bound on the chance that any of `touched` values held by one person alone reaches the threshold.

    1 + round(N(0, sigma^2)) >= T has probability at most Phi(-(T - 3/2) / sigma); the union over `touched` values
    bounds 1 - (1 - p)^touched from above. Inflated for the rounding of erfc.
    """
    return touched * 0.5 * math.erfc((threshold - 1.5) / sigma / math.sqrt(2.0)) * (1.0 + 1e-9)


def whole_threshold(sigma: float, touched: int, delta: float) -> int:
    """Smallest whole threshold whose `new_value_chance` is at most delta."""
    low, high = 1, 2
    while new_value_chance(high, sigma, touched) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if new_value_chance(middle, sigma, touched) > delta else (low, middle)
    return high
