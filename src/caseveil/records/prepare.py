"""Raw text to the words of the plan: trimmed, missing words blanked, numbers and dates binned, sets sorted.

Every rule comes from the declared columns. All faults of all columns are reported together, one line a
column, as counts: no cell is ever quoted.
"""

from __future__ import annotations

import bisect
import datetime
import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caseveil.errors import RowsError
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING, Binned, Category, Column, MultiChoice, Outside
from caseveil.schema.cells import day_of, number_of
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True, repr=False)
class Rows:
    """Private rows in the plan's words.

    A cell of a single-valued column is '' or one label; a cell of a set column is '' or its items, in
    declared order (undeclared ones by name), joined by the delimiter of the column.
    """

    table: Table
    columns: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        if list(self.columns) != [column.name for column in self.table.columns]:
            raise ValueError("columns must be those of the table, in its order")
        if len({len(cells) for cells in self.columns.values()}) != 1:
            raise ValueError("columns must be equally long")

    @property
    def n(self) -> int:
        """Number of rows. Private."""
        return len(next(iter(self.columns.values())))

    def __repr__(self) -> str:
        return f"Rows(columns={list(self.columns)})"


@dataclass(frozen=True, kw_only=True)
class IntakeReport:
    """What preparation met. Private: for the steward's eyes.

    outside counts values (items, in set columns) that were made missing because the plan does not declare
    them; missing counts empty cells after preparation; both leave out columns where there are none.
    """

    rows: int
    outside: Mapping[str, int]
    missing: Mapping[str, int]
    unused_columns: tuple[str, ...]


@dataclass(kw_only=True)
class _Reading:
    """One column on its way: distinct raw cells, their prepared text and what went wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    outside_values: int = 0
    outside_rows: int = 0
    unreadable_rows: int = 0


def prepare(raw: RawTable, table: Table, *, linked: bool = False) -> tuple[Rows, IntakeReport]:
    """Rows of the declared columns, in the plan's words.

    Cells are stripped of surrounding space first. A binned column takes plain numbers ('17', '17.0'; a point, no
    thousands marks) or ISO dates (2015-06-30, with a time or without; 2015 and 2015-06 mean their first day), or
    its own labels. Raises RowsError, one line for every fault: columns that
    are absent, fewer than two rows, a key that is empty or repeats, values outside the declared ones where
    the column says refuse, and a column without declared values in which every cell is missing.

    linked: the table links to one of people (see `linkage`), so one row is enough, and its key may repeat or be empty.
    """
    faults = _absent(raw, table)
    if linked and not raw.n:
        faults.append(f"table {table.name} has no rows; take it out of the plan to release the other table alone")
        raise RowsError("\n".join(faults))
    if raw.n < 2 and not linked:
        faults.append(f"table {table.name} has {raw.n} row{'' if raw.n == 1 else 's'}; a release needs at least 2 rows")
        raise RowsError("\n".join(faults))
    if table.key is not None and table.key in raw.columns and not linked:
        faults.extend(_key_faults(table.key, raw.columns[table.key]))
    columns: dict[str, Sequence[str]] = {}
    outside: dict[str, int] = {}
    missing: dict[str, int] = {}
    for column in table.columns:
        if column.name not in raw.columns:
            continue
        cells = raw.columns[column.name]
        tally = Counter(cells)
        reading = _read(column, tally)
        columns[column.name] = list(map(reading.texts.__getitem__, cells))
        blank = sum(count for cell, count in tally.items() if reading.texts[cell] == MISSING)
        if blank:
            missing[column.name] = blank
        if column.outside is Outside.MISSING:
            if reading.outside_values or reading.unreadable_rows:
                outside[column.name] = reading.outside_values + reading.unreadable_rows
        else:
            faults.extend(_outside_faults(column, reading))
        if column.values is None and blank == raw.n:
            faults.append(
                f"column {column.name}: every cell is missing and no values are declared; "
                f"declare its values, or take the column out of the plan"
            )
    if faults:
        raise RowsError("\n".join(faults))
    used = {column.name for column in table.columns} | {table.key}
    unused = tuple(name for name in raw.columns if name not in used)
    return Rows(table=table, columns=columns), IntakeReport(
        rows=raw.n, outside=outside, missing=missing, unused_columns=unused
    )


def words_of(column: Column, cells: Sequence[str]) -> list[str]:
    """Cells in the plan's words without any check: what the plan does not know is missing. To show, not to release."""
    return list(map(_read(column, Counter(cells)).texts.__getitem__, cells))


def _absent(raw: RawTable, table: Table) -> list[str]:
    wanted = [*([table.key] if table.key is not None else []), *(column.name for column in table.columns)]
    return [
        f"{'key column' if name == table.key else 'column'} {name} is not in the data{nearest_column(name, raw)}"
        for name in wanted
        if name not in raw.columns
    ]


