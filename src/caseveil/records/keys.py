"""Keys of two files that name the same people and are written differently.

Nothing here joins rows: two people may well be 7 and 007. It only says what would make the keys alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_DECIMALS = re.compile(r"(\d)[.,]0+(?!\d)")
_MARKS = re.compile(r"['\"`#_/\\-]")
_GROUPS = re.compile(r"(?<=\d)[., ](?=\d{3}(?!\d))")
_LETTERS = re.compile(r"^[^\W\d_]+|[^\W\d_]+$")


def _unseen(key: str) -> str:
    """Without spaces of any kind and characters that no screen shows; full-width forms and accents made plain."""
    plain = unicodedata.normalize("NFKC", key)
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


_LETTERS_RULE = "without the letters around the number"

RULES: Mapping[str, Callable[[str], str]] = {
    "without spaces and unseen characters": _unseen,
    "without regard to capitals": str.casefold,
    "without leading zeros": lambda key: _ZEROS.sub("", key),
    "without decimals, so that 1.0 is 1": lambda key: _DECIMALS.sub(r"\1", key),
    "without thousands marks": lambda key: _GROUPS.sub("", key),
    "without quotation marks, dashes and the like": lambda key: _MARKS.sub("", key),
    _LETTERS_RULE: lambda key: _LETTERS.sub("", key),
}
"""What may differ between two ways to write a key, in words that follow 'would match', and how to undo it."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """rows would match if keys were compared as `how` says."""

    how: str
    rows: int


def likeness(strays: Iterable[str], keys: Iterable[str]) -> Likeness | None:
    """The plainest way of writing in which the most strays are one of the keys, and only one; None if in none.

    strays: keys of rows, trimmed, as often as they occur. keys: distinct keys, trimmed.
    """
    tally, known = Counter(strays), list(keys)
    tally.pop("", None)
    best: Likeness | None = None
    rules = dict(RULES)
    if not all(map(str.isdecimal, known)) and not all(map(str.isdecimal, tally)):
        del rules[_LETTERS_RULE]  # V7 and P7 are two people more likely than two ways to write one
    everything = "without any of: spaces, capitals, leading zeros, decimals, thousands marks, quotation marks, dashes"
    for how, rule in {**rules, everything: _all_of_them}.items():
        alike = Counter(map(rule, known))
        rows = sum(count for key, count in tally.items() if (plain := rule(key)) and alike[plain] == 1)
        if rows > (best.rows if best is not None else 0):
            best = Likeness(how=how, rows=rows)
    return best


def _all_of_them(key: str) -> str:
    for how, rule in RULES.items():
        key = key if how == _LETTERS_RULE else rule(key)
    return key
