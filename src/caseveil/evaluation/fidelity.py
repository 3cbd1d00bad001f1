"""How well the records agree with the noisy measurements. Computed from protected numbers only, so it is public."""

from __future__ import annotations

import math

import numpy as np

from caseveil.schema.domain import Clique
from caseveil.synthesis.observed import NoisyResiduals, cell_variance, reconstruct
from caseveil.synthesis.records import Codes


def fidelity(codes: Codes, residuals: NoisyResiduals) -> dict[str, object]:
    """Per length: how far the records' counts lie from the unbiased noisy ones, in standard deviations of the noise.

    rms_sigma near 1 says that the records are as close to the measurements as the truth can be expected to be;
    well above 1, that the model could not follow them. within_2_sigma is the share of cells within two deviations
    (95% expected of the truth itself).
    """
    domain = residuals.domain
    lengths: dict[str, object] = {}
    for length in sorted({len(c) for c in residuals.values if c}):
        squares, within, cells, groups = 0.0, 0, 0, 0
        for clique in _measured(residuals, length):
            flat = np.zeros(len(codes), np.int64)
            for i in clique:
                flat = flat * domain.sizes[i] + codes[:, i]
            count = np.bincount(np.asarray(flat, np.intp), minlength=domain.cells(clique))
            sd = math.sqrt(cell_variance(residuals.variance, clique, domain))
            z = (count - reconstruct(residuals, clique).ravel()) / sd
            squares += float((z**2).sum())
            within += int((np.abs(z) <= 2.0).sum())
            cells += z.size
            groups += 1
        if cells:
            lengths[str(length)] = {
                "groups": groups,
                "cells": cells,
                "rms_sigma": round(math.sqrt(squares / cells), 4),
                "within_2_sigma": round(within / cells, 4),
            }
    return {"records": len(codes), "noisy_people": round(residuals.total, 1), "lengths": lengths}


def _measured(residuals: NoisyResiduals, length: int) -> list[Clique]:
    return [c for c in residuals.values if len(c) == length and residuals.measured(c)]
