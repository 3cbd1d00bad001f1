"""A bundle: one folder that is safe to publish. Written aside and renamed, so that none is ever half there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caseveil.errors import BundleError, OutputError, PlanError
from caseveil.release import explorer, formats
from caseveil.release.about import About, check_table_names
from caseveil.release.manifest import FORMAT, MANIFEST, Manifest, canonical_json
from caseveil.release.statement import Statement
from caseveil.schema.codebook import table_from_schema
from caseveil.schema.table import Table
from caseveil.synthesis.counts import PublishedCounts

DATA_PACKAGE = "datapackage.json"
STATEMENT = "STATEMENT.md"
CODEBOOK = "codebook.csv"
EXPLORER = "explorer.html"
FIDELITY = "fidelity.json"
ROOM = 64_000_000
"""Bytes that must be free before anything is charged: several times the bundle of a usual release."""


@dataclass(frozen=True, kw_only=True)
class TableContents:
    """One table of a bundle: what it declares, its synthetic records (column -> cells), its published counts."""

    table: Table
    records: Mapping[str, Sequence[str]] = field(repr=False)
    counts: PublishedCounts = field(repr=False)

    def __post_init__(self) -> None:
        names = tuple(column.name for column in self.table.columns)
        if tuple(self.records) != names:
            raise PlanError(f"records of {self.table.name} must have the columns of the table, in its order")
        if len({len(values) for values in self.records.values()}) > 1:
            raise PlanError(f"records of {self.table.name} must have equally many cells in every column")

    @property
    def rows(self) -> int:
        """Number of synthetic records."""
        return len(next(iter(self.records.values())))


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """Everything that a bundle says. All of it is safe to publish.

    tables: by name, in the order of the plan. fidelity: JSON values computed from protected numbers only.
    """

    about: About
    tables: Mapping[str, TableContents]
    statement: Statement
    fidelity: Mapping[str, object]
    plan_digest: str

    def __post_init__(self) -> None:
        if not self.tables:
            raise PlanError("a bundle must hold at least one table")
        check_table_names(self.tables)
        for name, contents in self.tables.items():
            if contents.table.name != name:
                raise PlanError(f"tables.{name} must stand under its own name ({contents.table.name})")


def render(contents: BundleContents) -> dict[str, bytes]:
    """Every file of the bundle by its path. Equal contents give equal bytes, Parquet files aside."""
    parquet = formats.parquet_status()
    files = render_text(contents, parquet=parquet)
    if parquet == "included":
        for name, part in contents.tables.items():
            files[formats.records_path(name, "parquet")] = formats.encode_parquet(part.records)
            files[formats.counts_path(name, "parquet")] = formats.encode_parquet(
                formats.counts_columns(part.counts), whole=formats.COUNTS_COLUMNS[1:]
            )
    manifest = Manifest.of(
        files, versions=contents.statement.software, plan_digest=contents.plan_digest, parquet=parquet
    )
    return {**files, MANIFEST: manifest.to_bytes()}


def render_text(contents: BundleContents, *, parquet: str) -> dict[str, bytes]:
    """The files of `render` that depend on nothing but the contents: all but Parquet and the manifest."""
    tables = [part.table for part in contents.tables.values()]
    files: dict[str, bytes] = {}
    for name, part in contents.tables.items():
        files[formats.records_path(name)] = formats.encode_csv(part.records)
        files[formats.counts_path(name)] = formats.encode_csv(formats.counts_columns(part.counts))
    package = formats.data_package(contents.about, tables, contents.statement, files)
    package["caseveil"] |= {"plan_digest": contents.plan_digest, "parquet": parquet}
    files[CODEBOOK] = formats.encode_codebook(tables)
    files[FIDELITY] = canonical_json(dict(contents.fidelity))
    files[STATEMENT] = contents.statement.to_markdown(contents.about).encode("utf-8")
    files[EXPLORER] = explorer.render(contents_for_explorer(contents))
    files[DATA_PACKAGE] = canonical_json(package)
    return files


def contents_for_explorer(contents: BundleContents) -> dict[str, Any]:
    """What explorer.html shows."""
    return explorer.payload(
        contents.about,
        contents.statement,
        [(part.table, part.rows, part.counts) for part in contents.tables.values()],
    )


def check_output(out: Path, *, needed: int = ROOM) -> None:
    """Raise OutputError unless a bundle of about `needed` bytes can be written to `out`. Leaves nothing behind.

    To be called before anything is charged.
    """
    if os.path.lexists(out):
        raise OutputError(
            f"out ({out}) must not exist yet: choose another --out, give the release a new version, or remove it"
        )
    if not out.name:
        raise OutputError(f"out ({out}) must name a folder")
    place = out.parent
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise OutputError(f"out ({out}) must lie in a folder; {place} is none")
    try:
        probe = _aside(place / out.name)
        probe.mkdir()
        probe.rmdir()
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise OutputError(f"out ({out}) cannot be written: {_why(error)}. Choose another --out") from error
    if free < needed:
        raise OutputError(
            f"out ({out}) needs about {needed / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free: "
            f"make room, or choose another --out"
        )


def write_bundle(contents: BundleContents, out: Path) -> None:
    """Write the bundle to `out`, which must not exist. Either all of it is there afterwards, or nothing.

    The files are written into a hidden folder beside `out`, flushed to disk, and the folder is renamed.
    Raises OutputError.
    """
    check_output(out, needed=0)
    try:
        files = render(contents)
    except UnicodeEncodeError as error:
        raise OutputError("a name or declared value holds half a surrogate pair, which is no Unicode text") from error
    aside = _aside(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            target = aside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        for folder in (*{(aside / path).parent for path in files}, aside):
            _sync_folder(folder)
        if os.path.lexists(out):
            raise OutputError(f"out ({out}) appeared while the bundle was written: choose another --out")
        os.rename(aside, out)
        _sync_folder(out.parent)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise OutputError(f"the bundle cannot be written to {out}: {_why(error)}. Nothing was published") from error
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def read_files(path: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path with '/'. Raises BundleError if it is no folder or holds a link."""
    if not path.is_dir():
        raise BundleError(f"{path} must be the folder of a bundle")
    files: dict[str, bytes] = {}
    try:
        for folder, folders, names in os.walk(path):
            here = Path(folder)
            for name in (*names, *folders):
                entry = here / name
                if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                    raise BundleError(f"{entry.relative_to(path).as_posix()} must be a plain file or folder")
            for name in names:
                files[(here / name).relative_to(path).as_posix()] = (here / name).read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {_why(error)}") from error
    return files


