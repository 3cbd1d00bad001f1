"""One process at a time, by a lock on a file that the operating system drops when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caseveil.errors import LedgerError


def _try_lock(descriptor: int) -> bool:
    """Take the lock without waiting; False when somebody else holds it. True where locks do not exist (browser)."""
    if sys.platform == "emscripten":
        return True
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _locked(descriptor: int, path: Path) -> bool:
    try:
        return _try_lock(descriptor)
    except OSError as error:
        raise LedgerError(
            f"the ledger's folder must be on a disk that can lock files, but {path.name} could not be locked "
            f"({error.strerror}); nothing was charged"
        ) from None


@contextmanager
def exclusive(path: Path, *, patience: float) -> Iterator[None]:
    """Hold the lock on `path` (made if need be, and left behind); wait for it at most `patience` seconds.

    Raises LedgerError when another holder keeps it for longer, or when the file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LedgerError(
            f"the ledger's folder must be writable, but {path.name} could not be opened ({error.strerror}); "
            f"nothing was charged"
        ) from None
    try:
        end = time.monotonic() + patience
        while not _locked(descriptor, path):
            if time.monotonic() >= end:
                raise LedgerError(
                    "the ledger is in use by another release; wait until it is done and try again. Nothing was charged."
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # gives the lock back
