"""Bad input gets a clear sentence and costs nothing: every kind, from the command line and from Python.

The engine is the real one. A ledger with an earlier charge lies beside the data, and one cell of the data is a secret
that no output may ever hold.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import caseveil
from caseveil import cli, cli_terminal
from caseveil.errors import BadInput, CaseveilError, NothingDiscovered
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent
from caseveil.release.verify import verify_bundle

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
"""

HEAD = "victim_id,gender,sector,remarks"
LINES = tuple(
    f"V{i:03d},{'Female' if i % 3 else 'Male'},{'Care' if i % 2 else 'Mining'},{SECRET if i == 7 else 'x'}"
    for i in range(60)
)
GOOD = "\n".join((HEAD, *LINES)) + "\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data, plan and a ledger that holds a charge, and the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "victims.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "release.toml").write_text(PLAN, encoding="utf-8")
    Ledger.open(tmp_path / "ledger.caseveil").charge(
        GaussianEvent(label="earlier", mu=0.1, detail=""),
        release="cases", version="0", unit="person", population="cases", plan_digest="0" * 64,
    )  # fmt: skip
    return tmp_path


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def refused(result: Result, place: Path, before: Mapping[str, bytes], words: str) -> None:
    """A sentence with these words, exit code 2, and the folder as it was."""
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines()[-1] or result.stderr
    assert "error: " in result.stderr
    assert words in result.stderr
    assert SECRET not in result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert files(place) == before


def files(place: Path) -> dict[str, bytes]:
    """Every file and folder, but for the lock of the ledger, which is empty and stays."""
    found = {path.relative_to(place).as_posix(): path for path in place.rglob("*") if path.suffix != ".lock"}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in found.items()}


def with_row(row: str) -> bytes:
    return (GOOD + row + "\n").encode()


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "victims.csv is empty"),
    "only names": (f"{HEAD}\n".encode(), "has 0 rows; a release needs at least 2 rows"),
    "one row": ("\n".join((HEAD, LINES[7])).encode(), "has 1 row; a release needs at least 2 rows"),
    "another delimiter": (GOOD.replace(",", ":").encode(), "every line splits at ':': is that the delimiter?"),
    "names alike": (GOOD.replace("remarks", "gender").encode(), "columns 2 and 4 have the same name"),
    "a name empty": (GOOD.replace("remarks", "").encode(), "column 4 has no name"),
    "too few cells": (with_row(f"V100,{SECRET}"), "line 62: 2 fields where the header has 4 (delimiter: comma)"),
    "too many cells": (with_row(f"V100,Male,Care,{SECRET},x"), "line 62: 5 fields where the header has 4"),
    "an open quote": (with_row(f'V100,Male,Care,"{SECRET}'), "a closing quote is missing"),
    "two encodings": (GOOD.replace("x\n", "é\n", 3).encode() + "V100,Male,Café,x\n".encode("cp1252"), "two encodings"),
    "a NUL": (with_row(f"V100,Male,\0{SECRET},x"), "is a NUL"),
    "a PDF": (b"%PDF-1.7 " + SECRET.encode(), "victims.csv is not a table"),
    "half a workbook": (b"PK\x03\x04" + SECRET.encode(), "victims.csv"),
    "half a Parquet file": (b"PAR1" + SECRET.encode(), "victims.csv is not a readable Parquet file"),
}
"""Faults of the file itself: what is in it, and words of the sentence."""

BAD_ROWS: dict[str, tuple[bytes, str]] = {
    "a value outside": (with_row(f"V100,{SECRET},Care,x"), "column gender: 1 row holds a value outside its declared"),
    "a column lacks": (GOOD.replace("gender", "geder", 1).encode(), "column gender is not in the data; did you mean"),
    "a key twice": (with_row(LINES[7]), "key column victim_id repeats in 2 rows"),
    "a key empty": (with_row(",Male,Care,x"), "key column victim_id is empty in 1 row"),
    "no value anywhere": (
        GOOD.replace(",Care,", ",,").replace(",Mining,", ",,").encode(),
        "column sector: every cell is missing and no values are declared",
    ),
}
"""Rows that do not fit the plan."""


@pytest.mark.parametrize("command", ["release", "check"])
@pytest.mark.parametrize("fault", [*BAD_FILES, *BAD_ROWS])
def test_a_bad_file_costs_nothing(place: Path, fault: str, command: str) -> None:
    data, words = {**BAD_FILES, **BAD_ROWS}[fault]
    (place / "victims.csv").write_bytes(data)
    refused(run(command, "release.toml", "--quiet"), place, files(place), words)


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_costs_nothing_in_python(place: Path, fault: str) -> None:
    data, words = BAD_FILES[fault]
    (place / "victims.csv").write_bytes(data)
    said = python_refuses(place, lambda: caseveil.synthesize("victims.csv", ledger="ledger.caseveil"))
    assert words in said


