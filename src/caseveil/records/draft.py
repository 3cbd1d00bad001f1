"""The first release.toml for a file, for the steward to read, correct and own.

It can be released unchanged, and it holds no value that was read off the rows (see `guess`).
"""

from __future__ import annotations

import datetime
import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Container, Mapping

from caseveil.errors import SourceError
from caseveil.records.guess import guess
from caseveil.records.identify import identifying_columns, words
from caseveil.records.raw import RawTable
from caseveil.schema.attribute import MISSING, Binned, Category, Column, MultiChoice, Outside

KEY_WORDS = {"id", "key", "ref", "reference", "uuid", "code", "number", "no", "nr", "case"}
"""Words in the names of columns that tell people or cases apart."""
_UNITS = ("victim", "survivor", "person", "client", "case", "patient", "perpetrator")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
_LISTED = 12  # longer lists of values are written over several lines
_LOOKED_AT = 1000  # cells of a column that its name is held against
_MOST = 0.9
_NUMBER = re.compile(r"[\d.,:/ -]*\d[\d.,:/ -]*")  # dates too


def draft(raw: RawTable, *, source: str, name: str, plan: str = "release.toml") -> str:
    """The text of a plan for one table. source is written as given; name names table and release; plan is the
    file that the text will be written to.

    Raises SourceError if no column can be proposed, or if the first line looks like a row and not like names.
    """
    tallies = column_tallies(raw)
    key = _find_key(tallies, raw.n)
    blocks, left_out = proposals(raw, tallies, table=slug(name), keys=(key,))
    return "\n".join(
        [
            head(slug(name), unit_of(name, key), plan),
            table_head(slug(name), source, key, left_out, repeated_keys(tallies, key)),
            *blocks,
        ]
    )


def column_tallies(raw: RawTable) -> dict[str, Counter[str]]:
    """How often every trimmed cell of every column occurs.

    Raises SourceError if the first line is a row: more than half of the names look like cells, or there are several
    columns of numbers or dates and the name of each is one too.
    """
    tallies = {column: Counter(map(str.strip, cells)) for column, cells in raw.columns.items()}
    numbered = [name for name, tally in tallies.items() if _share(tally, _NUMBER) >= _MOST]
    if 2 * names_like_cells(tallies) > len(tallies) or (len(numbered) > 1 and all(map(_NUMBER.fullmatch, numbered))):
        raise SourceError("the first line looks like a row; put a line of column names above it")
    return tallies


def names_like_cells(columns: Mapping[str, Collection[str]]) -> int:
    """How many columns have a name that could be a cell: a number or date, a value of the column itself or a list that
    begins with one, or a text with digits that is built like most cells below it, as V0001 above V0002."""
    return sum(
        _NUMBER.fullmatch(name) is not None
        or name in cells
        or re.split("[;|,]", name)[0] in cells
        or _built_alike(name, cells)
        for name, cells in columns.items()
    )


def _share(cells: Collection[str], kind: re.Pattern[str]) -> float:
    """Share of the first so many filled cells that are of a kind."""
    some = [cell for cell in itertools.islice(cells, _LOOKED_AT) if cell.strip()]
    return sum(kind.fullmatch(cell.strip()) is not None for cell in some) / max(1, len(some))


def _built_alike(name: str, cells: Collection[str]) -> bool:
    shape = re.compile(re.sub(r"\d+", r"\\d+", re.escape(name)))
    return re.search(r"\d", name) is not None and len(cells) > 1 and _share(cells, shape) >= _MOST


def proposals(
    raw: RawTable, tallies: dict[str, Counter[str]], *, table: str, keys: Container[str | None]
) -> tuple[list[str], list[str]]:
    """A block of text for every column that can be released, and a line for every other one that says why not.

    keys are columns of neither kind. Raises SourceError if no column can be proposed.
    """
    identifying = {found.column: found.reason for found in identifying_columns(raw)}
    blocks: list[str] = []
    left_out: list[str] = []
    for column, tally in tallies.items():
        if column in keys:
            continue
        found = guess(column, tally)
        binned = isinstance(found.column, Binned) and identifying.get(column, "").startswith(("an identifier", "exact"))
        if column in identifying and not binned:
            left_out.append(f"{plain(column)}: it looks like {identifying[column]}")
        elif found.column is None:
            left_out.append(f"{plain(column)}: {found.comment}")
        else:
            blocks.append(_column_block(table, found.column, found.comment))
    if not blocks:
        raise SourceError(
            "no column can be proposed for release: every one is empty or looks as if it identifies a person; "
            "write release.toml by hand, or group the values of some columns first"
        )
    return blocks, left_out


