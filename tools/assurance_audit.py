"""The part of docs/assurance.md about audits: what sound releases show, and which planted faults are found by what."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from caseveil import audit
from caseveil.audit import Audit, Options
from caseveil.demo import write_demo
from caseveil.evaluation.audit import Finding
from caseveil.plan import Plan
from tests.assurance import mutants

FALSE_ALARM = 1e-9
EXAMPLES = {
    "one small table": mutants.DECLARED,
    "values to be discovered": mutants.UNDECLARED,
    "two small linked tables": mutants.LINKED,
}
DEMO_SHARE = 5
"""The plan of `caseveil demo` measures much, so that its releases take long: so many times fewer of them are made."""


def section(runs: int) -> str:
    """Audits sound releases with so many runs each, then plants every fault. One process.

    Raises AssertionError when a sound release is called broken, or a fault is not found.
    """
    sound = {name: _sound(Plan.from_toml(plan, Path()), runs) for name, plan in EXAMPLES.items()}
    sound["the linked tables of `caseveil demo`"] = _sound(_demo(), max(20, runs // DEMO_SHARE))
    for name, made in sound.items():
        assert made.ok, f"the audit of {name}: {', '.join(map(str, made.broken))}"
    faults = []
    for mutant in mutants.MUTANTS:
        made = _with(mutant, runs)
        assert mutants.caught(mutant, made), f"the audit does not find this fault: {mutant.name}"
        faults.append((mutant.name, made))
    return _text(sound, faults)


def _demo() -> Plan:
    with tempfile.TemporaryDirectory() as folder:
        write_demo(Path(folder), victims=100, seed=1)
        return Plan.read(Path(folder) / "release.toml")


def _sound(plan: Plan, runs: int) -> Audit:
    return audit.of_plan(plan, Options(runs=runs, minutes=60, workers=1, false_alarm=FALSE_ALARM, seed=7))


def _with(mutant: mutants.Mutant, runs: int) -> Audit:
    kept: list[tuple[object, str, object]] = []

    def put(place: object, name: str, value: object) -> None:
        kept.append((place, name, getattr(place, name)))
        setattr(place, name, value)

    try:
        mutant.plant(put)
        return mutants.audit_of(mutant.plan, runs=max(runs // 2, mutant.runs), false_alarm=FALSE_ALARM)
    finally:
        for place, name, value in reversed(kept):
            setattr(place, name, value)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return "no bound" if value == math.inf else f"{value:.3g}"


def _row(name: str, one: Finding) -> str:
    cells = (_number(one.claimed), _number(one.estimate), _number(one.lower))
    measure = one.measure if any(cells) else ""
    return f"| {name} | {one.name} | {measure} | {' | '.join(cells)} | {one.runs:,} | {one.outcome.value} |"


def _text(sound: dict[str, Audit], faults: list[tuple[str, Audit]]) -> str:
    held = "\n".join(_row(name, one) for name, made in sound.items() for one in made.findings)
    found = []
    for name, made in faults:
        broken = ", ".join(one.name for one in made.broken)
        found.append(f"| {name} | {broken or 'not called broken; the noisy numbers are unknown, not held'} |")
    caught = "\n".join(found)
    return f"""## Audits

`caseveil audit` makes releases of invented rows, with and without a person, and measures how well somebody who knows \
all else can tell them apart: [how](how-to/audit.md). "At least" is a lower bound of what is lost. Every line calls a \
sound release broken with a probability of at most {FALSE_ALARM:g}, which makes the bounds wide; "unknown" is a line \
in which so few runs cannot say.

| releases of | attack or check | in | claimed | estimate | at least | runs | outcome |
|---|---|---|---|---|---|---|---|
{held}

Faults were planted in our own code, and the audit was run on it:

| planted fault | broken findings |
|---|---|
{caught}
"""
