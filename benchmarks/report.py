"""Renders results as the page docs/benchmarks.md: `python -m benchmarks.report [RESULTS.json ...]`.

Without files, all of benchmarks/results is taken; of runs of one contender on one table at one epsilon, those of the
newest file count. Numbers are means over the repeats.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.averages import Run, conditions, mean, number, seconds_of
from benchmarks.link_figure import draw
from benchmarks.link_report import FIGURE_NAME, runs_by_place, section
from benchmarks.run import RESULTS, ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
FIGURE = PAGE.with_name(FIGURE_NAME)
YARDSTICK = "caseveil/balanced/declared"

Place = tuple[str, float]
"""A table and an epsilon."""

_HEAD = """\
# Benchmarks

Made by `make bench`, which runs every method on every table in a process of its own, and rendered by
`python -m benchmarks.report`; the raw numbers lie in `benchmarks/results`. Less is better in every column, except
where it says otherwise.

- **records, error at 1 to 4**: mean absolute error of the counts of combinations of that many values, over all
  combinations that occur in the table or in the release, in people.
- **lost 3**: of the combinations of three values that ten people or more have, the percentage that is never released.
- **made up 3**: percentage of the released combinations of three values that nobody has; then the same in people.
- **rows**: records released, against the table. **fill**: distance, in percent, between how many cells are filled.
- **counts, error at 1 to 3**, **made up 3**: the same for the published counts. **coverage 3**: percentage of the
  95% intervals that hold the truth (more is better, 95 is promised).
- **time**: seconds on the machine named below, and as a multiple of Caseveil's balanced release. **memory**: peak of
  the whole process, in megabytes.

How to read it fairly: every method gets the same epsilon and delta = 1 / (n ln n). Caseveil "declared" and
"independent" are told which values each column may take, as a codebook would tell; pac-synth and Caseveil "discovered"
find the values themselves, at a cost. pac-synth reads ";" and "0" in its own way and is therefore fed neutral tokens.
Its promise rests on a looser composition of the same kind of noise. Scores are against the table itself and would
never be published for sensitive data.
"""

_COLUMNS = (
    ("records, error at 1 / 2 / 3 / 4", ("mae_1", "mae_2", "mae_3", "mae_4")),
    ("lost 3", ("supp_pct_3",)),
    ("made up 3", ("fab_pct_3", "fabw_pct_3")),
    ("rows", ("rows_syn",)),
    ("fill", ("filled_tvd_pct",)),
    ("counts, error at 1 / 2 / 3", ("counts_mae_1", "counts_mae_2", "counts_mae_3")),
    ("made up 3", ("counts_fab_pct_3",)),
    ("coverage 3", ("coverage_pct_3",)),
)


def _cell(scores: dict[str, float], keys: Sequence[str]) -> str:
    if keys[0] == "rows_syn":
        return f"{100 * (scores['rows_syn'] / scores['rows'] - 1):+.1f}%"
    return " / ".join(number(scores[key]) if key in scores else "–" for key in keys)  # noqa: RUF001


def table(by_contender: dict[str, list[Run]]) -> list[str]:
    """The Markdown table of one table at one epsilon."""
    done = {name: [r for r in runs if r["status"] == "done"] for name, runs in by_contender.items()}
    yardstick = seconds_of(done[YARDSTICK]) if done.get(YARDSTICK) else None
    titles = ["method", *(title for title, _ in _COLUMNS), "time", "memory"]
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    for name, runs in by_contender.items():
        if not done[name]:
            cells = [f"{runs[-1]['status']}", *([""] * (len(titles) - 2))]
        else:
            scores, seconds = mean(done[name]), seconds_of(done[name])
            ratio = f" ({seconds / yardstick:.1f}x)" if yardstick else ""
            memory = max(run["peak_mb"] for run in done[name])
            cells = [*(_cell(scores, keys) for _, keys in _COLUMNS), f"{number(seconds)} s{ratio}", f"{memory:.0f} MB"]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def read_results(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Result files of contenders, oldest first; others, such as those of yearly releases, have pages of their own."""
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    return sorted((result for result in results if "date" in result), key=lambda result: str(result["date"]))


def page(everything: Sequence[dict[str, Any]]) -> str:
    """The whole page from results, oldest first: those of single tables, then those of linked ones (with "sets")."""
    results = [result for result in everything if "sets" not in result]
    places: dict[Place, dict[str, list[Run]]] = defaultdict(dict)
    source: dict[tuple[Place, str], int] = {}
    about: dict[str, str] = {}
    contenders: dict[str, str] = {}
    for position, result in enumerate(results):
        about |= result["tables"]
        contenders |= result["contenders"]
        fresh: dict[tuple[Place, str], list[Run]] = defaultdict(list)
        for run in result["runs"]:
            fresh[(run["table"], run["epsilon"]), run["contender"]].append(run)
        for (place, name), runs in fresh.items():
            places[place][name] = runs
            source[place, name] = position
    lines = [_HEAD]
    for name, epsilon in sorted(places, key=lambda place: (list(about).index(place[0]), place[1])):
        by_contender = places[name, epsilon]
        ordered = {c: by_contender[c] for c in sorted(by_contender, key=lambda c: (not c.startswith("caseveil"), c))}
        repeats = max(len(runs) for runs in ordered.values())
        times = "One run" if repeats == 1 else f"Up to {repeats} runs"
        lines += [f"## {name}, epsilon {epsilon:g}", "", f"{about[name]}. {times} each.", ""]
        lines += [*table(ordered), ""]
    lines += ["## Methods", "", *(f"- **{name}**: {what}" for name, what in sorted(contenders.items())), ""]
    lines += ["## Conditions", ""]
    for position in sorted(set(source.values())):
        result = results[position]
        lines.append(conditions(result))
    linked = section([result for result in everything if "sets" in result])
    return "\n".join([*lines, *linked]) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Write the page from the files named, or from all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", nargs="*", type=Path, help="result files (default: all of benchmarks/results)")
    paths = parser.parse_args(arguments).results or list(RESULTS.rglob("*.json"))
    if not paths:
        raise SystemExit(f"no results in {RESULTS.name}; run `python -m benchmarks.run` first")
    results = read_results(paths)
    PAGE.write_text(page(results), encoding="utf-8")
    linked = [result for result in results if "sets" in result]
    if linked:
        FIGURE.write_text(draw(runs_by_place(linked)), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
