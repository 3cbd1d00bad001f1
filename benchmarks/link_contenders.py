"""Everyone who takes part in the benchmark of linked releases: a set and a promise in, what would be released out.

The clock of each runs around the work that its user would wait for, not around making the data or reading the result.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import pac_synth
from benchmarks.link_score import Cross, PublishedLinks, cross_counts, sizes_of
from benchmarks.link_tables import LinkedSet
from benchmarks.link_words import LinkedCodes, LinkedWords, coded, flattened, joined, true_words
from benchmarks.score import Columns, PublishedTable
from benchmarks.tables import BenchTable, read_csv
from benchmarks.worker import peak_megabytes
from caseveil.schema.domain import Clique, Domain, subsets

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LinkMade:
    """What a contender made and what it took; None where it makes no such thing.

    words: linked records, faults: of their keys. published: counts across the link with intervals. cross: link counts
    in every table of two attributes. flat: a table of one row per victim. flat_counts: counts published of it.
    """

    seconds: float
    peak_mb: float
    words: LinkedWords | None = None
    faults: int = 0
    published: PublishedLinks | None = None
    cross: Cross | None = None
    flat: Columns | None = None
    flat_counts: PublishedTable | None = None


LinkMake = Callable[[LinkedSet, float, float], LinkMade]
"""(set, epsilon, delta) -> LinkMade."""


@dataclass(frozen=True, kw_only=True)
class LinkContender:
    """One way to release linked tables, or a part of them. about says in a sentence what was chosen."""

    name: str
    about: str
    make: LinkMake


# --- Caseveil ---------------------------------------------------------------------------------------------------


def write_csv(path: Path, columns: Columns) -> None:
    """Columns of text as a comma-separated file."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def plan_of(data: LinkedSet, epsilon: float, delta: float, folder: Path) -> str:
    """release.toml for the set: all values declared, no ledger, the rest as a new plan has it."""
    from caseveil.plan import Plan, Promise, TablePlan
    from caseveil.release.about import About
    from caseveil.schema.unit import PrivacyUnit

    return Plan(
        about=About(name="benchmark", version="1"),
        promise=Promise(epsilon=epsilon, delta=delta),
        unit=PrivacyUnit(name="victim"),
        tables=(
            TablePlan(table=data.victims_table, source="victims.csv"),
            TablePlan(table=data.perpetrators_table, source="perpetrators.csv", link=data.link),
        ),
        flattened=data.flattened,
        folder=folder,
    ).to_toml()


def caseveil(data: LinkedSet, epsilon: float, delta: float) -> LinkMade:
    """`caseveil release` on two CSV files: the clock ends when the bundle is written."""
    import caseveil

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_csv(folder / "victims.csv", data.victims)
        write_csv(folder / "perpetrators.csv", data.perpetrators)
        (folder / "release.toml").write_text(plan_of(data, epsilon, delta, folder), encoding="utf-8")
        start = time.perf_counter()
        out = caseveil.run(folder / "release.toml").out
        seconds, peak = time.perf_counter() - start, peak_megabytes()
        return _read_bundle(out, data, seconds, peak)


def _read_bundle(out: Path, data: LinkedSet, seconds: float, peak: float) -> LinkMade:
    victims = read_csv(out / "data" / f"{data.victims_table.name}.csv")
    perpetrators = read_csv(out / "data" / f"{data.perpetrators_table.name}.csv")
    keys, named = victims.pop(data.key), perpetrators.pop(data.link.key)
    nobody = np.zeros(0, np.int64)
    words, faults = joined(keys, named, LinkedWords(victims=victims, perpetrators=perpetrators, victim_of=nobody))
    counts = read_csv(out / "counts" / "links.csv")
    return LinkMade(
        seconds=seconds,
        peak_mb=peak,
        words=words,
        faults=faults,
        published=PublishedLinks(
            combination=counts["combination"],
            of=counts["of"],
            lower=[float(cell) for cell in counts["lower"]],
            upper=[float(cell) for cell in counts["upper"]],
        ),
        flat=read_csv(out / "data" / "flattened.csv") if data.flattened else None,
    )


