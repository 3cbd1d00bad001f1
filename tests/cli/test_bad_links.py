"""Bad links get a clear sentence and cost nothing; sound ones are told in words that only the steward reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from caseveil import cli, cli_show
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent
from caseveil.records.linkage import LinkReport
from caseveil.records.prepare import IntakeReport

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
[tables.perpetrators]
source = "perpetrators.csv"
key = "perpetrator_id"
links = { to = "victims", key = "victim_id", at_most = 3 }
[tables.perpetrators.columns.gender]
kind = "category"
values = ["Female", "Male"]
"""
EITHER = PLAN.replace("epsilon = 1.0", 'unit = "victim or perpetrator"\nepsilon = 1.0').replace(
    "at_most = 3", "at_most = 3, shared_by_at_most = 1"
)
VICTIMS = ["victim_id,gender,remarks", *(f"{i + 1000},{'Female' if i % 3 else 'Male'},x" for i in range(40))]
PERPETRATORS = ["victim_id,perpetrator_id,gender,remarks"]
PERPETRATORS += [f"{i % 30 + 1000},P{i},{'Male' if i % 4 else 'Female'},{SECRET if i == 7 else 'x'}" for i in range(60)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with linked data, plan and a ledger that holds a charge, and the working folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, VICTIMS, PERPETRATORS)
    (tmp_path / "release.toml").write_text(PLAN, encoding="utf-8")
    Ledger.open(tmp_path / "ledger.caseveil").charge(
        GaussianEvent(label="earlier", mu=0.1, detail=""),
        release="cases", version="0", unit="person", population="cases", plan_digest="0" * 64,
    )  # fmt: skip
    return tmp_path


def write(place: Path, victims: Sequence[str], perpetrators: Sequence[str]) -> None:
    for name, lines in (("victims.csv", victims), ("perpetrators.csv", perpetrators)):
        (place / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(*args: str) -> Result:
    return CliRunner().invoke(cli.main, list(args))


def files(place: Path) -> dict[str, bytes]:
    """Every file and folder, but for the lock of the ledger."""
    found = {path.relative_to(place).as_posix(): path for path in place.rglob("*") if path.suffix != ".lock"}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in found.items()}


def refused(result: Result, place: Path, before: dict[str, bytes], words: str) -> None:
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert SECRET not in result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert files(place) == before


def padded(lines: Sequence[str]) -> list[str]:
    """The keys of the first column written with a leading zero."""
    return [lines[0], *(f"0{line}" for line in lines[1:])]


BAD_LINKS: dict[str, tuple[str, list[str], list[str], str]] = {
    "no victim": (PLAN, VICTIMS, [*PERPETRATORS, f"7,P60,Male,{SECRET}"], "1 row names no row of victims; add these"),
    "a victim's key twice": (PLAN, [*VICTIMS, VICTIMS[1]], PERPETRATORS, "victim_id repeats in 2 rows: one row per"),
    "a link twice": (PLAN, VICTIMS, [*PERPETRATORS, PERPETRATORS[8]], "repeats under the same person in 2 rows"),
    "a key empty": (PLAN, VICTIMS, [*PERPETRATORS, ",P60,Male,x"], "key column victim_id is empty in 1 row: every row"),
    "another padding": (PLAN, VICTIMS, padded(PERPETRATORS), "60 rows name no row of victims; 60 would match column"),
    "another type": (
        PLAN, VICTIMS, [PERPETRATORS[0], *(line.replace(",", ".0,", 1) for line in PERPETRATORS[1:])],
        "60 would match column victim_id without decimals, so that 1.0 is 1: write the key the same way in both files",
    ),
    "no links": (PLAN, VICTIMS, PERPETRATORS[:1], "table perpetrators has no rows; take it out of the plan"),
    "a value outside": (PLAN, VICTIMS, [*PERPETRATORS, f"1001,P60,{SECRET},x"], "perpetrators: column gender: 1 row"),
    "no such column": (PLAN, VICTIMS, ["of,perpetrator_id,gender,x", *PERPETRATORS[1:]], "victim_id is not in"),
    "above the cap": (
        EITHER, VICTIMS, [*PERPETRATORS, *(f"1000,P6{i},Male,x" for i in range(3))],
        "1 row of victims has more than links.at_most (3) rows here; with this unit none may be dropped",
    ),
    "shared by more": (EITHER, VICTIMS, [*PERPETRATORS, "1002,P1,Male,x"], "and links.shared_by_at_most is 1; raise"),
    "victim and perpetrator": (
        EITHER, VICTIMS, [*PERPETRATORS, "1002,1005,Male,x"],
        "1 of the keys in column perpetrator_id is also in key column victim_id of victims",
    ),
}  # fmt: skip
"""Plan, lines of either file, and words of the sentence."""


@pytest.mark.parametrize("command", ["release", "check"])
@pytest.mark.parametrize("fault", BAD_LINKS)
def test_bad_links_cost_nothing(place: Path, fault: str, command: str) -> None:
    plan, victims, perpetrators, words = BAD_LINKS[fault]
    write(place, victims, perpetrators)
    (place / "release.toml").write_text(plan, encoding="utf-8")
    refused(run(command, "release.toml", "--quiet"), place, files(place), words)


