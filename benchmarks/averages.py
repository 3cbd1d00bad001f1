"""What both parts of the page of benchmarks say in the same way: means over repeats, numbers, conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Run = dict[str, Any]


def number(value: float) -> str:
    """Two or three significant digits, without an exponent."""
    size = abs(value)
    return f"{value:.0f}" if size >= 9.95 else f"{value:.1f}" if size >= 0.95 else f"{value:.2g}"


def mean(runs: Sequence[Run], of: str = "scores") -> dict[str, float]:
    """Mean of every score that all the runs have."""
    keys = [key for key in runs[0][of] if all(key in run[of] for run in runs)]
    return {key: sum(run[of][key] for run in runs) / len(runs) for key in keys}


def seconds_of(runs: Sequence[Run]) -> float:
    """Mean time of a run."""
    return float(sum(run["seconds"] for run in runs)) / len(runs)


def conditions(result: dict[str, Any]) -> str:
    """One line on the machine, the versions and what else was going on."""
    machine, versions = result["machine"], result["versions"]
    return (
        f"- {result['date']}, {result['name']}: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']:g} GB, {machine['system']}; "
        f"{', '.join(f'{package} {version}' for package, version in versions.items())}; {result['conditions']}."
    )
