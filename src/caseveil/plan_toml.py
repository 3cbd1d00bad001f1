"""release.toml read into a Plan. What is not known is refused, with the nearest thing that is."""

from __future__ import annotations

import datetime
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path

from caseveil.errors import PlanError
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.plan_keys import COLUMN_KEYS, KEYS, KINDS
from caseveil.plan_recipe import read_column, read_join, read_where
from caseveil.plan_section import Section, finite, labels_of, placed, sort_of
from caseveil.plan_update import Update
from caseveil.privacy.loss import EpsilonDelta
from caseveil.release.about import About
from caseveil.release.story import Story
from caseveil.schema.attribute import Binned, Category, Column, Edge, MultiChoice, Ordered, Outside
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link
from caseveil.schema.period import Period
from caseveil.schema.recipe import Group, Recipe
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit


def _edges(place: str, items: list[object] | None) -> tuple[Edge, ...]:
    if items is None:
        raise PlanError(f"{place}.bins is missing: a rising list of edges must stand there, for example [0, 18, 30]")
    edges: list[Edge] = []
    for item in items:
        if isinstance(item, datetime.datetime | datetime.time):
            raise PlanError(
                f"{place}.bins (holding a time) must hold numbers, or dates such as 2020-01-01 without a time"
            )
        if isinstance(item, datetime.date):
            edges.append(item)
        elif isinstance(item, str):
            raise PlanError(f"{place}.bins (holding a text) must hold numbers or dates, written without quotes")
        else:
            edges.append(finite(f"{place}.bins", item, "a list of numbers or dates") + 0.0)
    return tuple(edges)


