"""Events say exactly what happened, survive JSON to the last bit, and unknown ones are refused."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseveil.errors import LedgerError
from caseveil.privacy.mechanism import Event, GaussianEvent, SelectionEvent, event_from_json

MUS = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
DELTAS = st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True)
EVENTS = st.builds(GaussianEvent, label=st.text(), mu=MUS, detail=st.text()) | st.builds(
    SelectionEvent, label=st.text(), mu=MUS, delta=DELTAS, detail=st.text()
)


@given(event=EVENTS)
def test_an_event_survives_json(event: Event) -> None:
    assert event_from_json(json.loads(json.dumps(event.to_json()))) == event


def test_the_written_form_is_fixed() -> None:
    assert GaussianEvent(label="counts", mu=0.5, detail="up to 3").to_json() == {
        "kind": "gaussian", "label": "counts", "mu": 0.5, "detail": "up to 3"
    }  # fmt: skip
    assert SelectionEvent(label="values", mu=0.5, delta=1e-7).to_json() == {
        "kind": "selection", "label": "values", "mu": 0.5, "delta": 1e-7, "detail": ""
    }  # fmt: skip


@pytest.mark.parametrize("mu", [0.0, -1.0, math.nan, math.inf, True, "1"])
def test_an_impossible_mu_is_refused(mu: float) -> None:
    with pytest.raises(ValueError, match="mu"):
        GaussianEvent(label="counts", mu=mu)
    with pytest.raises(ValueError, match="mu"):
        SelectionEvent(label="values", mu=mu, delta=0.1)


@pytest.mark.parametrize("delta", [0.0, 1.0, -1e-9, math.nan, None])
def test_an_impossible_delta_is_refused(delta: float) -> None:
    with pytest.raises(ValueError, match="delta"):
        SelectionEvent(label="values", mu=1.0, delta=delta)


def test_texts_are_text() -> None:
    with pytest.raises(ValueError, match="label"):
        GaussianEvent(label=3, mu=1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="detail"):
        GaussianEvent(label="counts", mu=1.0, detail=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": "laplace", "label": "x", "epsilon": 1.0}, r"kind \(laplace\) must be one of gaussian, selection"),
        ({"label": "x", "mu": 1.0, "detail": ""}, r"event kind \(None\)"),
        ({"kind": ["gaussian"], "label": "x", "mu": 1.0, "detail": ""}, "event kind"),
        ({"kind": "gaussian", "label": "x", "detail": ""}, "the fields detail, kind, label, mu and no others"),
        ({"kind": "gaussian", "label": "x", "mu": 1.0, "detail": "", "delta": 0.5}, "and no others"),
        ({"kind": "selection", "label": "x", "mu": 1.0, "detail": ""}, "must have the fields"),
        ({"kind": "gaussian", "label": "x", "mu": -1.0, "detail": ""}, "is damaged: mu"),
        ({"kind": "gaussian", "label": 7, "mu": 1.0, "detail": ""}, "is damaged: label"),
        ([], "must be a JSON object"),
        (None, "must be a JSON object"),
    ],
)
def test_what_is_not_an_event_is_refused(data: object, words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        event_from_json(data)
