"""Three yearly releases of the invented cases, made in four ways: `python -m benchmarks.yearly [FOLDER]`.

What each way has cost whoever lost most, and how far its counts of pairs lie from the truth, goes to
results/yearly/demo.json; tools/make_yearly_figures.py draws it. About ten minutes on one core.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from caseveil import evaluate, produce
from caseveil.demo import write_demo
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta, GaussianDP, mu_for
from caseveil.release.bundle import read_bundle
from caseveil.synthesis.observed import cell_variance

YEARS = (2022, 2023, 2024)
EPSILON, DELTA = 1.0, 1e-6
EVERYONE = 0.3
WAYS = ("anew", "sums", "everyone", "anew_same_total")
RESULTS = Path(__file__).resolve().parent / "results" / "yearly" / "demo.json"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One release of one way. epsilon: what this release and those before it cost whoever lost most, at DELTA.

    error: mean distance of the published counts of pairs of victims' values from the truth, in people; width: mean
    width of their 95% intervals; noise: standard deviation of the counts of pairs as measured, root mean square.
    """

    way: str
    year: int
    epsilon: float
    error: float
    width: float
    noise: float


def thirds(epsilon: float) -> float:
    """The epsilon of each of three releases about the same people that cost this much together, at DELTA."""
    mu = mu_for(EpsilonDelta(epsilon=epsilon, delta=DELTA)) / len(YEARS) ** 0.5
    return float(f"{GaussianDP(mu=mu).epsilon(DELTA):.6f}")


def plan_text(drafted: str, way: str, year: int) -> str:
    """The plan of the demo, made into one of a series."""
    first = year == YEARS[0]
    shared = way in ("sums", "everyone")
    epsilon = thirds(EPSILON) if way == "anew_same_total" else EPSILON
    lines = ["[update]", 'joined = "year_of_registration"', f"until = {year}"]
    if shared and not first:
        lines += [f"after = {year - 1}", f'previous = "{way}-{year - 1}"']
        lines += [f"everyone = {EVERYONE}"] if way == "everyone" else []
    changes = {
        'version = "1"': f'version = "{year}"',
        "epsilon = 1.0 ": f"epsilon = {epsilon} ",
        'delta = "auto"': f"delta = {DELTA}",
        'ledger = "ledger.caseveil"': f'ledger = "{way}.caseveil"',
        "[aggregates]": "\n".join([*lines, "", "[aggregates]"]),
    }
    for old, new in changes.items():
        if drafted.count(old) != 1:
            raise ValueError(f"the plan of the demo has no single {old!r}")
        drafted = drafted.replace(old, new)
    return drafted


def measure(folder: Path, way: str, year: int) -> Point:
    """Make one release and hold it against the truth."""
    out = folder / f"{way}-{year}"
    plan_file = folder / f"{way}-{year}.toml"
    plan_file.write_text(plan_text((folder / "release.toml").read_text("utf-8"), way, year), encoding="utf-8")
    plan = Plan.read(plan_file)
    produce.run(plan, out=out)
    found = evaluate.run(out, plan).evaluation.tables[0]
    contents = read_bundle(out)
    assert contents.carried is not None
    assert plan.ledger_path is not None
    people = next(iter(contents.tables.values()))
    pairs = [i for i, length in enumerate(people.counts.length) if length == 2]
    each = contents.carried.views["each"]
    cliques = [clique for clique in each.domain.cliques(2) if each.measured(clique)]
    return Point(
        way=way,
        year=year,
        epsilon=Ledger.read(plan.ledger_path).total().epsilon(DELTA),
        error=next(counts.mean_error_published for counts in found.counts if counts.length == 2),
        width=float(np.mean([int(people.counts.upper[i]) - int(people.counts.lower[i]) for i in pairs])),
        noise=float(np.mean([cell_variance(each.variance, c, each.domain) for c in cliques]) ** 0.5),
    )


def main(folder: Path) -> None:
    """All releases, year by year, results written as they come."""
    write_demo(folder)
    points: list[Point] = []
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for year in YEARS:
        for way in WAYS:
            points.append(measure(folder, way, year))
            print(points[-1], flush=True)
            document = {
                "epsilon": EPSILON,
                "delta": DELTA,
                "everyone": EVERYONE,
                "epsilon_of_a_third": thirds(EPSILON),
                "points": [asdict(point) for point in points],
            }
            RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
