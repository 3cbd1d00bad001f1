"""Proves a bundle from the bundle alone: nothing added, lost or changed, and nothing that contradicts itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caseveil.errors import CaseveilError
from caseveil.release import bundle, explorer, explorer_data, formats
from caseveil.release.bundle import BundleContents, TableContents
from caseveil.release.combinations import Ids, ValueIndex, bit_table, count_rows
from caseveil.release.manifest import MANIFEST, Manifest, software_versions
from caseveil.release.prose import plain
from caseveil.release.statement import Statement, above
from caseveil.release.verify_links import check_links
from caseveil.release.verify_series import measurements
from caseveil.schema.attribute import MultiChoice

_SLACK = 1 + 1e-9  # for sums that were rounded in another order


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check: its name, whether it passed, and what was seen, in words and numbers."""

    check: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'}  {self.check}: {self.detail}"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """All findings about one bundle. ok: every check passed."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(finding.ok for finding in self.findings)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """A JSON object."""
        return {
            "ok": self.ok,
            "findings": [{"check": f.check, "ok": f.ok, "detail": f.detail} for f in self.findings],
        }


class _Failed(Exception):
    """A check did not pass; the text says how."""


def verify_bundle(path: Path) -> Verification:
    """Check a bundle: hashes, files, schema, records, counts, statement. Never raises for a damaged bundle.

    Raises BundleError only where there is nothing to look at. path: the bundle's folder, or a zip of it.
    """
    if not path.exists():
        bundle.read_files(path)
    findings: list[Finding] = []

    def check(name: str, act: Callable[[], str]) -> bool:
        try:
            findings.append(Finding(check=name, ok=True, detail=act()))
        except (_Failed, CaseveilError) as error:
            findings.append(Finding(check=name, ok=False, detail=str(error)))
        except Exception as error:
            # Whatever a damaged file provokes is a failed check; its text may be anything and is not repeated.
            findings.append(Finding(check=name, ok=False, detail=f"could not be checked ({type(error).__name__})"))
        return findings[-1].ok

    files: dict[str, bytes] = {}
    contents: list[BundleContents] = []

    def read() -> str:
        files.update(bundle.read_files(path))
        return f"{len(files)} files"

    def parse() -> str:
        contents.append(bundle.parse_files(files))
        return f"{len(contents[0].tables)} table{'s' if len(contents[0].tables) > 1 else ''}"

    if not check("folder", read):
        return Verification(findings=tuple(findings))
    intact = check("hashes", lambda: _hashes(files))
    if not check("data package", parse):
        return Verification(findings=tuple(findings))
    whole = contents[0]
    check("files", lambda: _files(whole, files))
    check("explorer", lambda: _explorer(whole, files))
    check("statement", lambda: _statement(whole))
    if whole.carried is not None or whole.statement.update is not None:
        check("measurements", lambda: measurements(whole))
    if whole.links is not None:
        check_links(whole, whole.links, check)
    for name, part in whole.tables.items():
        check(f"records of {name}", lambda part=part: _records(part))  # type: ignore[misc]
        check(f"counts of {name}", lambda part=part: _counts(part, whole.statement))  # type: ignore[misc]
    if intact:
        for owner, columns in _by_table(whole).items():
            check(f"Parquet of {owner}", lambda columns=columns: _parquet(columns, files))  # type: ignore[misc]
    return Verification(findings=tuple(findings))


def _hashes(files: Mapping[str, bytes]) -> str:
    if MANIFEST not in files:
        raise _Failed(f"{MANIFEST} is missing: this is not a bundle, or not all of one")
    manifest = Manifest.from_bytes(files[MANIFEST])
    wrong = manifest.mismatches(files)
    if wrong:
        shown = ", ".join(f"{path} {what}" for path, what in list(wrong.items())[:5])
        raise _Failed(f"{len(wrong)} files are not as they were written: {shown}")
    return f"{len(manifest.files)} files are as listed"


def _files(contents: BundleContents, files: Mapping[str, bytes]) -> str:
    """Every file that follows from others is written anew and compared."""
    package = formats.parse_json(files[bundle.DATA_PACKAGE])
    parquet = str(package["caseveil"]["parquet"])
    again = bundle.render_text(contents, parquet=parquet)
    expected = {*again, bundle.EXPLORER, MANIFEST}
    if parquet == "included":
        expected |= set(bundle.parquet_columns(contents))
    extra, lost = sorted(set(files) - expected), sorted(expected - set(files))
    if extra or lost:
        raise _Failed(f"{len(extra)} files too many, {len(lost)} missing: {', '.join((extra + lost)[:5])}")
    versions = contents.statement.software
    again[MANIFEST] = Manifest.of(
        files, versions=versions, plan_digest=str(package["caseveil"]["plan_digest"]), parquet=parquet
    ).to_bytes()
    same_version = versions.get("caseveil") == software_versions()["caseveil"]
    differ = [p for p in again if files[p] != again[p] and (same_version or p != bundle.STATEMENT)]
    if plain(str(contents.statement)) not in files[bundle.STATEMENT].decode("utf-8"):
        differ.append(bundle.STATEMENT)
    if differ:
        raise _Failed(f"{', '.join(sorted(set(differ)))} do not follow from the rest of the bundle")
    return "codebook, statement and manifest follow from tables and data package"


