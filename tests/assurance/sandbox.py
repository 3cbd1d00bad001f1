"""Runs one command in a process of its own, in a folder of its own, and keeps every byte that it leaves.

Processes are forked from one that has the libraries loaded, where the system can fork, so that a command takes a
fraction of a second. What a command may print or write is caught below Python: warnings of libraries and dying words
of the interpreter too.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_CONTEXT: Any = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    _CONTEXT.set_forkserver_preload(["tests.assurance.warm"])

Hook = Callable[[], None]
"""Called in the process of the command before it begins; must be picklable."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended. code is negative when a signal ended it."""

    args: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes

    @property
    def said(self) -> str:
        """Both streams as text, for messages of failing tests."""
        return f"{self.args} -> {self.code}\n{self.stdout.decode()}\n{self.stderr.decode()}"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A folder to work in, beside a home and a folder for temporary files that nothing else uses."""

    root: Path
    inputs: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.work, self.home, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def work(self) -> Path:
        """Where commands run."""
        return self.root / "work"

    @property
    def home(self) -> Path:
        """HOME of commands."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """TMPDIR of commands."""
        return self.root / "tmp"

    def put(self, name: str, data: bytes | str) -> Path:
        """Writes an input, which no command may change."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.inputs[name] = data if isinstance(data, bytes) else data.encode()
        path.write_bytes(self.inputs[name])
        return path

    def take_in(self) -> None:
        """Counts every file that lies in the working folder now as an input."""
        for path in self.work.rglob("*"):
            if path.is_file():
                self.inputs[path.relative_to(self.work).as_posix()] = path.read_bytes()

    def run(self, *args: str, hook: Hook | None = None) -> Ended:
        """Runs `caseveil` with these arguments to its end."""
        process = self.start(*args, hook=hook)
        process.join(300)
        return self.ended(process, *args)

    def start(self, *args: str, hook: Hook | None = None) -> Any:
        """Starts `caseveil` with these arguments; a process of multiprocessing."""
        process = _CONTEXT.Process(target=_child, args=(self, args, hook))
        process.start()
        return process

    def ended(self, process: Any, *args: str) -> Ended:
        """How a started process ended. Raises TimeoutError when it has not."""
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{args} did not end")
        code: int = process.exitcode
        process.close()
        # A process that was killed while it started has no streams yet.
        streams = [path.read_bytes() if (path := self.root / name).exists() else b"" for name in ("out", "err")]
        return Ended(args=args, code=code, stdout=streams[0], stderr=streams[1])

    def produced(self) -> dict[str, bytes]:
        """Every file and folder that is there and is no input, by its path from the root; a folder has no bytes."""
        found: dict[str, bytes] = {}
        for top in (self.work, self.home, self.temporary):
            for path in top.rglob("*"):
                name = path.relative_to(self.root).as_posix()
                if name.removeprefix("work/") not in self.inputs:
                    found[name] = path.read_bytes() if path.is_file() else b""
        return found

    def inputs_changed(self) -> list[str]:
        """Inputs that are not as they were put."""
        paths = {name: self.work / name for name in self.inputs}
        return [name for name, path in paths.items() if not path.is_file() or path.read_bytes() != self.inputs[name]]


def _child(sandbox: Sandbox, args: Sequence[str], hook: Hook | None) -> None:
    for name, descriptor in (("out", 1), ("err", 2)):
        opened = os.open(sandbox.root / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ |= {"HOME": str(sandbox.home), "TMPDIR": str(sandbox.temporary), "BROWSER": "true"}
    tempfile.tempdir = None
    os.chdir(sandbox.work)
    from caseveil.cli import main

    if hook is not None:
        hook()
    main(list(args))
