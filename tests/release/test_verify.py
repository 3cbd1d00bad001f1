"""`verify` passes what is right and finds every kind of damage, also when the hashes were made to fit."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caseveil.errors import BundleError
from caseveil.privacy.loss import GaussianDP
from caseveil.release import explorer, explorer_data
from caseveil.release.bundle import EXPLORER, BundleContents, TableContents, render, write_bundle
from caseveil.release.manifest import MANIFEST, Manifest, canonical_json, software_versions
from caseveil.release.verify import Verification, verify_bundle

Change = Callable[[dict[str, bytes]], None]


def lay(files: dict[str, bytes], out: Path) -> Path:
    for path, data in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    return out


def rehash(files: dict[str, bytes]) -> None:
    """The manifest of somebody who changes files and knows how to hash."""
    old = Manifest.from_bytes(files[MANIFEST])
    files[MANIFEST] = Manifest.of(
        files, versions=old.versions, plan_digest=old.plan_digest, parquet=old.parquet
    ).to_bytes()


def failed(verification: Verification) -> set[str]:
    return {finding.check for finding in verification.findings if not finding.ok}


def test_a_good_bundle_passes(contents: BundleContents, tmp_path: Path) -> None:
    write_bundle(contents, tmp_path / "release")
    verification = verify_bundle(tmp_path / "release")
    assert verification.ok, str(verification)
    assert len(verification.findings) >= 8
    assert json.loads(canonical_json(verification.to_json()))["ok"] is True


def test_a_bundle_of_another_version_passes(make: Callable[..., BundleContents], tmp_path: Path) -> None:
    other = make(software={"caseveil": "99.0.0", "numpy": "2.0.2", "python": "3.12"})
    write_bundle(other, tmp_path / "release")
    assert verify_bundle(tmp_path / "release").ok


@pytest.mark.parametrize("apart", [1 - 4e-16, 1 + 4e-16])
def test_a_bundle_of_a_machine_that_rounds_otherwise_passes(
    make: Callable[..., BundleContents], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: float
) -> None:
    """The functions of two processors, or of a browser, differ in the last place."""
    write_bundle(make(discovered=("sex",)), tmp_path / "release")
    here = GaussianDP.delta
    monkeypatch.setattr(GaussianDP, "delta", lambda self, epsilon: here(self, epsilon) * apart)
    verification = verify_bundle(tmp_path / "release")
    assert verification.ok, str(verification)


def test_no_records_and_no_counts_pass(make: Callable[..., BundleContents], tmp_path: Path) -> None:
    write_bundle(make(rows=0), tmp_path / "release")
    verification = verify_bundle(tmp_path / "release")
    assert verification.ok, str(verification)


def test_without_pyarrow_passes(contents: BundleContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    write_bundle(contents, tmp_path / "release")
    verification = verify_bundle(tmp_path / "release")
    assert verification.ok, str(verification)


def test_nothing_there() -> None:
    with pytest.raises(BundleError):
        verify_bundle(Path("no such folder"))


def test_an_empty_folder_fails(tmp_path: Path) -> None:
    assert not verify_bundle(tmp_path).ok


def test_any_damage_to_any_file_is_found(contents: BundleContents, tmp_path: Path) -> None:
    good = render(contents)
    dice = random.Random(5)
    for path, data in good.items():
        for damage in ("flip", "flip", "flip", "cut", "empty", "lose", "add"):
            files = dict(good)
            if damage == "flip":
                at = dice.randrange(len(data))
                files[path] = data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
            elif damage == "cut":
                files[path] = data[: dice.randrange(len(data))]
            elif damage == "empty":
                files[path] = b""
            elif damage == "lose":
                del files[path]
            else:
                files[path + ".txt"] = data
            out = lay(files, tmp_path / "release")
            assert not verify_bundle(out).ok, f"{damage} of {path} was not found"
            shutil.rmtree(out)


@pytest.mark.parametrize("builder", ["make", "make_links"])
def test_damage_with_fitting_hashes_never_raises(
    builder: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Bytes of the text files are changed and hashed again: all but Parquet, whose reader is not ours.

    A change is found too, save in fidelity.json, whose numbers stand nowhere else.
    """
    good = render(request.getfixturevalue(builder)(software=software_versions()))
    dice = random.Random(6)
    for path in (path for path in good if not path.endswith(".parquet")):
        data = good[path]
        for step in range(12):
            files = dict(good)
            at = dice.randrange(len(data))
            put = dice.choice([b"", b'"', b"{", b"\xff", b"NaN", b"9" * 5000, b"[" * 3000, b"-1", b"\n", b"null"])
            files[path] = data[:at] + put + data[at + 1 + step :]
            if files[path] == data:
                continue
            if path != MANIFEST:
                rehash(files)
            out = lay(files, tmp_path / "release")
            found = not verify_bundle(out).ok
            assert found or path == "fidelity.json", f"a change of {path} was not found"
            shutil.rmtree(out)


def replaced(contents: BundleContents, **changes: Any) -> BundleContents:
    """The same release with another table part or statement, rendered as if it were right."""
    part = contents.tables["cases"]
    counts = dataclasses.replace(part.counts, **changes.pop("counts", {}))
    records = {**part.records, **changes.pop("records", {})}
    statement = dataclasses.replace(contents.statement, **changes.pop("statement", {}))
    assert not changes
    tables = {"cases": TableContents(table=part.table, records=records, counts=counts)}
    return dataclasses.replace(contents, tables=tables, statement=statement)


def shifted(values: Any, place: int, by: int) -> Any:
    out = np.array(values)
    out[place] += by
    return out


