"""Attacks a release from the side, for long, and writes docs/assurance.md: leaks, kills and fuzzed input.

    python tools/assurance.py                       as often as planned; half an hour to an hour on two cores
    python tools/assurance.py --kills 300 --plans 2000 --tables 1500 --draws 5000000

The tests take the same attacks for a minute (tests/assurance). Ends with 1, and writes nothing, when something is
found. Attacks run beside each other, one on each processor.
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from caseveil.release.manifest import software_versions
from tests.assurance import app_journeys, broken, fuzzing, journeys, kills, planted
from tests.assurance.sandbox import Ended, Sandbox
from tools import assurance_audit, assurance_noise

PAGE = Path(__file__).parents[1] / "docs" / "assurance.md"


class Found(Exception):
    """Something was found that should not be; the text says what."""


@dataclass
class Searched:
    """How much the search for secrets went through."""

    commands: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, sandbox: Sandbox, ended: Ended) -> None:
        """Searches what a command left. Raises Found."""
        traces = journeys.traces(sandbox, ended)
        if traces:
            raise Found(f"{ended.args} shows a secret in {', '.join(traces)}")
        produced = sandbox.produced()
        self.commands += 1
        self.files += len(produced)
        self.bytes += sum(map(len, produced.values())) + len(ended.stdout) + len(ended.stderr)


def leaks(root: Path, rounds: int) -> tuple[Searched, Searched]:
    """Every command on both kinds of plan, so many times; and every refusal and every fault of ours once."""
    sound, faulty = Searched(), Searched()
    for at in range(rounds):
        for name, plan in (("linked", planted.LINKED), ("one", planted.ONE_TABLE)):
            sandbox = journeys.place(root / f"sound-{at}-{name}", plan)
            sources = ["victims.csv", "perpetrators.csv"] if name == "linked" else ["victims.csv"]
            for args in journeys.commands(sources):
                sound.add(sandbox, sandbox.run(*args))
    for at, files in enumerate(journeys.BAD_INPUT.values()):
        sandbox = journeys.place(root / f"bad-{at}")
        journeys.spoil(sandbox, files)
        for args in (("release", "release.toml"), ("release", "release.toml", "--json"), ("check", "release.toml")):
            faulty.add(sandbox, sandbox.run(*args))
    for at, place in enumerate(broken.PLACES):
        sandbox = journeys.place(root / f"broken-{at}")
        faulty.add(sandbox, sandbox.run("release", "release.toml", hook=broken.Break(place)))
    return sound, faulty


def app_leaks(root: Path, rounds: int) -> Searched:
    """Every request of the application, so many times. Raises Found."""
    tempfile.tempdir = str(root)
    searched = Searched()
    disk = app_journeys.Disk(folder=root)
    for _ in range(rounds):
        asked = app_journeys.Asked(disk=disk)
        app_journeys.journey(asked)
        traces = asked.traces()
        if traces:
            raise Found(f"the application shows a secret in {', '.join(traces)}")
        left = disk.all()
        searched.commands += len(app_journeys.ORDER)
        searched.files += len(left)
        searched.bytes += sum(map(len, left.values())) + sum(map(len, asked.said.values()))
        disk.gone.clear()
    return searched


def killed(root: Path, plan: str, points: int) -> list[kills.Left]:
    """What so many killed releases by one plan left. Raises Found."""
    sandbox = Sandbox(root=root)
    sandbox.put("victims.csv", planted.as_csv(planted.victims(60)))
    sandbox.put("perpetrators.csv", planted.as_csv(planted.perpetrators(60)))
    sandbox.put("release.toml", plan)
    known = kills.whole(sandbox)
    dice = random.Random()
    left: list[kills.Left] = []
    for at in range(points):
        one = kills.kill_once(sandbox, known, dice)
        if one.faults:
            raise Found(f"the {at}th killed release: {'; '.join(one.faults)}")
        left.append(one)
    return left


def page(
    sound: Searched,
    faulty: Searched,
    asked: Searched,
    left: list[kills.Left],
    plans: Counter[int],
    tables: Counter[int],
    sections: list[str],
) -> str:
    """The text of docs/assurance.md. sections come after those that are written here."""
    alive = sum(not one.killed for one in left)
    versions = software_versions()
    fuzz_rows = "\n".join(
        f"| {name} | {sum(codes.values()):,} | {codes[0]:,} | {codes[2]:,} | 0 | 0 |"
        for name, codes in (("plans", plans), ("data files", tables))
    )
    return f"""# Assurance

What was tried from the side, and what came of it. This page is written by `make assurance`, which writes nothing when \
something is found; `make test` does the same in small. What each attack looks for is said where it is made, in \
`tests/assurance`. Who attacks, and what is out of scope: [threat model](threat-model.md).

Made on {datetime.date.today():%d %B %Y} with Caseveil {versions["caseveil"]}, numpy {versions["numpy"]}, Python \
{versions["python"]}, {platform.system()} on {platform.machine()}, {os.cpu_count()} processors shared with other work.

## Cells of rows

