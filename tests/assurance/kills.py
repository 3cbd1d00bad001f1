"""Kills a release at a random point, as a power cut or the system would, and says what is left.

Two kinds of points. A moment: SIGKILL after a random part of the time that a release takes. An operation: SIGKILL right
before or right after one of the writes, syncs, renames and the like that a release makes, each equally likely, or after
a part of what a write had to write. The second kind hits the few microseconds that matter, which the first would miss.
"""

from __future__ import annotations

import functools
import io
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from caseveil.errors import LedgerError
from caseveil.privacy.ledger import Ledger
from caseveil.release.bundle import read_bundle
from caseveil.release.verify import verify_bundle
from tests.assurance.sandbox import Ended, Sandbox

LEDGER, BUNDLE = "ledger.caseveil", "cases-1"
_OPERATIONS = ("open", "write", "fsync", "close", "mkdir", "rmdir", "rename", "replace", "unlink", "ftruncate")
_DRAWS = ("rounded_gaussian", "rounded_gaussians")


def _now() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process outlives its killing")


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A hook of a sandbox. Notes on the side, in `journal`, every draw of noise, before it is drawn, and (at the end of
    a run that was not killed) how many operations there were.

    at: the operation at which to die, counted from 0; None lives. when: before it, after it, or (a write) within it.
    """

    journal: Path
    at: int | None = None
    when: str = "before"

    def __call__(self) -> None:
        """Begins to watch."""
        from caseveil.measurement import curator

        # Bound early: what notes must not be counted.
        real = {name: getattr(os, name) for name in _OPERATIONS}
        notes = real["open"](self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        count = 0

        def around(name: str, act: Callable[..., Any], *args: Any, **named: Any) -> Any:
            nonlocal count
            mine, count = count, count + 1
            real["write"](notes, b".")
            if mine != self.at:
                return act(*args, **named)
            if self.when == "before":
                _now()
            if self.when == "within" and name in ("write", "stream"):
                data = bytes(args[-1])
                args = (*args[:-1], data[: random.randrange(len(data) + 1)])
            act(*args, **named)
            _now()

        for name in _OPERATIONS:
            setattr(os, name, functools.partial(around, name, real[name]))
        whole = Path.open

        def opened(path: Path, mode: str = "r", *args: Any, **named: Any) -> Any:
            if "b" not in mode or not set(mode) & set("wxa"):
                return whole(path, mode, *args, **named)
            stream = around("open", whole, path, mode, buffering=0)
            return _Stream(stream, lambda data: around("stream", stream.write, data))

        Path.open = opened  # type: ignore[method-assign,assignment]
        for name in _DRAWS:
            draw = getattr(curator, name)

            def noted(*args: Any, draw: Callable[..., Any] = draw) -> Any:
                real["write"](notes, b"N")
                return draw(*args)

            setattr(curator, name, noted)


class _Stream:
    """A file of a bundle whose writes go through a function; everything else is that of the file."""

    def __init__(self, stream: io.FileIO, write: Callable[[bytes], int]) -> None:
        self._stream = stream
        self.write = write

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What a release does that nobody kills."""

    operations: int
    seconds: float
    charges_at_draw: tuple[int, ...]
    """For each draw of noise, in order, how many charges were on the disk when it began."""
    charges: int


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a killed release left, as far as the promise goes.

    faults: what should not be, in words; empty when all is well. killed: the process died by the signal (it may have
    ended before). torn: the ledger's last line was cut so short that its event cannot be read, so that the ledger
    refuses to go on until a person takes that line out.
    """

    killed: bool
    draws: int
    charges: int
    bundle: bool
    partial: bool
    torn: bool
    faults: tuple[str, ...]


def whole(sandbox: Sandbox) -> Whole:
    """Runs one release to its end. Raises RuntimeError when it does not get there."""
    journal = sandbox.root / "journal"
    clear(sandbox)
    args = ("release", "release.toml", "--quiet")
    ended = sandbox.run(*args, hook=CountCharges(journal=journal, ledger=sandbox.work / LEDGER))
    if ended.code != 0:
        raise RuntimeError(ended.said)
    noted = journal.read_text().split()
    times = []
    for _ in range(3):  # the run above may have started the process that others are forked from
        clear(sandbox)
        start = time.monotonic()
        sandbox.run(*args, hook=Watch(journal=journal))
        times.append(time.monotonic() - start)
    operations = journal.read_bytes().count(b".")
    charges = len(Ledger.open(sandbox.work / LEDGER).entries)
    clear(sandbox)
    return Whole(operations=operations, seconds=min(times), charges_at_draw=tuple(map(int, noted)), charges=charges)


@dataclass(frozen=True, kw_only=True)
class CountCharges:
    """A hook of a sandbox: notes, before each draw of noise, how many charges the ledger holds on disk."""

    journal: Path
    ledger: Path

    def __call__(self) -> None:
        """Begins to note."""
        from caseveil.measurement import curator

        for name in _DRAWS:
            draw = getattr(curator, name)

            def noted(*args: Any, draw: Callable[..., Any] = draw) -> Any:
                there = len(Ledger.open(self.ledger).entries)
                with open(self.journal, "a", encoding="ascii") as file:
                    file.write(f"{there}\n")
                return draw(*args)

            setattr(curator, name, noted)


def clear(sandbox: Sandbox) -> None:
    """Takes everything away but the inputs."""
    (sandbox.root / "journal").unlink(missing_ok=True)
    for folder in (sandbox.work, sandbox.temporary, sandbox.home):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in sandbox.inputs:
                path.unlink()


def kill_once(sandbox: Sandbox, known: Whole, dice: random.Random) -> Left:
    """One release, killed at a random point, and what it left. Then one more, which must work.

    The sandbox holds inputs alone, and does again afterwards.
    """
    journal = sandbox.root / "journal"
    args = ("release", "release.toml", "--quiet")
    if dice.random() < 0.3:
        process = sandbox.start(*args, hook=Watch(journal=journal))
        process.join(dice.random() * known.seconds)
        process.kill()
        process.join()
        ended = sandbox.ended(process, *args)
        return _left(sandbox, known, ended)
    when = dice.choice(("before", "after", "within"))
    return kill_at(sandbox, known, at=dice.randrange(known.operations), when=when)


def kill_at(sandbox: Sandbox, known: Whole, *, at: int, when: str) -> Left:
    """One release, killed at an operation, and what it left; as `kill_once`."""
    hook = Watch(journal=sandbox.root / "journal", at=at, when=when)
    return _left(sandbox, known, sandbox.run("release", "release.toml", "--quiet", hook=hook))


def _left(sandbox: Sandbox, known: Whole, ended: Ended) -> Left:
    journal = sandbox.root / "journal"
    left = inspect(sandbox, known, ended, journal.read_bytes().count(b"N") if journal.exists() else 0)
    clear(sandbox)
    return left


def inspect(sandbox: Sandbox, known: Whole, ended: Ended, draws: int) -> Left:
    """What lies in the sandbox after a release that ended so, and drew noise that many times. Makes one more."""
    faults: list[str] = []
    if ended.code not in (-signal.SIGKILL, 0):
        faults.append(f"the release ended with {ended.code}")
    if draws > len(known.charges_at_draw):
        faults.append(f"{draws} draws of noise where {len(known.charges_at_draw)} are known")
    needed = max((0, *known.charges_at_draw[:draws]))
    ledger, torn = sandbox.work / LEDGER, False
    charges = 0
    try:
        charges = len(Ledger.open(ledger).entries)
    except LedgerError as error:
        torn = True
        words = str(error)
        if "cut short" not in words:
            faults.append(f"the ledger is damaged: {words}")
        # What the message says to do.
        lines = ledger.read_bytes().split(b"\n")
        kept = b"\n".join(lines[:-1]) + b"\n"
        if len(lines) == 1:
            ledger.unlink()
        else:
            ledger.write_bytes(kept)
        charges = len(Ledger.open(ledger).entries)
    if charges < needed:
        faults.append(f"{charges} charges for {draws} draws of noise, which need {needed}")
    bundle = sandbox.work / BUNDLE
    there = bundle.exists()
    if there:
        verdict = verify_bundle(bundle)
        if not verdict.ok:
            faults.append(f"a bundle that does not hold: {verdict}")
        else:
            stated, spent = read_bundle(bundle).statement, Ledger.open(ledger).total()
            if spent.mu < stated.mu * (1 - 1e-9) or spent.delta < stated.discovery_delta * (1 - 1e-9):
                faults.append(f"the ledger says mu {spent.mu} for a bundle that says {stated.mu}")
        if charges < known.charges:
            faults.append(f"a bundle for {charges} charges of {known.charges}")
    partial = False
    for name in sandbox.produced():
        top = name.split("/")[1]
        partial = partial or top.startswith(f".{BUNDLE}.partial-")
        if not (top in (BUNDLE, LEDGER, f"{LEDGER}.lock") or top.startswith(f".{BUNDLE}.partial-")):
            faults.append(f"{name} is left")
    if sandbox.inputs_changed():
        faults.append("an input was changed")
    again = sandbox.run("release", "release.toml", "--quiet", "--out", "again")
    if again.code != 0 or not verify_bundle(sandbox.work / "again").ok:
        faults.append(f"a later release fails: {again.said}")
    elif len(Ledger.open(ledger).entries) != charges + known.charges:
        faults.append("a later release does not add to what was charged")
    return Left(
        killed=ended.code == -signal.SIGKILL, draws=draws, charges=charges, bundle=there, partial=partial, torn=torn,
        faults=tuple(faults),
    )  # fmt: skip
