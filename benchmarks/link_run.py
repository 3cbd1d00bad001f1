"""Runs the benchmark of linked releases: `python -m benchmarks.link_run`. One process each, one at a time.

Results go to benchmarks/results/links/<date>-<name>.json with the machine, the versions and the conditions; then
`python -m benchmarks.report` renders them.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import json
import os
import subprocess
import sys

from benchmarks.link_contenders import LINK_CONTENDERS, PAC_SYNTH
from benchmarks.link_score import truncation
from benchmarks.link_tables import SETS
from benchmarks.link_words import coded, true_words
from benchmarks.link_worker import DELTA
from benchmarks.run import RESULTS, ROOT, machine, versions

LINK_RESULTS = RESULTS / "links"


def one(set_name: str, contender: str, epsilon: float, time_limit: float) -> dict[str, object]:
    """Run and score one contender in its own process."""
    out: dict[str, object] = {
        "set": set_name,
        "contender": contender,
        "epsilon": epsilon,
        "load_before": round(os.getloadavg()[0], 2),
    }
    command = [sys.executable, "-m", "benchmarks.link_worker", set_name, contender, str(epsilon)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=time_limit, check=False)
    except subprocess.TimeoutExpired:
        return out | {"status": "time limit", "time_limit": time_limit}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return out | {"status": "failed", "message": last[0][:300]}
    return out | {"status": "done", **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    """Parse the options, run, write after every run so that nothing is lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.link_run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", default=",".join(SETS), help="names, comma-separated (default: all)")
    parser.add_argument("--contenders", default="*", help="names or patterns, comma-separated (default: all)")
    parser.add_argument("--epsilons", default="0.25,1,4", help="comma-separated (default: 0.25,1,4)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--slow-repeats", type=int, default=1, help="runs of each pac-synth (default: 1)")
    parser.add_argument("--time-limit", type=float, default=900, help="seconds for one run (default: 900)")
    parser.add_argument("--name", default="all", help="name of the result file (default: all)")
    parser.add_argument("--conditions", default="nothing else was running", help="what else the machine was doing")
    options = parser.parse_args()

    patterns = options.contenders.split(",")
    chosen = [c for c in LINK_CONTENDERS if any(fnmatch.fnmatchcase(c.name, pattern) for pattern in patterns)]
    names = [name for name in options.sets.split(",") if name in SETS]
    if not chosen or not names:
        known = ", ".join(contender.name for contender in LINK_CONTENDERS)
        raise SystemExit(f"nothing to run. Sets: {', '.join(SETS)}. Contenders: {known}")
    today = datetime.date.today().isoformat()
    path = LINK_RESULTS / f"{today}-{options.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    about: dict[str, object] = {}
    for name in names:
        data = SETS[name]()
        lost = truncation(coded(true_words(data), data), data)
        about[name] = {"about": data.about, "at_most": data.link.at_most} | {k: round(v, 4) for k, v in lost.items()}
    result: dict[str, object] = {
        "date": today,
        "name": options.name,
        "machine": machine(),
        "versions": versions(),
        "conditions": options.conditions,
        "delta": DELTA,
        "contenders": {c.name: c.about for c in chosen},
        "sets": about,
    }
    runs: list[dict[str, object]] = []
    for name in names:
        for epsilon in (float(text) for text in options.epsilons.split(",")):
            for contender in chosen:
                slow = contender.name.startswith(PAC_SYNTH)
                for repeat in range(options.slow_repeats if slow else options.repeats):
                    run = one(name, contender.name, epsilon, options.time_limit)
                    runs.append(run | {"repeat": repeat})
                    text = json.dumps(result | {"runs": runs}, indent=1, ensure_ascii=False)
                    path.write_text(text + "\n", encoding="utf-8")
                    told = f"{run['seconds']:.1f} s" if run["status"] == "done" else f"{run['status']}"
                    print(f"{name:7s} eps {epsilon:<5g} {contender.name:40s} {told}", file=sys.stderr, flush=True)
                    if run["status"] != "done":
                        break  # the other repeats would end the same way
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
