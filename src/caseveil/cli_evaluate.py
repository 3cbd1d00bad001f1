"""The command `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caseveil.cli_terminal import Terminal, require_bundle, shared
from caseveil.plan import Plan

if TYPE_CHECKING:
    from rich.table import Table

    from caseveil.evaluation.report import Evaluation

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("plan", type=_PATH)
@click.option("--out", type=_PATH, help="Folder of the report; <bundle>-private beside the bundle unless given.")
@shared
def evaluate(bundle: Path, plan: Path, out: Path | None, quiet: bool, as_json: bool) -> None:
    """Hold a release against the rows it was made from. Private: the report must never be published.

    Says how far counts and records lie from the truth, what was lost and what was made up, and for linked tables how
    well the links are kept. The report goes into a new folder, never into the bundle. Spends nothing.

    \b
    Example:  caseveil evaluate case-records-2026-11 release.toml
    """
    from caseveil import evaluate as story
    from caseveil.evaluation.report import WARNING
    from caseveil.evaluation.report import as_json as document

    terminal = Terminal(json=as_json, quiet=quiet)
    require_bundle(bundle)
    read = Plan.read(plan)
    with terminal.progress(story.STAGES) as progress:
        made = story.run(bundle, read, out=out, progress=progress)
    page = made.out / story.PAGE
    terminal.say(WARNING, "", _table(made.evaluation), "", f"Report:  {page}")
    terminal.document({"out": str(made.out), "report": str(page), **json.loads(document(made.evaluation))})


def _table(evaluation: Evaluation) -> Table:
    from caseveil.cli_show import table
    from caseveil.evaluation.report import findings

    chance = ["#by chance"] if evaluation.links is not None else []
    shown = table(f"{evaluation.subject} against the true rows", "what", "#release", *chance)
    for found in findings(evaluation):
        shown.add_row(found.what, found.text, *([found.baseline_text] * bool(chance)))
    return shown