def python_refuses(place: Path, act: Callable[[], object]) -> str:
    """The sentence of the error. The whole traceback, with what it was raised from, is free of the secret."""
    before = files(place)
    with pytest.raises(CaseveilError) as raised:
        act()
    assert isinstance(raised.value, BadInput)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert files(place) == before
    return str(raised.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda place: (place / "victims.csv").unlink(), "victims.csv was not found"),
        (lambda place: (place / "victims.csv").rename(place / "victim.csv"), "did you mean victim.csv?"),
        (lambda place: [(place / "victims.csv").unlink(), (place / "victims.csv").mkdir()], "is a folder"),
    ],
)
def test_no_file(place: Path, change: Callable[[Path], object], words: str) -> None:
    change(place)
    refused(run("release", "release.toml", "--quiet"), place, files(place), words)
    assert words in python_refuses(place, lambda: caseveil.synthesize("victims.csv", ledger="ledger.caseveil"))


def test_a_file_that_may_not_be_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def refuse(self: Path, *args: object, **rest: object) -> object:
        if self.name == "victims.csv":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **rest)  # type: ignore[arg-type]

    before = files(place)
    monkeypatch.setattr(Path, "open", refuse)
    result = run("release", "release.toml", "--quiet")
    with pytest.raises(BadInput, match="may not be read by you"):
        caseveil.synthesize("victims.csv", ledger="ledger.caseveil")
    monkeypatch.undo()
    refused(result, place, before, "may not be read by you; ask for the right to read it")


def test_a_file_that_changes_while_it_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from caseveil.records import source

    real = source.read_delimited

    def slow(data: bytes, what: str) -> object:
        with (place / what).open("a", encoding="utf-8") as file:
            file.write(LINES[7].replace("V007", f"V{os.urandom(4).hex()}") + "\n")
        return real(data, what)

    ledger = (place / "ledger.caseveil").read_bytes()
    monkeypatch.setattr(source, "read_delimited", slow)
    result = run("release", "release.toml", "--quiet")
    assert result.exit_code == 2
    assert "victims.csv changed while it was read" in result.stderr
    with pytest.raises(BadInput, match="changed while it was read"):
        caseveil.synthesize("victims.csv", ledger="ledger.caseveil")
    assert (place / "ledger.caseveil").read_bytes() == ledger
    assert not (place / "cases-1").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epsilon = 1.0", "epsilom = 1.0", "did you mean epsilon?"),
        ("[aggregates]", "[agregates]", "did you mean aggregates?"),
        ('kind = "category"\nvalues', 'kind = "categories"\nvalues', "did you mean category?"),
        ("epsilon = 1.0", "epsilon = 0", "epsilon"),
        ("epsilon = 1.0", "epsilon = -1", "epsilon"),
        ("epsilon = 1.0", "epsilon = nan", "epsilon"),
        ("epsilon = 1.0", "epsilon = inf", "epsilon"),
        ("epsilon = 1.0", 'epsilon = "1"', "epsilon"),
        ("epsilon = 1.0", "epsilon = 1.0\ndelta = 0", "delta"),
        ("epsilon = 1.0", "epsilon = 1.0\ndelta = 1.0", "delta"),
        ("epsilon = 1.0", "epsilon = 1.0\ndelta = nan", "delta"),
        ("epsilon = 1.0", 'epsilon = 1.0\ndelta = "automatic"', "delta"),
        ("epsilon = 1.0", "epsilon = 1.0\nepsilon = 2.0", "line 7"),
        ("length = 2", "length = 0", "length"),
        ("length = 2", "length = 6", "length"),
        ("length = 2", 'fabrication = "none"', "fabrication"),
        ('source = "victims.csv"', "source = ''", "source"),
        ('values = ["Female", "Male"]', 'values = ["Female", "Female"]', "gender"),
        ("[release]", "[release", "not valid TOML: Expected"),
    ],
)
def test_a_bad_plan_costs_nothing(place: Path, old: str, new: str, words: str) -> None:
    assert old in PLAN
    (place / "release.toml").write_text(PLAN.replace(old, new, 1), encoding="utf-8")
    before = files(place)
    for command in ("release", "check", "forecast"):
        refused(run(command, "release.toml", "--quiet"), place, before, words)
    assert words in python_refuses(place, lambda: caseveil.run("release.toml"))


