"""A release that is killed leaves a ledger that never says too little, and a whole bundle or none."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.assurance import kills, planted
from tests.assurance.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")

POINTS = 8
"""For each kind of plan; tools/assurance.py takes many more."""


def small(root: Path, linked: bool) -> Sandbox:
    """Few people and few columns, so that a release takes a moment."""
    sandbox = Sandbox(root=root)
    plan = planted.SMALL_LINKED if linked else planted.SMALL
    sandbox.put("victims.csv", planted.as_csv(planted.victims(60)))
    sandbox.put("perpetrators.csv", planted.as_csv(planted.perpetrators(60)))
    sandbox.put("release.toml", plan)
    return sandbox


@pytest.mark.parametrize("linked", [False, True], ids=["one table", "linked"])
def test_a_killed_release_never_undercounts(tmp_path: Path, linked: bool) -> None:
    sandbox = small(tmp_path, linked)
    known = kills.whole(sandbox)
    assert known.charges_at_draw[0] == 1, "noise is drawn before anything is charged"
    assert known.charges_at_draw[-1] == known.charges
    assert set(known.charges_at_draw) == set(range(1, known.charges + 1)), "noise without a charge of its own"
    assert known.operations > 40
    dice = random.Random()
    left = [kills.kill_once(sandbox, known, dice) for _ in range(POINTS)]
    assert [one.faults for one in left if one.faults] == []
    assert any(one.killed for one in left)


def test_the_operations_around_the_first_charge(tmp_path: Path) -> None:
    """Each of the first fifteen, which make the ledger and write the first charge, and parts of what they write."""
    sandbox = small(tmp_path, linked=False)
    known = kills.whole(sandbox)
    charges = set()
    for at in range(15):
        left = kills.kill_at(sandbox, known, at=at, when="within")
        assert left.faults == (), at
        assert left.killed
        charges.add(left.charges)
    assert {0, 1} <= charges


def test_what_is_looked_for_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing above could fail: a bundle without a ledger, one that lacks a file, something left behind."""
    sandbox = small(tmp_path, linked=False)
    known = kills.whole(sandbox)
    ended = sandbox.run("release", "release.toml", "--quiet")
    assert kills.inspect(sandbox, known, ended, draws=len(known.charges_at_draw)).faults == ()
    kills.clear(sandbox)

    ended = sandbox.run("release", "release.toml", "--quiet")
    (sandbox.work / "cases-1" / "counts" / "victims.csv").unlink()
    (sandbox.work / "stray").write_text("")
    lines = (sandbox.work / kills.LEDGER).read_bytes().split(b"\n")
    (sandbox.work / kills.LEDGER).write_bytes(b"\n".join(lines[:-2]) + b"\n")
    faults = "; ".join(kills.inspect(sandbox, known, ended, draws=len(known.charges_at_draw)).faults)
    for words in ("a bundle that does not hold", "work/stray is left", "charges for", "a bundle for"):
        assert words in faults