def _explorer(contents: BundleContents, files: Mapping[str, bytes]) -> str:
    """What the page shows is what the files say, stories aside, and the page is ours."""
    page = files[bundle.EXPLORER]
    data = explorer.embedded(page)
    if isinstance(data, dict) and explorer.PRIVATE in data:
        raise _Failed(f"{bundle.EXPLORER} holds numbers made from the true rows: never publish it, nor this bundle")
    wrong = explorer_data.differences(data, explorer_data.payload(contents))
    if wrong:
        raise _Failed(f"{bundle.EXPLORER} does not follow from the rest of the bundle: {', '.join(wrong[:5])}")
    same_version = contents.statement.software.get("caseveil") == software_versions()["caseveil"]
    # The data as they stand there, since another release of zlib may pack them otherwise.
    if same_version and explorer.render(data) != page:
        raise _Failed(f"{bundle.EXPLORER} is not the page that this version of Caseveil writes")
    number = len(contents.stories)
    told = f", and tells {number} {'story' if number == 1 else 'stories'}" if number else ""
    return f"it shows these counts and records, with this statement{told}"


def _statement(contents: BundleContents) -> str:
    statement = contents.statement
    if statement.composed_mu > statement.mu * _SLACK:
        raise _Failed(f"mu is {statement.mu:.6g}, but its mechanisms compose to {statement.composed_mu:.6g}")
    if not math.isclose(statement.rho, statement.mu**2 / 2, rel_tol=1e-9):
        raise _Failed(f"rho is {statement.rho:.6g}, but mu^2 / 2 is {statement.mu**2 / 2:.6g}")
    needed = statement.delta_at_epsilon
    if needed > statement.delta * _SLACK:
        raise _Failed(f"delta is {statement.delta:.4g}, but mu and discovery need {needed:.4g} at this epsilon")
    rows = [part.rows for part in contents.tables.values()]
    if statement.records != rows[0]:
        raise _Failed(f"it speaks of {statement.records} records; the tables have {', '.join(map(str, rows))}")
    return f"epsilon {statement.epsilon:g} at delta {above(statement.delta, 3)} covers mu {statement.mu:.6g}"


def _records(part: TableContents) -> str:
    index = ValueIndex(table=part.table)
    for position, (name, cells) in enumerate(part.records.items()):
        bad = 0
        for cell in set(cells):
            try:
                index.cell(position, cell)
            except KeyError:
                bad += 1
        if bad:
            raise _Failed(f"column {name} holds {bad} values that are not declared")
    return f"{part.rows:,} records hold declared values only"


def _counts(part: TableContents, statement: Statement) -> str:
    index = ValueIndex(table=part.table)
    published = part.counts
    try:
        ids = index.combinations(published.combination)
    except ValueError as error:
        raise _Failed(f"a combination cannot be read: {error}") from error
    count = np.asarray(published.count, dtype=np.int64)
    if len(set(ids)) != len(ids):
        raise _Failed("a combination stands twice")
    sizes = np.array([len(one) for one in ids], dtype=np.int64)
    _refuse(sizes != published.length, "do not have the length that they state")
    _refuse(sizes > statement.length, f"are longer than the statement says ({statement.length})")
    least = np.array([max(1, statement.least_count.get(len(one), 1)) for one in ids], dtype=np.int64)
    _refuse(count < least, "are below the threshold of the statement")
    _refuse((published.lower > count) | (count > published.upper), "lie outside their own interval")
    bits = bit_table(index, list(part.records.values()), part.rows)
    _refuse(count_rows(bits, ids) != count, "differ from the number of records that have them")
    known = dict(zip(ids, count.tolist(), strict=True))
    _refuse(np.array([_unnested(one, known) for one in ids], dtype=bool), "exceed a shorter one, or lack it")
    sums = _sums(index, known)
    over = sum(total > (known.get(rest, 0) if rest else part.rows) for (rest, _), total in sums.items())
    if over:
        raise _Failed(f"{over} sums over the values of a column exceed the shorter count")
    return f"{len(ids):,} counts equal those of the records, lie in their intervals and agree with each other"


def _refuse(wrong: NDArray[np.bool_], what: str) -> None:
    if np.any(wrong):
        raise _Failed(f"{int(np.count_nonzero(wrong))} combinations {what}")


def _unnested(ids: Ids, known: Mapping[Ids, int]) -> bool:
    """Whether a combination with one value taken away is unpublished or rarer."""
    if len(ids) == 1:
        return False
    return any(known.get(ids[:i] + ids[i + 1 :], 0) < known[ids] for i in range(len(ids)))


def _sums(index: ValueIndex, known: Mapping[Ids, int]) -> Mapping[tuple[Ids, int], int]:
    """Counts summed over the published values of one single-valued column: (the other values, the column) -> sum."""
    sums: dict[tuple[Ids, int], int] = {}
    sets = [isinstance(column, MultiChoice) for column in index.table.columns]
    for ids, count in known.items():
        for i, one in enumerate(ids):
            column = index.columns[one]
            if not sets[column]:
                key = (ids[:i] + ids[i + 1 :], column)
                sums[key] = sums.get(key, 0) + count
    return sums


def _by_table(contents: BundleContents) -> dict[str, dict[str, dict[str, list[str]]]]:
    """What each Parquet file should hold: table, or another name of files -> path -> columns of text."""
    out: dict[str, dict[str, dict[str, list[str]]]] = {}
    for path, columns in bundle.parquet_columns(contents).items():
        out.setdefault(path.split("/", 1)[1].removesuffix(".parquet"), {})[path] = columns
    return out


def _parquet(expected: Mapping[str, Mapping[str, list[str]]], files: Mapping[str, bytes]) -> str:
    if not set(expected) & set(files):
        return "none, as the manifest says"
    if formats.parquet_status() != "included":
        return "not compared, since pyarrow is not installed; its hashes are right"
    for path, columns in expected.items():
        there = formats.decode_parquet(files[path])
        if list(there) != list(columns) or there != columns:
            raise _Failed(f"{path} differs from its CSV file")
    return "the same as CSV"
