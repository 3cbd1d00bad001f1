"""Every request of the application on planted secrets: what each answers, says on the way and leaves on the disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caseveil.web.service import Session
from tests.assurance import planted

SHOWS_ROWS = {"open", "column", "prepare", "risk"}
"""Requests whose answer shows cells to the person who opened the file, as a spreadsheet would: rows, values of a
column, and rare ones."""

ORDER = (
    "hello", "example", "runs", "open", "from_toml", "column", "prepare", "risk", "forecast", "check", "to_toml",
    "ledger_open", "ledger_view", "rehearse", "release", "ledger_file", "compare", "explorer", "bundle", "report",
    "close",
)  # fmt: skip
"""All requests, in an order in which each finds what it needs."""


@dataclass
class Disk:
    """What lies in a folder for temporary files, and what was taken away from there while somebody watched."""

    folder: Path
    gone: dict[str, bytes] = field(default_factory=dict)
    _on: bool = False

    def __post_init__(self) -> None:
        sys.addaudithook(self._see)  # which stays for good, and looks away

    def _see(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._on or event not in ("os.remove", "os.rename", "os.truncate"):
            return
        self._on = False
        try:
            path = Path(os.fsdecode(args[0])) if not isinstance(args[0], int) else None
            for one in [path] if path is not None and path.is_absolute() else self.folder.rglob("*"):
                if one.is_file() and one.is_relative_to(self.folder):
                    self.gone[f"removed {one.name} {len(self.gone)}"] = one.read_bytes()
        finally:
            self._on = True

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While files are taken away, they are kept here."""
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def all(self) -> dict[str, bytes]:
        """Every file that is or was there."""
        there = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*")}
        return {**self.gone, **{name: path.read_bytes() if path.is_file() else b"" for name, path in there.items()}}


@dataclass
class Asked:
    """One session, asked; all that it said besides the rows that it must show, by what said it."""

    disk: Disk
    said: dict[str, bytes] = field(default_factory=dict)
    charged: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(charged=self._charge)

    def _charge(self, name: str, data: bytes) -> None:
        self.charged.append(data)
        self.said[f"ledger {name} {len(self.charged)}"] = data

    def ask(self, name: str, **fields: Any) -> dict[str, Any]:
        """An answer, or an error, searched later unless it must show rows."""
        told: list[Mapping[str, object]] = []
        with self.disk.watched():
            answer = self.session.answer(name, fields, progress=told.append)
        self.said[f"progress of {name} {len(self.said)}"] = repr(told).encode()
        if name not in SHOWS_ROWS or "error" in answer:
            for key, data in _parts(answer):
                self.said[f"{name} {len(self.said)} {key}"] = data
        return answer

    def traces(self) -> dict[str, list[str]]:
        """Where traces of the secrets are, in what was said and in what is or was on the disk."""
        return planted.leaks({**self.said, **self.disk.all()})


def _parts(value: object, key: str = "") -> Iterator[tuple[str, bytes]]:
    if isinstance(value, bytes):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _parts(inner, f"{key}.{name}")
    else:
        yield key, (value if isinstance(value, str) else repr(value)).encode()


def files(*, of: Callable[[planted.Columns], bytes] = planted.as_csv, end: str = "csv") -> list[dict[str, Any]]:
    """Both planted tables as a page sends them."""
    tables = {"victims": planted.victims(), "perpetrators": planted.perpetrators()}
    return [{"name": f"{name}.{end}", "bytes": of(columns)} for name, columns in tables.items()]


def opened(asked: Asked) -> dict[str, Any]:
    """The draft of the planted plan, its files open."""
    answer = asked.ask("open", files=files())
    assert "error" not in answer, answer
    draft: dict[str, Any] = asked.ask("from_toml", toml=planted.LINKED)["draft"]
    return draft


def journey(asked: Asked) -> None:
    """Every request once. Raises AssertionError for an answer that is an error."""
    draft: dict[str, Any] = {}
    run = ""
    for name in ORDER:
        given: dict[str, Any] = {
            "draft": draft, "toml": planted.LINKED, "files": files(), "file": None, "linked": True, "table": "victims",
            "column": "sector", "epsilons": [1.0], "k": 5, "length": 2, "label": "one", "run": run, "runs": [run],
            "attacks": True,
        }  # fmt: skip
        answer = asked.ask(name, **given)
        assert "error" not in answer, (name, answer)
        if name == "from_toml":
            draft = answer["draft"]
        elif name == "release":
            run = answer["id"]
