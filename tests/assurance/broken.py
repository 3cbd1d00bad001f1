"""Breaks one function of Caseveil, in the process of a command, with an error that quotes a cell."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, NoReturn

from tests.assurance import planted

PLACES = (
    "caseveil.intake.read",
    "caseveil.produce.link_rows",
    "caseveil.measurement.curator.linked_value_counts",
    "caseveil.measurement.curator.link_views",
    "caseveil.measurement.curator.count_many",
    "caseveil.produce_links.fit_linked",
    "caseveil.produce_links.publish_links",
    "caseveil.release.bundle.render",
)
"""Functions that see cells or what is made of them, in the order in which a release of linked tables calls them."""


@dataclass(frozen=True)
class Break:
    """A hook of a sandbox: makes the function at a dotted path fail and quote a cell in every way an error can."""

    place: str

    def __call__(self) -> None:
        """Breaks it."""
        module, _, name = self.place.rpartition(".")

        def fail(*_: Any, **__: Any) -> NoReturn:
            cells = planted.SECRET_CELLS
            try:
                raise KeyError(cells[1])
            except KeyError as inner:
                error = ValueError(f"could not convert {cells[2]!r}")
                error.add_note(cells[3])
                raise error from inner

        setattr(importlib.import_module(module), name, fail)
