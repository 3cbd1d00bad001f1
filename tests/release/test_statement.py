"""The statement is exact, never rounds in its own favour, and reads back."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import BundleError, PlanError
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.release.bundle import BundleContents
from caseveil.release.manifest import canonical_json
from caseveil.release.prose import plain
from caseveil.release.statement import Statement, above, as_sentence, factor_text, one_in


@pytest.fixture
def statement(contents: BundleContents) -> Statement:
    return contents.statement


def test_json_round_trip(statement: Statement) -> None:
    assert Statement.from_json(json.loads(canonical_json(statement.to_json()))) == statement


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epsilon", 0), ("epsilon", "1"), ("epsilon", True), ("delta", 1.0), ("mu", None), ("mechanisms", [1]),
        ("mechanisms", [{"label": "x", "mu": -1.0, "detail": ""}]), ("records", 1.5), ("records", -1), ("length", 0),
        ("groups", {"one": 1}), ("unit", " "), ("guarantee", "k-anonymity"), ("sentence", "All is safe."),
        ("public", "text"), ("software", []),
    ],
)  # fmt: skip
def test_damaged_json_is_refused(statement: Statement, key: str, value: object) -> None:
    raw = json.loads(canonical_json(statement.to_json()))
    if key == "public":
        value = [1]
    raw[key] = value
    with pytest.raises(BundleError):
        Statement.from_json(raw)
    del raw[key]
    with pytest.raises(BundleError):
        Statement.from_json(raw)


@pytest.mark.parametrize("change", [{"epsilon": math.inf}, {"delta": 0.0}, {"mu": math.nan}, {"level": 1.0}])
def test_impossible_numbers_are_refused(statement: Statement, change: dict[str, float]) -> None:
    with pytest.raises(PlanError, match=next(iter(change))):
        dataclasses.replace(statement, **change)


def test_sums(statement: Statement) -> None:
    assert statement.composed_mu == pytest.approx(statement.mu, rel=1e-12)
    assert statement.discovery_delta == 0
    assert statement.delta_at_epsilon <= statement.delta
    found = dataclasses.replace(
        statement,
        mechanisms=(*statement.mechanisms, {"label": "values", "mu": statement.mu, "delta": 1e-6, "detail": ""}),
    )
    assert found.composed_mu == pytest.approx(statement.mu * math.sqrt(2), rel=1e-12)
    assert found.delta_at_epsilon == pytest.approx(statement.delta_at_epsilon + 1e-6, rel=1e-12)
    assert found.guess_rate == pytest.approx(statement.guess_rate + 5e-7, rel=1e-12)


def test_guess_rate_is_that_of_the_best_test(statement: Statement) -> None:
    """Phi(mu/2) from a table of the normal distribution: Phi(0.5) = 0.691462, Phi(0.1) = 0.539828."""
    assert dataclasses.replace(statement, mu=1.0).guess_rate == pytest.approx(0.6914624613, rel=1e-9)
    assert dataclasses.replace(statement, mu=0.2).guess_rate == pytest.approx(0.5398278373, rel=1e-9)


@given(st.floats(1e-12, 1e8), st.integers(2, 5))
def test_above_is_never_below_and_close(value: float, digits: int) -> None:
    shown = float(above(value, digits).replace(",", ""))
    assert value <= shown <= value * (1 + 2 * 10.0 ** (1 - digits))


@given(st.floats(1e-12, 0.5))
def test_one_in_is_never_too_rare(delta: float) -> None:
    times = int(one_in(delta).replace(",", ""))
    assert times <= 1 / delta * (1 + 1e-8)
    assert times >= 0.85 / delta - 1


def test_one_in_agrees_with_the_delta_that_is_shown() -> None:
    assert one_in(5e-6) == "200,000"
    assert one_in(6e-6) == "160,000"
    assert one_in(0.3) == "3"


def test_sentences_begin_and_end() -> None:
    assert as_sentence("every one is published ") == "Every one is published."
    assert as_sentence("It is.") == "It is."
    assert as_sentence("") == ""


def test_factor() -> None:
    assert factor_text(1.0) == "2.72"
    assert factor_text(math.log(2)) == "2"
    assert factor_text(10.0) == "22,100"


def test_sentence_names_the_unit_and_the_numbers(statement: Statement) -> None:
    text = str(statement)
    for part in ("Every victim", "epsilon 1,", "delta 5e-06)", "2.72", "at most one in 200,000."):
        assert part in text


def test_markdown_says_what_an_officer_looks_for(contents: BundleContents) -> None:
    statement = contents.statement
    text = statement.to_markdown(contents.about)
    for part in (
        plain(statement.unit.neighbours), repr(statement.mu), repr(statement.rho), repr(statement.epsilon),
        "short counts", "long counts", "single columns \\| pairs", "Karney", "Dong, Roth, Su", "Balle, Wang",
        "The edges of the bins of age.", "| 3 | 20 | 8 |", "What is not protected", "How to cite", "at most 24 in 100",
        "one in 200,000", "4.8% of the published combinations of three values", "numpy 2.0.2",
    ):  # fmt: skip
        assert part in text, part
    assert "<invented>" not in text, "the title must not turn into markup"
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_markdown_tells_apart(contents: BundleContents) -> None:
    base = contents.statement
    weak = dataclasses.replace(base, epsilon=8.0, mu=mu_for(EpsilonDelta(epsilon=8.0, delta=5e-6)))
    assert "promises little" in weak.to_markdown(contents.about)
    assert "promises little" not in base.to_markdown(contents.about)
    bare = dataclasses.replace(base, ledger_kept=False, discovered=("gender",))
    text = bare.to_markdown(contents.about)
    assert "No ledger was kept" in text
    assert "in gender. A value was kept" in text
    assert "values of every column were declared" in base.to_markdown(contents.about)


def test_prose_has_no_number_of_real_rows(make: Callable[..., BundleContents]) -> None:
    """The statement has no field for it; records is the noisy number."""
    names = {field.name for field in dataclasses.fields(make().statement)}
    assert not names & {"n", "rows", "source", "path"}
