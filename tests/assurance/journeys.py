"""Every command on planted secrets, and what each leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from caseveil.cli import main
from tests.assurance import planted
from tests.assurance.sandbox import Ended, Sandbox


def place(root: Path, plan: str = planted.LINKED) -> Sandbox:
    """A sandbox with both tables as CSV, a plan, and two plans of a series."""
    sandbox = Sandbox(root=root)
    sandbox.put("victims.csv", planted.as_csv(planted.victims()))
    sandbox.put("perpetrators.csv", planted.as_csv(planted.perpetrators()))
    sandbox.put("release.toml", plan)
    sandbox.put("first.toml", planted.of_series(plan, "first", 'until = "2020"'))
    further = 'until = "2023"\nafter = "2020"\nprevious = "cases-first"\neveryone = 0.2'
    sandbox.put("next.toml", planted.of_series(plan, "next", further))
    return sandbox


def commands(sources: Sequence[str]) -> list[tuple[str, ...]]:
    """Command lines that use every command once or more, in an order in which all of them find what they need.

    sources: files that init reads.
    """
    private = ("evaluate", "cases-1", "release.toml")
    return [
        ("init", *sources, "--out", "draft.toml"),
        ("init", *sources, "--out", "draft-2.toml", "--json"),
        ("check", "release.toml"),
        ("check", "release.toml", "--json"),
        ("forecast", "release.toml", "--figure", "error.svg"),
        ("forecast", "release.toml", "--json"),
        ("release", "release.toml", "--open"),
        ("release", "release.toml", "--json", "--out", "published/again"),
        ("release", "release.toml"),  # the place is taken
        ("evaluate", "published/again", "release.toml", "--json", "--out", "private"),
        private,
        private,  # the place is taken
        ("verify", "cases-1"),
        ("verify", "cases-1", "--json"),
        ("explore", "cases-1"),
        ("explore", "cases-1", "--json"),
        ("ledger", "show", "ledger.caseveil"),
        ("ledger", "show", "ledger.caseveil", "--json", "--figure", "spent.svg"),
        ("ledger", "verify", "ledger.caseveil"),
        ("ledger", "verify", "ledger.caseveil", "--json"),
        ("ledger", "merge", "ledger.caseveil", "ledger.caseveil", "--out", "merged.caseveil", "--json"),
        ("ledger", "merge", "ledger.caseveil", "draft.toml", "--out", "merged-2.caseveil"),  # one is no ledger
        ("check", "first.toml"),
        ("release", "first.toml"),
        ("check", "next.toml"),
        ("release", "next.toml"),
        ("evaluate", "cases-next", "next.toml", "--attacks"),
        ("verify", "cases-next"),
        ("audit", "cases-next"),
        ("audit", "release.toml", "--runs", "20", "--minutes", "60", "--workers", "1"),
        ("ledger", "show", "ledger.caseveil"),
    ]


REFUSED = (8, 11, 21)
"""Places of the commands above that are refused."""

SHOWN_ELSEWHERE = {"app", "demo"}
"""Commands that read no rows but their own. The app serves pages; the engine behind them: app_journeys."""


def all_commands(group: click.Group = main, before: tuple[str, ...] = ()) -> set[str]:
    """The names of all commands, a space between group and command."""
    found: set[str] = set()
    for name, inner in group.commands.items():
        found |= all_commands(inner, (*before, name)) if isinstance(inner, click.Group) else {" ".join((*before, name))}
    return found


def traces(sandbox: Sandbox, ended: Ended) -> Mapping[str, list[str]]:
    """Where a command left traces of the secrets: its streams and every file beside the inputs."""
    return planted.leaks({"stdout": ended.stdout, "stderr": ended.stderr, **sandbox.produced()})


def with_row(**cells: str) -> bytes:
    """The people, and one more told by secrets but for these cells."""
    columns = planted.victims()
    for name, column in columns.items():
        column.append(cells.get(name, f"{planted.STEM}LAST" if name == "remarks" else column[20]))
    return planted.as_csv(columns)


def with_link(**cells: str) -> bytes:
    """The perpetrators, and one more told by secrets but for these cells."""
    columns = planted.perpetrators()
    given = {"perpetrator_id": f"P-{planted.STEM}LAST", "remarks": f"{planted.STEM}LAST", **cells}
    for name, column in columns.items():
        column.append(given.get(name, column[20]))
    return planted.as_csv(columns)


_SECRET = planted.STEM.encode()
_PEOPLE = planted.as_csv(planted.victims())
_LINKS = planted.as_csv(planted.perpetrators())
_ROW = next(line for line in _PEOPLE.split(b"\n") if _SECRET in line)

Files = dict[str, bytes | str]
BAD_INPUT: dict[str, Files] = {
    "a key twice": {"victims.csv": with_row(victim_id=planted.KEY)},
    "a key empty": {"victims.csv": with_row(victim_id="")},
    "a value outside": {"victims.csv": with_row(gender=f"{planted.STEM}GENDER")},
    "a number outside": {
        "victims.csv": with_row(age=planted.STEM),
        "release.toml": planted.LINKED.replace('outside = "missing"', ""),
    },
    "a bad date": {
        "victims.csv": with_row(registered=f"{planted.STEM}-13-45"),
        "release.toml": planted.LINKED.replace('outside = "missing"', ""),
    },
    "a row of another width": {"victims.csv": _PEOPLE + _ROW + b",more\n"},
    "a row cut off": {"victims.csv": _PEOPLE + _ROW[:12]},
    "an open quote": {"victims.csv": _PEOPLE + b'"' + _ROW},
    "a quote in a cell": {"victims.csv": _PEOPLE + b'"' + _SECRET + b'"' + _ROW},
    "a NUL": {"victims.csv": _PEOPLE + b"\0" + _ROW + b"\n"},
    "two encodings": {
        "victims.csv": _PEOPLE.replace(b"x1,", "é,".encode()) + _ROW + "é\n".encode("latin-1"),
    },
    "a title above the names": {"victims.csv": b"Cases of " + _SECRET + b",,,\n" + _PEOPLE},
    "no names": {"victims.csv": _ROW + b"\n" + _PEOPLE.partition(b"\n")[2]},
    "one cell a row": {"victims.csv": _PEOPLE.replace(b",", b":")},
    "a damaged workbook": {"victims.csv": b"PK\x03\x04" + _ROW},
    "half a workbook": {"victims.csv": planted.as_workbook(planted.victims())[:6000]},
    "damaged Parquet": {"victims.csv": b"PAR1" + _ROW + b"PAR1"},
    "half of Parquet": {"victims.csv": planted.as_parquet(planted.victims())[:4000]},
    "a PDF": {"victims.csv": b"%PDF-1.7 " + _ROW},
    "a link to nobody": {"perpetrators.csv": with_link(victim_id=f"V-{planted.STEM}NOBODY")},
    "a link without a key": {"perpetrators.csv": with_link(victim_id="")},
    "a link twice": {
        "perpetrators.csv": with_link(
            victim_id=planted.KEY, perpetrator_id=planted.LINK_SECRETS["perpetrator_id"]
        )
    },
    "a linked value outside": {"perpetrators.csv": with_link(gender=f"{planted.STEM}GENDER")},
    "links of a key that is padded": {"perpetrators.csv": _LINKS.replace(b",V", b", 0V")},
    "too many links": {
        "perpetrators.csv": _LINKS + b"".join(
            f"P-{planted.STEM}{i},{planted.KEY},Male,,Ruritania,y\n".encode() for i in range(9)
        ),
        "release.toml": planted.LINKED.replace('unit = "victim"', 'unit = "victim or perpetrator"').replace(
            "at_most = 3 }", "at_most = 3, shared_by_at_most = 1 }"
        ),
    },
    "a column that is not there": {"release.toml": planted.LINKED.replace("columns.sector", "columns.sectr")},
    "over budget": {
        "release.toml": planted.LINKED.replace("[aggregates]", "budget = { epsilon = 0.5, delta = 1e-8 }\n[aggregates]")
    },
    "a ledger that is none": {"ledger.caseveil": _PEOPLE},
}  # fmt: skip
"""Faults of the input by name: the files that are other than in `place`. All are refused and nothing is charged."""


def spoil(sandbox: Sandbox, files: Files) -> None:
    """Puts files in the place of others."""
    for name, data in files.items():
        sandbox.put(name, data)

