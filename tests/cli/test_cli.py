"""Every command through its front door, with the engine replaced by fakes that say what they were asked."""

from __future__ import annotations

import errno
import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from caseveil import cli
from caseveil.errors import Cancelled, InsufficientBudget, RowsError
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent, SelectionEvent
from caseveil.produce import CheckReport
from caseveil.records.identify import Identifying
from caseveil.records.prepare import IntakeReport
from caseveil.records.risk import RareCombination, RiskReport

SECRET = "Zanzibar-secret-cell"

PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 1.0
ledger = "ledger.caseveil"
[aggregates]
length = 2
[tables.victims]
source = "victims.csv"
key = "victim_id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
[tables.victims.columns.means]
kind = "multi"
"""


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def fake(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> None:
    module = types.ModuleType(name)
    for member, value in members.items():
        setattr(module, member, value)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "release.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been opened in a browser."""
    urls: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: urls.append(url) or True)
    return urls


class FakeStatement:
    def __str__(self) -> str:
        return "Each victim is protected."

    def to_json(self) -> dict[str, object]:
        return {"epsilon": 1.0}


@dataclass(frozen=True, kw_only=True)
class FakeProduced:
    out: Path
    statement: FakeStatement
    left_out: tuple[str, ...] = ()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Plan, Path | None]]:
    """The releases that were asked for; every one succeeds."""
    asked: list[tuple[Plan, Path | None]] = []

    def produce_run(plan: Plan, *, out: Path | None, progress: Callable[[str, float], None] | None) -> FakeProduced:
        asked.append((plan, out))
        if progress is not None:
            for stage in ("reading", "measuring", "writing"):
                progress(stage, 0.0)
                progress(stage, 1.0)
        return FakeProduced(out=plan.out if out is None else out, statement=FakeStatement())

    fake(monkeypatch, "caseveil.produce", run=produce_run)
    return asked


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def produce_run(plan: Plan, **rest: object) -> None:
        raise error

    fake(monkeypatch, "caseveil.produce", run=produce_run)


# release


def test_release_says_where_the_bundle_is(plan: Path, runs: list[Any], opened: list[str]) -> None:
    result = run("release", plan)
    assert result.exit_code == 0, result.output
    assert "Each victim is protected." in result.stdout
    assert str(plan.parent / "cases-1") in result.stdout
    assert str(plan.parent / "cases-1" / "explorer.html") in result.stdout
    assert runs == [(Plan.read(plan), None)]
    assert opened == []
    for words in ("Reading the data", "Counting and adding noise", "Writing the bundle"):
        assert words in result.stderr
        assert words not in result.stdout


def test_release_with_json_puts_one_document_on_stdout(plan: Path, runs: list[Any]) -> None:
    result = run("release", plan, "--out", plan.parent / "here", "--json")
    document = json.loads(result.stdout)
    assert document["out"] == str(plan.parent / "here")
    assert document["statement"] == {"epsilon": 1.0}
    assert document["seconds"] >= 0
    assert runs[0][1] == plan.parent / "here"
    assert "Reading the data" in result.stderr


def test_quiet_silences_progress(plan: Path, runs: list[Any]) -> None:
    assert runs == []
    assert run("release", plan, "--quiet").stderr == ""


