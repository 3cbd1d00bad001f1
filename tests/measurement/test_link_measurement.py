"""Measurement of linked rows: truth under the noise, the variance that is claimed, and budgets that hold.

Statistical bounds: a false alarm has probability 1e-9 per test; nothing is rerun.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from caseveil import produce_links
from caseveil.measurement import curator as room
from caseveil.measurement.curator import LinkAllowance, ResidualAllowance
from caseveil.measurement.discovery import new_value_chance
from caseveil.measurement.link_workload import ANY_SHARE, PAIR_SHARE, TILT_SHARE, link_workload, plan_links
from caseveil.measurement.residuals import cost
from caseveil.plan import Plan, Promise, TablePlan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import SelectionEvent
from caseveil.privacy.noise import grid_sigma
from caseveil.records.counting import linked_value_counts
from caseveil.records.linkage import LinkedRows
from caseveil.records.prepare import Rows
from caseveil.release.about import About
from caseveil.schema.attribute import Category, Column, MultiChoice
from caseveil.schema.domain import Clique
from caseveil.schema.links import Link
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit
from tests.measurement.invented import SURPRISE, chi_square_complaint, coordinates
from tests.measurement.invented_links import (
    VIEWS,
    BulkNoise,
    exact,
    link_curator,
    linked,
    measured_cliques,
    random_people,
    tables_of,
    views_of,
)

pytestmark = pytest.mark.engine

CAP = 4  # the tilt then reaches 1.5, and not 1 as everything else
TABLES = tables_of(CAP)
PEOPLE = random_people(TABLES, 40, np.random.default_rng(1))
ROWS = linked(TABLES, PEOPLE)
CLIQUES = measured_cliques(TABLES)
DELTA = 0.05


def allowance_of(mu: float, changed: int = 1) -> LinkAllowance:
    return link_curator(ROWS, changed=changed).link_residuals(TABLES, mu=mu)


@pytest.mark.parametrize("name", VIEWS)
def test_without_the_noise_the_truth_comes_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "rounded_gaussians", lambda sigmas, sizes: np.zeros(sum(sizes), np.int64))
    measured = getattr(allowance_of(100.0), name).measure(dict.fromkeys(CLIQUES[name], 1.0))
    truth = exact(getattr(views_of(TABLES, PEOPLE), name), CLIQUES[name])
    assert set(measured.values) == set(truth)
    for clique, table in truth.items():
        np.testing.assert_allclose(measured.values[clique], table, atol=1e-9)
    assert max(float(np.abs(table).max()) for table in truth.values()) > 1


def noise_complaints(name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Squared noise of a view in units of what is claimed, by clique length; from both sides."""
    view: ResidualAllowance = getattr(allowance_of(1e6), name)
    truth = exact(getattr(views_of(TABLES, PEOPLE), name), CLIQUES[name])
    monkeypatch.setattr(room, "rounded_gaussians", BulkNoise())
    # every clique its own level, so that none passes for another
    claimed: dict[Clique, float] = {c: 3.0 + 2.0 * at for at, c in enumerate(CLIQUES[name])}
    squares: Counter[str] = Counter()
    degrees: Counter[str] = Counter()
    per_run = sum(view.measure(claimed).degrees(c) for c in claimed)
    for _ in range(math.ceil(6_000 / per_run)):
        measured = view.measure(claimed)
        for clique, variance in claimed.items():
            z = coordinates(measured.values[clique] - truth[clique]) / math.sqrt(variance)
            for group in ("all", f"length {len(clique)}"):
                squares[group] += float((z**2).sum())
                degrees[group] += z.size
    found = {group: chi_square_complaint(squares[group], degrees[group]) for group in degrees}
    return [f"{group}: {complaint}" for group, complaint in found.items() if complaint]


