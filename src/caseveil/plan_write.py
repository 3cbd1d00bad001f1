"""A Plan written down: as release.toml, and as the public content that its digest covers."""

from __future__ import annotations

import datetime
import json
import re

from caseveil.plan import Plan
from caseveil.plan_recipe import column_content, join_content, where_content
from caseveil.plan_update import Update
from caseveil.schema.attribute import Binned, Column, Edge, MultiChoice
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.links import Link


def _plainest(edge: Edge) -> object:
    """18 rather than 18.0."""
    return int(edge) if isinstance(edge, float) and edge.is_integer() and abs(edge) < 2**53 else edge


def _column_content(column: Column) -> dict[str, object]:
    content: dict[str, object] = {"kind": column.kind}
    if isinstance(column, Binned):
        content["bins"] = [_plainest(edge) for edge in column.edges]
        if column.labels is not None:
            content["labels"] = list(column.labels)
    elif column.values is not None:
        content["values"] = list(column.values)
    if isinstance(column, MultiChoice):
        content |= {"delimiter": column.delimiter, "at_most": column.at_most}
    content |= {"missing": list(column.missing), "outside": column.outside.value}
    return content | ({"meaning": column.meaning} if column.meaning else {})


def _link_content(link: Link) -> dict[str, object]:
    content: dict[str, object] = {"to": link.to, "key": link.key, "at_most": link.at_most}
    return content | ({} if link.shared_by_at_most is None else {"shared_by_at_most": link.shared_by_at_most})


def _flattened_content(column: FlattenedColumn) -> dict[str, object]:
    content: dict[str, object] = {"from": f"{column.table}.{column.column}"}
    if column.recode:
        content["recode"] = dict(column.recode)
    if column.has is not None:
        content |= {"has": column.has, "yes": column.yes}
    return content | ({"meaning": column.meaning} if column.meaning else {})


def _update_content(update: Update) -> dict[str, object]:
    period = update.period
    content: dict[str, object] = {"joined": period.joined, "until": period.until}
    content |= {} if period.after is None else {"after": period.after}
    return content | ({"everyone": update.everyone} if update.everyone else {})


def _settings(plan: Plan) -> dict[str, dict[str, object]]:
    about, aggregates = plan.about, plan.aggregates
    release: dict[str, object] = {"name": about.name, "version": about.version}
    release |= {
        key: text
        for key, text in (("title", about.title), ("publisher", about.publisher), ("license", about.license))
        if text
    }
    privacy: dict[str, object] = {
        "guarantee": "differential-privacy",
        "unit": plan.unit.name,
        "epsilon": plan.promise.epsilon,
        "delta": "auto" if plan.promise.delta is None else plan.promise.delta,
    }
    if plan.population is not None:
        privacy["population"] = plan.population
    if plan.budget is not None:
        privacy["budget"] = {"epsilon": plan.budget.epsilon, "delta": plan.budget.delta}
    counted: dict[str, object] = {"length": aggregates.length, "fabrication": aggregates.fabrication.dial}
    if aggregates.weights is not None:
        counted["weights"] = list(aggregates.weights)
    counted["cells_cap"] = aggregates.cells_cap
    settings = {"release": release, "privacy": privacy, "aggregates": counted}
    return settings if plan.update is None else {**settings, "update": _update_content(plan.update)}


def public_content(plan: Plan) -> dict[str, object]:
    """What shapes the release as plain JSON values; no source, no query, no path, no name or cell of the file, no
    stories."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        # Whole numbers and floats that are equal give equal plans, so they must give one digest.
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value.isoformat() if isinstance(value, datetime.date) else value

    tables = [
        {
            "name": part.table.name,
            "key": part.table.key,
            "columns": [
                {"name": column.name, **_column_content(column), **column_content(part.recipe.of(column.name))[0]}
                for column in part.table.columns
            ],
            **({} if part.link is None else {"links": _link_content(part.link)}),
        }
        for part in plan.tables
    ]
    content = plain({**_settings(plan), "tables": tables})
    assert isinstance(content, dict)
    if plan.flattened:
        content[FLATTENED] = [{"name": column.name, **_flattened_content(column)} for column in plan.flattened]
    return content


def _toml(value: object) -> str:
    if isinstance(value, str):
        # JSON escapes all that TOML asks for, but for the delete character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    assert isinstance(value, int | float)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return f"{value:.1f}"
    return repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def render(plan: Plan) -> str:
    """The plan as TOML text."""
    content = _settings(plan)
    if plan.ledger is not None:
        content["privacy"]["ledger"] = plan.ledger
    if plan.update is not None and plan.update.previous is not None:
        content["update"]["previous"] = plan.update.previous
    for part in plan.tables:
        place = f"tables.{part.table.name}"
        links = None if part.link is None else _link_content(part.link)
        where = where_content(part.recipe) or None
        optional = {
            "source": part.source, "query": part.query, "key": part.table.key,
            "join": join_content(part.recipe), "links": links, "where": where,
        }  # fmt: skip
        content[place] = {key: value for key, value in optional.items() if value is not None}
        for column in part.table.columns:
            public, private = column_content(part.recipe.of(column.name))
            content[f"{place}.columns.{_key(column.name)}"] = private | _column_content(column) | public
    for derived in plan.flattened:
        content[f"{FLATTENED}.{_key(derived.name)}"] = _flattened_content(derived)
    blocks = (
        "\n".join([f"[{place}]", *(f"{_key(key)} = {_toml(value)}" for key, value in block.items())])
        for place, block in content.items()
    )
    stories = ("\n".join(["[[stories]]", *(f"{k} = {_toml(v)}" for k, v in s.to_json().items())]) for s in plan.stories)
    return "\n\n".join([*blocks, *stories]) + "\n"
