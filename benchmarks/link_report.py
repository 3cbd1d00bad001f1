"""The part of the page of benchmarks that is about linked tables. Numbers are means over the repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.averages import Run, conditions, mean, number, seconds_of
from benchmarks.link_contenders import CAP_AND_COUNT, CASEVEIL, PAC_SYNTH

FIGURE_NAME = "benchmarks-links.svg"
DEALT = f"{CASEVEIL}, dealt at random"

Place = tuple[str, float]
"""A set and an epsilon."""
Runs = Mapping[Place, Mapping[str, Sequence[Run]]]
"""The runs of every contender at every place that are done."""

_HEAD = """\
## Linked tables

Made by `make bench-links`. Victims and perpetrators are invented; delta is 1e-6, at most {cap} perpetrators of a victim
count, and every method knows the values that a column may take, pac-synth excepted, which finds them itself. Less is
better, except where it says otherwise.

- **error**: mean absolute error of the number of links with a value of the victim and a value of the perpetrator, over
  the combinations that occur in truth or release; then over all that the declared values have; then as the first, but
  against the truth after the cap. **bias**: by how much their sum is off.
- **made up**: percentage of the released links of these combinations that lie where there is truly none.
- **number**: total variation distance of the number of perpetrators, in percent.
- **concordance**: by how many points the chance is off that two perpetrators of one victim share a value; the worst
  attribute, then the mean of all.
- **keys**: perpetrators without a victim, keys that stand twice, and victims above the cap, counted.
- **coverage**: percentage of the 95% intervals of counts across the link that hold the truth (more is better).
- **time**: seconds, and as a multiple of Caseveil's. Caseveil's run from two CSV files to the written bundle.

