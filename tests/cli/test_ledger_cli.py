"""`caseveil ledger`: tables, figure, JSON, budgets, and ledgers that went on apart."""

import json
import math
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from caseveil.cli import main
from caseveil.privacy.ledger import Ledger, remaining
from caseveil.privacy.loss import EpsilonDelta
from caseveil.privacy.mechanism import GaussianEvent, SelectionEvent

PLAN = """
[release]
name = "cases"
version = "3"

[privacy]
unit = "victim"
epsilon = 1.0
delta = 1e-6
ledger = "ledger.caseveil"
budget = { epsilon = 4.0, delta = 2e-5 }

[tables.victims]
source = "victims.csv"

[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
"""
BUDGET = EpsilonDelta(epsilon=4.0, delta=2e-5)


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def charge(path: Path, mu: float, version: str, *, release: str = "cases", delta: float | None = None) -> None:
    label = "counts of combinations" if delta is None else "discovery of values"
    event = GaussianEvent(label=label, mu=mu) if delta is None else SelectionEvent(label=label, mu=mu, delta=delta)
    digest = f"{release}{version}".ljust(64, "0")
    Ledger.open(path).charge(
        event, release=release, version=version, unit="victim", population=release, plan_digest=digest
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two releases: one with a discovery, one without."""
    made = tmp_path / "ledger.caseveil"
    charge(made, 0.2, "1", delta=1e-6)
    charge(made, 0.4, "1")
    charge(made, 0.5, "2")
    return made


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "release.toml").write_text(PLAN, encoding="utf-8")
    return tmp_path / "release.toml"


def test_show_says_what_each_release_cost_and_all_together(path: Path) -> None:
    document = json.loads(run("ledger", "show", path, "--delta", "1e-5", "--json").stdout)
    book = Ledger.open(path)
    assert [(step["version"], step["charges"]) for step in document["releases"]] == [("1", 2), ("2", 1)]
    assert document["releases"][-1]["epsilon_so_far"] == document["total"]["epsilon"] == book.total().epsilon(1e-5)
    assert document["releases"][1]["rho_so_far"] == document["total"]["rho"] == pytest.approx((0.2 + 0.25) / 2)
    assert document["releases"][0]["epsilon_alone"] == document["releases"][0]["epsilon_so_far"]
    assert [entry["event"]["kind"] for entry in document["entries"]] == ["selection", "gaussian", "gaussian"]
    assert (document["budget"], document["notes"], document["merges"], document["figure"]) == (None, [], [], None)
    shown = run("ledger", "show", path, "--delta", "1e-5").stdout
    assert f"{book.total().epsilon(1e-5):.4g}" in shown
    assert "discovery of values" in shown
    assert "at a delta of its own" in " ".join(shown.split())
    assert "Note:" not in shown


def test_show_holds_the_ledger_against_the_budget_of_a_plan(path: Path, plan: Path) -> None:
    total = Ledger.open(path).total()
    spent, left = total.epsilon(BUDGET.delta), remaining(total, BUDGET)
    document = json.loads(run("ledger", "show", path, "--plan", plan, "--json").stdout)
    assert document["total"]["delta"] == BUDGET.delta
    assert document["budget"] == {
        "epsilon": 4.0, "delta": 2e-5, "spent": spent, "remaining": left, "exceeded": False,
    }  # fmt: skip
    assert (
        f"{spent:.4g} spent, one more release of epsilon {left:.4g} fits"
        in run("ledger", "show", path, "--plan", plan).stdout
    )
    charge(path, 3.0, "3")
    assert "it is exceeded, so no further release is made" in run("ledger", "show", path, "--plan", plan).stdout
    assert json.loads(run("ledger", "show", path, "--plan", plan, "--json").stdout)["budget"]["exceeded"] is True


def test_a_plan_without_a_budget_is_refused(path: Path, plan: Path) -> None:
    plan.write_text(PLAN.replace("budget =", "# budget ="), encoding="utf-8")
    result = run("ledger", "show", path, "--plan", plan)
    assert result.exit_code == 2
    assert "must be a plan with privacy.budget, and it has none" in result.stderr


def test_discoveries_that_took_all_of_delta_are_said_so(path: Path, plan: Path) -> None:
    for version in "345":
        charge(path, 0.1, version, delta=0.2)
    document = json.loads(run("ledger", "show", path, "--plan", plan, "--json").stdout)
    assert document["total"]["epsilon"] is document["budget"]["spent"] is None
    assert (document["budget"]["remaining"], document["budget"]["exceeded"]) == (0.0, True)
    assert run("ledger", "show", path).exit_code == 0, "the usual delta must stay below 1"


def test_the_figure_has_a_bar_for_every_release_and_the_budget(path: Path, plan: Path) -> None:
    svg = path.with_name("spent.svg")
    result = run("ledger", "show", path, "--plan", plan, "--figure", svg)
    assert result.exit_code == 0, result.output
    assert f"Figure: {svg}" in result.stdout
    text = "".join(ElementTree.parse(svg).getroot().itertext())
    for step in json.loads(run("ledger", "show", path, "--plan", plan, "--json").stdout)["releases"]:
        assert f"{step['epsilon_so_far']:.3g}" in text
        assert f"cases {step['version']}" in text
    assert "budget" in text
    first = svg.read_bytes()
    run("ledger", "show", path, "--plan", plan, "--figure", svg)
    assert svg.read_bytes() == first
    png = path.with_name("spent.png")
    run("ledger", "show", path, "--figure", png, "--delta", "1e-5")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_the_figure_of_a_long_ledger_shows_the_last_releases(path: Path) -> None:
    for version in range(3, 40):
        charge(path, 0.05, str(version), release="$cases_{x}$")  # and no name is taken for a formula
    svg = path.with_name("spent.svg")
    assert run("ledger", "show", path, "--figure", svg).exit_code == 0
    text = "".join(ElementTree.parse(svg).getroot().itertext())
    assert "$cases_{x}$ 39" in text
    assert "$cases_{x}$ 16" in text
    assert "$cases_{x}$ 15" not in text


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("spent.pdf", [], "figure (spent.pdf) must end in .svg or .png"),
        ("none/spent.svg", [], "figure (spent.svg) cannot be written"),
        ("spent.svg", ["--delta", "1e-7"], "a figure needs a larger --delta than 1e-07"),
    ],
)
def test_a_figure_that_cannot_be_made_is_refused_in_words(
    path: Path, name: str, options: list[str], words: str
) -> None:
    result = run("ledger", "show", path, "--figure", path.parent / name, *options)
    assert result.exit_code == 2
    assert words in result.stderr


def test_several_names_are_warned_of(path: Path) -> None:
    charge(path, 0.1, "1", release="survivors")
    assert "Note: Releases of several names stand here ('cases', 'survivors')" in run("ledger", "show", path).stdout


def test_an_interrupted_charge_is_shown(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b'"release"')])
    assert "(interrupted)" in run("ledger", "show", path).stdout
    document = json.loads(run("ledger", "show", path, "--json").stdout)
    assert document["entries"][-1]["interrupted"] is True
    assert document["total"]["mu"] == pytest.approx(math.sqrt(0.45))


def test_merge_brings_together_what_went_on_apart(path: Path) -> None:
    laptop, out = path.with_name("laptop.caseveil"), path.with_name("merged.caseveil")
    shutil.copyfile(path, laptop)
    charge(path, 0.3, "3")
    charge(laptop, 0.6, "3a")
    result = run("ledger", "merge", path, laptop, "--out", out)
    assert result.exit_code == 0, result.output
    assert "They hold 3 charges in common and then went on apart" in result.stdout
    assert "with 5 charges. From now on name this one in every plan." in result.stdout
    assert Ledger.open(out).total().mu == pytest.approx(math.sqrt(0.45 + 0.09 + 0.36))
    assert "2 ledgers were merged here on" in run("ledger", "show", out).stdout
    assert run("ledger", "verify", out).exit_code == 0
    again = run("ledger", "merge", path, laptop, "--out", out)
    assert again.exit_code == 2
    assert "already exists and is left as it is" in again.stderr
    document = json.loads(run("ledger", "merge", path, out, "--out", path.with_name("2"), "--json").stdout)
    assert (document["diverged"], document["entries"], document["shared"]) == (False, 5, 4)
    assert [own["entries"] for own in document["own"]] == [0, 1]


def test_merge_says_when_there_is_a_later_copy_or_nothing_in_common(path: Path, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy.caseveil", tmp_path / "other.caseveil"
    shutil.copyfile(path, copy)
    charge(other, 0.1, "1", release="other")
    together = run("ledger", "merge", path, copy, "--out", tmp_path / "1").stdout
    assert "did not go on apart: one of them held every charge" in together
    apart = run("ledger", "merge", path, other, "--out", tmp_path / "2").stdout
    assert "No charge stands in all of them: they were begun apart." in apart
    assert "Note: Releases of several names stand here" in apart


def test_merge_refuses_in_words(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "merged.caseveil"
    for args, words in (
        ([path], "a merge must be of two ledgers or more"),
        ([path, tmp_path / "none"], "must be the ledger file of a plan; there is no such file"),
    ):
        result = run("ledger", "merge", *args, "--out", out)
        assert result.exit_code == 2
        assert words in result.stderr
    assert run("ledger", "merge", path, path).exit_code == 2, "--out must be given"
    assert not out.exists()


def test_ledger_help_has_examples() -> None:
    for command in ("show", "verify", "merge"):
        assert f"Example:  caseveil ledger {command} " in run("ledger", command, "--help").stdout


def test_a_release_of_the_same_people_under_a_second_name_is_told(tmp_path: Path) -> None:
    """By `release` itself, and not only to whoever looks into the ledger. A name that stays is not mentioned."""
    (tmp_path / "v.csv").write_text("sex\n" + "F\nM\n" * 50, encoding="utf-8")
    text = (
        '[release]\nname = "cases"\nversion = "1"\n[privacy]\nepsilon = 1.0\ndelta = 1e-6\nledger = "l.caseveil"\n'
        '[tables.v]\nsource = "v.csv"\n[tables.v.columns.sex]\nkind = "category"\nvalues = ["F", "M"]\n'
    )
    (tmp_path / "release.toml").write_text(text, encoding="utf-8")
    first = run("release", tmp_path / "release.toml", "--quiet")
    assert "Ledger:" not in first.stdout
    (tmp_path / "other.toml").write_text(text.replace('"cases"', '"persons"'), encoding="utf-8")
    second = run("release", tmp_path / "other.toml", "--quiet", "--json")
    (note,) = json.loads(second.stdout)["ledger_notes"]
    assert note.startswith("Releases of several names stand here ('cases', 'persons')")
    shown = run("release", tmp_path / "other.toml", "--quiet", "--out", tmp_path / "third").stdout
    assert "Ledger: Releases of several names" in " ".join(shown.split())


def test_check_says_what_the_budget_would_refuse(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("sex\n" + "F\nM\n" * 50, encoding="utf-8")
    plan = tmp_path / "release.toml"
    plan.write_text(
        '[release]\nname = "cases"\nversion = "1"\n[privacy]\nepsilon = 1.0\ndelta = 1e-6\nledger = "l.caseveil"\n'
        "budget = { epsilon = 1.2, delta = 1e-6 }\n"
        '[tables.v]\nsource = "v.csv"\n[tables.v.columns.sex]\nkind = "category"\nvalues = ["F", "M"]\n',
        encoding="utf-8",
    )
    assert json.loads(run("check", plan, "--quiet", "--json").stdout)["refused"] == ""
    assert run("release", plan, "--quiet").exit_code == 0
    said = json.loads(run("check", plan, "--quiet", "--json").stdout)["refused"]
    assert said.startswith("this release asks for epsilon 1 and 0.")
    assert "A release would be refused now" in " ".join(run("check", plan, "--quiet").stdout.split())
    assert len(Ledger.open(tmp_path / "l.caseveil").entries) == 1
    (tmp_path / "l.caseveil").write_text("no ledger", encoding="utf-8")
    assert "ledger" in json.loads(run("check", plan, "--quiet", "--json").stdout)["refused"]