NAN = float("nan")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": -1.0}, "epsilon"),
        ({"epsilon": NAN}, "epsilon"),
        ({"epsilon": float("inf")}, "epsilon"),
        ({"epsilon": "1"}, "epsilon"),
        ({"delta": 0.0}, "delta"),
        ({"delta": 1.0}, "delta"),
        ({"delta": NAN}, "delta"),
        ({"length": 0}, "length"),
        ({"length": 6}, "length"),
        ({"length": 2.5}, "length"),
        ({"fabrication": "none"}, "fabrication"),
        ({"fabrication": 0.0}, "fabrication"),
        ({"fabrication": NAN}, "fabrication"),
        ({"domains": ["gender"]}, "domains"),
        ({"domains": {"gendre": ["Female", "Male"]}}, "gendre"),
        ({"domains": {"gender": "Female"}}, "gender"),
        ({"domains": {"gender": []}}, "gender"),
        ({"domains": {"gender": ["Female"]}}, "column gender: 20 rows hold a value outside"),
    ],
)
def test_bad_arguments_cost_nothing(place: Path, options: dict[str, object], words: str) -> None:
    frame = {"gender": ["Female", "Male", "Female"] * 20, "remarks": [SECRET, *["x"] * 59]}
    act = lambda: caseveil.synthesize(frame, **{"ledger": "ledger.caseveil", **options})  # type: ignore[arg-type]  # noqa: E731
    assert words in python_refuses(place, act)


