"""How well the records agree with the noisy measurements. Computed from protected numbers only, so it is public."""

from __future__ import annotations

import math

import numpy as np

from caseveil.schema.domain import Clique
from caseveil.synthesis.observed import NoisyResiduals, cell_variance, reconstruct
from caseveil.synthesis.records import Codes

SIZES = (0, 1, 10, 100, 1000)
"""Least counts of the classes of size."""


def fidelity(codes: Codes, residuals: NoisyResiduals) -> dict[str, object]:
    """How far the records' counts lie from the unbiased noisy ones, in standard deviations of the noise.

    rms_sigma near 1 says that the records are as close to the measurements as the truth can be expected to be;
    well above 1, that the model could not follow them. within_2_sigma is the share of cells within two deviations
    (95% expected of the truth itself).
    lengths: by length of the combination. sizes: by the records' own count, from each of SIZES to below the next, all
    lengths together. (By the noisy count it would be unfair: the largest of many noisy numbers are too large.)
    """
    domain = residuals.domain
    lengths: dict[str, object] = {}
    of_size, squares_of, within_of = (np.zeros(len(SIZES)) for _ in range(3))
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
            size = np.searchsorted(SIZES, count, side="right") - 1
            of_size += np.bincount(size, minlength=len(SIZES))
            squares_of += np.bincount(size, weights=z**2, minlength=len(SIZES))
            within_of += np.bincount(size, weights=np.abs(z) <= 2.0, minlength=len(SIZES))
            cells += z.size
            groups += 1
        if cells:
            lengths[str(length)] = {
                "groups": groups,
                "cells": cells,
                "rms_sigma": round(math.sqrt(squares / cells), 4),
                "within_2_sigma": round(within / cells, 4),
            }
    sizes = {
        str(least): {
            "cells": int(cells),
            "rms_sigma": round(math.sqrt(squares / cells), 4),
            "within_2_sigma": round(float(within / cells), 4),
        }
        for least, cells, squares, within in zip(SIZES, of_size, squares_of, within_of, strict=True)
        if cells
    }
    return {"records": len(codes), "noisy_people": round(residuals.total, 1), "lengths": lengths, "sizes": sizes}


def _measured(residuals: NoisyResiduals, length: int) -> list[Clique]:
    return [c for c in residuals.values if len(c) == length and residuals.measured(c)]
