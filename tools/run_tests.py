"""All tests in two passes: those that measure alone, and before them all others, beside each other on every processor.

    python tools/run_tests.py [what pytest understands]

A test that is marked `alone` measures time or memory, and nothing else may run beside it. Stops after a pass with a
failure. The last line tells the tests of both passes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder")
PASSES = (("not alone", BESIDE), ("alone", ()))
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
"""Workers fill the processors; threads of numpy in each would only wait for one another."""
_NONE = 5
"""pytest's code for a pass without a test."""


def counted(line: str) -> Counter[str]:
    """What pytest's last line counts: "3 passed, 1 skipped in 2.0s"."""
    if not re.search(r" in \d[\d.:]*s", line):
        return Counter()
    return Counter({what: int(number) for number, what in re.findall(r"(\d+) (passed|failed|skipped|errors?)\b", line)})


def one_pass(which: str, options: tuple[str, ...], asked: list[str], shared: str) -> tuple[int, Counter[str]]:
    """Runs one pass and shows what it says. Its exit code, and what it counted."""
    command = [sys.executable, "-m", "pytest", "-m", which, *options, *asked]
    environment = {**os.environ, "CASEVEIL_TESTS_SHARED": shared, **(ONE_THREAD if options else {})}
    last = ""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        while said := running.stdout.read(1):  # by characters: a line of dots takes a minute
            sys.stdout.write(said)
            sys.stdout.flush()
            last = said if last.endswith("\n") else last + said
    return running.returncode, counted(last)


def main(asked: list[str]) -> int:
    """Runs the passes and says how many tests they had."""
    total: Counter[str] = Counter()
    code = 0
    with tempfile.TemporaryDirectory(prefix="caseveil-tests-") as shared:
        for which, options in PASSES:
            code, found = one_pass(which, options, asked, shared)
            total += found
            if code not in (0, _NONE):
                break
    failed = total["failed"] + total["error"] + total["errors"]
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {failed} failed{skipped}")
    if code == _NONE:
        return 0 if total["passed"] else _NONE
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
