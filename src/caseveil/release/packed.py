"""A bundle that came as one zip, as the application saves it. Nothing is unpacked to disk.

A zip can be read in two ways: by the directory at its end, and from its beginning, file by file. Both must see the
same, and no byte may lie between the files or after them: it would be in what was sent, and no check would see it.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from caseveil.errors import BundleError

MOST_BYTES = 4 * 2**30
"""Of all files together: more than any release has, and less than would fill a memory unseen."""
MOST_FILES = 10_000


def read_zip(path: Path) -> dict[str, bytes]:
    """Every file of a zipped bundle, by its path with '/', without the one folder that holds them all.

    Raises:
        BundleError: it is no zip, is damaged, or holds what no bundle does: links, locked files, paths that lead out
            of it, a name twice, or far more than a release.
    """
    files: dict[str, bytes] = {}
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise BundleError(f"{path} holds more than a bundle can: unpack it and check the folder")
            end = 0
            for entry in entries:
                _allowed(entry)
                if entry.filename in files:
                    raise BundleError(f"{path} must hold every file once, and one is in it twice")
                data, end = _unpacked(stream, entry, end)
                if not entry.is_dir():
                    files[entry.filename] = data
                elif data:
                    raise _Hidden
            _close(stream, archive, end)
    except _Hidden:
        raise BundleError(
            f"{path} is damaged, holds bytes that belong to no file in it, or reads in two ways: this is not a bundle "
            f"as Caseveil saves it. Ask for another one, or unpack it and check the folder"
        ) from None
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, ValueError) as error:
        raise BundleError(f"{path} is no zip of a bundle, or is damaged: save it anew") from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read") from error
    return _without_folder(files)


class _Hidden(Exception):
    """A byte of the zip is in none of its files, or the zip says different things in different places."""


_LOCAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s4H2LH")
_WIDE = 0xFFFFFFFF  # stands for a size that is written elsewhere, in 64 bits


def _unpacked(stream: BinaryIO, entry: zipfile.ZipInfo, start: int) -> tuple[bytes, int]:
    """The file of an entry of the directory, which must begin at `start`, and where the next one begins."""
    stream.seek(start)
    mark, _, flags, method, _, _, crc, packed, whole, name, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
    sizes = (entry.CRC, entry.compress_size, entry.file_size)
    late = bool(flags & 0x8)  # sizes stand after the data, and not before
    if entry.header_offset != start or mark != b"PK\x03\x04":
        raise _Hidden
    if stream.read(name) != entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437"):
        raise _Hidden
    stream.read(extra)
    if (flags, method) != (entry.flag_bits, entry.compress_type) or entry.comment:
        raise _Hidden
    if not late and any(said not in (true, _WIDE) for said, true in zip((crc, packed, whole), sizes, strict=True)):
        raise _Hidden
    data = _content(stream.read(entry.compress_size), entry)
    end = start + _LOCAL.size + name + extra + entry.compress_size
    return data, end + (_descriptor(stream, sizes) if late else 0)


def _content(raw: bytes, entry: zipfile.ZipInfo) -> bytes:
    """Never more than was announced, whatever the data unpack to."""
    if entry.compress_type == zipfile.ZIP_STORED:
        data = raw
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        data = inflate.decompress(raw, entry.file_size + 1)
        if len(data) == entry.file_size and (not inflate.eof or inflate.unused_data):
            raise _Hidden
    else:
        raise zipfile.BadZipFile
    if len(raw) != entry.compress_size or len(data) != entry.file_size or zlib.crc32(data) != entry.CRC:
        raise zipfile.BadZipFile
    return data


def _descriptor(stream: BinaryIO, sizes: tuple[int, int, int]) -> int:
    """How long the sizes are that stand after a file: in 32 or in 64 bits, with a mark or without."""
    seen = stream.read(24)
    for layout in ("<LQQ", "<LLL"):
        for mark in (b"PK\x07\x08", b""):
            said = mark + struct.pack(layout, *(size & _WIDE if layout == "<LLL" else size for size in sizes))
            if seen.startswith(said):
                return len(said)
    raise _Hidden


def _close(stream: BinaryIO, archive: zipfile.ZipFile, end: int) -> None:
    """After the last file come the directory and its end, and nothing else."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END.size))
    mark, _, _, _, number, length, start, comment = _END.unpack(stream.read(_END.size))
    if mark != b"PK\x05\x06" or comment or number != len(archive.infolist()):
        raise _Hidden
    if not start == archive.start_dir == end or end + length + _END.size != size:
        raise _Hidden


def _allowed(entry: zipfile.ZipInfo) -> None:
    parts = PurePosixPath(entry.filename).parts
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.filename.startswith("/") or "\\" in entry.filename or ".." in parts or ":" in entry.filename:
        raise BundleError("a path in the zip leads out of it: this is not a bundle as Caseveil saves it")
    if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        raise BundleError("the zip holds something that is no plain file: this is not a bundle as Caseveil saves it")
    if entry.flag_bits & 0x1:
        raise BundleError("a file in the zip is locked with a password: a bundle is public, save it without")


def _without_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return files
    return {name.partition("/")[2]: data for name, data in files.items()}