def dealt_at_random(words: LinkedWords, rng: np.random.Generator) -> LinkedWords:
    """The same victims, with as many perpetrators each, and the same perpetrators, who belongs to whom shuffled."""
    return LinkedWords(
        victims=words.victims, perpetrators=words.perpetrators, victim_of=rng.permutation(words.victim_of)
    )


# --- cap and count ----------------------------------------------------------------------------------------------


def cut_to_cap(codes: LinkedCodes, cap: int, rng: np.random.Generator) -> LinkedCodes:
    """At most `cap` links of every victim, drawn at random from hers."""
    order = np.lexsort((rng.random(len(codes.victim_of)), codes.victim_of))
    owner = codes.victim_of[order]
    start = np.searchsorted(owner, owner)
    kept = np.sort(order[np.arange(len(owner)) - start < cap])
    return LinkedCodes(victims=codes.victims, perpetrators=codes.perpetrators[kept], victim_of=codes.victim_of[kept])


def link_domain(data: LinkedSet) -> tuple[Domain, int]:
    """The table of links, a victim's attributes first; and how many of these there are."""
    left, right = data.victims_table.attributes(), data.perpetrators_table.attributes()
    names = [f"victim {a.name}" for a in left] + [f"perpetrator {a.name}" for a in right]
    return Domain(names=tuple(names), sizes=(*sizes_of(left), *sizes_of(right))), len(left)


def cross_pairs(domain: Domain, victims: int) -> list[Clique]:
    """Pairs of a victim's and a perpetrator's attribute, in the order of link_score.Cross."""
    return list(itertools.product(range(victims), range(victims, len(domain))))


def pair_weights(domain: Domain, victims: int, planned: str) -> Mapping[Clique, float]:
    """What the plan is made for.

    'all': every attribute and every pair, alike. 'cross': only pairs across the link, alike. 'cells': the same pairs,
    each by its number of cells, as the score weighs them.
    """
    if planned == "all":
        return dict.fromkeys([*domain.cliques(1), *domain.cliques(2)], 1.0)
    return {
        clique: float(domain.cells(clique)) if planned == "cells" else 1.0 for clique in cross_pairs(domain, victims)
    }


def residual_noise(variances: Mapping[Clique, float], domain: Domain, rng: np.random.Generator) -> dict[Clique, Floats]:
    """Gaussian noise on every residual: white noise of that variance in its cells, centred along every axis."""
    out = {}
    for clique, variance in variances.items():
        noise = rng.normal(0.0, np.sqrt(variance), domain.shape(clique))
        for axis in range(len(clique)):
            noise = noise - noise.mean(axis=axis, keepdims=True)
        out[clique] = np.asarray(noise, np.float64)
    return out


def noise_of(clique: Clique, residuals: Mapping[Clique, Floats], domain: Domain) -> Floats:
    """Noise of a marginal: that of the residuals of its subsets, each spread evenly over the other axes."""
    out = np.zeros(domain.shape(clique))
    for part in subsets(clique):
        shape = [domain.sizes[i] if i in part else 1 for i in clique]
        others = [domain.sizes[i] for i in clique if i not in part]
        out += residuals[part].reshape(shape) / np.prod(others, dtype=np.float64)
    return out


def cap_and_count(*, planned: str) -> LinkMake:
    """Links counted as rows: each victim kept to the cap, noise for a change of that many rows.

    The residual planner is the one that Caseveil itself uses, and so is the conversion of the promise; only the
    sensitivity differs. Noise from a plain generator: this is a yardstick, not a release.
    """

    def make(data: LinkedSet, epsilon: float, delta: float) -> LinkMade:
        from caseveil.measurement.residuals import optimal_variances
        from caseveil.privacy.loss import EpsilonDelta, mu_for

        rng = np.random.default_rng()
        codes = coded(true_words(data), data)
        start = time.perf_counter()
        domain, victims = link_domain(data)
        mu = mu_for(EpsilonDelta(epsilon=epsilon, delta=delta)) / data.link.at_most
        variances = optimal_variances(pair_weights(domain, victims, planned), domain, mu)
        residuals = residual_noise(variances, domain, rng)
        exact = cross_counts(cut_to_cap(codes, data.link.at_most, rng), data)
        cross = [
            np.maximum(np.rint(table + noise_of(clique, residuals, domain)), 0.0)
            for table, clique in zip(exact, cross_pairs(domain, victims), strict=True)
        ]
        return LinkMade(seconds=time.perf_counter() - start, peak_mb=peak_megabytes(), cross=cross)

    return make


