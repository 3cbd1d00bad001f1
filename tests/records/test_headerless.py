"""A file without a line of names: its first row is not taken for names in silence, and never quoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from caseveil.cli import main
from caseveil.records.draft import names_like_cells
from tests.assurance import planted


def init(folder: Path, text: str, *args: str) -> Result:
    (folder / "victims.csv").write_text(text, encoding="utf-8")
    where = ["--out", str(folder / "release.toml")]
    return CliRunner().invoke(main, ["init", str(folder / "victims.csv"), *where, *args])


def headerless(columns: dict[str, list[str]]) -> str:
    return planted.as_csv(columns).decode().split("\n", 1)[1]


def test_a_file_without_names_is_refused(tmp_path: Path) -> None:
    columns = planted.victims(60)
    for cells in columns.values():  # the person with the secrets comes first
        cells.insert(0, cells.pop(7))
    result = init(tmp_path, headerless(columns))
    assert result.exit_code == 2
    assert "the first line looks like a row" in result.stderr
    assert not (tmp_path / "release.toml").exists()
    assert planted.leaks({"out": result.stdout.encode(), "err": result.stderr.encode()}) == {}


@pytest.mark.parametrize(
    ("header", "row", "number"),
    [
        ("gender,country,age", "Female,Peru,31", 0),
        ("gender,country,2019", "Female,Peru,31", 1),
        ("gender,country,2019-03-11", "Female,Peru,2018-01-01", 1),
        ("gender,country,11/03/2019 10:00", "Female,Peru,x", 1),
        ("gender,Peru,age", "Female,Peru,31", 1),
        ("gender,country,V0001", "Female,Peru,V0002", 1),
        ("gender,country,P-1", "Female,Peru,P-172", 1),
        ("gender,country,V0001", "Female,Peru,x", 0),
        ("q1,q2,q3", "yes,no,yes", 0),
        ("gender,Peru;Chad,age", "Female,Peru,31", 1),
        ("gender,Peru,17", "Female,Peru,31", 2),
        ("Female,Peru,17", "Female,Peru,31", 3),
    ],
)
def test_names_that_look_like_cells_are_counted(header: str, row: str, number: int) -> None:
    columns = {name: [cell] * 5 for name, cell in zip(header.split(","), row.split(","), strict=True)}
    assert names_like_cells(columns) == number


def test_a_first_row_that_is_unlike_all_others_is_refused_for_its_numbers(tmp_path: Path) -> None:
    """Words that nobody else has cannot be told from names; numbers above numbers can."""
    rows = "\n".join(f"Female,Peru,Care,{20 + i},2019-03-{1 + i % 28:02d}" for i in range(40))
    result = init(tmp_path, f"Zan,Zib,Arella,31,1893-07-19\n{rows}\n")
    assert result.exit_code == 2
    assert "the first line looks like a row" in result.stderr
    for name in ("gender,country,sector,age,1893-07-19", "gender,country,sector,31,registered"):
        (tmp_path / "release.toml").unlink(missing_ok=True)
        assert init(tmp_path, f"{name}\n{rows}\n").exit_code == 0


def test_some_doubtful_names_are_said_in_numbers(tmp_path: Path) -> None:
    names = "gender,country,sector,Zanzibarella"
    rows = "\n".join(f"Female,Peru,Care,{'Zanzibarella' if i % 2 else 'other'}" for i in range(40))
    result = init(tmp_path, f"{names}\n{rows}\n", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["names_like_cells"] == 1
    (tmp_path / "release.toml").unlink()
    result = init(tmp_path, f"{names}\n{rows}\n")
    said = next(line for line in (result.stdout + result.stderr).splitlines() if "Careful" in line)
    assert "1 of 4 column names look like cells" in said
    assert "Zanzibarella" not in said


def test_sound_names_are_not_doubted(tmp_path: Path) -> None:
    result = init(tmp_path, planted.as_csv(planted.victims(60)).decode(), "--json")
    assert result.exit_code == 0
    assert "names_like_cells" not in json.loads(result.stdout)
