"""Answers of the commands as tables for people and as plain values for --json."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from caseveil.privacy.ledger import Ledger
    from caseveil.produce import CheckReport
    from caseveil.release.verify import Verification


_LISTED = 10  # rare combinations that a terminal shows; --json gives all


def plain(value: object) -> Any:
    """Dataclasses, mappings, sequences, paths and numpy numbers as JSON values; infinity as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table(title: str, *columns: str) -> Table:
    """An empty table; columns that begin with '#' hold numbers."""
    from rich.table import Table as RichTable

    made = RichTable(title=title, title_justify="left")
    for column in columns:
        made.add_column(column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold")
    return made


def check(report: CheckReport) -> list[RenderableType]:
    """What the data hold against the plan, and whom they would single out. Columns and counts only."""
    intake, risk = report.intake, report.risk
    parts: list[RenderableType] = [
        "PRIVATE: these are true numbers about real people. Do not publish or send them.",
        "",
    ]
    troubled = [
        name for name in {**intake.missing, **intake.outside} if intake.missing.get(name) or intake.outside.get(name)
    ]
    outside = ["#outside, made missing"] if any(intake.outside.values()) else []
    shown = table(f"{intake.rows:,} rows fit the plan", "column", "#missing", "#share", *outside)
    for name in troubled:
        missing = intake.missing.get(name, 0)
        cells = [f"{missing:,}", f"{missing / max(1, intake.rows):.1%}", f"{intake.outside.get(name, 0):,}"]
        shown.add_row(name, *cells[: 2 + len(outside)])
    parts.append(shown if troubled else f"{intake.rows:,} rows fit the plan; no cell is missing or outside its values.")
    if outside:
        parts.append("Outside: add these values to the plan, or put them in missing, if they matter.")
    if intake.unused_columns:
        parts += ["", f"Not in the plan, so not released: {', '.join(intake.unused_columns)}"]
    parts.append("")
    if risk.identifying:
        named = table("Columns that look as if they identify a person: leave them out", "column", "looks like")
        for found in risk.identifying:
            named.add_row(found.column, found.reason)
        parts.append(named)
    else:
        parts.append("No column of the plan looks as if it identifies a person by itself.")
    parts += [
        "",
        f"{risk.people:,} people have a combination of values in up to {risk.length} columns that fewer than {risk.k} "
        f"share; {risk.alone:,} are alone with one.",
    ]
    if risk.combinations:
        rare = table("Columns that single out most", "together", f"#fewer than {risk.k} alike", "#alone")
        for combination in risk.combinations[:_LISTED]:
            rare.add_row(" + ".join(combination.columns), f"{combination.people:,}", f"{combination.alone:,}")
        parts.append(rare)
    parts += ["", "The release protects these people by its noise; this list only shows why it is needed."]
    return parts


def verification(verdict: Verification) -> list[RenderableType]:
    """Every check of a bundle, failures marked, and the verdict."""
    shown = table("Checks", "", "check", "detail")
    for finding in verdict.findings:
        shown.add_row("ok" if finding.ok else "NOT OK", finding.check, finding.detail)
    failed = sum(not finding.ok for finding in verdict.findings)
    return [shown, "The bundle holds." if verdict.ok else f"The bundle does not hold: {failed} checks failed."]


def ledger_document(opened: Ledger, delta: float) -> dict[str, Any]:
    """Entries and totals of a ledger as plain values."""
    total = opened.total()
    return {
        "entries": plain(opened.entries),
        "total": {"mu": total.mu, "rho": total.rho, "delta": delta, "epsilon": plain(total.epsilon(delta))},
    }


def ledger(opened: Ledger, delta: float) -> list[RenderableType]:
    """Entries of a ledger, and their total."""
    shown = table("Releases", "release", "unit", "what", "#mu", "#delta", "time (UTC)")
    for entry in opened.entries:
        event = entry.event
        shown.add_row(
            f"{entry.release} {entry.version}" if entry.release else "(interrupted)",
            entry.unit,
            event.label,
            f"{event.mu:.4f}",
            f"{getattr(event, 'delta', 0.0):.2g}",
            entry.time[:16].replace("T", " "),
        )
    total = opened.total()
    charges = f"{len(opened.entries)} charge{'' if len(opened.entries) == 1 else 's'}"
    epsilon = total.epsilon(delta)
    said = (
        f"epsilon {epsilon:.4g} at delta {delta:.3g}"
        if math.isfinite(epsilon)
        else f"no epsilon at delta {delta:.3g}: discoveries of values took {total.delta:.3g}, so give a larger --delta"
    )
    return [shown, f"Total over {charges}: {said} (mu {total.mu:.4g}, rho {total.rho:.4g})"]
