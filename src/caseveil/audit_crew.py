"""Work of an audit, shared between processes until its time is up."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

Batch = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function that another process can find by its name, and its arguments."""

Tick = Callable[[float], None]


def usual_workers() -> int:
    """As many as there are processors for us, at most 4."""
    share = getattr(os, "sched_getaffinity", None)
    return max(1, min(4, len(share(0)) if share is not None else os.cpu_count() or 1))


@dataclass(kw_only=True)
class Crew:
    """workers processes; with 1 all is done in this one. prepare: called once in each other process before its work.

    Processes are started afresh and share no state with this one or with each other.
    """

    workers: int
    prepare: Callable[[], None] | None = None
    _pool: ProcessPoolExecutor | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        if self.workers > 1:
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=multiprocessing.get_context("spawn"), initializer=self.prepare
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def do(self, batches: Sequence[Batch], seconds: float, tick: Tick | None = None) -> list[Any]:
        """What each batch gave, in order, None for those for which time was too short; the first one is always done.

        An error of a batch is raised here, once no other batch runs.
        """
        end = time.monotonic() + seconds
        out: list[Any] = [None] * len(batches)
        say = tick or (lambda _: None)
        if self._pool is None:
            for at, (act, args) in enumerate(batches):
                if at and time.monotonic() > end:
                    break
                out[at] = act(*args)
                say((at + 1) / len(batches))
            return out
        waiting = list(enumerate(batches))[::-1]
        running: dict[Future[Any], int] = {}
        done = 0
        try:
            while running or waiting:
                # no more are handed out than are worked on, so that little is left to wait for when time is up
                while waiting and len(running) <= self.workers and (done + len(running) == 0 or time.monotonic() < end):
                    at, (act, args) = waiting.pop()
                    running[self._pool.submit(act, *args)] = at
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    out[running.pop(future)] = future.result()
                    done += 1
                    say(done / len(batches))
        finally:
            for future in running:
                future.cancel()
        return out
