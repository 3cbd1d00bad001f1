"""Releases of a ledger as people see them, and what they are warned of."""

from caseveil.privacy.accountant import total
from caseveil.privacy.ledger_lines import Entry
from caseveil.privacy.ledger_views import notes, steps
from caseveil.privacy.mechanism import GaussianEvent


def entry(
    mu: float = 0.5,
    *,
    release: str = "cases",
    version: str = "1",
    unit: str = "victim",
    plan: str = "d",
    interrupted: bool = False,
) -> Entry:
    return Entry(
        event=GaussianEvent(label="counts", mu=mu),
        release="" if interrupted else release,
        version="" if interrupted else version,
        unit="" if interrupted else unit,
        population="" if interrupted else release,
        plan_digest="" if interrupted else plan,
        time="" if interrupted else "2026-11-03T10:00:00+00:00",
        interrupted=interrupted,
    )


def test_neighbouring_charges_of_one_release_are_one_step() -> None:
    entries = [entry(0.3), entry(0.4), entry(1.2, version="2"), entry(2.0, interrupted=True), entry(0.5, version="2")]
    found = steps(entries)
    assert [(step.release, step.version, step.charges) for step in found] == [
        ("cases", "1", 2), ("cases", "2", 1), ("", "", 1), ("cases", "2", 1),
    ]  # fmt: skip
    assert [step.alone for step in found] == [
        total(one.event for one in part) for part in (entries[:2], entries[2:3], entries[3:4], entries[4:])
    ]
    assert [step.so_far for step in found] == [total(one.event for one in entries[:end]) for end in (2, 3, 4, 5)]
    assert steps([]) == ()


def test_one_population_of_one_unit_needs_no_warning() -> None:
    assert notes([]) == ()
    assert notes([entry(), entry(version="2", plan="e"), entry(interrupted=True)]) == ()


def test_one_plan_under_two_names_is_the_same_people() -> None:
    said = notes([entry(), entry(release="other", plan="e"), entry(release="renamed")])
    assert len(said) == 1
    assert said[0].startswith("One and the same plan was charged under several names ('cases', 'renamed')")


def test_several_names_are_pointed_out() -> None:
    said = notes([entry(), entry(release="other", plan="e")])
    assert len(said) == 1
    assert said[0].startswith("Releases of several names stand here ('cases', 'other')")
    assert "too high otherwise" in said[0]


def test_several_units_are_pointed_out() -> None:
    said = notes([entry(), entry(unit="victim or perpetrator", plan="e")])
    assert len(said) == 1
    assert said[0].startswith("The releases protect different units ('victim', 'victim or perpetrator')")
