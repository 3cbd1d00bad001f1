"""Everyone who takes part, under one interface: a table and a promise in, records and published counts out.

Each function imports what it needs itself, so that a contender that is not installed fails alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.score import PublishedTable
from benchmarks.tables import BenchTable


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a contender made. counts is None where it publishes none."""

    records: Mapping[str, Sequence[str]]
    counts: PublishedTable | None = None


Make = Callable[[BenchTable, float, float], Made]
"""(table, epsilon, delta) -> Made."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to make a release. about says in a sentence what was chosen."""

    name: str
    about: str
    make: Make

    @property
    def family(self) -> str:
        """The part of the name before the first slash."""
        return self.name.split("/")[0]


# --- Caseveil ---------------------------------------------------------------------------------------------------


def caseveil(*, fabrication: str, declared: bool) -> Make:
    """Caseveil as its Python interface is called by a user with a data frame."""

    def make(table: BenchTable, epsilon: float, delta: float) -> Made:
        import pandas as pd

        import caseveil

        release = caseveil.synthesize(
            pd.DataFrame(table.columns),
            epsilon=epsilon,
            delta=delta,
            length=3,
            domains=dict(table.domains) if declared else None,
            fabrication=fabrication,
        )
        # A column where no value was frequent enough to be discovered is released empty.
        records = {
            name: release.records[name].tolist() if name in release.records else [""] * len(release.records)
            for name in table.columns
        }
        counts = release.counts
        published = PublishedTable(
            combination=counts["combination"].tolist(),
            count=counts["count"].astype(float).tolist(),
            lower=counts["lower"].astype(float).tolist(),
            upper=counts["upper"].astype(float).tolist(),
        )
        return Made(records=records, counts=published)

    return make


# --- pac-synth --------------------------------------------------------------------------------------------------

_ACCURACY = {"long": "prioritize_long_combinations", "even": "balanced"}


def pac_synth(*, accuracy: str, fabrication: str, synthetic_counts: bool = False, sized: bool = False) -> Make:
    """pac-synth's differentially private aggregate-seeded synthesizer.

    It reads ';' and '0' as something else, so it is fed tokens: column i is 'c<i>', its j-th value 'v<j>', and what it
    makes is mapped back. sized asks it for its own noisy number of records; otherwise it uses all counts it has.
    """

    def make(table: BenchTable, epsilon: float, delta: float) -> Made:
        import pacsynth
        import pandas as pd

        values = {name: sorted(set(cells) - {""}) for name, cells in table.columns.items()}
        token = {name: {"": ""} | {v: f"v{j}" for j, v in enumerate(found)} for name, found in values.items()}
        short = {name: f"c{i}" for i, name in enumerate(table.columns)}
        back = {short[name]: name for name in table.columns}
        meaning = {name: {t: v for v, t in tokens.items()} for name, tokens in token.items()}
        frame = pd.DataFrame({short[n]: [token[n][c] for c in cells] for n, cells in table.columns.items()})

        parameters = (
            pacsynth.DpAggregateSeededParametersBuilder()
            .reporting_length(3)
            .epsilon(epsilon)
            .delta(delta)
            .accuracy_mode(getattr(pacsynth.AccuracyMode, _ACCURACY[accuracy])())
            .fabrication_mode(getattr(pacsynth.FabricationMode, fabrication)())
            .use_synthetic_counts(synthetic_counts)
            .build()
        )
        synthesizer = pacsynth.DpAggregateSeededSynthesizer(parameters)
        synthesizer.fit(pacsynth.Dataset.from_data_frame(frame))
        header, *rows = synthesizer.sample(synthesizer.get_dp_number_of_records() if sized else None)
        cells = {back[name]: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)}
        records = {
            name: [meaning[name][cell] for cell in cells[name]] if name in cells else [""] * len(rows)
            for name in table.columns
        }
        aggregates: dict[str, int] = synthesizer.get_dp_aggregates(";")
        combinations = []
        for key in aggregates:
            pairs = (part.split(":") for part in key.split(";"))
            named = {back[column]: meaning[back[column]][value] for column, value in pairs}
            combinations.append(json.dumps(named, sort_keys=True, ensure_ascii=False))
        return Made(
            records=records,
            counts=PublishedTable(combination=combinations, count=[float(c) for c in aggregates.values()]),
        )

    return make


# --- independent columns ----------------------------------------------------------------------------------------


