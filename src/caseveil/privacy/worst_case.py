"""What the events on the books cost the one who lost most, where some of them were about some people only.

An event with a span was about the people who joined in it, and about nobody else. Each person joined once, so each is
touched by the events whose spans hold that day, and by those without a span (parallel composition: McSherry, "Privacy
Integrated Queries", SIGMOD 2009; docs/proofs/yearly-updates.md). Days of different populations, or from different
columns, cannot be compared: there the worst cases add up.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from caseveil.privacy.accountant import TotalLoss, together, total
from caseveil.privacy.mechanism import Event


@dataclass(frozen=True, kw_only=True)
class Span:
    """People who joined after the day `after` ('' since the beginning) and no later than `until`, both ISO days.

    joined: the column that says when. Raises ValueError.
    """

    joined: str
    after: str
    until: str

    def __post_init__(self) -> None:
        for name in ("joined", "after", "until"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be text")
        if not self.joined:
            raise ValueError("joined must name a column")
        for day in (self.after, self.until) if self.after else (self.until,):
            if datetime.date.fromisoformat(day).isoformat() != day:
                raise ValueError(f"{day[:40]} must be a day such as 2026-12-31")
        if self.after >= self.until:
            raise ValueError(f"after ({self.after}) must come before until ({self.until})")

    def __str__(self) -> str:
        return f"after {self.after} until {self.until}" if self.after else f"until {self.until}"

    def to_json(self) -> dict[str, str]:
        """The span as plain data."""
        return {"joined": self.joined, "after": self.after, "until": self.until}


@dataclass(frozen=True, kw_only=True)
class WorstLoss(TotalLoss):
    """Losses of different people, none of whom lost both more mu and more delta than another one of them.

    mu and delta are each those of whoever lost most of it. apart: the losses, two or more.
    """

    apart: tuple[TotalLoss, ...]

    def epsilon(self, delta: float) -> float:
        """Smallest epsilon at this delta that covers every one of them, rounded up."""
        return max(loss.epsilon(delta) for loss in self.apart)


def worst_case(
    charges: Iterable[tuple[Event, str, Span | None]], *, among: Collection[tuple[str, Span | None]] = ()
) -> TotalLoss:
    """Loss of the person who lost most; a WorstLoss where it depends on delta who that is.

    charges: event, population, and whom of it the event was about. An event is left out only for a person whom it is
    known to pass by: of the same population, by the same column, joined outside its span. among: only people of these
    spans are looked at; everybody unless given.
    """
    everybody: list[Event] = []
    groups: dict[tuple[str, str], list[tuple[Event, Span]]] = {}
    for event, population, span in charges:
        if span is None:
            everybody.append(event)
        else:
            groups.setdefault((population, span.joined), []).append((event, span))
    front = [total(everybody)]
    for (population, joined), own in groups.items():
        within = [span for name, span in among if span is not None and (name, span.joined) == (population, joined)]
        losses = _by_day(own, within if len(within) == len(among) else [])
        front = _largest(together([one, other]) for one in front for other in losses)
    if len(front) == 1:
        return front[0]
    return WorstLoss(mu=max(loss.mu for loss in front), delta=max(loss.delta for loss in front), apart=tuple(front))


def _by_day(charges: list[tuple[Event, Span]], among: list[Span]) -> list[TotalLoss]:
    """Losses of people by the day on which they joined. The spans that hold a day also hold the first last day of a
    span from there on, as long as that is looked at, so last days are enough."""
    days = {span.until for _, span in charges} | {span.until for span in among}
    if among:
        days = {day for day in days if any(span.after < day <= span.until for span in among)}
    return _largest(total(event for event, span in charges if span.after < day <= span.until) for day in sorted(days))


def _largest(losses: Iterable[TotalLoss]) -> list[TotalLoss]:
    """Those that no other one exceeds in both mu and delta, by falling mu."""
    out: list[TotalLoss] = []
    for loss in sorted(losses, key=lambda loss: (loss.mu, loss.delta), reverse=True):
        if not out or loss.delta > out[-1].delta:
            out.append(loss)
    return out