def _find_key(tallies: dict[str, Counter[str]], n: int) -> str | None:
    """The first column with a value of its own in every row and a name such as victim_id."""
    for name, tally in tallies.items():
        if n > 1 and len(tally) == n and MISSING not in tally and set(words(name)) & KEY_WORDS:
            return name
    return None


def repeated_keys(tallies: dict[str, Counter[str]], key: str | None) -> list[str]:
    """Columns with a name such as victim_id that hold many values, some of them in several rows."""
    return [
        name
        for name, tally in tallies.items()
        if name != key and {"id", "key", "uuid"} & set(words(name)) and len(tally) > 0.1 * sum(tally.values()) > 1
    ]


def unit_of(name: str, key: str | None) -> str:
    """What to call one row of a table, from the words of its key and its name."""
    spoken = [word for column in ([key] if key else []) for word in words(column)] + words(name)
    return next((unit for unit in _UNITS if unit in spoken or unit + "s" in spoken), "person")


def head(release: str, unit: str, plan: str) -> str:
    """The first lines of a draft, down to its tables."""
    return f"""\
# A draft. Read every line: what stands here is public and shapes the release.
# Try it:    caseveil check {plain(plan)}      (what would be dropped, whom the rows would single out)
#            caseveil forecast {plain(plan)}   (how accurate it will be; spends nothing)
# Release:   caseveil release {plain(plan)}

[release]
name = {toml_text(release)}
version = {toml_text(datetime.date.today().strftime("%Y-%m"))}
title = ""
publisher = ""
license = ""                      # for example "CC-BY-4.0"

[privacy]
guarantee = "differential-privacy"
unit = {toml_text(unit)}                 # whom the promise protects; one row per {unit}
epsilon = 1.0                     # smaller protects more and counts less exactly
delta = "auto"
ledger = "ledger.caseveil"        # remembers what every release from these rows spent
# budget = {{ epsilon = 4.0, delta = 2e-5 }}   # over all releases in this ledger

[aggregates]
length = 3                        # combinations of up to this many values are counted
fabrication = "balanced"          # "open", "balanced" or "minimal"
"""


def table_head(name: str, source: str, key: str | None, left_out: list[str], repeated: list[str]) -> str:
    """The section of the table of people, down to its columns."""
    lines = [f"[tables.{bare(name)}]", f"source = {toml_text(source)}"]
    if key is not None:
        lines.append(f"key = {toml_text(key)}   # tells people apart; never released")
    else:
        lines.append('# key = "..."   # a column with one value per person, if there is one: then repeats are noticed')
    for column in repeated:
        lines += [
            f"# Careful: {plain(column)} repeats. If it names a person, that person has several rows here, and the",
            "# promise would cover one row and not the person. Where another file has one row per person, draft both",
            "# together: caseveil init PEOPLE.csv THIS.csv",
        ]
    lines += [
        *left_out_lines(left_out),
        "",
        "# Columns without `values` are discovered privately, which costs accuracy and loses rare values. If they",
        "# are public knowledge (a form, a code list), declare all of them, also those that no row holds:",
        '#   values = ["...", "..."]',
        "# Do not copy them from the rows: a rare value would reveal that somebody has it.",
        '# outside = "missing" blanks and counts what is not declared; "refuse" stops instead.',
    ]
    return "\n".join(lines) + "\n"


def left_out_lines(left_out: list[str]) -> list[str]:
    """Comment lines about columns that are not proposed."""
    return ["", "# Left out of the release:", *(f"#   {line}" for line in left_out)] if left_out else []


def _column_block(table: str, column: Column, comment: str) -> str:
    lines = [f"[tables.{bare(table)}.columns.{bare(column.name)}]   # {comment}", f"kind = {toml_text(column.kind)}"]
    match column:
        case Binned():
            lines.append(f"bins = [{', '.join(_edge(edge) for edge in column.edges)}]")
        case MultiChoice():
            lines.append(f"delimiter = {toml_text(column.delimiter)}")
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
    texts = [toml_text(value) for value in values]
    if len(texts) <= _LISTED:
        return f"[{', '.join(texts)}]"
    rows = [", ".join(texts[at : at + 8]) for at in range(0, len(texts), 8)]
    return "[\n" + "".join(f"    {row},\n" for row in rows) + "]"


def toml_text(value: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for DEL and characters beyond the first plane."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def bare(name: str) -> str:
    """A name as a TOML key, in quotes where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_text(name)


def plain(name: str) -> str:
    """A name fit for a comment: without line breaks and control characters."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in name)


def slug(name: str) -> str:
    """A name that can be a folder and a TOML key."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9_-]+", "-", plain.lower()).strip("-_")[:60]
    return f"{slug}-cases" if slug in _RESERVED else slug or "cases"
