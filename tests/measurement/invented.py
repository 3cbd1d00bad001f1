"""Invented rows and noise for tests of the engine. Needs numpy and the engine alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from caseveil.measurement.curator import Books, Curator
from caseveil.privacy.ledger import Ledger
from caseveil.records.counting import count_many
from caseveil.records.encoding import EncodedRows
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import Category, Column
from caseveil.schema.domain import Clique, Domain, subsets
from caseveil.schema.table import Table
from caseveil.synthesis.observed import Marginal, NoisyResiduals, centre

BOOKS = Books(release="cases", version="1", unit="person", population="cases", plan_digest="0" * 64)

SURPRISE = math.log(2e9)
"""A one-sided test that fails below exp(-SURPRISE) leaves 1e-9 for a pair of them."""


def domain_of(*sizes: int) -> Domain:
    return Domain(names=tuple(f"a{i}" for i in range(len(sizes))), sizes=tuple(sizes))


def closure(cliques: Iterable[Clique]) -> list[Clique]:
    """All subsets of the cliques, short ones first."""
    return sorted({part for clique in cliques for part in subsets(clique)}, key=lambda c: (len(c), c))


def up_to(domain: Domain, length: int) -> list[Clique]:
    return closure(itertools.combinations(range(len(domain)), min(length, len(domain))))


def coded(domain: Domain, codes: NDArray[np.integer]) -> EncodedRows:
    return EncodedRows(domain=domain, codes=np.asfortranarray(codes, dtype=np.int32))


def random_rows(domain: Domain, n: int, rng: np.random.Generator, dependence: float = 0.0) -> EncodedRows:
    """Rows whose columns follow one hidden group with the given probability, and chance otherwise."""
    group = rng.integers(0, 4, n)
    codes = np.zeros((n, len(domain)), np.int32)
    for i, size in enumerate(domain.sizes):
        shares = rng.dirichlet(np.ones(size), 4)
        apart = np.array([rng.choice(size, p=shares[g]) for g in range(4)])
        free = rng.choice(size, n, p=shares[0])
        codes[:, i] = np.where(rng.random(n) < dependence, apart[group], free)
    return coded(domain, codes)


def exact_residuals(rows: EncodedRows, cliques: Iterable[Clique]) -> dict[Clique, Marginal]:
    return {c: centre(t.astype(np.float64)) for c, t in count_many(rows, list(cliques)).items()}


def noisy_residuals(
    rows: EncodedRows, variances: Mapping[Clique, float], rng: np.random.Generator | None
) -> NoisyResiduals:
    """Residuals with ordinary floating-point noise; rng None leaves the noise out."""
    values = exact_residuals(rows, variances)
    if rng is not None:
        for clique, variance in variances.items():
            noise = rng.normal(0.0, math.sqrt(variance), values[clique].shape)
            values[clique] = values[clique] + centre(np.asarray(noise))
    return NoisyResiduals(domain=rows.domain, values=values, variance=dict(variances))


def contrasts_of(size: int) -> NDArray[np.float64]:
    """Any orthonormal basis (size, size - 1) of the vectors that sum to zero."""
    full = np.linalg.qr(np.column_stack([np.ones(size), np.eye(size)[:, : size - 1]]))[0]
    return np.asarray(full[:, 1:])


def coordinates(residual: Marginal) -> NDArray[np.float64]:
    """Coordinates of a centred table in an orthonormal basis: white noise stays white."""
    out = np.asarray(residual, np.float64)
    for axis, size in enumerate(residual.shape):
        out = np.moveaxis(np.tensordot(out, contrasts_of(size), axes=([axis], [0])), -1, axis)
    return out.ravel()


def chi_square_complaint(squares: float, degrees: int) -> str | None:
    """Whether a sum of squares of standard normal numbers is too small or too large (Laurent, Massart 2000)."""
    low = degrees - 2 * math.sqrt(degrees * SURPRISE)
    high = degrees + 2 * math.sqrt(degrees * SURPRISE) + 2 * SURPRISE
    if squares < low:
        return f"noise too small: {squares:.0f} for {degrees} degrees of freedom"
    if squares > high:
        return f"noise too large: {squares:.0f} for {degrees} degrees of freedom"
    return None


def rows_of(columns: Mapping[str, Sequence[str]], declared: Sequence[Column] = ()) -> Rows:
    """Prepared rows; columns without a declaration are to be discovered."""
    known = {column.name: column for column in declared}
    table = Table(name="cases", columns=tuple(known.get(name, Category(name=name)) for name in columns))
    return Rows(table=table, columns=columns)


def curator_of(rows: Rows, ledger: Ledger | None = None) -> Curator:
    return Curator(rows=rows, ledger=Ledger.open(None) if ledger is None else ledger, books=BOOKS)
