"""How far a piece of work is, in words and as a share of the whole; and where it stops when it is asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from caseveil.errors import Cancelled

Tell = Callable[[Mapping[str, object]], None]
"""Takes {stage, fraction, seconds_left}, as web/app/src/contract.ts describes it."""

Stages = Mapping[str, tuple[str, float]]

RELEASE: Stages = {
    "reading": ("Reading the data", 2),
    "checking": ("Checking it against the plan", 3),
    "measuring": ("Counting and adding noise", 8),
    "fitting": ("Fitting the model", 42),
    "records": ("Making records", 30),
    "counts": ("Making counts", 15),
}
COMPARISON: Stages = {
    "checking": ("Checking the data against the plan", 5),
    "comparing": ("Comparing the release with the data", 95),
}
REPORT: Stages = {
    "checking": ("Checking the data against the plan", 5),
    "comparing": ("Comparing the release with the data", 45),
    "attacking": ("Attacking the release", 45),
    "writing": ("Writing the report", 5),
}
"""Words for each stage, and the share of the time that it takes, roughly."""

_EARLY = 0.03  # below this share a guess of the time that is left is worth nothing
_OFTEN = 0.1  # seconds between two reports of one stage


@dataclass(kw_only=True)
class Work:
    """One request while it runs. `tell` and `cancelled` come from whoever asked."""

    tell: Tell
    cancelled: Callable[[], bool]
    _began: float = field(default_factory=time.monotonic)
    _said: float = 0.0
    _stage: str = ""

    def check(self) -> None:
        """Raises Cancelled if the person asked to stop."""
        if self.cancelled():
            raise Cancelled("Stopped, as you asked. What was charged before stays charged; the ledger says what.")

    def plain(self, words: str) -> None:
        """Says what is going on, without a share."""
        self.check()
        self.tell({"stage": words, "fraction": None, "seconds_left": None})

    def stages(self, stages: Stages) -> Callable[[str, float], None]:
        """A progress function such as the engine takes, over the given stages. It raises Cancelled."""
        self._began = time.monotonic()
        whole = sum(share for _, share in stages.values())

        def progress(stage: str, fraction: float) -> None:
            self.check()
            if stage not in stages:
                return
            now = time.monotonic()
            if stage == self._stage and now - self._said < _OFTEN and fraction < 1.0:
                return
            self._said, self._stage = now, stage
            before = 0.0
            for name, (_, share) in stages.items():
                if name == stage:
                    break
                before += share
            words, share = stages[stage]
            done = (before + share * min(max(fraction, 0.0), 1.0)) / whole
            gone = now - self._began
            left = gone * (1.0 - done) / done if done > _EARLY and gone > 0.5 else None
            self.tell({"stage": words, "fraction": done, "seconds_left": left})

        return progress
