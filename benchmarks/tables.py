"""The tables of the benchmark, each with its public domain. Shared tables are read where they lie and never copied."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, kw_only=True)
class BenchTable:
    """One table: every column a list of strings, "" for missing, and the values that each column may take."""

    name: str
    about: str
    columns: Mapping[str, list[str]]
    domains: Mapping[str, list[str]]

    @property
    def n(self) -> int:
        """Number of records."""
        return len(next(iter(self.columns.values())))


def _with_domains(name: str, about: str, columns: Mapping[str, list[str]]) -> BenchTable:
    """A table whose declared domain is the set of values that occur, as when a codebook lists exactly these."""
    domains = {column: sorted(set(cells) - {""}) for column, cells in columns.items()}
    return BenchTable(name=name, about=about, columns=columns, domains=domains)


def read_csv(path: Path) -> dict[str, list[str]]:
    """Columns of a comma-separated file as strings, nothing interpreted."""
    with path.open(encoding="utf-8", newline="") as stream:
        names, *rows = list(csv.reader(stream))
    return {name: list(cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}


def victims_and_perpetrators() -> BenchTable:
    """The shared victim-perpetrator table, all columns."""
    about = "21,195 x 16, the published Global Victim-Perpetrator Synthetic Dataset treated as sensitive"
    return _with_domains("vp", about, read_csv(SHARED / "vp_condensed.csv"))


def wide_sparse() -> BenchTable:
    """The shared table of 40 sparse yes/blank columns."""
    return _with_domains("wide", "50,000 x 40, made up, sparse yes/blank columns", read_csv(SHARED / "wide_sparse.csv"))


def _zipf(size: int, power: float, rng: np.random.Generator) -> NDArray[np.float64]:
    weights = rng.permutation(1.0 / np.arange(1, size + 1) ** power)
    return np.asarray(weights / weights.sum())


def many_valued(*, rows: int = 20_000, countries: int = 190, sectors: int = 120, seed: int = 5) -> BenchTable:
    """An invented table of two country columns, a sector column and 15 small columns, tied by 8 latent groups.

    Countries and sectors follow a Zipf law within each group; a quarter of the people never left their country.
    The declared domains are complete, so most pairs of a citizenship and a sector do not occur.
    """
    rng = np.random.default_rng(seed)
    groups = 8
    group = rng.choice(groups, rows, p=_zipf(groups, 0.7, rng))
    names = {
        "citizenship": [f"Country {i:03d}" for i in range(1, countries + 1)],
        "exploited_in": [f"Country {i:03d}" for i in range(1, countries + 1)],
        "sector": [f"Sector {i:03d}" for i in range(1, sectors + 1)],
    }
    small = [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 5, 6, 8, 10]
    for position, size in enumerate(small, 1):
        names[f"small_{position:02d}"] = [f"Value {i}" for i in range(1, size + 1)]
    codes: dict[str, NDArray[np.int64]] = {}
    for column, values in names.items():
        power = 1.3 if len(values) > 50 else 2.0
        code = np.empty(rows, np.int64)
        for g in range(groups):
            inside = np.flatnonzero(group == g)
            code[inside] = rng.choice(len(values), len(inside), p=_zipf(len(values), power, rng))
            blank = rng.random(len(inside)) < (rng.uniform(0.5, 0.98) if len(values) == 1 else rng.uniform(0.02, 0.3))
            code[inside[blank]] = -1
        codes[column] = code
    stayed = (rng.random(rows) < 0.25) & (codes["citizenship"] >= 0)
    codes["exploited_in"] = np.where(stayed, codes["citizenship"], codes["exploited_in"])
    columns = {column: [values[c] if c >= 0 else "" for c in codes[column]] for column, values in names.items()}
    about = f"{rows:,} x {len(names)}, invented: 2 columns of {countries} countries, one of {sectors} sectors, 15 small"
    return BenchTable(name="many", about=about, columns=columns, domains=names)


def demo_victims() -> BenchTable:
    """The victims of `caseveil demo`, prepared as its plan says: ages binned, sets as one yes/blank column per item."""
    from caseveil.demo import DEMO_AGE_EDGES, DEMO_SETS, DEMO_VALUES, invent

    victims, _ = invent(17_000, np.random.default_rng(11))
    edges = list(DEMO_AGE_EDGES)
    columns: dict[str, list[str]] = {}
    domains: dict[str, list[str]] = {}
    for name, values in DEMO_VALUES.items():
        columns[name], domains[name] = list(victims[name]), list(values)
    labels = [f"{low} to {high - 1}" for low, high in itertools.pairwise(edges)] + [f"{edges[-1]} and over"]
    columns["age"] = [labels[np.searchsorted(edges, int(v), side="right") - 1] if v else "" for v in victims["age"]]
    domains["age"] = labels
    for name, items in DEMO_SETS.items():
        cells = [set(cell.split(";")) for cell in victims[name]]
        for item in items:
            columns[f"{name}: {item}"] = [item if item in cell else "" for cell in cells]
            domains[f"{name}: {item}"] = [item]
    about = f"17,000 x {len(columns)}, the invented victims of the demo, sets split into yes/blank columns"
    return BenchTable(name="demo", about=about, columns=columns, domains=domains)


TABLES: Mapping[str, Callable[[], BenchTable]] = {
    "vp": victims_and_perpetrators,
    "wide": wide_sparse,
    "many": many_valued,
    "demo": demo_victims,
}


def available() -> list[str]:
    """Names of the tables that can be made here; the shared ones need their files."""
    files = {"vp": SHARED / "vp_condensed.csv", "wide": SHARED / "wide_sparse.csv"}
    return [name for name in TABLES if name not in files or files[name].exists()]
