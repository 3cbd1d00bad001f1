"""A draft of the application is a plan and comes back as it was."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from caseveil.demo import plan_text
from caseveil.errors import PlanError
from caseveil.plan import Plan
from caseveil.web.draft import from_plan, to_plan

WORDS = st.text(st.sampled_from(string.ascii_letters + "éß;'\"\\# \n漢"), min_size=1, max_size=8).map(str.strip)
NAMES = WORDS.filter(lambda text: text != "" and "\n" not in text)


@st.composite
def columns(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A column of any kind, kept."""
    kind = draw(st.sampled_from(["category", "ordered", "binned", "multi"]))
    values = draw(st.none() | st.lists(NAMES.filter(lambda v: ";" not in v), min_size=1, max_size=4, unique=True))
    days = st.dates().map(lambda day: day.isoformat())
    numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3)).filter(lambda x: x % 1)
    bins = draw(st.lists(numbers, min_size=1, max_size=5, unique=True) | st.lists(days, min_size=1, unique=True))
    free = kind in ("category", "ordered") and values is None
    recode = draw(st.dictionaries(NAMES, NAMES | st.just(""), max_size=3)) if free else {}
    group = draw(st.sampled_from([None, "un-region", "un-subregion"])) if free and not recode else None
    return {
        "name": name,
        "from": draw(st.sampled_from([name, f"file {name}"])),
        "keep": True,
        "reason": "",
        "kind": kind,
        "values": None if kind == "binned" else values,
        "bins": sorted(bins) if kind == "binned" else None,
        "labels": None,
        "delimiter": ";",
        "at_most": draw(st.integers(1, 9)) if kind == "multi" else None,
        "missing": ["", "not known to anybody"],
        "outside": draw(st.sampled_from(["refuse", "missing"])),
        "recode": recode,
        "derive": draw(st.sampled_from([None, "year", "month", "quarter", "whole"])) if free and not recode else None,
        "group": group,
        "meaning": draw(st.sampled_from(["", "What it is"])),
    }


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """A draft of one table."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    condition = st.fixed_dictionaries(
        {"column": NAMES, "is": st.lists(NAMES, min_size=1, max_size=2), "is_not": st.none()}
    )
    draft_key = draw(st.sampled_from([None, "id of nobody"]))
    return {
        "release": {"name": "cases", "version": "2026", "title": "A", "publisher": "", "license": ""},
        "promise": {
            "unit": "person",
            "population": draw(st.sampled_from(["", "people of a shelter"])),
            "epsilon": draw(st.floats(0.1, 10)),
            "delta": draw(st.sampled_from(["auto", 1e-6])),
            "budget": draw(st.sampled_from([None, {"epsilon": 4.0, "delta": 2e-5}])),
        },
        "aggregates": {"length": draw(st.integers(1, 5)), "fabrication": draw(st.sampled_from(["open", 0.2]))},
        "tables": [
            {
                "name": "cases",
                "source": "cases.csv",
                "key": draft_key,
                "links": None,
                "join": draw(st.sampled_from([None, {"source": "talks.csv", "key": "of"}])) if draft_key else None,
                "where": draw(st.lists(condition, max_size=2)),
                "columns": [draw(columns(name)) for name in names],
            }
        ],
        "rest": {"weights": None, "cells_cap": draw(st.integers(1000, 10**7)), "flattened": [], "stories": []},
    }


@settings(deadline=None)
@given(drafts())
def test_a_draft_goes_through_toml_and_comes_back(draft: dict[str, Any]) -> None:
    try:
        plan = to_plan(json.loads(json.dumps(draft)))
    except PlanError:
        assume(False)
    again = Plan.from_toml(plan.to_toml(), Path())
    assert again.digest() == plan.digest()
    back = from_plan(again)
    for column in draft["tables"][0]["columns"]:
        if column["group"] and column["values"] is None:  # a ready grouping declares its names
            column["values"] = next(
                one["values"] for one in back["tables"][0]["columns"] if one["name"] == column["name"]
            )
    assert back == draft


def test_the_plan_of_the_demo_loses_nothing() -> None:
    plan = Plan.from_toml(plan_text(), Path())
    assert to_plan(json.loads(json.dumps(from_plan(plan)))) == plan


def test_a_plan_of_a_series_is_for_the_command_line() -> None:
    update = '\n[update]\njoined = "year_of_registration"\nuntil = 2020\n'
    with pytest.raises(PlanError, match="command line"):
        from_plan(Plan.from_toml(plan_text() + update, Path()))


@pytest.mark.parametrize("wrong", [None, 3, [], {}, {"release": {}}, {"release": 3, "promise": {}, "aggregates": {}}])
def test_what_is_no_draft_is_refused(wrong: object) -> None:
    with pytest.raises(PlanError):
        to_plan(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "none"}, {"bins": ["2026-13-01"], "kind": "binned"}, {"bins": [True], "kind": "binned"}, {"keep": 1},
        {"derive": "day"}, {"group": "none"}, {"recode": {"a": 1}}, {"values": [" a"]}, {"values": "abc"},
        {"outside": "drop"}, {"missing": None}, {"keep": False},
    ],
)  # fmt: skip
def test_a_column_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    draft = from_plan(Plan.from_toml(plan_text(), Path()))
    draft["tables"], draft["rest"]["flattened"] = draft["tables"][:1], []
    draft["tables"][0]["columns"] = [{**draft["tables"][0]["columns"][1], **change}]
    with pytest.raises(PlanError):
        to_plan(draft)
