"""Plans of releases that go on from one another: read, written, refused in words, and what their digest covers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.plan import Plan
from caseveil.plan_update import Update
from caseveil.schema.period import Period

TEXT = """
[release]
name = "cases"
version = "2026"
[privacy]
unit = "victim"
population = "victims of the country"
epsilon = 1.0
[update]
joined = "registered"
until = 2026-12-31
after = 2025
previous = "cases-2025"
everyone = 0.25
[tables.victims]
source = "victims.csv"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
"""
FIRST = 'after = 2025\nprevious = "cases-2025"\neveryone = 0.25\n'


def read(*changes: tuple[str, str]) -> Plan:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return Plan.from_toml(text, Path("somewhere"))


def test_what_a_plan_says() -> None:
    plan = read()
    period = Period(joined="registered", until="2026-12-31", after="2025")
    assert plan.update == Update(period=period, previous="cases-2025", everyone=0.25)
    assert plan.previous == Path("somewhere") / "cases-2025"
    assert plan.period == period
    assert plan.people == "victims of the country"


def test_the_first_of_a_series_and_a_plan_without_one() -> None:
    first = read((FIRST, ""))
    assert first.previous is None
    assert first.update == Update(period=Period(joined="registered", until="2026-12-31"))
    alone = read((TEXT[TEXT.index("[update]") : TEXT.index("[tables.victims]")], ""), ("population", "#"))
    assert (alone.update, alone.period, alone.previous) == (None, None, None)
    assert alone.people == "cases"


@pytest.mark.parametrize("changes", [(), ((FIRST, ""),), (("everyone = 0.25\n", ""),), (("2026-12-31", '"2026-06"'),)])
def test_round_trip(changes: tuple[tuple[str, str], ...]) -> None:
    plan = read(*changes)
    again = Plan.from_toml(plan.to_toml(), plan.folder)
    assert again == plan
    assert again.digest() == plan.digest()


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=15).filter(str.strip)


@given(TEXTS, TEXTS, st.floats(0, 1, exclude_max=True), st.integers(1000, 9000), st.integers(1, 900))
def test_any_update_is_written_so_that_it_reads_back(
    joined: str, previous: str, everyone: float, year: int, more: int
) -> None:
    period = Period(joined=joined, until=f"{year + more}-06", after=f"{year}-01-31")
    plan = read()
    plan = Plan(
        about=plan.about,
        promise=plan.promise,
        tables=plan.tables,
        update=Update(period=period, previous=previous, everyone=everyone),
        folder=plan.folder,
    )
    assert Plan.from_toml(plan.to_toml(), plan.folder).update == plan.update


def test_the_digest_covers_whom_a_release_counts_and_not_where_the_last_one_lies() -> None:
    base = read().digest()
    assert read(('"cases-2025"', '"/home/somebody/secret"')).digest() == base
    for change in (
        ("everyone = 0.25", "everyone = 0.5"),
        ("2026-12-31", "2026-12-30"),
        ("after = 2025", "after = 2024"),
        ('"registered"', '"seen"'),
        ('"victims of the country"', '"others"'),
    ):
        assert read(change).digest() != base, change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("until =", "untill ="), r"^update\.untill is not known; did you mean until\?$"),
        (("everyone =", "everybody ="), r"^update\.everybody is not known; did you mean everyone\?$"),
        (("joined =", "delta ="), r"^update\.delta is not known; delta belongs to \[privacy\]$"),
        (('joined = "registered"\n', ""), r"^update\.joined is missing"),
        (("until = 2026-12-31\n", ""), r"^update\.until is missing: a date must stand there$"),
        (('"registered"', '" "'), r"^update\.joined \(''\) must name the column"),
        (("2026-12-31", '"soon"'), r"^update\.until \('soon'\) must be a year, a month or a day, for example 2026-"),
        (("2026-12-31", "2026.5"), r"^update\.until \(a number\) must be a year, a month or a day"),
        (("2026-12-31", "2026-12-31T00:00:00"), r"^update\.until \(a date or time\) must be a year"),
        (("2026-12-31", "true"), r"^update\.until \(true or false\) must be"),
        (("2026-12-31", "202"), r"^update\.until \('202'\) must be a year"),
        (("after = 2025", "after = 2027"), r"^update\.after \(2027\) must come before until \(2026-12-31\)$"),
        (("after = 2025\n", ""), r"^update\.after is missing: previous and after belong together"),
        (('previous = "cases-2025"\n', ""), r"^update\.previous is missing: after and previous belong together"),
        (('"cases-2025"', '""'), r"^update\.previous \(''\) must name the folder"),
        (("0.25", "1.0"), r"^update\.everyone \(1\) must be 0 or more and below 1$"),
        (("0.25", "-0.1"), r"^update\.everyone \(-0\.1\) must be 0 or more"),
        (("0.25", "nan"), r"^update\.everyone must be finite$"),
        (("0.25", '"0.25"'), r"^update\.everyone \('0\.25'\) must be a number, written without quotes$"),
        ((FIRST, "everyone = 0.25\n"), r"^update\.everyone must be left out of the first of a series"),
        (
            ('population = "victims of the country"', 'population = " "'),
            r"^privacy\.population \(''\) must name",
        ),
        (("[release]", 'joined = "x"\n[release]'), r"^joined is not known; joined belongs to \[update\]$"),
    ],
)
def test_refusals(change: tuple[str, str], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        read(change)


def test_units_with_perpetrators_have_no_periods() -> None:
    """One perpetrator may have victims who joined in different periods."""
    linked = """
[tables.perpetrators]
source = "p.csv"
key = "id"
links = { to = "victims", key = "of", at_most = 3, shared_by_at_most = 2 }
[tables.perpetrators.columns.gender]
kind = "category"
values = ["Female"]
"""
    text = TEXT.replace('"victim"', '"victim or perpetrator"').replace('"victims.csv"', '"victims.csv"\nkey = "id"')
    with pytest.raises(PlanError, match=r"^update must be left out for the unit 'victim or perpetrator'"):
        Plan.from_toml(text + linked, Path())
