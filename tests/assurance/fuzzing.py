"""Plans and data files that are a little or very wrong, and what the commands make of them.

Every one starts from a sound plan or file. Commands run in this process. Whatever comes, the exit code is 0 or 2, no
traceback is printed, no secret is shown, and a refusal leaves every file and the ledger as they were.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseveil.cli import main
from tests.assurance import planted

PEOPLE = 24

_NUMBERS = (
    "0", "1", "-1", "2", "17", "0.5", "1e-320", "1e308", "1e400", "-0.0", "nan", "-nan", "inf", "-inf", "true",
    "99999999999999999999", "1979-05-27", "0x10", '"1"', "[]", "{}", '""',
)  # fmt: skip
_TEXTS = (
    "", " ", ".", "..", "../x", "/", "a/b", "CON", "victims", "perpetrators", "victim_id", "gender", "nan", "\\u0000",
    "\\ud800", "\\U0001f600", "é", "x" * 300, "0", ";", ",", "number of perpetrators", "other perpetrators.gender",
    "release.toml", "victims.csv", "\\n", "\\t", "'", "{", "sqlite:///x.db", "https://x", "auto",
    "victim or perpetrator",
)  # fmt: skip
_KEYS = (
    "name", "version", "epsilon", "delta", "unit", "ledger", "budget", "length", "fabrication", "weights", "cells_cap",
    "source", "query", "key", "links", "kind", "values", "bins", "labels", "missing", "outside", "delimiter", "at_most",
    "meaning", "from", "recode", "has", "to", "shared_by_at_most", "nothing",
)  # fmt: skip
_LINES = (
    "[release]", "[privacy]", "[aggregates]", "[tables.victims]", "[tables.perpetrators]", "[tables.third]",
    "[tables.victims.columns.gender]", "[tables.victims.columns.new]", "[tables.perpetrators.columns.gender]",
    "[flattened.new]", 'from = "perpetrators.gender"', "[[tables]]", "[", "=", "\x00", "# x",
    "budget = { epsilon = 1 }",
    "budget = { epsilon = 9.0, delta = 1e-3 }", "weights = [1, 2]", 'labels = ["a", "b"]', "delta = 1e-6",
)  # fmt: skip


def _sound_plan(linked: bool) -> list[str]:
    text = planted.LINKED if linked else planted.ONE_TABLE
    return text.replace("delta = 4e-9", "delta = 0.001").replace("epsilon = 4.0", "epsilon = 20.0").strip().split("\n")


@st.composite
def plans(draw: st.DrawFn) -> bytes:
    """The text of a plan after one to four changes: lines gone, doubled, moved or new; keys and values exchanged."""
    lines = _sound_plan(draw(st.booleans()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        key, mark, value = lines[at].partition(" = ")
        kinds = ("value", "value", "text", "text", "key", "gone", "twice", "moved", "new", "bytes")
        what = draw(st.sampled_from(kinds))
        if what == "gone" and len(lines) > 1:
            del lines[at]
        elif what == "twice":
            lines.insert(at, lines[at])
        elif what == "moved":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        elif what == "new":
            given_line = st.builds(lambda k, v: f"{k} = {v}", st.sampled_from(_KEYS), st.sampled_from(_NUMBERS))
            lines.insert(at, draw(st.one_of(st.sampled_from(_LINES), given_line)))
        elif what == "bytes":
            place = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:place] + draw(st.text(max_size=3)) + lines[at][place + draw(st.integers(0, 3)) :]
        elif mark and key not in ("source", "ledger"):
            if what == "key":
                lines[at] = f"{draw(st.sampled_from(_KEYS))} = {value}"
            elif value.startswith("[") and draw(st.booleans()):
                lines[at] = f"{key} = [{draw(st.sampled_from(_NUMBERS))}, {value[1:]}"
            elif what == "value":
                lines[at] = f"{key} = {draw(st.sampled_from(_NUMBERS))}"
            else:
                lines[at] = f'{key} = "{draw(st.sampled_from(_TEXTS))}"'
    return "\n".join(lines).encode("utf-8", "surrogatepass")


_PIECES = (
    b"", b",", b";", b"\t", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3",
    b"\xed\xa0\x80", b"PK\x03\x04", b"PAR1", b"sep=;\n", b"1e400", b"nan", b"inf", b"-1", b"2019-02-30", b"'", b"\\",
    b"=1+1", b" ", b"\xc2\xa0", b"\xe2\x80\xae", b"\x1a", b"V00001", b"Female", b"x" * 70_000, b"9" * 400,
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name of one of the two data files, and its bytes after one to five changes."""
    name = draw(st.sampled_from(("victims.csv", "perpetrators.csv")))
    data = _sound_tables()[name]
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data)))
        what = draw(st.sampled_from(("piece", "piece", "random", "cut", "line", "codec", "all")))
        if what == "piece":
            data = data[:at] + draw(st.sampled_from(_PIECES)) + data[at + draw(st.integers(0, 4)) :]
        elif what == "random":
            data = data[:at] + draw(st.binary(max_size=8)) + data[at:]
        elif what == "cut":
            data = data[:at]
        elif what == "line":
            lines = data.split(b"\n")
            one = draw(st.integers(0, len(lines) - 1))
            lines.insert(draw(st.integers(0, len(lines))), lines[one] if draw(st.booleans()) else lines.pop(one))
            data = b"\n".join(lines)
        elif what == "codec":
            codec = draw(st.sampled_from(("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig")))
            data = data.decode("utf-8", "replace").encode(codec, "replace")
        else:
            old, new = draw(st.sampled_from(_PIECES[1:8])), draw(st.sampled_from(_PIECES[:30]))
            data = data.replace(old, new)
    return name, data


