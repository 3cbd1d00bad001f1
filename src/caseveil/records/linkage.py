"""Rows of one table that belong to rows of another: joined by key, checked, and cut to the cap by chance.

Faults of both tables and of the link are reported together, as counts; no key is ever quoted.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import RowsError
from caseveil.records.keys import likeness
from caseveil.records.prepare import IntakeReport, Rows, nearest_column, prepare
from caseveil.records.raw import RawTable
from caseveil.schema.links import Link
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedRows:
    """Private rows of two linked tables, in the plan's words.

    victims: one row per person. perpetrators: one row per link that counts, grouped by victim and in no order beyond
    that. victim_of: (links,) the row of `victims` that each belongs to; it rises.
    """

    victims: Rows
    perpetrators: Rows
    victim_of: NDArray[np.int64]
    link: Link

    def __post_init__(self) -> None:
        of = self.victim_of
        if of.shape != (self.perpetrators.n,) or of.dtype != np.int64:
            raise ValueError("victim_of must be one int64 per row of perpetrators")
        if len(of) and (of[0] < 0 or of[-1] >= self.victims.n or bool(np.any(np.diff(of) < 0))):
            raise ValueError("victim_of must rise and name rows of victims")
        if len(of) and int(self.numbers.max()) > self.link.at_most:
            raise ValueError("no victim may have more links than link.at_most")

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(victims,) links of each victim that count, 0 to link.at_most."""
        return np.bincount(np.asarray(self.victim_of, np.intp), minlength=self.victims.n).astype(np.int64)

    def __repr__(self) -> str:
        return f"LinkedRows(victims={self.victims!r}, perpetrators={self.perpetrators!r}, link={self.link!r})"


@dataclass(frozen=True, kw_only=True)
class LinkReport:
    """What joining met. Private: for the steward's eyes.

    victims, links: rows of the two tables. without: victims without a link. above: victims with more links than the
    cap; dropped: links beyond the cap, which do not count. Where the linked table has a key: shared_most is the most
    victims of one perpetrator (None without a key), unnamed counts rows with an empty key, and both counts distinct
    keys of perpetrators that are also keys of victims.
    """

    victims: int
    links: int
    without: int
    above: int
    dropped: int
    shared_most: int | None = None
    unnamed: int = 0
    both: int = 0


def link_rows(
    victims_raw: RawTable,
    victims: Table,
    perpetrators_raw: RawTable,
    perpetrators: Table,
    link: Link,
    *,
    strict: bool = False,
) -> tuple[LinkedRows, tuple[IntakeReport, IntakeReport], LinkReport]:
    """Both tables prepared and joined, the report of each, and that of the link.

    Keys are compared as text without the space around them, and in no other way. Of a victim with more than
    link.at_most links that many are kept, each subset equally likely and independent of everybody else's.

    strict is for the unit of victims and perpetrators: a victim with more links than link.at_most, a perpetrator with
    more victims than link.shared_by_at_most, one without a key and one who is also a victim are then refused, and
    nothing is dropped.

    Raises RowsError, one line for every fault: those of `prepare`; an empty linked table; rows that name no victim, or
    none that is there; and the same perpetrator twice under one victim. Nothing is joined by guess: where keys
    would be alike if they were written alike, the message says how.
    """
    prepared: list[tuple[Rows, IntakeReport]] = []
    faults: list[str] = []
    for raw, table, linked in ((victims_raw, victims, False), (perpetrators_raw, perpetrators, True)):
        try:
            prepared.append(prepare(raw, table, linked=linked))
        except RowsError as error:
            faults += [f"{table.name}: {line}" for line in str(error).split("\n")]
    assert victims.key is not None, "a plan with links has a key in the table of people"
    place = f"{perpetrators.name}: key column {link.key}"
    if link.key not in perpetrators_raw.columns:
        faults.append(f"{place} is not in the data{nearest_column(link.key, perpetrators_raw)}")
    if victims.key not in victims_raw.columns or link.key not in perpetrators_raw.columns or not perpetrators_raw.n:
        raise RowsError("\n".join(faults))
    keys = _stripped(victims_raw.columns[victims.key])
    named = _stripped(perpetrators_raw.columns[link.key])
    position = {key: at for at, key in enumerate(keys) if key}
    victim_of = np.fromiter((position.get(key, -1) for key in named), np.int64, len(named))
    faults += _strays(named, victim_of, keys, victims, perpetrators, perpetrators_raw, link)
    names = None
    if perpetrators.key is not None and perpetrators.key in perpetrators_raw.columns:
        names = _stripped(perpetrators_raw.columns[perpetrators.key])
        faults += _twice(names, named, perpetrators)
    if faults:
        raise RowsError("\n".join(faults))
    report = _report(victim_of, len(keys), link, names, position)
    if strict:
        _refuse_what_breaks_the_unit(report, victims, perpetrators, link)
    rows, people = prepared[1][0], prepared[0][0]
    kept = _kept(victim_of, link.at_most)
    chosen = kept.tolist()
    columns = {name: [cells[i] for i in chosen] for name, cells in rows.columns.items()}
    linked_rows = LinkedRows(
        victims=people,
        perpetrators=Rows(table=rows.table, columns=columns),
        victim_of=victim_of[kept],
        link=link,
    )
    unused = tuple(name for name in prepared[1][1].unused_columns if name != link.key)
    return linked_rows, (prepared[0][1], replace(prepared[1][1], unused_columns=unused)), report


