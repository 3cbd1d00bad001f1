"""What the engine tells a steward about a table and its recipe: a code with its values, which a page says in its own
language, and the same in English.

`SENTENCES` is all that can be said. web/app/src/i18n holds the sentence of each code in every language, and a test
fails where one is missing. Values are names of columns and files, counts, and words that the steward has written or
sees on the screen; never another cell.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from caseveil.records.identify import Looks

SHOWN = 6
"""Words that a sentence lists before it counts the others."""

SENTENCES: Mapping[str, str | tuple[str, str]] = MappingProxyType(
    {
        # Opening
        "example": "These people are invented and resemble nobody. Try everything on them.",
        "sheets": "{file}: sheets that were not read: {count}",
        "encoding": "{file} is not UTF-8; it was read as {encoding}, which is a guess. To be sure, save the whole file "
        "as UTF-8",
        "leftOut": "{file} is left out: no column of it names a row of {other}",
        "namesLikeCells": "{some} of {columns} column names look like cells. If the first line of the file is a row, "
        "put a line of names above it and open the file again: names of columns are not kept secret",
        "repeats": "This column repeats. If it names a person, that person has several rows here, and the promise "
        "would cover one row and not the person. Where another file has one row per person, open both",
        "aside": "Set aside: {reason}",
        "otherFile": "The plan names another file; it is now for {file}",
        "openFile": "Open {file} to go on",
        "reason.looks": "it looks like {what}",
        "reason.key": "it looks like a key",
        "reason.empty": "no cell is filled",
        "reason.many": "more than {most} different values; group them first",
        "reason.plan": "it is not in the plan",
        **{f"looks.{looks.name}": looks.value for looks in Looks},
        # Preparing
        "looksDeclared": "This column looks like {what}. Only its declared values can come out; are they words that "
        "could be anybody's?",
        "looksOpen": "This column looks like {what}. Set it aside, group it, or declare public values; as it is, the "
        "release is refused",
        "rareRows": "The rows that are left out are those with values that fewer than {few} people have. To drop what "
        "is rare tells of the rows: choose from what is known without them, or have values discovered",
        "discovered": "Values are discovered privately: that costs accuracy, and rare values are lost. If they are "
        "public knowledge, such as the boxes of a form, declare all of them",
        "readOff": "The declared values are exactly those of the rows, and some of them ({count}) are those of fewer "
        "than {few} people. Values that were read off the rows reveal that somebody has them: declare what the form "
        "allows, or have values discovered",
        "namedCells": "The plan names cells that fewer than {few} people have ({count}): do not publish release.toml "
        "with them. The release holds none of them",
        "evenBins": "The bins hold nearly equally many people, so their edges look like quantiles of the rows. Edges "
        "are public: choose round ones, from what is known without looking",
        "outermost": "An edge of the bins is the smallest or the largest number of the rows, and fewer than {few} "
        "people have it. Choose a round edge",
        "strays": "Rows that name nobody in {table}: {count}",
        "overCap": "Links above the cap of {most}, which do not count: {count}. The cap is public: keep it, or choose "
        "another one from what is known of such cases, never to fit the rows",
        "chooseEdges": "Choose edges from public knowledge; these are round numbers around the range of your rows",
        "discoveredDates": "Values are discovered privately: declare years instead to lose fewer of them",
        "foldedCells": "The plan then holds these cells of the file: keep it to yourself. The release does not hold "
        "them",
        # What could be done with a column
        "offer.missing": "Count as not known: {words}",
        "offer.regions": "Countries to the five UN regions",
        "offer.subregions": "Countries to UN sub-regions",
        "offer.years": "Dates to years",
        "offer.fiveYears": "Dates to five years",
        "offer.quarters": "Dates to quarters",
        "offer.months": "Dates to months",
        "offer.ageBands": "Age bands usual for trafficking data",
        "offer.ages": "Ages by {step} years",
        "offer.single": "Years one by one",
        "offer.fives": "Years by fives",
        "offer.round": "Round bins of {width}",
        "offer.several": "Several values in one cell, apart by {sign}",
        "offer.severalOf": "Several values in one cell, apart by {sign}, of a public list: {words}",
        "offer.list": "Declare a public list of values: {words}",
        "offer.commas": "Several values in one cell, apart by commas",
        "offer.spellings": "Fold spellings that differ by capitals or blanks only: {count}",
        # The recipe
        "recipe.join": "Each row gets the columns of the row of {file} that has the same {key}.",
        "recipe.joinAs": "Each row gets the columns of the row of {file} that has as {other} the same {key}.",
        "recipe.only": "Only rows stay whose {column} is {words}.",
        "recipe.never": "Only rows stay whose {column} is not {others}.",
        "recipe.onlyNever": "Only rows stay whose {column} is {words} and is not {others}.",
        "recipe.from": "{column} is the column {source} of the file.",
        "recipe.each": "each item of {column}",
        "recipe.recode": "In {column}, {changes}.",
        "recipe.becomes": ("{words} becomes {new}", "{words} become {new}"),
        "recipe.missing": ("{words} becomes missing", "{words} become missing"),
        "recipe.counted": ("In {column}, {n} word is rewritten.", "In {column}, {n} words are rewritten."),
        "recipe.year": "Of each date in {column} the year is kept.",
        "recipe.month": "Of each date in {column} the year and month are kept.",
        "recipe.quarter": "Of each date in {column} the year and quarter are kept.",
        "recipe.whole": "Each number in {column} is rounded down to a whole number.",
        "recipe.un-region": "Each country in {column} becomes its region (Africa, Americas, Asia, Europe, Oceania).",
        "recipe.un-subregion": "Each country in {column} becomes its part of the world (for example Eastern Africa).",
        "words.empty": "empty",
        "words.emptyCell": "an empty cell",
        "words.counted": ("one word", "one of {n} words"),
        "words.others": ("{n} other", "{n} others"),
        # The forecast
        "assumed": "For {words} ten values are assumed, since none are declared.",
        "leftToModel": "Combinations of {length} columns that are too many to measure and are left to the model: "
        "{count}.",
    }
)
"""English by code; of two texts, the first is for n = 1. A column name {n} is the count that decides."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words in quotes, the first `SHOWN` of them. joint: what stands before the last; beside "and" an empty word is
    said to be a cell."""

    words: tuple[str, ...]
    joint: Literal["or", "and"] = "and"

    def _listed(self) -> tuple[tuple[str, ...], int]:
        cut = len(self.words) > SHOWN + 1
        return (self.words[:SHOWN], len(self.words) - SHOWN) if cut else (self.words, 0)

    def __str__(self) -> str:
        listed, more = self._listed()
        empty = say("words.empty" if self.joint == "or" else "words.emptyCell")
        said = [f'"{word}"' if word else str(empty) for word in listed]
        if more:
            said.append(str(say("words.others", n=more)))
        *first, last = said
        return f"{', '.join(first)} {self.joint} {last}" if first else last

    def plain(self) -> dict[str, Any]:
        """As the contract has it."""
        listed, more = self._listed()
        return {"words": list(listed), "joint": self.joint, "more": more}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A sentence. Its values are those that the text of its code puts in. Raises ValueError where they are not."""

    code: str
    values: Mapping[str, Value]

    def __post_init__(self) -> None:
        if self.code not in SENTENCES or places(self.code) - {"n"} != self.values.keys() - {"n"}:
            raise ValueError(f"code ({self.code}) must be one of SENTENCES, with the values that its text puts in")
        if isinstance(SENTENCES[self.code], tuple) != ("n" in self.values):
            raise ValueError(f"code ({self.code}) must have n where its text has two forms, and only there")

    def __str__(self) -> str:
        text = SENTENCES[self.code]
        if isinstance(text, tuple):
            text = text[self.values["n"] != 1]
        return text.format(**{name: _english(value) for name, value in self.values.items()})

    def plain(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"code": self.code, "values": {name: _plain(value) for name, value in self.values.items()}}


Value = str | int | Words | Said | tuple[Said, ...]


def say(code: str, **values: Value) -> Said:
    """A sentence of `SENTENCES`."""
    return Said(code=code, values=values)


def looks(what: Looks) -> Said:
    """What a column looks like."""
    return say(f"looks.{what.name}")


def places(code: str) -> set[str]:
    """The names that the text of a code puts in."""
    text = SENTENCES[code]
    texts = text if isinstance(text, tuple) else (text,)
    return {name for one in texts for _, name, _, _ in string.Formatter().parse(one) if name}


def _english(value: Value) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _plain(value: Value) -> object:
    if isinstance(value, tuple):
        return [one.plain() for one in value]
    return value if isinstance(value, str | int) else value.plain()
