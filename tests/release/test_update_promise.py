"""What a statement says of a series of releases, as data and in words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from caseveil.errors import BundleError, PlanError
from caseveil.release.bundle import BundleContents
from caseveil.release.manifest import canonical_json
from caseveil.release.statement import Statement
from caseveil.release.update_promise import UpdatePromise
from caseveil.schema.period import Period

FIRST = UpdatePromise(period=Period(joined="year", until="2024"))
NEXT = UpdatePromise(period=Period(joined="year", until="2026", after="2025"), before=("cases 2024", "cases 2025"))
AGAIN = dataclasses.replace(NEXT, everyone=0.3)


@pytest.mark.parametrize("promise", [FIRST, NEXT, AGAIN])
def test_statements_read_back(promise: UpdatePromise, make: Callable[..., BundleContents]) -> None:
    statement = make(update=promise).statement
    assert Statement.from_json(json.loads(canonical_json(statement.to_json()))) == statement


def test_a_release_that_stands_alone_says_nothing_of_series(contents: BundleContents) -> None:
    assert "update" not in contents.statement.to_json()
    assert "goes on from" not in contents.statement.to_markdown(contents.about)


@pytest.mark.parametrize(
    "change",
    [
        {"before": []},
        {"after": None},
        {"everyone": 1.0},
        {"everyone": True},
        {"until": "soon"},
        {"until": 2026},
        {"before": ["cases 2024", 3]},
        {"before": 3},
        {"joined": ""},
    ],
)
def test_damaged_data_are_refused(change: dict[str, object], make: Callable[..., BundleContents]) -> None:
    raw = json.loads(canonical_json(make(update=NEXT).statement.to_json()))
    raw["update"] |= change
    with pytest.raises(BundleError):
        Statement.from_json(raw)


@pytest.mark.parametrize(
    "wrong", [{"before": ()}, {"period": FIRST.period}, {"everyone": float("nan")}, {"everyone": -0.1}]
)
def test_promises_that_contradict_themselves_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PlanError):
        dataclasses.replace(NEXT, **wrong)  # type: ignore[arg-type]


def test_words(make: Callable[..., BundleContents]) -> None:
    first, following, again = (" ".join(promise.words("victim")) for promise in (FIRST, NEXT, AGAIN))
    assert first.startswith("The release is about every victim who joined the data by 2024.")
    for text in (following, again):
        assert "goes on from cases 2025" in text
        assert "every victim who joined after 2025 and by 2026" in text
        assert "never changing between releases" in text
        assert "added or mended in records of earlier periods" in text
    assert "Nobody who joined earlier was counted again" in following
    assert "intervals grow from release to release" in following
    assert "(30% of the squared mu) went to counting everybody again" in again
    assert "loses that part once more" in again
    assert "intervals grow" not in again
    contents = make(update=NEXT)
    assert "goes on from cases 2025" in contents.statement.to_markdown(contents.about)