def test_bad_frames_cost_nothing(place: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    cells = ["x", SECRET, "y"]
    twice = pandas.DataFrame([cells], columns=["a", "b", "a"])
    frames = {
        "a twice": twice,
        "no rows": pandas.DataFrame({"a": []}),
        "one row": polars.DataFrame({"a": [SECRET]}),
        "no columns": pandas.DataFrame(index=[1, 2]),
        "lazy": polars.LazyFrame({"a": cells}),
        "a list": cells,
        "nothing": None,
        "uneven": {"a": cells, "b": cells[:2]},
        "a name that is no text": pandas.DataFrame({0: cells}),
        "tables in cells": polars.DataFrame({"a": [{"b": SECRET}, {"b": "x"}, {"b": "y"}]}),
        "all missing": pandas.DataFrame({"a": [None, None, None]}),
    }
    for name, frame in frames.items():
        act = lambda frame=frame: caseveil.synthesize(frame, ledger="ledger.caseveil")  # noqa: E731
        assert python_refuses(place, act), name


def test_values_too_rare_to_be_discovered_are_told_after_the_charge(place: Path) -> None:
    """Only the noisy counts say so, and they are paid for: the one refusal that costs something, and it says that."""
    before = Ledger.open(place / "ledger.caseveil").entries
    with pytest.raises(NothingDiscovered, match=r"frequent enough to be discovered .* stays charged"):
        caseveil.synthesize({"a": ["x", SECRET, "y"]}, ledger="ledger.caseveil")
    assert len(Ledger.open(place / "ledger.caseveil").entries) > len(before)


# The place to write to


def test_an_output_that_exists(place: Path) -> None:
    (place / "cases-1").mkdir()
    (place / "mine.txt").write_text("mine", encoding="utf-8")
    refused(run("release", "release.toml", "--quiet"), place, files(place), "must not exist yet: choose another --out")
    for out in ("mine.txt", "mine.txt/below", "."):
        refused(run("release", "release.toml", "--quiet", "--out", out), place, files(place), "error: out (")


@pytest.mark.parametrize(("number", "words"), [(30, "the disk is read-only"), (13, "permission is denied")])
def test_a_place_that_cannot_be_written(
    place: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    real = Path.mkdir

    def refuse(self: Path, *args: object, **rest: object) -> None:
        if "partial" in self.name:
            raise OSError(number, os.strerror(number), str(self))
        real(self, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    refused(run("release", "release.toml", "--quiet"), place, files(place), words)


def test_a_disk_with_little_room_is_seen_before_the_charge(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = shutil.disk_usage(place)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: few)
    refused(run("release", "release.toml", "--quiet"), place, files(place), "1 MB are free: make room")


def test_a_disk_that_fills_up_leaves_no_half_bundle(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The charge is made by then and stands: noise was drawn."""
    from caseveil.release import bundle

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = files(place)
    with monkeypatch.context() as patch:
        # The ledger reaches its own fsync through the same module; it must get there.
        patch.setattr(bundle, "os", _Fake(os, fsync=full))
        result = run("release", "release.toml", "--quiet")
    assert result.exit_code == 2
    assert "the disk is full. Nothing was published" in result.stderr
    after = files(place)
    assert set(after) == set(before)
    assert after["ledger.caseveil"].startswith(before["ledger.caseveil"])
    assert len(Ledger.open(place / "ledger.caseveil").entries) > 1


class _Fake:
    """A module with some members replaced."""

    def __init__(self, module: object, **members: object) -> None:
        self._module = module
        self.__dict__.update(members)

    def __getattr__(self, name: str) -> object:
        return getattr(self._module, name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_ledger_that_cannot_grow_means_that_nothing_is_counted(place: Path) -> None:
    """The real thing: the system refuses the bytes of the charge."""
    before = files(place)
    limit = len(before["ledger.caseveil"]) + 10
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "from caseveil.cli import main\nmain(['release', 'release.toml', '--quiet'])"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "the ledger (ledger.caseveil) could not be written" in done.stderr
    assert "nothing was counted" in done.stderr
    assert files(place) == before


# Stopping


@pytest.mark.parametrize("stage", ["reading", "measuring", "fitting", "records", "counts", "writing"])
def test_ctrl_c_at_any_stage(place: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    before = files(place)

    def interrupting(stages: object) -> Callable[[str, float], None]:
        def report(now: str, fraction: float) -> None:
            if now == stage:
                signal.raise_signal(signal.SIGINT)

        return report

    with monkeypatch.context() as patch:
        patch.setattr(cli_terminal, "_lines", interrupting)
        result = run("release", "release.toml")
    assert result.exit_code == 130, result.output
    assert "stopped; nothing was published" in result.stderr
    after = files(place)
    assert set(after) == set(before)
    charged = len(Ledger.open(place / "ledger.caseveil").entries) - 1
    assert (charged > 0) == (stage not in ("reading", "measuring")), "charged when noise was drawn, and only then"
    again = run("release", "release.toml", "--quiet", "--json")
    assert again.exit_code == 0, again.output
    assert verify_bundle(Path(json.loads(again.stdout)["out"])).ok


KILLED = """
import os, signal
from caseveil.cli import main
from caseveil.privacy.ledger import Ledger

charge = Ledger.charge

def charge_and_die(self, *args, **rest):
    charge(self, *args, **rest)
    os.kill(os.getpid(), signal.SIGKILL)

Ledger.charge = charge_and_die
main(["release", "release.toml", "--quiet"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_charge_stands_when_the_process_is_killed_right_after(place: Path) -> None:
    before = files(place)
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    after = files(place)
    assert set(after) == set(before)
    entries = Ledger.open(place / "ledger.caseveil").entries
    assert len(entries) == 2
    assert entries[1].version == "1"
    assert run("release", "release.toml", "--quiet").exit_code == 0
    assert Ledger.open(place / "ledger.caseveil").entries[:2] == entries
    assert len(Ledger.open(place / "ledger.caseveil").entries) > 3


# What is fine


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace(",", ";").replace("\n", "\r\n").encode(),
        GOOD.replace("Mining", "Café").encode("cp1252"),
        GOOD.replace(",Female,", ",,").replace(",Male,", ",,").encode(),
    ],
    ids=["BOM", "UTF-16", "semicolons", "Windows-1252", "a declared column all missing"],
)
def test_odd_but_sound_files_are_released(place: Path, data: bytes) -> None:
    (place / "victims.csv").write_bytes(data)
    result = run("release", "release.toml", "--quiet")
    assert result.exit_code == 0, result.output
    assert verify_bundle(place / "cases-1").ok
    assert all(SECRET.encode() not in content for content in files(place / "cases-1").values())


def test_outside_values_made_missing_are_counted(place: Path) -> None:
    (place / "victims.csv").write_bytes(with_row(f"V100,{SECRET},Care,x"))
    plan = PLAN.replace('values = ["Female", "Male"]', 'values = ["Female", "Male"]\noutside = "missing"')
    (place / "release.toml").write_text(plan, encoding="utf-8")
    checked = run("check", "release.toml", "--json", "--quiet")
    assert json.loads(checked.stdout)["intake"]["outside"] == {"gender": 1}
    assert SECRET not in checked.output
    assert run("release", "release.toml", "--quiet").exit_code == 0
    assert all(SECRET.encode() not in content for content in files(place / "cases-1").values())
