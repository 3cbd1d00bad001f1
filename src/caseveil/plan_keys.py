"""Every key of release.toml: what it takes, its default and what it means.

The reader refuses keys that are not here, and the reference is made from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of release.toml as the reference describes it. default None: the key must be there."""

    takes: str
    default: str | None
    meaning: str


COLUMN_KEYS = {
    "kind": Key(takes="category, ordered, binned or multi", default=None, meaning="What the cells hold."),
    "from": Key(
        takes="column of the file",
        default="the column's own name",
        meaning="What the column is called in the file. Two columns may come from one. Not published.",
    ),
    "recode": Key(
        takes="{ old = new, ... }",
        default="none",
        meaning='Cells that are rewritten before anything else is looked at; "" makes one missing. In a column of kind '
        "multi this happens to every item. Compared without the space around a cell; others stay as they are. Not "
        "published.",
    ),
    "derive": Key(
        takes="year, month, quarter or whole",
        default="the cell itself",
        meaning="What is kept of a date (2024, 2024-05 or 2024-Q2), or of a number: the whole number at or below it. A "
        "cell that is no such thing, and no declared value, is treated by outside.",
    ),
    "group": Key(
        takes="un-region or un-subregion",
        default="none",
        meaning="Countries, by their name or code, become their region of the United Nations; values are then those "
        "regions unless they are given. An unknown country is treated by outside. Not together with derive.",
    ),
    "missing": Key(takes="list of texts", default='[""]', meaning="Cells that mean: not known."),
    "outside": Key(
        takes="refuse or missing",
        default='"refuse"',
        meaning="What happens to a cell outside the declared domain: the release is refused, or the cell is "
        "counted as missing.",
    ),
    "meaning": Key(takes="text", default='""', meaning="What the column says, for the codebook."),
}
_VALUES = Key(
    takes="list of texts or whole numbers",
    default="discovered privately",
    meaning="The values the column can hold. They are published and must be public knowledge, never read off the "
    "rows. Left out, they are discovered privately, at a cost in accuracy.",
)

