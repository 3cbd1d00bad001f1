"""The commands. Each reads its arguments, calls the engine and says what came out; nothing is computed here."""

from __future__ import annotations

import contextlib
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caseveil.cli_app import app
from caseveil.cli_audit import audit
from caseveil.cli_evaluate import evaluate
from caseveil.cli_ledger import ledger
from caseveil.cli_terminal import NO, PlainGroup, Terminal, left_out, require_bundle, shared
from caseveil.errors import BundleError, CaseveilError, OutputError
from caseveil.plan import Plan

if TYPE_CHECKING:
    from caseveil.produce import Before, Produced

_PLAN = click.Path(path_type=Path)


@click.group(cls=PlainGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="caseveil", prog_name="caseveil")
def main() -> None:
    """Publish case records about people without exposing one of them.

    \b
    First time:       caseveil demo
    Your own data:    caseveil init cases.csv
                      caseveil check release.toml
                      caseveil forecast release.toml --n 20000
                      caseveil release release.toml
    """


@main.command()
@click.argument("folder", type=_PLAN, default=Path("caseveil-demo"), metavar="[DIR]")
@click.option("--victims", type=click.IntRange(100, 10_000_000), default=17_000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), help="Invent the same people again. Never makes the noise repeat.")
@click.option("--open", "open_it", is_flag=True, help="Open the explorer in the browser when done.")
@shared
def demo(folder: Path, victims: int, seed: int | None, open_it: bool, quiet: bool, as_json: bool) -> None:
    """Invent case records, release them, and say where everything is.

    Writes victims.csv, perpetrators.csv and release.toml into DIR (caseveil-demo unless given). The people
    are invented and resemble nobody.

    \b
    Example:  caseveil demo my-demo --victims 5000 --open
    """
    from caseveil.demo import write_demo

    terminal = Terminal(json=as_json, quiet=quiet)
    files = [folder / name for name in ("victims.csv", "perpetrators.csv", "release.toml")]
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"DIR ({folder}) must be a folder, and it is a file; choose another name")
    there = [path.name for path in files if path.exists()]
    if there:
        raise OutputError(
            f"DIR ({folder}) already holds {', '.join(there)}; choose another folder, or remove these files"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_demo(folder, victims=victims, seed=seed)
    terminal.say(f"Invented {victims:,} victims and their perpetrators in {folder}")
    _release(Plan.read(files[-1]), None, terminal, open_it)


@main.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--out", type=_PLAN, default=Path("release.toml"), show_default=True, help="Where the draft goes.")
@shared
def init(data: tuple[str, ...], out: Path, quiet: bool, as_json: bool) -> None:
    """Look at a data file, or at two that are linked, and draft a release.toml.

    The draft says which columns look as if they identify a person and leaves them out. It holds no value that
    was read off the rows, apart from words that are public anyway. Of two files, one must have a row per person and
    the other one must name that person in each of its rows. Read the draft before you use it.

    \b
    Example:  caseveil init victims.csv perpetrators.csv --out release.toml
    """
    from caseveil.cli_init import write_draft

    terminal = Terminal(json=as_json, quiet=quiet)
    with terminal.progress() as progress:
        said, document = write_draft(data, out, progress)
    terminal.say(*said)
    terminal.document(document)


@main.command()
@click.argument("plan", type=_PLAN)
@shared
def check(plan: Path, quiet: bool, as_json: bool) -> None:
    """Hold the data against the plan. Private: what it prints must not be published.

    Counts what is missing, what lies outside the declared values, which columns identify people, how many
    people stand out by rare combinations and, of linked tables, how many links there are and how many the cap
    would drop. Names columns and counts, never a value of a row. Charges nothing.

    \b
    Example:  caseveil check release.toml
    """
    read = Plan.read(plan)
    from caseveil import cli_show
    from caseveil.produce import check as check_rows

    terminal = Terminal(json=as_json, quiet=quiet)
    with terminal.progress() as progress:
        report = check_rows(read, progress)
    terminal.say(*cli_show.check(read, report))
    terminal.document({"private": True, **cli_show.check_document(report)})


@main.command()
@click.argument("plan", type=_PLAN)
@click.option(
    "--n",
    "people",
    type=click.IntRange(2),
    default=10_000,
    show_default=True,
    help="About how many people: a public guess, not the number of your rows.",
)
@click.option(
    "--epsilon", "epsilons", help="Epsilons to compare, as 0.5,1,2,4. Those four and the plan's unless given."
)
@click.option("--length", type=click.IntRange(1, 5), help="Longest combination; the plan's unless given.")
@click.option("--sizes", multiple=True, metavar="COLUMN=K", help="Guess of how many values an undeclared column has.")
@click.option("--figure", type=_PLAN, help="Also draw a figure: a path that ends in .svg or .png.")
@shared
def forecast(
    plan: Path,
    people: int,
    epsilons: str | None,
    length: int | None,
    sizes: tuple[str, ...],
    figure: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Say how accurate the counts would be, before anything is spent.

    Reads no row: public sizes, a guess of the number of people, and epsilon are enough. For a plan that goes on from
    a release, the noise of that one is read from its bundle and counted in.

    \b
    Example:  caseveil forecast release.toml --n 20000 --epsilon 0.5,1,2 --figure error.svg
    """
    from caseveil import cli_show, forecast_sizes, forecast_view
    from caseveil.measurement.forecast import forecast as expect

    terminal = Terminal(json=as_json, quiet=quiet)
    read = Plan.read(plan)
    link = read.tables[-1].link
    before = _before(read)
    known = [part.table for part in read.tables] if before is None else before.tables_of(read)
    domain, assumed = forecast_sizes.domain_of_plan(known, link, sizes)
    earlier = None
    if before is not None and read.update is not None:
        from caseveil.measurement.forecast import Earlier

        domain = before.main.domain
        earlier = Earlier(variance=before.main.variance, everyone=read.update.everyone)
    longest = read.aggregates.length if length is None else length
    expected = expect(
        domain,
        n=people,
        epsilons=forecast_sizes.parse_epsilons(epsilons, read.promise.epsilon),
        delta=read.promise.delta,
        linked=link is not None,
        changed=read.changed,
        earlier=earlier,
        length=longest,
        weights=read.aggregates.weights if longest == read.aggregates.length else None,
    )
    if figure is not None:
        forecast_view.save_figure(expected.rows, figure, n=people, subject=read.about.heading)
    notes = [
        f"{column} has no declared values; {size} are assumed (--sizes {column}=K)" for column, size in assumed.items()
    ]
    terminal.say(
        forecast_view.table(expected.rows),
        "",
        forecast_view.bars(expected.rows, ascii_only=terminal.ascii_only),
        "",
        "Typical error: how far a count lies from the truth on average; 95 in 100 lie within the interval. Computed",
        "from public sizes and the noise alone: the counts of a release are closer, most of all small ones.",
        *notes,
        *([f"The noise of {before.carried.of[-1]} is counted in."] if before is not None else []),
        *([f"Figure: {figure}"] if figure is not None else []),
    )
    terminal.document(
        {
            "n": people,
            "length": longest,
            "assumed_sizes": assumed,
            "goes_on_from": None if before is None else before.carried.of[-1],
            "rows": cli_show.plain(expected.rows),
            "figure": None if figure is None else str(figure),
        }
    )


def _before(plan: Plan) -> Before | None:
    """What the release left that the plan goes on from, if it does."""
    if plan.previous is None:
        return None
    from caseveil.produce import read_before

    return read_before(plan)


@main.command()
@click.argument("plan", type=_PLAN)
@click.option("--out", type=_PLAN, help="Folder of the bundle; <plan's folder>/<name>-<version> unless given.")
@click.option("--open", "open_it", is_flag=True, help="Open the explorer in the browser when done.")
@shared
def release(plan: Path, out: Path | None, open_it: bool, quiet: bool, as_json: bool) -> None:
    """Make the release: a bundle that is safe to publish.

    Plan, data and place are checked before anything is charged.

    \b
    Example:  caseveil release release.toml --out published/2026-11
    """
    _release(Plan.read(plan), out, Terminal(json=as_json, quiet=quiet), open_it)


def _release(plan: Plan, out: Path | None, terminal: Terminal, open_it: bool) -> None:
    from caseveil.produce import run

    start = time.monotonic()
    with terminal.progress() as progress:
        made: Produced = run(plan, out=out, progress=progress)
    seconds = time.monotonic() - start
    explorer = made.out / "explorer.html"
    said = _ledger_notes(plan)
    terminal.say(
        "",
        str(made.statement),
        "",
        *left_out(made.left_out),
        *_cap(plan),
        *(f"Ledger:    {note}" for note in said),
        f"Bundle:    {made.out}",
        f"Explorer:  {explorer}  (open it in a browser)",
        f"Promise:   {made.out / 'STATEMENT.md'}",
        f"Done in {seconds:.1f} s.",
    )
    terminal.document(
        {
            "out": str(made.out),
            "explorer": str(explorer),
            "seconds": round(seconds, 3),
            "left_out": list(made.left_out),
            "ledger_notes": said,
            "statement": made.statement.to_json(),
        }
    )
    if open_it:
        webbrowser.open(explorer.resolve().as_uri())


def _cap(plan: Plan) -> list[str]:
    """Where the steward learns what the cap on links left out; here, which may be read by others, no number of that."""
    link = plan.tables[-1].link
    if link is None or plan.unit.either:  # with the second unit nothing is left out
        return []
    return [
        f"At most {link.at_most} rows of {plan.tables[-1].table.name} count for one of {link.to}. `caseveil check` "
        f"says, for your eyes only, how many rows that left out.",
        "",
    ]


def _ledger_notes(plan: Plan) -> list[str]:
    """What to be wary of in the ledger now, such as the same people under two names."""
    from caseveil.privacy.ledger import Ledger
    from caseveil.privacy.ledger_views import notes

    if plan.ledger_path is None:
        return []
    with contextlib.suppress(CaseveilError):  # the release is made, whatever happened to the ledger since
        return list(notes(Ledger.read(plan.ledger_path).entries))
    return []


main.add_command(app)
main.add_command(evaluate)
main.add_command(audit)


@main.command()
@click.argument("bundle", type=_PLAN)
@shared
@click.pass_context
def verify(ctx: click.Context, bundle: Path, quiet: bool, as_json: bool) -> None:
    """Check a bundle from the bundle alone: its folder, or the zip that the application saved.

    Exit code 1 when something does not hold.

    \b
    Example:  caseveil verify case-records-2026-11
              caseveil verify case-records-2026-11.zip
    """
    from caseveil import cli_show
    from caseveil.release.verify import verify_bundle

    terminal = Terminal(json=as_json, quiet=quiet)
    require_bundle(bundle, or_zip=True)
    verdict = verify_bundle(bundle)
    terminal.say(*cli_show.verification(verdict))
    terminal.document(
        {"ok": verdict.ok, "findings": cli_show.plain(verdict.findings)},
    )
    if not verdict.ok:
        ctx.exit(NO)


@main.command()
@click.argument("bundle", type=_PLAN)
@click.option("--stories", type=_PLAN, metavar="PLAN", help="First put the stories of this plan into the explorer.")
@shared
def explore(bundle: Path, stories: Path | None, quiet: bool, as_json: bool) -> None:
    """Open the explorer of a bundle in the browser.

    With --stories, the [[stories]] of the plan take the place of those that the bundle has: explorer.html and
    manifest.json are written anew, nothing else changes, and nothing is spent. The plan must be the one that the
    bundle was made by.

    \b
    Example:  caseveil explore case-records-2026-11 --stories release.toml
    """
    terminal = Terminal(json=as_json, quiet=quiet)
    require_bundle(bundle)
    if stories is not None:
        from caseveil.release.retell import retell

        plan = Plan.read(stories)
        retell(bundle, plan.stories, plan_digest=plan.digest())
        number = len(plan.stories)
        terminal.say(f"{number} {'story' if number == 1 else 'stories'} of {stories} told in {bundle} now")
    page = bundle / "explorer.html"
    if not page.is_file():
        raise BundleError(
            f"BUNDLE ({bundle}) holds no explorer.html; 'caseveil verify {bundle}' says what else is amiss"
        )
    opened = webbrowser.open(page.resolve().as_uri())
    terminal.say(f"Opened {page}" if opened else f"No browser was found; open this file in one: {page}")
    terminal.document({"explorer": str(page), "opened": opened})


main.add_command(ledger)
