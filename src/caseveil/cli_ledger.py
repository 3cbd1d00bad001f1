"""The commands that look at ledgers: show, verify, merge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from caseveil.cli_terminal import NO, Terminal, shared
from caseveil.errors import LedgerError, PlanError
from caseveil.plan import Plan

if TYPE_CHECKING:
    from caseveil.privacy.ledger import Ledger
    from caseveil.privacy.loss import EpsilonDelta

_FILE = click.Path(path_type=Path)


@click.group()
def ledger() -> None:
    """Look at a ledger: what every release spent.

    \b
    Example:  caseveil ledger show ledger.caseveil
    """


@ledger.command("show")
@click.argument("path", type=_FILE, metavar="LEDGER")
@click.option(
    "--delta",
    type=float,
    help="The delta at which to state the total; that of the plan's budget or 1e-6, or more where discoveries took "
    "more.",
)
@click.option("--plan", "plan_path", type=_FILE, help="A plan whose budget to compare with.")
@click.option("--figure", type=_FILE, help="Also draw a figure: a path that ends in .svg or .png.")
@shared
def show(
    path: Path, delta: float | None, plan_path: Path | None, figure: Path | None, quiet: bool, as_json: bool
) -> None:
    """List what every release spent, and the total over all of them.

    \b
    Example:  caseveil ledger show ledger.caseveil --plan release.toml --figure spent.svg
    """
    from caseveil import cli_ledger_figure, cli_ledger_show

    terminal = Terminal(json=as_json, quiet=quiet)
    if delta is not None and not 0.0 < delta < 1.0:
        raise PlanError(f"--delta ({delta:g}) must be above 0 and below 1")
    budget = None if plan_path is None else _budget(plan_path)
    opened = _read(path)
    if delta is None:
        # not so much that the delta would be no chance any more
        delta = budget.delta if budget is not None else min(max(1e-6, 2.0 * opened.total().delta), 0.5)
    if figure is not None:
        cli_ledger_figure.save(opened.entries, figure, delta=delta, budget=budget)
    terminal.say(*cli_ledger_show.tables(opened, delta, budget))
    if figure is not None:
        terminal.say(f"Figure: {figure}")
    document = cli_ledger_show.document(opened, delta, budget)
    terminal.document({**document, "figure": None if figure is None else str(figure)})


@ledger.command("verify")
@click.argument("path", type=_FILE, metavar="LEDGER")
@shared
@click.pass_context
def verify(ctx: click.Context, path: Path, quiet: bool, as_json: bool) -> None:
    """Check that no entry of a ledger was changed. Exit code 1 when one was.

    \b
    Example:  caseveil ledger verify ledger.caseveil
    """
    terminal = Terminal(json=as_json, quiet=quiet)
    try:
        entries = len(_read(path).entries)
    except LedgerError as error:
        terminal.say(f"NOT OK  {error}")
        terminal.document({"ok": False, "detail": str(error)})
        ctx.exit(NO)
    terminal.say(f"ok  {entries} entries, none changed")
    terminal.document({"ok": True, "entries": entries})


@ledger.command("merge")
@click.argument("paths", type=_FILE, nargs=-1, required=True, metavar="LEDGER LEDGER...")
@click.option("--out", type=_FILE, required=True, help="Where the merged ledger goes; a file that is not there yet.")
@shared
def merge(paths: tuple[Path, ...], out: Path, quiet: bool, as_json: bool) -> None:
    """Bring together ledgers of the same people, such as copies to which releases were charged on two machines.

    The merged ledger holds every charge of all of them once, so its total is what was really spent. Says where they
    parted. The ledgers themselves stay as they are; from then on use the merged one alone.

    \b
    Example:  caseveil ledger merge ledger.caseveil laptop/ledger.caseveil --out merged.caseveil
    """
    from caseveil import cli_ledger_show
    from caseveil.privacy.ledger_merge import merge as bring_together

    terminal = Terminal(json=as_json, quiet=quiet)
    for path in paths:
        _require_file(path)
    merged = bring_together(paths, out)
    terminal.say(*cli_ledger_show.merged(merged, paths, out))
    terminal.document(cli_ledger_show.merged_document(merged, paths, out))


def _budget(plan_path: Path) -> EpsilonDelta:
    budget = Plan.read(plan_path).budget
    if budget is None:
        raise PlanError(f"--plan ({plan_path}) must be a plan with privacy.budget, and it has none")
    return budget


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise PlanError(f"LEDGER ({path}) must be the ledger file of a plan; there is no such file")


def _read(path: Path) -> Ledger:
    from caseveil.privacy.ledger import Ledger

    _require_file(path)
    return Ledger.read(path)