def test_open_opens_the_explorer(plan: Path, runs: list[Any], opened: list[str]) -> None:
    run("release", plan, "--open")
    assert len(runs) == 1
    assert opened == [(plan.parent / "cases-1" / "explorer.html").as_uri()]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RowsError("column gender: 3 cells lie outside"), 2, "error: column gender: 3 cells lie outside"),
        (InsufficientBudget(requested=1, spent=3.5, remaining=0.5, delta=1e-6), 2, "Nothing was charged"),
        (KeyboardInterrupt(), 130, "stopped; nothing was published"),
        (Cancelled("by request"), 130, "stopped; nothing was published"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/deep/down/file.csv"), 2, "(file.csv): Permission denied"),
        (MemoryError(), 2, "not enough memory"),
        (KeyError(SECRET), 70, "a fault in Caseveil itself (KeyError in"),
        (UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), 70, "a fault in Caseveil itself"),
        (ValueError(f"invalid literal: {SECRET}"), 70, "a fault in Caseveil itself"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_every_failure_is_a_sentence(
    plan: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str, options: list[str]
) -> None:
    failing(monkeypatch, error)
    result = run("release", plan, *options)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    if options:
        assert json.loads(result.stdout)["error"]["message"] in result.stderr
    else:
        assert result.stdout == ""


# Bad command lines


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["release"], "Missing argument 'PLAN'"),
        (["relaese", "x"], "No such command 'relaese'"),
        (["release", "p.toml", "--otu", "x"], "No such option"),
        (["release", "nowhere.toml"], "plan (nowhere.toml) does not exist"),
        (["demo", "--victims", "many"], "'many' is not a valid integer"),
        (["demo", "--victims", "1"], "1 is not in the range"),
        (["verify", "nowhere"], "must be the folder of a release, or a zip of it, and it does not exist"),
        (["explore", "nowhere"], "BUNDLE (nowhere) must be the folder of a release"),
        (["ledger", "show", "nowhere"], "LEDGER (nowhere) must be the ledger file"),
        (["init", "a.csv", "b.csv", "c.csv"], "DATA (3 files) must be one file, or two of which one links"),
        (["init", "nowhere.csv"], "nowhere.csv"),
        (["init", "sqlite://user:hunter2@host"], "DATA must be a file"),
    ],
)
def test_bad_command_lines_exit_2(args: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--json"]):
        result = run(*args, *options)
        assert result.exit_code == 2, result.output
        assert words in result.stderr
        assert "hunter2" not in result.output
        if options:
            assert set(json.loads(result.stdout)["error"]) == {"kind", "message"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [*sorted(set(cli.main.commands) - {"ledger"}), "ledger show", "ledger verify"])
def test_every_help_has_an_example(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"Example:  caseveil {command} " in result.stdout
    assert "--json" in result.stdout
    assert "--quiet" in result.stdout


# demo


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int | None]]:
    asked: list[tuple[int, int | None]] = []

    def write_demo(folder: Path, *, victims: int = 17_000, seed: int | None = None) -> None:
        asked.append((victims, seed))
        (folder / "release.toml").write_text(PLAN, encoding="utf-8")

    fake(monkeypatch, "caseveil.demo", write_demo=write_demo)
    return asked


