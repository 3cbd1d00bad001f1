"""The command as a process of its own: exit codes, streams, odd terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "Zanzibar-secret-cell"


def caseveil(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "caseveil", *args],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=60,
    )


def test_version_and_help(tmp_path: Path) -> None:
    assert caseveil("--version", cwd=tmp_path).stdout.startswith("caseveil, version ")
    shown = caseveil("--help", cwd=tmp_path)
    assert shown.returncode == 0
    for command in ("demo", "init", "check", "forecast", "release", "evaluate", "verify", "explore", "ledger"):
        assert command in shown.stdout


def test_bad_input_exits_2_and_says_nothing_of_the_rows(tmp_path: Path) -> None:
    (tmp_path / "ragged.csv").write_text(f"a,b\n1,2\n{SECRET}\n", encoding="utf-8")
    (tmp_path / "bytes.csv").write_bytes(b"a,b\n1," + SECRET.encode() + b"\x00\xff\n")
    (tmp_path / "release.toml").write_text(f'[release]\nname = "a" {SECRET}\n', encoding="utf-8")
    for args in (["init", "ragged.csv"], ["init", "bytes.csv"], ["release", "release.toml"], ["check", "release.toml"]):
        done = caseveil(*args, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("error: ")
        assert SECRET not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_errors_as_json_are_one_document(tmp_path: Path) -> None:
    done = caseveil("release", "nowhere.toml", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "PlanError"


INTERRUPTED = """
import os, signal, sys, types
from caseveil.cli import main

def run(plan, *, out, progress):
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(10**9):
        pass

sys.modules["caseveil.produce"] = types.ModuleType("caseveil.produce")
sys.modules["caseveil.produce"].run = run
main(["release", "release.toml"])
"""

PLAN = """
[release]
name = "cases"
version = "1"
[privacy]
epsilon = 1.0
[tables.cases]
source = "cases.csv"
[tables.cases.columns."age [years]"]
kind = "binned"
bins = [0, 18]
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows delivers Ctrl-C in another way")
def test_ctrl_c_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(PLAN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 130
    assert "stopped; nothing was published" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_is_enough(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("género,åge\nFemale,20\nMale,30\nMale,31\n", encoding="utf-8")
    done = caseveil("init", "cases.csv", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    shown = caseveil("forecast", "release.toml", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert shown.returncode == 0, shown.stderr
    assert "#" in shown.stdout
