"""What the commands print, and how they end.

Answers go to stdout, progress and errors to stderr; under --json stdout holds one JSON document and nothing
else. Exit codes: 0 done, 1 the answer is no, 2 bad input, 70 a fault of ours, 130 stopped.
"""

from __future__ import annotations

import difflib
import errno
import json
import os
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from caseveil.errors import BundleError, Cancelled, CaseveilError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

NO, BAD_INPUT, OUR_FAULT, STOPPED = 1, 2, 70, 130

Progress = Callable[[str, float], None]
Command = Callable[..., None]
Stages = Mapping[str, tuple[str, int]]

RELEASE_STAGES: Stages = {
    "reading": ("Reading the data", 2),
    "checking": ("Checking it against the plan", 1),
    "measuring": ("Counting and adding noise", 5),
    "fitting": ("Fitting the model", 32),
    "records": ("Making records", 45),
    "counts": ("Making counts", 12),
    "writing": ("Writing the bundle", 3),
}
"""Words for each stage and the share of the time that it takes, roughly; the estimate corrects itself."""


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    # highlight off: numbers stay in one colour; emoji and markup off: text is printed as it is.
    return Console(file=stream, highlight=False, emoji=False, markup=False)


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Where one command prints."""

    json: bool = False
    quiet: bool = False

    def say(self, *parts: RenderableType) -> None:
        """Print the answer for people; nothing under --json."""
        if not self.json:
            # soft_wrap: a path stays on one line, so that it can be copied.
            console = _console(sys.stdout)
            for part in parts:
                console.print(part, soft_wrap=isinstance(part, str))

    @property
    def ascii_only(self) -> bool:
        """Whether stdout cannot show more than plain letters."""
        return not _console(sys.stdout).encoding.lower().startswith("utf")

    def document(self, content: object) -> None:
        """Print the one JSON document of --json; nothing without."""
        if self.json:
            print(json.dumps(content, indent=2, allow_nan=False))

    @contextmanager
    def progress(self, stages: Stages = RELEASE_STAGES) -> Iterator[Progress | None]:
        """A progress function that shows the stages on stderr; None under --quiet."""
        if self.quiet:
            yield None
        elif sys.stderr.isatty():
            with _bar(stages) as report:
                yield report
        else:
            yield _lines(stages)


@contextmanager
def _bar(stages: Stages) -> Iterator[Progress]:
    from rich import progress as rich_progress

    bar = rich_progress.Progress(
        rich_progress.TextColumn("{task.description:<30}"),
        rich_progress.BarColumn(),
        rich_progress.TaskProgressColumn(),
        rich_progress.TimeElapsedColumn(),
        rich_progress.TextColumn("left:"),
        rich_progress.TimeRemainingColumn(compact=True),
        console=_console(sys.stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task("Starting", total=100.0)

        def report(stage: str, fraction: float) -> None:
            words = stages[stage][0] if stage in stages else stage
            bar.update(task, description=words, completed=done(stage, fraction, stages))

        yield report


def done(stage: str, fraction: float, stages: Stages = RELEASE_STAGES) -> float:
    """How much of the whole is behind us, in percent."""
    before = 0.0
    for name, (_, share) in stages.items():
        if name == stage:
            return before + share * min(max(fraction, 0.0), 1.0)
        before += share
    return 0.0


def _lines(stages: Stages) -> Progress:
    """One line when a stage begins, for logs and pipes."""
    seen: set[str] = set()
    start = time.monotonic()

    def report(stage: str, fraction: float) -> None:
        if stage not in seen:
            seen.add(stage)
            words = stages[stage][0] if stage in stages else stage
            print(f"{time.monotonic() - start:6.1f} s  {words}", file=sys.stderr, flush=True)

    return report


@dataclass(frozen=True, kw_only=True)
class _End:
    """How a command ended short of its answer: a sentence, a kind for --json and the exit code."""

    kind: str
    message: str
    code: int


def _fault_place(error: BaseException) -> str:
    """The innermost place of ours in a traceback: file and line, no value."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "caseveil" in frame.filename]
    return f"{os.path.basename(ours[-1].filename)}, line {ours[-1].lineno}" if ours else "an unknown place"


