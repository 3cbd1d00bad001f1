"""Combinations judged absent in cliques that no target covers: records must not hold them.

Measured cliques carry their bars in their targets; the others (too many, or too weak to measure) are only looked up
here, for records that were just drawn and for moves that are about to be made.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from caseveil.schema.domain import Clique, Domain
from caseveil.synthesis.model import Mixture
from caseveil.synthesis.presence import stated

Codes = NDArray[np.int32]

LARGEST = 20_000
"""Marginals with more cells are not looked at: their combinations are rare one by one anyway."""

CELLS_CAP = 4_000_000
"""Most cells looked at together."""


class Bars:
    """Barred cells of marginals of two or three attributes, for look-up by record."""

    def __init__(self, domain: Domain, barred: Iterable[tuple[Clique, NDArray[np.bool_]]]) -> None:
        self.domain = domain
        self._tables = [(clique, cells) for clique, cells in barred if cells.any()]
        self._by_attribute: dict[int, _View] = {}
        for j in range(len(domain)):
            mine = [(clique, cells) for clique, cells in self._tables if j in clique]
            if mine:
                self._by_attribute[j] = _View(domain, j, mine)

    def hit(self, codes: Codes) -> NDArray[np.bool_]:
        """Which records hold a barred combination: (records,)."""
        out = np.zeros(len(codes), np.bool_)
        columns = [np.ascontiguousarray(codes[:, i], np.int64) for i in range(codes.shape[1])]
        for clique, cells in self._tables:
            flat = columns[clique[0]]
            for i in clique[1:]:
                flat = flat * self.domain.sizes[i] + columns[i]
            out |= cells.ravel()[flat]
        return out

    def hit_by(self, codes: Codes, j: int, value: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which records would hold a barred combination with attribute j if it took the given values."""
        view = self._by_attribute.get(j)
        return np.zeros(len(codes), np.bool_) if view is None else view.hit(codes, value)


class _View:
    """Barred cells that hold attribute j, as rows (cells of the other attributes) by the codes of j."""

    def __init__(self, domain: Domain, j: int, tables: list[tuple[Clique, NDArray[np.bool_]]]) -> None:
        sizes = domain.sizes
        pieces, base, first, first_step, second, second_step = [], [], [], [], [], []
        rows = 0
        for clique, cells in tables:
            others = [i for i in clique if i != j]
            pieces.append(np.moveaxis(cells, clique.index(j), -1).reshape(-1, sizes[j]))
            base.append(rows)
            first.append(others[0])
            first_step.append(sizes[others[1]] if len(others) > 1 else 1)
            second.append(others[1] if len(others) > 1 else 0)
            second_step.append(1 if len(others) > 1 else 0)
            rows += len(pieces[-1])
        self._cells = np.concatenate(pieces)
        self._base = np.array(base, np.int64)
        self._first, self._first_step = np.array(first), np.array(first_step, np.int64)
        self._second, self._second_step = np.array(second), np.array(second_step, np.int64)

    def hit(self, codes: Codes, value: NDArray[np.int32]) -> NDArray[np.bool_]:
        rows = codes[:, self._first] * self._first_step + codes[:, self._second] * self._second_step + self._base
        return np.asarray(self._cells[rows, value[:, None]].any(axis=1))


def bars(mixture: Mixture, cliques: Iterable[Clique], below: float) -> Bars:
    """Bars combinations of these cliques (of two or three attributes) that are expected fewer than `below` times."""
    domain = mixture.domain
    tables, cells = [], 0
    for clique in sorted((c for c in cliques if 2 <= len(c) <= 3), key=domain.cells):
        size = domain.cells(clique)
        if size > LARGEST or cells + size > CELLS_CAP:
            break
        cells += size
        expected = mixture.expected(clique)
        barred = np.zeros(expected.shape, np.bool_)
        inner = stated(expected.shape)
        barred[inner] = expected[inner] < below
        tables.append((clique, barred))
    return Bars(domain, tables)
