"""Faults of the machine and of hands: a full disk, folders that may not be written, a clock that goes back, an edited
ledger, numbers that are none."""

from __future__ import annotations

import datetime as real_datetime
import math
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from caseveil import produce
from caseveil.cli import main
from caseveil.errors import LedgerError
from caseveil.plan import Plan
from caseveil.privacy import ledger as ledger_module
from caseveil.privacy.ledger import Ledger
from caseveil.release.verify import verify_bundle
from tests.assurance import fuzzing, kills, planted
from tests.assurance.sandbox import Sandbox

NOBODY = 65534


def place(root: Path, *, linked: bool = False) -> Sandbox:
    """A sandbox with sixty people."""
    sandbox = Sandbox(root=root)
    sandbox.put("victims.csv", planted.as_csv(planted.victims(60)))
    sandbox.put("perpetrators.csv", planted.as_csv(planted.perpetrators(60)))
    sandbox.put("release.toml", planted.SMALL_LINKED if linked else planted.SMALL)
    return sandbox


@dataclass(frozen=True)
class NoRoom:
    """A hook of a sandbox: no file can grow beyond so many bytes, as on a disk that is full."""

    size: int

    def __call__(self) -> None:
        """Sets the limit."""
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.size))


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files here")
@pytest.mark.parametrize("size", [200, 300, 700, 1000, 2500, 6000, 20_000])
def test_no_room(tmp_path: Path, size: int) -> None:
    """At a limit that is too small for the ledger nothing is charged; at one that is too small for a file of the bundle
    there is no bundle, and the charge stands."""
    sandbox = place(tmp_path)
    ended = sandbox.run("release", "release.toml", "--quiet", hook=NoRoom(size))
    assert ended.code == 2, ended.said
    assert b"error: " in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert planted.leaks({"out": ended.stdout, "err": ended.stderr, **sandbox.produced()}) == {}
    assert {name for name in sandbox.produced() if "ledger" not in name} == set()
    charges = len(Ledger.open(sandbox.work / kills.LEDGER).entries)
    if size <= 300:
        assert charges == 0
        assert b"ledger" in ended.stderr
    if size >= 2500:
        assert charges == 3
    if charges == 3:
        assert b"bundle" in ended.stderr
    assert sandbox.run("release", "release.toml", "--quiet").code == 0
    assert len(Ledger.open(sandbox.work / kills.LEDGER).entries) == charges + 3
    assert verify_bundle(sandbox.work / kills.BUNDLE).ok


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files here")
@pytest.mark.parametrize("size", [100, 700])
def test_no_room_for_a_draft_or_an_evaluation(tmp_path: Path, size: int) -> None:
    """Neither half a draft nor half an evaluation is left, which would be taken for a whole one."""
    sandbox = place(tmp_path)
    ended = sandbox.run("init", "victims.csv", "--out", "draft.toml", "--quiet", hook=NoRoom(size))
    assert ended.code == 2, ended.said
    assert b"--out (draft.toml) cannot be written" in ended.stderr
    assert sandbox.produced() == {}
    assert sandbox.run("release", "release.toml", "--quiet").code == 0
    before = sandbox.produced()
    ended = sandbox.run("evaluate", kills.BUNDLE, "release.toml", "--quiet", hook=NoRoom(size))
    assert ended.code == 2, ended.said
    assert b"cannot be written" in ended.stderr
    assert sandbox.produced() == before


@dataclass(frozen=True)
class NoRandomNumbers:
    """A hook of a sandbox: the operating system gives no random numbers; to noise alone, or to anybody."""

    everywhere: bool

    def __call__(self) -> None:
        """Takes them away."""
        from types import SimpleNamespace

        from caseveil.privacy import noise

        def fail(_: int) -> bytes:
            raise NotImplementedError("/dev/urandom (or equivalent) not found")

        if self.everywhere:
            os.urandom = fail
        else:
            noise.os = SimpleNamespace(urandom=fail)  # type: ignore[attr-defined]


