"""What charges about parts of a population cost is what the person who lost most has lost: found day by day."""

import datetime
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseveil.privacy.accountant import TotalLoss, total
from caseveil.privacy.ledger import remaining
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent
from caseveil.privacy.worst_case import Span, WorstLoss, worst_case

FIRST, LAST = datetime.date(2020, 1, 1), 12
Charge = tuple[Event, str, Span | None]


def day(number: int) -> str:
    return (FIRST + datetime.timedelta(days=number)).isoformat()


@st.composite
def spans(draw: st.DrawFn) -> Span:
    until = draw(st.integers(1, LAST))
    after = draw(st.integers(-1, until - 1))
    return Span(joined=draw(st.sampled_from(["d", "e"])), after="" if after < 0 else day(after), until=day(until))


MU = st.floats(0.01, 4.0)
EVENTS = st.one_of(
    st.builds(lambda mu: GaussianEvent(label="x", mu=mu), MU),
    st.builds(lambda mu, delta: SelectionEvent(label="x", mu=mu, delta=delta), MU, st.floats(1e-9, 1e-3)),
)
CHARGES = st.lists(st.tuples(EVENTS, st.sampled_from(["a", "b"]), st.none() | spans()), max_size=7)


def by_days(
    charges: list[Charge], among: list[tuple[str, Span | None]] | None = None, at: float = 0.01
) -> tuple[float, float, float]:
    """mu, delta, and epsilon at the given delta, each of whoever lost most of it, over every choice of a day in every
    population by every column."""
    kinds = sorted({(name, span.joined) for _, name, span in charges if span is not None})
    mu = delta = epsilon = 0.0
    seen: dict[tuple[int, ...], list[Event]] = {}
    for days in itertools.product(range(LAST + 1), repeat=len(kinds)):
        joined = dict(zip(kinds, (day(number) for number in days), strict=True))

        def holds(name: str, span: Span | None, joined: dict[tuple[str, str], str] = joined) -> bool:
            if span is None or (name, span.joined) not in joined:
                return True
            return span.after < joined[name, span.joined] <= span.until

        if among is not None and not any(holds(name, span) for name, span in among):
            continue
        met = [event for event, name, span in charges if holds(name, span)]
        seen.setdefault(tuple(map(id, met)), met)
    for met in seen.values():
        loss = total(met)
        mu, delta, epsilon = max(mu, loss.mu), max(delta, loss.delta), max(epsilon, loss.epsilon(at))
    return mu, delta, epsilon


@settings(max_examples=60, deadline=None)
@given(CHARGES)
def test_the_worst_person_is_found_by_looking_at_last_days_alone(charges: list[Charge]) -> None:
    """A person has one day by each column, and may be in several populations."""
    found = worst_case(charges)
    mu, delta, epsilon = by_days(charges)
    assert found.mu == pytest.approx(mu, rel=1e-12)
    assert found.delta == pytest.approx(delta, rel=1e-12)
    assert found.epsilon(0.01) == pytest.approx(epsilon, rel=1e-9)
    assert found.mu >= mu * (1 - 1e-15)
    assert found.epsilon(0.01) >= epsilon * (1 - 1e-12)


@settings(max_examples=60, deadline=None)
@given(CHARGES, spans())
def test_among_some_people_it_is_never_below_the_worst_of_them(charges: list[Charge], span: Span) -> None:
    found, everybody = worst_case(charges, among=[("a", span)]), worst_case(charges)
    mu, delta, epsilon = by_days(charges, [("a", span)])
    assert epsilon * (1 - 1e-12) <= found.epsilon(0.01) <= everybody.epsilon(0.01) * (1 + 1e-12)
    assert mu * (1 - 1e-12) <= found.mu <= everybody.mu
    assert delta * (1 - 1e-12) <= found.delta <= everybody.delta


def test_three_years_cost_what_the_dearest_costs() -> None:
    whole = Span(joined="d", after="", until="2022-12-31")
    events = [GaussianEvent(label="x", mu=mu) for mu in (0.5, 1.0, 0.25)]
    years = [whole, Span(joined="d", after="2022-12-31", until="2023-12-31")]
    years.append(Span(joined="d", after="2023-12-31", until="2024-12-31"))
    charges = [(event, "a", year) for event, year in zip(events, years, strict=True)]
    assert worst_case(charges) == TotalLoss(mu=1.0, delta=0.0)
    assert worst_case(charges, among=[("a", years[2])]).mu == 0.25
    assert worst_case(charges, among=[("a", None)]).mu == 1.0
    assert worst_case([*charges, (events[0], "a", None)]).mu == math.sqrt(1.25)


def test_one_person_is_not_blamed_for_the_mu_of_one_year_and_the_delta_of_another() -> None:
    """A first release that discovers values, and a second that spends all on mu: each costs epsilon 1 at 1e-6."""
    years = Span(joined="d", after="", until="2022-12-31"), Span(joined="d", after="2022-12-31", until="2023-12-31")
    mus = [mu_for(EpsilonDelta(epsilon=1.0, delta=delta)) for delta in (9e-7, 1e-6)]
    first = SelectionEvent(label="x", mu=mus[0], delta=1e-7)
    found = worst_case([(first, "a", years[0]), (GaussianEvent(label="y", mu=mus[1]), "a", years[1])])
    assert isinstance(found, WorstLoss)
    assert (found.mu, found.delta) == (mus[1], 1e-7)
    assert 0.999 < found.epsilon(1e-6) <= 1.0
    budget = EpsilonDelta(epsilon=2.0, delta=1e-6)
    assert remaining(found, budget) == min(remaining(loss, budget) for loss in found.apart) > 0.9


def test_without_periods_it_is_the_total() -> None:
    events: list[Event] = [GaussianEvent(label="x", mu=0.3), SelectionEvent(label="y", mu=0.1, delta=1e-7)]
    assert worst_case((event, name, None) for event, name in zip(events, "ab", strict=True)) == total(events)
    assert worst_case([]) == TotalLoss(mu=0.0, delta=0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"joined": ""},
        {"until": "2026"},
        {"until": "20261231"},
        {"after": "2026-12-31"},
        {"after": "2027-01-01"},
        {"after": "2026-2-1"},
        {"until": 20261231},
    ],
)
def test_spans_are_of_days(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"joined|must|day|Invalid isoformat"):
        Span(**{"joined": "d", "after": "", "until": "2026-12-31", **wrong})
