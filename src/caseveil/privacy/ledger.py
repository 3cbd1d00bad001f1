"""The ledger: every privacy loss ever spent on one population, written down before any noise is drawn.

A file of JSON lines. The first line names the format; every other is one event with its release and the
SHA-256 of the line before, so damage and edits anywhere but at the very end show. (A chain without a secret
cannot show that whole lines were cut off the end, or that the file was replaced: keep it like a signed book.)

A charge is on the disk before `charge` returns, and stands even when the process is killed right after.
A machine that stops in the middle of a write can leave a last line without its end. No noise was drawn for
it, yet it counts as spent when its event can be read; the next charge then closes the line with a mark and
goes on. When the event cannot be read, the ledger refuses to go on and says what to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caseveil.errors import InsufficientBudget, LedgerError
from caseveil.privacy.accountant import TotalLoss, total
from caseveil.privacy.filelock import exclusive
from caseveil.privacy.loss import SMALLEST_DELTA, EpsilonDelta, GaussianDP, mu_for
from caseveil.privacy.mechanism import Event, event_from_json

HEADER = b'{"format": "caseveil-ledger", "format_version": 1}'
INTERRUPTED = b" (interrupted)"

_TEXTS = ("release", "version", "unit", "population", "plan_digest", "time")
_PATIENCE = 60.0
_EVENT_START = b', "event": '


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event on the books. time is UTC and for people only: the order of entries is that of the lines.

    interrupted: the machine stopped while the entry was written, so no noise was ever drawn for it and its
    texts are not known; it counts as spent all the same.
    """

    event: Event
    release: str
    version: str
    unit: str
    population: str
    plan_digest: str
    time: str
    interrupted: bool = False


@dataclass(frozen=True, kw_only=True)
class _Book:
    """What the bytes of a ledger say."""

    entries: tuple[Entry, ...] = ()
    last: bytes = HEADER  # the last line, whole or torn, without its newline
    torn: bool = False
    size: int = 0


class Ledger:
    """Losses spent on one population, in a file or (path None) in memory.

    One object belongs to one thread. Processes take turns: hold `locked()` from `require` to the last `charge`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._book = _Book()
        self._depth = 0

    @classmethod
    def open(cls, path: Path | None) -> Ledger:
        """Read and verify the ledger at path; one that does not exist yet is made by its first charge.

        Raises LedgerError when the file is damaged, when it is no ledger, or when nothing could be written there.
        """
        if path is None:
            return cls()
        ledger = cls(Path(path).resolve())
        ledger._check_place()
        ledger._refresh()
        return ledger

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, oldest first, as of the last look at the file."""
        return self._book.entries

    def total(self) -> TotalLoss:
        """Loss of all entries together."""
        return total(entry.event for entry in self.entries)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process out, with the entries read afresh. May be nested."""
        if self.path is None or self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        with exclusive(self.path.with_name(self.path.name + ".lock"), patience=_PATIENCE):
            self._depth += 1
            try:
                self._refresh()
                yield
            finally:
                self._depth -= 1

    def require(self, events: Iterable[Event], budget: EpsilonDelta) -> None:
        """Refuse when the events, on top of all that is on the books, would pass the budget.

        Raises InsufficientBudget with epsilons at the delta of the budget. Charges nothing.
        """
        wanted = tuple(events)
        with self.locked():
            spent = self.total()
            after = total((*(entry.event for entry in self.entries), *wanted))
            if after.epsilon(budget.delta) <= budget.epsilon:
                return
            raise InsufficientBudget(
                requested=total(wanted).epsilon(budget.delta),
                spent=spent.epsilon(budget.delta),
                remaining=_remaining(spent, budget),
                delta=budget.delta,
            )

    def charge(self, event: Event, *, release: str, version: str, unit: str, population: str, plan_digest: str) -> None:
        """Write one event down, durably. Only when this has returned may its noise be drawn.

        Raises LedgerError when it could not be written (the ledger is then as before), or when it is damaged.
        """
        with self.locked():
            texts = {
                "release": release,
                "version": version,
                "unit": unit,
                "population": population,
                "plan_digest": plan_digest,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            if not all(isinstance(text, str) for text in texts.values()):
                raise TypeError("release, version, unit, population and plan_digest must be text")
            book = self._book
            lead, last = (INTERRUPTED + b"\n", book.last + INTERRUPTED) if book.torn else (b"", book.last)
            line = _line(last, event, texts)
            size = 0
            if self.path is not None:
                lead = lead if book.size else HEADER + b"\n"
                size = self._append(lead + line + b"\n", at=book.size)
            entry = _entry(line, last, len(book.entries) + 2)  # what the next reader will see
            self._book = _Book(entries=(*book.entries, entry), last=line, size=size)

    def describe(self) -> str:
        """The entries as a table for people, one line each."""
        lines = [f"{'release':<32} {'version':<12} {'event':<28} {'mu':>9} {'delta':>9}"]
        for entry in self.entries:
            delta = entry.event.to_json().get("delta", 0.0)
            name = entry.release or "(interrupted)"
            lines.append(f"{name:<32} {entry.version:<12} {entry.event.label:<28} {entry.event.mu:>9.4f} {delta:>9.2g}")
        together = self.total()
        lines.append(f"{'all together':<74} {together.mu:>9.4f} {together.delta:>9.2g}")
        return "\n".join(lines)

    def _check_place(self) -> None:
        assert self.path is not None
        if self.path.is_dir():
            raise LedgerError(f"the ledger ({self.path.name}) must be a file, but it is a folder; name a file in it")
        if not self.path.parent.is_dir():
            raise LedgerError(f"the folder of the ledger ({self.path.name}) must exist; make it, or correct the plan")
        if not os.access(self.path if self.path.exists() else self.path.parent, os.W_OK):
            raise LedgerError(f"the ledger ({self.path.name}) must be writable: a charge is written before any count")

    def _refresh(self) -> None:
        assert self.path is not None
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            if self._book.size:
                raise LedgerError(
                    f"the ledger ({self.path.name}) has disappeared since it was read; put it back"
                ) from None
            return
        except OSError as error:
            raise LedgerError(f"the ledger ({self.path.name}) could not be read ({error.strerror})") from None
        self._book = _read(data)

    def _append(self, data: bytes, *, at: int) -> int:
        """Write data at the end of the file, down to the disk; the new size. A failure leaves the file as before."""
        assert self.path is not None
        new = not at
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            try:
                if os.fstat(descriptor).st_size != at:
                    raise LedgerError("the ledger was changed by a program that takes no turns; nothing was charged")
                try:
                    rest = data
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                    os.fsync(descriptor)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(descriptor, at)
                        if new:
                            self.path.unlink()
                    raise
            finally:
                os.close(descriptor)
            if new:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise LedgerError(
                f"the ledger ({self.path.name}) could not be written ({error.strerror}); nothing was counted"
            ) from None
        return at + len(data)


def _remaining(spent: TotalLoss, budget: EpsilonDelta) -> float:
    """Epsilon, at the delta of the budget, of the largest Gaussian release that still fits; 0 when none does."""
    left = budget.delta - spent.delta
    if left < SMALLEST_DELTA:
        return 0.0
    square = mu_for(EpsilonDelta(epsilon=budget.epsilon, delta=left)) ** 2 - spent.mu**2
    return GaussianDP(mu=square**0.5).epsilon(left) if square > 0 else 0.0


def _line(previous: bytes, event: Event, texts: Mapping[str, str]) -> bytes:
    """One line, ASCII: the event stands right after the hash, so that a torn line loses it last."""
    record = {"previous": hashlib.sha256(previous).hexdigest(), "event": event.to_json(), **texts}
    return json.dumps(record, allow_nan=False).encode("ascii")


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable, where folders can be synced (not on Windows nor in a browser)."""
    if sys.platform in ("win32", "emscripten"):
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(data: bytes) -> _Book:
    """Verify every line. Raises LedgerError naming the first one that is wrong."""
    *lines, rest = data.split(b"\n")
    if not lines and HEADER.startswith(rest):
        raise LedgerError("the ledger is empty or cut short in its first line; if it never held a release, delete it")
    if not lines or lines[0] != HEADER:
        raise LedgerError("line 1 of the ledger is damaged, or the file is not a ledger of this version of Caseveil")
    entries: list[Entry] = []
    last = HEADER
    for number, line in enumerate(lines[1:], start=2):
        entries.append(_entry(line, last, number))
        last = line
    if rest:
        entries.append(_torn_entry(rest, last, len(lines) + 1))
        last = rest
    return _Book(entries=tuple(entries), last=last, torn=bool(rest), size=len(data))


