"""A charge is never lost, never changed unseen, and no budget is passed, whatever stops in between."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from caseveil.errors import InsufficientBudget, LedgerError
from caseveil.privacy import filelock, ledger
from caseveil.privacy.accountant import total
from caseveil.privacy.ledger import HEADER, Entry, Ledger
from caseveil.privacy.loss import EpsilonDelta, GaussianDP, mu_for
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent

COUNTS = GaussianEvent(label="counts", mu=0.25, detail="combinations of up to 3 columns")
VALUES = SelectionEvent(label="values", mu=0.0625, delta=1e-7, detail="1 column")


def charge(book: Ledger, event: Event = COUNTS, release: str = "cases") -> None:
    book.charge(
        event, release=release, version="2026-11", unit="victim", population="victims", plan_digest="sha256:0123"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.caseveil"


@pytest.fixture
def kept(path: Path) -> Path:
    """A ledger of three charges."""
    book = Ledger.open(path)
    for event in (VALUES, COUNTS, GaussianEvent(label="total", mu=0.5)):
        charge(book, event)
    return path


def test_charges_are_read_back(path: Path) -> None:
    book = Ledger.open(path)
    charge(book, VALUES)
    charge(book, COUNTS, release='Fälle "2"\n\u2028')
    again = Ledger.open(path)
    assert again.entries == book.entries
    assert [entry.event for entry in again.entries] == [VALUES, COUNTS]
    assert again.entries[1] == Entry(
        event=COUNTS,
        release='Fälle "2"\n\u2028',
        version="2026-11",
        unit="victim",
        population="victims",
        plan_digest="sha256:0123",
        time=book.entries[1].time,
    )
    assert again.total() == total([VALUES, COUNTS])


def test_a_charge_is_on_the_disk_when_it_returns(path: Path) -> None:
    charge(Ledger.open(path))
    lines = path.read_bytes().split(b"\n")
    assert (lines[0], lines[-1], len(lines)) == (HEADER, b"", 3)
    assert json.loads(lines[1])["event"] == COUNTS.to_json()


def test_a_charge_is_synced_before_it_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that the disk obeys, but that it is asked, after the write and for the new name too."""
    asked: list[int] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        asked.append(os.fstat(descriptor).st_size if os.fstat(descriptor).st_mode & 0o100000 else -1)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    charge(Ledger.open(path))
    assert asked == ([path.stat().st_size] if sys.platform == "win32" else [path.stat().st_size, -1])


def test_in_memory_works_alike(kept: Path) -> None:
    book = Ledger.open(None)
    for entry in Ledger.open(kept).entries:
        charge(book, entry.event)
    assert book.total() == Ledger.open(kept).total()
    assert [entry.event for entry in book.entries] == [entry.event for entry in Ledger.open(kept).entries]


def test_a_reader_leaves_nothing_behind(path: Path) -> None:
    book = Ledger.open(path)
    assert (book.entries, book.total().mu) == ((), 0.0)
    assert list(path.parent.iterdir()) == []


def test_the_same_lines_are_appended_to(kept: Path) -> None:
    before = kept.read_bytes()
    charge(Ledger.open(kept))
    assert kept.read_bytes().startswith(before)


CHARGE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent
book = Ledger.open(Path(sys.argv[1]))
with book.locked():
    event = GaussianEvent(label="counts", mu=0.25)
    book.charge(event, release="r", version="1", unit="u", population="p", plan_digest="d")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(ledger.__file__).parents[2])}


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_charge_stands_when_the_process_is_killed_right_after(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CHARGE_AND_DIE, str(path)], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    book = Ledger.open(path)
    assert [entry.event.mu for entry in book.entries] == [0.25]
    charge(book)  # and its lock did not outlive it
    assert len(Ledger.open(path).entries) == 2


CHARGE_OFTEN = """
import sys
from pathlib import Path
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent
book = Ledger.open(Path(sys.argv[1]))
for i in range(50):
    event = GaussianEvent(label=f"{i}", mu=0.01)
    book.charge(event, release=sys.argv[2], version="1", unit="u", population="p", plan_digest="d")
"""


