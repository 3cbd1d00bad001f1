"""Rows of a period: exactly those of the people who joined in it, with all their links."""

import numpy as np
import pytest

from caseveil.errors import RowsError
from caseveil.records.joined import joined_cells, of_period, split
from caseveil.records.linkage import LinkedRows, link_rows
from caseveil.records.prepare import Rows
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import Category
from caseveil.schema.links import Link
from caseveil.schema.period import Period
from caseveil.schema.table import Table

FIRST = Period(joined="day", until="2024")
NEXT = Period(joined="day", until="2025", after="2024")
CELLS = ["2023", "2025-01-01", "2024-12-31", "2026", "2025-12-31T08:00"]


def people(cells: list[str] = CELLS) -> tuple[Rows, RawTable]:
    names = [f"p{i}" for i in range(len(cells))]
    table = Table(name="cases", columns=(Category(name="who", values=tuple(names)),))
    return Rows(table=table, columns={"who": names}), RawTable(columns={"day": cells, "who": names})


def test_rows_of_a_period_and_of_everybody_up_to_its_end() -> None:
    rows, raw = people()
    everybody, added = split(rows, raw, NEXT)
    assert added is not None
    assert everybody.columns["who"] == ["p0", "p1", "p2", "p4"]
    assert added.columns["who"] == ["p1", "p4"]


def test_the_first_of_a_series_adds_nobody_to_anything() -> None:
    rows, raw = people()
    everybody, added = split(rows, raw, FIRST)
    assert everybody.columns["who"] == ["p0", "p2"]
    assert added is None
    assert split(rows, raw, None) == (rows, None)


def test_linked_rows_go_with_their_person() -> None:
    """Links are cut to the cap before, once for all, so that nobody has others in the one release than in the next."""
    table = Table(name="cases", columns=(Category(name="who", values=("p0", "p1", "p2", "p3")),), key="id")
    linked = Table(name="others", columns=(Category(name="of", values=("p0", "p1", "p3")),))
    raw = RawTable(
        columns={"id": list("abcd"), "who": ["p0", "p1", "p2", "p3"], "day": ["2025", "2024", "2025", "2025"]}
    )
    owners = "dababaa"
    links = RawTable(columns={"id": list(owners), "of": [f"p{'abcd'.index(owner)}" for owner in owners]})
    rows, _, report = link_rows(raw, table, links, linked, Link(to="cases", key="id", at_most=2))
    assert report.dropped == 2
    everybody, added = split(rows, raw, NEXT)
    assert isinstance(added, LinkedRows)
    assert everybody.victims.columns["who"] == ["p0", "p1", "p2", "p3"]
    assert added.victims.columns["who"] == ["p0", "p2", "p3"]
    assert added.perpetrators.columns["of"] == ["p0", "p0", "p3"]
    assert added.victim_of.tolist() == [0, 0, 2]
    assert added.victim_of.dtype == np.int64
    # every link names its own person
    assert [added.victims.columns["who"][i] for i in added.victim_of] == list(added.perpetrators.columns["of"])


def test_whoever_has_no_date_is_reported_and_not_guessed() -> None:
    _, raw = people(["2025", "soon", "", "2024"])
    with pytest.raises(RowsError, match=r"^cases: column day holds no date in 2 rows: every person needs") as error:
        joined_cells(raw, NEXT, "cases")
    assert "soon" not in str(error.value)


@pytest.mark.parametrize(
    "period", [Period(joined="day", until="2025-06"), Period(joined="day", until="2026", after="2025-06")]
)
def test_a_year_that_the_release_cuts_is_reported(period: Period) -> None:
    """Else who is known by the year alone would count as of its first day, and be in no later release."""
    rows, raw = people(["2025", "2025-07-01", "2025-06", "2024"])
    with pytest.raises(
        RowsError, match=r"column day holds a year or month alone in 1 row, and the release ends within"
    ):
        split(rows, raw, period)


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    rows, raw = people()
    with pytest.raises(RowsError, match=r"^cases: column days is not in the data.*day\?"):
        split(rows, raw, Period(joined="days", until="2024"))


@pytest.mark.parametrize(
    "period", [Period(joined="day", until="2026", after="2025"), Period(joined="day", until="2022")]
)
def test_fewer_than_two_people_are_not_counted(period: Period) -> None:
    rows, raw = people()
    with pytest.raises(RowsError, match="fewer than two people joined"):
        split(rows, raw, period)


def test_cells_of_other_rows_are_refused() -> None:
    rows, _ = people()
    with pytest.raises(ValueError, match="one per person"):
        of_period(rows, CELLS[1:], FIRST)
