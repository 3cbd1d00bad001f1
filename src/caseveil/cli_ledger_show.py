"""What a ledger says, as tables for people and as plain values for --json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caseveil.cli_show import plain, table
from caseveil.privacy.ledger import Ledger, remaining
from caseveil.privacy.ledger_views import Step, notes, steps

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from caseveil.privacy.ledger_lines import Entry
    from caseveil.privacy.ledger_merge import Merged
    from caseveil.privacy.loss import EpsilonDelta


def document(opened: Ledger, delta: float, budget: EpsilonDelta | None = None) -> dict[str, Any]:
    """Entries, totals and warnings of a ledger as plain values; an epsilon that is not finite is null."""
    total = opened.total()
    held = None
    if budget is not None:
        spent = total.epsilon(budget.delta)
        held = {
            "epsilon": budget.epsilon,
            "delta": budget.delta,
            "spent": plain(spent),
            "remaining": remaining(total, budget),
            "exceeded": spent > budget.epsilon,
        }
    return {
        "entries": [_entry_document(entry) for entry in opened.entries],
        "releases": [_step_document(step, delta) for step in steps(opened.entries)],
        "merges": plain(opened.book.merges),
        "total": {"mu": total.mu, "rho": total.rho, "delta": delta, "epsilon": plain(total.epsilon(delta))},
        "budget": held,
        "notes": list(notes(opened.entries)),
    }


def _entry_document(entry: Entry) -> dict[str, Any]:
    """A charge as the ledger writes it; period is null where it was about everybody."""
    whom = None if entry.span is None else entry.span.to_json()
    fields = {name: value for name, value in plain(entry).items() if name != "span"}
    return {**fields, "event": entry.event.to_json(), "period": whom}


def _step_document(step: Step, delta: float) -> dict[str, Any]:
    return {
        "release": step.release,
        "version": step.version,
        "time": step.time,
        "charges": step.charges,
        "epsilon_alone": plain(step.alone.epsilon(delta)),
        "epsilon_so_far": plain(step.so_far.epsilon(delta)),
        "mu_so_far": step.so_far.mu,
        "rho_so_far": step.so_far.rho,
    }


def tables(opened: Ledger, delta: float, budget: EpsilonDelta | None = None) -> list[RenderableType]:
    """Entries of a ledger, its releases, their total, what is left of the budget, and warnings."""
    total = opened.total()
    charges = f"{len(opened.entries)} charge{'' if len(opened.entries) == 1 else 's'}"
    epsilon = total.epsilon(delta)
    said = (
        f"epsilon {epsilon:.4g} at delta {delta:.3g}"
        if math.isfinite(epsilon)
        else f"no epsilon at delta {delta:.3g}: discoveries of values took {total.delta:.3g}, so give a larger --delta"
    )
    parts: list[RenderableType] = [_charges(opened), _releases(opened, delta)]
    parts.append(f"Total over {charges}: {said} (mu {total.mu:.4g}, rho {total.rho:.4g})")
    if budget is not None:
        parts.append(_held(opened, budget))
    for merge in opened.book.merges:
        parts.append(
            f"{len(merge.heads)} ledgers were merged here on {_minute(merge.time)}, after {merge.after} charges."
        )
    if opened.entries:
        parts.append(
            f"Epsilons here are all at delta {delta:.3g}, so that they can be compared; the statement of a release "
            f"gives its epsilon at a delta of its own, which is as true (--delta asks for another)."
        )
    parts += [f"Note: {note}" for note in notes(opened.entries)]
    return parts


def _charges(opened: Ledger) -> Table:
    periods = any(entry.span is not None for entry in opened.entries)
    shown = table("Charges", "release", "unit", "what", *(["who joined"] * periods), "#mu", "#delta", "time (UTC)")
    for entry in opened.entries:
        event = entry.event
        whom = "any day" if entry.span is None else str(entry.span)
        shown.add_row(
            _named(entry.release, entry.version),
            entry.unit,
            event.label,
            *([whom] * periods),
            f"{event.mu:.4f}",
            f"{getattr(event, 'delta', 0.0):.2g}",
            _minute(entry.time),
        )
    return shown


def _releases(opened: Ledger, delta: float) -> Table:
    shown = table(f"Releases: epsilon at delta {delta:.3g}", "release", "#charges", "#alone", "#together so far")
    for step in steps(opened.entries):
        losses = (f"{loss.epsilon(delta):.4g}" for loss in (step.alone, step.so_far))
        shown.add_row(_named(step.release, step.version), str(step.charges), *losses)
    return shown


def _held(opened: Ledger, budget: EpsilonDelta) -> str:
    """Spent and left of a budget."""
    spent, left = opened.total().epsilon(budget.delta), remaining(opened.total(), budget)
    if spent > budget.epsilon:
        after = "it is exceeded, so no further release is made"
    elif left == 0.0:
        after = "nothing is left"
    else:
        whom = " about all people" if any(entry.span is not None for entry in opened.entries) else ""
        after = f"one more release of epsilon {left:.4g}{whom} fits"
    return f"Budget: epsilon {budget.epsilon:g} at delta {budget.delta:.3g}; {spent:.4g} spent, {after}."


def merged(result: Merged, paths: Sequence[Path], out: Path) -> list[RenderableType]:
    """How ledgers related, where they are now one, and warnings."""
    shown = table("Merged", "ledger", "#charges that no other one holds")
    for path, own in zip(paths, result.own, strict=True):
        shown.add_row(str(path), str(own))
    if not result.shared:
        verdict = "No charge stands in all of them: they were begun apart."
    elif result.diverged:
        verdict = f"They hold {result.shared} charges in common and then went on apart: each by itself said too little."
    else:
        verdict = f"They hold {result.shared} charges in common and did not go on apart: one of them held every charge."
    return [
        shown,
        verdict,
        f"Merged ledger: {out}, with {len(result.entries)} charges. From now on name this one in every plan.",
        *(f"Note: {note}" for note in notes(result.entries)),
    ]


def merged_document(result: Merged, paths: Sequence[Path], out: Path) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "out": str(out),
        "entries": len(result.entries),
        "shared": result.shared,
        "own": [{"ledger": str(path), "entries": own} for path, own in zip(paths, result.own, strict=True)],
        "diverged": result.diverged,
        "notes": list(notes(result.entries)),
    }


def _named(release: str, version: str) -> str:
    return f"{release} {version}" if release else "(interrupted)"


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
