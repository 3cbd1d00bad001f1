"""Writing that is on the disk when it is done, whatever the machine does next."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from caseveil.errors import LedgerError, OutputError


def append(path: Path, data: bytes, *, at: int) -> None:
    """Write data at the end of a file of `at` bytes, down to the disk; at 0 the file is made.

    When this returns, the data and the name of the file outlive a loss of power. Raises LedgerError when the file
    has another size, and OSError when it could not be written; the file is then as before.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        if os.fstat(descriptor).st_size != at:
            raise LedgerError("the ledger was changed by a program that takes no turns; nothing was charged")
        try:
            _write(descriptor, data)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, at)
                if not at:
                    path.unlink()
            raise
    finally:
        os.close(descriptor)
    # Each time and not only for a new file: whoever made it may have been stopped before its name was safe.
    _sync_folder(path.parent)


def create(path: Path, data: bytes) -> None:
    """Make a file that was not there: whole, or not at all. Raises OutputError."""
    aside = path.with_name(path.name + ".part")
    try:
        if path.exists():
            raise OutputError(f"the file ({path.name}) already exists and is left as it is; choose another name")
        with suppress(FileNotFoundError):
            aside.unlink()
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            _write(descriptor, data)
        finally:
            os.close(descriptor)
        os.rename(aside, path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise OutputError(
            f"the file ({path.name}) could not be written: {error.strerror or 'input/output error'}"
        ) from None


def _write(descriptor: int, data: bytes) -> None:
    """All of the data, and then down to the disk."""
    rest = data
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if sys.platform == "darwin":
        import fcntl

        # There, fsync leaves the data in the cache of the drive; not every file system knows the stronger call.
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make a file's name durable, where folders can be synced (not on Windows nor in a browser)."""
    if sys.platform in ("win32", "emscripten"):
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