def _stripped(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _strays(
    named: list[str],
    victim_of: NDArray[np.int64],
    keys: list[str],
    victims: Table,
    perpetrators: Table,
    raw: RawTable,
    link: Link,
) -> list[str]:
    """Faults of rows that name no victim, with what would mend them."""
    place = f"{perpetrators.name}: key column {link.key}"
    empty = sum(not key for key in named)
    strays = [named[i] for i in np.flatnonzero(victim_of < 0).tolist() if named[i]]
    faults = []
    if empty:
        faults.append(f"{place} is empty in {_rows(empty)}: every row must name its row of {victims.name}")
    if not strays:
        return faults
    said = f"{place}: {_rows(len(strays))} {'names' if len(strays) == 1 else 'name'} no row of {victims.name}"
    known = set(keys) - {""}
    mend = f"add these people to {victims.name}, or take the rows out of {perpetrators.name}"
    other = _other_column(raw, known, link.key) if len(strays) + empty == len(named) else None
    if other is not None:
        return [*faults, f"{said}; column {other} would match: did you mean links.key = {json.dumps(other)}?"]
    alike = likeness(strays, known)
    if alike is None:
        return [*faults, f"{said}; {mend}"]
    rest = "" if alike.rows == len(strays) else f"; for the others, {mend}"
    return [
        *faults,
        f"{said}; {alike.rows:,} would match column {victims.key} {alike.how}: write the key the same way in both "
        f"files{rest}",
    ]


def _other_column(raw: RawTable, keys: set[str], key: str) -> str | None:
    """A column of the linked table in which most cells are keys of the table of people."""
    for name, cells in raw.columns.items():
        if name != key and sum(cell.strip() in keys for cell in cells) > 0.5 * len(cells):
            return name
    return None


def _twice(names: list[str], named: list[str], perpetrators: Table) -> list[str]:
    pairs = Counter(pair for pair in zip(named, names, strict=True) if all(pair))
    rows = sum(count for count in pairs.values() if count > 1)
    if not rows:
        return []
    return [
        f"{perpetrators.name}: key column {perpetrators.key} repeats under the same person in {_rows(rows)}: one row "
        f"per person and perpetrator; merge these rows, for example several roles into one cell"
    ]


def _report(
    victim_of: NDArray[np.int64], victims: int, link: Link, names: list[str] | None, position: dict[str, int]
) -> LinkReport:
    numbers = np.bincount(np.asarray(victim_of, np.intp), minlength=victims)
    over = np.maximum(numbers - link.at_most, 0)
    # Rows of one perpetrator are victims of that perpetrator: none stands twice under one victim.
    tally = Counter(name for name in names if name) if names is not None else Counter()
    return LinkReport(
        victims=victims,
        links=len(victim_of),
        without=int((numbers == 0).sum()),
        above=int((over > 0).sum()),
        dropped=int(over.sum()),
        shared_most=None if names is None else max(tally.values(), default=0),
        unnamed=0 if names is None else sum(not name for name in names),
        both=sum(name in position for name in tally),
    )


def _refuse_what_breaks_the_unit(report: LinkReport, victims: Table, perpetrators: Table, link: Link) -> None:
    """Raises RowsError where noise scaled to the declared bounds would not cover a perpetrator with all links."""
    shared, name, key = link.shared_by_at_most, perpetrators.name, perpetrators.key
    if shared is None or report.shared_most is None:
        raise ValueError("a strict link needs shared_by_at_most and a key of the linked table")
    faults = []
    if report.above:
        faults.append(
            f"{name}: {_rows(report.above)} of {victims.name} {_have(report.above)} more than links.at_most "
            f"({link.at_most}) rows here; with this unit none may be dropped, so raise links.at_most to a number that "
            f"is public knowledge"
        )
    if report.shared_most > shared:
        faults.append(
            f"{name}: a value of key column {key} stands in {report.shared_most:,} rows, and "
            f"links.shared_by_at_most is {shared}; raise it to a number that is public knowledge (noise grows with it)"
        )
    if report.unnamed:
        faults.append(
            f"{name}: key column {key} is empty in {_rows(report.unnamed)}; with this unit every row needs the key of "
            f"its perpetrator (a key of its own where the perpetrator is not known)"
        )
    if report.both:
        faults.append(
            f"{name}: {report.both:,} of the keys in column {key} {'is' if report.both == 1 else 'are'} also in key "
            f"column {victims.key} of {victims.name}; this unit protects a person as a victim or as a perpetrator, not "
            f"as both at once. Where only the numbering is alike, put a letter before one of them; where people are "
            f"both, choose unit 'victim'"
        )
    if faults:
        raise RowsError("\n".join(faults))


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _kept(victim_of: NDArray[np.int64], at_most: int) -> NDArray[np.int64]:
    """Rows that count, by victim: at most so many of each, drawn uniformly and independently between victims.

    The order of random words of the operating system decides, which says nothing about anybody else's rows. Words
    are drawn again should two of one victim be equal: given that none are, every order is equally likely.
    """
    while True:
        words = np.frombuffer(os.urandom(8 * len(victim_of)), np.uint64)
        order = np.lexsort((words, victim_of)).astype(np.int64)
        owner, drawn = victim_of[order], words[order]
        same = owner[1:] == owner[:-1]
        if not bool(np.any(same & (drawn[1:] == drawn[:-1]))):
            break
    first = np.concatenate([[True], ~same])
    starts = np.flatnonzero(first)[np.cumsum(first) - 1]
    return np.asarray(order[np.arange(len(order), dtype=np.int64) - starts < at_most], np.int64)
