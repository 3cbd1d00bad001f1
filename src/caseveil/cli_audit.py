"""The command `audit`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caseveil.cli_terminal import NO, Terminal, shared
from caseveil.errors import PlanError

if TYPE_CHECKING:
    from rich.table import Table

    from caseveil.audit import Audit

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("plan", type=_PATH, metavar="PLAN|BUNDLE")
@click.option("--runs", type=click.IntRange(20, 1_000_000), default=400, show_default=True, help="Releases to attack.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=3.0,
    show_default=True,
    help="After which no further release is begun.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes; as many as processors, at most 4, unless given."
)
@shared
@click.pass_context
def audit(
    ctx: click.Context, plan: Path, runs: int, minutes: float, workers: int | None, quiet: bool, as_json: bool
) -> None:
    """Attack releases made by a plan, or check the promise of a bundle. Exit code 1 when more is lost than is promised.

    Of a plan, releases of invented rows are made and attacked by somebody who knows all but one person. The rows of
    the plan are not read and no ledger is charged. An audit that finds nothing proves nothing. A bundle is a folder or
    the zip that the application saved.

    \b
    Example:  caseveil audit release.toml --runs 1000 --minutes 10
    """
    from caseveil import audit as story
    from caseveil.cli_show import plain

    terminal = Terminal(json=as_json, quiet=quiet)
    if not math.isfinite(minutes):
        raise PlanError(f"minutes ({minutes:g}) must be a number above 0")
    options = story.Options(runs=runs, minutes=minutes, workers=workers)
    with terminal.progress(story.STAGES) as progress:
        made = story.run(plan, options, progress)
    terminal.say(_table(made), "", *_words(made))
    terminal.document({"ok": made.ok, **plain(made)})
    if not made.ok:
        ctx.exit(NO)


def _table(made: Audit) -> Table:
    from caseveil.cli_show import table

    shown = table(f"Audit of {made.subject}", "", "attack or check", "#claimed", "#estimate", "#at least", "#runs")
    for one in made.findings:
        claimed = "" if one.claimed is None else f"{one.measure} {_number(one.claimed)}"
        runs = f"{one.runs:,}" if one.runs else ""
        shown.add_row(one.outcome.value, one.name, claimed, _number(one.estimate), _number(one.lower), runs)
    return shown


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _words(made: Audit) -> list[str]:
    from caseveil.evaluation.audit import Outcome

    lines = [f"{one.name}: {one.reason}." for one in made.findings]
    lines += ["", *(f"Note: {note}." for note in made.notes)]
    if made.epsilon is not None:
        lines.append(
            f"The promise of these releases of invented people is epsilon {made.epsilon:g} at delta {made.delta:.2g}; "
            f'epsilons are at that delta. Where the plan says "auto", delta follows from the number of people, here '
            f"of the invented ones."
        )
    sure = [finding.confidence for finding in made.findings if finding.runs]
    if sure:
        lines.append(
            f"'At least' is what was lost for certain, but for a chance. A sound release is called broken with a "
            f"probability of at most {1 - min(sure):.2g} in each line."
        )
    unknown = sum(finding.outcome is Outcome.UNKNOWN for finding in made.findings)
    if not made.ok:
        names = ", ".join(finding.name for finding in made.broken)
        last = (
            "Do not rely on this bundle; ask its publisher for another one."
            if made.epsilon is None
            else "Do not publish what was made by this plan; report this to the project."
        )
        lines.append(f"BROKEN: {names}. {last}")
    elif unknown:
        more = "" if made.epsilon is None else " More releases say more: --minutes and --runs."
        lines.append(f"Nothing was found; {unknown} of {len(made.findings)} checks could not say.{more}")
    else:
        lines.append("Nothing was found. That is no proof: the proofs are in the documentation.")
    return [*lines, f"Done in {made.seconds:.0f} s."]


__all__ = ["audit"]
