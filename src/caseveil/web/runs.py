"""Runs of a session: made from the rows or from an invented twin, shown, compared, and written as one file."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caseveil.errors import PlanError
from caseveil.evaluation.report import Evaluation
from caseveil.intake import prepare_rows
from caseveil.plan import Plan
from caseveil.produce import prepared
from caseveil.records.linkage import LinkedRows, link_rows
from caseveil.records.prepare import Rows
from caseveil.records.raw import RawTable
from caseveil.release.bundle import BundleContents

_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in a zip, so that equal contents give equal bytes."""

Progress = Callable[[str, float], None]


@dataclass(kw_only=True, repr=False)
class Run:
    """One finished run. raws: the files it was made from, or twin: the invented rows. evaluation: once it was asked
    for; private where it is about the rows."""

    id: str
    label: str
    plan: Plan
    contents: BundleContents
    seconds: float
    raws: Sequence[RawTable] = ()
    twin: Rows | LinkedRows | None = None
    evaluation: Evaluation | None = field(default=None)

    def view(self) -> dict[str, Any]:
        """The contract's Run: protected numbers only."""
        statement = self.contents.statement
        rehearsed = self.twin is not None
        said = (
            "A rehearsal on invented people. They were made from the plan alone: values as it declares them, shares "
            "and ties between columns of our own invention, a public guess of how many. Nothing was read from your "
            "rows, nothing was charged, and nothing of it is to be published."
        )
        published = sum(len(part.counts.combination) for part in self.contents.tables.values())
        if self.contents.links is not None:
            published += len(self.contents.links.counts.combination)
        return {
            "id": self.id,
            "label": self.label,
            "of": "twin" if rehearsed else "rows",
            "epsilon": statement.epsilon,
            "delta": statement.delta,
            "length": statement.length,
            "seconds": round(self.seconds, 1),
            "sentence": said if rehearsed else str(statement),
            "people": statement.records,
            "published": published,
            "quality": _quality(self.contents),
        }

    def evaluate(self, progress: Progress, *, attacks: bool = False) -> Evaluation:
        """The run against the rows it was made from. Charges nothing; what it says is private."""
        from caseveil import evaluate

        if self.evaluation is not None and (self.evaluation.attacks is not None or not attacks):
            return self.evaluation
        progress("checking", 0.0)
        plan, contents = self.plan, self.contents
        if self.twin is not None:
            rows, joined = self.twin, None
        else:
            raws = prepare_rows(plan, list(self.raws)).raw
            if len(plan.tables) == 1:
                rows, joined = prepared(plan, list(raws)), None
            else:
                people, linked = plan.tables
                assert linked.link is not None
                rows, _, joined = link_rows(
                    raws[0], people.table, raws[1], linked.table, linked.link, strict=plan.unit.either
                )
        if isinstance(rows, LinkedRows):
            found = evaluate.compare_linked(contents, rows, joined or _joined(rows), progress)
            if attacks:
                found = evaluate.attacked_linked(contents, rows, None, plan.unit.either, found, progress)
        else:
            found = evaluate.compare(contents, rows, progress)
            if attacks:
                found = evaluate.attacked(contents, rows, None, found, progress)
        self.evaluation = found
        return found

    def comparison(self, progress: Progress) -> list[dict[str, Any]]:
        """The contract's rows of a Comparison."""
        out = []
        for table in self.evaluate(progress).tables:
            counts = {found.length: found for found in table.counts}
            for found in table.lengths:
                if found.length in counts:
                    out.append(
                        {
                            "run": self.id,
                            "table": table.table,
                            "length": found.length,
                            "counts_error": counts[found.length].mean_error,
                            "records_error": found.mean_error,
                            "made_up": found.made_up,
                            "lost": found.lost,
                        }
                    )
        return out

    def explorer(self) -> str:
        """The explorer's page."""
        from caseveil.release import explorer, explorer_data

        return explorer.render(explorer_data.payload(self.contents)).decode("utf-8")

    @property
    def name(self) -> str:
        """Of the folder in the bundle's zip."""
        return f"{self.contents.about.name}-{self.contents.about.version}"

    def bundle(self) -> dict[str, Any]:
        """The bundle as one zip; unpacked, it is what `caseveil release` writes. Raises PlanError for a rehearsal."""
        from caseveil.release.bundle import render

        if self.twin is not None:
            raise PlanError("a rehearsal must not be published: its people are invented. Make the release first")
        return {"name": f"{self.name}.zip", "bytes": zipped(render(self.contents), self.name)}

    def report(self, folder: Path, progress: Progress, *, attacks: bool) -> dict[str, Any]:
        """The private report as one zip. folder: private, and ours; nothing stays in it. Figures are drawn where
        matplotlib is."""
        from caseveil import evaluate
        from caseveil.evaluate_page import private_page
        from caseveil.evaluation import figures, report

        evaluation = self.evaluate(progress, attacks=attacks)
        progress("writing", 0.0)
        files: dict[str, bytes] = {}
        drawn: list[tuple[str, str]] = []
        if importlib.util.find_spec("matplotlib") is not None:
            place = folder / "figures"
            place.mkdir(mode=0o700)
            try:
                drawn = figures.save_figures(evaluation, place)
                files = {path.name: path.read_bytes() for path in sorted(place.iterdir())}
            finally:
                for path in place.iterdir():
                    path.unlink()
                place.rmdir()
        files[evaluate.PAGE] = report.page(evaluation, drawn).encode("utf-8")
        files[evaluate.NUMBERS] = report.as_json(evaluation).encode("utf-8")
        files[evaluate.EXPLORED] = private_page(self.contents, evaluation)
        name = f"PRIVATE-{self.name}-report"
        return {"name": f"{name}.zip", "bytes": zipped(files, name)}


def _joined(rows: LinkedRows) -> Any:
    """What joining met where it met nothing."""
    from caseveil.records.linkage import LinkReport

    numbers = rows.numbers
    return LinkReport(
        victims=len(numbers), links=len(rows.victim_of), without=int((numbers == 0).sum()), above=0, dropped=0
    )


def _quality(contents: BundleContents) -> list[dict[str, Any]]:
    """How far the records lie from the noisy measurements, in deviations of the noise; the truth itself would lie
    one away."""
    main = next(iter(contents.tables))
    lengths: Any = contents.fidelity.get("lengths", {})
    out = [
        {"table": main, "length": int(length), "error": found["rms_sigma"], "expected": 1.0}
        for length, found in lengths.items()
    ]
    links: Any = contents.fidelity.get("links")
    across = links.get("across") if links else None
    if contents.links is not None and across:
        name = f"{main} and {contents.links.table}"
        out.append({"table": name, "length": 2, "error": across["rms_sigma"], "expected": 1.0})
    return out


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """A zip of a folder of files. Equal files give equal bytes, as far as zlib does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for path in sorted(files):
            info = zipfile.ZipInfo(f"{folder}/{path}", _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            made.writestr(info, files[path])
    return out.getvalue()
