"""The house rules as tests: who imports whom, empty room doors, short files."""

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("importlinter")

from importlinter import api

from tools.rooms_contract import Rule, check_rooms

REPO = Path(__file__).parents[2]
SOURCE = REPO / "src" / "caseveil"

LONG_FILES: dict[str, str] = {}
"""Files of more than 400 lines, each with the reason why it is one job."""


def test_every_contract_holds(capsys: pytest.CaptureFixture[str]) -> None:
    kept = _run_contracts()
    assert kept, capsys.readouterr().out


def _run_contracts() -> bool:
    from importlinter.application.use_cases import lint_imports

    return bool(lint_imports(config_filename=str(REPO / "pyproject.toml"), cache_dir=None))


def test_the_table_is_the_one_that_lint_imports_reads() -> None:
    contracts = api.read_configuration(str(REPO / "pyproject.toml"))["contracts_options"]
    assert {contract["id"] for contract in contracts} == {"rooms", "wall"}


TABLE = ["errors ->", "rows ->", "door -> rows maths.noise", "maths ->", "below -> maths.noise", "plan* ->"]


@pytest.mark.parametrize(
    ("importer", "imported", "holds"),
    [
        ("door.curator", "rows.counting", True),
        ("door.curator", "maths.noise", True),
        ("door.curator", "maths.ledger", False),
        ("door.curator", "door.plan", True),
        ("rows.counting", "errors", True),
        ("below.model", "rows.counting", False),
        ("below.model", "rows", False),
        ("maths.noise", "below.model", False),
        ("plan_toml", "plan", True),
        ("plan_toml", "rows", False),
    ],
)
def test_the_table_allows_and_refuses(importer: str, imported: str, holds: bool) -> None:
    rules = [Rule.parse(line) for line in TABLE]
    modules = {"errors", "rows.counting", "rows", "door.curator", "door.plan", "maths.noise", "maths.ledger"}
    modules |= {"below.model", "plan", "plan_toml"}
    problems = check_rooms(
        rules, {f"caseveil.{name}" for name in modules}, {(f"caseveil.{importer}", f"caseveil.{imported}")}
    )
    assert (problems == []) is holds
    assert holds or importer in problems[0]


def test_a_room_that_nobody_placed_is_reported() -> None:
    assert check_rooms([Rule.parse("errors ->")], {"caseveil.errors", "caseveil.attic"}, set()) == [
        "attic stands in no line of the table: say what it may import"
    ]


def test_a_line_without_a_room_is_reported() -> None:
    assert check_rooms([Rule.parse("errors ->"), Rule.parse("attic ->")], {"caseveil.errors"}, set()) == [
        "the table names attic, which does not exist"
    ]


def test_a_line_without_an_arrow_is_refused() -> None:
    with pytest.raises(ValueError, match="must read"):
        Rule.parse("records schema")


def test_room_doors_are_empty() -> None:
    doors = [path for path in SOURCE.glob("*/**/__init__.py")]
    assert doors
    filled = [str(path.relative_to(SOURCE)) for path in doors if path.read_text(encoding="utf-8").strip()]
    assert filled == [], "the __init__ of a room stays empty: import from the file that holds the thing"


def test_files_do_one_job() -> None:
    lengths = {
        str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in SOURCE.rglob("*.py")
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > 400}
    assert set(too_long) == set(LONG_FILES), f"over 400 lines: {too_long}; split them, or give the reason in LONG_FILES"


def test_the_package_brings_its_type_marker() -> None:
    assert (SOURCE / "py.typed").exists()


def test_version_stands_in_one_place_only() -> None:
    import caseveil

    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert caseveil.__version__ == project["version"]
    assert f"## {project['version']}" in (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (REPO / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {project['version']}\n" in citation
