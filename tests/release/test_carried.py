"""measurements.bin is read as it was written, and whatever else is read is damage."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caseveil.errors import BundleError
from caseveil.release.carried import EACH, PEOPLE, SIDES, Carried, domains
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.schema.domain import Domain
from caseveil.schema.links import Link
from caseveil.schema.period import Period
from caseveil.schema.table import Table
from caseveil.synthesis.observed import NoisyResiduals

PERIOD = Period(joined="year", until="2026")
DOMAIN = Domain(names=("größe", "b=1"), sizes=(3, 2))


def residuals(domain: Domain, seed: int = 0) -> NoisyResiduals:
    rng = np.random.default_rng(seed)
    cliques = [c for length in (0, 1, 2) for c in domain.cliques(length)]
    return NoisyResiduals(
        domain=domain,
        values={c: rng.normal(size=domain.shape(c)) * 1e3 for c in cliques},
        variance={c: float(rng.uniform(0.5, 9)) for c in cliques},
    )


def carried(**changes: object) -> Carried:
    base = {"population": "victims", "unit": "victim", "period": PERIOD, "of": ("cases 2025", "cases 2026")}
    return Carried(**{**base, "views": {PEOPLE: residuals(DOMAIN)}, **changes})  # type: ignore[arg-type]


def linked() -> Carried:
    people = Table(name="v", columns=(Category(name="g", values=("F", "M")),), key="id")
    others = Table(name="p", columns=(MultiChoice(name="r", values=("X", "Y")),))
    spaces = domains([people, others], Link(to="v", key="id", at_most=2))
    return carried(views={name: residuals(domain, seed) for seed, (name, domain) in enumerate(spaces.items())})


def assert_same(one: Carried, other: Carried) -> None:
    assert (one.population, one.unit, one.period, one.of) == (other.population, other.unit, other.period, other.of)
    assert list(one.views) == list(other.views)
    for name, view in one.views.items():
        again = other.views[name]
        assert (view.domain, dict(view.variance)) == (again.domain, dict(again.variance))
        assert list(view.values) == list(again.values)
        for clique, table in view.values.items():
            assert np.array_equal(table, again.values[clique])
            assert again.values[clique].shape == view.domain.shape(clique)


@pytest.mark.parametrize("make", [carried, linked])
def test_round_trip_to_the_last_bit(make: object) -> None:
    one = make()  # type: ignore[operator]
    assert_same(one, Carried.from_bytes(one.to_bytes()))
    assert Carried.from_bytes(one.to_bytes()).to_bytes() == one.to_bytes()


def test_views_that_were_not_measured_are_kept_empty() -> None:
    """As with links of which one at most counts: there are no pairs."""
    whole = linked()
    empty = NoisyResiduals(domain=whole.views["pairs"].domain, values={}, variance={})
    one = carried(views={**whole.views, "pairs": empty})
    assert_same(one, Carried.from_bytes(one.to_bytes()))


def test_the_file_begins_with_a_line_that_people_can_read() -> None:
    line, _, rest = carried().to_bytes().partition(b"\n")
    header = json.loads(line)
    assert header["of"] == ["cases 2025", "cases 2026"]
    assert header["views"][PEOPLE]["cliques"] == [[], [0], [1], [0, 1]]
    assert len(rest) == 8 * (4 + 1 + 3 + 2 + 6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"of": ()},
        {"views": {}},
        {"views": {EACH: residuals(DOMAIN)}},
        {"views": {name: residuals(DOMAIN) for name in (PEOPLE, EACH, *SIDES)}},
        {"views": {PEOPLE: NoisyResiduals(domain=DOMAIN, values={}, variance={})}},
    ],
)
def test_what_no_release_leaves_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        carried(**wrong)


WHOLE = carried().to_bytes()
HEADER, _, NUMBERS = WHOLE.partition(b"\n")


def with_header(**changes: object) -> bytes:
    return json.dumps({**json.loads(HEADER), **changes}).encode() + b"\n" + NUMBERS


def with_view(**changes: object) -> bytes:
    view = {**json.loads(HEADER)["views"][PEOPLE], **changes}
    return with_header(views={PEOPLE: view})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n" + NUMBERS,
        b"[" * 100_000,
        WHOLE[:-1],
        WHOLE[:-8],
        WHOLE + bytes(8),
        HEADER,
        with_header(views=[]),
        with_header(views={}),
        with_header(of=[]),
        with_header(until="soon"),
        with_header(joined=" "),
        with_header(format="one"),
        with_view(sizes=[3, 1]),
        with_view(sizes=[3, float("inf")]),
        with_view(sizes=[3]),
        with_view(sizes=[3, 10**30]),
        with_view(names=["a", "a"]),
        with_view(cliques=[[], [0], [1], [1, 0]]),
        with_view(cliques=[[], [0], [1], [0, 7]]),
        with_view(cliques=[[], [0], [1], [0, -1]]),
        with_view(cliques=[[], [0], [1], [0, 0]]),
        with_view(cliques=[[], [0], [0], [0, 1]]),
        with_view(cliques=[[0], [1], [0, 1]]),
        with_view(cliques=3),
        HEADER + b"\n" + np.full(16, np.nan).tobytes(),
        HEADER + b"\n" + np.full(16, -1.0).tobytes(),
    ],
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"measurements\.bin"):
        Carried.from_bytes(data)


def test_a_file_of_a_later_format_says_so() -> None:
    with pytest.raises(BundleError, match="written in another format"):
        Carried.from_bytes(with_header(format=2))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=6), st.integers(0, 6))
@example(len(HEADER) - 3, b"e999", 0)
def test_any_change_is_damage_or_is_read_as_numbers_and_names(at: int, put: bytes, gone: int) -> None:
    """Never another error, and never a file that would not be written again as it was understood."""
    try:
        found = Carried.from_bytes(WHOLE[:at] + put + WHOLE[at + gone :])
    except BundleError:
        return
    assert_same(found, Carried.from_bytes(found.to_bytes()))
