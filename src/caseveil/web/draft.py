"""A draft, as web/app/src/contract.ts describes it, to the plan that it stands for, and back.

What the pages do not show travels along in `rest`, and in `labels`, `group` and `shared_by_at_most`, so that a plan
that was read from release.toml is written out again as it was. Columns that are set aside are in the draft alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caseveil.errors import PlanError
from caseveil.plan import About, Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.loss import EpsilonDelta
from caseveil.release.story import Story
from caseveil.schema.attribute import Binned, Category, Column, Edge, MultiChoice, Ordered, Outside
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.recipe import ColumnRecipe, Condition, Derive, Group, Join, Recipe
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit
from caseveil.web.fields import Given

LEDGER = "ledger.caseveil"
"""Name of the ledger in the working folder, and in every plan that the application writes."""

_DEFAULTS = Aggregates()


def to_plan(draft: object, folder: Path = Path()) -> Plan:
    """The plan of a draft, with the columns that it keeps. Raises PlanError, as reading release.toml does."""
    given = Given.of("draft", draft)
    release, promise, aggregates = given.part("release"), given.part("promise"), given.part("aggregates")
    rest = given.maybe_part("rest") or Given(place="rest", data={})
    limit = promise.maybe_part("budget")
    return Plan(
        about=About(**{key: release.text(key) for key in ("name", "version", "title", "publisher", "license")}),
        promise=Promise(epsilon=promise.number("epsilon"), delta=_delta(promise)),
        unit=PrivacyUnit(name=promise.text("unit")),
        population=promise.text("population", "").strip() or None,
        ledger=LEDGER,
        budget=None if limit is None else EpsilonDelta(epsilon=limit.number("epsilon"), delta=limit.number("delta")),
        aggregates=Aggregates(
            length=aggregates.whole("length"),
            fabrication=Fabrication.parse(_dial(aggregates)),
            weights=rest.numbers("weights") if rest.data.get("weights") is not None else None,
            cells_cap=rest.whole("cells_cap", _DEFAULTS.cells_cap),
        ),
        tables=tuple(_table(part) for part in given.parts("tables")),
        flattened=tuple(_flattened(part) for part in rest.parts("flattened")) if "flattened" in rest.data else (),
        stories=tuple(_story(part) for part in rest.parts("stories")) if "stories" in rest.data else (),
        folder=folder,
    )


def _delta(promise: Given) -> float | None:
    return None if promise.data.get("delta") == "auto" else promise.number("delta")


def _dial(aggregates: Given) -> str | float:
    dial = aggregates.data.get("fabrication")
    return dial if isinstance(dial, str) else aggregates.number("fabrication")


def _table(part: Given) -> TablePlan:
    name = part.text("name")
    kept = [column for column in part.parts("columns") if column.flag("keep")]
    columns = tuple(column_of(column) for column in kept)
    recipes = tuple(recipe for recipe in map(_recipe, kept) if not recipe.empty)
    if not columns:
        raise PlanError(f"{name}: every column is set aside; keep at least one, or there is nothing to release")
    return TablePlan(
        table=Table(name=name, columns=columns, key=part.maybe_text("key")),
        source=part.text("source"),
        link=_link(part),
        recipe=Recipe(
            columns=recipes, where=tuple(_condition(one) for one in part.parts("where")), join=join_of(part)
        ),
    )


def _link(part: Given) -> Link | None:
    links = part.maybe_part("links")
    if links is None:
        return None
    shared = links.data.get("shared_by_at_most")
    return Link(
        to=links.text("to"),
        key=links.text("key"),
        at_most=links.whole("at_most"),
        shared_by_at_most=None if shared is None else links.whole("shared_by_at_most"),
    )


def join_of(table: Given) -> Join | None:
    """The file that a table of a draft is joined with."""
    join = table.maybe_part("join")
    return None if join is None else Join(source=join.text("source"), key=join.text("key"))


def _condition(part: Given) -> Condition:
    return Condition(
        column=part.text("column"), only=part.maybe_texts("is") or None, never=part.maybe_texts("is_not") or None
    )


def column_of(part: Given) -> Column:
    """The declared column of a column of a draft. Raises PlanError."""
    name, kind = part.text("name"), part.text("kind")
    outside = part.text("outside", "refuse")
    if outside not in ("refuse", "missing"):
        raise PlanError(f"{name}: outside must be refuse or missing")
    common: dict[str, Any] = {
        "name": name,
        "missing": _labels(name, "missing", part.texts("missing")),
        "outside": Outside(outside),
        "meaning": part.text("meaning", ""),
    }
    if kind == "binned":
        if part.data.get("bins") is None:
            raise PlanError(f"{name}: give the edges of its bins, for example 0, 18, 30")
        labels = part.maybe_texts("labels")
        return Binned(
            edges=tuple(_edge(name, edge) for edge in part.items("bins")),
            labels=None if labels is None else _labels(name, "labels", labels),
            **common,
        )
    values = part.maybe_texts("values")
    if values is not None:
        common["values"] = _labels(name, "values", values)
    elif part.maybe_text("group") is not None:
        common["values"] = Group(part.text("group")).names  # public, so nothing is left to discover
    if kind == "multi":
        most = part.data.get("at_most")
        if most is not None:
            common["at_most"] = part.whole("at_most")
        return MultiChoice(delimiter=part.text("delimiter", ";"), **common)
    if kind not in ("category", "ordered"):
        raise PlanError(f"{name}: kind must be category, ordered, binned or multi")
    return (Ordered if kind == "ordered" else Category)(**common)


def _labels(column: str, key: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    if any(text != text.strip() for text in texts):
        raise PlanError(f"{column}: {key} must have no blanks at the ends of a text: cells are read without them")
    return texts


def _edge(column: str, edge: object) -> Edge:
    if isinstance(edge, str):
        try:
            return datetime.date.fromisoformat(edge)
        except ValueError:
            raise PlanError(f"{column}: bins must be numbers, or dates such as 2026-03-31") from None
    return Given(place=column, data={"bins": edge}).number("bins") + 0.0


def _recipe(part: Given) -> ColumnRecipe:
    name, source = part.text("name"), part.text("from")
    derive, group = part.maybe_text("derive"), part.maybe_text("group")
    if derive is not None and derive not in {one.value for one in Derive}:
        raise PlanError(f"{name}: derive must be one of {', '.join(one.value for one in Derive)}")
    if group is not None and group not in {one.value for one in Group}:
        raise PlanError(f"{name}: group must be one of {', '.join(one.value for one in Group)}")
    return ColumnRecipe(
        column=name,
        source=None if source == name else source,
        recode=part.pairs("recode"),
        derive=None if derive is None else Derive(derive),
        group=None if group is None else Group(group),
    )


def _flattened(part: Given) -> FlattenedColumn:
    texts = {key: part.text(key) for key in ("name", "table", "column", "yes", "meaning")}
    return FlattenedColumn(**texts, recode=part.pairs("recode"), has=part.maybe_text("has"))


def _story(part: Given) -> Story:
    return Story(title=part.text("title"), text=part.text("text"), view=part.text("view", ""))


def from_plan(plan: Plan) -> dict[str, Any]:
    """The draft of a plan; every column is kept. Raises PlanError for a plan that the application cannot make."""
    if plan.update is not None:
        raise PlanError(
            "the plan is one of a series of releases ([update]), and these are made on the command line: caseveil "
            "release release.toml"
        )
    about, aggregates = plan.about, plan.aggregates
    budget = plan.budget
    return {
        "release": {key: getattr(about, key) for key in ("name", "version", "title", "publisher", "license")},
        "promise": {
            "unit": plan.unit.name,
            "population": plan.population or "",
            "epsilon": plan.promise.epsilon,
            "delta": "auto" if plan.promise.delta is None else plan.promise.delta,
            "budget": None if budget is None else {"epsilon": budget.epsilon, "delta": budget.delta},
        },
        "aggregates": {"length": aggregates.length, "fabrication": aggregates.fabrication.dial},
        "tables": [_table_draft(part) for part in plan.tables],
        "rest": {
            "weights": None if aggregates.weights is None else list(aggregates.weights),
            "cells_cap": aggregates.cells_cap,
            "flattened": [
                {
                    "name": one.name, "table": one.table, "column": one.column, "recode": dict(one.recode),
                    "has": one.has, "yes": one.yes, "meaning": one.meaning,
                }
                for one in plan.flattened
            ],
            "stories": [{"title": one.title, "text": one.text, "view": one.view} for one in plan.stories],
        },
    }  # fmt: skip


def _table_draft(part: TablePlan) -> dict[str, Any]:
    if part.source is None or part.is_database:
        raise PlanError(f"tables.{part.table.name}.source must be a file here; databases are for the command line")
    link = part.link
    return {
        "name": part.table.name,
        "source": part.source,
        "key": part.table.key,
        "links": None
        if link is None
        else {"to": link.to, "key": link.key, "at_most": link.at_most, "shared_by_at_most": link.shared_by_at_most},
        "join": None
        if part.recipe.join is None
        else {"source": part.recipe.join.source, "key": part.recipe.join.key},
        "where": [
            {
                "column": one.column,
                "is": None if one.only is None else list(one.only),
                "is_not": None if one.never is None else list(one.never),
            }
            for one in part.recipe.where
        ],
        "columns": [column_draft(column, part.recipe.of(column.name)) for column in part.table.columns],
    }


def column_draft(column: Column, recipe: ColumnRecipe | None = None) -> dict[str, Any]:
    """A column of a draft that keeps it."""
    recipe = ColumnRecipe(column=column.name) if recipe is None else recipe
    binned, multi = isinstance(column, Binned), isinstance(column, MultiChoice)
    return {
        "name": column.name,
        "from": recipe.of_file,
        "keep": True,
        "reason": "",
        "kind": column.kind,
        "values": None if binned or column.values is None else list(column.values),
        "bins": [_edge_plain(edge) for edge in column.edges] if isinstance(column, Binned) else None,
        "labels": list(column.labels) if isinstance(column, Binned) and column.labels is not None else None,
        "delimiter": column.delimiter if isinstance(column, MultiChoice) else ";",
        "at_most": column.at_most if isinstance(column, MultiChoice) and multi else None,
        "missing": list(column.missing),
        "outside": column.outside.value,
        "recode": dict(recipe.recode),
        "derive": None if recipe.derive is None else recipe.derive.value,
        "group": None if recipe.group is None else recipe.group.value,
        "meaning": column.meaning,
    }


def _edge_plain(edge: Edge) -> float | str:
    if isinstance(edge, datetime.date):
        return edge.isoformat()
    return int(edge) if float(edge).is_integer() and abs(edge) < 2**53 else float(edge)


def table_of(draft: object, name: str) -> Given:
    """The table of a draft by its name. Raises PlanError."""
    found = [part for part in Given.of("draft", draft).parts("tables") if part.text("name") == name]
    if not found:
        raise PlanError("table must be one of the draft")
    return found[0]


def released(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Columns of a table of a draft that are kept."""
    return [column for column in part["columns"] if column["keep"]]
