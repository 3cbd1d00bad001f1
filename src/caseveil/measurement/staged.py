"""Residuals measured in two stages: short ones first, then those long ones that these say are worth their noise."""

from __future__ import annotations

from caseveil.measurement.curator import ResidualAllowance
from caseveil.measurement.residuals import optimal_variances, top_up
from caseveil.measurement.selection import worthwhile
from caseveil.measurement.workload import Workload
from caseveil.synthesis.observed import NoisyResiduals


def measure_in_stages(allowance: ResidualAllowance, workload: Workload) -> NoisyResiduals:
    """Spends all that is left of the allowance on the workload (docs/decisions/0002-two-stage-measurement.md)."""
    mu, domain = allowance.left, workload.domain
    short = {c: v for c, v in optimal_variances(workload.weights, domain, mu).items() if len(c) <= 2}
    residuals = allowance.measure(short)
    long = worthwhile(workload, residuals, mu)
    chosen = workload.restricted([*(c for c in workload.weights if len(c) <= 2), *long])
    if allowance.left > 1e-3 * mu:
        rest = top_up(chosen.weights, domain, allowance.left * (1.0 - 1e-9), residuals.variance)
        residuals = residuals.combine(allowance.measure(rest))
    return residuals
