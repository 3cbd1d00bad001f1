"""The ledger: every privacy loss ever spent on one population, written down before any noise is drawn.

A file of JSON lines. The first line names the format; every other is one event with its release and the
SHA-256 of the line before, so damage and edits anywhere but at the very end show. (A chain without a secret
cannot show that whole lines were cut off the end, or that the file was replaced: keep it like a signed book.)

A charge is on the disk before `charge` returns, and stands even when the process is killed right after.
A machine that stops in the middle of a write can leave a last line without its end. No noise was drawn for
it, yet it counts as spent when its event can be read; the next charge then closes the line with a mark and
goes on. When the event cannot be read, the ledger refuses to go on and says what to do.

Lines: `ledger_lines`. Copies that went on apart: `ledger_merge`. Views for people: `ledger_views`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from caseveil.errors import InsufficientBudget, LedgerError
from caseveil.privacy.accountant import TotalLoss, total
from caseveil.privacy.durable import append
from caseveil.privacy.filelock import exclusive
from caseveil.privacy.ledger_lines import HEADER, INTERRUPTED, Book, Entry, charge_line, read_book, read_entry
from caseveil.privacy.loss import SMALLEST_DELTA, EpsilonDelta, GaussianDP, mu_for
from caseveil.privacy.mechanism import Event
from caseveil.privacy.worst_case import Span, WorstLoss, worst_case

__all__ = ["HEADER", "Entry", "Ledger", "remaining"]

_PATIENCE = 60.0


class Ledger:
    """Losses spent on one population, in a file or (path None) in memory.

    One object belongs to one thread. Processes take turns: hold `locked()` from `require` to the last `charge`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._book = Book()
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
        ledger._look()
        return ledger

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Read and verify a ledger that is there, for looking only: its folder need not be writable.

        Raises LedgerError when the file is damaged, is no ledger or is not there.
        """
        ledger = cls(Path(path).resolve())
        if os.access(ledger._folder, os.W_OK):
            ledger._look()
        else:
            ledger._refresh()
        if not ledger._book.size:
            raise LedgerError(f"the ledger ({Path(path).name}) must be a file that is there")
        return ledger

    @property
    def book(self) -> Book:
        """All that the file says, as of the last look at it."""
        return self._book

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, oldest first, as of the last look at the file."""
        return self._book.entries

    def total(self) -> TotalLoss:
        """Loss of all entries together, for whoever lost most."""
        return worst_case(_charge(entry) for entry in self.entries)

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

    def require(
        self, events: Iterable[Event], budget: EpsilonDelta, *, spans: Sequence[Span | None] = (), population: str = ""
    ) -> None:
        """Refuse when the events, on top of all that is on the books, would pass the budget.

        spans: of each event, whom of the population it is about; everybody unless given. Raises InsufficientBudget
        with epsilons at the delta of the budget, of those whom the events are about. Charges nothing.
        """
        wanted = tuple(events)
        whom = tuple(spans) or (None,) * len(wanted)
        charges = [(event, population, span) for event, span in zip(wanted, whom, strict=True)]
        with self.locked():
            books = [_charge(entry) for entry in self.entries]
            if worst_case([*books, *charges]).epsilon(budget.delta) <= budget.epsilon:
                return
            spent = worst_case(books)
            if spent.epsilon(budget.delta) <= budget.epsilon:  # then say what those have left whom the events touch
                spent = worst_case(books, among=[(population, span) for _, _, span in charges])
            raise InsufficientBudget(
                requested=total(wanted).epsilon(budget.delta),
                spent=spent.epsilon(budget.delta),
                remaining=remaining(spent, budget),
                delta=budget.delta,
            )

    def charge(
        self,
        event: Event,
        *,
        release: str,
        version: str,
        unit: str,
        population: str,
        plan_digest: str,
        span: Span | None = None,
    ) -> None:
        """Write one event down, durably. Only when this has returned may its noise be drawn.

        span: whom of the population the event is about; everybody when None.

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
            previous = book.closed
            line = charge_line(previous, event, texts, span)
            size = 0
            if self.path is not None:
                lead = b"" if book.size else HEADER + b"\n"
                lead = INTERRUPTED + b"\n" if book.torn else lead
                size = self._append(lead + line + b"\n", at=book.size)
            entry = read_entry(
                line, previous, len(book.entries) + len(book.merges) + 2
            )  # what the next reader will see
            self._book = Book(entries=(*book.entries, entry), merges=book.merges, last=line, size=size)

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
        if not self._folder.is_dir():
            raise LedgerError(f"the folder of the ledger ({self.path.name}) must exist; make it, or correct the plan")
        if not os.access(self.path if self.path.exists() else self._folder, os.W_OK):
            raise LedgerError(f"the ledger ({self.path.name}) must be writable: a charge is written before any count")

    @property
    def _folder(self) -> Path:
        assert self.path is not None
        return self.path.parent

    def _look(self) -> None:
        """Read the file. What looks torn or damaged may be somebody's write half done: then look again in turn."""
        try:
            self._refresh()
            if not self._book.torn:
                return
        except LedgerError:
            pass
        with self.locked():  # reads afresh
            pass

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
        self._book = read_book(data)

    def _append(self, data: bytes, *, at: int) -> int:
        """Write data at the end of the file, down to the disk; the new size. A failure leaves the file as before."""
        assert self.path is not None
        try:
            append(self.path, data, at=at)
        except OSError as error:
            raise LedgerError(
                f"the ledger ({self.path.name}) could not be written ({error.strerror}); nothing was counted"
            ) from None
        return at + len(data)


def _charge(entry: Entry) -> tuple[Event, str, Span | None]:
    return entry.event, entry.population, entry.span


def remaining(spent: TotalLoss, budget: EpsilonDelta) -> float:
    """Epsilon, at the delta of the budget, of the largest Gaussian release that still fits; 0 when none does."""
    if isinstance(spent, WorstLoss):
        return min(remaining(loss, budget) for loss in spent.apart)
    left = budget.delta - spent.delta
    if left < SMALLEST_DELTA:
        return 0.0
    square = mu_for(EpsilonDelta(epsilon=budget.epsilon, delta=left)) ** 2 - spent.mu**2
    return GaussianDP(mu=square**0.5).epsilon(left) if square > 0 else 0.0
