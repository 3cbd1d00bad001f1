"""The first release.toml for a file, for the steward to read, correct and own.

It can be released unchanged, and it holds no value that was read off the rows (see `guess`).
"""

from __future__ import annotations

import datetime
import json
import re
import unicodedata
from collections import Counter

from caseveil.errors import SourceError
from caseveil.records.guess import guess
from caseveil.records.identify import identifying_columns, words
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING, Binned, Category, Column, MultiChoice, Outside

_KEY_WORDS = {"id", "key", "ref", "reference", "uuid", "code", "number", "no", "nr", "case"}
_UNITS = ("victim", "survivor", "person", "client", "case", "patient", "perpetrator")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
_LISTED = 12  # longer lists of values are written over several lines


def draft(raw: RawTable, *, source: str, name: str, plan: str = "release.toml") -> str:
    """The text of a plan for one table. source is written as given; name names table and release; plan is the
    file that the text will be written to.

    Raises SourceError if no column can be proposed, or if the first line looks like a row and not like names.
    """
    tallies = {column: Counter(map(str.strip, cells)) for column, cells in raw.columns.items()}
    _require_header(tallies)
    key = _find_key(tallies, raw.n)
    identifying = {found.column: found.reason for found in identifying_columns(raw)}
    blocks: list[str] = []
    left_out: list[str] = []
    for column, tally in tallies.items():
        if column == key:
            continue
        found = guess(column, tally)
        binned = isinstance(found.column, Binned) and identifying.get(column, "").startswith(("an identifier", "exact"))
        if column in identifying and not binned:
            left_out.append(f"{_plain(column)}: it looks like {identifying[column]}")
        elif found.column is None:
            left_out.append(f"{_plain(column)}: {found.comment}")
        else:
            blocks.append(_column_block(_slug(name), found.column, found.comment))
    if not blocks:
        raise SourceError(
            "no column can be proposed for release: every one is empty or looks as if it identifies a person; "
            "write release.toml by hand, or group the values of some columns first"
        )
    return "\n".join(
        [
            _head(name, key, tallies, _plain(plan)),
            _table_head(_slug(name), source, key, left_out, _repeated_keys(tallies, key)),
            *blocks,
        ]
    )


def _require_header(tallies: dict[str, Counter[str]]) -> None:
    """Refuse a file whose first line is a row: its 'names' occur as values of their own columns, or are numbers."""
    suspicious = sum(name in tally or re.fullmatch(r"[\d.,/-]+", name) is not None for name, tally in tallies.items())
    if 2 * suspicious > len(tallies):
        raise SourceError("the first line looks like a row; put a line of column names above it")


def _find_key(tallies: dict[str, Counter[str]], n: int) -> str | None:
    """The first column with a value of its own in every row and a name such as victim_id."""
    for name, tally in tallies.items():
        if n > 1 and len(tally) == n and MISSING not in tally and set(words(name)) & _KEY_WORDS:
            return name
    return None


def _repeated_keys(tallies: dict[str, Counter[str]], key: str | None) -> list[str]:
    """Columns with a name such as victim_id that hold many values, some of them in several rows."""
    return [
        name
        for name, tally in tallies.items()
        if name != key and {"id", "key", "uuid"} & set(words(name)) and len(tally) > 0.1 * sum(tally.values()) > 1
    ]


def _head(name: str, key: str | None, tallies: dict[str, Counter[str]], plan: str) -> str:
    spoken = [word for column in ([key] if key else []) for word in words(column)] + words(name)
    unit = next((unit for unit in _UNITS if unit in spoken or unit + "s" in spoken), "person")
    return f"""\
# A draft. Read every line: what stands here is public and shapes the release.
# Try it:    caseveil check {plan}      (what would be dropped, whom the rows would single out)
#            caseveil forecast {plan}   (how accurate it will be; spends nothing)
# Release:   caseveil release {plan}

[release]
name = {_text(_slug(name))}
version = {_text(datetime.date.today().strftime("%Y-%m"))}
title = ""
publisher = ""
license = ""                      # for example "CC-BY-4.0"

[privacy]
guarantee = "differential-privacy"
unit = {_text(unit)}                 # whom the promise protects; one row per {unit}
epsilon = 1.0                     # smaller protects more and counts less exactly
delta = "auto"
ledger = "ledger.caseveil"        # remembers what every release from these rows spent
# budget = {{ epsilon = 4.0, delta = 2e-5 }}   # over all releases in this ledger

[aggregates]
length = 3                        # combinations of up to this many values are counted
fabrication = "balanced"          # "open", "balanced" or "minimal"
"""


def _table_head(name: str, source: str, key: str | None, left_out: list[str], repeated: list[str]) -> str:
    lines = [f"[tables.{_bare(name)}]", f"source = {_text(source)}"]
    if key is not None:
        lines.append(f"key = {_text(key)}   # tells people apart; never released")
    else:
        lines.append('# key = "..."   # a column with one value per person, if there is one: then repeats are noticed')
    for column in repeated:
        lines += [
            f"# Careful: {_plain(column)} repeats. If it names a person, that person has several rows here, and the",
            "# promise would cover one row and not the person. This version releases tables of one row per person.",
        ]
    if left_out:
        lines += ["", "# Left out of the release:", *(f"#   {line}" for line in left_out)]
    lines += [
        "",
        "# Columns without `values` are discovered privately, which costs accuracy and loses rare values. If they",
        "# are public knowledge (a form, a code list), declare all of them, also those that no row holds:",
        '#   values = ["...", "..."]',
        "# Do not copy them from the rows: a rare value would reveal that somebody has it.",
        '# outside = "missing" blanks and counts what is not declared; "refuse" stops instead.',
    ]
    return "\n".join(lines) + "\n"


def _column_block(table: str, column: Column, comment: str) -> str:
    lines = [f"[tables.{_bare(table)}.columns.{_bare(column.name)}]   # {comment}", f"kind = {_text(column.kind)}"]
    match column:
        case Binned():
            lines.append(f"bins = [{', '.join(_edge(edge) for edge in column.edges)}]")
        case MultiChoice():
            lines.append(f"delimiter = {_text(column.delimiter)}")
            if column.values is None:
                lines.append(
                    f"at_most = {column.at_most}   # values of one person that count for discovery; a public choice"
                )
            else:
                lines.append(f"values = {_list(column.values)}")
        case Category() if column.values is not None:
            lines.append(f"values = {_list(column.values)}")
        case _:
            pass
    if column.missing != (MISSING,):
        lines.append(f"missing = {_list(column.missing)}")
    if column.outside is Outside.MISSING:
        lines.append('outside = "missing"')
    return "\n".join(lines) + "\n"


def _edge(edge: float | datetime.date) -> str:
    return edge.isoformat() if isinstance(edge, datetime.date) else f"{edge:.0f}" if edge.is_integer() else repr(edge)


def _list(values: tuple[str, ...]) -> str:
    texts = [_text(value) for value in values]
    if len(texts) <= _LISTED:
        return f"[{', '.join(texts)}]"
    rows = [", ".join(texts[at : at + 8]) for at in range(0, len(texts), 8)]
    return "[\n" + "".join(f"    {row},\n" for row in rows) + "]"


def _text(value: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for DEL and characters beyond the first plane."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _plain(name: str) -> str:
    """A name fit for a comment: without line breaks and control characters."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in name)


def _slug(name: str) -> str:
    """A name that can be a folder and a TOML key."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9_-]+", "-", plain.lower()).strip("-_")[:60]
    return f"{slug}-cases" if slug in _RESERVED else slug or "cases"
