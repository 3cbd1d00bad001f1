"""What the application asks, answered: web/app/src/contract.ts is the list, and a test holds the names to it.

The same functions as behind the commands do the work. A `Session` runs in a worker of the browser or behind
`caseveil app --native`; answers are plain values (dict, list, str, int, float, None, bytes). Files, ledger and runs
stay in the session, in memory and in a private folder that goes with it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from caseveil.errors import Cancelled, CaseveilError, InsufficientBudget, PlanError, RowsError
from caseveil.plan import Plan
from caseveil.records.raw import RawTable
from caseveil.records.recipe import preview
from caseveil.records.recipe_words import describe
from caseveil.records.said import say
from caseveil.web import columns, opening, progress, remarks
from caseveil.web.draft import from_plan, table_of, to_plan
from caseveil.web.fields import Given
from caseveil.web.forecast_view import PEOPLE
from caseveil.web.ledger_view import Books, Charged
from caseveil.web.opening import Source, remark
from caseveil.web.progress import Tell, Work
from caseveil.web.sources import Sources, matched

Answer = dict[str, Any]

NATIVE = "Run  caseveil app --native  on this computer: the same pages, with room for more."


class Session:
    """One person's work. `answer` is all there is to call; one call at a time.

    charged: told the name and the bytes of the ledger right after every charge, before any noise is drawn, so that the
    ledger can be kept outside though the session may end at any moment.
    """

    def __init__(self, *, charged: Charged | None = None) -> None:
        self._charged = charged
        self._folder: Path | None = None
        self._begin()

    def _begin(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="caseveil-app-")).resolve()
        os.chmod(self._folder, 0o700)
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)  # also where nobody calls `end`
        self._sources = Sources()
        self._runs: dict[str, Any] = {}
        self._books = Books(self._folder / "ledger.caseveil", self._charged)

    @property
    def folder(self) -> Path:
        """The private folder of the session."""
        assert self._folder is not None
        return self._folder

    def end(self) -> None:
        """Forgets everything, and removes the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
        self._sources, self._runs = Sources(), {}

    def answer(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        progress: Tell | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """The answer to a request, or {"error": {"message", "kind"}}. Never raises an Exception.

        progress is told {"stage", "fraction", "seconds_left"}; cancelled is asked at every stage and often within.
        """
        work = Work(tell=progress or (lambda now: None), cancelled=cancelled or (lambda: False))
        try:
            if name not in REQUESTS:
                raise PlanError("the page asks what this version does not know: reload the page")
            if self._folder is None:
                self._begin()
            return REQUESTS[name](self, Given.of("request", fields), work)
        except Exception as error:
            return {"error": self._failure(error)}

    def _failure(self, error: Exception) -> dict[str, str]:
        """What went wrong, without a path and without what an unforeseen error might quote."""
        if isinstance(error, opening.TooLarge):
            return {"message": str(error), "kind": "memory"}
        if isinstance(error, MemoryError):
            return {"message": f"The memory is too small for this. {NATIVE}", "kind": "memory"}
        if isinstance(error, CaseveilError):
            text = str(error)
            if self._folder is not None:
                text = text.replace(f"{self._folder}{os.sep}", "").replace(str(self._folder), "the working folder")
            kind = "budget" if isinstance(error, InsufficientBudget) else "input"
            return {"message": text, "kind": "cancelled" if isinstance(error, Cancelled) else kind}
        frames = traceback.extract_tb(error.__traceback__)
        last = [frame for frame in frames if "caseveil" in frame.filename][-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        return {
            "message": f"The engine met a fault of its own ({type(error).__name__} in {where}). Nothing was published; "
            f"what was charged stays charged, and the ledger says what. Please report this sentence.",
            "kind": "fault",
        }

    def _plan(self, given: Given) -> Plan:
        return to_plan(given.data.get("draft"), self.folder)

    def _run(self, name: str) -> Any:
        if name not in self._runs:
            raise PlanError("this run is not there any more; make it again")
        return self._runs[name]

    # -- requests

    def _hello(self, given: Given, work: Work) -> Answer:
        engine = "browser" if sys.platform == "emscripten" else "native"
        return {"version": metadata.version("caseveil"), "engine": engine, "rows_limit": opening.rows_limit()}

    def _open(self, given: Given, work: Work) -> Answer:
        files = []
        for part in given.parts("files"):
            data = part.data.get("bytes")
            if not isinstance(data, bytes | bytearray | memoryview):
                raise PlanError("files must hold bytes")
            files.append((part.text("name"), bytes(data)))
        work.plain("Reading the data")
        sources, said = opening.read_files(files)
        work.plain("Looking at the columns")
        sources, draft, more = opening.drafted(sources, self.folder)
        return self._opened(sources, draft, [*said, *more])

    def _example(self, given: Given, work: Work) -> Answer:
        work.plain("Inventing people")
        sources, draft = opening.example(given.flag("linked"))
        said = remark("note", say("example"))
        return self._opened(sources, draft, [said])

    def _opened(self, sources: list[Source], draft: dict[str, Any], said: list[dict[str, Any]]) -> Answer:
        self._sources = Sources(sources)
        return {"tables": opening.tables_of(sources, draft), "draft": draft, "remarks": said}

    def _column(self, given: Given, work: Work) -> Answer:
        table = table_of(given.data.get("draft"), given.text("table"))
        name = given.text("column")
        part = next((one for one in table.parts("columns") if one.text("name") == name), None)
        if part is None:
            raise PlanError("column must be one of the draft")
        return columns.view(part, self._sources.raw_of(table).columns, table.text("name"))

    def _prepare(self, given: Given, work: Work) -> Answer:
        plan = remarks.lenient(self._plan(given))
        name = given.text("table")
        at = next((i for i, part in enumerate(plan.tables) if part.table.name == name), None)
        if at is None:
            raise PlanError("table must be one of the draft")
        raws = self._sources.raws(plan)
        part, raw = plan.tables[at], raws[at]
        shown = preview(raw, part.table, part.recipe, rows=opening.PREVIEW)
        kept = _kept(plan, raws)[at]
        said = remarks.of_table(part, raw)
        if at:
            said += remarks.of_link(part, plan.tables[0].table, raws)
        return {
            "before": opening.grid(shown.before),
            "after": opening.grid(shown.after),
            "rows": raw.n,
            "kept": kept,
            "recipe": [
                {"table": name, "column": step.column, "sentence": step.sentence, "said": step.said.plain()}
                for step in describe(part.table, part.recipe)
            ],
            "remarks": said,
        }

    def _risk(self, given: Given, work: Work) -> Answer:
        from caseveil.intake import prepare_rows
        from caseveil.produce import prepared
        from caseveil.web import risk_view

        plan = remarks.lenient(self._plan(given))
        work.plain("Looking for rare combinations")
        rows = prepared(plan, prepare_rows(plan, self._sources.raws(plan)).raw)
        work.check()
        return risk_view.view(rows, k=given.whole("k"), length=given.whole("length"))

    def _forecast(self, given: Given, work: Work) -> Answer:
        from caseveil.web import forecast_view

        return forecast_view.view(self._plan(given), given.numbers("epsilons"), _people(given))

    def _check(self, given: Given, work: Work) -> Answer:
        return {"remarks": self._remarks(self._plan(given), work)}

    def _remarks(self, plan: Plan, work: Work) -> list[dict[str, Any]]:
        """Everything that is to be said before a release, and why it would be refused."""
        from caseveil.intake import prepare_rows
        from caseveil.produce import prepared

        raws = self._sources.raws(plan)
        work.plain("Checking the data against the plan")
        said: list[dict[str, Any]] = []
        try:
            looked = remarks.lenient(plan)
            for part, raw in zip(looked.tables, raws, strict=True):
                said += remarks.of_table(part, raw)
            if len(looked.tables) > 1:
                said += remarks.of_link(looked.tables[1], looked.tables[0].table, raws)
            work.check()
            prepared(plan, list(prepare_rows(plan, raws).raw))
        except RowsError as error:
            said += [remark("stop", line, *_placed(line, plan)) for line in str(error).split("\n")]
        refused = self._books.view(plan)["refused"]
        if refused:
            said.append(remark("stop", refused))
        order = ("stop", "private", "price", "note")
        return sorted(said, key=lambda one: order.index(one["level"]))

    def _to_toml(self, given: Given, work: Work) -> Answer:
        return {"toml": self._plan(given).to_toml()}

    def _from_toml(self, given: Given, work: Work) -> Answer:
        draft = from_plan(Plan.from_toml(given.text("toml"), self.folder))
        said = matched(draft, self._sources)
        return {"draft": draft, "remarks": said}

    def _ledger_open(self, given: Given, work: Work) -> Answer:
        file = given.maybe_part("file")
        if file is None:
            self._books.begin()
        else:
            data = file.data.get("bytes")
            if not isinstance(data, bytes | bytearray | memoryview):
                raise PlanError("file must hold bytes")
            self._books.take(opening.base_name(file.text("name")), bytes(data))
        return self._ledger_view(given, work)

    def _ledger_view(self, given: Given, work: Work) -> Answer:
        return self._books.view(self._plan(given), _people(given))

    def _ledger_file(self, given: Given, work: Work) -> Answer:
        return {"name": self._books.name, "bytes": self._books.data()}

    def _rehearse(self, given: Given, work: Work) -> Answer:
        from caseveil.privacy.ledger import Ledger
        from caseveil.produce import produce
        from caseveil.web import twin

        plan = self._plan(given)
        tell = work.stages(progress.RELEASE)
        tell("checking", 0.0)
        invented = twin.invent(plan, _people(given))
        began = time.monotonic()
        contents = produce(invented.plan, invented.rows, Ledger(), tell)
        return self._keep(given, invented.plan, contents, time.monotonic() - began, twin=invented.rows)

    def _release(self, given: Given, work: Work) -> Answer:
        from caseveil.intake import prepare_rows
        from caseveil.produce import counted, produce

        plan = self._plan(given)
        raws = self._sources.raws(plan)
        stops = [one for one in self._remarks(plan, work) if one["level"] == "stop"]
        if stops:
            from caseveil.produce_budget import require

            require(plan, self._books.open())  # a budget that is passed is told as such
            raise PlanError("\n".join(f"{one['column']}: {one['message']}".lstrip(": ") for one in stops))
        tell = work.stages(progress.RELEASE)
        tell("checking", 0.0)
        began = time.monotonic()
        rows, _ = counted(plan, list(prepare_rows(plan, raws).raw))
        contents = produce(plan, rows, self._books.open(), tell)
        return self._keep(given, plan, contents, time.monotonic() - began, raws=raws)

    def _keep(self, given: Given, plan: Plan, contents: Any, seconds: float, **of: Any) -> Answer:
        from caseveil.web.runs import Run

        name = secrets.token_hex(4)
        label = given.text("label", "").strip() or f"epsilon {plan.promise.epsilon:g}"
        self._runs[name] = Run(id=name, label=label[:80], plan=plan, contents=contents, seconds=seconds, **of)
        return self._view(self._runs[name])

    def _view(self, run: Any) -> Answer:
        answer: Answer = run.view()
        return answer

    def _list(self, given: Given, work: Work) -> Answer:
        return {"runs": [self._view(run) for run in self._runs.values()]}

    def _compare(self, given: Given, work: Work) -> Answer:
        rows: list[dict[str, Any]] = []
        for name in given.texts("runs"):
            rows += self._run(name).comparison(work.stages(progress.COMPARISON))
        return {"rows": rows}

    def _explorer(self, given: Given, work: Work) -> Answer:
        return {"html": self._run(given.text("run")).explorer()}

    def _bundle(self, given: Given, work: Work) -> Answer:
        answer: Answer = self._run(given.text("run")).bundle()
        return answer

    def _report(self, given: Given, work: Work) -> Answer:
        tell = work.stages(progress.REPORT)
        answer: Answer = self._run(given.text("run")).report(self.folder, tell, attacks=given.flag("attacks"))
        return answer

    def _close(self, given: Given, work: Work) -> Answer:
        self.end()
        return {}


REQUESTS: Mapping[str, Callable[[Session, Given, Work], Answer]] = {
    "hello": Session._hello,
    "open": Session._open,
    "example": Session._example,
    "column": Session._column,
    "prepare": Session._prepare,
    "risk": Session._risk,
    "forecast": Session._forecast,
    "check": Session._check,
    "to_toml": Session._to_toml,
    "from_toml": Session._from_toml,
    "ledger_open": Session._ledger_open,
    "ledger_view": Session._ledger_view,
    "ledger_file": Session._ledger_file,
    "rehearse": Session._rehearse,
    "release": Session._release,
    "runs": Session._list,
    "compare": Session._compare,
    "explorer": Session._explorer,
    "bundle": Session._bundle,
    "report": Session._report,
    "close": Session._close,
}
"""What can be asked, by the names of the contract."""


def _people(given: Given) -> int:
    """The public guess of how many people there are: that of the draft, or a round one."""
    promise = given.part("draft").part("promise")
    return PEOPLE if promise.data.get("people") is None else min(max(2, promise.whole("people")), 1_000_000)


def _kept(plan: Plan, raws: list[RawTable]) -> list[int]:
    """Rows of every table that stay."""
    from caseveil.intake import prepare_rows

    return [raw.n for raw in prepare_rows(plan, raws).raw]


def _placed(line: str, plan: Plan) -> tuple[str, str]:
    """Table and column that a line of an error begins with; '' where it names none."""
    table = plan.tables[0].table.name if len(plan.tables) == 1 else ""
    for part in plan.tables:
        if line.startswith(f"{part.table.name}: "):
            table, line = part.table.name, line.removeprefix(f"{part.table.name}: ")
    for part in plan.tables:
        for column in sorted(part.table.columns, key=lambda column: -len(column.name)):
            if line.startswith((f"column {column.name}:", f"column {column.name} ")):
                return table or part.table.name, column.name
    return table, ""
