"""Charges about the people of a period: written, copied, merged and torn without ever costing anybody too little."""

import json
from pathlib import Path

import pytest

from caseveil.errors import InsufficientBudget, LedgerError
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.ledger_lines import copied_line, read_entry
from caseveil.privacy.ledger_merge import merge
from caseveil.privacy.ledger_views import notes, steps
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.privacy.mechanism import GaussianEvent
from caseveil.privacy.worst_case import Span

BUDGET = EpsilonDelta(epsilon=1.0, delta=1e-6)
EVENT = GaussianEvent(label="release", mu=mu_for(BUDGET))
YEARS = (
    Span(joined="year", after="", until="2022-12-31"),
    Span(joined="year", after="2022-12-31", until="2023-12-31"),
    Span(joined="year", after="2023-12-31", until="2024-12-31"),
)


def charge(book: Ledger, span: Span | None, version: str = "1") -> None:
    book.charge(EVENT, release="r", version=version, unit="victim", population="v", plan_digest="0", span=span)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.caseveil"


@pytest.fixture
def series(path: Path) -> Ledger:
    book = Ledger.open(path)
    for span in YEARS:
        charge(book, span, span.until[:4])
    return book


def test_a_budget_admits_every_year_once_and_no_year_twice(path: Path) -> None:
    book = Ledger.open(path)
    for span in YEARS:
        book.require([EVENT], BUDGET, spans=[span], population="v")
        charge(book, span)
    assert Ledger.open(path).total().epsilon(BUDGET.delta) <= 1.0
    overlapping = (
        YEARS[1],
        Span(joined="year", after="2023-12-30", until="2025-12-31"),  # one day in common
        Span(joined="month", after="2024-12-31", until="2025-12-31"),  # by another column
        None,
    )
    for whom in overlapping:
        with pytest.raises(InsufficientBudget) as error:
            book.require([EVENT], BUDGET, spans=[whom], population="v")
        assert error.value.requested == pytest.approx(1.0)
        assert error.value.remaining < 0.01
    with pytest.raises(InsufficientBudget):
        book.require(
            [EVENT], BUDGET, spans=[Span(joined="year", after="2024-12-31", until="2025-12-31")], population="w"
        )
    book.require([EVENT], BUDGET, spans=[Span(joined="year", after="2024-12-31", until="2025-12-31")], population="v")


def test_a_refusal_says_what_is_left_for_those_whom_it_is_about(series: Ledger) -> None:
    large = GaussianEvent(label="release", mu=2 * EVENT.mu)
    with pytest.raises(InsufficientBudget) as error:
        series.require(
            [large], BUDGET, spans=[Span(joined="year", after="2024-12-31", until="2025-12-31")], population="v"
        )
    assert error.value.spent == 0.0
    assert error.value.remaining == pytest.approx(1.0)


def test_periods_are_read_back(series: Ledger, path: Path) -> None:
    again = Ledger.read(path)
    assert [entry.span for entry in again.entries] == list(YEARS)
    assert again.entries == series.entries
    assert [step.so_far.mu for step in steps(again.entries)] == [EVENT.mu] * 3
    assert any("one period alone, by column 'year'" in note for note in notes(again.entries))


def test_a_torn_charge_counts_for_everybody(series: Ledger, path: Path) -> None:
    """Even where nothing but the end of the line is lost, so that its period could still be read."""
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    event_ends = whole.index(b"}", start) + 1
    for size in (len(whole) - 1, len(whole) - 5, event_ends):
        path.write_bytes(whole[:size])
        torn = Ledger.open(path)
        assert torn.entries[-1].span is None
        assert torn.entries[-1].interrupted
        assert torn.total().mu == pytest.approx(2**0.5 * EVENT.mu)
        charge(torn, YEARS[2])
        assert Ledger.open(path).total().mu == pytest.approx(2**0.5 * EVENT.mu)


def test_copies_and_merged_ledgers_keep_periods(series: Ledger, path: Path, tmp_path: Path) -> None:
    for entry in series.entries:
        copied = read_entry(copied_line(b"line", entry), b"line", 2)
        assert copied == entry
        assert copied.digest == entry.digest
    other = tmp_path / "other.caseveil"
    other.write_bytes(path.read_bytes())
    charge(Ledger.open(other), Span(joined="year", after="2024-12-31", until="2025-12-31"), "2025")
    charge(Ledger.open(path), YEARS[0], "again")
    out = tmp_path / "out.caseveil"
    merge([path, other], out)
    merged = Ledger.open(out)
    assert [entry.span for entry in merged.entries].count(YEARS[0]) == 2
    assert len(merged.entries) == 5
    assert merged.total().mu == pytest.approx(2**0.5 * EVENT.mu)


def test_a_ledger_without_periods_is_written_and_read_as_before(path: Path) -> None:
    charge(Ledger.open(path), None)
    line = json.loads(path.read_bytes().splitlines()[1])
    assert set(line) == {"previous", "event", "release", "version", "unit", "population", "plan_digest", "time", "id"}
    assert Ledger.open(path).total().mu == EVENT.mu


@pytest.mark.parametrize(
    "period",
    [
        {"joined": "year", "after": "", "until": "2022"},
        {"joined": "year", "after": ""},
        {"joined": "year", "after": "", "until": "2022-12-31", "more": 1},
        {"joined": 1, "after": "", "until": "2022-12-31"},
        {"joined": "year", "after": "2023-01-01", "until": "2022-12-31"},
        None,
        [],
    ],
)
def test_a_period_that_says_nothing_clear_is_damage(path: Path, period: object) -> None:
    charge(Ledger.open(path), YEARS[0])
    head, line = path.read_bytes().splitlines()
    record = {**json.loads(line), "period": period}
    path.write_bytes(head + b"\n" + json.dumps(record).encode() + b"\n")
    with pytest.raises(LedgerError, match="line 2 of the ledger"):
        Ledger.open(path)