def dropped(contents: BundleContents, place: int) -> dict[str, Any]:
    counts = contents.tables["cases"].counts
    keep = [i for i in range(len(counts.combination)) if i != place]
    return {
        "combination": tuple(counts.combination[i] for i in keep),
        **{name: np.array(getattr(counts, name))[keep] for name in ("length", "count", "lower", "upper")},
    }


LIES: dict[str, tuple[Callable[[BundleContents], dict[str, Any]], str]] = {
    "count differs from records": (
        lambda c: {"counts": {"count": shifted(c.tables["cases"].counts.count, 3, 1)}},
        "differ from the number of records",
    ),
    "interval does not hold the count": (
        lambda c: {"counts": {"lower": np.array(c.tables["cases"].counts.count) + 1}},
        "outside their own interval",
    ),
    "wrong length": (
        lambda c: {"counts": {"length": shifted(c.tables["cases"].counts.length, 0, 1)}},
        "length that they state",
    ),
    "below the threshold": (lambda c: {"statement": {"least_count": {3: 50}}}, "below the threshold"),
    "longer than stated": (lambda c: {"statement": {"length": 2}}, "longer than the statement"),
    "shorter combination missing": (
        lambda c: {"counts": dropped(c, c.tables["cases"].counts.combination.index('{"gender": "Female"}'))},
        "exceed a shorter one, or lack it",
    ),
    "stands twice": (
        lambda c: {"counts": {"combination": ('{"gender": "Female"}',) * len(c.tables["cases"].counts.combination)}},
        "twice",
    ),
    "mu does not cover its mechanisms": (lambda c: {"statement": {"mu": 0.2, "rho": 0.02}}, "compose to"),
    "rho does not belong to mu": (lambda c: {"statement": {"rho": 0.5}}, "rho is"),
    "delta too small": (lambda c: {"statement": {"delta": 4e-6}}, "need"),
    "epsilon too small": (lambda c: {"statement": {"epsilon": 0.9}}, "need"),
    "other number of records": (lambda c: {"statement": {"records": 299}}, "speaks of 299"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_bundle_that_contradicts_itself_is_found(contents: BundleContents, tmp_path: Path, lie: str) -> None:
    change, text = LIES[lie]
    write_bundle(replaced(contents, **change(contents)), tmp_path / "release")
    verification = verify_bundle(tmp_path / "release")
    details = " ".join(finding.detail for finding in verification.findings if not finding.ok)
    assert text in details, str(verification)


def test_undeclared_values_in_records_are_counted_not_quoted(contents: BundleContents, tmp_path: Path) -> None:
    files = render(contents)
    lines = files["data/cases.csv"].split(b"\n")
    files["data/cases.csv"] = b"\n".join([lines[0], b"Zarathustra,,,", *lines[2:]])
    rehash(files)
    verification = verify_bundle(lay(files, tmp_path / "release"))
    assert "records of cases" in failed(verification)
    assert "Zarathustra" not in str(verification)


@pytest.mark.parametrize(
    ("path", "old", "new", "check"),
    [
        ("STATEMENT.md", b"epsilon 1,", b"epsilon 0.1,", "files"),
        ("codebook.csv", b"As recorded", b"As guessed", "files"),
        ("explorer.html", b'"rows":300', b'"rows":301', "explorer"),
        ("explorer.html", b'"mean_error_in_sigma":0.98', b'"mean_error_in_sigma":0.89', "explorer"),
        ("explorer.html", b"default-src 'none'", b"default-src *     ", "explorer"),
        ("explorer.html", b'<script id="data"', b'<script id="date"', "explorer"),
        ("datapackage.json", b'"license": "CC-BY-4.0"', b'"license": "CC0-1.0"', "files"),
        ("manifest.json", b"5a5a5a", b"5a5a5b", "files"),
    ],
)
def test_files_must_follow_from_each_other(
    make: Callable[..., BundleContents], tmp_path: Path, path: str, old: bytes, new: bytes, check: str
) -> None:
    """Each derived file is changed alone, with hashes that fit."""
    files = render(make(software=software_versions()))
    assert old in files[path]
    files[path] = files[path].replace(old, new)
    rehash(files)
    verification = verify_bundle(lay(files, tmp_path / "release"))
    assert check in failed(verification), str(verification)


def test_a_page_with_numbers_made_from_the_true_rows_is_never_passed(
    make: Callable[..., BundleContents], tmp_path: Path
) -> None:
    """Somebody copies report.html of `evaluate` into the bundle in the place of explorer.html, or beside it."""
    contents = make(software=software_versions())
    files = render(contents)
    data = {**explorer_data.payload(contents), "private": {"warning": "PRIVATE"}}
    files[EXPLORER] = explorer.render(data, private=True)
    rehash(files)
    verification = verify_bundle(lay(files, tmp_path / "release"))
    assert failed(verification) == {"explorer"}
    assert "made from the true rows: never publish" in str(verification)
    files = render(contents)
    files["report.html"] = explorer.render(data, private=True)
    rehash(files)
    assert "files" in failed(verify_bundle(lay(files, tmp_path / "both")))


def test_parquet_that_differs_is_found(make: Callable[..., BundleContents], tmp_path: Path) -> None:
    files, other = render(make()), render(make(seed=2))
    for path in ("data/cases.parquet", "counts/cases.parquet"):
        changed = {**files, path: other[path]}
        rehash(changed)
        assert failed(verify_bundle(lay(changed, tmp_path / path.replace("/", "_")))) == {"Parquet of cases"}
