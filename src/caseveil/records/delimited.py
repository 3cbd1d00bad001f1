"""Delimited text (CSV, TSV, semicolons, pipes) to columns.

Strict: a row with another number of fields, an open quote or a NUL is refused with its line, never mended.
Blank lines are skipped; a missing cell of a one-column file is written as two quotes.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import dataclass
from typing import TextIO

from caseveil.errors import SourceError
from caseveil.records.raw import RawTable, checked_names
from caseveil.records.textcode import text_encoding

DELIMITERS = (",", ";", "\t", "|")
_OTHERS = (":", "^", "~", "\x1f", "\x01")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "\x1f": "unit separator", "\x01": "control-A"}
_SAMPLE = 256_000  # characters looked at to find the delimiter
_BATCH = 8_192  # rows turned at a time: the cells of one batch are the only ones stored more than once


def read_delimited(data: bytes, what: str) -> RawTable:
    """Columns of a delimited text file. what names the file in errors. Raises SourceError."""
    encoding, note = text_encoding(data, what)
    file = _File(data=data, encoding=encoding, what=what)
    sample = file.open().read(_SAMPLE + 1)
    declared = _declared_delimiter(sample)
    if declared is not None:
        file = _File(data=data, encoding=encoding, what=what, skip=1)
    delimiter = declared or _find_delimiter(sample, what)
    return RawTable(columns=_read_columns(file, delimiter), note=note, guessed=encoding if note else "")


@dataclass(frozen=True, kw_only=True, repr=False)
class _File:
    """The bytes of a file and how to read them: decoded piece by piece, since the text would be as long again.

    skip: lines before the header.
    """

    data: bytes
    encoding: str
    what: str
    skip: int = 0

    def open(self) -> TextIO:
        text = io.TextIOWrapper(io.BytesIO(self.data), encoding=self.encoding, newline="")
        for _ in range(self.skip):
            text.readline()
        return text

    def fault(self, line: int, problem: str) -> SourceError:
        return SourceError(f"{self.what}, line {line + self.skip}: {problem}")


def _declared_delimiter(text: str) -> str | None:
    """The delimiter of a first line such as 'sep=;', which spreadsheets write and read."""
    found = re.match(r"sep=([^\"\r\n])\r?\n", text, re.IGNORECASE)
    return found[1] if found else None


def _widths(sample: str, delimiter: str, cut: bool) -> list[int]:
    """Fields per row of the sample, the header first. A row that the sample cuts off is left out."""
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True):
            if row:
                widths.append(len(row))
    except csv.Error:
        if not cut:
            return [*widths, -1]
    else:
        if cut:
            widths.pop()
    return widths


def _find_delimiter(sample: str, what: str) -> str:
    cut = len(sample) > _SAMPLE
    candidates: list[tuple[bool, int, str]] = []
    for delimiter in DELIMITERS:
        widths = _widths(sample, delimiter, cut)
        if widths and widths[0] > 1:
            candidates.append((set(widths) == {widths[0]}, widths[0], delimiter))
    if candidates:
        return max(candidates, key=lambda found: (found[0], found[1], -DELIMITERS.index(found[2])))[2]
    for other in _OTHERS:
        widths = _widths(sample, other, cut)
        if len(widths) > 1 and widths[0] > 1 and set(widths) == {widths[0]}:
            raise SourceError(
                f"{what} reads as one column, but every line splits at {_named(other)}: is that "
                f"the delimiter? Save the file with commas, semicolons, tabs or pipes"
            )
    return ","


def _named(delimiter: str) -> str:
    return _NAMES.get(delimiter, repr(delimiter))


def _read_columns(file: _File, delimiter: str) -> dict[str, list[str]]:
    reader = csv.reader(file.open(), delimiter=delimiter, strict=True)
    try:
        header = next((row for row in reader if len(row) > 1 or "".join(row).strip()), None)
        if header is None:
            raise SourceError(f"{file.what} is empty; it needs a line of column names and the rows below it")
        above = reader.line_num
        names = checked_names(header, file.what)
        columns: list[list[str]] = [[] for _ in names]
        once: list[dict[str, str]] = [{} for _ in names]
        while lines := list(itertools.islice(reader, _BATCH)):
            batch = [row for row in lines if row]
            if not batch:
                continue
            if any(len(row) != len(names) for row in batch):
                raise _ragged(file, delimiter, len(names), above)
            for column, memo, cells in zip(columns, once, zip(*batch, strict=True), strict=True):
                column.extend(map(memo.setdefault, cells, cells))
    except csv.Error as error:
        raise file.fault(reader.line_num, _quoting(str(error))) from None
    return dict(zip(names, columns, strict=True))


def _ragged(file: _File, delimiter: str, width: int, above: int) -> SourceError:
    """The error for the first row of another width below line `above`; parses again to find its line."""
    reader = csv.reader(file.open(), delimiter=delimiter, strict=True)
    row = next(row for row in reader if reader.line_num > above and row and len(row) != width)
    return file.fault(
        reader.line_num,
        f"{len(row)} fields where the header has {width} (delimiter: {_named(delimiter)}); "
        f"a cell that holds the delimiter must be in quotes",
    )


def _quoting(message: str) -> str:
    if "unexpected end" in message:
        return "the file ends inside a quoted cell; a closing quote is missing somewhere above"
    if "field larger" in message:
        return "a cell is longer than 131,072 characters; is a closing quote missing above?"
    return "text follows a closing quote; a quote inside a quoted cell must be doubled"