CIRCLE = 'source = "victims.csv"\nlinks = { to = "perpetrators", key = "p", at_most = 3 }'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('source = "victims.csv"', CIRCLE, "must not link to each other in a circle"),
        ('to = "victims"', 'to = "perpetrators"', "must name another table: a table cannot link to itself"),
        ('to = "victims"', 'to = "victms"', "must name a table of this plan; did you mean victims?"),
        (", at_most = 3", "", "links.at_most is missing: a whole number that is public knowledge or a round guess"),
        ("at_most = 3", "at_most = 13", "links.at_most (13) must be 12 or less"),
        ("at_most = 3", "at_most = 3, shared_by_at_most = 2", "must be left out unless privacy.unit is"),
        ("epsilon", 'unit = "victim or perpetrator"\nepsilon', "links.shared_by_at_most is missing"),
    ],
)
def test_a_bad_plan_of_links_costs_nothing(place: Path, old: str, new: str, words: str) -> None:
    assert old in PLAN
    (place / "release.toml").write_text(PLAN.replace(old, new, 1), encoding="utf-8")
    for command in ("release", "check", "forecast"):
        refused(run(command, "release.toml", "--quiet"), place, files(place), words)


def told(report: LinkReport, plan: str = PLAN) -> str:
    """What `check` says of links, on one line."""
    console = Console(width=100)
    with console.capture() as capture:
        intake = IntakeReport(rows=report.links, outside={}, missing={"gender": 3}, unused_columns=("remarks",))
        for part in cli_show.links(Plan.from_toml(plan, Path()).tables[1], intake, report):
            console.print(part)
    return " ".join(capture.get().split())


def test_check_tells_links_in_words() -> None:
    counts = {"victims": 1200, "links": 3000, "without": 50, "above": 12, "dropped": 40}
    said = told(LinkReport(**counts, shared_most=4, unnamed=7, both=2))
    for words in (
        "3,000 rows of perpetrators fit the plan",
        "│ gender │ 3 │ 0.1% │",
        "Not in the plan, so not released: remarks",
        "3,000 rows of perpetrators belong to 1,150 of 1,200 rows of victims; 50 have none.",
        "12 of victims (1.0%) have more than 3 (links.at_most). Of each, 3 drawn at random would count; 40 rows of "
        "perpetrators (1.3%) would not.",
        "perpetrator_id is empty in 7 of them.",
        "One value of perpetrator_id stands in up to 4 rows: somebody linked to as many of victims.",
        "2 values of perpetrator_id are also keys of victims.",
    ):
        assert words in said, words


def test_check_is_short_where_nothing_is_wrong() -> None:
    counts = {"victims": 40, "links": 60, "above": 0, "dropped": 0, "shared_most": 1}
    assert "60 rows of perpetrators belong to 40 rows of victims: each has one or more." in told(
        LinkReport(**counts, without=0)
    )
    assert "belong to 39 of 40 rows of victims; 1 has none." in told(LinkReport(**counts, without=1))
    said = told(LinkReport(**counts, without=10))
    assert "10 have none." in said
    assert said.endswith("None has more than 3 (links.at_most), so every row of perpetrators would count.")


def test_check_holds_shared_perpetrators_against_the_bound() -> None:
    report = LinkReport(victims=40, links=60, without=0, above=0, dropped=0, shared_most=2)
    plan = EITHER.replace("shared_by_at_most = 1", "shared_by_at_most = 4")
    said = told(report, plan)
    assert "stands in up to 2 rows; the noise covers up to 4 (links.shared_by_at_most)." in said
    assert "not hidden as a whole" not in said
    assert "not hidden as a whole" in told(report)


def test_init_drafts_two_linked_files(place: Path) -> None:
    done = run("init", "victims.csv", "perpetrators.csv", "--out", "draft.toml", "--json", "--quiet")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["links"] == {"table": "perpetrators", "to": "victims", "key": "victim_id", "at_most": 6}
    assert document["columns"][0] == "victims.gender"
    assert "perpetrators.gender" in document["columns"]
    assert [part.source for part in Plan.read(place / "draft.toml").tables] == ["victims.csv", "perpetrators.csv"]
    said = run("init", "perpetrators.csv", "victims.csv", "--out", "other.toml").stdout
    assert "names its row of victims in column victim_id. Of one person at most 6 count" in " ".join(said.split())


def test_init_refuses_what_it_cannot_link(place: Path) -> None:
    before = files(place)
    refused(run("init", "victims.csv", "./victims.csv", "--out", "draft.toml"), place, before, "two different files")
    write(place, VICTIMS, padded(PERPETRATORS))
    before = files(place)
    words = "column victim_id is in both, and most rows would match without leading zeros: write the key the same way"
    refused(run("init", "victims.csv", "perpetrators.csv", "--out", "draft.toml"), place, before, words)
