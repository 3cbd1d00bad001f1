"""Whatever stops a charge, and wherever: what returned is on the books, and what is half there is spent or refused.

The disk is modelled at its worst. Bytes are safe once the file was synced and a name once its folder was; of all
others any beginning may survive a loss of power, with zeros in place of the rest or without.
"""

import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caseveil.errors import LedgerError, OutputError
from caseveil.privacy import durable, ledger
from caseveil.privacy.durable import create
from caseveil.privacy.ledger import HEADER, Ledger
from caseveil.privacy.ledger_lines import read_book
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.privacy.mechanism import GaussianEvent

REAL_WRITE = os.write
CHUNK = 48
"""The disk takes so many bytes at a time, so that a charge can stop in the middle of its line."""

MUS = (0.5, 0.25)
"""The charges of every history; each mu is its own, so that the entries are known by it."""


def charge(book: Ledger, mu: float) -> None:
    book.charge(
        GaussianEvent(label="counts", mu=mu),
        release="cases",
        version="1",
        unit="victim",
        population="cases",
        plan_digest="d",
    )


class PowerLoss(BaseException):
    """Everything stops: no handler of ours may run on, so it is no Exception."""


class Disk:
    """The operating system below one ledger, which stops before its step number `stop`."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
        self.path = path
        self.stop = stop
        self.steps = 0
        self.safe = b""
        self.named = False
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fsync", self.fsync)

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.stop:
            raise PowerLoss

    def write(self, descriptor: int, data: bytes) -> int:
        self._step()
        return REAL_WRITE(descriptor, data[:CHUNK])

    def fsync(self, descriptor: int) -> None:
        self._step()
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self.named = True
        else:
            self.safe = self.path.read_bytes()

    def survivors(self) -> Iterator[bytes | None]:
        """Every content that the file may have after a loss of power; None: there is no file."""
        there = self.path.read_bytes() if self.path.exists() else None
        if there is None or not self.named:
            yield None
        if there is None:
            return
        for end in range(len(self.safe), len(there) + 1):
            yield there[:end]
            yield there[:end] + bytes(len(there) - end)


def broken(returned: list[float], asked: list[float], disk: Disk) -> list[str]:
    """What is wrong with the books after a loss of power, given the charges that returned and those asked for."""
    out = []
    for content in disk.survivors():
        if content is None:
            found: list[float] = []
        else:
            try:
                found = [entry.event.mu for entry in read_book(content).entries]
            except LedgerError as error:
                if "cut short" not in str(error):
                    out.append(f"the refusal says: {error}")
                continue  # refused: nothing is lost, and nothing goes on
        if found[: len(returned)] != returned:
            out.append(f"returned {returned} and found {found}")
        if found != asked[: len(found)]:
            out.append(f"asked for {asked} and found {found}")
    return out


def history(path: Path, monkeypatch: pytest.MonkeyPatch, stop: int) -> tuple[list[str], bool]:
    """Charge until the stop; then a second process goes on, as after a kill. What is wrong, and whether it stopped."""
    with monkeypatch.context() as patched:
        disk = Disk(path, patched, stop)
        returned: list[float] = []
        stopped = False
        try:
            book = Ledger.open(path)
            for mu in MUS:
                charge(book, mu)
                returned.append(mu)
        except PowerLoss:
            stopped = True
        asked = list(MUS[: len(returned) + 1])
        wrong = broken(returned, asked, disk)
        if stopped:
            with suppress(LedgerError):  # an event that cannot be read is refused, and so the story ends
                again = Ledger.open(path)
                before = [entry.event.mu for entry in again.entries]
                charge(again, 0.125)
                wrong += broken([*before, 0.125], [*before, 0.125], disk)
                if before[: len(returned)] != returned:
                    wrong.append(f"returned {returned} and the next process saw {before}")
    return wrong, stopped


def every_history(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    wrong: list[str] = []
    for stop in range(1, 1000):
        (folder / str(stop)).mkdir()
        found, stopped = history(folder / str(stop) / "ledger.caseveil", monkeypatch, stop)
        wrong += [f"stopped at {stop}: {text}" for text in found]
        if not stopped:
            return wrong, stop
    raise AssertionError("a history must end")


posix = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced there")


@posix
def test_a_charge_that_returned_survives_any_loss_of_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, stops = every_history(tmp_path, monkeypatch)
    assert wrong == []
    assert stops > 15


@posix
def test_the_model_notices_a_file_that_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(descriptor: int, data: bytes) -> None:
        while data:
            data = data[os.write(descriptor, data) :]

    monkeypatch.setattr(durable, "_write", forgetful)
    assert any("and found []" in text for text in every_history(tmp_path, monkeypatch)[0])


@posix
def test_the_model_notices_a_name_that_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_sync_folder", lambda folder: None)
    assert any("and found []" in text for text in every_history(tmp_path, monkeypatch)[0])


@posix
def test_the_model_notices_a_name_that_only_its_maker_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The maker is killed between the two syncs; the next charge must not rely on the name."""
    real = durable._sync_folder
    sizes: dict[Path, int] = {}

    def once(folder: Path) -> None:
        size = (folder / "ledger.caseveil").stat().st_size
        if size <= sizes.setdefault(folder, size):
            real(folder)

    monkeypatch.setattr(durable, "_sync_folder", once)
    wrong = every_history(tmp_path, monkeypatch)[0]
    assert any("0.125] and found []" in text for text in wrong)


