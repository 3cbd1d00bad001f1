"""Who joined earlier loses nothing by a release that goes on: checked on the code as it is and on planted faults.

`complaints` makes the numbers of two releases that differ in one person, without noise so that nothing hides, and
says all that is wrong. It must be silent on the real code and speak on every mutant.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil import produce_table, produce_update
from caseveil.measurement import curator as room
from caseveil.measurement.curator import Books, Curator
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import mu_for
from caseveil.privacy.worst_case import Span
from caseveil.produce_update import Before, Going
from caseveil.records.encoding import encode
from caseveil.records.joined import split
from caseveil.records.prepare import Rows, prepare
from caseveil.records.raw import RawTable
from caseveil.release.carried import PEOPLE, Carried
from caseveil.schema.period import Period
from caseveil.synthesis.observed import NoisyResiduals
from tests.measurement.invented import exact_residuals, up_to

pytestmark = pytest.mark.engine

PLAN = """
[release]
name = "cases"
version = "2024"
[privacy]
epsilon = 1.0
delta = 1e-5
[update]
joined = "year"
until = 2024
after = 2023
previous = "cases-2023"
[aggregates]
length = 2
[tables.cases]
source = "cases.csv"
[tables.cases.columns.year]
kind = "ordered"
values = [2021, 2022, 2023, 2024, 2025]
[tables.cases.columns.gender]
kind = "category"
values = ["Female", "Male"]
"""
YEARS = ["2021", "2022", "2023", "2024", "2025"]


def no_noise(sigmas: Sequence[Fraction], sizes: Sequence[int]) -> NDArray[np.int64]:
    return np.zeros(sum(sizes), np.int64)


def cases(person: tuple[str, str] | None) -> RawTable:
    """200 people, and one more of this year and gender."""
    rng = np.random.default_rng(8)
    rows = [(YEARS[i % 5], ("Female", "Male", "")[int(rng.integers(0, 3))]) for i in range(200)]
    rows += [person] if person else []
    years, genders = zip(*rows, strict=True)
    return RawTable(columns={"year": years, "gender": genders})


def exact(rows: Rows) -> NoisyResiduals:
    coded = encode(rows, rows.table)
    values = exact_residuals(coded, up_to(coded.domain, 2))
    return NoisyResiduals(domain=coded.domain, values=values, variance=dict.fromkeys(values, 9.0))


def release(plan: Plan, person: tuple[str, str] | None) -> tuple[produce_table.Measured, Ledger, NoisyResiduals]:
    """The numbers of a release, the ledger after it, and what it should have counted."""
    raw = cases(person)
    table = plan.tables[0].table
    rows, _ = prepare(raw, table)
    # what the last release said of this person is no matter here
    old, _ = split(prepare(cases(None), table)[0], cases(None), Period(joined="year", until="2023"))
    before = Before(
        carried=Carried(
            population="cases",
            unit="person",
            period=Period(joined="year", until="2023"),
            of=("cases 2023",),
            views={PEOPLE: exact(old)},
        ),
        tables={table.name: table},
    )
    ledger = Ledger.open(None)
    everybody, added = split(rows, raw, plan.period)
    assert added is not None
    measured = produce_table.measure(plan, everybody, ledger, Going(before=before, added=added))
    return measured, ledger, exact(everybody)


def complaints(monkeypatch: pytest.MonkeyPatch, everyone: float) -> list[str]:
    """All that is wrong with a release that goes on."""
    plan = Plan.from_toml(PLAN.replace("[aggregates]", f"everyone = {everyone}\n[aggregates]"), Path())
    monkeypatch.setattr(room, "rounded_gaussians", no_noise)
    seen: list[tuple[Span | None, set[str]]] = []

    class Watched(Curator):
        def __init__(self, *, rows: Rows, ledger: Ledger, books: Books) -> None:
            seen.append((books.span, set(rows.columns["year"])))
            super().__init__(rows=rows, ledger=ledger, books=books)

    monkeypatch.setattr(produce_update, "Curator", Watched)
    out = []
    base, ledger, truth = release(plan, None)
    for span, years in seen:
        if span is not None and not all(span.after < f"{year}-12-31" <= span.until for year in years):
            out.append("rows of people are counted who are not charged")
    charged = [(entry.span, entry.event.mu) for entry in ledger.entries]
    if [span for span, _ in charged] != [span for span, _ in seen]:
        out.append("charges are about other people than counts")
    old, new = (sum(mu**2 for span, mu in charged if span is None or span.after < day) for day in ("2023", "2024"))
    mu = mu_for(base.promise)
    if not (everyone * (1 - 1e-9) * mu**2 <= old <= everyone * mu**2 and new <= mu**2 <= new * (1 + 1e-9)):
        out.append("somebody loses more or less than was promised")
    if any(not np.allclose(truth.values[c], table, atol=1e-6) for c, table in base.residuals.values.items()):
        out.append("the counts are not those of everybody")

    early, early_ledger, _ = release(plan, ("2022", "Female"))
    later, _, _ = release(plan, ("2024", "Female"))
    same = all(np.array_equal(table, base.residuals.values[c]) for c, table in early.residuals.values.items())
    if same != (everyone == 0):
        out.append("a person of an earlier period is counted" if not same else "nobody is counted again")
    if dict(early.residuals.variance) != dict(base.residuals.variance):
        out.append("the noise depends on the rows")
    if [entry.event for entry in early_ledger.entries] != [entry.event for entry in ledger.entries]:
        out.append("what is charged depends on the rows")
    if later.residuals.total <= base.residuals.total:
        out.append("a person of this period is not counted")
    return out


@pytest.mark.parametrize("everyone", [0.0, 0.25])
def test_nobody_who_joined_earlier_is_counted_beyond_what_they_are_charged(
    everyone: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complaints(monkeypatch, everyone) == []


def all_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of everybody go to the curator of who joined since."""
    monkeypatch.setattr(Period, "holds", lambda self, text: True)


