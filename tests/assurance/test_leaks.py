"""No byte that any command produces holds a cell of a row.

Secrets stand in every place that a cell can have (planted.py). What is searched: stdout and stderr as the process wrote
them, every file that is not an input (Parquet unpacked), its path, what is left in the home or among temporary files.
The one way out is the discovery of values, which a value of one person passes with a chance below 1e-9 here.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import caseveil
from caseveil.errors import CaseveilError
from caseveil.privacy.ledger import Ledger
from tests.assurance import broken, journeys, planted
from tests.assurance.sandbox import Sandbox


def test_the_search_finds_a_secret_in_every_wrapping(tmp_path: Path) -> None:
    """Otherwise nothing below could fail."""
    import base64

    for start in range(3):
        assert planted.secrets_in(base64.b64encode(b"x" * start + planted.KEY.encode() + b"y"))
    key = planted.KEY
    for data in (key.lower().encode(), key.encode("utf-16"), b"918,273,645.0", key.encode().hex().encode()):
        assert planted.secrets_in(data), data
    assert set(planted.leaks({"a.parquet": planted.as_parquet(planted.victims())})) == {
        "a.parquet", "a.parquet (cells)", "a.parquet (metadata)",
    }  # fmt: skip
    assert planted.leaks({f"work/{planted.KEY}.csv": b""})
    sandbox = journeys.place(tmp_path)
    assert not planted.leaks(sandbox.produced())
    (sandbox.temporary / "left").write_bytes(sandbox.inputs["victims.csv"])
    assert list(planted.leaks(sandbox.produced())) == ["tmp/left"]


def surer() -> None:
    """A hook: the audit calls a sound plan broken once in 10^9 lines, not once in 1,000."""
    from caseveil import audit

    audit.Options = functools.partial(audit.Options, false_alarm=1e-9)  # type: ignore[misc,assignment]


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "one table"])
def test_no_command_shows_a_cell(tmp_path: Path, linked: bool) -> None:
    """False alarms: 3 releases that look for values, each with a chance below 1e-9 that a value of one person is
    discovered (a quarter of delta, 4e-9, is all that the discovery may use); and a sound plan that the audit calls
    broken, 1e-9 for each of its lines."""
    sandbox = journeys.place(tmp_path, planted.LINKED if linked else planted.ONE_TABLE)
    lines = journeys.commands(["victims.csv", "perpetrators.csv"] if linked else ["victims.csv"])
    for at, args in enumerate(lines):
        ended = sandbox.run(*args, hook=surer if "--runs" in args else None)
        assert ended.code == (2 if at in journeys.REFUSED else 0), ended.said
        assert journeys.traces(sandbox, ended) == {}, args
    assert sandbox.inputs_changed() == []
    assert {path for path in sandbox.produced() if not path.startswith("work/")} == set()
    told = [" ".join(args) + " " for args in lines]
    unused = {name for name in journeys.all_commands() if not any(line.startswith(f"{name} ") for line in told)}
    assert unused == journeys.SHOWN_ELSEWHERE, "add the new command to journeys.commands"


@pytest.mark.parametrize("kind", ["tsv", "xlsx", "parquet", "sqlite"])
def test_no_format_shows_a_cell(tmp_path: Path, kind: str) -> None:
    """Secrets also in comments, properties, hidden sheets and metadata. False alarms: below 1e-9."""
    tables = {"victims": planted.victims(), "perpetrators": planted.perpetrators()}
    sandbox = Sandbox(root=tmp_path)
    plan, files = planted.LINKED, [f"{name}.{kind}" for name in tables]
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
        planted.as_sqlite(sandbox.work / "cases.db", **tables)
        sandbox.take_in()
        for name in tables:
            asked = f'source = "sqlite:///cases.db"\nquery = "select * from {name} where 1 or \'{planted.STEM}\' = 1"'
            plan = plan.replace(f'source = "{name}.csv"', asked)
    else:
        for name, columns in tables.items():
            written = {
                "tsv": lambda cells: planted.as_csv(cells, "\t"),
                "xlsx": planted.as_workbook,
                "parquet": planted.as_parquet,
            }[kind](columns)
            sandbox.put(f"{name}.{kind}", written)
        plan = plan.replace(".csv", f".{kind}")
    sandbox.put("release.toml", plan)
    for args in [("check", "release.toml"), ("release", "release.toml")]:
        ended = sandbox.run(*args)
        assert ended.code == 0, ended.said
        assert journeys.traces(sandbox, ended) == {}, args
    if kind != "sqlite":
        ended = sandbox.run("init", *files, "--out", "draft.toml")
        assert ended.code == 0, ended.said
        assert journeys.traces(sandbox, ended) == {}


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_query_that_fails_on_a_cell_does_not_quote_it(tmp_path: Path, kind: str) -> None:
    """Databases quote the cell that they could not convert."""
    pytest.importorskip("duckdb" if kind == "duckdb" else "sqlalchemy")
    sandbox = journeys.place(tmp_path, planted.ONE_TABLE)
    query = "select cast(sector as integer) as gender from read_csv('victims.csv')"
    if kind == "sqlite":
        planted.as_sqlite(sandbox.work / "cases.db", victims=planted.victims())
        sandbox.take_in()
        query = "select json_extract(victim_id || '{', '$') as gender from victims"
    url = "duckdb:///:memory:" if kind == "duckdb" else "sqlite:///cases.db"
    source = f'source = "{url}"\nquery = "{query}"'
    sandbox.put("release.toml", planted.ONE_TABLE.replace('source = "victims.csv"', source))
    for command in ("check", "release"):
        ended = sandbox.run(command, "release.toml")
        assert ended.code == 2, ended.said
        assert b"the query to" in ended.stderr
        assert journeys.traces(sandbox, ended) == {}
    assert not (sandbox.work / "ledger.caseveil").exists()


@pytest.mark.parametrize("fault", journeys.BAD_INPUT)
def test_no_refusal_shows_a_cell(tmp_path: Path, fault: str) -> None:
    """Nor does one charge anything, leave anything but a lock or change an input."""
    sandbox = journeys.place(tmp_path)
    journeys.spoil(sandbox, journeys.BAD_INPUT[fault])
    commands = [("release", "release.toml"), ("release", "release.toml", "--json", "--quiet")]
    if fault not in ("over budget", "a ledger that is none"):
        commands.append(("check", "release.toml"))
    for args in commands:
        ended = sandbox.run(*args)
        if args[0] == "check" and fault == "too many links":
            continue
        assert ended.code == 2, ended.said
        assert b"error: " in ended.stderr
        assert journeys.traces(sandbox, ended) == {}
        assert [path for path in sandbox.produced() if not path.endswith(".lock")] == []
    assert sandbox.inputs_changed() == []
    ended = sandbox.run("init", "victims.csv", "perpetrators.csv", "--out", "draft.toml")
    assert ended.code in (0, 2), ended.said
    if fault != "no names":  # see the test of a first line that is a row
        assert journeys.traces(sandbox, ended) == {}


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was raised from or while handling, also where Python would not show it."""
    seen: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop()
        if one is not None and one not in seen:
            seen.append(one)
            queue += [one.__cause__, one.__context__]
            yield one