def _sound_tables() -> dict[str, bytes]:
    return {
        "victims.csv": planted.as_csv(planted.victims(PEOPLE)),
        "perpetrators.csv": planted.as_csv(planted.perpetrators(PEOPLE)),
    }


def lay_out(folder: Path) -> None:
    """Puts sound data and a sound plan into the folder."""
    for name, data in _sound_tables().items():
        (folder / name).write_bytes(data)
    # Single values only, which is quick: what files can break comes before anything is counted.
    plan = "\n".join(_sound_plan(linked=True)).replace("length = 2", "length = 1")
    (folder / "release.toml").write_text(plan, encoding="utf-8")


def _files(folder: Path) -> dict[str, bytes]:
    """What lies there by its path; locks and folders have no bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if path.suffix != ".lock"
    }


def hold(folder: Path, *args: str) -> int:
    """Runs a command in the folder, which is the working one, and raises AssertionError unless it ended as it should.

    Afterwards the folder is as before. Returns the exit code.
    """
    before = _files(folder)
    result = CliRunner().invoke(main, list(args))
    after = _files(folder)
    said = result.stdout + result.stderr
    assert isinstance(result.exception, SystemExit | type(None)), repr(result.exception)
    assert result.exit_code in (0, 2), said
    assert "Traceback" not in said
    told = {"said": said.encode("utf-8", "replace")}
    if result.exit_code == 2:
        assert "error: " in result.stderr
        charged = "stays charged" in said  # of discoveries that found nothing; the message says it
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        allowed = charged and all("ledger" in name for name in changed)
        assert not changed or allowed, f"a refusal changed {sorted(changed)}"
    # A bundle may hold discovered values: of so few people, and with any delta, secrets can be among them.
    kept = {name: data for name, data in after.items() if before.get(name) != data and not name.startswith("made")}
    found = planted.leaks({**told, **kept})
    assert not found, f"a secret is shown: {found}"
    for name in sorted(after.keys() - before.keys(), key=len, reverse=True):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in folder.rglob("*.lock"):
        path.unlink()
    for name, data in before.items():
        if after.get(name) != data:
            (folder / name).write_bytes(data)
    return result.exit_code


def _run(cases: st.SearchStrategy[Any], one: Callable[[Any], int], folder: Path, examples: int) -> Counter[int]:
    """Exit codes of the first command on every example."""
    codes: Counter[int] = Counter()

    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    @given(cases)
    def every(example: Any) -> None:
        codes[one(example)] += 1

    lay_out(folder)
    here = Path.cwd()
    os.chdir(folder)
    try:
        every()
    finally:
        os.chdir(here)
    return codes


def fuzz_plans(folder: Path, examples: int) -> Counter[int]:
    """Releases by so many changed plans; how often each exit code came. Raises AssertionError at the first fault."""

    def one(text: bytes) -> int:
        (folder / "release.toml").write_bytes(text)
        return hold(folder, "release", "release.toml", "--quiet", "--out", "made")

    return _run(plans(), one, folder, examples)


def fuzz_tables(folder: Path, examples: int) -> Counter[int]:
    """Releases of so many changed data files, each drafted from, and checked where refused; as `fuzz_plans`."""

    def one(changed: tuple[str, bytes]) -> int:
        name, data = changed
        lay_out(folder)
        (folder / name).write_bytes(data)
        code = hold(folder, "release", "release.toml", "--quiet", "--out", "made")
        if code:
            hold(folder, "check", "release.toml", "--quiet")
        # A changed first line makes cells into names of columns, which are public: not what is tested here.
        if data.split(b"\n")[0] == _sound_tables()[name].split(b"\n")[0]:
            hold(folder, "init", "victims.csv", "perpetrators.csv", "--quiet", "--out", "draft.toml")
        return code

    return _run(tables(), one, folder, examples)
