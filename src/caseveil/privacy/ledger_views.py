"""What the entries of a ledger say to people: losses release by release, and what to be wary of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caseveil.privacy.accountant import TotalLoss
from caseveil.privacy.ledger_lines import Entry
from caseveil.privacy.worst_case import worst_case


@dataclass(frozen=True, kw_only=True)
class Step:
    """One release on the books. alone: what its charges cost whoever lost most; so_far: what all charges up to here
    cost whoever lost most.

    release and version are empty for charges that were interrupted; time is that of the first charge.
    """

    release: str
    version: str
    time: str
    charges: int
    alone: TotalLoss
    so_far: TotalLoss


def steps(entries: Sequence[Entry]) -> tuple[Step, ...]:
    """Releases in the order of the books: neighbouring charges of one name and version are one step."""
    found: list[Step] = []
    start = 0
    for end in range(1, len(entries) + 1):
        first = entries[start]
        if end < len(entries) and _name(entries[end]) == _name(first):
            continue
        found.append(
            Step(
                release=first.release,
                version=first.version,
                time=first.time,
                charges=end - start,
                alone=_loss(entries[start:end]),
                so_far=_loss(entries[:end]),
            )
        )
        start = end
    return tuple(found)


def _loss(entries: Sequence[Entry]) -> TotalLoss:
    return worst_case((entry.event, entry.population, entry.span) for entry in entries)


def _name(entry: Entry) -> tuple[str, str]:
    return entry.release, entry.version


def notes(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Warnings, as sentences: the total of a ledger is about one group of people and one unit."""
    named = [entry for entry in entries if not entry.interrupted]
    populations = _listed(entry.population for entry in named)
    units = _listed(entry.unit for entry in named)
    out = []
    by_plan: dict[str, dict[str, None]] = {}
    for entry in named:
        by_plan.setdefault(entry.plan_digest, {})[entry.population] = None
    same = next((list(names) for names in by_plan.values() if len(names) > 1), None)
    if same is not None:
        out.append(
            f"One and the same plan was charged under several names ({_quoted(same)}): these are surely the same "
            f"people. The total counts them as such. Keep to one name, and to one ledger."
        )
    elif len(populations) > 1:
        out.append(
            f"Releases of several names stand here ({_quoted(populations)}). The total takes them to be about the "
            f"same people: that is right when somebody may be in more than one of them, and too high otherwise."
        )
    columns = _listed(entry.span.joined for entry in named if entry.span is not None)
    if columns:
        out.append(
            f"Some charges are about the people of one period alone, by column {_quoted(columns)}. The total is that "
            f"of whoever lost most. It holds as long as that date of a person never changes."
        )
    if len(units) > 1:
        out.append(
            f"The releases protect different units ({_quoted(units)}). The total is a promise only to those whom "
            f"every one of these units covers; a unit that only some releases protect may have lost more."
        )
    return tuple(out)


def _listed(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