def _ended_by(error: BaseException) -> _End:
    if isinstance(error, KeyboardInterrupt | click.Abort | Cancelled):
        message = "stopped; nothing was published. What the ledger already holds stays charged."
        return _End(kind="Cancelled", message=message, code=STOPPED)
    if isinstance(error, CaseveilError):
        return _End(kind=type(error).__name__, message=str(error), code=BAD_INPUT)
    if isinstance(error, click.ClickException):
        message = error.format_message()
        if isinstance(error, click.UsageError) and error.ctx is not None:
            message += f"\nSee '{error.ctx.command_path} --help'."
        return _End(kind="UsageError", message=message, code=BAD_INPUT)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        message = "the disk is full. Make room, or choose another place with --out, and run the command again."
        return _End(kind="OutputError", message=message, code=BAD_INPUT)
    if isinstance(error, OSError):
        place = f" ({os.path.basename(os.fsdecode(error.filename))})" if isinstance(error.filename, str | bytes) else ""
        message = f"the system refused a file operation{place}: {error.strerror or type(error).__name__}"
        return _End(kind="OSError", message=message, code=BAD_INPUT)
    if isinstance(error, MemoryError):
        message = "there is not enough memory. Lower aggregates.length or aggregates.cells_cap in the plan."
        return _End(kind="MemoryError", message=message, code=BAD_INPUT)
    # The text of an unforeseen exception may hold a cell of the data: only its type and place are shown.
    message = (
        f"a fault in Caseveil itself ({type(error).__name__} in {_fault_place(error)}). Its text is not shown, as it "
        f"could hold a value of your data. Please report this line to the project. Should noise have been drawn, "
        f"its charge stands in the ledger."
    )
    return _End(kind="Fault", message=message, code=OUR_FAULT)


class PlainGroup(click.Group):
    """A group of commands that ends every failure in a sentence and an exit code, never in a traceback."""

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> None:
        """Run a command line and exit."""
        given = list(sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):
            # A column name that the terminal cannot show must not end the command.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            code = super().main(args=given, prog_name=prog_name, standalone_mode=False, **extra)
        except Exception as error:
            sys.exit(_report(_ended_by(error), "--json" in given))
        except KeyboardInterrupt as error:
            sys.exit(_report(_ended_by(error), "--json" in given))
        sys.exit(code if isinstance(code, int) else 0)


def _report(end: _End, as_json: bool) -> int:
    lead = "" if end.code == STOPPED else "error: "
    print(f"{lead}{end.message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": {"kind": end.kind, "message": end.message}}, indent=2))
    return end.code


def left_out(columns: Sequence[str]) -> list[str]:
    """Columns of the plan that the release lacks, if any."""
    return [f"Left out, as no value was frequent enough to be discovered: {', '.join(columns)}", ""] if columns else []


def shared(command: Command) -> Command:
    """The options of every command."""
    quiet = click.option("--quiet", is_flag=True, help="Show no progress.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Put one JSON document on stdout.")
    return as_json(quiet(command))


def require_bundle(bundle: Path, *, or_zip: bool = False) -> None:
    """Raise BundleError unless BUNDLE is a folder (or, with or_zip, a zip of one), with the nearest that is there."""
    if bundle.is_dir() or (or_zip and zipfile.is_zipfile(bundle)):
        return
    others = [path.name for path in bundle.parent.iterdir() if path.is_dir()] if bundle.parent.is_dir() else []
    near = difflib.get_close_matches(bundle.name, others, n=1)
    hint = f"; did you mean {bundle.parent / near[0]}?" if near else ""
    state = "is a file" if bundle.exists() else "does not exist"
    if zipfile.is_zipfile(bundle):
        state = "is a zip: unpack it, and name the folder"
    wanted = "the folder of a release, or a zip of it" if or_zip else "the folder of a release"
    raise BundleError(f"BUNDLE ({bundle}) must be {wanted}, and it {state}{hint}")