# --- pac-synth on the flattened table ---------------------------------------------------------------------------


def flat_table(data: LinkedSet) -> BenchTable:
    """The true flattened table, each column with the values that occur in it."""
    columns = {name: list(cells) for name, cells in flattened(true_words(data), data).items()}
    domains = {name: sorted(set(cells) - {""}) for name, cells in columns.items()}
    return BenchTable(name=f"{data.name}, flattened", about=data.about, columns=columns, domains=domains)


def on_flattened(*, accuracy: str, fabrication: str, synthetic_counts: bool = False) -> LinkMake:
    """pac-synth on the true flattened table, which it cannot make itself."""

    def make(data: LinkedSet, epsilon: float, delta: float) -> LinkMade:
        table = flat_table(data)
        contend = pac_synth(accuracy=accuracy, fabrication=fabrication, synthetic_counts=synthetic_counts)
        start = time.perf_counter()
        made = contend(table, epsilon, delta)
        seconds = time.perf_counter() - start
        return LinkMade(seconds=seconds, peak_mb=peak_megabytes(), flat=made.records, flat_counts=made.counts)

    return make


# --- all of them ------------------------------------------------------------------------------------------------

CASEVEIL = "caseveil"
CAP_AND_COUNT = "cap-and-count"
PAC_SYNTH = "pac-synth"

LINK_CONTENDERS: tuple[LinkContender, ...] = (
    LinkContender(
        name=CASEVEIL, about="two CSV files and a plan, values declared, until the bundle is written", make=caseveil
    ),
    LinkContender(
        name=f"{CAP_AND_COUNT}/all pairs",
        about="every victim cut to the cap, links counted with the noise that this needs; planned for all single "
        "attributes and all pairs of the table of links; negative counts set to 0",
        make=cap_and_count(planned="all"),
    ),
    LinkContender(
        name=f"{CAP_AND_COUNT}/cross pairs",
        about="as all pairs, planned for nothing but pairs of a victim's and a perpetrator's attribute",
        make=cap_and_count(planned="cross"),
    ),
    LinkContender(
        name=f"{CAP_AND_COUNT}/cross cells",
        about="as all pairs, planned for the pairs across the link alone, each weighed by its number of cells, "
        "as the score weighs them",
        make=cap_and_count(planned="cells"),
    ),
    LinkContender(
        name=f"{PAC_SYNTH}/long/uncontrolled",
        about="on the true flattened table, its defaults: accuracy for long combinations, fabrication uncontrolled",
        make=on_flattened(accuracy="long", fabrication="uncontrolled"),
    ),
    LinkContender(
        name=f"{PAC_SYNTH}/long/uncontrolled/steered",
        about="on the true flattened table, as its defaults, sampling steered by the counts already synthesized",
        make=on_flattened(accuracy="long", fabrication="uncontrolled", synthetic_counts=True),
    ),
    LinkContender(
        name=f"{PAC_SYNTH}/even/balanced",
        about="on the true flattened table, budget even over lengths, fabrication balanced",
        make=on_flattened(accuracy="even", fabrication="balanced"),
    ),
    LinkContender(
        name=f"{PAC_SYNTH}/even/balanced/steered",
        about="on the true flattened table, as even/balanced, sampling steered",
        make=on_flattened(accuracy="even", fabrication="balanced", synthetic_counts=True),
    ),
)


def find(name: str, among: Sequence[LinkContender] = LINK_CONTENDERS) -> LinkContender:
    """The contender of that name."""
    for contender in among:
        if contender.name == name:
            return contender
    raise SystemExit(f"contender ({name}) must be one of: {', '.join(contender.name for contender in among)}")
