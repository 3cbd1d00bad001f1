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

    from caseveil.plan import Plan, TablePlan
    from caseveil.plan_update import Update
    from caseveil.produce import CheckReport, Covered
    from caseveil.records.linkage import LinkReport
    from caseveil.records.prepare import IntakeReport
    from caseveil.records.recipe import RecipeReport
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

    # as wide as its title, which would else be broken over a narrow table
    made = RichTable(title=title, title_justify="left", min_width=min(len(title), 78))
    for column in columns:
        made.add_column(column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold")
    return made


def check(plan: Plan, report: CheckReport) -> list[RenderableType]:
    """What the data hold against the plan, and whom they would single out. Columns and counts only."""
    risk = report.risk
    parts: list[RenderableType] = [
        "PRIVATE: these are true numbers about real people. Do not publish or send them.",
        "",
    ]
    if report.linked is None:
        parts += _intake(report.intake, "rows")
    else:
        parts += _intake(report.intake, f"rows of {plan.tables[0].table.name}")
        parts += links(plan.tables[1], *report.linked)
    for part, met in zip(plan.tables, report.recipes, strict=False):
        parts += recipe(part, met)
    if report.note:
        parts += ["", report.note]
    if plan.update is not None and report.covered is not None:
        parts += ["", *_covered(plan.update, report.covered)]
    if report.refused:
        parts += ["", f"A release would be refused now: {report.refused}"]
    parts.append("")
    if risk.identifying:
        named = table("Columns that look as if they identify a person: leave them out", "column", "looks like")
        for found in risk.identifying:
            named.add_row(found.column, found.reason)
        parts.append(named)
    else:
        parts.append("No column of the plan looks as if it identifies a person by itself.")
    linked = "" if report.linked is None else f", {plan.tables[1].table.name} included,"
    parts += [
        "",
        f"{risk.people:,} people have a combination of values in up to {risk.length} columns{linked} that fewer than "
        f"{risk.k} share; {risk.alone:,} are alone with one.",
    ]
    if risk.combinations:
        rare = table("Columns that single out most", "together", f"#fewer than {risk.k} alike", "#alone")
        for combination in risk.combinations[:_LISTED]:
            rare.add_row(" + ".join(combination.columns), f"{combination.people:,}", f"{combination.alone:,}")
        parts.append(rare)
    parts += ["", "The release protects these people by its noise; this list only shows why it is needed."]
    return parts


def recipe(part: TablePlan, met: RecipeReport) -> list[RenderableType]:
    """What the recipe of a table does, and to how many cells and rows. Its words are counted, not shown."""
    from caseveil.records.recipe_words import describe

    if part.recipe.empty and not met.left_out:
        return []
    lines: list[RenderableType] = [""]
    steps = describe(part.table, part.recipe, quote=False)
    if met.left_out:
        along = f", {met.along:,} of them with their person" if met.along else ""
        lines.append(
            f"{met.left_out:,} of {met.rows:,} rows of {part.table.name} are left out by where{along}: the release is "
            f"not about them."
        )
    elif part.recipe.where:
        lines.append(f"All {met.rows:,} rows of {part.table.name} stay (where).")
    if steps:
        shown = table(f"What the recipe does to {part.table.name}", "step", "#cells changed in the column")
        before = len(part.recipe.where) + (part.recipe.join is not None)
        last = {step.column: step for step in steps[before:]}
        for place, step in enumerate(steps):
            counted = place >= before and last[step.column] is step and part.recipe.of(step.column).changes
            shown.add_row(step.sentence, f"{met.changed.get(step.column, 0):,}" if counted else "")
        lines.append(shown)
    for column, entries in met.unmatched.items():
        match = "entry of recode matches" if entries == 1 else "entries of recode match"
        lines.append(f"Column {column}: {entries} {match} no cell.")
    return lines


def _covered(update: Update, covered: Covered) -> list[str]:
    """Whom a release of a series is about."""
    period, people, joined = update.period, covered.people, covered.joined
    lines = [f"The release is about the {people:,} people who joined by {period.until} ({period.joined})."]
    if covered.before is not None:
        share = f"; everybody is counted again with {update.everyone:.0%} of the squared mu" if update.everyone else ""
        lines.append(
            f"It goes on from {covered.before}, whose bundle fits: {joined:,} joined since ({period}) and are counted "
            f"anew{share}."
        )
    if covered.later:
        lines.append(f"{covered.later:,} in the data joined later, and wait for the next release.")
    if min(people, joined) < 2:
        lines.append("Fewer than two people to count: the release would be refused.")
    return lines


def check_document(report: CheckReport) -> dict[str, Any]:
    """The report of `check` as plain values; linked is null without a linked table."""
    document: dict[str, Any] = plain(report)
    if report.linked is not None:
        intake, found = report.linked
        document["linked"] = {"intake": plain(intake), "links": plain(found)}
    return document


def _intake(intake: IntakeReport, rows: str) -> list[RenderableType]:
    """What preparation met in one table; rows says what its rows are."""
    parts: list[RenderableType] = []
    troubled = [
        name for name in {**intake.missing, **intake.outside} if intake.missing.get(name) or intake.outside.get(name)
    ]
    outside = ["#outside, made missing"] if any(intake.outside.values()) else []
    shown = table(f"{intake.rows:,} {rows} fit the plan", "column", "#missing", "#share", *outside)
    for name in troubled:
        missing = intake.missing.get(name, 0)
        cells = [f"{missing:,}", f"{missing / max(1, intake.rows):.1%}", f"{intake.outside.get(name, 0):,}"]
        shown.add_row(name, *cells[: 2 + len(outside)])
    fit = f"{intake.rows:,} {rows} fit the plan; no cell is missing or outside its values."
    parts.append(shown if troubled else fit)
    if outside:
        parts.append("Outside: add these values to the plan, or put them in missing, if they matter.")
    if intake.unused_columns:
        parts += ["", f"Not in the plan, so not released: {', '.join(intake.unused_columns)}"]
    return parts


def links(part: TablePlan, intake: IntakeReport, report: LinkReport) -> list[RenderableType]:
    """What the linked table holds, and what its cap would drop. Private, as `check` says above it."""
    assert part.link is not None, "only a linked table has links"
    name, to, cap, key = part.table.name, part.link.to, part.link.at_most, part.table.key
    having = report.victims - report.without
    lines = [
        f"{report.links:,} rows of {name} belong to {having:,} of {report.victims:,} rows of {to}; "
        f"{report.without:,} {'has' if report.without == 1 else 'have'} none."
        if report.without
        else f"{report.links:,} rows of {name} belong to {report.victims:,} rows of {to}: each has one or more.",
    ]
    if report.above:
        lines.append(
            f"{report.above:,} of {to} ({report.above / report.victims:.1%}) have more than {cap} (links.at_most). Of "
            f"each, {cap} drawn at random would count; {report.dropped:,} rows of {name} "
            f"({report.dropped / report.links:.1%}) would not. The bundle says the cap and never these numbers; choose "
            f"the cap from what is publicly known, not to fit these rows."
        )
    else:
        lines.append(f"None has more than {cap} (links.at_most), so every row of {name} would count.")
    if report.unnamed:
        lines.append(f"{key} is empty in {report.unnamed:,} of them.")
    if report.shared_most is not None and report.shared_most > 1:
        most = f"One value of {key} stands in up to {report.shared_most:,} rows"
        lines.append(
            f"{most}: somebody linked to as many of {to}. Each of those is protected, with all rows linked to them; "
            f"what they tell between them about that one is not hidden as a whole. privacy.unit = "
            f'"victim or perpetrator" would hide that too, with more noise.'
            if part.link.shared_by_at_most is None
            else f"{most}; the noise covers up to {part.link.shared_by_at_most} (links.shared_by_at_most)."
        )
    if report.both:
        met = (
            f"1 value of {key} is also a key of {to}. Where this is the same person"
            if report.both == 1
            else f"{report.both:,} values of {key} are also keys of {to}. Where these are the same people"
        )
        lines.append(
            f"{met}, the row of {to} is protected by itself, and rows of {name} with those to whom they are linked."
        )
    return ["", *_intake(intake, f"rows of {name}"), "", *lines]


def verification(verdict: Verification) -> list[RenderableType]:
    """Every check of a bundle, failures marked, and the verdict."""
    shown = table("Checks", "", "check", "detail")
    for finding in verdict.findings:
        shown.add_row("ok" if finding.ok else "NOT OK", finding.check, finding.detail)
    failed = sum(not finding.ok for finding in verdict.findings)
    return [shown, "The bundle holds." if verdict.ok else f"The bundle does not hold: {failed} checks failed."]