def test_two_processes_take_turns(path: Path) -> None:
    both = [subprocess.Popen([sys.executable, "-c", CHARGE_OFTEN, str(path), name], env=environment()) for name in "ab"]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    entries = Ledger.open(path).entries
    for name in "ab":
        assert [entry.event.label for entry in entries if entry.release == name] == [f"{i}" for i in range(50)]
    assert len(entries) == 100


def test_a_second_ledger_waits_and_then_says_why(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_PATIENCE", 0.05)
    first, second = Ledger.open(kept), Ledger.open(kept)
    with first.locked(), pytest.raises(LedgerError, match=r"in use by another release; wait .* Nothing was charged"):
        charge(second)
    charge(second)
    assert len(second.entries) == 4


def test_what_another_wrote_meanwhile_counts(kept: Path) -> None:
    first, second = Ledger.open(kept), Ledger.open(kept)
    charge(first)
    budget = EpsilonDelta(epsilon=GaussianDP(mu=first.total().mu * 1.01).epsilon(1e-6), delta=1e-6)
    with pytest.raises(InsufficientBudget):
        second.require([COUNTS], budget)
    charge(second)
    assert Ledger.open(kept).entries == second.entries
    assert len(second.entries) == 5


def test_locks_are_nested(kept: Path) -> None:
    book = Ledger.open(kept)
    with book.locked():
        with book.locked():
            charge(book)
        charge(book)
    assert len(Ledger.open(kept).entries) == 5


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_changed_bytes_show(kept: Path) -> None:
    """Every byte of the header and every seventh of what a later hash covers, and of the last hash itself."""
    data = kept.read_bytes()
    last_line = data.rindex(b"\n", 0, -1) + 1
    protected = [*range(last_line + len('{"previous": "') + 64)]
    for place in [*protected[::7], *range(len(HEADER) + 1)]:
        kept.write_bytes(flipped(data, place))
        with pytest.raises(LedgerError):
            Ledger.open(kept)
    kept.write_bytes(data)
    assert len(Ledger.open(kept).entries) == 3


def edit(change: Callable[[list[bytes]], object]) -> Callable[[bytes], bytes]:
    def apply(data: bytes) -> bytes:
        lines = data.split(b"\n")
        change(lines)
        return b"\n".join(lines)

    return apply


def cheaper(lines: list[bytes]) -> None:
    lines[2] = lines[2].replace(b"0.25", b"0.05")


EDITS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a smaller mu": (edit(cheaper), r"^line 3 of the ledger is not the one that line 4 was written after"),
    "a line left out": (edit(lambda lines: lines.pop(2)), r"^line 2 of the ledger is not the one that line 3"),
    "the first charge left out": (edit(lambda lines: lines.pop(1)), r"^line 1 of the ledger is not the one"),
    "two lines swapped": (edit(lambda lines: lines.insert(1, lines.pop(2))), r"^line 1 of the ledger is not the one"),
    "an empty line": (edit(lambda lines: lines.insert(2, b"")), r"^line 3 of the ledger cannot be read"),
    "not JSON": (edit(lambda lines: lines.__setitem__(3, b"{")), r"^line 4 of the ledger cannot be read"),
    "another shape": (edit(lambda lines: lines.__setitem__(3, b"[]")), r"^line 4 of the ledger does not have"),
    "an extra field": (
        edit(lambda lines: lines.__setitem__(3, lines[3][:-1] + b', "more": 1}')),
        r"^line 4 of the ledger does not have the fields",
    ),
    "an unknown event": (
        edit(lambda lines: lines.__setitem__(3, lines[3].replace(b'"gaussian"', b'"laplace"'))),
        r"^line 4 of the ledger: event kind \(laplace\) must be one of",
    ),
    "a number for a text": (
        edit(lambda lines: lines.__setitem__(3, lines[3].replace(b'"victims"', b"7"))),
        r"^line 4 of the ledger holds something that is not text",
    ),
    "another file": (lambda data: b"a,b\n1,2\n", r"^line 1 of the ledger is damaged, or the file is not a ledger"),
    "a later format": (
        lambda data: data.replace(b'"format_version": 1', b'"format_version": 2', 1),
        r"^line 1 of the ledger is damaged, or the file is not a ledger of this version",
    ),
    "an empty file": (lambda data: b"", r"^the ledger is empty or cut short in its first line"),
    "half a header": (lambda data: HEADER[:20], r"^the ledger is empty or cut short in its first line"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_noticed_and_its_line_named(kept: Path, name: str) -> None:
    change, words = EDITS[name]
    book = Ledger.open(kept)
    damaged = change(kept.read_bytes())
    kept.write_bytes(damaged)
    with pytest.raises(LedgerError, match=words):
        Ledger.open(kept)
    with pytest.raises(LedgerError, match=words):
        charge(book)
    assert kept.read_bytes() == damaged


def test_a_torn_last_line_counts_or_stops_everything(kept: Path) -> None:
    """Cut at every byte: what was whole before stays, and the torn charge is spent or the ledger refuses."""
    data = kept.read_bytes()
    start = data.rindex(b"\n", 0, -1) + 1
    whole_event = data.index(b"}", start) + 1
    for end in range(start + 1, len(data)):
        kept.write_bytes(data[:end])
        if end < whole_event:
            with pytest.raises(LedgerError, match=r"^line 4 .* was cut short.*delete that last line"):
                Ledger.open(kept)
            continue
        book = Ledger.open(kept)
        assert [entry.event.mu for entry in book.entries] == [0.0625, 0.25, 0.5]
        assert [entry.interrupted for entry in book.entries] == [False, False, True]


def test_after_an_interruption_the_ledger_goes_on(kept: Path) -> None:
    data = kept.read_bytes()
    torn = data[: data.rindex(b'"release"') + 14]
    kept.write_bytes(torn)
    book = Ledger.open(kept)
    charge(book)
    written = kept.read_bytes()
    assert written.startswith(torn + b" (interrupted)\n")
    assert [entry.event.mu for entry in book.entries] == [0.0625, 0.25, 0.5, 0.25]
    assert Ledger.open(kept).entries == book.entries
    assert "(interrupted)" in book.describe()
    # The machine may stop again while the line is closed.
    for end in range(len(torn), len(torn) + len(b" (interrupted)\n") + 1):
        kept.write_bytes(written[:end])
        again = Ledger.open(kept)
        charge(again)
        assert [entry.event.mu for entry in Ledger.open(kept).entries] == [0.0625, 0.25, 0.5, 0.25]


def test_an_interrupted_line_is_guarded_like_the_others(kept: Path) -> None:
    data = kept.read_bytes()
    kept.write_bytes(data[: data.rindex(b'"release"')])
    charge(Ledger.open(kept))
    kept.write_bytes(kept.read_bytes().replace(b'"mu": 0.5', b'"mu": 0.1'))
    with pytest.raises(LedgerError, match="line 4 of the ledger is not the one that line 5 was written after"):
        Ledger.open(kept)


def test_a_torn_line_still_guards_the_one_before(kept: Path) -> None:
    data = kept.read_bytes()
    kept.write_bytes(data[: data.rindex(b'"release"')].replace(b'"mu": 0.25', b'"mu": 0.05'))
    with pytest.raises(LedgerError, match="line 3 of the ledger is not the one that line 4 was written after"):
        Ledger.open(kept)


def fail() -> int:
    raise OSError(28, "No space left on device")


REAL_WRITE = os.write


@pytest.mark.parametrize("new", [False, True])
def test_a_full_disk_leaves_the_ledger_as_it_was(kept: Path, monkeypatch: pytest.MonkeyPatch, new: bool) -> None:
    path = kept.with_name("other.caseveil") if new else kept
    before = b"" if new else kept.read_bytes()
    book = Ledger.open(path)
    calls = []

    def short_write(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        return REAL_WRITE(descriptor, data[:30]) if len(calls) < 4 else fail()

    monkeypatch.setattr(os, "write", short_write)
    with pytest.raises(LedgerError, match=r"could not be written \(No space left on device\); nothing was counted"):
        charge(book)
    assert len(calls) == 4
    assert path.exists() != new
    assert (b"" if new else path.read_bytes()) == before
    monkeypatch.undo()
    assert len(book.entries) == (0 if new else 3)
    charge(book)
    assert len(Ledger.open(path).entries) == (1 if new else 4)


def test_short_writes_are_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda descriptor, data: REAL_WRITE(descriptor, data[:7]))
    charge(Ledger.open(path))
    monkeypatch.undo()
    assert len(Ledger.open(path).entries) == 1


def test_a_ledger_that_disappears_is_not_started_anew(kept: Path) -> None:
    book = Ledger.open(kept)
    kept.unlink()
    with pytest.raises(LedgerError, match="has disappeared since it was read; put it back"):
        charge(book)
    assert not kept.exists()


def test_places_that_cannot_hold_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"must be a file, but it is a folder"):
        Ledger.open(tmp_path)
    with pytest.raises(LedgerError, match=r"the folder of the ledger \(l.caseveil\) must exist"):
        Ledger.open(tmp_path / "none" / "l.caseveil")


def test_an_unwritable_folder_is_refused_before_anything_is_spent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(LedgerError, match="must be writable: a charge is written before any count"):
        Ledger.open(path)


def test_a_folder_that_cannot_lock_is_refused(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(filelock, "_try_lock", refuse)
    with pytest.raises(LedgerError, match="on a disk that can lock files"):
        charge(Ledger.open(kept))


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_to_a_ledger_is_the_ledger(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_PATIENCE", 0.0)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link"
    link.symlink_to(kept)
    with Ledger.open(kept).locked(), pytest.raises(LedgerError, match="in use"):
        charge(Ledger.open(link))


BUDGET = EpsilonDelta(epsilon=4.0, delta=2e-5)


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_budget_holds_to_the_last_bit(path: Path, on_disk: bool) -> None:
    book = Ledger.open(path if on_disk else None)
    quarter = GaussianEvent(label="counts", mu=mu_for(BUDGET) / 2)
    for _ in range(4):
        book.require([quarter], BUDGET)
        charge(book, quarter)
    with pytest.raises(InsufficientBudget) as refused:
        book.require([quarter], BUDGET)
    error = refused.value
    assert error.requested == pytest.approx(GaussianDP(mu=quarter.mu).epsilon(BUDGET.delta))
    assert error.spent == pytest.approx(4.0, rel=1e-6)
    assert error.remaining < 0.01
    assert error.delta == BUDGET.delta
    assert len(book.entries) == 4


def test_what_remains_is_what_still_fits(path: Path) -> None:
    book = Ledger.open(path)
    charge(book, VALUES)
    charge(book, GaussianEvent(label="counts", mu=mu_for(BUDGET) * 0.8))
    with pytest.raises(InsufficientBudget) as refused:
        book.require([GaussianEvent(label="counts", mu=mu_for(BUDGET) * 0.7)], BUDGET)
    left = refused.value.remaining
    assert 0 < left < refused.value.requested
    fits = mu_for(EpsilonDelta(epsilon=left, delta=BUDGET.delta - VALUES.delta))
    book.require([GaussianEvent(label="counts", mu=fits * (1 - 1e-6))], BUDGET)
    with pytest.raises(InsufficientBudget):
        book.require([GaussianEvent(label="counts", mu=fits * (1 + 1e-6))], BUDGET)


def test_selections_use_up_delta(path: Path) -> None:
    book = Ledger.open(path)
    charge(book, SelectionEvent(label="values", mu=0.01, delta=1.9e-5))
    with pytest.raises(InsufficientBudget) as refused:
        book.require([SelectionEvent(label="values", mu=0.01, delta=1e-6)], BUDGET)
    assert refused.value.requested < 4.0
    charge(book, SelectionEvent(label="values", mu=0.01, delta=1e-6))
    with pytest.raises(InsufficientBudget) as refused:
        book.require([GaussianEvent(label="total", mu=1e-6)], BUDGET)
    assert (refused.value.spent, refused.value.remaining) == (math.inf, 0.0)


def test_requiring_charges_nothing(kept: Path) -> None:
    before = kept.read_bytes()
    Ledger.open(kept).require([COUNTS], BUDGET)
    assert kept.read_bytes() == before


def test_texts_are_text(path: Path) -> None:
    with pytest.raises(TypeError, match="must be text"):
        Ledger.open(path).charge(COUNTS, release=1, version="", unit="", population="", plan_digest="")
    assert not path.exists()


def test_the_table_for_people_names_every_release_and_the_total(kept: Path) -> None:
    text = Ledger.open(kept).describe()
    assert text.count("cases") == 3
    assert text.splitlines()[-1].split() == ["all", "together", "0.5625", "1e-07"]