CHARGE_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent
book = Ledger.open(Path(sys.argv[1]))
while True:
    event = GaussianEvent(label=sys.argv[2], mu=0.01)
    book.charge(event, release="r", version="1", unit="u", population="p", plan_digest="d")
    print(".", end="", flush=True)
    time.sleep(0.003)  # the other one's turn
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(ledger.__file__).parents[2])}


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_charges_stand_when_processes_are_killed_at_any_moment(tmp_path: Path) -> None:
    """Two at once, again and again on one ledger: each acknowledged charge is there, and at most one more."""
    path = tmp_path / "ledger.caseveil"
    maker = random.Random(1)
    for turn in range(5):
        names = [f"{turn}a", f"{turn}b"]
        both = [
            subprocess.Popen(
                [sys.executable, "-c", CHARGE_UNTIL_KILLED, str(path), name], env=environment(), stdout=subprocess.PIPE
            )
            for name in names
        ]
        said = []
        for process in both:
            assert process.stdout is not None
            said.append(process.stdout.read(1))  # it has begun
        for process in both:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=maker.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
        heard = [len(first + process.communicate()[0]) for first, process in zip(said, both, strict=True)]
        assert [process.returncode for process in both] == [-signal.SIGKILL] * 2
        book = Ledger.open(path)
        for name, count in zip(names, heard, strict=True):
            assert count >= 1
            assert sum(entry.event.label == name for entry in book.entries) in (count, count + 1)
    charge(book, 0.5)


SPEND_WHAT_FITS = """
import sys
from pathlib import Path
from caseveil.errors import InsufficientBudget
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import GaussianEvent
book = Ledger.open(Path(sys.argv[1]))
budget = EpsilonDelta(epsilon=2.0, delta=1e-6)
refused = 0
while not refused:
    event = GaussianEvent(label="counts", mu=float(sys.argv[2]))
    with book.locked():
        try:
            book.require([event], budget)
            book.charge(event, release="r", version="1", unit="u", population="p", plan_digest="d")
        except InsufficientBudget:
            refused += 1
"""


def test_processes_at_once_do_not_pass_a_budget_together(tmp_path: Path) -> None:
    path = tmp_path / "ledger.caseveil"
    budget = EpsilonDelta(epsilon=2.0, delta=1e-6)
    mu = repr(mu_for(budget) / 7.001**0.5)
    each = [
        subprocess.Popen([sys.executable, "-c", SPEND_WHAT_FITS, str(path), mu], env=environment()) for _ in range(3)
    ]
    assert [process.wait(timeout=60) for process in each] == [0, 0, 0]
    book = Ledger.open(path)
    assert len(book.entries) == 7
    assert book.total().epsilon(budget.delta) <= budget.epsilon