@pytest.mark.parametrize("fault", journeys.BAD_INPUT)
def test_no_exception_holds_a_cell(tmp_path: Path, fault: str) -> None:
    """For callers in Python, who may log errors with all that hangs on them."""
    sandbox = journeys.place(tmp_path)
    journeys.spoil(sandbox, journeys.BAD_INPUT[fault])
    with pytest.raises(CaseveilError) as raised:
        caseveil.run(sandbox.work / "release.toml")
    assert planted.secrets_in("".join(traceback.format_exception(raised.value)).encode()) == []
    for error in chain(raised.value):
        told = repr((type(error), error.args, vars(error), getattr(error, "__notes__", [])))
        assert planted.secrets_in(told.encode()) == [], type(error)


@pytest.mark.parametrize("place", broken.PLACES)
def test_a_fault_of_ours_shows_no_cell(tmp_path: Path, place: str) -> None:
    """An error that nobody foresaw, in the middle of a release, with a cell in its text: exit code 70 and no text."""
    sandbox = journeys.place(tmp_path)
    for options in ((), ("--json",)):
        ended = sandbox.run("release", "release.toml", *options, hook=broken.Break(place))
        assert ended.code == 70, ended.said
        assert b"a fault in Caseveil itself (ValueError in " in ended.stderr
        assert b"Traceback" not in ended.stdout + ended.stderr
        assert journeys.traces(sandbox, ended) == {}
    assert [name for name in sandbox.produced() if "cases-1" in name] == []


def test_a_first_line_that_is_a_row_is_noticed(tmp_path: Path) -> None:
    """Names of columns are public, so a file without names would make its first row public."""
    sandbox = journeys.place(tmp_path)
    names, rest = sandbox.inputs["victims.csv"].split(b"\n", 1)
    assert b"gender" in names
    sandbox.put("bare.csv", rest)
    ended = sandbox.run("init", "bare.csv", "--out", "draft.toml")
    assert ended.code == 2
    assert b"the first line looks like a row" in ended.stderr
    assert sandbox.produced() == {}


def test_the_ledger_names_no_value(tmp_path: Path) -> None:
    """Neither discovered ones, which are public only once the bundle is."""
    sandbox = journeys.place(tmp_path)
    assert sandbox.run("release", "release.toml").code == 0
    written = (sandbox.work / "ledger.caseveil").read_text()
    assert Ledger.open(sandbox.work / "ledger.caseveil").entries
    values = ("Care", "Mining", "Debt", "Recruiter", "Ruritania")
    assert [value for value in values if value in written] == []
    published = (sandbox.work / "cases-1" / "codebook.csv").read_text()
    assert any(value in published for value in values), "nothing was discovered"
