"""The first release.toml for two files of which one links to the other: finds the link, drafts both tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from caseveil.errors import SourceError
from caseveil.records.draft import (
    KEY_WORDS,
    bare,
    column_tallies,
    head,
    left_out_lines,
    plain,
    proposals,
    repeated_keys,
    slug,
    table_head,
    toml_text,
    unit_of,
)
from caseveil.records.identify import words
from caseveil.records.keys import likeness
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING
from caseveil.schema.flattened import NAME as FLATTENED

AT_MOST = 6
"""Proposed cap on links, the same whatever the rows hold."""

_ENOUGH = 0.9  # share of the rows that must name a person for a column to be taken for the link
_HINT = 0.5  # share from which on differently written keys are worth a word


@dataclass(frozen=True, kw_only=True, repr=False)
class DataFile:
    """A file as read; source as the plan shall name it, name for its table."""

    raw: RawTable
    source: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """Column `key` of the people, whose every row has its own, and column `names` of the linked file."""

    people: int
    key: str
    names: str


def draft_linked(files: Sequence[DataFile], *, plan: str = "release.toml") -> str:
    """The text of a plan for two files. plan is the file that the text will be written to.

    Raises SourceError if neither links to the other, if no column of one can be proposed, or if the first line of one
    looks like a row.
    """
    tallies = []
    for file in files:
        try:
            tallies.append(column_tallies(file.raw))
        except SourceError as error:
            raise SourceError(f"{file.name}: {error}") from None
    found = find_link(files, tallies)
    people, linked = files[found.people], files[1 - found.people]
    names = [_table_name(people.name), _table_name(linked.name)]
    if names[0] == names[1]:
        names[1] += "-linked"
    key = _own_key(linked.raw, found.names)
    other_keys = [name for name in repeated_keys(tallies[1 - found.people], key) if name != found.names]
    parts = []
    for file, tally, name, keys in (
        (people, tallies[found.people], names[0], [found.key]),
        (linked, tallies[1 - found.people], names[1], [found.names, key, *other_keys]),
    ):
        try:
            parts.append(proposals(file.raw, tally, table=name, keys=keys))
        except SourceError as error:
            raise SourceError(f"{file.name}: {error}") from None
    unit = unit_of(people.name, found.key)
    left_out = [*(f"{plain(name)}: it looks like a key" for name in other_keys), *parts[1][1]]
    repeated = repeated_keys(tallies[found.people], found.key)
    return "\n".join(
        [
            head(slug(f"{names[0]}-and-{names[1]}"), "person" if unit == "perpetrator" else unit, plan),
            table_head(names[0], people.source, found.key, parts[0][1], repeated),
            *parts[0][0],
            _linked_head(names, linked.source, found, key, unit, left_out),
            *parts[1][0],
        ]
    )


def find_link(files: Sequence[DataFile], tallies: Sequence[dict[str, Counter[str]]]) -> Found:
    """The column of one file that is different in every row and that a column of the other one repeats.

    A column with the same name goes first, then one that repeats, then one that names more rows of the other file.
    Raises SourceError if there is none, and says so where keys are only written differently.
    """
    best: tuple[tuple[bool, bool, float], Found] | None = None
    near = ""
    for at in (0, 1):
        people, linked = tallies[at], tallies[1 - at]
        n = files[at].raw.n
        for key, own in people.items():
            if n < 2 or len(own) != n or MISSING in own or not set(words(key)) & KEY_WORDS:
                continue
            for names, tally in linked.items():
                filled = sum(tally.values()) - tally[MISSING]
                share = sum(count for cell, count in tally.items() if cell in own) / max(1, filled)
                alike = names.casefold() == key.casefold()
                if share >= _ENOUGH:
                    rank = (alike, len(tally) < filled, share)
                    if best is None or rank > best[0]:
                        best = (rank, Found(people=at, key=key, names=names))
                elif alike and not near:
                    like = likeness(tally.elements(), own)
                    if like is not None and like.rows > _HINT * filled:
                        near = f"; column {plain(key)} is in both, and most rows would match {like.how}: write the "
                        near += "key the same way in both files"
    if best is None:
        raise SourceError(
            f"no column links {files[0].name} and {files[1].name}: one file must have a key with a value of its own in "
            f"every row, such as victim_id, and the other one must name it in each of its rows"
            f"{near or '. Draft a plan for each file by itself, or mend the keys'}"
        )
    return best[1]


def _own_key(raw: RawTable, link: str) -> str | None:
    """A column that names what a row of the linked file is about, such as perpetrator_id; it may repeat, but not
    under one person."""
    for name, cells in raw.columns.items():
        own = [cell.strip() for cell in cells]
        if name == link or MISSING in own or not {"id", "key", "uuid"} & set(words(name)):
            continue
        if len(set(own)) > 0.1 * raw.n and len(set(zip(own, map(str.strip, raw.columns[link]), strict=True))) == raw.n:
            return name
    return None


def _table_name(name: str) -> str:
    made = slug(name)
    return f"{made}-rows" if made in (FLATTENED, "links") else made


def _linked_head(
    names: Sequence[str], source: str, found: Found, key: str | None, unit: str, left_out: list[str]
) -> str:
    link = f"{{ to = {toml_text(names[0])}, key = {toml_text(found.names)}, at_most = {AT_MOST} }}"
    lines = [
        f"# Every row here belongs to one {unit}, so it is protected together with the {unit}.",
        f"[tables.{bare(names[1])}]",
        f"source = {toml_text(source)}",
    ]
    if key is not None:
        lines.append(f"key = {toml_text(key)}   # tells them apart; never released")
    lines += [
        f"# at_most: rows of one {unit} that count; of more, so many are drawn at random. {AT_MOST} is a proposal and",
        "# says nothing of your rows. Choose it from what is publicly known of such cases, never from the rows;",
        "# `caseveil check` tells you alone how many links it would drop.",
        f"links = {link}",
        *left_out_lines(left_out),
    ]
    return "\n".join(lines) + "\n"