@pytest.mark.parametrize("linked", [False, True], ids=["one table", "linked"])
def test_no_random_numbers(tmp_path: Path, linked: bool) -> None:
    """Without them there is no noise, so there is no release; a charge that was made before stands."""
    sandbox = place(tmp_path, linked=linked)
    ended = sandbox.run("release", "release.toml", "--quiet", hook=NoRandomNumbers(everywhere=False))
    assert ended.code == 2, ended.said
    assert b"the operating system gives no random numbers" in ended.stderr
    assert not (sandbox.work / kills.BUNDLE).exists()
    assert len(Ledger.open(sandbox.work / kills.LEDGER).entries) == 1
    ended = sandbox.run("release", "release.toml", "--quiet", hook=NoRandomNumbers(everywhere=True))
    assert ended.code != 0, ended.said
    assert b"Traceback" not in ended.stderr
    assert not (sandbox.work / kills.BUNDLE).exists()
    assert len(Ledger.open(sandbox.work / kills.LEDGER).entries) == 1


@dataclass(frozen=True)
class AsNobody:
    """A hook of a sandbox: gives up the rights of the superuser, who may write everywhere."""

    def __call__(self) -> None:
        """Gives them up, where there are any. What is loaded late is loaded before, as Python itself may be out of
        reach of others."""
        if os.geteuid() == 0:
            produce.check(Plan.read(Path("release.toml")))
            os.setgid(NOBODY)
            os.setuid(NOBODY)


def open_up(path: Path) -> None:
    """Lets everybody reach and read what lies in a folder."""
    for one in (path, *path.parents):
        if one.stat().st_uid == os.geteuid() and one != Path(one.root):
            one.chmod(one.stat().st_mode | 0o755)
    for one in path.rglob("*"):
        one.chmod(0o755 if one.is_dir() else 0o644)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users of that kind here")
@pytest.mark.parametrize("kept", ["everything", "the ledger's folder", "the place of the bundle"])
def test_what_may_not_be_written(tmp_path: Path, kept: str) -> None:
    """Nothing is charged, and the sentence says what cannot be written."""
    sandbox = place(tmp_path)
    plan = planted.SMALL.replace('ledger = "ledger.caseveil"', 'ledger = "books/ledger.caseveil"')
    sandbox.put("release.toml", plan)
    folders = {name: sandbox.work / name for name in ("books", "published")}
    for folder in folders.values():
        folder.mkdir()
    open_up(sandbox.root)
    writable = {
        "everything": [],
        "the ledger's folder": [folders["published"]],
        "the place of the bundle": [folders["books"]],
    }[kept]
    for folder in folders.values():
        folder.chmod(0o777 if folder in writable else 0o555)
    ended = sandbox.run("release", "release.toml", "--quiet", "--out", "published/cases", hook=AsNobody())
    for folder in folders.values():
        folder.chmod(0o755)
    assert ended.code == 2, ended.said
    expected = b"the ledger (ledger.caseveil) must be writable" if kept == "the ledger's folder" else b"published"
    assert expected in ended.stderr, ended.said
    assert {name for name in sandbox.produced() if not name.endswith(".lock")} == {"work/books", "work/published"}


