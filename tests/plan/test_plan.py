"""Plans as values: the dial, the digest, files that are not plans."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from caseveil.errors import PlanError
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.loss import EpsilonDelta
from caseveil.release.about import About
from caseveil.schema.attribute import Category, Ordered
from caseveil.schema.table import Table
from caseveil.schema.unit import PrivacyUnit

TABLE = Table(name="victims", columns=(Category(name="gender", values=("F", "M")), Category(name="land")), key="id")
PLAN = Plan(
    about=About(name="a", version="1"),
    promise=Promise(epsilon=1.0),
    tables=(TablePlan(table=TABLE, source="victims.csv"),),
)


def with_table(**changes: object) -> Plan:
    table = dataclasses.replace(TABLE, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(PLAN, tables=(TablePlan(table=table, source="victims.csv"),))


@pytest.mark.parametrize(("dial", "share"), [("open", None), ("balanced", 0.05), ("minimal", 0.01), (0.2, 0.2)])
def test_the_dial_of_the_contract(dial: str | float, share: float | None) -> None:
    assert Fabrication.parse(dial).share == share
    assert Fabrication(share=share).dial == dial


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_a_share_lies_between_0_and_1(share: float) -> None:
    with pytest.raises(PlanError, match="above 0 and below 1"):
        Fabrication(share=share)


def test_the_digest_moves_with_everything_that_shapes_the_release() -> None:
    replace = dataclasses.replace
    others = [
        replace(PLAN, about=About(name="a", version="2")),
        replace(PLAN, promise=Promise(epsilon=1.5)),
        replace(PLAN, promise=Promise(epsilon=1.0, delta=1e-6)),
        replace(PLAN, unit=PrivacyUnit(name="victim")),
        replace(PLAN, ledger="l", budget=EpsilonDelta(epsilon=4.0, delta=1e-5)),
        replace(PLAN, aggregates=Aggregates(length=2)),
        replace(PLAN, aggregates=Aggregates(fabrication=Fabrication(share=None))),
        replace(PLAN, aggregates=Aggregates(weights=(3.0, 2.0, 1.0))),
        replace(PLAN, aggregates=Aggregates(cells_cap=1000)),
        with_table(name="v"),
        with_table(key=None),
        with_table(columns=TABLE.columns[::-1]),
        with_table(columns=(TABLE.columns[0], Ordered(name="land"))),
        with_table(columns=(TABLE.columns[0], Category(name="land", missing=("", "?")))),
    ]
    digests = [plan.digest() for plan in (PLAN, *others)]
    assert len(set(digests)) == len(digests)


def test_the_digest_says_nothing_of_places() -> None:
    moved = dataclasses.replace(
        PLAN,
        folder=Path("secret"),
        ledger="secret-ledger",
        tables=(TablePlan(table=TABLE, source="db://user:secret@host", query="select * from secret"),),
    )
    assert moved.digest() == PLAN.digest()


def test_auto_delta_is_one_over_n_ln_n() -> None:
    assert PLAN.promise.at(21_195) == EpsilonDelta(epsilon=1.0, delta=4.7e-6)
    for n in (10, 999, 17_000, 21_195, 10**7):
        exact = 1 / (n * math.log(n))
        assert 0.9 * exact < PLAN.promise.at(n).delta <= exact
    assert 0 < PLAN.promise.at(-5).delta < 0.05
    assert Promise(epsilon=1.0, delta=1e-7).at(5).delta == 1e-7


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text("x", encoding="utf-8")
    with pytest.raises(PlanError, match=r"does not exist; did you mean .*release\.toml"):
        Plan.read(tmp_path / "relaese.toml")
    with pytest.raises(PlanError, match=r"is a folder; did you mean .*release\.toml"):
        Plan.read(tmp_path)
    with pytest.raises(PlanError, match="caseveil init"):
        Plan.read(tmp_path / "nowhere" / "release.toml")


def test_a_byte_order_mark_is_read_and_utf_16_is_explained(tmp_path: Path) -> None:
    text = PLAN.to_toml()
    marked, wide = tmp_path / "marked.toml", tmp_path / "wide.toml"
    marked.write_text(text, encoding="utf-8-sig")
    wide.write_text(text, encoding="utf-16")
    assert Plan.read(marked) == PLAN
    assert Plan.read(marked).folder == tmp_path
    with pytest.raises(PlanError, match="must be saved as UTF-8"):
        Plan.read(wide)


def test_rows_in_memory_have_no_path() -> None:
    plan = dataclasses.replace(PLAN, tables=(TablePlan(table=TABLE),))
    with pytest.raises(PlanError, match="must name a file"):
        plan.path_of(plan.tables[0])
    assert plan.digest() == PLAN.digest()
