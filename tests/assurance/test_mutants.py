"""An audit holds what is sound, and finds every fault that is planted. `make assurance` does the same with more runs.

False alarms: every finding calls a sound release broken with a probability of at most 1e-9.
"""

from __future__ import annotations

import pytest

from caseveil import audit
from caseveil.audit import Audit
from caseveil.evaluation.audit import Outcome
from tests.assurance import mutants
from tests.assurance.mutants import DECLARED, LINKED, MUTANTS, UNDECLARED, WIDE, Mutant, audit_of, by_name, caught

RUNS = 400


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (DECLARED, [audit.NOISY]),
        (UNDECLARED, [audit.NOISY, "discovery: noise", "discovery: threshold"]),
        (LINKED, [audit.NOISY, f"{audit.NOISY}: each"]),
    ],
)
def test_what_is_sound_is_held(plan: str, names: list[str]) -> None:
    made = audit_of(plan, runs=RUNS)
    found = by_name(made)
    assert made.ok
    assert {found[name].outcome for name in [audit.CHARGES, audit.REPEATS, *names]} == {Outcome.HELD}
    whole = found[audit.NOISY]
    assert whole.lower is not None
    assert whole.claimed is not None
    assert 0.3 * whole.claimed < whole.lower <= whole.claimed  # the attack works


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_fault_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.plant(monkeypatch.setattr)
    made = audit_of(mutant.plan, runs=mutant.runs)
    assert caught(mutant, made), "\n".join(map(str, made.findings))


def test_a_fault_in_other_processes_is_found() -> None:
    made = audit_of(WIDE, runs=60, workers=2, name="no noise")
    assert by_name(made)[audit.NOISY].outcome is Outcome.BROKEN
    one = by_name(made)[audit.ONE_RUN]
    # nothing here is left to chance: rows and coins have a seed, and there is no noise
    assert one.estimate is not None
    assert one.estimate > 2 * 0.5


def test_an_attack_that_fails_to_run_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that are not cut are refused at the next door: the audit then knows nothing, and says why."""
    mutant = mutants.BY_NAME["links above the cap counted"]
    place, name, change = mutant.patches[0]
    monkeypatch.setattr(place, name, change(getattr(place, name)))
    made: Audit = audit_of(LINKED, runs=20)
    finding = by_name(made)[audit.NOISY]
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.reason == "the attack could not run: ValueError"