def one_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The period begins a year too early."""
    early = datetime.date(2022, 12, 31).toordinal()
    monkeypatch.setattr(Period, "start", property(lambda self: 0 if self.after is None else early))
    monkeypatch.setattr(produce_update, "span_of", lambda period: Span(joined="year", **({
        True: {"after": "", "until": "2024-12-31"}, False: {"after": "2023-12-31", "until": "2024-12-31"}
    }[period.after is None])))  # fmt: skip


def span_of_the_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is counted again is charged for as if they had joined since."""
    new = Span(joined="year", after="2023-12-31", until="2024-12-31")
    monkeypatch.setattr(produce_update, "span_of", lambda period: new)


def counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts of the new ones are added to themselves once more."""
    real = NoisyResiduals.plus
    monkeypatch.setattr(NoisyResiduals, "plus", lambda one, other: real(real(one, other), other))


def full_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both counts take the whole budget."""
    monkeypatch.setattr(produce_update, "shares", lambda mu, everyone: (mu, mu))


def forgotten_charge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charges about the new people alone reach no ledger."""
    real = Ledger.charge

    def charge(self: Ledger, event: object, *, span: Span | None = None, **texts: str) -> None:
        if span is None or not span.after:
            real(self, event, span=span, **texts)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "charge", charge)


@pytest.mark.parametrize("mutant", [all_people, one_off, span_of_the_new, counted_twice, full_shares, forgotten_charge])
def test_planted_faults_are_found(mutant: object, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)  # type: ignore[operator]
    assert complaints(monkeypatch, 0.25)


def test_delta_auto_is_made_from_everybody_and_is_paid_for_by_the_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it made from the last release alone, it would be too large by those who joined since."""
    plan = Plan.from_toml(PLAN.replace("delta = 1e-5\n", ""), Path())
    monkeypatch.setattr(room, "rounded_gaussians", no_noise)
    monkeypatch.setattr(room, "rounded_gaussian", lambda sigma, size: np.zeros(size, np.int64))
    measured, ledger, truth = release(plan, None)
    assert truth.total == 160
    assert measured.promise.delta <= plan.promise.at(160).delta
    labels = [entry.event.label for entry in ledger.entries]
    assert labels == ["number of people", "combinations"]
    assert {entry.span for entry in ledger.entries} == {Span(joined="year", after="2023-12-31", until="2024-12-31")}
    mu = mu_for(measured.promise)
    assert mu**2 * (1 - 1e-9) <= sum(entry.event.mu**2 for entry in ledger.entries) <= mu**2
