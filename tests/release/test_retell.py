"""Stories put into a bundle that is there: the page tells them, all else stays, and whatever fails changes nothing."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from caseveil.errors import BundleError, OutputError
from caseveil.release import retell as room
from caseveil.release.bundle import BundleContents, read_bundle, read_files, render, write_bundle
from caseveil.release.explorer import embedded
from caseveil.release.manifest import MANIFEST, Manifest
from caseveil.release.retell import retell
from caseveil.release.story import Story
from caseveil.release.verify import verify_bundle

STORIES = (
    Story(title="Seen first", text="A paragraph.\nAnd a < b is only text.", view="a=1"),
    Story(title="Seen last", text="Another one."),
)  # fmt: skip


@pytest.fixture
def bundle(contents: BundleContents, tmp_path: Path) -> Path:
    write_bundle(contents, tmp_path / "cases-1")
    return tmp_path / "cases-1"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_page_tells_them_and_all_else_stays(bundle: Path, contents: BundleContents) -> None:
    before = read_files(bundle)
    retell(bundle, STORIES, plan_digest=contents.plan_digest)
    after = read_files(bundle)
    assert {path for path in before if before[path] != after[path]} == {"explorer.html", MANIFEST}
    assert set(before) == set(after)
    assert embedded(after["explorer.html"])["stories"] == [story.to_json() for story in STORIES]
    old, new = Manifest.from_bytes(before[MANIFEST]), Manifest.from_bytes(after[MANIFEST])
    assert (old.versions, old.plan_digest, old.parquet) == (new.versions, new.plan_digest, new.parquet)
    assert read_bundle(bundle).stories == STORIES
    verification = verify_bundle(bundle)
    assert verification.ok, str(verification)
    assert "2 stories" in str(verification)
    assert names(bundle.parent) == ["cases-1"]
    retell(bundle, (), plan_digest=contents.plan_digest)
    assert read_files(bundle) == before


def test_linked_bundles_too(linked: BundleContents, tmp_path: Path) -> None:
    write_bundle(linked, tmp_path / "linked-1")
    retell(tmp_path / "linked-1", STORIES[:1], plan_digest=linked.plan_digest)
    assert verify_bundle(tmp_path / "linked-1").ok
    assert read_bundle(tmp_path / "linked-1").stories == STORIES[:1]


def test_stories_of_the_plan_are_in_the_first_page(make: Callable[..., BundleContents]) -> None:
    files = render(dataclasses.replace(make(rows=20), stories=STORIES))
    assert [story["title"] for story in embedded(files["explorer.html"])["stories"]] == ["Seen first", "Seen last"]


def test_another_plan_is_refused(bundle: Path) -> None:
    before = read_files(bundle)
    with pytest.raises(BundleError, match=r"must be the one that cases 2026-11 was made by"):
        retell(bundle, STORIES, plan_digest="00" * 32)
    assert read_files(bundle) == before


def test_a_damaged_bundle_is_refused(bundle: Path, contents: BundleContents) -> None:
    (bundle / "data" / "cases.csv").write_bytes(b"gender\n")
    before = read_files(bundle)
    with pytest.raises(BundleError, match="not as they were written"):
        retell(bundle, STORIES, plan_digest=contents.plan_digest)
    assert read_files(bundle) == before


def test_a_bundle_that_does_not_hold_keeps_its_stories(
    make: Callable[..., BundleContents], tmp_path: Path
) -> None:
    contents = make(epsilon=0.5)  # less than its mechanisms need
    write_bundle(contents, tmp_path / "cases-1")
    before = read_files(tmp_path / "cases-1")
    with pytest.raises(BundleError, match="does not hold"):
        retell(tmp_path / "cases-1", STORIES, plan_digest=contents.plan_digest)
    assert read_files(tmp_path / "cases-1") == before
    assert names(tmp_path) == ["cases-1"]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_rename_that_fails_leaves_the_old_bundle(
    bundle: Path, contents: BundleContents, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    before = read_files(bundle)
    rename, calls = os.rename, []

    def fails(source: object, target: object) -> None:
        calls.append(source)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, "no room")
        rename(str(source), str(target))

    monkeypatch.setattr(room.os, "rename", fails)
    with pytest.raises(OutputError, match=r"the disk is full\. Nothing was changed"):
        retell(bundle, STORIES, plan_digest=contents.plan_digest)
    assert read_files(bundle) == before
    assert names(bundle.parent) == ["cases-1"]


def test_a_link_to_a_bundle_stays_a_link(bundle: Path, contents: BundleContents) -> None:
    link = bundle.parent / "latest"
    link.symlink_to(bundle.name, target_is_directory=True)
    retell(link, STORIES, plan_digest=contents.plan_digest)
    assert link.is_symlink()
    assert read_bundle(bundle).stories == STORIES
    assert names(bundle.parent) == ["cases-1", "latest"]


def test_nobody_may_stand_in_the_folder_that_is_replaced(
    bundle: Path, contents: BundleContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_files(bundle)
    for place in (bundle, bundle / "data"):
        monkeypatch.chdir(place)
        with pytest.raises(OutputError, match="leave"):
            retell(bundle, STORIES, plan_digest=contents.plan_digest)
    assert read_files(bundle) == before


def test_a_page_of_another_form_is_written_anew(bundle: Path, contents: BundleContents) -> None:
    files = read_files(bundle)
    page = files["explorer.html"].replace(b'"format":2', b'"form":1').replace(b'"stories":[]', b'"tales":[]')
    assert page != files["explorer.html"]
    (bundle / "explorer.html").write_bytes(page)
    old = Manifest.from_bytes(files[MANIFEST])
    files["explorer.html"] = page
    (bundle / MANIFEST).write_bytes(
        Manifest.of(files, versions=old.versions, plan_digest=old.plan_digest, parquet=old.parquet).to_bytes()
    )
    assert not verify_bundle(bundle).ok
    retell(bundle, STORIES, plan_digest=contents.plan_digest)
    assert verify_bundle(bundle).ok
    assert json.loads((bundle / MANIFEST).read_text())["files"]["explorer.html"]["bytes"] > len(page)
