"""The lines of a ledger: how they are written, and what they say when each of them has been verified.

The first line names the format. Every other holds the SHA-256 of the line before it and then one of two things:

    an event   "event", the texts of its release, "id": 128 random bits, so that two charges are never the same line;
               a line that was copied from another ledger has "origin" in place of "id", the SHA-256 of the line as
               it was first written, and "interrupted" where that line had been
               "period" where the event was about the people who joined in a period alone (worst_case.Span)
    a merge    "merge": the SHA-256 of the last line of each ledger that was brought together there, and "time"

A machine that stops in the middle of a write leaves a last line without its end. It counts as spent when its event
can be read, and the next charge closes it with a mark.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caseveil.errors import LedgerError
from caseveil.privacy.mechanism import Event, event_from_json
from caseveil.privacy.worst_case import Span

HEADER = b'{"format": "caseveil-ledger", "format_version": 1}'
INTERRUPTED = b" (interrupted)"

TEXTS = ("release", "version", "unit", "population", "plan_digest", "time")

_ENTRY = frozenset({"previous", "event", *TEXTS})
_SHAPES = (
    _ENTRY,  # as written before charges had an id
    _ENTRY | {"id"},
    _ENTRY | {"id", "period"},
    _ENTRY | {"origin"},
    _ENTRY | {"origin", "period"},
    _ENTRY | {"origin", "interrupted"},  # which has no period: it is lost with the texts
)
_MERGE = frozenset({"previous", "merge", "time"})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event on the books. time is UTC and for people only: the order of entries is that of the lines.

    interrupted: the machine stopped while the entry was written, so no noise was ever drawn for it and its
    texts are not known; it counts as spent all the same. digest: SHA-256 (hex) of the line as it was first written,
    by which the same charge is known in every copy of a ledger. span: whom of the population the event was about;
    None for everybody.
    """

    event: Event
    release: str
    version: str
    unit: str
    population: str
    plan_digest: str
    time: str
    interrupted: bool = False
    digest: str = field(default="", compare=False)
    span: Span | None = None


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Where ledgers were brought together. heads: SHA-256 of the last line of each; after: entries before it."""

    heads: tuple[str, ...]
    time: str
    after: int


@dataclass(frozen=True, kw_only=True)
class Book:
    """What the bytes of a ledger say. last: the last line, whole or torn, without its newline; size: in bytes."""

    entries: tuple[Entry, ...] = ()
    merges: tuple[Merge, ...] = ()
    last: bytes = HEADER
    torn: bool = False
    size: int = 0

    @property
    def closed(self) -> bytes:
        """The last line as the next one must follow it: a torn line gets its mark."""
        return self.last + INTERRUPTED if self.torn else self.last


def digest(line: bytes) -> str:
    """SHA-256 of a line, hex."""
    return hashlib.sha256(line).hexdigest()


def charge_line(previous: bytes, event: Event, texts: Mapping[str, str], span: Span | None = None) -> bytes:
    """One charge, ASCII: the event stands right after the hash, so that a torn line loses it last.

    The span comes at the end: a torn line counts as being about everybody.
    """
    whom = {} if span is None else {"period": span.to_json()}
    return _dump({"previous": digest(previous), "event": event.to_json(), **texts, "id": os.urandom(16).hex(), **whom})


def copied_line(previous: bytes, entry: Entry) -> bytes:
    """An entry of another ledger."""
    texts = {name: getattr(entry, name) for name in TEXTS}
    mark: dict[str, object] = {"interrupted": True} if entry.interrupted else {}
    if entry.span is not None:
        mark["period"] = entry.span.to_json()
    return _dump(
        {"previous": digest(previous), "event": entry.event.to_json(), **texts, "origin": entry.digest, **mark}
    )


def merge_line(previous: bytes, heads: Sequence[str], time: str) -> bytes:
    """Ledgers were brought together here."""
    return _dump({"previous": digest(previous), "merge": list(heads), "time": time})


def _dump(record: Mapping[str, object]) -> bytes:
    return json.dumps(record, allow_nan=False).encode("ascii")


def read_book(data: bytes) -> Book:
    """Verify every line. Raises LedgerError naming the first one that is wrong."""
    *lines, rest = data.split(b"\n")
    if not lines and HEADER.startswith(rest.rstrip(b"\0")):
        raise LedgerError("the ledger is empty or cut short in its first line; if it never held a release, delete it")
    if not lines or lines[0] != HEADER:
        raise LedgerError("line 1 of the ledger is damaged, or the file is not a ledger of this version of Caseveil")
    entries: list[Entry] = []
    merges: list[Merge] = []
    last = HEADER
    for number, line in enumerate(lines[1:], start=2):
        if line.endswith(INTERRUPTED):
            entries.append(_torn_entry(line, last, number))
        else:
            found = _whole(line, last, number, len(entries))
            merges.append(found) if isinstance(found, Merge) else entries.append(found)
        last = line
    if rest:
        entries.append(_torn_entry(rest, last, len(lines) + 1))
        last = rest
    return Book(entries=tuple(entries), merges=tuple(merges), last=last, torn=bool(rest), size=len(data))


def read_entry(line: bytes, previous: bytes, number: int) -> Entry:
    """The entry of a whole line. Raises LedgerError."""
    found = _whole(line, previous, number, 0)
    assert isinstance(found, Entry)
    return found


def _whole(line: bytes, previous: bytes, number: int, after: int) -> Entry | Merge:
    if b"\0" in line:  # what some disks hold where a block was promised and the power went
        raise LedgerError(_cut_short(number))
    try:
        record = json.loads(line.decode("ascii"))
    except ValueError:
        raise LedgerError(_damaged(number, "cannot be read")) from None
    if not isinstance(record, dict) or set(record) not in (*_SHAPES, _MERGE):
        raise LedgerError(_damaged(number, "does not have the fields of an entry"))
    if record["previous"] != digest(previous):
        raise LedgerError(_damaged(number - 1, f"is not the one that line {number} was written after"))
    if "merge" in record:
        heads = record["merge"]
        if not isinstance(heads, list) or not all(isinstance(text, str) for text in [*heads, record["time"]]):
            raise LedgerError(_damaged(number, "holds something that is not text"))
        return Merge(heads=tuple(heads), time=record["time"], after=after)
    texts = [record[name] for name in (*TEXTS, "id", "origin") if name in record]
    if not all(isinstance(text, str) for text in texts) or record.get("interrupted", True) is not True:
        raise LedgerError(_damaged(number, "holds something that is not text"))
    return _make_entry(
        _event(record["event"], number),
        record,
        interrupted="interrupted" in record,
        line_digest=record.get("origin", digest(line)),
        span=_span(record["period"], number) if "period" in record else None,
    )


def _torn_entry(line: bytes, previous: bytes, number: int) -> Entry:
    """The event of a line whose write was interrupted."""
    start = b'{"previous": "' + digest(previous).encode("ascii") + b'"'
    known = line.rstrip(b"\0")
    shared = min(len(known), len(start))
    if known[:shared] != start[:shared]:
        raise LedgerError(_damaged(number - 1, f"is not the one that line {number} was written after"))
    start += b', "event": '
    try:
        if not known.startswith(start):
            raise ValueError("the event is not there")
        event, _ = json.JSONDecoder().raw_decode(known[len(start) :].decode("ascii"))
    except ValueError:
        raise LedgerError(_cut_short(number)) from None
    closed = line.removesuffix(INTERRUPTED) + INTERRUPTED
    return _make_entry(_event(event, number), dict.fromkeys(TEXTS, ""), interrupted=True, line_digest=digest(closed))


def _make_entry(
    event: Event, texts: Mapping[str, str], *, interrupted: bool, line_digest: str, span: Span | None = None
) -> Entry:
    return Entry(
        event=event,
        release=texts["release"],
        version=texts["version"],
        unit=texts["unit"],
        population=texts["population"],
        plan_digest=texts["plan_digest"],
        time=texts["time"],
        interrupted=interrupted,
        digest=line_digest,
        span=span,
    )


def _span(data: object, number: int) -> Span:
    try:
        if not isinstance(data, Mapping) or set(data) != {"joined", "after", "until"}:
            raise ValueError("a period must have the fields joined, after and until")
        return Span(**data)
    except ValueError as error:
        raise LedgerError(f"line {number} of the ledger: {error}") from None


def _event(data: object, number: int) -> Event:
    try:
        return event_from_json(data)
    except LedgerError as error:
        raise LedgerError(f"line {number} of the ledger: {error}") from None


def _cut_short(number: int) -> str:
    return (
        f"line {number} of the ledger, its last, was cut short. If this file is a copy, copy it once more, from the "
        f"ledger itself. If it is the ledger, the machine stopped while a charge was being written, before any noise "
        f"was drawn for it; its event cannot be read, so nothing more is charged. Then keep a copy of the file, "
        f"delete that last line and make the release again"
    )


def _damaged(number: int, how: str) -> str:
    return (
        f"line {number} of the ledger {how}: it was edited or damaged, so what was spent is not known and "
        f"nothing more is charged. Put back the last good copy"
    )
