"""Raw cells as the words of a release, words as codes, and linked words as the flattened table.

All three are written here a second time, apart from the engine, because the benchmark measures the engine with them.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.link_tables import Ints, LinkedSet, positions
from benchmarks.score import Columns
from caseveil.schema.attribute import Binned, Column, MultiChoice
from caseveil.schema.flattened import FlattenedColumn
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True)
class LinkedWords:
    """Two tables as a release writes them, without keys: bins as labels, '' for missing. victim_of (links,)."""

    victims: Columns
    perpetrators: Columns
    victim_of: Ints


@dataclass(frozen=True, kw_only=True)
class LinkedCodes:
    """The same as codes, one column per attribute, 0 for missing. victims (n, v), perpetrators (links, p)."""

    victims: Ints
    perpetrators: Ints
    victim_of: Ints

    @property
    def numbers(self) -> Ints:
        """Perpetrators of each victim, all of them. (n,)"""
        return np.asarray(np.bincount(self.victim_of, minlength=len(self.victims)), np.int64)


def _word(cell: str, column: Column) -> str:
    if cell in column.missing:
        return ""
    if isinstance(column, Binned):
        edges = [float(e) for e in column.edges if not isinstance(e, datetime.date)]
        assert len(edges) == len(column.edges), "the sets of the benchmark have no dates"
        return column.values[bisect_right(edges, float(cell)) - 1]
    if isinstance(column, MultiChoice):
        assert column.values is not None
        held = set(cell.split(column.delimiter))
        return column.delimiter.join(item for item in column.values if item in held)
    return cell


def _words(raw: Columns, table: Table) -> Columns:
    out = {}
    for column in table.columns:
        known = {cell: _word(cell, column) for cell in set(raw[column.name])}
        out[column.name] = [known[cell] for cell in raw[column.name]]
    return out


def true_words(data: LinkedSet) -> LinkedWords:
    """The rows of the set as a perfect release would write them."""
    return LinkedWords(
        victims=_words(data.victims, data.victims_table),
        perpetrators=_words(data.perpetrators, data.perpetrators_table),
        victim_of=data.victim_of,
    )


def _codes(words: Columns, table: Table) -> Ints:
    columns: list[NDArray[np.int64]] = []
    for column in table.columns:
        cells = words[column.name]
        for attribute in column.attributes():
            if isinstance(column, MultiChoice):
                code = {cell: int(attribute.item in cell.split(column.delimiter)) for cell in set(cells)}
            else:
                code = {label: position for position, label in enumerate(attribute.labels)}
            columns.append(np.fromiter((code[cell] for cell in cells), np.int64, len(cells)))
    return np.stack(columns, axis=1)


def coded(words: LinkedWords, data: LinkedSet) -> LinkedCodes:
    """Words as codes over the declared values. A word outside them raises KeyError."""
    return LinkedCodes(
        victims=_codes(words.victims, data.victims_table),
        perpetrators=_codes(words.perpetrators, data.perpetrators_table),
        victim_of=words.victim_of,
    )


def joined(keys: Sequence[str], named: Sequence[str], words: LinkedWords) -> tuple[LinkedWords, int]:
    """words with victim_of from the keys in two released files, and how many faults the keys have.

    A fault is a key that stands twice among victims, or a perpetrator without a victim, which is left out.
    """
    found = positions(keys, named)
    kept = np.flatnonzero(found >= 0)
    faults = len(keys) - len(set(keys)) + len(found) - len(kept)
    columns = {name: [cells[i] for i in kept.tolist()] for name, cells in words.perpetrators.items()}
    return LinkedWords(victims=words.victims, perpetrators=columns, victim_of=found[kept]), faults


def flattened(words: LinkedWords, data: LinkedSet) -> Columns:
    """The table of one row per victim that the set's plan describes (caseveil.schema.flattened)."""
    tables = {data.victims_table.name: data.victims_table, data.perpetrators_table.name: data.perpetrators_table}
    out = {}
    for column in data.flattened:
        source = next(c for c in tables[column.table].columns if c.name == column.column)
        of_victims = column.table == data.victims_table.name
        cells = (words.victims if of_victims else words.perpetrators)[column.column]
        pieces = {cell: _stated(cell, source) for cell in set(cells)}
        held: list[set[str]] = [set() for _ in next(iter(words.victims.values()))]
        owners = range(len(cells)) if of_victims else words.victim_of.tolist()
        for owner, cell in zip(owners, cells, strict=True):
            held[owner].update(pieces[cell])
        known = {key: _cell(set(key), column) for key in {frozenset(values) for values in held}}
        out[column.name] = [known[frozenset(values)] for values in held]
    return out


def _stated(cell: str, column: Column) -> list[str]:
    parts = cell.split(column.delimiter) if isinstance(column, MultiChoice) else [cell]
    return [part for part in parts if part]


def _cell(values: set[str], column: FlattenedColumn) -> str:
    if column.has is not None:
        return column.yes if column.has in values else ""
    return ";".join(sorted({column.recode.get(value, value) for value in values} - {""}))