def test_demo_invents_and_releases(
    tmp_path: Path, runs: list[Any], invented: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("demo")
    assert result.exit_code == 0, result.output
    assert invented == [(17_000, None)]
    assert runs[0][0] == Plan.read(Path("caseveil-demo/release.toml"))
    assert "17,000 victims" in result.stdout
    assert str(Path("caseveil-demo/cases-1/explorer.html")) in result.stdout


def test_demo_leaves_an_earlier_demo_alone(tmp_path: Path, runs: list[Any], invented: list[Any]) -> None:
    (tmp_path / "victims.csv").write_text("mine", encoding="utf-8")
    result = run("demo", tmp_path, "--victims", "500")
    assert result.exit_code == 2
    assert "already holds victims.csv" in result.stderr
    assert (runs, invented) == ([], [])
    (tmp_path / "victims.csv").rename(tmp_path / "other.csv")
    assert run("demo", tmp_path, "--victims", "500", "--seed", "3", "--json").exit_code == 0
    assert invented == [(500, 3)]


def test_demo_into_a_file_is_refused(tmp_path: Path, invented: list[Any]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "must be a folder" in run("demo", tmp_path / "file").stderr
    assert invented == []


# init


def test_init_drafts_a_plan_that_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"V{i},{'Female' if i % 3 else 'Male'},{20 + i % 30},{SECRET}{i % 4}" for i in range(60))
    Path("Cases 2024.csv").write_text(f"victim_id,gender,age,region\n{rows}\n", encoding="utf-8")
    result = run("init", "Cases 2024.csv")
    assert result.exit_code == 0, result.output
    text = Path("release.toml").read_text(encoding="utf-8")
    assert SECRET not in text + result.output
    plan = Plan.read(Path("release.toml"))
    assert plan.path_of(plan.tables[0]) == Path("Cases 2024.csv")
    assert plan.tables[0].table.key == "victim_id"
    again = run("init", "Cases 2024.csv")
    assert again.exit_code == 2
    assert "already exists and is left as it is" in again.stderr
    elsewhere = run("init", "Cases 2024.csv", "--out", "second.toml", "--json")
    document = json.loads(elsewhere.stdout)
    assert document["plan"] == "second.toml"
    assert document["columns"] == [column.name for column in plan.tables[0].table.columns]
    nowhere = run("init", "Cases 2024.csv", "--out", "no/where.toml")
    assert nowhere.exit_code == 2
    assert "must lie in a folder that exists" in nowhere.stderr


def test_init_names_a_file_elsewhere_by_its_full_path(tmp_path: Path) -> None:
    data, plans = tmp_path / "data", tmp_path / "plans"
    data.mkdir()
    plans.mkdir()
    (data / "c.csv").write_text("gender,age\nFemale,20\nMale,30\nMale,31\n", encoding="utf-8")
    assert run("init", data / "c.csv", "--out", plans / "p.toml").exit_code == 0
    plan = Plan.read(plans / "p.toml")
    assert plan.path_of(plan.tables[0]).resolve() == (data / "c.csv").resolve()


# check

REPORT = CheckReport(
    intake=IntakeReport(rows=1234, outside={"gender": 3}, missing={"age": 617}, unused_columns=("notes", "name")),
    risk=RiskReport(
        k=10,
        length=3,
        people=77,
        alone=12,
        combinations=(RareCombination(columns=("age", "gender"), people=55, alone=9),),
        identifying=(Identifying(column="case", reason="an identity number"),),
        triple_columns=2,
    ),
    note="victims.csv is not UTF-8",
)


def test_check_shows_columns_and_counts(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def check(read: Plan, progress: object) -> CheckReport:
        asked.append(read)
        return REPORT

    fake(monkeypatch, "caseveil.produce", check=check)
    result = run("check", plan)
    assert result.exit_code == 0, result.output
    assert asked == [Plan.read(plan)]
    assert result.stdout.startswith("PRIVATE")
    for words in ("1,234 rows fit", "617", "50.0%", "notes, name", "an identity number", "age + gender", "55"):
        assert words in result.stdout
    for words in ("77 people", "12 are alone", "victims.csv is not UTF-8"):
        assert words in result.stdout
    document = json.loads(run("check", plan, "--json").stdout)
    assert document["private"] is True
    assert document["intake"]["outside"] == {"gender": 3}
    assert document["linked"] is None
    assert document["risk"]["combinations"] == [{"columns": ["age", "gender"], "people": 55, "alone": 9}]


# forecast


@dataclass(frozen=True, kw_only=True)
class FakeRow:
    epsilon: float
    length: int
    combinations_groups: int
    cells: int
    cell_sd: float
    half_width: float
    expected_error: float
    relative: float


@pytest.fixture
def forecasts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []

    def forecast(domain: object, **rest: Any) -> object:
        asked.append({"domain": domain, **rest})
        rows = tuple(
            FakeRow(
                epsilon=epsilon,
                length=length,
                combinations_groups=3,
                cells=1200 * length,
                cell_sd=10.0,
                half_width=196.25 / epsilon,
                expected_error=80.0 / epsilon * length,
                relative=0.123,
            )
            for epsilon in rest["epsilons"]
            for length in range(1, rest["length"] + 1)
        )
        return types.SimpleNamespace(rows=rows)

    fake(monkeypatch, "caseveil.measurement.forecast", forecast=forecast)
    return asked


def test_forecast_reads_no_row_and_shows_every_epsilon(plan: Path, forecasts: list[dict[str, Any]]) -> None:
    result = run("forecast", plan, "--n", "5000", "--sizes", "sector=12")
    assert result.exit_code == 0, result.output
    (asked,) = forecasts
    assert asked["domain"].sizes == (3, 13, *(2,) * 10)
    assert (asked["n"], asked["epsilons"], asked["delta"], asked["length"]) == (5000, (0.5, 1.0, 2.0, 4.0), None, 2)
    for words in ("0.5", "+/- 392", "160", "means has no declared values; 10 are assumed"):
        assert words in result.stdout
    assert "sector has no" not in result.stdout


def test_forecast_options(plan: Path, forecasts: list[dict[str, Any]], tmp_path: Path) -> None:
    figure = tmp_path / "error.svg"
    result = run("forecast", plan, "--epsilon", "3, 0.25", "--length", "1", "--figure", figure, "--json")
    document = json.loads(result.stdout)
    assert forecasts[0]["epsilons"] == (0.25, 3.0)
    assert forecasts[0]["length"] == 1
    assert document["assumed_sizes"] == {"sector": 10, "means": 10}
    assert len(document["rows"]) == 2
    assert figure.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--epsilon", "1;2"], "--epsilon ('1;2') must be numbers with commas between"),
        (["--epsilon", "0"], "must all be above 0"),
        (["--epsilon", "nan"], "must all be above 0"),
        (["--sizes", "sector"], "must be COLUMN=K"),
        (["--sizes", "sector=0"], "must be COLUMN=K"),
        (["--sizes", "sektor=4"], "did you mean sector?"),
        (["--sizes", "gender=4"], "such columns here: sector, means"),
        (["--n", "1"], "1 is not in the range"),
        (["--figure", "x.pdf"], "figure (x.pdf) must end in .svg or .png"),
    ],
)
def test_forecast_refusals(plan: Path, forecasts: list[dict[str, Any]], args: list[str], words: str) -> None:
    assert forecasts == []
    result = run("forecast", plan, *args)
    assert result.exit_code == 2
    assert words in result.stderr