KEYS: Mapping[str, Mapping[str, Key]] = {
    "release": {
        "name": Key(takes="text", default=None, meaning="Short name; with the version it names the bundle's folder."),
        "version": Key(takes="text", default=None, meaning='Version of the release, for example "2026-11".'),
        "title": Key(takes="text", default='""', meaning="Title for people."),
        "publisher": Key(takes="text", default='""', meaning="Who answers for the release."),
        "license": Key(takes="text", default='""', meaning='License of the published data, for example "CC-BY-4.0".'),
    },
    "privacy": {
        "guarantee": Key(
            takes="differential-privacy",
            default='"differential-privacy"',
            meaning="The kind of promise. k-anonymity is planned and refused by this version.",
        ),
        "unit": Key(
            takes="text",
            default='"person"',
            meaning='Whom the promise protects, for example "victim": one row of the table of people, with all rows '
            'linked to it. With linked tables "victim or perpetrator" protects every perpetrator with all of their '
            "rows too, at the price of more noise.",
        ),
        "population": Key(
            takes="text",
            default="the name of the release",
            meaning="The people that the data are about, by a name that stays the same over all releases, for the "
            "ledger.",
        ),
        "epsilon": Key(takes="number above 0", default=None, meaning="Strength of the promise; smaller is stronger."),
        "delta": Key(
            takes='number between 0 and 1, or "auto"',
            default='"auto"',
            meaning="Chance with which the promise may fail; auto is 1 / (n ln n) of the noisy number of people n.",
        ),
        "ledger": Key(
            takes="path",
            default="no ledger",
            meaning="The file that remembers what every release from this data spent.",
        ),
        "budget": Key(
            takes="{ epsilon, delta }",
            default="no limit",
            meaning="Limit over all releases in the ledger; a release that would pass it is refused.",
        ),
    },
    "privacy.budget": {
        "epsilon": Key(takes="number above 0", default=None, meaning="Limit on the epsilon of all releases together."),
        "delta": Key(
            takes="number between 0 and 1", default=None, meaning="The delta at which that epsilon is stated."
        ),
    },
    "update": {
        "joined": Key(
            takes="column",
            default=None,
            meaning="The column of the table of people that says when a person came into the data: a year, a month or "
            "a day (2026-03-31) in every row, which never changes afterwards. It need not be released.",
        ),
        "until": Key(
            takes="date, or a text such as 2026 or 2026-06",
            default=None,
            meaning="The last day that this release covers; who joined later waits for the next one.",
        ),
        "after": Key(
            takes="date, or a text such as 2025",
            default="the beginning",
            meaning="Where the previous release ended: who joined up to this day is not counted again.",
        ),
        "previous": Key(
            takes="path",
            default="none: the first of a series",
            meaning="Folder of the bundle of the previous release; its noisy counts are used again, free of charge.",
        ),
        "everyone": Key(
            takes="number from 0 to below 1",
            default="0",
            meaning="Share of the budget (of its squared mu) for counting everybody again; combined with the sum of "
            "the earlier counts and the new ones, each weighing by its precision.",
        ),
    },
    "aggregates": {
        "length": Key(takes="1 to 5", default="3", meaning="Combinations of up to this many values are counted."),
        "fabrication": Key(
            takes='"open", "balanced", "minimal" or a number between 0 and 1',
            default='"balanced"',
            meaning="Share of made-up combinations accepted among the published: open publishes every positive "
            "estimate, balanced aims at 5%, minimal at 1%.",
        ),
        "weights": Key(
            takes="list of numbers, one per length",
            default="chosen by the engine",
            meaning="How much accurate counts of each length matter, shortest first.",
        ),
        "cells_cap": Key(
            takes="1000 or more",
            default="3000000",
            meaning="Most cells that are measured; the statement names the rest.",
        ),
    },
    "tables.NAME": {
        "source": Key(
            takes="path or database URL", default=None, meaning="CSV, TSV, XLSX or Parquet file, or a database URL."
        ),
        "query": Key(takes="text", default="none", meaning="The query, when the source is a database."),
        "key": Key(
            takes="column",
            default="none",
            meaning="The column that identifies the person. It is never released. The table of people needs it when "
            "another table links to it; in a linked table it names the perpetrator and may repeat.",
        ),
        "links": Key(
            takes="{ to, key, at_most }",
            default="none",
            meaning="How every row of this table belongs to a row of the table of people. At most one table has it.",
        ),
        "join": Key(
            takes="{ source, key }",
            default="none",
            meaning="A second file with at most one row for each person, whose columns are added to the person's row. "
            "Not published.",
        ),
        "where": Key(
            takes="[{ column, is, is_not }, ...]",
            default="all rows",
            meaning="Rows stay for which all of this holds; the release is about those alone. A person who does not "
            "stay takes all rows linked to them along. Not published.",
        ),
        "columns": Key(takes="table of columns", default=None, meaning="The columns that are released."),
    },
    "tables.NAME.join": {
        "source": Key(takes="path", default=None, meaning="CSV, TSV, XLSX or Parquet file."),
        "key": Key(
            takes="column",
            default=None,
            meaning="The column of that file that holds the key of the person, different in every row.",
        ),
    },
    "tables.NAME.where[]": {
        "column": Key(
            takes="column of the file", default=None, meaning="The column that is looked at, before any recode."
        ),
        "is": Key(
            takes="list of texts", default="anything", meaning='Whole cells with which a row stays; "" is empty.'
        ),
        "is_not": Key(takes="list of texts", default="nothing", meaning="Whole cells with which a row does not stay."),
    },
    "tables.NAME.links": {
        "to": Key(takes="table", default=None, meaning="The table of people, which must have a key."),
        "key": Key(
            takes="column",
            default=None,
            meaning="The column of this table that holds the key of the person. It is never released.",
        ),
        "at_most": Key(
            takes="1 to 12",
            default=None,
            meaning="Most rows of one person that count; of more, that many are drawn at random. Public knowledge or "
            "a round guess, never read off the rows.",
        ),
        "shared_by_at_most": Key(
            takes="1 or more",
            default="none",
            meaning='Most people that one perpetrator is linked to. For the unit "victim or perpetrator" only, which '
            "needs it; data that break it are refused.",
        ),
    },
    "tables.NAME.columns.NAME": COLUMN_KEYS,
    "flattened.NAME": {
        "from": Key(
            takes='"table.column"',
            default=None,
            meaning="Where the values of this column of the derived table come from. It has one row per person, and "
            "of a linked table a cell holds all that the person's rows state, joined by ';'.",
        ),
        "recode": Key(
            takes="{ old = new, ... }",
            default="none",
            meaning='Values that are written otherwise; "" drops one. Others stay as they are.',
        ),
        "has": Key(
            takes="value",
            default="none",
            meaning="The cell says only whether any row of the person has this value. Not together with recode.",
        ),
        "yes": Key(takes="text", default='"1"', meaning="What stands in the cell when it does; otherwise it is empty."),
        "meaning": Key(takes="text", default='""', meaning="What the column says, for the codebook."),
    },
    "[stories]": {
        "title": Key(takes="text", default=None, meaning="One line of up to 120 characters, shown above the story."),
        "text": Key(
            takes="text",
            default=None,
            meaning="A paragraph of plain text, up to 2000 characters. It is published: write it from the explorer, "
            "never from the rows.",
        ),
        "view": Key(
            takes="text",
            default='""',
            meaning="What the story shows: the part of the explorer's address after '#'. Up to 20 stories form the "
            "explorer's first page. They may be written after the release: `caseveil explore BUNDLE --stories PLAN`.",
        ),
    },
    "category": {"values": _VALUES},
    "ordered": {"values": _VALUES},
    "binned": {
        "bins": Key(
            takes="rising list of numbers or dates",
            default=None,
            meaning="Edges: a bin reaches from its edge to below the next, and the last one is open.",
        ),
        "labels": Key(takes="list of texts, one per edge", default="made from the edges", meaning="Names of the bins."),
    },
    "multi": {
        "values": _VALUES,
        "delimiter": Key(takes="text", default='";"', meaning="What stands between the items of one cell."),
        "at_most": Key(
            takes="1 or more",
            default="5",
            meaning="Items that one person may add to the discovery of undeclared values.",
        ),
    },
}
"""Every key by section; the last four sections are the further keys of a column of that kind."""

KINDS = ("category", "ordered", "binned", "multi")