{len(planted.SECRET_CELLS)} secrets of one person and one perpetrator stand in keys, released and unreleased columns, \
sets, numbers, dates and cells outside the declared values. Everything that a command leaves is searched for them, in \
{len(planted.NEEDLES)} spellings: streams, files (Parquet and zips unpacked), names of files, temporary files. Of \
the application that is every answer but the {len(app_journeys.SHOWS_ROWS)} that show cells on the screen of the \
person who opened the file, and every file that it removed again.

| what ran | commands or requests | files searched | MB searched | secrets found |
|---|---|---|---|---|
| every command, one table and two | {sound.commands:,} | {sound.files:,} | {sound.bytes / 1e6:.0f} | 0 |
| every request of the application | {asked.commands:,} | {asked.files:,} | {asked.bytes / 1e6:.0f} | 0 |
| {len(journeys.BAD_INPUT)} kinds of bad input, {len(broken.PLACES)} places where Caseveil itself fails | \
{faulty.commands:,} | {faulty.files:,} | {faulty.bytes / 1e6:.1f} | 0 |

A value that one person alone has may be discovered with a probability below 1e-9 in each of these releases.

## Kills

{len(left):,} releases of 60 people, half of them linked, were ended by SIGKILL: three of ten at a random moment, the \
others right before, right after or within a random one of the writes, syncs, renames and the like that a release \
makes. \
After each, the noise that had been drawn was held against the ledger, what lay in the folders was looked at, and \
another release was made.

| | releases |
|---|---|
| ended before the signal came | {alive:,} |
| killed before any charge | {sum(one.killed and not one.charges for one in left):,} |
| killed with some charges written, no bundle | \
{sum(one.killed and one.charges > 0 and not one.bundle for one in left):,} |
| killed with the bundle in place, which verified | {sum(one.killed and one.bundle for one in left):,} |
| ledger with a torn last line that it would not go on from until a person took it out | \
{sum(one.torn for one in left):,} |
| hidden folder of an unfinished bundle left beside it | {sum(one.partial for one in left):,} |
| **noise drawn that the ledger did not hold** | 0 |
| **half a bundle under its name** | 0 |
| **next release failed** | 0 |

A kill leaves what was written in the memory of the system. That the charge is on the disk itself before noise is \
drawn rests on `fsync`, and is not shown by this.

## Wrong plans and files

From a sound plan or file of {fuzzing.PEOPLE} people, one to five changes: values, keys, lines, bytes, \
encodings.

| fuzzed | tried | released | refused with a sentence | other endings | refusals that changed a file or charged |
|---|---|---|---|---|---|
{fuzz_rows}

A release in which no value was frequent enough to be discovered is refused after a charge, and says so; it is not \
counted in the last column.
""" + "".join(f"\n{section}" for section in sections)


def attacks(asked: argparse.Namespace, root: Path) -> dict[str, tuple[Any, ...]]:
    """Every attack by its name: a function and what it is called with. The long ones come first."""
    folders = {name: root / name for name in ("plans", "tables", "kills", "linked kills", "leaks", "app")}
    for folder in folders.values():
        folder.mkdir()
    return {
        "plans": (fuzzing.fuzz_plans, folders["plans"], asked.plans),
        "tables": (fuzzing.fuzz_tables, folders["tables"], asked.tables),
        "linked kills": (killed, folders["linked kills"], planted.SMALL_LINKED, asked.kills // 2),
        "kills": (killed, folders["kills"], planted.SMALL, asked.kills - asked.kills // 2),
        "noise": (assurance_noise.section, asked.draws),
        "audits": (assurance_audit.section, asked.audits),
        "leaks": (leaks, folders["leaks"], asked.rounds),
        "app": (app_leaks, folders["app"], asked.rounds),
    }


SECTIONS = ("noise", "audits")
"""Attacks whose result is a section of the page as it stands."""


def main() -> int:
    """Runs everything and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="rounds of all commands")
    parser.add_argument("--kills", type=int, default=1000, help="killed releases")
    parser.add_argument("--plans", type=int, default=10_000, help="fuzzed plans")
    parser.add_argument("--tables", type=int, default=10_000, help="fuzzed data files")
    parser.add_argument("--draws", type=int, default=100_000_000, help="draws of noise")
    parser.add_argument("--audits", type=int, default=1000, help="releases of each audit")
    asked = parser.parse_args()
    start = time.monotonic()
    found: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory(prefix="assurance-") as folder,
        ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        running: dict[Future[Any], str] = {}
        for name, (attack, *args) in attacks(asked, Path(folder)).items():
            running[pool.submit(attack, *args)] = name
        for future in as_completed(running):
            try:
                found[running[future]] = future.result()
            except (Found, AssertionError) as error:
                print(f"FOUND  {running[future]}: {error}", file=sys.stderr, flush=True)
                pool.shutdown(wait=True, cancel_futures=True)
                return 1
            print(f"{time.monotonic() - start:7.0f} s  {running[future]}", flush=True)
    sound, faulty = found["leaks"]
    left = [*found["kills"], *found["linked kills"]]
    sections = [found[name] for name in SECTIONS]
    text = page(sound, faulty, found["app"], left, found["plans"], found["tables"], sections)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    print(f"{time.monotonic() - start:7.0f} s  wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
