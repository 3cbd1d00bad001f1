"""Excel workbooks (.xlsx) to columns, through openpyxl.

The first sheet unless one is named; the first row that is not blank holds the column names. Formulas give
the value that Excel stored. Numbers, dates and truth values become text as `cell_text` says (17 is '17').
Rows without any value are skipped, as blank lines of a text file are.
"""

from __future__ import annotations

import difflib
import io
import warnings
from collections.abc import Iterator

from caseveil.errors import SourceError
from caseveil.records.extras import extra
from caseveil.records.raw import RawTable, checked_names, column_texts


def read_workbook(data: bytes, what: str, *, sheet: str | None = None) -> RawTable:
    """Columns of one sheet. what names the file in errors. Raises SourceError."""
    openpyxl = extra("openpyxl", "reading Excel files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know are of no interest here
        try:
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            titles = list(book.sheetnames)
        except Exception:
            raise SourceError(
                f"{what} is not a readable Excel workbook; open it in Excel and save it as .xlsx"
            ) from None
        if sheet is not None and sheet not in titles:
            near = difflib.get_close_matches(sheet, titles, n=1, cutoff=0.0)
            raise SourceError(
                f"{what} has no sheet {sheet!r}; did you mean {near[0]!r}?" if near else f"{what} has no sheets"
            )
        try:
            page = book[sheet] if sheet is not None else book.worksheets[0]
            page.reset_dimensions()  # the stored extent may be wrong, and rows beyond it would be lost
            rows = list(_filled(page.iter_rows(values_only=True)))
        except SourceError:
            raise
        except Exception:
            raise SourceError(f"{what}: the sheet cannot be read; open it in Excel and save it as .xlsx") from None
        finally:
            book.close()
    if not rows:
        raise SourceError(f"{what}: the sheet is empty; it needs a row of column names and the rows below it")
    return _table(rows, what)


def _filled(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, tuple[object, ...]]]:
    """Row numbers and rows that hold a value, without the empty cells at their end."""
    for number, row in enumerate(rows, start=1):
        end = len(row)
        while end and row[end - 1] in (None, ""):
            end -= 1
        if end:
            yield number, row[:end]


def _table(rows: list[tuple[int, tuple[object, ...]]], what: str) -> RawTable:
    names = checked_names([name if name is not None else "" for name in rows[0][1]], what)
    width = len(names)
    for number, row in rows[1:]:
        if len(row) > width:
            raise SourceError(
                f"{what}, row {number}: a cell stands in column {len(row)} where only {width} columns have a name; "
                f"name the column or clear the cell"
            )
    padded = [row + (None,) * (width - len(row)) for _, row in rows[1:]]
    cells = list(zip(*padded, strict=True)) or [()] * width
    return RawTable(columns={name: column_texts(column) for name, column in zip(names, cells, strict=True)})


def sheet_names(data: bytes, what: str) -> list[str]:
    """Names of the sheets of a workbook, in its order. Raises SourceError."""
    openpyxl = extra("openpyxl", "reading Excel files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            names = [sheet.title for sheet in book.worksheets]
            book.close()
        except Exception:
            raise SourceError(
                f"{what} is not a readable Excel workbook; open it in Excel and save it as .xlsx"
            ) from None
    return names
