"""Periods cut the days without gap or overlap, and what cannot be told is never guessed."""

import calendar
import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import PlanError
from caseveil.schema.period import Period, days_joined, first_day, last_day

DAYS = st.dates(datetime.date(1, 1, 2), datetime.date(9998, 12, 31))


def at(day: datetime.date) -> str:
    return day.isoformat()


@given(DAYS)
def test_a_day_a_month_and_a_year_name_their_first_and_last_days(day: datetime.date) -> None:
    month_end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    assert first_day(at(day)) == last_day(at(day)) == day.toordinal()
    assert first_day(at(day)[:7]) == day.replace(day=1).toordinal()
    assert last_day(at(day)[:7]) == month_end.toordinal()
    assert first_day(at(day)[:4]) == datetime.date(day.year, 1, 1).toordinal()
    assert last_day(at(day)[:4]) == datetime.date(day.year, 12, 31).toordinal()


@given(st.text(max_size=12))
def test_any_other_text_is_no_date(text: str) -> None:
    days = days_joined(text)
    if days is not None:
        plain = text.strip().split("T")[0].split(" ")[0]
        assert days == (first_day(plain), last_day(plain))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-13",
        "2026-02-30",
        "26",
        "20261231",
        "2026-1-1",
        "31.12.2026",
        "0000",
        "\uff12\uff10\uff12\uff16",
        "2026-12-31x",
        "n/a",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert first_day(text) is None
    assert last_day(text) is None
    assert days_joined(text) is None


@pytest.mark.parametrize("text", ["2026-03-31", " 2026-03-31 ", "2026-03-31 00:00:00", "2026-03-31T09:30:00+01:00"])
def test_a_cell_may_hold_a_time_of_day(text: str) -> None:
    day = datetime.date(2026, 3, 31).toordinal()
    assert days_joined(text) == (day, day)


@given(DAYS, st.lists(DAYS, min_size=1, max_size=5, unique=True))
def test_every_day_lies_in_exactly_one_period_of_a_series(day: datetime.date, ends: list[datetime.date]) -> None:
    """After the last end it lies in none."""
    cuts = [at(end) for end in sorted(ends)]
    series = [Period(joined="d", until=cuts[0])]
    series += [Period(joined="d", until=b, after=a) for a, b in itertools.pairwise(cuts)]
    held = [period.holds(at(day)) for period in series]
    assert held.count(True) == (day <= max(ends))
    assert held.count(False) == len(series) - held.count(True)
    assert series[-1].from_beginning().holds(at(day)) is (day <= max(ends))


@given(DAYS, DAYS)
def test_a_month_is_in_a_period_only_as_a_whole(one: datetime.date, other: datetime.date) -> None:
    month, end = at(one)[:7], Period(joined="d", until=at(other))
    within = {end.holds(f"{month}-{day:02d}") for day in range(1, calendar.monthrange(one.year, one.month)[1] + 1)}
    assert end.holds(month) is (None if len(within) == 2 else within.pop())


def test_a_year_and_its_last_day_are_the_same() -> None:
    short, long = (
        Period(joined="d", until="2026", after="2025"),
        Period(joined="d", until="2026-12-31", after="2025-12"),
    )
    assert (short.start, short.end) == (long.start, long.end)
    assert str(short) == "after 2025 until 2026"
    assert str(short.from_beginning()) == "until 2026"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"joined": " "}, r"^joined \(''\) must name the column"),
        ({"until": "soon"}, r"^until \('soon'\) must be a year, a month or a day, for example 2026-12-31$"),
        ({"after": "2025-13"}, r"^after \('2025-13'\) must be a year"),
        ({"after": "2026-12-31"}, r"^after \(2026-12-31\) must come before until \(2026\)$"),
        ({"after": "2027"}, r"must come before until"),
    ],
)
def test_other_periods_are_refused(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        Period(**{"joined": "d", "until": "2026", **wrong})