def parse_files(files: Mapping[str, bytes]) -> BundleContents:
    """Contents of a bundle from its CSV and JSON files. Raises BundleError; hashes are not looked at."""
    try:
        manifest = Manifest.from_bytes(_file(files, MANIFEST))
        if manifest.format != FORMAT:
            raise BundleError("the bundle was written in another format: use the version of Caseveil that wrote it")
        package = formats.parse_json(_file(files, DATA_PACKAGE))
        own = package["caseveil"]
        about = About(
            name=package["name"],
            version=package["version"],
            title=own["title"],
            publisher=own["publisher"],
            license=own["license"],
        )
        tables: dict[str, TableContents] = {}
        for resource in package["resources"]:
            if resource["caseveil"]["kind"] != "records":
                continue
            name = resource["caseveil"]["table"]
            check_table_names([name])
            tables[name] = TableContents(
                table=table_from_schema(name, resource["schema"]),
                records=formats.decode_csv(_file(files, formats.records_path(name))),
                counts=formats.counts_from_columns(formats.decode_csv(_file(files, formats.counts_path(name)))),
            )
        return BundleContents(
            about=about,
            tables=tables,
            statement=Statement.from_json(package["privacy"]),
            fidelity=dict(formats.parse_json(_file(files, FIDELITY))),
            plan_digest=manifest.plan_digest,
        )
    except BundleError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, PlanError) as error:
        raise BundleError("datapackage.json, manifest.json or a table of the bundle is damaged") from error


def read_bundle(path: Path) -> BundleContents:
    """A bundle as it was written. Raises BundleError if a file is missing, added or changed."""
    files = read_files(path)
    if MANIFEST not in files:
        raise BundleError(f"{path} must hold {MANIFEST}: it is not a bundle, or not all of one")
    try:
        wrong = Manifest.from_bytes(files[MANIFEST]).mismatches(files)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BundleError(f"{MANIFEST} is damaged") from error
    if wrong:
        raise BundleError(
            f"{len(wrong)} files of the bundle are not as they were written "
            f"(the first: {next(iter(wrong.items()))[0]}): run `caseveil verify`"
        )
    return parse_files(files)


def _file(files: Mapping[str, bytes], path: str) -> bytes:
    if path not in files:
        raise BundleError(f"{path} must be in the bundle and is missing")
    return files[path]


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.partial-{secrets.token_hex(4)}")


def _sync_folder(folder: Path) -> None:
    # Windows and some network drives cannot flush a folder; the rename is still all or nothing there.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _why(error: OSError) -> str:
    known = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the quota of the disk is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission is denied",
        errno.EPERM: "permission is denied",
        errno.ENAMETOOLONG: "its name is too long",
    }
    return known.get(error.errno or 0, (error.strerror or type(error).__name__).lower())
