"""The curator beside its claims (tests/claims): what it returns, and what a killed process leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from caseveil.errors import PlanError
from caseveil.measurement.residuals import cost
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import SelectionEvent
from caseveil.schema.attribute import Category, MultiChoice
from caseveil.synthesis.observed import reconstruct
from tests.measurement.invented import curator_of, rows_of

pytestmark = pytest.mark.engine

REPO = Path(__file__).parents[2]


def test_residuals_are_centred_and_carry_their_variances() -> None:
    rows = rows_of({"a": ["x", "", "y"] * 40, "b": ["u"] * 120}, [])
    table = rows.table.resolve({"a": ("x", "y"), "b": ("u",)})
    allowance = curator_of(rows).residuals(table, mu=100.0)
    variances = {(): 0.01, (0,): 0.02, (1,): 0.01, (0, 1): 0.02}
    seen = allowance.measure(variances)
    assert seen.variance == variances
    assert seen.domain == table.domain()
    for clique, values in seen.values.items():
        assert values.shape == table.domain().shape(clique)
        for axis in range(values.ndim):
            np.testing.assert_allclose(values.sum(axis=axis), 0.0, atol=1e-9)
    np.testing.assert_allclose(reconstruct(seen, (0, 1)), [[0, 40], [0, 40], [0, 40]], atol=2.0)
    assert allowance.left == pytest.approx((100.0**2 - cost(variances, seen.domain)) ** 0.5)


def test_discovery_finds_what_many_have_in_alphabetical_order() -> None:
    rows = rows_of(
        {
            "country": ["Peru"] * 300 + ["Chad"] * 200 + ["Fiji"] + [""] * 499,
            "means": ["debt;threats"] * 500 + ["debt"] * 499 + ["other"],
            "declared": ["x"] * 1000,
        },
        [MultiChoice(name="means", at_most=2), Category(name="declared", values=("x",))],
    )
    curator = curator_of(rows)
    found = curator.values(mu=0.5, delta=1e-6)
    assert dict(found.values) == {"country": ("Chad", "Peru"), "means": ("debt", "threats")}
    (event,) = curator.events
    assert isinstance(event, SelectionEvent)
    assert "country, means" in event.detail
    assert "at most 3 values a person" in event.detail
    assert str(found.threshold) in event.detail
    assert 15 < found.threshold < 25  # sigma 3.5, 4.9 of them


def test_nothing_is_discovered_where_all_values_are_rare() -> None:
    rows = rows_of({"a": [f"v{i}" for i in range(50)]})
    assert curator_of(rows).values(mu=0.1, delta=1e-8).values == {"a": ()}


def test_noise_beyond_any_use_is_refused_in_words() -> None:
    rows = rows_of({"a": ["x", "y"]})
    with pytest.raises(PlanError, match="raise epsilon"):
        curator_of(rows).people(mu=1e-18)


def test_the_noisy_number_of_people_is_near_the_true_one() -> None:
    rows = rows_of({"a": ["x"] * 500})
    assert abs(curator_of(rows).people(mu=2.0) - 500) <= 5  # ten standard deviations


KILLED = """
import os, signal, sys
from pathlib import Path
from caseveil.measurement import curator as room
from caseveil.privacy.ledger import Ledger
from tests.measurement.invented import curator_of, rows_of

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(room, sys.argv[2], die)
rows = rows_of({"a": ["x"] * 50, "b": ["u"] * 50})
curator = curator_of(rows, Ledger.open(Path(sys.argv[1])))
if sys.argv[2] == "value_counts":
    curator.values(mu=0.25, delta=1e-7)
elif sys.argv[2] == "rounded_gaussian":
    curator.people(mu=0.25)
else:
    table = rows.table.resolve({"a": ("x",), "b": ("u",)})
    curator.residuals(table, mu=0.25).measure({(): 100.0, (0,): 100.0})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process outright")
@pytest.mark.parametrize("at", ["value_counts", "rounded_gaussian", "count_many", "rounded_gaussians", "encode"])
def test_a_charge_stands_when_the_process_is_killed_before_or_while_counting(at: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.caseveil"
    source = os.pathsep.join([str(REPO), str(REPO / "src")])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), at],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    (entry,) = Ledger.open(path).entries
    assert entry.event.mu == 0.25
    assert not entry.interrupted
