"""Ledgers of the same people that were kept apart, brought together in one.

Somebody copied a ledger to a second machine, and both went on; or two offices each began their own. The union of
their entries is what was really spent. A charge that stands in several of them is known by its digest and counted
once; two charges never have the same digest, as each holds random bits of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caseveil.errors import LedgerError, PlanError
from caseveil.privacy.durable import create
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.ledger_lines import INTERRUPTED, Book, Entry, copied_line, digest, merge_line, read_book


@dataclass(frozen=True, kw_only=True)
class Merged:
    """How ledgers relate that were merged.

    entries: charges of all of them, each counted once. shared: charges that stand in every one. own: of each ledger,
    the charges that no other one holds. diverged: whether none of them held every charge, so that each by itself said
    too little.
    """

    entries: tuple[Entry, ...]
    shared: int
    own: tuple[int, ...]
    diverged: bool


def merge(paths: Sequence[Path], out: Path) -> Merged:
    """Write to `out` one ledger with every entry of the ledgers at `paths`; they stay as they are.

    The lines of the first are kept as they are. Then come a line that names the last line of every ledger, and the
    entries that the first lacks, in the order in which they stand in theirs. Raises PlanError for fewer than two
    ledgers, LedgerError when one of them is damaged, and OutputError when `out` exists or cannot be written.
    """
    if len(paths) < 2:
        raise PlanError("a merge must be of two ledgers or more")
    loaded = [_load(path) for path in paths]
    books = [book for _, book in loaded]
    first, *others = books
    known = {entry.digest for entry in first.entries}
    lacking: list[Entry] = []
    for book in others:
        lacking += [entry for entry in book.entries if entry.digest not in known]
        known |= {entry.digest for entry in book.entries}

    time = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [merge_line(first.closed, [digest(book.closed) for book in books], time)]
    for entry in lacking:
        lines.append(copied_line(lines[-1], entry))
    beginning = loaded[0][0].removesuffix(b"\n") + (INTERRUPTED if first.torn else b"")
    data = b"\n".join([beginning, *lines]) + b"\n"
    entries = read_book(data).entries
    assert {entry.digest for entry in entries} == known, "the merged ledger must hold every entry"
    assert len(entries) == len(first.entries) + len(lacking), "the merged ledger must hold every entry once"
    create(out, data)
    held = [{entry.digest for entry in book.entries} for book in books]
    return Merged(
        entries=entries,
        shared=len(set.intersection(*held)),
        own=tuple(
            len(mine - set().union(*(held[other] for other in range(len(held)) if other != place)))
            for place, mine in enumerate(held)
        ),
        diverged=all(mine < known for mine in held),
    )


def _load(path: Path) -> tuple[bytes, Book]:
    """The bytes of a ledger and what they say. Its lines never change, so what came after the look is cut off."""
    try:
        book = Ledger.read(path).book
        return path.read_bytes()[: book.size], book
    except OSError as error:
        raise LedgerError(f"the ledger ({path.name}) could not be read ({error.strerror})") from None
    except LedgerError as error:
        raise LedgerError(f"{path.name}: {error}") from None
