"""The derived table of one row per person: data/flattened.csv, from synthetic records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from caseveil.release.contents import TableContents
from caseveil.schema.attribute import Column, MultiChoice
from caseveil.schema.codebook import JOINT, flattened_source
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.table import Table


def standing(columns: Sequence[FlattenedColumn], people: Table, linked: Table) -> tuple[FlattenedColumn, ...]:
    """Those columns whose source is in the release. A column whose values were to be discovered, and of which none
    was found, is not."""
    there = {(table.name, column.name) for table in (people, linked) for column in table.columns}
    return tuple(column for column in columns if (column.table, column.column) in there)


def owners(people: Sequence[str], links: Sequence[str]) -> NDArray[np.int64]:
    """Position of the person that each link names, shape (links,). Raises KeyError where there is none."""
    position = {key: i for i, key in enumerate(people)}
    return np.fromiter((position[key] for key in links), dtype=np.int64, count=len(links))


def flatten(
    columns: Sequence[FlattenedColumn], people: TableContents, linked: TableContents
) -> dict[str, list[str]]:
    """Columns of the derived table: one cell per record of people, in their order.

    A cell holds the distinct values, recoded, that the person states, or the rows of linked that belong to the person:
    in alphabetical order, with ';' between them. Sets are taken apart into their items. A column with `has` holds
    `yes` where that value is among them.
    Raises ValueError if a column comes from none of the tables or a table has no key, KeyError if a link names nobody.
    """
    if people.key is None or linked.key is None:
        raise ValueError("linked tables must have keys")
    owner = owners(people.key.cells, linked.key.cells)
    own = np.arange(people.rows, dtype=np.int64)
    out: dict[str, list[str]] = {}
    for column in columns:
        source = flattened_source(column, people.table, linked.table)
        if column.table == linked.table.name:
            out[column.name] = _cells(column, source, linked.records[source.name], owner, people.rows)
        else:
            out[column.name] = _cells(column, source, people.records[source.name], own, people.rows)
    return out


def _cells(
    column: FlattenedColumn, source: Column, cells: Sequence[str], owner: NDArray[np.int64], people: int
) -> list[str]:
    """One cell per person from the cells of the rows that belong to them."""
    stated = {cell: _stated(source, cell, column.recode) for cell in set(cells)}
    if column.has is not None:
        holding = {cell for cell, values in stated.items() if column.has in values}
        flags = np.zeros(people, dtype=bool)
        flags[owner[np.fromiter((cell in holding for cell in cells), dtype=bool, count=len(cells))]] = True
        return [column.yes if flag else "" for flag in flags.tolist()]
    labels = sorted(set().union(*stated.values())) if stated else []
    code = {label: i for i, label in enumerate(labels)}
    order = {cell: i for i, cell in enumerate(stated)}
    row = np.fromiter((order[cell] for cell in cells), dtype=np.int64, count=len(cells))
    pairs = [
        owner[row == i] * len(labels) + code[label] for cell, i in order.items() for label in stated[cell]
    ]  # rising numbers: by person, and for one person in alphabetical order
    out = [""] * people
    if pairs:
        whose, what = np.divmod(np.unique(np.concatenate(pairs)), len(labels))
        for person, value in zip(whose.tolist(), what.tolist(), strict=True):
            out[person] = f"{out[person]}{JOINT}{labels[value]}" if out[person] else labels[value]
    return out


def _stated(source: Column, cell: str, recode: Mapping[str, str]) -> frozenset[str]:
    """The values of one cell, recoded; none if it is missing."""
    values = cell.split(source.delimiter) if isinstance(source, MultiChoice) else [cell]
    return frozenset(recode.get(value, value) for value in values if value) - {""}
