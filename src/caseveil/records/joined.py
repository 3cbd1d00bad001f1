"""Rows of the people who joined in a period. Whoever has no date there is reported, and never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import RowsError
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows, nearest_column
from caseveil.records.raw import RawTable
from caseveil.schema.period import Period, days_joined

AnyRows = TypeVar("AnyRows", bound=Rows | LinkedRows)


def joined_cells(raw: RawTable, period: Period, table: str) -> Sequence[str]:
    """The column of the period as the file has it, one cell per row of the table of people.

    Raises RowsError when it is not there, where a cell is no date, and where a cell names a year or month that the
    period cuts: a person who stands in no period would be left out of every release, and one who moves between periods
    would be counted twice.
    """
    cells = raw.of_file(period.joined)
    if cells is None:
        raise RowsError(f"{table}: column {period.joined} is not in the data{nearest_column(period.joined, raw)}")
    place = f"{table}: column {period.joined}"
    undated = sum(days_joined(cell) is None for cell in cells)
    faults = []
    if undated:
        faults.append(
            f"{place} holds no date in {_rows(undated)}: every person needs the year, month or day (2026-03-31) on "
            f"which they came into the data"
        )
    cut = sum(days_joined(cell) is not None and period.holds(cell) is None for cell in cells)
    if cut:
        edges = period.until if period.after is None else f"{period.after} or {period.until}"
        faults.append(
            f"{place} holds a year or month alone in {_rows(cut)}, and the release ends within it ({edges}): give the "
            f"day of each, or let releases end with the year or month"
        )
    if faults:
        raise RowsError("\n".join(faults))
    return cells


def split(rows: AnyRows, raw: RawTable, period: Period | None) -> tuple[AnyRows, AnyRows | None]:
    """Of checked rows, those of everybody whom a release is about, and those among them who joined since the last one;
    None where it does not go on from one. raw: the table of people as it was read. period None: everybody.

    Raises RowsError as `joined_cells` and `of_period` do.
    """
    if period is None:
        return rows, None
    table = rows.victims.table if isinstance(rows, LinkedRows) else rows.table
    cells = joined_cells(raw, period, table.name)
    everybody = of_period(rows, cells, period.from_beginning())
    return everybody, None if period.after is None else of_period(rows, cells, period)


def of_period(rows: AnyRows, cells: Sequence[str], period: Period) -> AnyRows:
    """The people who joined in the period, with all their links. cells: one per person, as `joined_cells` gives them.

    Raises RowsError when fewer than two people did, and ValueError when cells are not one per person.
    """
    people = rows.victims if isinstance(rows, LinkedRows) else rows
    if people.n != len(cells):
        raise ValueError("cells must be one per person")
    chosen = np.fromiter((period.holds(cell) is True for cell in cells), np.bool_, len(cells))
    if int(chosen.sum()) < 2:
        raise RowsError(
            f"fewer than two people joined {period}, by column {period.joined}: there is nothing new to count"
        )
    found = _linked(rows, chosen) if isinstance(rows, LinkedRows) else _chosen(rows, chosen)
    return cast("AnyRows", found)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _linked(rows: LinkedRows, chosen: NDArray[np.bool_]) -> LinkedRows:
    kept = chosen[rows.victim_of]
    place = np.cumsum(chosen, dtype=np.int64) - 1
    return LinkedRows(
        victims=_chosen(rows.victims, chosen),
        perpetrators=_chosen(rows.perpetrators, kept),
        victim_of=place[rows.victim_of[kept]],
        link=rows.link,
    )


def _chosen(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    places = np.flatnonzero(chosen).tolist()
    return Rows(table=rows.table, columns={name: [cells[i] for i in places] for name, cells in rows.columns.items()})
