"""What the documentation tells people to type works: plans are read, commands are parsed, Python runs."""

import random
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from caseveil.plan import Plan

REPO = Path(__file__).parents[2]
PAGES = sorted([REPO / "README.md", REPO / "SECURITY.md", *(REPO / "docs").rglob("*.md")])

RELEASE = '[release]\nname = "cases"\nversion = "2026-11"\n'
PRIVACY = "[privacy]\nepsilon = 1.0\n"
TABLE = '[tables.victims]\nsource = "victims.csv"\n'
COLUMN = '[tables.victims.columns.gender]\nkind = "category"\nvalues = ["Female", "Male", "Other"]\n'


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```$", text, re.MULTILINE | re.DOTALL)


def plans() -> list[str]:
    # The reference of the plan is generated from the plan's own keys and has its own tests.
    return [block for page in PAGES if "reference" not in page.parts for block in blocks(page, "toml")]


@pytest.mark.parametrize("block", plans())
def test_every_piece_of_a_plan_is_read(block: str) -> None:
    missing = [RELEASE] if "[release]" not in block else []
    missing += [PRIVACY] if "[privacy]" not in block else []
    if "[tables.victims]\n" not in block:
        missing.append(TABLE + 'key = "victim_id"\n' if "links = " in block else TABLE)
    missing += [COLUMN] if "tables.victims.columns." not in block else []
    plan = Plan.from_toml("\n".join([*missing, block]), Path())
    assert plan.tables[0].table.columns


def commands() -> list[str]:
    lines = [line.strip() for page in PAGES for block in blocks(page, "") for line in block.splitlines()]
    return sorted({re.split(r"\s{2,}", line)[0] for line in lines if line.startswith("caseveil ")})


def test_commands_are_found() -> None:
    assert {line.split()[1] for line in commands()} >= {"demo", "init", "check", "forecast", "release", "verify"}


@pytest.mark.parametrize("line", commands())
def test_every_command_is_understood(line: str) -> None:
    from caseveil.cli import main

    words = shlex.split(line)[1:]
    command: click.Command = main
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"{line}: there is no command {words[0]}"
        command, words = found, words[1:]
    command.make_context(command.name, words)


def test_the_two_commands_stand_where_people_look() -> None:
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    makefile = (REPO / "Makefile").read_text(encoding="utf-8")
    for command in ("demo", "test"):
        assert f"make {command}\n" in readme
        assert f"\n{command}:" in makefile
    assert "make test\n" in (REPO / ".ci" / "run").read_text(encoding="utf-8")


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """600 invented people, in memory and as victims.csv with a plan, in the working folder."""
    monkeypatch.chdir(tmp_path)
    choose = random.Random(7)
    columns = {
        "gender": choose.choices(["Female", "Male", "Other", ""], [60, 30, 1, 9], k=600),
        "forced_labour": choose.choices(["1", ""], [40, 60], k=600),
    }
    rows = ["gender,forced_labour", *(",".join(row) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "victims.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "release.toml").write_text(RELEASE + PRIVACY + TABLE + COLUMN, encoding="utf-8")
    return columns


@pytest.fixture
def linked_cases() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """2,000 invented victims, and one to three perpetrators of each."""
    choose = random.Random(8)
    keys = [f"V{i}" for i in range(2000)]
    of = [key for key in keys for _ in range(choose.randint(1, 3))]
    victims = {
        "victim_id": keys,
        "gender": choose.choices(["Female", "Male"], [60, 40], k=len(keys)),
        "forced_labour": choose.choices(["1", ""], [50, 50], k=len(keys)),
    }
    perpetrators = {
        "victim_id": of,
        "gender": choose.choices(["Female", "Male"], [40, 60], k=len(of)),
        "role": choose.choices(["Recruiter", "Controller", "Exploiter", ""], k=len(of)),
    }
    return victims, perpetrators


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/from-python.md"])
def test_every_python_example_runs(
    page: str, cases: dict[str, list[str]], linked_cases: tuple[dict[str, list[str]], dict[str, list[str]]]
) -> None:
    pandas = pytest.importorskip("pandas")
    found = blocks(REPO / page, "python")
    assert found
    victims, perpetrators = map(pandas.DataFrame, linked_cases)
    names: dict[str, Any] = {"frame": pandas.DataFrame(cases), "victims": victims, "perpetrators": perpetrators}
    for block in found:
        exec(compile(block, page, "exec"), names)
    assert Path("bundle/manifest.json").exists()
    tables = names["linked"].tables
    assert set(tables["perpetrators"]["victim_id"]) <= set(tables["victims"]["victim_id"])
