"""One release of release.toml in the current folder, timed by stage: the same file runs natively and in Pyodide."""

import json
import time
from pathlib import Path

from caseveil import produce
from caseveil.plan import Plan


def timed() -> dict[str, object]:
    """Seconds in all and by stage."""
    marks: list[tuple[str, float]] = []

    def progress(stage: str, _share: float | None) -> None:
        if not marks or marks[-1][0] != stage:
            marks.append((stage, time.perf_counter()))

    began = time.perf_counter()
    produce.run(Plan.read(Path("release.toml")), out=Path("bundle"), progress=progress)
    ended = time.perf_counter()
    ends = [at for _, at in marks[1:]] + [ended]
    stages = {stage: round(end - at, 2) for (stage, at), end in zip(marks, ends, strict=True)}
    return {"seconds": round(ended - began, 2), "stages": stages}


result = json.dumps(timed())
print(result)
result  # noqa: B018  (Pyodide hands back the last expression)