def _entry(line: bytes, previous: bytes, number: int) -> Entry:
    if line.endswith(INTERRUPTED):
        return _torn_entry(line, previous, number)
    try:
        record = json.loads(line.decode("ascii"))
    except ValueError:
        raise LedgerError(_damaged(number, "cannot be read")) from None
    if not isinstance(record, dict) or set(record) != {"previous", "event", *_TEXTS}:
        raise LedgerError(_damaged(number, "does not have the fields of an entry"))
    if record["previous"] != hashlib.sha256(previous).hexdigest():
        raise LedgerError(_damaged(number - 1, f"is not the one that line {number} was written after"))
    if not all(isinstance(record[name], str) for name in _TEXTS):
        raise LedgerError(_damaged(number, "holds something that is not text"))
    return _make_entry(_event(record["event"], number), record)


def _torn_entry(line: bytes, previous: bytes, number: int) -> Entry:
    """The event of a line whose write was interrupted."""
    start = b'{"previous": "' + hashlib.sha256(previous).hexdigest().encode("ascii") + b'"' + _EVENT_START
    shared = min(len(line), len(start))
    if line[:shared] != start[:shared]:
        raise LedgerError(_damaged(number - 1, f"is not the one that line {number} was written after"))
    try:
        event, _ = json.JSONDecoder().raw_decode(line[len(start) :].decode("ascii"))
    except ValueError:
        raise LedgerError(
            f"line {number} of the ledger, its last, was cut short: the machine stopped while a charge was being "
            f"written, before any noise was drawn for it. Its event cannot be read, so nothing more is charged. "
            f"Keep a copy of the file, delete that last line and make the release again"
        ) from None
    return _make_entry(_event(event, number), dict.fromkeys(_TEXTS, ""), interrupted=True)


def _make_entry(event: Event, texts: Mapping[str, str], *, interrupted: bool = False) -> Entry:
    return Entry(
        event=event,
        release=texts["release"],
        version=texts["version"],
        unit=texts["unit"],
        population=texts["population"],
        plan_digest=texts["plan_digest"],
        time=texts["time"],
        interrupted=interrupted,
    )


def _event(data: object, number: int) -> Event:
    try:
        return event_from_json(data)
    except LedgerError as error:
        raise LedgerError(f"line {number} of the ledger: {error}") from None


def _damaged(number: int, how: str) -> str:
    return (
        f"line {number} of the ledger {how}: it was edited or damaged, so what was spent is not known and "
        f"nothing more is charged. Put back the last good copy"
    )