# verify, explore, ledger


def test_verify_answers_no_with_1(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    result = run("verify", tmp_path / "bundle")
    assert result.exit_code == 1
    assert "NOT OK" in result.stdout
    assert "does not hold" in result.stdout
    as_json = run("verify", tmp_path / "bundle", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["ok"] is False
    assert "did you mean" in run("verify", tmp_path / "bundel").stderr


def test_explore_opens_the_page_of_a_bundle(tmp_path: Path, opened: list[str]) -> None:
    assert run("explore", tmp_path).exit_code == 2
    assert opened == []
    (tmp_path / "explorer.html").write_text("", encoding="utf-8")
    assert run("explore", tmp_path).exit_code == 0
    assert opened == [(tmp_path / "explorer.html").as_uri()]


def test_explore_puts_stories_in_first(plan: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Path, list[str], str]] = []

    def retell(path: Path, stories: tuple[Any, ...], *, plan_digest: str) -> None:
        calls.append((path, [story.title for story in stories], plan_digest))

    fake(monkeypatch, "caseveil.release.retell", retell=retell)
    bundle = plan.parent / "cases-1"
    bundle.mkdir()
    (bundle / "explorer.html").write_text("", encoding="utf-8")
    digest = Plan.read(plan).digest()
    plan.write_text(PLAN + '\n[[stories]]\ntitle = "First"\ntext = "A"\n', encoding="utf-8")
    result = run("explore", bundle, "--stories", plan)
    assert result.exit_code == 0, result.output
    assert calls == [(bundle, ["First"], digest)]
    assert "1 story of" in result.stdout
    assert opened == [(bundle / "explorer.html").as_uri()]
    assert run("explore", bundle, "--stories", plan.parent / "none.toml").exit_code == 2
    assert len(calls) == len(opened) == 1


def test_ledger_shows_entries_and_totals(tmp_path: Path) -> None:
    path = tmp_path / "ledger.caseveil"
    book = Ledger.open(path)
    for release, mu in (("first", 0.3), ("second", 0.4)):
        event = GaussianEvent(label="counts", mu=mu, detail="of all lengths")
        book.charge(event, release=release, version="1", unit="victim", population="cases", plan_digest="0" * 64)
    result = run("ledger", "show", path)
    assert result.exit_code == 0, result.output
    assert "first" in result.stdout
    assert "mu 0.5" in result.stdout
    document = json.loads(run("ledger", "show", path, "--json", "--delta", "1e-5").stdout)
    assert [entry["release"] for entry in document["entries"]] == ["first", "second"]
    assert document["total"]["mu"] == pytest.approx(0.5)
    assert document["total"]["epsilon"] == pytest.approx(book.total().epsilon(1e-5))
    assert run("ledger", "show", path, "--delta", "2").exit_code == 2
    assert "Total over 2 charges: epsilon" in result.stdout
    found = SelectionEvent(label="discovery of values", mu=0.1, delta=3e-6, detail="")
    book.charge(found, release="third", version="1", unit="victim", population="cases", plan_digest="0" * 64)
    document = json.loads(run("ledger", "show", path, "--json").stdout)
    assert document["total"]["delta"] == pytest.approx(6e-6), "the usual 1e-6 would leave no epsilon"
    assert document["total"]["epsilon"] > 0
    assert "no epsilon at delta 2e-06" in run("ledger", "show", path, "--delta", "2e-6").stdout
    assert run("ledger", "verify", path).exit_code == 0
    path.write_bytes(path.read_bytes().replace(b"first", b"fir5t"))
    assert run("ledger", "verify", path).exit_code == 1
    assert run("ledger", "show", path).exit_code == 2
