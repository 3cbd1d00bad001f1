"""A bundle that came as one zip, as the application saves it. Nothing is unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

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
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise BundleError(f"{path} holds more than a bundle can: unpack it and check the folder")
            for entry in entries:
                _allowed(entry)
                if entry.filename in files:
                    raise BundleError(f"{path} must hold every file once, and one is in it twice")
                with archive.open(entry) as file:
                    # Never more than was announced, whatever the data unpack to.
                    files[entry.filename] = file.read(entry.file_size)
                    if len(files[entry.filename]) != entry.file_size or file.read(1):
                        raise BundleError(f"{path} is damaged: a file in it is not as large as it says")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise BundleError(f"{path} is no zip of a bundle, or is damaged: save it anew") from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read") from error
    return _without_folder(files)


def _allowed(entry: zipfile.ZipInfo) -> None:
    parts = PurePosixPath(entry.filename).parts
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.filename.startswith("/") or "\\" in entry.filename or ".." in parts or ":" in entry.filename:
        raise BundleError("a path in the zip leads out of it: this is not a bundle as Caseveil saves it")
    if kind not in (0, stat.S_IFREG):
        raise BundleError("the zip holds something that is no plain file: this is not a bundle as Caseveil saves it")
    if entry.flag_bits & 0x1:
        raise BundleError("a file in the zip is locked with a password: a bundle is public, save it without")


def _without_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return files
    return {name.partition("/")[2]: data for name, data in files.items()}
