"""The command `evaluate`."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caseveil.cli_terminal import Terminal, require_bundle, shared
from caseveil.plan import Plan

if TYPE_CHECKING:
    from rich.table import Table

    from caseveil.evaluation.attacks import Attacks
    from caseveil.evaluation.report import Evaluation

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("plan", type=_PATH)
@click.option("--out", type=_PATH, help="Folder of the report; <bundle>-private beside the bundle unless given.")
@click.option("--attacks", is_flag=True, help="Attack the release too, as somebody would who is after your people.")
@click.option(
    "--control",
    type=_PATH,
    multiple=True,
    metavar="FILE",
    help="With --attacks: rows of people who were not in the release, with the columns of the source. Once for each "
    "table of the plan, in its order.",
)
@click.option("--open", "show", is_flag=True, help="Open report.html in the browser.")
@shared
def evaluate(
    bundle: Path,
    plan: Path,
    out: Path | None,
    attacks: bool,
    control: tuple[Path, ...],
    show: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Hold a release against the rows it was made from. Private: the report must never be published.

    Says how far counts and records lie from the truth, what was lost and what was made up, and for linked tables how
    well the links are kept. With --attacks it also tries to find people in the release and to learn about them, and
    says whether that works better than without their rows. The report goes into a new folder, never into the bundle:
    report.md to read, report.html to explore beside the release, report.json for programs. Spends nothing.

    \b
    Example:  caseveil evaluate case-records-2026-11 release.toml
              caseveil evaluate case-records-2026-11 release.toml --attacks
              caseveil evaluate case-records-2026-11 release.toml --attacks --control others.csv
    """
    from caseveil import evaluate as story
    from caseveil.evaluation.attack_report import summary
    from caseveil.evaluation.report import WARNING
    from caseveil.evaluation.report import as_json as document

    terminal = Terminal(json=as_json, quiet=quiet)
    require_bundle(bundle)
    read = Plan.read(plan)
    with terminal.progress(story.STAGES) as progress:
        made = story.run(bundle, read, out=out, attacks=attacks, control=control, progress=progress)
    page, explored = made.out / story.PAGE, made.out / story.EXPLORED
    terminal.say(WARNING, "", _table(made.evaluation), "")
    if made.evaluation.attacks is not None:
        terminal.say(_attacks(made.evaluation.attacks), "", summary(made.evaluation.attacks))
        terminal.say(*_reasons(made.evaluation.attacks), "")
    terminal.say(f"Report:  {page}", f"In the browser:  {explored}")
    if show and not webbrowser.open(explored.resolve().as_uri()):
        terminal.say("No browser was found: open that file in one.")
    places = {"out": str(made.out), "report": str(page), "explorer": str(explored)}
    terminal.document({**places, **json.loads(document(made.evaluation))})


def _table(evaluation: Evaluation) -> Table:
    from caseveil.cli_show import table
    from caseveil.evaluation.report import findings

    chance = ["#by chance"] if evaluation.links is not None else []
    shown = table(f"{evaluation.subject} against the true rows", "what", "#release", *chance)
    for found in findings(evaluation):
        shown.add_row(found.what, found.text, *([found.baseline_text] * bool(chance)))
    return shown


def _reasons(attacks: Attacks) -> list[str]:
    """Why attacks could not be made, each reason once."""
    from caseveil.evaluation.attack_report import SHORT, headlines

    why: dict[str, list[str]] = {}
    for one in headlines(attacks):
        if one.result.unknown:
            why.setdefault(one.result.unknown, []).append(f"{one.result.table}: {SHORT[one.result.attack]}")
    return [f"Unknown: {', '.join(which)}. The reason: {reason}." for reason, which in why.items()]


def _attacks(attacks: Attacks) -> Table:
    from caseveil.cli_show import table
    from caseveil.evaluation.attack_report import rows

    shown = table("Attacks", "attack", "#worked", "#control", "#risk (95% interval)", "verdict")
    for row in rows(attacks):
        shown.add_row(*row)
    return shown
