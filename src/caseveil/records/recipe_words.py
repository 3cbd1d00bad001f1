"""A recipe in sentences, one for each step. For the steward: with `quote`, they repeat words of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caseveil.schema.attribute import MISSING, MultiChoice
from caseveil.schema.recipe import ColumnRecipe, Condition, Derive, Group, Join, Recipe
from caseveil.schema.table import Table

_SHOWN = 6  # words that a sentence lists before it counts the others

_DERIVED = {
    Derive.YEAR: "Of each date in {} the year is kept.",
    Derive.MONTH: "Of each date in {} the year and month are kept.",
    Derive.QUARTER: "Of each date in {} the year and quarter are kept.",
    Derive.WHOLE: "Each number in {} is rounded down to a whole number.",
}
_GROUPED = {
    Group.UN_REGION: "Each country in {} becomes its region (Africa, Americas, Asia, Europe, Oceania).",
    Group.UN_SUBREGION: "Each country in {} becomes its part of the world (for example Eastern Africa).",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. column: the released column, or for the choice of rows the column of the file that is looked at; '' for
    what is about all of them."""

    column: str
    sentence: str


def describe(table: Table, recipe: Recipe, *, quote: bool = True) -> tuple[Step, ...]:
    """What the recipe does, in the order in which it happens. quote: repeat words of the file, which are private;
    otherwise they are counted."""
    steps = [] if recipe.join is None else [Step(column="", sentence=_join(recipe.join, table))]
    steps += [Step(column=one.column, sentence=_condition(one, quote)) for one in recipe.where]
    for column in table.columns:
        one = recipe.of(column.name)
        if one.source is not None and one.source != one.column:
            steps.append(Step(column=one.column, sentence=f"{one.column} is the column {one.source} of the file."))
        each = "each item of " if isinstance(column, MultiChoice) else ""
        steps += [Step(column=one.column, sentence=said) for said in _remaking(one, each, quote)]
    return tuple(steps)


def _join(join: Join, table: Table) -> str:
    same = "the same" if join.key == table.key else f"as {join.key} the same"
    return f"Each row gets the columns of the row of {join.source} that has {same} {table.key}."


def _condition(one: Condition, quote: bool) -> str:
    demands = [f"{word} {_either(words, quote)}" for word, words in (("is", one.only), ("is not", one.never)) if words]
    return f"Only rows stay whose {one.column} {' and '.join(demands)}."


def _either(words: Sequence[str], quote: bool) -> str:
    if not quote:
        return f"one of {len(words)} words" if len(words) > 1 else "one word"
    return _listed([f'"{word}"' if word else "empty" for word in words], "or")


def _listed(words: Sequence[str], joint: str) -> str:
    if len(words) > _SHOWN + 1:
        return f"{', '.join(words[:_SHOWN])} {joint} {len(words) - _SHOWN} others"
    *first, last = words
    return f"{', '.join(first)} {joint} {last}" if first else last


def _remaking(one: ColumnRecipe, each: str, quote: bool) -> list[str]:
    said = []
    if one.recode and not quote:
        words = f"{len(one.recode)} word{'' if len(one.recode) == 1 else 's'}"
        said.append(f"In {each}{one.column}, {words} {'is' if len(one.recode) == 1 else 'are'} rewritten.")
    elif one.recode:
        said.append(f"In {each}{one.column}, {'; '.join(_rewritten(one.recode))}.")
    if one.derive is not None:
        said.append(_DERIVED[one.derive].format(f"{each}{one.column}"))
    if one.group is not None:
        said.append(_GROUPED[one.group].format(f"{each}{one.column}"))
    return said


def _rewritten(recode: Mapping[str, str]) -> list[str]:
    by_target: dict[str, list[str]] = {}
    for old, new in recode.items():
        by_target.setdefault(new, []).append(f'"{old}"' if old else "an empty cell")
    said = []
    for new, olds in by_target.items():
        target = "missing" if new == MISSING else f'"{new}"'
        said.append(f"{_listed(olds, 'and')} {'becomes' if len(olds) == 1 else 'become'} {target}")
    return said