@pytest.mark.parametrize("name", VIEWS)
def test_the_noise_has_the_variance_that_is_claimed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 5 chi-squares, each wrong with probability below exp(-SURPRISE) a side: together about 5e-9."""
    assert noise_complaints(name, monkeypatch) == []


@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("name", VIEWS)
def test_noise_that_is_off_by_a_fifth_is_found(name: str, factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "grid_sigma", lambda sigma: grid_sigma(factor * sigma))
    assert noise_complaints(name, monkeypatch)


# Budgets


def within(variances: dict[Clique, float], allowance: ResidualAllowance, squared: float) -> dict[Clique, float]:
    """The same variances, scaled so that they cost this much of squared mu as the rows see it."""
    view = allowance._view
    price = cost(variances, view.rows.domain) * view.reach**2
    return {c: v * price / squared for c, v in variances.items()}


@pytest.mark.parametrize("changed", [1, 2, 6])
@pytest.mark.parametrize("name", VIEWS)
def test_what_was_charged_is_all_that_can_be_measured(name: str, changed: int) -> None:
    """A unit that changes several people pays changed^2 times as much."""
    mu = 0.7
    full = mu**2 / changed**2
    view: ResidualAllowance = getattr(allowance_of(mu, changed), name)
    ones = dict.fromkeys(CLIQUES[name], 1.0)
    reach = (CAP - 1) / 2 if name == "tilt" else 1.0
    assert view.left == pytest.approx(mu / changed / reach)
    with pytest.raises(ValueError, match="is left"):
        view.measure(within(ones, view, full * 1.001))
    assert view.left == pytest.approx(mu / changed / reach), "a refusal takes nothing"
    view.measure(within(ones, view, full * 0.6))
    assert view.left == pytest.approx(math.sqrt(0.4) * mu / changed / reach)
    with pytest.raises(ValueError, match="is left"):
        view.measure(within(ones, view, full * 0.41))
    view.measure(within(ones, view, full * 0.4))
    assert view.left < 1e-3


def test_the_views_share_one_budget() -> None:
    allowance = allowance_of(1.0)
    for name in VIEWS:
        view: ResidualAllowance = getattr(allowance, name)
        view.measure(within(dict.fromkeys(CLIQUES[name], 1.0), view, 0.25))
    assert allowance.each.left < 1e-4
    for name in VIEWS:
        view = getattr(allowance, name)
        with pytest.raises(ValueError, match="is left"):
            view.measure(within(dict.fromkeys(CLIQUES[name], 1.0), view, 0.01))


def test_the_tilt_of_a_wide_cap_costs_its_reach() -> None:
    """At a cap of 6 one person tilts by 2.5 and costs 6.25 times what a person of weight 1 does."""
    tables = tables_of(6)
    rows = linked(tables, random_people(tables, 10, np.random.default_rng(0)))
    view = link_curator(rows).link_residuals(tables, mu=1.0).tilt
    one = 1.0 - 1.0 / 3
    with pytest.raises(ValueError, match="is left"):
        view.measure({(0,): one * 6.25 * 0.99})
    view.measure({(0,): one * 6.25 * 1.01})


def test_measuring_needs_linked_rows() -> None:
    curator = room.Curator(rows=ROWS.victims, ledger=Ledger.open(None), books=link_curator(ROWS)._books)
    with pytest.raises(ValueError, match="must be linked"):
        curator.link_residuals(TABLES, mu=1.0)
    assert curator.events == []
    with pytest.raises(ValueError, match="changed"):
        room.Curator(rows=ROWS.victims, ledger=Ledger.open(None), books=curator._books, changed=2)


def fails(*_: object, **__: object) -> object:
    raise MemoryError


@pytest.mark.parametrize("at", ["link_views", "count_many", "rounded_gaussians"])
def test_the_charge_comes_before_any_count(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(None)
    monkeypatch.setattr(room, at, fails)
    with pytest.raises(MemoryError):
        link_curator(ROWS, ledger).link_residuals(TABLES, mu=0.5).each.measure({(): 100.0})
    assert [entry.event.mu for entry in ledger.entries] == [0.5]
    assert ledger.entries[0].event.label == "combinations"


# What a release spends


def plan_of(unit: str, cap: int = CAP) -> Plan:
    shared = 2 if unit != "victim" else None
    return Plan(
        about=About(name="cases", version="1"),
        promise=Promise(epsilon=1.0, delta=1e-6),
        unit=PrivacyUnit(name=unit),
        tables=(
            TablePlan(table=TABLES.victims),
            TablePlan(
                table=Table(name="perpetrators", columns=TABLES.perpetrators.columns, key="pid" if shared else None),
                link=Link(to="victims", key="of", at_most=cap, shared_by_at_most=shared),
            ),
        ),
    )


@pytest.mark.parametrize("unit", ["victim", "victim or perpetrator"])
def test_a_release_spends_what_it_charged_and_no_more(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(unit)
    changed = {"victim": 1, "victim or perpetrator": 4}[unit]
    assert plan.changed == changed
    spent: list[float] = []
    real = ResidualAllowance.measure

    def noted(self: ResidualAllowance, variances: dict[Clique, float]) -> object:
        out = real(self, variances)
        reach = (CAP - 1) / 2 if self._view.rows.domain == TABLES.tilt else 1.0
        spent.append(cost(out.variance, out.domain) * reach**2 * changed**2)
        return out

    monkeypatch.setattr(ResidualAllowance, "measure", noted)
    ledger = Ledger.open(None)
    measured = produce_links.measure(plan, ROWS, ledger)
    (event,) = measured.events
    assert [entry.event for entry in ledger.entries] == [event]
    assert 0.99 * event.mu**2 < math.fsum(spent) <= event.mu**2 * (1 + 1e-9)
    assert len(spent) >= 4


@pytest.mark.parametrize("cap", [1, 2, 6])
def test_the_side_views_cost_what_they_say(cap: int) -> None:
    tables = tables_of(cap)
    side = plan_links(tables, 0.8)
    reach = max((cap - 1) / 2, 0.5)
    parts = {
        "tilt": cost(side.tilt, tables.tilt) * reach**2,
        "pairs": cost(side.pairs, tables.pairs),
        "any": cost(side.any, tables.any),
    }
    assert side.spent == pytest.approx(math.fsum(parts.values()))
    assert parts["any"] == pytest.approx(ANY_SHARE * 0.64)
    assert (parts["pairs"] == 0) == (parts["tilt"] == 0) == (cap == 1)
    if cap > 1:
        assert parts["pairs"] == pytest.approx(PAIR_SHARE * 0.64)
        assert parts["tilt"] == pytest.approx(TILT_SHARE * 0.64)


def test_the_number_of_links_matters_most() -> None:
    weights = link_workload(TABLES, length=2).weights
    number = (TABLES.v,)
    assert all(weights[number] > 10 * weights[c] for c in weights if c != number)


# Discovery of values


def found_of(people: int, links: int, cells: Callable[[int], str], columns: tuple[Column, ...], cap: int) -> LinkedRows:
    victims = Table(name="victims", columns=(Category(name="gender", values=("F",)),), key="id")
    return LinkedRows(
        victims=Rows(table=victims, columns={"gender": ["F"] * people}),
        perpetrators=Rows(
            table=Table(name="perpetrators", columns=columns),
            columns={columns[0].name: [cells(i) for i in range(people * links)]},
        ),
        victim_of=np.repeat(np.arange(people, dtype=np.int64), links),
        link=Link(to="victims", key="of", at_most=cap),
    )


def lonely_share(people: int = 4000) -> tuple[int, float]:
    """Victims, each the only one with her four links' values, of whom any value was kept; and what was claimed."""
    rows = found_of(people, 4, lambda i: f"v{i}", (Category(name="where"),), 4)
    curator = link_curator(rows)
    found = curator.values(mu=0.4, delta=DELTA)
    (event,) = curator.events
    assert isinstance(event, SelectionEvent)
    return len({int(value[1:]) // 4 for value in found.linked["where"]}), event.delta


def exceeds(found: int, chance: float, trials: int) -> bool:
    """Chernoff: so many or more would come with a probability below exp(-SURPRISE)."""
    share = found / trials
    if share <= chance:
        return False
    distance = share * math.log(share / chance) + (1 - share) * math.log((1 - share) / (1 - chance))
    return trials * distance > SURPRISE


def test_what_one_victim_alone_has_is_named_with_a_chance_below_delta() -> None:
    """Near delta, too: with 4 values a victim, sigma is 2 / mu = 5, T = 13, and the chance 4.2%; 8 deviations
    below that lie 2%."""
    found, delta = lonely_share()
    assert delta == DELTA
    assert not exceeds(found, DELTA, 4000)
    assert found > 0.02 * 4000


def test_links_forgotten_in_the_discovery_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a victim had one value and not four."""
    monkeypatch.setattr(room, "_most_items", lambda column: 0.25 if column.values is None else 1)
    found, _ = lonely_share()
    assert exceeds(found, DELTA, 4000)


def test_discovery_covers_every_value_of_every_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cap of 3 links, one plain column and one of at most 2 items: 9 values; with one of her own, 10."""
    victims = Table(name="victims", columns=(Category(name="town"),), key="id")
    columns = (Category(name="role"), MultiChoice(name="means", at_most=2), Category(name="sex", values=("F",)))
    people = 400
    rows = LinkedRows(
        victims=Rows(table=victims, columns={"town": ["Lima"] * people}),
        perpetrators=Rows(
            table=Table(name="perpetrators", columns=columns),
            columns={"role": ["r"] * people, "means": ["a;b"] * people, "sex": ["F"] * people},
        ),
        victim_of=np.arange(people, dtype=np.int64),
        link=Link(to="victims", key="of", at_most=3),
    )
    order: list[str] = []
    for name in ("value_counts", "linked_value_counts", "rounded_gaussian"):
        real = getattr(room, name)

        def noted(*args: object, _name: str = name, _real: Callable[..., object] = real, **kwargs: object) -> object:
            order.append(_name)
            return _real(*args, **kwargs)

        monkeypatch.setattr(room, name, noted)
    charge = Ledger.charge
    monkeypatch.setattr(Ledger, "charge", lambda *a, **k: (order.append("charge"), charge(*a, **k))[1])
    curator = link_curator(rows)
    found = curator.values(mu=0.5, delta=1e-7)
    (event,) = curator.events
    assert "columns town, role, means; at most 10 values a person" in event.detail
    sigma = math.sqrt(10) / 0.5
    assert new_value_chance(found.threshold, sigma, 10) <= 1e-7 < new_value_chance(found.threshold - 1, sigma, 10)
    assert dict(found.values) == {"town": ("Lima",)}
    assert dict(found.linked) == {"role": ("r",), "means": ("a", "b")}
    assert order[0] == "charge"
    assert order.count("linked_value_counts") == 2


def test_a_victim_counts_once_however_many_links_say_the_same() -> None:
    cells = ["x", "x", "y", "", "x", "x", "z;y", "x"]
    rows = found_of(2, 4, lambda i: cells[i], (MultiChoice(name="means", at_most=2),), 4)
    assert linked_value_counts(rows, "means", at_most=2) == {"x": 2, "y": 2, "z": 1}
    plain = found_of(2, 4, lambda i: cells[i], (Category(name="means"),), 4)
    assert linked_value_counts(plain, "means") == {"x": 2, "y": 1, "z;y": 1}


def test_a_discovery_that_fails_stays_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(None)
    monkeypatch.setattr(room, "linked_value_counts", fails)
    rows = found_of(5, 1, str, (Category(name="role"),), 2)
    with pytest.raises(MemoryError):
        link_curator(rows, ledger).values(mu=0.5, delta=1e-7)
    assert [entry.event.label for entry in ledger.entries] == ["discovery of values"]


def test_with_perpetrators_as_units_linked_values_are_not_discovered() -> None:
    ledger = Ledger.open(None)
    rows = found_of(5, 1, str, (Category(name="role"),), 2)
    with pytest.raises(ValueError, match="cannot be discovered"):
        link_curator(rows, ledger, changed=4).values(mu=0.5, delta=1e-7)
    assert list(ledger.entries) == []