*{dealt}* is Caseveil's release with its perpetrators shuffled among its victims: what knowing nothing of
the link is worth. *{cap_and_count}* keeps at most {cap} links of a victim and counts links with noise for {cap} changed
rows, under the same promise, the same conversion and the same residual planner; it makes no records. It comes in three
plans, and the targets compare with the best of them. pac-synth cannot link; it gets the true *flattened* table, in
which the perpetrators of a victim are merged into sets, and Caseveil's flattened file is scored beside it. The target
is held against the table that pac-synth makes of it; what it counts beside that table is nearer to the truth, and no
target was set against it.
"""

_LINKED = (
    ("error, either / all / after the cap", ("cross_mae", "cross_mae_all", "cross_mae_capped")),
    ("bias, %", ("cross_bias_pct",)),
    ("made up, %", ("made_up_pct",)),
    ("number, %", ("number_tv_pct",)),
    ("concordance, worst / mean", ("concordance_worst", "concordance_mean")),
    ("keys", ("key_faults", "above_cap")),
    ("coverage, %", ("coverage_pct",)),
)
_FLAT = (
    ("records, error at 1 / 2 / 3", ("flat_mae_1", "flat_mae_2", "flat_mae_3")),
    ("lost 3", ("flat_supp_pct_3",)),
    ("made up 3", ("flat_fab_pct_3", "flat_fabw_pct_3")),
    ("counts, error at 1 / 2 / 3", ("flat_counts_mae_1", "flat_counts_mae_2", "flat_counts_mae_3")),
)


def runs_by_place(results: Sequence[dict[str, Any]]) -> dict[Place, dict[str, list[Run]]]:
    """The finished runs of the newest file that has any of a contender at a place; those dealt at random beside."""
    out: dict[Place, dict[str, list[Run]]] = {}
    for result in results:
        fresh: dict[Place, dict[str, list[Run]]] = {}
        for run in result["runs"]:
            if run["status"] == "done":
                here = fresh.setdefault((run["set"], run["epsilon"]), {})
                here.setdefault(run["contender"], []).append(run)
                if "dealt" in run:
                    here.setdefault(DEALT, []).append(run | {"scores": run["dealt"]})
        for place, found in fresh.items():
            out.setdefault(place, {}).update(found)
    return out


def best(here: Mapping[str, Sequence[Run]], family: str, score: str) -> float | None:
    """The least mean of a score among the contenders of a family that have it."""
    means = [mean(runs).get(score) for name, runs in here.items() if name.split("/")[0] == family]
    return min((value for value in means if value is not None), default=None)


# --- targets ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Target:
    """What was asked for of the demo at epsilon 1: at most `limit`, in `unit`; and what was measured, if it was.

    limit None: nothing was asked for; what was measured stands beside.
    """

    what: str
    limit: float | None
    unit: str
    measured: float | None

    @property
    def row(self) -> str:
        """A row of the table of targets."""
        limit = "" if self.limit is None else f"{number(self.limit)}{self.unit}"
        if self.measured is None:
            return f"| {self.what} | {limit} | not measured | |"
        met = "" if self.limit is None else "yes" if self.measured <= self.limit else "**no**"
        return f"| {self.what} | {limit} | {number(self.measured)}{self.unit} | {met} |"


def targets(here: Mapping[str, Sequence[Run]]) -> list[Target]:
    """The targets of linked releases against the runs of one place."""
    ours = mean(here[CASEVEIL]) if CASEVEIL in here else {}
    counted = best(here, CAP_AND_COUNT, "cross_mae")
    every = here.get(f"{CAP_AND_COUNT}/all pairs")
    all_pairs = mean(every)["cross_mae"] if every else None
    rows_2, rows_3 = (best(here, PAC_SYNTH, f"flat_mae_{k}") for k in (2, 3))
    counts_2, counts_3 = (best(here, PAC_SYNTH, f"flat_counts_mae_{k}") for k in (2, 3))

    def share(score: str, other: float | None) -> float | None:
        return ours[score] / other if score in ours and other else None

    faults = [ours[key] for key in ("key_faults", "above_cap") if key in ours]
    return [
        Target(what="number of perpetrators", limit=1.0, unit="%", measured=ours.get("number_tv_pct")),
        Target(what="error of pair counts", limit=90.0, unit=" links", measured=ours.get("cross_mae")),
        Target(
            what="the same, of capping and counting all pairs",
            limit=0.5,
            unit=" of it",
            measured=share("cross_mae", all_pairs),
        ),
        Target(
            what="the same, of the best that counting pairs across the link alone can do",
            limit=0.5,
            unit=" of it",
            measured=share("cross_mae", counted),
        ),
        Target(
            what="flattened, pairs of values, of pac-synth's best records",
            limit=1 / 3,
            unit=" of it",
            measured=share("flat_mae_2", rows_2),
        ),
        Target(
            what="flattened, three values, of pac-synth's best records",
            limit=1 / 3,
            unit=" of it",
            measured=share("flat_mae_3", rows_3),
        ),
        Target(
            what="flattened, pairs of values, of pac-synth's published counts",
            limit=None,
            unit=" of it",
            measured=share("flat_mae_2", counts_2),
        ),
        Target(
            what="flattened, three values, of pac-synth's published counts",
            limit=None,
            unit=" of it",
            measured=share("flat_mae_3", counts_3),
        ),
        Target(what="concordance, worst attribute", limit=3.0, unit=" points", measured=ours.get("concordance_worst")),
        Target(what="made-up pairs by weight", limit=2.0, unit="%", measured=ours.get("made_up_pct")),
        Target(what="faults of keys", limit=0.0, unit="", measured=max(faults) if faults else None),
        Target(
            what="time on 2 cores",
            limit=30.0,
            unit=" s",
            measured=seconds_of(here[CASEVEIL]) if CASEVEIL in here else None,
        ),
    ]


# --- tables -----------------------------------------------------------------------------------------------------


def _cells(scores: Mapping[str, float], keys: Sequence[str]) -> str:
    if not any(key in scores for key in keys):
        return "–"  # noqa: RUF001
    if keys == ("key_faults", "above_cap"):
        return f"{sum(scores.get(key, 0.0) for key in keys):.0f}"
    return " / ".join(number(scores[key]) if key in scores else "–" for key in keys)  # noqa: RUF001


def _table(here: Mapping[str, Sequence[Run]], columns: Sequence[tuple[str, tuple[str, ...]]]) -> list[str]:
    """Markdown of those contenders that have a score of these columns; none where nobody has."""
    ours = seconds_of(here[CASEVEIL]) if CASEVEIL in here else None
    rows = []
    for name in sorted(here, key=lambda name: (not name.startswith(CASEVEIL), name)):
        scores = mean(here[name])
        if not any(key in scores for _, keys in columns for key in keys):
            continue
        seconds = seconds_of(here[name])
        ratio = f" ({seconds / ours:.2g}x)" if ours else ""
        time = "" if name == DEALT else f"{number(seconds)} s{ratio}"
        memory = "" if name == DEALT else f"{max(run['peak_mb'] for run in here[name]):.0f} MB"
        runs = f" ({len(here[name])} runs)" if len(here[name]) > 1 else ""
        rows.append([name + runs, *(_cells(scores, keys) for _, keys in columns), time, memory])
    titles = ["method", *(title for title, _ in columns), "time", "memory"]
    if not rows:
        return []
    return ["| " + " | ".join(row) + " |" for row in (titles, ["---"] * len(titles), *rows)] + [""]


def section(results: Sequence[dict[str, Any]]) -> list[str]:
    """Lines of the section from result files, oldest first; none without results."""
    places = runs_by_place(results)
    if not places:
        return []
    sets: dict[str, dict[str, Any]] = {}
    contenders: dict[str, str] = {}
    for result in results:
        sets |= result["sets"]
        contenders |= result["contenders"]
    cap = next(iter(sets.values()))["at_most"]
    lines = ["", _HEAD.format(cap=cap, dealt=DEALT, cap_and_count=CAP_AND_COUNT)]
    if ("demo", 1.0) in places:
        lines += [
            "Targets for the demo at epsilon 1:",
            "",
            "| target | at most | measured | met |",
            "|---|---|---|---|",
        ]
        lines += [*(target.row for target in targets(places["demo", 1.0])), ""]
    lines += [f"![Error of link counts by method, set and epsilon]({FIGURE_NAME})", ""]
    for name, epsilon in sorted(places, key=lambda place: (list(sets).index(place[0]), place[1])):
        about = sets[name]
        lines += [f"### {name}, epsilon {epsilon:g}", "", f"{about['about']}.{_lost(about)}", ""]
        lines += _table(places[name, epsilon], _LINKED)
        lines += _flat_lines(places[name, epsilon])
    lines += ["### Methods for linked tables", ""]
    lines += [*(f"- **{name}**: {what}" for name, what in sorted(contenders.items())), ""]
    lines += ["### Conditions for linked tables", "", *(conditions(result) for result in results)]
    return lines


def _lost(about: Mapping[str, Any]) -> str:
    if not about["victims_above_pct"]:
        return ""
    return (
        f" The cap of {about['at_most']} alone loses {number(about['links_lost_pct'])}% of the links, of "
        f"{number(about['victims_above_pct'])}% of the victims, which is an error of {number(about['cross_mae'])} "
        f"without any noise."
    )


def _flat_lines(here: Mapping[str, Sequence[Run]]) -> list[str]:
    table = _table(here, _FLAT)
    return ["The flattened table, of one row per victim:", "", *table] if table else []
