"""One contender on one table, alone in its process: `python -m benchmarks.worker TABLE CONTENDER EPSILON FOLDER`.

Writes records.csv, counts.json and facts.json into FOLDER. The clock runs around the contender alone, not around
reading the table or writing the result; the memory is the peak of the whole process.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import resource
import sys
import time
from pathlib import Path

from benchmarks.contenders import find
from benchmarks.tables import TABLES


def delta_for(n: int) -> float:
    """1 / (n ln n), with the true n, for every contender alike."""
    return 1.0 / (n * math.log(n))


def peak_megabytes() -> float:
    """Peak resident memory of this process.

    Linux carries getrusage's peak over from the parent through exec, so its own status file is asked first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def main(table_name: str, contender_name: str, epsilon: float, folder: Path) -> None:
    """Run one contender and leave what it made in the folder."""
    table, contender = TABLES[table_name](), find(contender_name)
    before = peak_megabytes()
    start = time.perf_counter()
    made = contender.make(table, epsilon, delta_for(table.n))
    seconds = time.perf_counter() - start
    peak = peak_megabytes()
    with (folder / "records.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table.columns)
        writer.writerows(zip(*(made.records[name] for name in table.columns), strict=True))
    if made.counts is not None:
        text = json.dumps(dataclasses.asdict(made.counts), ensure_ascii=False)
        (folder / "counts.json").write_text(text, encoding="utf-8")
    facts = {"seconds": seconds, "peak_mb": peak, "before_mb": before}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