def _column(name: str, section: Section, group: Group | None) -> Column:
    kind = section.text("kind") if "kind" in section.data else None
    if kind not in KINDS:
        near = difflib.get_close_matches(kind or "", KINDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        state = "is missing: it" if kind is None else f"({kind[:40]!r})"
        raise PlanError(f"{section.at('kind')} {state} must be one of {', '.join(KINDS)}{hint}")
    home = {key: f"columns of kind {other}" for other in KINDS for key in KEYS[other]}
    section.refuse_unknown({**COLUMN_KEYS, **KEYS[kind]}, home)
    place = section.place
    outside = section.text("outside", "refuse")
    if outside not in ("refuse", "missing"):
        raise PlanError(f"{place}.outside ({outside[:40]!r}) must be refuse or missing")
    missing = labels_of(place, section.items("missing", "texts"), "missing")
    common = {
        "missing": ("",) if missing is None else missing,
        "outside": Outside(outside),
        "meaning": section.text("meaning", ""),
    }
    # Columns name their fields "<column>.<field>" in messages; what stands before is put there by placed.
    prefix = place.removesuffix(name)
    if kind == "binned":
        edges = _edges(place, section.items("bins", "edges"))
        labels = labels_of(place, section.items("labels", "texts"), "labels")
        with placed(prefix):
            return Binned(name=name, edges=edges, labels=labels, **common)  # type: ignore[arg-type]
    values = labels_of(place, section.items("values", "texts"), "values")
    if values is None and group is not None:
        values = group.names  # public, so nothing need be discovered
    if kind == "multi":
        delimiter, at_most = section.text("delimiter", ";"), section.whole("at_most", 5)
        with placed(prefix):
            return MultiChoice(name=name, values=values, delimiter=delimiter, at_most=at_most, **common)  # type: ignore[arg-type]
    with placed(prefix):
        return (Ordered if kind == "ordered" else Category)(name=name, values=values, **common)  # type: ignore[arg-type]


def _table(name: str, section: Section) -> TablePlan:
    section.refuse_unknown(KEYS["tables.NAME"], dict.fromkeys(KEYS["tables.NAME.links"], f"[{section.place}.links]"))
    columns = section.section("columns", f"[{section.place}.columns.gender]")
    read, made = [], []
    for column in columns.data:
        its = columns.section(column, f"[{columns.place}.gender]")
        made.append(read_column(column, its))
        read.append(_column(column, its, made[-1].group))
    return TablePlan(
        table=Table(name=name, columns=tuple(read), key=section.maybe_text("key")),
        source=section.text("source"),
        query=section.maybe_text("query"),
        link=_link(section),
        recipe=Recipe(columns=tuple(made), where=read_where(section), join=read_join(section)),
    )


def _link(section: Section) -> Link | None:
    if "links" not in section.data:
        return None
    links = section.section("links", '{ to = "victims", key = "victim_id", at_most = 6 }')
    links.refuse_unknown(KEYS["tables.NAME.links"], {})
    public = "a whole number that is public knowledge or a round guess, never read off the rows,"
    shared = "shared_by_at_most"
    to, key, at_most = links.text("to"), links.text("key"), links.whole("at_most", takes=public)
    shared_by_at_most = links.whole(shared) if shared in links.data else None
    with placed(f"{section.place}."):
        return Link(to=to, key=key, at_most=at_most, shared_by_at_most=shared_by_at_most)


def _flattened(root: Section) -> tuple[FlattenedColumn, ...]:
    if FLATTENED not in root.data:
        return ()
    columns = root.section(FLATTENED, f"[{FLATTENED}.gender]")
    read = []
    for name in columns.data:
        column = columns.section(name, f"[{FLATTENED}.{name[:60]}]")
        column.refuse_unknown(KEYS["flattened.NAME"], {})
        table, dot, rest = column.text("from").partition(".")
        if not (table and dot and rest):
            raise PlanError(f'{column.at("from")} must name a table and a column, for example "perpetrators.role"')
        recode = column.section("recode", '{ "Asia" = "Asia or Oceania" }') if "recode" in column.data else None
        read.append(
            FlattenedColumn(
                name=name,
                table=table,
                column=rest,
                recode={} if recode is None else {old: recode.text(old) for old in recode.data},
                has=column.maybe_text("has"),
                yes=column.text("yes", "1"),
                meaning=column.text("meaning", ""),
            )
        )
    return tuple(read)


def _stories(root: Section) -> tuple[Story, ...]:
    read = []
    for number, block in enumerate(root.items("stories", "sections, each headed [[stories]]") or (), start=1):
        if not isinstance(block, dict):
            raise PlanError(f"stories (holding {sort_of(block)}) must be sections, each headed [[stories]]")
        story = Section(place=f"stories[{number}]", data=block)
        story.refuse_unknown(KEYS["[stories]"], {})
        title, text, view = story.text("title"), story.text("text"), story.text("view", "")
        with placed(f"{story.place}."):
            read.append(Story(title=title, text=text, view=view))
    return tuple(read)


def parse(text: str, folder: Path) -> Plan:
    """The plan in a TOML text. Raises PlanError, and nothing else, for any text that is not a plan."""
    try:
        text.encode("utf-8")
        data = tomllib.loads(text)
    except UnicodeEncodeError:
        raise PlanError("the plan must be text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"the plan is not valid TOML: {error}") from None
    except (ValueError, RecursionError):
        raise PlanError("the plan is not valid TOML: a number is too long, or brackets are nested too deeply") from None
    root = Section(place="", data=data)
    tops = ("release", "privacy", "update", "aggregates", "tables", FLATTENED, "stories")
    homes = {key: f"[{section}]" for section in reversed(tops[:4]) for key in KEYS[section]}
    root.refuse_unknown(dict.fromkeys(tops), homes)

    release = root.section("release", "[release]")
    release.refuse_unknown(KEYS["release"], homes)
    about = About(
        name=release.text("name"),
        version=release.text("version"),
        title=release.text("title", ""),
        publisher=release.text("publisher", ""),
        license=release.text("license", ""),
    )

    privacy = root.section("privacy", "[privacy]")
    guarantee = privacy.text("guarantee", "differential-privacy")
    if guarantee == "k-anonymity":
        raise PlanError(
            "privacy.guarantee (k-anonymity) is planned and cannot be released by this version; "
            "it must be differential-privacy"
        )
    if guarantee != "differential-privacy":
        raise PlanError(f"privacy.guarantee ({guarantee[:40]!r}) must be differential-privacy")
    privacy.refuse_unknown(KEYS["privacy"], homes)
    epsilon = privacy.number("epsilon", takes="a number above 0")
    auto = privacy.data.get("delta", "auto") == "auto"
    delta = None if auto else privacy.number("delta", takes='a number between 0 and 1, or "auto"')
    with placed("privacy."):
        promise = Promise(epsilon=epsilon, delta=delta)
    budget = None
    if "budget" in privacy.data:
        limit = privacy.section("budget", "{ epsilon = 4.0, delta = 2e-5 }")
        limit.refuse_unknown(KEYS["privacy.budget"], {})
        limits = limit.number("epsilon"), limit.number("delta")
        with placed("privacy.budget."):
            budget = EpsilonDelta(epsilon=limits[0], delta=limits[1])

    tables = root.section("tables", "[tables.victims]")
    return Plan(
        about=about,
        promise=promise,
        unit=PrivacyUnit(name=privacy.text("unit", "person")),
        ledger=privacy.maybe_text("ledger"),
        budget=budget,
        aggregates=_aggregates(root, homes),
        tables=tuple(_table(name, tables.section(name, "[tables.victims]")) for name in tables.data),
        flattened=_flattened(root),
        update=_update(root, homes),
        population=privacy.maybe_text("population"),
        stories=_stories(root),
        folder=folder,
    )


def _update(root: Section, homes: Mapping[str, str]) -> Update | None:
    if "update" not in root.data:
        return None
    section = root.section("update", "[update]")
    section.refuse_unknown(KEYS["update"], homes)
    joined, until = section.text("joined"), section.day("until")
    with placed("update."):
        period = Period(joined=joined, until=until, after=section.day("after") if "after" in section.data else None)
    return Update(period=period, previous=section.maybe_text("previous"), everyone=section.number("everyone", 0.0))


def _aggregates(root: Section, homes: Mapping[str, str]) -> Aggregates:
    if "aggregates" not in root.data:
        return Aggregates()
    section = root.section("aggregates", "[aggregates]")
    section.refuse_unknown(KEYS["aggregates"], homes)
    dial = section.data.get("fabrication", "balanced")
    if not isinstance(dial, str):
        dial = section.number("fabrication", takes="open, balanced, minimal, or a number between 0 and 1")
    weights = section.items("weights", "numbers")
    return Aggregates(
        length=section.whole("length", 3),
        fabrication=Fabrication.parse(dial),
        weights=None
        if weights is None
        else tuple(finite("aggregates.weights", w, "a list of numbers") for w in weights),
        cells_cap=section.whole("cells_cap", 3_000_000),
    )
