"""What the curator promises, checked on the code as it is and on planted faults that the same check must find.

`complaints` runs a curator and reports everything that is wrong. It must be silent on the real code and speak on
every mutant. Statistical bounds: a false alarm has probability 1e-9 per test; nothing is rerun.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.measurement import curator as room
from caseveil.measurement.curator import Curator
from caseveil.measurement.residuals import optimal_variances
from caseveil.privacy.accountant import total
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent
from caseveil.records.encoding import encode
from caseveil.records.prepare import Rows
from caseveil.schema.attribute import Category, MultiChoice
from tests.measurement.invented import (
    BOOKS,
    SURPRISE,
    chi_square_complaint,
    coordinates,
    curator_of,
    exact_residuals,
    rows_of,
    up_to,
)

pytestmark = pytest.mark.engine

RUNS = 150
MU = 0.4
DELTA = 0.05
RARE_VALUES = 20_000
SECRET = "Villa Amarilla"


def cases() -> Rows:
    rng = np.random.default_rng(5)
    cells = {name: [f"{name}{v}" if v else "" for v in rng.integers(0, 4, 60)] for name in "abcd"}
    return rows_of(cells, [Category(name=name, values=tuple(f"{name}{v}" for v in (1, 2, 3))) for name in "abcd"])


def lonely() -> Rows:
    """Every value is held by one person alone."""
    where = [SECRET, *(f"place {i}" for i in range(RARE_VALUES - 1))]
    return rows_of({"where": where}, [])


def binomial_complaint(found: int, chance: float, trials: int, side: str) -> str | None:
    """Chernoff: a count this far from its mean, on its side, has probability below exp(-SURPRISE)."""
    share = found / trials
    if (share > chance) != (side == "high") or share == chance:
        return None
    distance = share * math.log(share / chance) if share else 0.0
    distance += (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return f"{found} of {trials} where {chance:.4f} is claimed" if trials * distance > SURPRISE else None


class Order:
    """Notes the order in which the ledger is charged and the rows are counted."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        for name in ("count_many", "value_counts", "rounded_gaussian", "rounded_gaussians"):
            real = getattr(room, name)
            patch.setattr(room, name, self._noting(name, real))
        patch.setattr(Ledger, "charge", self._noting("charge", Ledger.charge))

    def _noting(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def noted(*args: object, **kwargs: object) -> object:
            self.seen.append(name)
            return real(*args, **kwargs)

        return noted

    def complaint(self) -> str | None:
        charged = False
        for name in self.seen:
            if name == "charge":
                charged = True
            elif not charged:
                return f"{name} came before any charge"
        return None


def charge_complaints(curator: Curator, ledger: Ledger, wanted: Sequence[Event]) -> list[str]:
    out = []
    if [(e.event.mu, type(e.event)) for e in ledger.entries] != [(e.mu, type(e)) for e in wanted]:
        out.append("the ledger does not hold what was asked for")
    if tuple(e.event for e in ledger.entries) != tuple(curator.events):
        out.append("the ledger and the curator's events differ")
    if wanted and ledger.entries and total(wanted).mu > ledger.total().mu * (1 + 1e-12):
        out.append("less is on the ledger than was asked for")
    return out


def noise_complaints() -> list[str]:
    """Residuals, all lengths, and the number of people: is the noise what mu was charged for? From both sides."""
    rows = cases()
    domain = rows.table.domain()
    weights = {c: 1.0 for c in up_to(domain, 3) if c}
    plan = optimal_variances(weights, domain, MU)
    exact = exact_residuals(encode(rows, rows.table), plan)
    squares: dict[int, float] = {}
    degrees: dict[int, int] = {}
    signal: dict[int, float] = {}
    for _ in range(RUNS):
        curator = curator_of(rows)
        measured = curator.residuals(rows.table, mu=MU).measure(plan)
        for clique, variance in plan.items():
            z = coordinates(measured.values[clique] - exact[clique]) / math.sqrt(variance)
            k = len(clique)
            squares[k] = squares.get(k, 0.0) + float((z**2).sum())
            degrees[k] = degrees.get(k, 0) + z.size
            signal[k] = signal.get(k, 0.0) + float(z.sum())
    people = np.array([curator_of(rows).people(mu=0.05) for _ in range(10 * RUNS)]) - rows.n
    squares[-1], degrees[-1], signal[-1] = float(((people * 0.05) ** 2).sum()), len(people), float(people.sum() * 0.05)
    out = []
    for k in squares:
        if found := chi_square_complaint(squares[k], degrees[k]):
            out.append(f"length {k}: {found}")
        if abs(signal[k]) > 6.2 * math.sqrt(degrees[k]):
            out.append(f"length {k}: the noise has a mean")
    return out


def single_tables_complaints() -> list[str]:
    """No table of a call is released with less noise than the others: 150 repetitions, clique by clique."""
    rows = cases()
    domain = rows.table.domain()
    plan = dict.fromkeys(up_to(domain, 2), 4.0)
    exact = exact_residuals(encode(rows, rows.table), plan)
    squares = dict.fromkeys(plan, 0.0)
    for _ in range(RUNS):
        measured = curator_of(rows).residuals(rows.table, mu=10.0).measure(plan)
        for clique in plan:
            squares[clique] += float((coordinates(measured.values[clique] - exact[clique]) ** 2).sum()) / 4.0
    out = []
    for clique, found in squares.items():
        degrees = RUNS * math.prod(n - 1 for n in domain.shape(clique))
        if (complaint := chi_square_complaint(found, degrees)) and "small" in complaint:
            out.append(f"{clique}: {complaint}")
    return out


def discovery_complaints() -> list[str]:
    """A value that one person alone holds is released with probability at most delta, and nearly delta.

    sigma is 100 here. A threshold one lower would pass delta, and one step changes the chance by less than 2.5% (the
    hazard rate of the normal distribution is below 2.2 there).
    """
    kept = len(curator_of(lonely()).values(mu=0.01, delta=DELTA).values["where"])
    out = []
    if found := binomial_complaint(kept, DELTA, RARE_VALUES, "high"):
        out.append(f"lonely values: {found}")
    if found := binomial_complaint(kept, 0.975 * DELTA, RARE_VALUES, "low"):
        out.append(f"lonely values are kept too seldom: {found}")
    return out


def cap_complaints() -> list[str]:
    """Sets are cut to at_most items before they are counted: with next to no noise the counts would show it."""
    cells = [";".join(f"item{j}" for j in range(8))] * 400 + ["item8"] * 400
    rows = rows_of({"means": cells}, [MultiChoice(name="means", at_most=2)])
    found = curator_of(rows).values(mu=5.0, delta=1e-6)
    common = [item for item in found.values["means"] if item != "item8"]
    return [] if len(common) == 2 else [f"one set of 8 items gave {len(common)} values where at most 2 may count"]


def order_complaints(tmp_path: Path) -> list[str]:
    """Charged first, on the disk, under the right names; nothing about a row stands in what is written or shown."""
    out = []
    rows = cases()
    plan = optimal_variances({(0, 1): 1.0}, rows.table.domain(), MU)
    wanted: list[tuple[str, Rows, Callable[[Curator], object], Event]] = [
        ("people", rows, lambda c: c.people(mu=0.3), GaussianEvent(label="", mu=0.3)),
        (
            "values",
            lonely(),
            lambda c: c.values(mu=0.3, delta=1e-6),
            SelectionEvent(label="", mu=0.3, delta=1e-6),
        ),
        ("residuals", rows, lambda c: c.residuals(rows.table, mu=MU).measure(plan), GaussianEvent(label="", mu=MU)),
    ]
    for name, source, act, event in wanted:
        path = tmp_path / f"{name}.caseveil"
        ledger = Ledger.open(path)
        curator = Curator(rows=source, ledger=ledger, books=BOOKS)
        with pytest.MonkeyPatch.context() as patch:
            order = Order(patch)
            act(curator)
        if found := order.complaint():
            out.append(f"{name}: {found}")
        out += [f"{name}: {found}" for found in charge_complaints(curator, Ledger.open(path), [event])]
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        if any(
            word in text
            for word in (SECRET, "place 17")
            for text in (written, repr(curator), repr(curator.events), repr(source))
        ):
            out.append(f"{name}: a value of a row is written or shown")

        class Refusing(Ledger):
            def charge(self, event: Event, **texts: str) -> None:
                raise RuntimeError("the disk is full")

        with pytest.MonkeyPatch.context() as patch:
            order = Order(patch)
            try:
                act(Curator(rows=source, ledger=Refusing(), books=BOOKS))
                out.append(f"{name}: went on although nothing was charged")
            except RuntimeError:
                pass
            if order.seen:
                out.append(f"{name}: {order.seen[0]} although nothing was charged")
    return out


def allowance_complaints() -> list[str]:
    """More than was charged cannot be measured, not even in many small steps."""
    rows = cases()
    domain = rows.table.domain()
    out = []
    plan = optimal_variances({(0, 1, 2): 1.0}, domain, MU)
    allowance = curator_of(rows).residuals(rows.table, mu=MU)
    allowance.measure(plan)
    for clique in ((), (0,)):
        try:
            allowance.measure({clique: 1e6})
            out.append("measured on although the allowance was used up")
        except ValueError:
            pass
    try:
        curator_of(rows).residuals(rows.table, mu=MU).measure({c: s * 0.99 for c, s in plan.items()})
        out.append("a plan that costs 1% too much was measured")
    except ValueError:
        pass
    allowance = curator_of(rows).residuals(rows.table, mu=MU)
    steps = 0
    try:
        while steps < 100:
            allowance.measure({(): 50 / MU**2})
            steps += 1
    except ValueError:
        pass
    if steps != 50:
        out.append(f"50 steps were paid for and {steps} were made")
    return out


def complaints(tmp_path: Path) -> Iterator[str]:
    """Everything that is wrong with the curator as it is now; what is quickest to find comes first."""
    yield from order_complaints(tmp_path)
    yield from allowance_complaints()
    yield from cap_complaints()
    yield from discovery_complaints()
    yield from single_tables_complaints()
    yield from noise_complaints()


def test_the_curator_keeps_its_promises(tmp_path: Path) -> None:
    assert list(complaints(tmp_path)) == []


# Planted faults. Each one is a mistake that was made somewhere, by somebody.

Noise = NDArray[np.int64]
real_many, real_one, real_grid = room.rounded_gaussians, room.rounded_gaussian, room.grid_sigma


def no_noise(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "rounded_gaussians", lambda sigmas, sizes: np.zeros(sum(sizes), np.int64))


def noise_with_another_sigma(factor: float) -> Callable[[pytest.MonkeyPatch], None]:
    def fault(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(room, "grid_sigma", lambda sigma: real_grid(sigma * factor))

    return fault


def sensitivity_of_the_unscaled_table(patch: pytest.MonkeyPatch) -> None:
    def unscaled(sigmas: Sequence[Fraction], sizes: Sequence[int]) -> Noise:
        return real_many([real_grid(float(s) / n) for s, n in zip(sigmas, sizes, strict=True)], sizes)

    patch.setattr(room, "rounded_gaussians", unscaled)


def one_table_without_noise(patch: pytest.MonkeyPatch) -> None:
    def spoiled(sigmas: Sequence[Fraction], sizes: Sequence[int]) -> Noise:
        noise = real_many(sigmas, sizes)
        noise[sum(sizes[:-1]) :] = 0
        return noise

    patch.setattr(room, "rounded_gaussians", spoiled)


def noise_with_a_seed(patch: pytest.MonkeyPatch) -> None:
    def seeded(sigmas: Sequence[Fraction], sizes: Sequence[int]) -> Noise:
        rng = np.random.default_rng(1)
        return np.rint(np.repeat([float(s) for s in sigmas], sizes) * rng.normal(size=sum(sizes))).astype(np.int64)

    patch.setattr(room, "rounded_gaussians", seeded)


def people_counted_without_noise(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "rounded_gaussian", lambda sigma, size: np.zeros(size, np.int64))


def forgotten_charge(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Curator, "_charge", lambda self, event: self.events.append(event))


def half_a_charge(patch: pytest.MonkeyPatch) -> None:
    real = Curator._charge

    def halved(self: Curator, event: Event) -> None:
        if isinstance(event, GaussianEvent):
            event = GaussianEvent(label=event.label, mu=event.mu / 2, detail=event.detail)
        real(self, event)

    patch.setattr(Curator, "_charge", halved)


def charge_after_the_count(patch: pytest.MonkeyPatch) -> None:
    def people(self: Curator, *, mu: float) -> int:
        noise = room.rounded_gaussian(room.grid_sigma(1.0 / mu), 1)
        self._charge(GaussianEvent(label="number of people", mu=mu))
        return int(self._rows.n + noise[0])

    patch.setattr(Curator, "people", people)


def charge_only_in_memory(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "_append", lambda self, data, *, at: at + len(data))


def a_row_leaks_into_the_books(patch: pytest.MonkeyPatch) -> None:
    real = Curator._charge

    def leaking(self: Curator, event: Event) -> None:
        first = next(iter(self._rows.columns.values()))[0]
        if isinstance(event, SelectionEvent):
            event = SelectionEvent(label=event.label, mu=event.mu, delta=event.delta, detail=f"first cell {first}")
        real(self, event)

    patch.setattr(Curator, "_charge", leaking)


def threshold_times(factor: float) -> Callable[[pytest.MonkeyPatch], None]:
    def fault(patch: pytest.MonkeyPatch) -> None:
        real = room.whole_threshold
        patch.setattr(room, "whole_threshold", lambda *args: round(real(*args) * factor))

    return fault


def every_value_is_named(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "whole_threshold", lambda sigma, touched, delta: 1)


def sets_are_not_cut(patch: pytest.MonkeyPatch) -> None:
    real = room.value_counts
    patch.setattr(room, "value_counts", lambda rows, column, *, at_most=None: real(rows, column))


def allowance_without_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "cost", lambda variances, domain: 0.0)


def allowance_with_slack(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "_SLACK", 1.05)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "no noise": no_noise,
    "noise 20% too small": noise_with_another_sigma(0.8),
    "noise 20% too large": noise_with_another_sigma(1.2),
    "sensitivity of the unscaled table": sensitivity_of_the_unscaled_table,
    "one table without noise": one_table_without_noise,
    "noise with a seed": noise_with_a_seed,
    "people counted without noise": people_counted_without_noise,
    "forgotten charge": forgotten_charge,
    "half a charge": half_a_charge,
    "charge after the count": charge_after_the_count,
    "charge only in memory": charge_only_in_memory,
    "a row leaks into the books": a_row_leaks_into_the_books,
    "threshold 10% too low": threshold_times(0.9),
    "threshold 10% too high": threshold_times(1.1),
    "every value is named": every_value_is_named,
    "sets are not cut": sets_are_not_cut,
    "allowance without end": allowance_without_end,
    "allowance with slack": allowance_with_slack,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is missed with a probability far below 1e-6: each is many standard errors away."""
    FAULTS[fault](monkeypatch)
    assert next(complaints(tmp_path), None) is not None
