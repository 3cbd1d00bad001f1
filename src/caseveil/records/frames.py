"""Data frames to columns and back, through narwhals; Arrow columns and Parquet files; plain dicts.

A dict of sequences is a frame too: in the browser there is no other.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import SourceError
from caseveil.records.extras import extra
from caseveil.records.raw import RawTable, cell_text, checked_names, column_texts


def from_frame(frame: Any) -> RawTable:
    """Columns of a pandas, polars or pyarrow table, or of a dict of sequences, as text (see `cell_text`).

    Raises SourceError for anything else, for column names that are not text, and for lazy frames.
    """
    if isinstance(frame, Mapping):
        names = _exact_names(list(frame))
        if len({len(cells) for cells in frame.values()}) > 1:
            raise SourceError("the columns of the table must be equally long")
        return RawTable(columns={name: _texts(name, frame[name]) for name in names})
    narwhals = extra("narwhals", "reading data frames")
    try:
        table = narwhals.from_native(frame, eager_only=True)
    except TypeError:
        kind = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
        raise SourceError(
            f"the table ({kind}) must be a pandas, polars or pyarrow table, a dict of columns or a path; "
            f"a lazy frame must be collected first"
        ) from None
    except ValueError:
        table = None  # two names are alike, which is told below
    _exact_names(list(frame.column_names if hasattr(frame, "column_names") else frame.columns))
    return RawTable(columns={name: _texts(name, table.get_column(name).to_list()) for name in table.columns})


def to_frame_like(frame: Any, columns: Mapping[str, Sequence[object] | NDArray[Any]]) -> Any:
    """The columns as the same kind of frame as `frame`; a dict for a dict. Types of the cells are kept."""
    plain = {name: cells.tolist() if isinstance(cells, np.ndarray) else list(cells) for name, cells in columns.items()}
    if isinstance(frame, Mapping):
        return plain
    narwhals = extra("narwhals", "making data frames")
    backend = narwhals.from_native(frame, eager_only=True).implementation
    kinds = {"i": narwhals.Int64, "u": narwhals.Int64, "f": narwhals.Float64, "b": narwhals.Boolean}
    schema = {}
    for name, cells in columns.items():
        first = cells.dtype.kind if isinstance(cells, np.ndarray) else np.asarray(plain[name][:1] or [""]).dtype.kind
        schema[name] = kinds.get(first, narwhals.String)
    return narwhals.from_dict(plain, schema=schema, backend=backend).to_native()


def read_parquet(data: bytes, what: str) -> RawTable:
    """Columns of a Parquet file. what names the file in errors. Raises SourceError."""
    parquet = extra("pyarrow.parquet", "reading Parquet files")
    try:
        table = parquet.read_table(io.BytesIO(data))
    except Exception:
        raise SourceError(f"{what} is not a readable Parquet file") from None
    names = checked_names(table.column_names, what)
    return RawTable(
        columns={name: _arrow_texts(name, table.column(place)) for place, name in enumerate(names)},
    )


def _exact_names(names: list[object]) -> list[str]:
    """Names as they are in the frame, because the release comes back under the same ones."""
    checked_names(names, "the table")
    return [str(name) for name in names]


def _texts(name: str, cells: Sequence[object]) -> list[str]:
    try:
        return column_texts(cells)
    except SourceError as error:
        raise SourceError(f"column {name}: {error}") from None


def _arrow_texts(name: str, column: Any) -> list[str]:
    """Text of an Arrow column: distinct values are turned once where Arrow can tell them apart."""
    pyarrow = extra("pyarrow", "reading Parquet files")
    kind = column.type
    if pyarrow.types.is_nested(kind):
        return _texts(name, column.to_pylist())
    try:
        coded = column.combine_chunks()
        if isinstance(coded, pyarrow.ChunkedArray):
            coded = pyarrow.concat_arrays(coded.chunks) if coded.num_chunks else pyarrow.array([], type=kind)
        if not pyarrow.types.is_dictionary(kind):
            coded = coded.dictionary_encode()
        values = coded.dictionary.to_pylist()
        places = coded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    except (pyarrow.ArrowException, NotImplementedError):
        return _texts(name, column.to_pylist())
    try:
        texts = [*(cell_text(value) for value in values), ""]
    except SourceError as error:
        raise SourceError(f"column {name}: {error}") from None
    return [texts[place] for place in places.tolist()]
