"""A bundle: one folder that is safe to publish. Written aside and renamed, so that none is ever half there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from caseveil.errors import BundleError, OutputError, PlanError
from caseveil.release import explorer, explorer_data, formats, link_files
from caseveil.release.about import About, check_table_names
from caseveil.release.carried import MEASUREMENTS, Carried
from caseveil.release.contents import BundleContents, KeyColumn, LinkContents, TableContents
from caseveil.release.manifest import FORMAT, MANIFEST, Manifest, canonical_json
from caseveil.release.packed import read_zip
from caseveil.release.statement import Statement
from caseveil.release.story import Story
from caseveil.schema.codebook import flattened_rows, key_name, table_from_schema
from caseveil.schema.flattened import NAME as FLATTENED
from caseveil.schema.table import Table

DATA_PACKAGE = "datapackage.json"
STATEMENT = "STATEMENT.md"
CODEBOOK = "codebook.csv"
EXPLORER = "explorer.html"
FIDELITY = "fidelity.json"
ROOM = 64_000_000
"""Bytes that must be free before anything is charged: several times the bundle of a usual release."""
_DAY = 86_400 * 10**9
"""Nanoseconds."""


def render(contents: BundleContents) -> dict[str, bytes]:
    """Every file of the bundle by its path. Equal contents give equal bytes, Parquet files aside."""
    parquet = formats.parquet_status()
    files = render_text(contents, parquet=parquet)
    files[EXPLORER] = explorer.render(explorer_data.payload(contents))
    if parquet == "included":
        for path, columns in parquet_columns(contents).items():
            whole = ("length", "count", "lower", "upper") if path.startswith("counts/") else ()
            files[path] = formats.encode_parquet(columns, whole=whole)
    manifest = Manifest.of(
        files, versions=contents.statement.software, plan_digest=contents.plan_digest, parquet=parquet
    )
    return {**files, MANIFEST: manifest.to_bytes()}


def render_text(contents: BundleContents, *, parquet: str) -> dict[str, bytes]:
    """The files of `render` whose bytes follow from the contents: all but Parquet, the explorer, whose packed data
    depend on the release of zlib, and the manifest."""
    tables = [part.table for part in contents.tables.values()]
    keys = _keys(contents)
    files = {f"{stem}.csv": formats.encode_csv(columns) for stem, columns in _columns(contents).items()}
    package = formats.data_package(contents.about, tables, contents.statement, files, keys)
    package["caseveil"] |= {"plan_digest": contents.plan_digest, "parquet": parquet}
    derived: list[tuple[str, ...]] = []
    if contents.links is not None:
        package["caseveil"]["links"] = link_files.link_block(contents.links.link, contents.links.table)
        package["resources"] += _link_resources(contents.links, tables, files)
        derived = flattened_rows(contents.links.flattened_columns, *tables)
    files[CODEBOOK] = formats.encode_codebook(tables, keys, derived)
    files[FIDELITY] = canonical_json(dict(contents.fidelity))
    files[STATEMENT] = contents.statement.to_markdown(contents.about).encode("utf-8")
    if contents.carried is not None:
        files[MEASUREMENTS] = contents.carried.to_bytes()
    files[DATA_PACKAGE] = canonical_json(package)
    return files


def parquet_columns(contents: BundleContents) -> dict[str, dict[str, list[str]]]:
    """What each Parquet file holds, by its path: column -> cells, numbers written as text."""
    return {f"{stem}.parquet": columns for stem, columns in _columns(contents).items()}


def _columns(contents: BundleContents) -> dict[str, dict[str, list[str]]]:
    """The columns of every table in the bundle, as text, by its path without an ending."""
    out: dict[str, dict[str, list[str]]] = {}
    for name, part in contents.tables.items():
        key = {} if part.key is None else {part.key.name: list(part.key.cells)}
        own = {column: list(cells) for column, cells in part.records.items()}
        out[formats.records_path(name).removesuffix(".csv")] = {**key, **own}
        out[formats.counts_path(name).removesuffix(".csv")] = formats.counts_columns(part.counts)
    if contents.links is not None:
        stem = formats.counts_path(link_files.LINK_COUNTS).removesuffix(".csv")
        out[stem] = link_files.counts_columns(contents.links.counts)
        if contents.links.flattened is not None:
            stem = formats.records_path(FLATTENED).removesuffix(".csv")
            out[stem] = {column: list(cells) for column, cells in contents.links.flattened.items()}
    return out


def _keys(contents: BundleContents) -> dict[str, formats.ReleasedKey]:
    if contents.links is None:
        return {}
    own, to = (contents.tables[name].key for name in (contents.links.link.to, contents.links.table))
    assert own is not None
    assert to is not None
    linked = formats.ReleasedKey(name=to.name, to=contents.links.link.to, to_key=own.name)
    return {contents.links.link.to: formats.ReleasedKey(name=own.name), contents.links.table: linked}


def _link_resources(links: LinkContents, tables: Sequence[Table], files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    path = formats.counts_path(link_files.LINK_COUNTS)
    schema = link_files.counts_schema(links.link, links.table)
    title = f"Published counts across the link of {links.table} to {links.link.to}"
    out = [formats.resource("counts", link_files.LINK_COUNTS, path, files[path], schema, title)]
    if links.flattened is not None:
        path = formats.records_path(FLATTENED)
        schema = link_files.flattened_schema(links.flattened_columns, *tables)
        title = f"One row per record of {links.link.to}, derived from the synthetic records"
        out.append(formats.resource("derived", FLATTENED, path, files[path], schema, title))
    return out


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
        probe = aside(place / out.name)
        probe.mkdir()
        probe.rmdir()
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise OutputError(f"out ({out}) cannot be written: {why(error)}. Choose another --out") from error
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
    beside = aside(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_files(files, beside)
        if os.path.lexists(out):
            raise OutputError(f"out ({out}) appeared while the bundle was written: choose another --out")
        os.rename(beside, out)
        _sync_folder(out.parent)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise OutputError(f"the bundle cannot be written to {out}: {why(error)}. Nothing was published") from error
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files by their paths into a folder that is not there yet, date them, and flush them to disk.

    Raises OSError.
    """
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    folders = (*{(folder / path).parent for path in files}, folder)
    _date((*(folder / path for path in files), *folders))
    for part in folders:
        _sync_folder(part)


