"""The tables that are open, and what a draft or a plan makes of them before any recipe: two that it joins are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from caseveil.errors import PlanError
from caseveil.plan import Plan
from caseveil.records.join import added
from caseveil.records.raw import RawTable
from caseveil.records.said import say
from caseveil.schema.recipe import Join
from caseveil.web import opening
from caseveil.web.draft import join_of
from caseveil.web.fields import Given
from caseveil.web.opening import Source, remark


class Sources:
    """Opened tables by name. The last join is kept: every request asks for it."""

    def __init__(self, opened: Iterable[Source] = ()) -> None:
        self._by_name: Mapping[str, Source] = {source.name: source for source in opened}
        self._joined: tuple[tuple[str, str, Join], RawTable] | None = None

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Source | None:
        """The table of this name."""
        return self._by_name.get(name)

    def raws(self, plan: Plan) -> list[RawTable]:
        """The tables of a plan, in its order, joined as it says. Raises PlanError, and RowsError as a join does."""
        return [self._raw(part.source or "", part.table.name, part.table.key, part.recipe.join) for part in plan.tables]

    def raw_of(self, table: Given) -> RawTable:
        """The same for a table of a draft."""
        return self._raw(table.text("source"), table.text("name"), table.maybe_text("key"), join_of(table))

    def _raw(self, name: str, table: str, key: str | None, join: Join | None) -> RawTable:
        found = [self._by_name.get(one) for one in (name, *([] if join is None else [join.source]))]
        if None in found:
            raise PlanError(f"{table}: its file is not open; open the file again")
        raw, *other = [source.raw for source in found if source is not None]
        if join is None or key is None:
            return raw
        if self._joined is None or self._joined[0] != (name, key, join):
            self._joined = (name, key, join), added(raw, other[0], key=key, join=join)
        return self._joined[1]


def matched(draft: Mapping[str, Any], sources: Sources) -> list[dict[str, Any]]:
    """Gives the tables of a draft that was read from a plan the files that are open, and the columns of those that the
    plan does not release. Returns what to say of it. Where as many are open as the plan names, their names may differ.
    """
    said: list[dict[str, Any]] = []
    wanted = [(part, part) for part in draft["tables"]]
    wanted += [(part, part["join"]) for part in draft["tables"] if part["join"]]
    open_now = list(sources)
    missing = set()
    for at, (part, place) in enumerate(wanted):
        base = Path(place["source"]).name
        source = sources.get(place["source"]) or sources.get(base)
        if source is None and len(open_now) == len(wanted):
            source = open_now[at]
            said.append(remark("note", say("otherFile", file=source.name), part["name"]))
        if source is None:
            said.append(remark("note", say("openFile", file=base), part["name"]))
            missing.add(part["name"])
        place["source"] = base if source is None else source.name
    for part in draft["tables"]:
        if part["name"] not in missing:
            opening.complete(part, sources.raw_of(Given.of("table", part)))
    return said
