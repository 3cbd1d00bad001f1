"""Runs the benchmark: `python -m benchmarks.run`. Every contender on every table, one at a time, one process each.

Results go to benchmarks/results/<date>-<name>.json with the machine, the versions and the conditions; then
`python -m benchmarks.report` renders them.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.score import PublishedTable, score_counts, score_records
from benchmarks.tables import TABLES, BenchTable, available, read_csv
from benchmarks.worker import delta_for

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict[str, object]:
    """Processor, cores, memory and system of this machine."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory, 1), "system": system}


def versions() -> dict[str, str]:
    """Python and the packages that matter."""
    out = {"python": platform.python_version()}
    for package in ("caseveil", "numpy", "pandas", "pac-synth"):
        try:
            out[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            out[package] = "not installed"
    return out


def one(table: BenchTable, contender: str, epsilon: float, time_limit: float) -> dict[str, object]:
    """Run one contender in its own process and score what it made."""
    out: dict[str, object] = {
        "table": table.name,
        "contender": contender,
        "epsilon": epsilon,
        "delta": delta_for(table.n),
        "load_before": round(os.getloadavg()[0], 2),
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = [sys.executable, "-m", "benchmarks.worker", table.name, contender, str(epsilon), place]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=time_limit, check=False)
        except subprocess.TimeoutExpired:
            return out | {"status": "time limit", "time_limit": time_limit}
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            return out | {"status": "failed", "message": last[0][:300]}
        out |= {"status": "done", **json.loads((folder / "facts.json").read_text(encoding="utf-8"))}
        scores = score_records(table.columns, read_csv(folder / "records.csv"))
        if (folder / "counts.json").exists():
            counts = PublishedTable(**json.loads((folder / "counts.json").read_text(encoding="utf-8")))
            scores |= score_counts(table.columns, counts)
        return out | {"scores": {key: round(value, 4) for key, value in scores.items()}}


def main() -> None:
    """Parse the options, run, write after every run so that nothing is lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES), help="names, comma-separated (default: all there are)")
    parser.add_argument("--contenders", default="*", help="names or patterns, comma-separated (default: all)")
    parser.add_argument("--epsilons", default="1,4", help="comma-separated (default: 1,4)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--time-limit", type=float, default=900, help="seconds for one run (default: 900)")
    parser.add_argument("--name", default="all", help="name of the result file (default: all)")
    parser.add_argument("--conditions", default="nothing else was running", help="what else the machine was doing")
    options = parser.parse_args()

    patterns = options.contenders.split(",")
    chosen = [c for c in CONTENDERS if any(fnmatch.fnmatchcase(c.name, pattern) for pattern in patterns)]
    tables = [name for name in options.tables.split(",") if name in available()]
    if not chosen or not tables:
        known = ", ".join(contender.name for contender in CONTENDERS)
        raise SystemExit(f"nothing to run. Tables here: {', '.join(available())}. Contenders: {known}")
    today = datetime.date.today().isoformat()
    path = RESULTS / f"{today}-{options.name}.json"
    result: dict[str, object] = {
        "date": today,
        "name": options.name,
        "machine": machine(),
        "versions": versions(),
        "conditions": options.conditions,
        "contenders": {c.name: c.about for c in chosen},
    }
    runs: list[dict[str, object]] = []
    about: dict[str, str] = {}
    for name in tables:
        table = TABLES[name]()
        about[name] = table.about
        for epsilon in (float(text) for text in options.epsilons.split(",")):
            for contender in chosen:
                for repeat in range(options.repeats):
                    run = one(table, contender.name, epsilon, options.time_limit)
                    runs.append(run | {"repeat": repeat})
                    RESULTS.mkdir(exist_ok=True)
                    text = json.dumps(result | {"tables": about, "runs": runs}, indent=1, ensure_ascii=False)
                    path.write_text(text + "\n", encoding="utf-8")
                    told = f"{run['seconds']:.1f} s" if run["status"] == "done" else str(run["status"])
                    print(f"{name:5s} eps {epsilon:<4g} {contender.name:40s} {told}", file=sys.stderr, flush=True)
                    if run["status"] != "done":
                        break  # the other repeats would end the same way
    print(path)


if __name__ == "__main__":
    main()
