"""A bundle is written whole or not at all, and reads back as it was written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from caseveil.errors import BundleError, OutputError, PlanError
from caseveil.release import bundle
from caseveil.release.about import About, check_table_names
from caseveil.release.bundle import BundleContents, check_output, read_bundle, render, write_bundle

HERE = Path(__file__).parent


def test_round_trip(contents: BundleContents, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folders" / "release"
    write_bundle(contents, out)
    back = read_bundle(out)
    assert (back.about, back.statement, back.plan_digest) == (contents.about, contents.statement, contents.plan_digest)
    assert dict(back.fidelity) == dict(contents.fidelity)
    for name, part in contents.tables.items():
        other = back.tables[name]
        assert other.table.columns == part.table.columns
        assert {k: list(v) for k, v in other.records.items()} == {k: list(v) for k, v in part.records.items()}
        assert list(other.counts.combination) == list(part.counts.combination)
        for field in ("length", "count", "lower", "upper"):
            assert getattr(other.counts, field).tolist() == getattr(part.counts, field).tolist()


def test_holds_the_promised_files_and_never_the_key(contents: BundleContents, tmp_path: Path) -> None:
    out = tmp_path / "release"
    write_bundle(contents, out)
    there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert there == {
        "datapackage.json", "STATEMENT.md", "codebook.csv", "explorer.html", "fidelity.json", "manifest.json",
        "data/cases.csv", "data/cases.parquet", "counts/cases.csv", "counts/cases.parquet",
    }  # fmt: skip
    assert not any(b"case_id" in (out / path).read_bytes() for path in there), "the name of the key column is private"


def test_equal_contents_give_equal_bytes(make: Callable[..., BundleContents]) -> None:
    assert render(make()) == render(make())
    assert render(make())["data/cases.csv"] != render(make(seed=2))["data/cases.csv"]


def test_without_pyarrow_there_is_no_parquet_and_it_says_so(
    contents: BundleContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    out = tmp_path / "release"
    write_bundle(contents, out)
    assert not list(out.rglob("*.parquet"))
    assert "pyarrow" in json.loads((out / "manifest.json").read_text("utf-8"))["parquet"]


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_existing_output_is_refused_and_left_alone(contents: BundleContents, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "release"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="must not exist"):
        write_bundle(contents, out)
    assert [p.name for p in tmp_path.iterdir()] == ["release"]
    assert kind != "file" or out.read_text() == "mine"


def test_output_is_checked_beforehand(tmp_path: Path) -> None:
    check_output(tmp_path / "a" / "b" / "release")
    assert list(tmp_path.iterdir()) == [], "the check leaves nothing behind"
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="must lie in a folder"):
        check_output(tmp_path / "file" / "release")
    with pytest.raises(OutputError, match="MB are free"):
        check_output(tmp_path / "release", needed=1 << 62)
    with pytest.raises(OutputError, match="name is too long"):
        check_output(tmp_path / ("x" * 300))


def test_output_where_nothing_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: object, **named: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="read-only"):
        check_output(tmp_path / "release")


@pytest.mark.parametrize(
    ("raised", "expected", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), OutputError, "disk is full"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    ],
)
@pytest.mark.parametrize("after", [0, 4, 9])
def test_failure_in_the_middle_leaves_nothing(
    contents: BundleContents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    expected: type[BaseException],
    text: str,
    after: int,
) -> None:
    calls = 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise raised

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(expected, match=text):
        write_bundle(contents, tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_kill_in_the_middle_leaves_no_half_bundle(tmp_path: Path) -> None:
    out = tmp_path / "release"
    code = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        sys.path.insert(0, {str(HERE)!r})
        from conftest import make_contents
        from caseveil.release.bundle import write_bundle
        real, calls = os.fsync, []
        def fsync(handle):
            real(handle)
            calls.append(1)
            if len(calls) == 5:
                os.kill(os.getpid(), signal.SIGKILL)
        os.fsync = fsync
        write_bundle(make_contents(), Path({str(out)!r}))
        """
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ, "PYTHONPATH": _source()})
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    assert all(p.name.startswith(".release.partial-") for p in tmp_path.iterdir())
    check_output(out)


def _source() -> str:
    here = str(Path(bundle.__file__).parents[2])
    return os.pathsep.join(part for part in (os.environ.get("PYTHONPATH", ""), here) if part)


def test_reading_what_is_no_bundle(contents: BundleContents, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="must be the folder"):
        read_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=r"manifest\.json"):
        read_bundle(tmp_path)
    out = tmp_path / "release"
    write_bundle(contents, out)
    (out / "codebook.csv").write_bytes(b"changed")
    with pytest.raises(BundleError, match=r"codebook\.csv"):
        read_bundle(out)


def test_links_inside_a_bundle_are_refused(contents: BundleContents, tmp_path: Path) -> None:
    out = tmp_path / "release"
    write_bundle(contents, out)
    (tmp_path / "secret").write_bytes((out / "codebook.csv").read_bytes())
    (out / "codebook.csv").unlink()
    (out / "codebook.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="plain file"):
        read_bundle(out)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a\\b", "con", "NUL.txt", "a\n", "a."])
def test_table_names_that_cannot_be_files(name: str) -> None:
    with pytest.raises(PlanError):
        check_table_names([name])


def test_table_names_that_can() -> None:
    check_table_names(["victims", "Opfer_2026", "víctimas", "a.b-c"])
    with pytest.raises(PlanError, match="capitals"):
        check_table_names(["victims", "Victims"])


@pytest.mark.parametrize("change", [{"name": "Has Space"}, {"name": "../up"}, {"version": " "}, {"title": "a\nb"}])
def test_about_refuses(change: dict[str, str]) -> None:
    with pytest.raises(PlanError):
        About(**{"name": "cases", "version": "1", **change})


def test_contents_must_fit_their_table(contents: BundleContents) -> None:
    part = contents.tables["cases"]
    with pytest.raises(PlanError, match="columns"):
        bundle.TableContents(
            table=part.table, records=dict(reversed(list(part.records.items()))), counts=part.counts
        )
    ragged = {name: list(cells) for name, cells in part.records.items()}
    ragged["gender"].pop()
    with pytest.raises(PlanError, match="equally many"):
        bundle.TableContents(table=part.table, records=ragged, counts=part.counts)