def nearest_column(name: str, raw: RawTable) -> str:
    """The end of a sentence about a column that is not there: the likeliest one meant, or where to look."""
    folded = {other.casefold(): other for other in raw.columns}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.7)
    return (
        f"; did you mean {folded[near[0]]}?" if near else "; check the plan, and that the first line names the columns"
    )


def _key_faults(key: str, cells: Sequence[str]) -> list[str]:
    tally = Counter(cell.strip() for cell in cells)
    empty = tally.pop(MISSING, 0)
    repeated = sum(count for count in tally.values() if count > 1)
    faults = []
    if empty:
        faults.append(f"key column {key} is empty in {_rows(empty)}: every row needs the key of its person")
    if repeated:
        faults.append(f"key column {key} repeats in {_rows(repeated)}: one row per person")
    return faults


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _outside_faults(column: Column, reading: _Reading) -> list[str]:
    mend = 'or set outside = "missing"'
    faults = []
    if reading.unreadable_rows and isinstance(column, Binned):
        shape = "a date such as 2015-06-30" if column.is_date else "a number such as 17 or 17.5"
        rows = reading.unreadable_rows
        faults.append(
            f"column {column.name}: {_rows(rows)} {_hold(rows)} something other than {shape}; "
            f"correct the data, put the word in missing, {mend}"
        )
    if reading.outside_rows:
        rows, values = reading.outside_rows, reading.outside_values
        if isinstance(column, Binned):
            faults.append(
                f"column {column.name}: {_rows(rows)} {_hold(rows)} a value below the first edge of its bins; "
                f"add a lower edge, {mend}"
            )
        else:
            several = (
                f"{values:,} items in {_rows(rows)} are" if values != rows else f"{_rows(rows)} {_hold(rows)} a value"
            )
            faults.append(
                f"column {column.name}: {several} outside its declared values; add the value, put it in missing, {mend}"
            )
    return faults


def _hold(rows: int) -> str:
    return "holds" if rows == 1 else "hold"


def _read(column: Column, tally: Mapping[str, int]) -> _Reading:
    match column:
        case MultiChoice():
            return _read_sets(column, tally)
        case Binned():
            return _read_bins(column, tally)
        case Category():
            return _read_category(column, tally)


def _read_category(column: Category, tally: Mapping[str, int]) -> _Reading:
    reading = _Reading()
    missing = {MISSING, *(word.strip() for word in column.missing)}
    known = None if column.values is None else {value.strip(): value for value in column.values}
    for cell, count in tally.items():
        text = cell.strip()
        if text in missing:
            text = MISSING
        elif known is not None and text not in known:
            text = MISSING
            reading.outside_values += count
            reading.outside_rows += count
        reading.texts[cell] = known[text] if known is not None and text else text
    return reading


def _read_bins(column: Binned, tally: Mapping[str, int]) -> _Reading:
    reading = _Reading()
    missing = {MISSING, *(word.strip() for word in column.missing)}
    labels = column.values
    edges = [edge.toordinal() if isinstance(edge, datetime.date) else float(edge) for edge in column.edges]
    own = {label.strip(): label for label in labels}
    for cell, count in tally.items():
        text = cell.strip()
        reading.texts[cell] = MISSING
        if text in missing:
            continue
        place = day_of(text) if column.is_date else number_of(text)
        if place is None:
            # Data that was binned before holds the labels themselves.
            reading.texts[cell] = own.get(text, MISSING)
            reading.unreadable_rows += count if text not in own else 0
            continue
        index = bisect.bisect_right(edges, place) - 1
        if index < 0:
            reading.outside_values += count
            reading.outside_rows += count
        else:
            reading.texts[cell] = labels[index]
    return reading


def _read_sets(column: MultiChoice, tally: Mapping[str, int]) -> _Reading:
    reading = _Reading()
    missing = {MISSING, *(word.strip() for word in column.missing)}
    known = None if column.values is None else {value.strip(): value for value in column.values}
    rank = {} if column.values is None else {value: place for place, value in enumerate(column.values)}
    for cell, count in tally.items():
        items: set[str] = set()
        strange: set[str] = set()
        if cell.strip() not in missing:
            for part in cell.split(column.delimiter):
                item = part.strip()
                if item in missing:
                    continue
                if known is None:
                    items.add(item)
                elif item in known:
                    items.add(known[item])
                else:
                    strange.add(item)
        reading.outside_values += count * len(strange)
        reading.outside_rows += count if strange else 0
        reading.texts[cell] = column.delimiter.join(sorted(items, key=lambda item: (rank.get(item, 0), item)))
    return reading
