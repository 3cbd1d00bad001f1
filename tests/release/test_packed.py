"""A bundle as one zip is checked as its folder is, and a zip that means harm is refused in a sentence."""

from __future__ import annotations

import io
import random
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from caseveil.cli import main
from caseveil.errors import BundleError
from caseveil.release import packed
from caseveil.release.bundle import BundleContents, read_files, write_bundle
from caseveil.release.verify import verify_bundle

SECRET = "Secretville-31415"


@pytest.fixture
def folder(contents: BundleContents, tmp_path: Path) -> Path:
    write_bundle(contents, tmp_path / "release")
    return tmp_path / "release"


def pack(folder: Path, out: Path, *, below: str = "") -> Path:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, below + path.relative_to(folder).as_posix())
    return out


@pytest.mark.parametrize("below", ["", "release/"])
def test_a_zip_is_read_as_its_folder_is(folder: Path, tmp_path: Path, below: str) -> None:
    whole = pack(folder, tmp_path / "release.zip", below=below)
    assert read_files(whole) == read_files(folder)
    verdict = verify_bundle(whole)
    assert verdict.ok, str(verdict)
    assert verdict.findings == verify_bundle(folder).findings


def test_a_file_changed_inside_the_zip_is_found(folder: Path, tmp_path: Path) -> None:
    (folder / "counts" / "extra.csv").write_text("added\n", encoding="utf-8")
    assert not verify_bundle(pack(folder, tmp_path / "release.zip")).ok


def test_the_command_takes_a_zip_and_says_no_to_a_damaged_one(folder: Path, tmp_path: Path) -> None:
    good = CliRunner().invoke(main, ["verify", str(pack(folder, tmp_path / "release.zip", below="release/"))])
    assert good.exit_code == 0, good.output
    next((folder / "counts").iterdir()).unlink()
    bad = CliRunner().invoke(main, ["verify", str(pack(folder, tmp_path / "less.zip"))])
    assert bad.exit_code == 1, bad.output


def test_a_file_that_is_no_zip_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "release.zip").write_text(SECRET, encoding="utf-8")
    said = CliRunner().invoke(main, ["verify", str(tmp_path / "release.zip")])
    assert said.exit_code == 2
    assert "or a zip of it" in said.output
    assert SECRET not in said.output


