"""Writes docs/reference/cli.md and docs/reference/plan.md from the commands and the keys of the plan.

Run it after changing either: python tools/make_reference.py. A test fails while the pages are old.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from caseveil.cli import main
from caseveil.plan_keys import KEYS, KINDS, Key

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"


def pages() -> dict[str, str]:
    """File name to text of every generated page."""
    return {"cli.md": cli_page(), "plan.md": plan_page()}


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from _walk(inner, f"{path} {name}")


def cli_page() -> str:
    """Every command with its own help."""
    parts = [
        "# Commands\n",
        "Answers go to stdout and progress to stderr; `--json` puts one JSON document on stdout, and "
        "`--quiet` silences progress.\n",
        "| exit code | meaning |\n|---|---|\n"
        "| 0 | done |\n"
        "| 1 | the answer is no (`verify`, `ledger verify`, `audit`) |\n"
        "| 2 | the input must be mended; a sentence says how, and nothing was charged before it was checked |\n"
        "| 70 | a fault in Caseveil itself |\n"
        "| 130 | stopped; nothing was published |\n",
        'Under `--json` a failure is the document `{"error": {"kind": ..., "message": ...}}`.\n',
    ]
    for path, command in _walk(main, "caseveil"):
        parts.append(f"## {path}\n\n{_command(path, command)}")
    return "\n".join(parts)


def _command(path: str, command: click.Command) -> str:
    """Usage, help and options. Put together here, so that no release of click changes the page."""
    arguments = " ".join(_argument(one) for one in command.params if isinstance(one, click.Argument))
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\n")
    lines = ["| option | takes | default | meaning |", "|---|---|---|---|"]
    for one in command.params:
        if isinstance(one, click.Option):
            flag = f"`{'`, `'.join(one.opts)}`"
            takes = "" if one.is_flag else (one.metavar or one.type.name.removesuffix(" range"))
            default = str(one.default) if one.show_default and not one.is_flag else ""
            lines.append(_row(flag, takes, default, one.help or ""))
    usage = f"```text\n{path} {arguments} [options]\n```\n"
    return f"{usage}\n{text.strip()}\n\n```text\n{example.strip()}\n```\n\n" + "\n".join(lines) + "\n"


def _argument(argument: click.Argument) -> str:
    return argument.metavar or f"{(argument.name or '').upper()}{'...' if argument.nargs == -1 else ''}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def plan_page() -> str:
    """Every key of release.toml."""
    parts = [
        "# release.toml\n",
        "A plan holds every choice that shapes a release. Keys that are not listed here are refused. Paths start "
        "at the folder of the plan. All of a plan is public but for `source`, `query`, `ledger`, `from`, `recode` and "
        "`where`.\n",
    ]
    for section, keys in KEYS.items():
        if section in KINDS:
            parts.append(f"## Columns of kind {section}\n\n{_table(keys)}")
        else:
            parts.append(f"## [{section}]\n\n{_table(keys)}")
    return "\n".join(parts)


def _table(keys: Mapping[str, Key]) -> str:
    lines = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for name, key in keys.items():
        default = "must be given" if key.default is None else key.default
        lines.append(_row(f"`{name}`", key.takes, default, key.meaning))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for file_name, text in pages().items():
        (REFERENCE / file_name).write_text(text, encoding="utf-8", newline="\n")