def test_a_clock_that_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of charges is that of the lines, and all of them count."""

    class Back(real_datetime.datetime):
        years = iter(range(2031, 1990, -1))

        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> Back:
            return cls(next(cls.years), 1, 1, tzinfo=tz)

    sandbox = place(tmp_path)
    monkeypatch.setattr(ledger_module, "datetime", Back)
    plan = Plan.read(sandbox.work / "release.toml")
    made = [produce.run(plan, out=sandbox.work / f"made-{at}") for at in range(2)]
    assert all(verify_bundle(one.out).ok for one in made)
    monkeypatch.undo()
    opened = Ledger.open(plan.ledger_path)
    times = [entry.time for entry in opened.entries]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 6
    assert opened.total().mu == pytest.approx(math.hypot(*(one.statement.mu for one in made)))
    assert produce.run(plan, out=sandbox.work / "made-3").out.is_dir()


def charged(root: Path) -> Path:
    """A ledger with two releases."""
    sandbox = place(root)
    for out in ("one", "two"):
        assert sandbox.run("release", "release.toml", "--quiet", "--out", out).code == 0
    return sandbox.work / kills.LEDGER


def test_a_ledger_that_was_cut(tmp_path: Path) -> None:
    """At every byte: what is left of it counts, or the ledger refuses. A torn line counts once its event is whole."""
    path = charged(tmp_path)
    data = path.read_bytes()
    whole = Ledger.open(path).entries
    refused = 0
    for size in range(1, len(data)):
        path.write_bytes(data[:size])
        lines = data[:size].count(b"\n") - 1
        try:
            entries = Ledger.open(path).entries
        except LedgerError:
            refused += 1
            continue
        assert len(entries) >= lines
        assert [entry.event for entry in entries] == [entry.event for entry in whole[: len(entries)]]
    assert refused > 100


def test_a_ledger_that_was_edited_by_hand(tmp_path: Path) -> None:
    """A changed byte anywhere before the last line is noticed; the release is refused and the file left as it is."""
    path = charged(tmp_path)
    data = path.read_bytes()
    last = data.rstrip(b"\n").rfind(b"\n")
    for at in range(0, last, 3):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(LedgerError):
            Ledger.open(path)
    lines = data.split(b"\n")
    edits = {
        "a line gone": lines[:2] + lines[3:],
        "two lines exchanged": [*lines[:2], lines[3], lines[2], *lines[4:]],
        "a smaller loss": [*lines[:2], lines[2].replace(b'"mu": 0.', b'"mu": 0.0', 1), *lines[3:]],
        "a line twice": [*lines[:3], lines[2], *lines[3:]],
        "not text": [b"\xff\xfe", *lines],
        "no number": [re.sub(rb'"mu": [0-9.]+', b'"mu": NaN', line) for line in lines],
    }  # fmt: skip
    for name, edited in edits.items():
        path.write_bytes(b"\n".join(edited))
        before = path.read_bytes()
        assert before != data, name
        result = CliRunner().invoke(main, ["release", str(path.parent / "release.toml"), "--quiet"])
        assert result.exit_code == 2, (name, result.output)
        assert "ledger" in result.stderr
        assert path.read_bytes() == before
        assert not (path.parent / kills.BUNDLE).exists()


NUMBERS = r"(?<![\w\".-])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w\".-])"
STRANGE = ("nan", "inf", "-inf", "-1", "1e400", "-0.0", "1e-320", "123456789012345678901234567890", "true", '"1"')


def test_a_number_of_the_plan_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN, infinities and numbers out of all bounds in the place of every number. NaN and infinity are refused."""
    fuzzing.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (
        planted.LINKED.replace("length = 2", "length = 2\nfabrication = 0.05\nweights = [1.0, 2.0]\ncells_cap = 50000")
        .replace("delta = 4e-9", "delta = 4e-9\nbudget = { epsilon = 9.0, delta = 1e-3 }")
        .strip()
    )
    (tmp_path / "release.toml").write_text(text)
    assert fuzzing.hold(tmp_path, "check", "release.toml", "--quiet") == 0
    places = [found for found in re.finditer(NUMBERS, text) if "version" not in text[: found.start()].split("\n")[-1]]
    assert len(places) >= 16
    for found in places:
        for strange in STRANGE:
            (tmp_path / "release.toml").write_text(text[: found.start()] + strange + text[found.end() :])
            # A sound one would be released at length; `check` is enough to see that.
            code = fuzzing.hold(tmp_path, "check", "release.toml", "--quiet")
            if code or strange in ("nan", "inf", "-inf"):
                where = text[: found.start()].split("\n")[-1]
                assert fuzzing.hold(tmp_path, "release", "release.toml", "--quiet") == 2, (where, strange)
                assert not (tmp_path / "ledger.caseveil").exists()
