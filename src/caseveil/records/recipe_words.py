"""A recipe in sentences, one for each step. For the steward: with `quote`, they repeat words of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caseveil.records.said import Said, Words, say
from caseveil.schema.attribute import MISSING, MultiChoice
from caseveil.schema.recipe import ColumnRecipe, Condition, Join, Recipe
from caseveil.schema.table import Table


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. column: the released column, or for the choice of rows the column of the file that is looked at; '' for
    what is about all of them."""

    column: str
    said: Said

    @property
    def sentence(self) -> str:
        """In English."""
        return str(self.said)


def describe(table: Table, recipe: Recipe, *, quote: bool = True) -> tuple[Step, ...]:
    """What the recipe does, in the order in which it happens. quote: repeat words of the file, which are private;
    otherwise they are counted."""
    steps = [] if recipe.join is None else [Step(column="", said=_join(recipe.join, table))]
    steps += [Step(column=one.column, said=_condition(one, quote)) for one in recipe.where]
    for column in table.columns:
        one = recipe.of(column.name)
        if one.source is not None and one.source != one.column:
            steps.append(Step(column=one.column, said=say("recipe.from", column=one.column, source=one.source)))
        place = say("recipe.each", column=one.column) if isinstance(column, MultiChoice) else one.column
        steps += [Step(column=one.column, said=said) for said in _remaking(one, place, quote)]
    return tuple(steps)


def _join(join: Join, table: Table) -> Said:
    key = str(table.key)
    if join.key == key:
        return say("recipe.join", file=join.source, key=key)
    return say("recipe.joinAs", file=join.source, other=join.key, key=key)


def _condition(one: Condition, quote: bool) -> Said:
    if one.only and one.never:
        words, others = _either(one.only, quote), _either(one.never, quote)
        return say("recipe.onlyNever", column=one.column, words=words, others=others)
    if one.only:
        return say("recipe.only", column=one.column, words=_either(one.only, quote))
    return say("recipe.never", column=one.column, others=_either(one.never or (), quote))


def _either(words: Sequence[str], quote: bool) -> Words | Said:
    return Words(words=tuple(words), joint="or") if quote else say("words.counted", n=len(words))


def _remaking(one: ColumnRecipe, column: str | Said, quote: bool) -> list[Said]:
    said = []
    if one.recode and not quote:
        said.append(say("recipe.counted", column=column, n=len(one.recode)))
    elif one.recode:
        said.append(say("recipe.recode", column=column, changes=_rewritten(one.recode)))
    if one.derive is not None:
        said.append(say(f"recipe.{one.derive.value}", column=column))
    if one.group is not None:
        said.append(say(f"recipe.{one.group.value}", column=column))
    return said


def _rewritten(recode: Mapping[str, str]) -> tuple[Said, ...]:
    by_target: dict[str, list[str]] = {}
    for old, new in recode.items():
        by_target.setdefault(new, []).append(old)
    said = []
    for new, olds in by_target.items():
        words = Words(words=tuple(olds))
        if new == MISSING:
            said.append(say("recipe.missing", n=len(olds), words=words))
        else:
            said.append(say("recipe.becomes", n=len(olds), words=words, new=Words(words=(new,))))
    return tuple(said)
