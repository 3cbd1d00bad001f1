"""`caseveil evaluate` as people run it, and linked tables in memory."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from caseveil import cli, evaluate
from caseveil.errors import BundleError
from caseveil.evaluation.report import as_json
from caseveil.plan import Plan
from caseveil.produce import run as release
from caseveil.records.linkage import LinkReport
from caseveil.records.prepare import Rows
from caseveil.records.source import read
from caseveil.release import explorer
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, KeyColumn, LinkContents, TableContents, read_bundle
from caseveil.schema.attribute import MultiChoice
from caseveil.synthesis.counts import PublishedCounts
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS, LinkCounts
from tests.evaluation.linked_cases import CAP, LINKED, codes_of, linked_rows

SECRET = "Zanzibar-secret-cell"

PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 4.0
delta = 1e-4
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
values = ["Debt", "Threats"]
"""


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 400 victims, their plan and its release. One sector is rare and hence not discovered."""
    folder = tmp_path_factory.mktemp("cases")
    rng = np.random.default_rng(4)
    lines = ["victim_id,gender,sector,means"]
    for i in range(400):
        sector = SECRET if i == 17 else rng.choice(["Farming", "Fishing", ""])
        means = ";".join(item for item in ("Debt", "Threats") if rng.random() < 0.5)
        lines.append(f"V{i},{rng.choice(['Female', 'Male', ''])},{sector},{means}")
    (folder / "victims.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "release.toml").write_text(PLAN, encoding="utf-8")
    release(Plan.read(folder / "release.toml"))
    return folder


def test_the_report_stands_beside_the_bundle_and_names_no_cell(made: Path) -> None:
    bundle, out = made / "cases-1", made / "cases-1-private"
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    ended = run("evaluate", bundle, made / "release.toml")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("PRIVATE")
    assert str(out / "report.md") in ended.stdout
    assert str(out / "report.html") in ended.stdout
    assert {path.name for path in out.iterdir()} == {"report.md", "report.html", "report.json", "errors-1.svg"}
    if os.name == "posix":
        assert stat.S_IMODE(out.stat().st_mode) == 0o700
    page = (out / "report.md").read_text(encoding="utf-8")
    assert page.startswith("**PRIVATE")
    assert "The values of sector were discovered" in page
    assert "400 true rows" in page
    assert "![" in page
    for path in out.iterdir():
        assert SECRET not in path.read_text(encoding="utf-8")
    assert {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()} == before
    numbers = json.loads((out / "report.json").read_text(encoding="utf-8"))
    # The page to explore holds the same numbers, what the bundle shows, and its name says what it is.
    explored = explorer.embedded((out / "report.html").read_bytes())
    shown = explorer.embedded((bundle / "explorer.html").read_bytes())
    assert explored.pop("private") == numbers
    assert explored.pop("title") == "PRIVATE: " + shown.pop("title")
    assert explored == shown
    # Four columns of one attribute each: gender, sector and two items; the sector that was not found is in the truth.
    assert numbers["private"] is True
    (table,) = numbers["tables"]
    assert [one["groups_in_all"] for one in table["lengths"]] == [4, 6, 4, 1]
    assert table["lengths"][0]["combinations"] == 2 + 3 + 2
    assert table["lengths"][0]["mean_error"] < 25
    assert [one["length"] for one in table["counts"]] == [1, 2]


def test_json_gives_one_document(made: Path, tmp_path: Path) -> None:
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--out", tmp_path / "report", "--json", "--quiet")
    assert ended.exit_code == 0, ended.output
    document = json.loads(ended.stdout)
    assert document["private"] is True
    assert document["report"] == str(tmp_path / "report" / "report.md")
    assert document["tables"][0]["people"] == 400
    assert ended.stderr == ""


def test_the_page_is_opened_where_that_is_asked_for(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)))
    asked = ["evaluate", made / "cases-1", made / "release.toml", "--out", tmp_path / "report"]
    ended = run(*asked, "--open")
    assert ended.exit_code == 0, ended.output
    assert opened == [(tmp_path / "report" / "report.html").as_uri()]
    assert "No browser was found" in ended.stdout


@pytest.mark.parametrize("inside", ["cases-1/private", "cases-1/data/private", "cases-1"])
def test_nothing_is_written_into_the_bundle(made: Path, inside: str) -> None:
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--out", made / inside)
    assert ended.exit_code == 2
    assert "must not lie in the bundle" in ended.stderr
    assert not list((made / "cases-1").rglob("*private*"))


def test_a_link_into_the_bundle_is_the_bundle(made: Path, tmp_path: Path) -> None:
    try:
        (tmp_path / "short").symlink_to(made / "cases-1", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--out", tmp_path / "short" / "report")
    assert ended.exit_code == 2
    assert "must not lie in the bundle" in ended.stderr


def test_a_folder_that_exists_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--out", tmp_path / "mine")
    assert ended.exit_code == 2
    assert "already exists" in ended.stderr
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epsilon = 4.0", "epsilon = 3.0", "by another plan for cases 1, or the plan was changed"),
        ('version = "1"', 'version = "2"', "the bundle is cases 1 and the plan is for cases 2"),
        ('source = "victims.csv"', 'source = "gone.csv"', "gone.csv"),
    ],
)
def test_a_plan_that_does_not_fit(made: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    plan = tmp_path / "release.toml"
    assert old in PLAN
    plan.write_text(PLAN.replace(old, new), encoding="utf-8")
    ended = run("evaluate", made / "cases-1", plan, "--out", tmp_path / "report")
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert not (tmp_path / "report").exists()


def test_rows_that_lost_a_column(made: Path, tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "victims.csv").write_text("victim_id,gender,sector\na,Male,x\nb,Male,y\n", encoding="utf-8")
    ended = run("evaluate", made / "cases-1", tmp_path / "release.toml", "--out", tmp_path / "report")
    assert ended.exit_code == 2
    assert "column means is not in the data" in ended.stderr
    assert not (tmp_path / "report").exists()


def test_a_damaged_bundle_and_none(made: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(made / "cases-1", copy)
    (copy / "codebook.csv").write_text("changed", encoding="utf-8")
    damaged = run("evaluate", copy, made / "release.toml")
    assert damaged.exit_code == 2
    assert "caseveil verify" in damaged.stderr
    gone = run("evaluate", made / "cases-2", made / "release.toml")
    assert gone.exit_code == 2
    assert f"did you mean {made / 'cases-1'}" in gone.stderr
    assert not (tmp_path / "copy-private").exists()


def test_a_report_that_cannot_be_written_leaves_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    ended = run("evaluate", made / "cases-1", made / "release.toml", "--out", tmp_path / "report")
    assert ended.exit_code == 2
    assert "no space left" in ended.stderr
    assert list(tmp_path.iterdir()) == []


NONE = np.zeros(0, np.int64)
NO_COUNTS = PublishedCounts(combination=(), length=NONE, count=NONE, lower=NONE, upper=NONE)
ACROSS = {
    LINKS: '{"perpetrators.gender": "f", "victims.region": "a"}',
    ANY: '{"perpetrators.role": "r", "victims.gender": "f"}',
    VICTIMS: '{"number of perpetrators": "2", "victims.gender": "m"}',
    PAIR: '{"other perpetrators.gender": "m", "perpetrators.gender": "m"}',
}  # fmt: skip


@pytest.fixture
def linked(made: Path) -> BundleContents:
    """A release of linked tables in memory: other invented rows stand for the synthetic ones."""
    rows = linked_rows(500, seed=22)
    keys = [f"S{i}" for i in np.random.default_rng(0).permutation(500).tolist()]
    truth = evaluate._true_counts(link_counts(np.zeros(4, np.int64)), linked_rows(500, seed=21), LINKED)
    return BundleContents(
        about=About(name="linked", version="1", title="", publisher="", license="CC-BY-4.0"),
        tables={
            "victims": TableContents(
                table=LINKED.victims, records=rows.victims.columns, counts=NO_COUNTS,
                key=KeyColumn(name="victim_id", cells=keys),
            ),
            "perpetrators": TableContents(
                table=LINKED.perpetrators, records=rows.perpetrators.columns, counts=NO_COUNTS,
                key=KeyColumn(name="victim_id", cells=[keys[i] for i in rows.victim_of.tolist()]),
            ),
        },
        statement=read_bundle(made / "cases-1").statement,
        fidelity={},
        plan_digest="0" * 64,
        links=LinkContents(table="perpetrators", link=LINKED.link, counts=link_counts(np.rint(truth).astype(np.int64))),
    )  # fmt: skip


def link_counts(count: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> LinkCounts:
    return LinkCounts(
        combination=tuple(ACROSS.values()), of=tuple(ACROSS), count=count, lower=count - 1, upper=count + 1
    )


JOINED = LinkReport(victims=500, links=900, without=70, above=2, dropped=3)


def test_linked_tables_are_compared(linked: BundleContents, tmp_path: Path) -> None:
    rows = linked_rows(500, seed=21)
    found = evaluate.compare_linked(linked, rows, JOINED)
    assert [table.table for table in found.tables] == ["victims", "perpetrators"]
    links = found.links
    assert links is not None
    truth = codes_of(rows)
    assert (links.victims, links.links, links.dropped) == (500, len(truth.victim_of), 3)
    assert links.synthetic_links == len(codes_of(linked_rows(500, seed=22)).victim_of)
    assert len(links.number.true) == CAP + 1
    assert links.across.independent > 1.5 * links.across.mean_error
    assert [one.of for one in links.counts] == [LINKS, ANY, VICTIMS, PAIR]
    assert all(one.inside == 1.0 and one.mean_error <= 0.5 for one in links.counts)
    evaluate.write(found, linked, tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "report.md", "report.html", "report.json", "errors-1.svg", "errors-2.svg", "number.svg", "alike.svg",
    }  # fmt: skip
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "3 links of 2 victims lay above the cap" in page
    assert "if chance had dealt the links" in page
    assert json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["links"]["above"] == 2


def test_true_counts_across_the_link_are_those_found_by_hand() -> None:
    rows = linked_rows(500, seed=21)
    victims, links = rows.victims.columns, rows.perpetrators.columns
    of = rows.victim_of.tolist()
    by_victim: list[list[int]] = [[] for _ in range(500)]
    for link, victim in enumerate(of):
        by_victim[victim].append(link)
    pairs = [
        sum(links["gender"][a] == links["gender"][b] == "m" for a in mine for b in mine if a != b)
        / (len(mine) * (len(mine) - 1))
        for mine in by_victim
        if len(mine) > 1
    ]
    expected = [
        sum(links["gender"][i] == "f" and victims["region"][v] == "a" for i, v in enumerate(of)),
        sum(
            victims["gender"][v] == "f" and any("r" in links["role"][i].split(";") for i in mine)
            for v, mine in enumerate(by_victim)
        ),
        sum(victims["gender"][v] == "m" and len(mine) == 2 for v, mine in enumerate(by_victim)),
        sum(pairs),
    ]
    assert evaluate._true_counts(link_counts(np.zeros(4, np.int64)), rows, LINKED) == pytest.approx(expected)


def test_a_link_to_nobody_is_refused(linked: BundleContents) -> None:
    part = linked.tables["perpetrators"]
    stray = dataclasses.replace(part, key=KeyColumn(name="victim_id", cells=["nobody"] * part.rows))
    bundle = dataclasses.replace(linked, tables={**linked.tables, "perpetrators": stray})
    with pytest.raises(BundleError, match="names no synthetic person"):
        evaluate.compare_linked(bundle, linked_rows(500, seed=21), JOINED)


def test_an_item_that_was_not_discovered_is_not_named(linked: BundleContents) -> None:
    rows = linked_rows(500, seed=21)
    role = MultiChoice(name="role")
    planned = dataclasses.replace(rows.perpetrators.table, columns=(rows.perpetrators.table.columns[0], role))
    cells = {**rows.perpetrators.columns, "role": [SECRET, *list(rows.perpetrators.columns["role"])[1:]]}
    hidden = dataclasses.replace(rows, perpetrators=Rows(table=planned, columns=cells))
    found = evaluate.compare_linked(linked, hidden, JOINED)
    assert found.undeclared == ("role",)
    assert found.links is not None
    assert [one.attribute for one in found.links.concordance] == ["gender", "role=r", "role=e"]
    assert SECRET not in as_json(found)


def test_values_that_were_not_discovered_count_as_lost(made: Path) -> None:
    plan = Plan.read(made / "release.toml")
    contents = read_bundle(made / "cases-1")
    rows, _ = evaluate.prepare(read("victims.csv", folder=made), plan.tables[0].table)
    table = evaluate.known_values(contents.tables["victims"].table, rows)
    released = contents.tables["victims"].table.columns[1].values
    assert released is not None
    assert SECRET not in released
    assert table.columns[1].values == (*released, SECRET)
    assert table.columns[0] == contents.tables["victims"].table.columns[0]