def _apportion(weights: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Whole numbers that add up to total, in proportion to weights (largest remainders)."""
    share = weights / weights.sum() * total
    out = np.floor(share).astype(np.int64)
    out[np.argsort(out - share, kind="stable")[: total - int(out.sum())]] += 1
    return np.asarray(out)


def _onto_simplex(values: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """The nearest non-negative vector that adds up to total."""
    descending = np.sort(values)[::-1]
    excess = (np.cumsum(descending) - total) / np.arange(1, len(values) + 1)
    last = int(np.flatnonzero(descending > excess)[-1])
    return np.asarray(np.maximum(values - excess[last], 0.0))


def independent(table: BenchTable, epsilon: float, delta: float) -> Made:
    """Columns drawn independently from noisy one-way counts: what a release is worth that knows no combination.

    One histogram per column, missing included, each with the same Gaussian noise: a person adds 1 to one cell of
    each of d histograms, so sigma = sqrt(d) / mu with mu from the tight Gaussian conversion (Balle, Wang 2018).
    The number of records is the precision-weighted mean of the noisy totals. Noise from a plain generator: this is
    a yardstick, not a release.
    """
    from caseveil.privacy.loss import EpsilonDelta, mu_for

    rng = np.random.default_rng()
    sigma = math.sqrt(len(table.columns)) / mu_for(EpsilonDelta(epsilon=epsilon, delta=delta))
    labels = {name: ["", *table.domains[name]] for name in table.columns}
    noisy: dict[str, NDArray[np.float64]] = {}
    for name, cells in table.columns.items():
        code = {label: position for position, label in enumerate(labels[name])}
        true = np.bincount([code[cell] for cell in cells], minlength=len(code))
        noisy[name] = true + rng.normal(0.0, sigma, len(code))
    precision = np.array([1.0 / len(counts) for counts in noisy.values()])
    totals = np.array([counts.sum() for counts in noisy.values()])
    total = max(1, round(float((precision * totals).sum() / precision.sum())))
    records = {}
    for name, counts in noisy.items():
        filled = np.repeat(np.arange(len(counts)), _apportion(_onto_simplex(counts, total), total))
        records[name] = [labels[name][code] for code in rng.permutation(filled)]
    return Made(records=records)


# --- all of them ------------------------------------------------------------------------------------------------

CONTENDERS: tuple[Contender, ...] = (
    *(
        Contender(
            name=f"caseveil/{fabrication}/{'declared' if declared else 'discovered'}",
            about=f"fabrication {fabrication}, values {'declared' if declared else 'discovered privately'}",
            make=caseveil(fabrication=fabrication, declared=declared),
        )
        for fabrication in ("open", "balanced")
        for declared in (True, False)
    ),
    Contender(
        name="pac-synth/long/uncontrolled",
        about="its defaults: accuracy for long combinations, fabrication uncontrolled",
        make=pac_synth(accuracy="long", fabrication="uncontrolled"),
    ),
    Contender(
        name="pac-synth/long/uncontrolled/steered",
        about="as its defaults, sampling steered by the counts already synthesized",
        make=pac_synth(accuracy="long", fabrication="uncontrolled", synthetic_counts=True),
    ),
    Contender(
        name="pac-synth/long/balanced/steered",
        about="accuracy for long combinations, fabrication balanced, sampling steered",
        make=pac_synth(accuracy="long", fabrication="balanced", synthetic_counts=True),
    ),
    Contender(
        name="pac-synth/even/balanced",
        about="budget even over lengths, fabrication balanced, as many records as its counts fill",
        make=pac_synth(accuracy="even", fabrication="balanced"),
    ),
    Contender(
        name="pac-synth/even/balanced/sized",
        about="as even/balanced, asked for its own noisy number of records",
        make=pac_synth(accuracy="even", fabrication="balanced", sized=True),
    ),
    Contender(
        name="pac-synth/even/minimize",
        about="budget even over lengths, fabrication minimized",
        make=pac_synth(accuracy="even", fabrication="minimize"),
    ),
    Contender(
        name="pac-synth/even/balanced/steered",
        about="as even/balanced, sampling steered",
        make=pac_synth(accuracy="even", fabrication="balanced", synthetic_counts=True),
    ),
    Contender(name="independent", about="noisy one-way counts, columns drawn independently", make=independent),
)


def find(name: str) -> Contender:
    """The contender of that name."""
    for contender in CONTENDERS:
        if contender.name == name:
            return contender
    known = ", ".join(contender.name for contender in CONTENDERS)
    raise SystemExit(f"contender ({name}) must be one of: {known}")