def _date(paths: Iterable[Path]) -> None:
    """Gives all of them one date, the beginning of today (UTC): when a release began may be known, and how long it
    took depends on the rows."""
    today = time.time_ns() // _DAY * _DAY
    for path in paths:
        with contextlib.suppress(OSError):  # a file system without such dates tells no time either
            os.utime(path, ns=(today, today))


def read_files(path: Path) -> dict[str, bytes]:
    """Every file of a bundle, a folder or a zip of one, by its path with '/'. Raises BundleError if it holds a link."""
    if path.is_file():
        return read_zip(path)
    if not path.is_dir():
        raise BundleError(f"{path} must be the folder of a bundle, or a zip of one")
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
        raise BundleError(f"{path} cannot be read: {why(error)}") from error
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
            records = formats.decode_csv(_file(files, formats.records_path(name)))
            key = next(filter(None, map(key_name, resource["schema"]["fields"])), None)
            tables[name] = TableContents(
                table=table_from_schema(name, resource["schema"]),
                key=None if key is None else KeyColumn(name=key, cells=records.pop(key)),
                records=records,
                counts=formats.counts_from_columns(formats.decode_csv(_file(files, formats.counts_path(name)))),
            )
        return BundleContents(
            about=about,
            tables=tables,
            links=_parse_links(package, files),
            statement=Statement.from_json(package["privacy"]),
            fidelity=dict(formats.parse_json(_file(files, FIDELITY))),
            plan_digest=manifest.plan_digest,
            stories=_parse_stories(files),
            carried=Carried.from_bytes(files[MEASUREMENTS]) if MEASUREMENTS in files else None,
        )
    except BundleError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, PlanError) as error:
        raise BundleError("datapackage.json, manifest.json or a table of the bundle is damaged") from error


def _parse_stories(files: Mapping[str, bytes]) -> tuple[Story, ...]:
    """What the page tells. A page of another version tells nothing here, so that an old bundle can still be gone on
    from; `verify` looks at the page itself."""
    try:
        return explorer_data.stories_in(explorer.embedded(_file(files, EXPLORER)))
    except (ValueError, RecursionError):
        return ()


def _parse_links(package: Mapping[str, Any], files: Mapping[str, bytes]) -> LinkContents | None:
    if "links" not in package["caseveil"]:
        return None
    link, table = link_files.link_from_block(package["caseveil"]["links"])
    schemas = [part["schema"] for part in package["resources"] if part["caseveil"]["kind"] == "derived"]
    counts = formats.decode_csv(_file(files, formats.counts_path(link_files.LINK_COUNTS)))
    return LinkContents(
        table=table,
        link=link,
        counts=link_files.counts_from_columns(counts),
        flattened=formats.decode_csv(_file(files, formats.records_path(FLATTENED))) if schemas else None,
        flattened_columns=link_files.flattened_from_schema(schemas[0]) if schemas else (),
    )


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


def aside(out: Path) -> Path:
    """A hidden name beside `out` that nothing has."""
    return out.with_name(f".{out.name}.partial-{secrets.token_hex(4)}")


def _sync_folder(folder: Path) -> None:
    # Windows and some network drives cannot flush a folder; the rename is still all or nothing there.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def why(error: OSError) -> str:
    """What went wrong, in words."""
    known = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the quota of the disk is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission is denied",
        errno.EPERM: "permission is denied",
        errno.ENAMETOOLONG: "its name is too long",
    }
    return known.get(error.errno or 0, (error.strerror or type(error).__name__).lower())


__all__ = [
    "BundleContents",
    "KeyColumn",
    "LinkContents",
    "TableContents",
    "check_output",
    "read_bundle",
    "render",
    "write_bundle",
]
