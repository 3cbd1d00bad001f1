"""What a release is called and who stands behind it. Public, chosen by the steward."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from caseveil.errors import PlanError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TABLE = re.compile(r"\w[\w.-]*")
# Names that Windows keeps for devices.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))})


@dataclass(frozen=True, kw_only=True)
class About:
    """Name, version, title, publisher and license of a release.

    name is lower-case letters, digits, '.', '_' and '-', as a Frictionless Data Package asks. publisher
    and license may be ''. Raises PlanError.
    """

    name: str
    version: str
    title: str = ""
    publisher: str = ""
    license: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PlanError(
                f"release.name ({self.name!r}) must be lower-case letters, digits, '.', '_' or '-', "
                f"for example 'case-records'"
            )
        if not self.version.strip():
            raise PlanError("release.version ('') must tell this release from the next one, for example '2026-11'")
        for field in ("version", "title", "publisher", "license"):
            if any(ord(letter) < 32 for letter in getattr(self, field)):
                raise PlanError(f"release.{field} must be one line of text")

    @property
    def heading(self) -> str:
        """The title, or the name where no title was given."""
        return self.title or self.name

    @property
    def citation(self) -> str:
        """How to cite the release, in one line."""
        publisher = f"{self.publisher}. " if self.publisher else ""
        return f"{publisher}{self.heading}, version {self.version}. Synthetic data with differential privacy."


def check_table_names(names: Iterable[str]) -> None:
    """Raise PlanError unless every table name can stand in a file name on every system, and all differ there."""
    seen: set[str] = set()
    for name in names:
        if not _TABLE.fullmatch(name) or name.endswith(".") or name.split(".")[0].casefold() in _DEVICES:
            raise PlanError(f"tables.{name!r} must be letters, digits, '_', '-' or '.': it becomes a file name")
        if name.casefold() in seen:
            raise PlanError(f"tables.{name} must differ from other tables by more than capitals: it names a file")
        seen.add(name.casefold())
