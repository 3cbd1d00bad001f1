"""Attacks on a bundle by the steward who holds its rows: true rows, control rows and records as codes, table by table.

Codes are those of the released tables, so a value that was not discovered is missing, and named nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import BundleError, PlanError, RowsError
from caseveil.evaluation.attacks import Aim, Attacks, Control, Group, Result, attack, unknown
from caseveil.evaluation.linked_codes import LinkedCodes
from caseveil.intake import prepare_rows
from caseveil.plan import Plan
from caseveil.records.encoding import encode
from caseveil.records.linkage import LinkedRows, link_rows
from caseveil.records.prepare import Rows, prepare
from caseveil.records.raw import RawTable
from caseveil.records.source import read_path
from caseveil.release.bundle import BundleContents
from caseveil.schema.attribute import Attribute
from caseveil.schema.linked import LinkedTables
from caseveil.schema.table import Table

SHARED = (
    "the same perpetrator may stand with several victims, so the rows of everybody else are no fair control; name "
    "files of people who were not in the release with --control"
)


@dataclass(frozen=True, kw_only=True, repr=False)
class ControlRows:
    """Checked rows of people who were not in the release. also_in: rows of the file left out, since their key is in the
    data; None where the plan has no key, so that nobody can tell."""

    rows: Rows | LinkedRows
    also_in: int | None


def read_control(paths: Sequence[Path], plan: Plan, raws: Sequence[RawTable]) -> ControlRows:
    """The files of people who were not in the release, one for each table of the plan in its order.

    raws: the rows that were released. Raises PlanError for another number of files and for the rows of the release
    themselves, RowsError and SourceError for files that cannot be used.
    """
    names = " and ".join(table.table.name for table in plan.tables)
    if len(paths) != len(plan.tables):
        raise PlanError(f"--control ({len(paths)} given) must stand once for each table of the plan: {names}")
    files = [read_path(path) for path in paths]
    with _named():
        read = prepare_rows(plan, files).raw
    people = plan.tables[0].table
    also_in: int | None = None
    if people.key is not None and all(people.key in raw.columns for raw in (read[0], raws[0])):
        inside = {cell.strip() for cell in raws[0].columns[people.key]}
        known = [cell.strip() in inside for cell in read[0].columns[people.key]]
        also_in = sum(known)
        if known and also_in == len(known):
            raise PlanError(
                f"--control: every key in column {people.key} is also in the data; a control holds people who are not"
            )
        shared = {cell.strip() for cell, held in zip(read[0].columns[people.key], known, strict=True) if held}
        read[0] = _without(read[0], people.key, shared)
        if plan.tables[1:]:
            link = plan.tables[1].link
            assert link is not None
            if link.key in read[1].columns:
                read[1] = _without(read[1], link.key, shared)
    with _named():
        if not plan.tables[1:]:
            rows, _ = prepare(read[0], people)
            if people.key is None and _same(rows, prepare(raws[0], people)[0]):
                raise PlanError("--control holds the rows of the release; a control holds people who are not in it")
            return ControlRows(rows=rows, also_in=also_in)
        linked = plan.tables[1]
        assert linked.link is not None
        both, _, _ = link_rows(read[0], people, read[1], linked.table, linked.link, strict=plan.unit.either)
        return ControlRows(rows=both, also_in=also_in)


@contextmanager
def _named() -> Iterator[None]:
    """Faults of rows say that they are those of the control."""
    try:
        yield
    except RowsError as error:
        raise RowsError("\n".join(f"--control: {line}" for line in str(error).split("\n"))) from None


def _without(raw: RawTable, column: str, keys: set[str]) -> RawTable:
    keep = [at for at, cell in enumerate(raw.columns[column]) if cell.strip() not in keys]
    return RawTable(columns={name: [cells[at] for at in keep] for name, cells in raw.columns.items()}, note=raw.note)


def _same(one: Rows, other: Rows) -> bool:
    """Whether two tables hold the same rows, in any order."""
    if one.n != other.n:
        return False
    return sorted(zip(*one.columns.values(), strict=True)) == sorted(zip(*other.columns.values(), strict=True))


def attack_table(
    contents: BundleContents, rows: Rows, control: ControlRows | None, tell: Callable[[float], None]
) -> Attacks:
    """Every attack on the release of one table."""
    (part,) = contents.tables.values()
    table = part.table
    others = None
    if control is not None:
        if not isinstance(control.rows, Rows):
            raise BundleError("the bundle must hold linked tables, as the control does")
        others = Group.one_row_each(_codes(control.rows, table))
    aim = _aim(table)
    results, targets = attack(
        aim, Group.one_row_each(_codes(Rows(table=table, columns=part.records), table)),
        Group.one_row_each(_codes(rows, table)), others,
    )  # fmt: skip
    tell(1.0)
    return _attacks([(aim, results, targets)], rows.n, control)


def attack_linked(
    records: LinkedCodes,
    rows: LinkedRows,
    control: ControlRows | None,
    tables: LinkedTables,
    *,
    either: bool,
    tell: Callable[[float], None],
) -> Attacks:
    """Every attack on the victims, on the perpetrators, and on the link between them.

    A person is a victim with all linked perpetrators. records and tables are those of the release. either: whether the
    release also promises something to perpetrators, each with all their victims.
    """
    others = None
    if control is not None:
        if not isinstance(control.rows, LinkedRows):
            raise BundleError("the bundle must hold one table, as the control does")
        others = linked_codes(control.rows, tables)
    truth = linked_codes(rows, tables)
    victims, perpetrators = tables.victim_attributes, tables.perpetrator_attributes
    v = len(victims)
    across = Aim(
        name=f"{tables.victims.name} with {tables.perpetrators.name}",
        names=tuple(
            f"{table.name}.{attribute.name}"
            for table, attributes in ((tables.victims, victims), (tables.perpetrators, perpetrators))
            for attribute in attributes
        ),
        halves=(tuple(range(v)), tuple(range(v, v + len(perpetrators)))),
        known=v,
    )
    made: list[tuple[Aim, list[Result], int]] = []
    aims = ((_aim(tables.victims), _victims), (_aim(tables.perpetrators), _perpetrators), (across, _joined))
    for done, (aim, group) in enumerate(aims, start=1):
        if either and others is None and group is not _victims:
            made.append((aim, unknown(aim, SHARED), 0))
        else:
            found = attack(aim, group(records), group(truth), None if others is None else group(others))
            made.append((aim, *found))
        tell(done / len(aims))
    return _attacks(made, rows.victims.n, control)


def linked_codes(rows: LinkedRows, tables: LinkedTables) -> LinkedCodes:
    """Linked rows in codes of the released tables."""
    return LinkedCodes(
        victims=_codes(rows.victims, tables.victims),
        perpetrators=_codes(rows.perpetrators, tables.perpetrators),
        victim_of=rows.victim_of,
    )


def _victims(codes: LinkedCodes) -> Group:
    return Group.one_row_each(codes.victims)


def _perpetrators(codes: LinkedCodes) -> Group:
    return Group(codes=codes.perpetrators, person=codes.victim_of, people=len(codes.victims))


def _joined(codes: LinkedCodes) -> Group:
    both = np.concatenate([codes.victims[codes.victim_of], codes.perpetrators], axis=1)
    return Group(codes=both, person=codes.victim_of, people=len(codes.victims))


def _codes(rows: Rows, table: Table) -> NDArray[np.int32]:
    return encode(rows, table).codes


def _aim(table: Table) -> Aim:
    """The halves of a linkage take turns in the columns; the items of a set stay together."""
    attributes = table.attributes()
    turn = {column.name: at % 2 for at, column in enumerate(table.columns)}

    def half(which: int) -> tuple[int, ...]:
        return tuple(at for at, attribute in enumerate(attributes) if turn[attribute.column] == which)

    return Aim(name=table.name, names=_names(attributes), halves=(half(0), half(1)))


def _names(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in attributes)


def _attacks(
    made: Sequence[tuple[Aim, list[Result], int]], people: int, control: ControlRows | None
) -> Attacks:  # fmt: skip
    held = None if control is None else (control.rows.n if isinstance(control.rows, Rows) else control.rows.victims.n)
    return Attacks(
        control=Control.OTHERS if control is None else Control.PEOPLE,
        results=tuple(result for _, results, _ in made for result in results),
        targets={aim.name: targets for aim, _, targets in made},
        people=people,
        control_people=held,
        also_in=None if control is None else control.also_in,
    )