def test_a_file_that_is_just_being_made_is_read_again_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the making of a file and its first byte, or inside a line, somebody else may look."""
    path = tmp_path / "ledger.caseveil"
    charge(Ledger.open(path), 0.5)
    whole = path.read_bytes()
    real = Path.read_bytes
    for seen in (b"", HEADER[:9], whole[:-1], whole[:-30], whole[: len(HEADER) + 40]):
        looks = [seen]
        monkeypatch.setattr(Path, "read_bytes", lambda self, looks=looks: looks.pop() if looks else real(self))
        assert [entry.interrupted for entry in Ledger.open(path).entries] == [False]
        looks.append(seen)
        assert len(Ledger.read(path).entries) == 1
        monkeypatch.undo()


class EarlierClock(datetime):
    """A clock that somebody set back by years."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime(1999, 1, 1, tzinfo=UTC)


def test_a_clock_that_goes_back_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.caseveil"
    charge(Ledger.open(path), 0.5)
    monkeypatch.setattr(ledger, "datetime", EarlierClock)
    charge(Ledger.open(path), 0.25)
    monkeypatch.undo()
    charge(Ledger.open(path), 0.125)
    entries = Ledger.open(path).entries
    assert [entry.event.mu for entry in entries] == [0.5, 0.25, 0.125]
    assert entries[1].time == "1999-01-01T00:00:00+00:00"
    assert entries[0].time > entries[1].time < entries[2].time


def test_a_folder_that_cannot_be_written_can_still_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.caseveil"
    charge(Ledger.open(path), 0.5)
    (tmp_path / "ledger.caseveil.lock").unlink()
    path.write_bytes(path.read_bytes()[:-1])  # which would make the reader ask for the lock
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert [entry.interrupted for entry in Ledger.read(path).entries] == [True]
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(LedgerError, match=r"none.caseveil\) must be a file that is there"):
        Ledger.read(tmp_path / "none.caseveil")


def test_a_file_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "merged"
    (tmp_path / "merged.part").write_bytes(b"left by somebody who was stopped")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match=r"merged\) could not be written: No space left on device"):
        create(out, b"text")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    create(out, b"text")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"text"]
    with pytest.raises(OutputError, match="already exists and is left as it is"):
        create(out, b"other")
    assert out.read_bytes() == b"text"


@pytest.mark.parametrize("content", [bytes(40), HEADER[:20] + bytes(20)])
def test_zeros_for_a_first_line_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.caseveil"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="empty or cut short in its first line; if it never held a release, delete"):
        Ledger.open(path)


def test_zeros_before_the_end_of_the_last_line_are_refused_in_words(tmp_path: Path) -> None:
    """A disk may keep the second block of a line and lose the first."""
    path = tmp_path / "ledger.caseveil"
    for mu in MUS:
        charge(Ledger.open(path), mu)
    data = path.read_bytes()
    start = data.rindex(b"\n", 0, -1) + 1
    path.write_bytes(data[:start] + bytes(50) + data[start + 50 :])
    with pytest.raises(LedgerError, match=r"^line 3 of the ledger, its last, was cut short\. If this file is a copy"):
        Ledger.open(path)
    path.write_bytes(data[:start])
    assert [entry.event.mu for entry in Ledger.open(path).entries] == [MUS[0]]


def test_cutting_whole_lines_off_is_the_one_thing_that_a_chain_cannot_show(tmp_path: Path) -> None:
    """Said in the documentation; should it change, say so there."""
    path = tmp_path / "ledger.caseveil"
    for mu in MUS:
        charge(Ledger.open(path), mu)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\n", 0, -1) + 1])
    assert len(Ledger.open(path).entries) == 1
