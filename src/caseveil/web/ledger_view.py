"""The ledger of a session: opened or begun, shown, and told of every charge before noise is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from caseveil.errors import CaseveilError, LedgerError
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.ledger_lines import read_book
from caseveil.privacy.ledger_views import Step, notes, steps
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import Event
from caseveil.privacy.worst_case import Span, worst_case
from caseveil.produce_budget import largest, require
from caseveil.web.forecast_view import PEOPLE

Charged = Callable[[str, bytes], None]
"""Takes the name and the bytes of the ledger."""



class WatchedLedger(Ledger):
    """A ledger that shows every charge to somebody right after it was written, and before its noise is drawn."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path)
        self.watch: Callable[[], None] | None = None

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
        """As `Ledger.charge`; whoever watches may still stop the work by raising, and the charge stands."""
        super().charge(
            event,
            release=release,
            version=version,
            unit=unit,
            population=population,
            plan_digest=plan_digest,
            span=span,
        )
        if self.watch is not None:
            self.watch()


class Books:
    """The one ledger of a session, in a file of the working folder.

    name: as the person knows it. own: whether a charge of this session stands in it, so that it must not be forgotten.
    """

    def __init__(self, path: Path, charged: Charged | None = None) -> None:
        self.path, self.charged = path, charged
        self.name, self.own = path.name, False

    def open(self) -> WatchedLedger:
        """The ledger, ready to be charged."""
        opened = WatchedLedger.open(self.path)
        assert isinstance(opened, WatchedLedger)
        opened.watch = self._charged
        return opened

    def _charged(self) -> None:
        self.own = True
        if self.charged is not None:
            self.charged(self.name, self.path.read_bytes())

    def take(self, name: str, data: bytes) -> None:
        """Goes on with a ledger that the person kept. Raises LedgerError for a file that is none, and for one that does
        not hold what this session charged; the ledger is then as before."""
        if not data.strip():
            raise LedgerError("the ledger is empty; begin a new one instead")
        read_book(data)  # before it is written down: whoever opens rows by mistake leaves none on the disk
        beside = self.path.with_name("opened.caseveil")
        beside.write_bytes(data)
        try:
            Ledger.read(beside)
            if self.own and not data.startswith(self.path.read_bytes()):
                raise LedgerError(
                    "this ledger does not hold what was charged in this session. Save the ledger of this session, and "
                    "bring both together with: caseveil ledger merge"
                )
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)
            beside.with_name(beside.name + ".lock").unlink(missing_ok=True)
        self.name = name

    def begin(self) -> None:
        """A new ledger. Raises LedgerError where this session charged the old one."""
        if self.own:
            raise LedgerError(
                "the ledger of this session holds charges, and the people in the data lost that much privacy: a new "
                "ledger would forget it. Save it and go on with it, or close the session for data of other people"
            )
        self.path.unlink(missing_ok=True)
        self.name = self.path.name

    def data(self) -> bytes:
        """The file. Raises LedgerError where there is none yet."""
        if not self.path.exists():
            raise LedgerError("there is no ledger yet: the first release begins it")
        return self.path.read_bytes()

    def view(self, plan: Plan, people: int = PEOPLE) -> dict[str, Any]:
        """The contract's LedgerView: what is spent, and what the plan would bring the total to.

        Epsilons are at the delta of the budget; without one, at that of the plan for a public guess of people.
        """
        opened = Ledger.open(self.path)
        spent = opened.total()
        delta = plan.budget.delta if plan.budget is not None else max(plan.promise.at(people).delta, 2.0 * spent.delta)
        limit = EpsilonDelta(epsilon=plan.promise.epsilon, delta=min(delta, 0.5))
        wanted = [(event, plan.people, span) for event, span in largest(plan, limit)]
        books = [(entry.event, entry.population, entry.span) for entry in opened.entries]
        refused = ""
        try:
            require(plan, opened)
        except CaseveilError as error:
            refused = str(error)
        return {
            "exists": bool(opened.entries),
            "population": plan.people,
            "releases": [_release(step, limit.delta) for step in steps(opened.entries)],
            "spent": _spent(spent.epsilon(limit.delta), limit.delta) if books else None,
            "budget": None
            if plan.budget is None
            else {"epsilon": plan.budget.epsilon, "delta": plan.budget.delta},
            "after": _spent(worst_case([*books, *wanted]).epsilon(limit.delta), limit.delta),
            "refused": refused,
            "notes": list(notes(opened.entries)),
        }


def _spent(epsilon: float, delta: float) -> dict[str, float] | None:
    return {"epsilon": epsilon, "delta": delta} if math.isfinite(epsilon) else None


def _release(step: Step, delta: float) -> dict[str, str]:
    alone, together = (loss.epsilon(delta) for loss in (step.alone, step.so_far))
    said = f"epsilon {alone:.3g} by itself; {together:.3g} with all before it (at delta {delta:.2g})"
    return {
        "name": step.release or "(interrupted)",
        "version": step.version,
        "date": step.time[:16].replace("T", " "),
        "sentence": said if math.isfinite(together) else "values were discovered, which took more delta than is stated",
    }