def _named(name: str, *, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


@pytest.mark.parametrize(("entry", "why"), [
    (_named("../out.txt"), "leads out"),
    (_named("release/../../out.txt"), "leads out"),
    (_named("/etc/out.txt"), "leads out"),
    (_named("C:/out.txt"), "leads out"),
    (_named("link", mode=stat.S_IFLNK | 0o777), "no plain file"),
    (_named("pipe", mode=stat.S_IFIFO | 0o600), "no plain file"),
])  # fmt: skip
def test_what_no_bundle_holds_is_refused(tmp_path: Path, entry: zipfile.ZipInfo, why: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(entry, SECRET)
    with pytest.raises(BundleError, match=why) as refused:
        packed.read_zip(tmp_path / "bad.zip")
    assert SECRET not in str(refused.value)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a.txt", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", "two")
    with pytest.raises(BundleError, match="twice"):
        packed.read_zip(tmp_path / "twice.zip")


def _rewritten(path: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def test_a_locked_file_is_refused(tmp_path: Path) -> None:
    def lock(data: bytearray) -> None:
        data[data.index(b"PK\x01\x02") + 8] |= 1  # flags in the directory

    with zipfile.ZipFile(tmp_path / "locked.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    with pytest.raises(BundleError, match="password"):
        packed.read_zip(_rewritten(tmp_path / "locked.zip", lock))


def _before(data: bytes) -> bytes:
    return f"{SECRET},Female,17\n".encode() + data


def _after(data: bytes) -> bytes:
    return data + f"{SECRET},Female,17\n".encode()


def _another_zip_before(data: bytes) -> bytes:
    """A program that reads from the beginning finds this manifest, and one that reads the directory another."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("manifest.json", SECRET)
    return out.getvalue() + data


def _with(change: Callable[[zipfile.ZipFile], object]) -> Callable[[bytes], bytes]:
    def appended(data: bytes) -> bytes:
        out = io.BytesIO(data)
        with zipfile.ZipFile(out, "a") as archive:
            change(archive)
        return out.getvalue()

    return appended


def _remark(archive: zipfile.ZipFile) -> None:
    archive.comment = SECRET.encode()


def _remark_on_a_file(archive: zipfile.ZipFile) -> None:
    archive.infolist()[0].comment = SECRET.encode()
    archive._didModify = True  # type: ignore[attr-defined]


def _gap(data: bytes) -> bytes:
    """Bytes between the files and the directory, of which the end of the zip knows."""
    end = data.rindex(b"PK\x05\x06")
    start = int.from_bytes(data[end + 16 : end + 20], "little")
    moved = data[end : end + 16] + (start + len(SECRET)).to_bytes(4, "little") + data[end + 20 :]
    return data[:start] + SECRET.encode() + data[start:end] + moved


def _another_size_in_front(data: bytes) -> bytes:
    return data[:22] + (1).to_bytes(4, "little") + data[26:]


def _another_name_in_front(data: bytes) -> bytes:
    return data[:30] + bytes([data[30] ^ 1]) + data[31:]


@pytest.mark.parametrize("hide", [
    _before, _after, _another_zip_before, _gap, _another_size_in_front, _another_name_in_front,
    _with(_remark), _with(_remark_on_a_file), _with(lambda archive: archive.writestr("release/", SECRET)),
])  # fmt: skip
def test_a_zip_that_holds_more_than_its_files_is_refused(
    folder: Path, tmp_path: Path, hide: Callable[[bytes], bytes]
) -> None:
    whole = pack(folder, tmp_path / "release.zip", below="release/").read_bytes()
    (tmp_path / "more.zip").write_bytes(hide(whole))
    verdict = verify_bundle(tmp_path / "more.zip")
    assert not verdict.ok
    assert "belong to no file" in str(verdict)
    assert SECRET not in str(verdict)


def test_bytes_after_the_end_of_a_packed_file_are_found(tmp_path: Path) -> None:
    """A program that unpacks stops at the end of the data and never sees them."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed_text = raw.compress(b"text" * 50) + raw.flush()
    for rest, found in ((b"", False), (SECRET.encode(), True)):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("a.txt", packed_text + rest)  # stored, and then told to be packed
        data = bytearray((tmp_path / "a.zip").read_bytes())
        for at in (8, data.index(b"PK\x01\x02") + 10):
            data[at : at + 2] = (8).to_bytes(2, "little")
        for at in (14, data.index(b"PK\x01\x02") + 16):
            data[at : at + 4] = zlib.crc32(b"text" * 50).to_bytes(4, "little")
        for at in (22, data.index(b"PK\x01\x02") + 24):
            data[at : at + 4] = (200).to_bytes(4, "little")
        (tmp_path / "a.zip").write_bytes(data)
        if found:
            with pytest.raises(BundleError, match="belong to no file"):
                packed.read_zip(tmp_path / "a.zip")
        else:
            assert packed.read_zip(tmp_path / "a.zip") == {"a.txt": b"text" * 50}


def test_a_zip_that_was_written_without_going_back_is_read(folder: Path, tmp_path: Path) -> None:
    """Sizes then stand after each file; folders have entries of their own."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    out = Stream()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
    (tmp_path / "stream.zip").write_bytes(out.data)
    assert read_files(tmp_path / "stream.zip") == read_files(folder)


@pytest.mark.parametrize("shift", [1, -1])
def test_a_file_that_announces_another_size_is_damaged(tmp_path: Path, shift: int) -> None:
    """An announced size is what limits a zip that unpacks to more than a memory holds."""

    def announce(data: bytearray) -> None:
        at = data.index(b"PK\x01\x02") + 24
        data[at : at + 4] = (1000 + shift).to_bytes(4, "little")

    with zipfile.ZipFile(tmp_path / "size.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "x" * 1000)
    with pytest.raises(BundleError, match="damaged"):
        packed.read_zip(_rewritten(tmp_path / "size.zip", announce))


def test_more_than_a_release_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abc":
            archive.writestr(name, "x" * 1000)
    monkeypatch.setattr(packed, "MOST_FILES", 2)
    with pytest.raises(BundleError, match="more than a bundle"):
        packed.read_zip(tmp_path / "many.zip")
    monkeypatch.setattr(packed, "MOST_FILES", 3)
    assert len(packed.read_zip(tmp_path / "many.zip")) == 3
    monkeypatch.setattr(packed, "MOST_BYTES", 2999)
    with pytest.raises(BundleError, match="more than a bundle"):
        packed.read_zip(tmp_path / "many.zip")


def test_bytes_changed_at_random_never_raise_anything_else(folder: Path, tmp_path: Path) -> None:
    rng = random.Random(20261124)
    whole = pack(folder, tmp_path / "release.zip").read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "x.zip").write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        verify_bundle(tmp_path / "x.zip")
