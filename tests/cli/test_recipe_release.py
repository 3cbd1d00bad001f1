"""A plan that prepares rows, from check to evaluate: private words stay private, and the rows are those of a file that
was prepared by hand."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from caseveil import produce
from caseveil.cli import main
from caseveil.intake import read_rows
from caseveil.plan import Plan

SECRET, HIDDEN = "Zanzibarella", "kept_by_nobody"

PLAN = f"""
[release]
name = "cases"
version = "1"
[privacy]
unit = "victim"
epsilon = 1
delta = 1e-5
[aggregates]
length = 2
[tables.victims]
source = "v.csv"
key = "id"
where = [{{ column = "{HIDDEN}", is_not = ["{SECRET} trial"] }}]
[tables.victims.columns.gender]
kind = "category"
from = "sex of {SECRET}"
values = ["Female", "Male"]
recode = {{ "{SECRET}" = "Female", "m" = "Male", "{SECRET} 2" = "" }}
[tables.victims.columns.year]
kind = "ordered"
from = "day"
derive = "year"
values = [2023, 2024]
outside = "missing"
[tables.victims.columns.land]
kind = "category"
group = "un-region"
[tables.people]
source = "p.csv"
links = {{ to = "victims", key = "of", at_most = 2 }}
[tables.people.columns.role]
kind = "category"
values = ["recruiter", "owner"]
recode = {{ boss = "owner" }}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    rng = random.Random(7)
    victims, links = [f"id,sex of {SECRET},day,land,{HIDDEN}"], ["of,role"]
    for i in range(300):
        trial = f"{SECRET} trial" if i % 10 == 0 else "no"
        day = "soon" if i % 50 == 1 else f"202{rng.choice('34')}-0{rng.randint(1, 9)}-11"
        victims.append(f"{i},{rng.choice([SECRET, 'm', ''])},{day},{rng.choice(['FR', 'Kenya', 'PHL'])},{trial}")
        links += [f"{i},{rng.choice(['recruiter', 'boss'])}"] * (i % 2)
        links += [f"{i},owner"] * (i % 10 == 0)
    (folder / "v.csv").write_text("\n".join(victims) + "\n", encoding="utf-8")
    (folder / "p.csv").write_text("\n".join(links) + "\n", encoding="utf-8")
    (folder / "release.toml").write_text(PLAN, encoding="utf-8")
    return folder


def run(*words: str) -> str:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 0, done.output
    return done.output


def test_check_counts_and_quotes_nothing(place: Path) -> None:
    said = " ".join(run("check", str(place / "release.toml"), "--quiet").split())
    assert "30 of 300 rows of victims are left out by where" in said
    assert "30 of 180 rows of people are left out by where, 30 of them with their person" in said
    assert "1 entry of recode matches no cell" in said
    document = json.loads(run("check", str(place / "release.toml"), "--quiet", "--json"))
    victims, people = document["recipes"]
    assert (victims["left_out"], victims["unmatched"], victims["unmade"]) == (30, {"gender": 1}, {"year": 6})
    assert (people["left_out"], people["along"]) == (30, 30)
    assert document["intake"]["outside"] == {"year": 6}
    assert document["intake"]["rows"] == 270
    words = f"{said}{json.dumps(document)}".replace(f"sex of {SECRET}", "")  # names of columns are told to the steward
    assert SECRET not in words


def test_a_bundle_holds_no_word_of_the_recipe(place: Path) -> None:
    run("release", str(place / "release.toml"), "--out", str(place / "bundle"), "--quiet")
    files = [path for path in (place / "bundle").rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert not any(word.encode() in data for word in (SECRET, HIDDEN, "boss")), path.name
    run("verify", str(place / "bundle"), "--quiet")
    run("evaluate", str(place / "bundle"), str(place / "release.toml"), "--out", str(place / "private"), "--quiet")


def test_rows_are_those_of_a_file_prepared_by_hand(place: Path) -> None:
    plan = Plan.read(place / "release.toml")
    rows = produce.prepared(plan, read_rows(plan).raw)
    people = [line.split(",") for line in (place / "v.csv").read_text(encoding="utf-8").splitlines()[1:]]
    kept = [cells for cells in people if cells[4] == "no"]
    regions = {"FR": "Europe", "Kenya": "Africa", "PHL": "Asia"}
    assert rows.victims.columns == {
        "gender": [{SECRET: "Female", "m": "Male", "": ""}[cells[1]] for cells in kept],
        "year": ["" if cells[2] == "soon" else cells[2][:4] for cells in kept],
        "land": [regions[cells[3]] for cells in kept],
    }
    assert rows.perpetrators.n == 150
    assert set(rows.perpetrators.columns["role"]) == {"recruiter", "owner"}
