"""Releases in the browser's engine beside native ones: `python -m benchmarks.browser`. About six minutes on two cores.

Every table is released natively and in Pyodide under Node, one after the other, one process each, with the same plan.
Seconds by stage, their ratio and the memory go to results/browser/<date>.json. Node has the engine of Chromium; that
the page stays responsive is what tests/browser holds.
"""

from __future__ import annotations

import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.run import machine, versions
from caseveil.demo import write_demo
from tools import make_site, pyodide_files

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "browser"
REAL = HERE.parents[1] / "shared" / "data" / "vp_condensed.csv"
WIDE_SIZES = (2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 8, 8, 10, 12)


def real(folder: Path) -> None:
    """The published table of 21,195 rows and 16 columns, with the plan that `init` drafts."""
    (folder / "data.csv").write_bytes(REAL.read_bytes())
    _caseveil("init", "data.csv", folder)


def linked(folder: Path) -> None:
    """8,000 invented victims and their perpetrators."""
    write_demo(folder, victims=8_000, seed=1)


def wide(folder: Path) -> None:
    """200,000 invented rows of 20 declared columns that hang together by 12 kinds of people; 30% of cells empty."""
    rng = np.random.default_rng(3)
    kind, columns = rng.integers(0, 12, 200_000), []
    for size in WIDE_SIZES:
        ladder = rng.dirichlet(np.full(size, 0.6), 12).cumsum(axis=1)
        code = np.minimum((rng.random(len(kind))[:, None] > ladder[kind]).sum(axis=1), size - 1)
        text = np.array([f"v{value}" for value in range(size)], object)[code]
        text[rng.random(len(kind)) < 0.3] = ""
        columns.append(text)
    with (folder / "data.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow([f"c{j}" for j in range(len(columns))])
        out.writerows(zip(*columns, strict=True))
    plan = [
        '[release]\nname = "wide"\nversion = "1"',
        '[privacy]\nguarantee = "differential-privacy"\nunit = "person"\nepsilon = 1.0\ndelta = "auto"',
        'ledger = "ledger.caseveil"\n[aggregates]\nlength = 3\n[tables.data]\nsource = "data.csv"',
    ]
    for j, size in enumerate(WIDE_SIZES):
        values = json.dumps([f"v{value}" for value in range(size)])
        plan.append(f'[tables.data.columns.c{j}]\nkind = "category"\nvalues = {values}')
    (folder / "release.toml").write_text("\n".join(plan) + "\n", encoding="utf-8")


TABLES: dict[str, Callable[[Path], None]] = {"real": real, "linked": linked, "wide": wide}


def _caseveil(command: str, name: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "caseveil", command, name], cwd=folder, check=True, capture_output=True)


def natively(folder: Path) -> dict[str, object]:
    """One native release, on one core as the browser has."""
    one_core: dict[str, str] = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, str(HERE / "browser_job.py")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=os.environ | one_core)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def in_pyodide(folder: Path, fetched: Path, wheels: list[str], said: Path) -> dict[str, object]:
    """One release in Pyodide."""
    command = ["node", str(HERE / "browser.mjs"), str(fetched), json.dumps(wheels), str(folder), str(said)]
    subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(said.read_text(encoding="utf-8")))


def main() -> None:
    """Runs all and keeps the results."""
    fetched = pyodide_files.fetch()
    results = []
    with tempfile.TemporaryDirectory() as place:
        wheels = [str(path) for path in (*pyodide_files.wheels(fetched), make_site.caseveil_wheel(Path(place)))]
        for name, make in TABLES.items():
            if make is real and not REAL.exists():
                continue
            answers = {}
            for engine in ("pyodide", "native"):
                folder = Path(place) / f"{name}-{engine}"
                folder.mkdir()
                make(folder)
                if engine == "native":
                    answers[engine] = natively(folder)
                else:
                    answers[engine] = in_pyodide(folder, fetched, wheels, Path(place) / f"{name}.json")
            ratio = round(float(str(answers["pyodide"]["seconds"])) / float(str(answers["native"]["seconds"])), 2)
            results.append({"table": name, "about": make.__doc__, "ratio": ratio} | answers)
            print(name, ratio, answers["pyodide"])
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    facts = {
        "machine": machine(),
        "versions": versions() | {"node": node, "pyodide": "0.27.7", "numpy in pyodide": "2.0.2"},
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    out = RESULTS / f"{datetime.datetime.now(datetime.UTC).date()}.json"
    out.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"kept in {out.name}")


if __name__ == "__main__":
    main()
