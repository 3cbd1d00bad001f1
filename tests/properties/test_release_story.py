"""A whole release, from a frame or a plan to a bundle: what is charged, what is said, and what bad input leaves."""

from __future__ import annotations

import itertools
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import caseveil
from caseveil import produce as story
from caseveil import produce_table
from caseveil.errors import BadInput, InsufficientBudget, NothingDiscovered, OutputError, PlanError, RowsError
from caseveil.measurement.curator import Curator
from caseveil.plan import Aggregates, Fabrication, Plan, Promise, TablePlan
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.loss import EpsilonDelta, GaussianDP
from caseveil.privacy.mechanism import SelectionEvent
from caseveil.records.prepare import prepare
from caseveil.records.raw import RawTable
from caseveil.release.about import About
from caseveil.release.bundle import BundleContents, read_bundle
from caseveil.release.verify import verify_bundle
from caseveil.schema.attribute import Binned, Category, Column, MultiChoice
from caseveil.schema.table import Table
from caseveil.synthesis.model import FitOptions

Frame = dict[str, list[str]]

DOMAINS = {"gender": ["Female", "Male"], "sector": ["farms", "häuser", "sea"], "debt": ["yes"]}


def cases(n: int = 250, seed: int = 0) -> Frame:
    rng = np.random.default_rng(seed)
    return {
        "gender": rng.choice(["Female", "Male", ""], n).tolist(),
        "sector": rng.choice(["farms", "häuser", "sea", ""], n, p=[0.5, 0.3, 0.15, 0.05]).tolist(),
        "debt": rng.choice(["yes", ""], n).tolist(),
    }


def brute_counts(records: Mapping[str, Sequence[str]], length: int) -> Counter[str]:
    out: Counter[str] = Counter()
    rows = list(zip(*records.values(), strict=True))
    names = list(records)
    for k in range(1, length + 1):
        for places in itertools.combinations(range(len(names)), k):
            for row in rows:
                if all(row[i] for i in places):
                    out[json.dumps({names[i]: row[i] for i in places}, sort_keys=True, ensure_ascii=False)] += 1
    return out


def checked(release: caseveil.Release, folder: Path) -> caseveil.Release:
    """The release after it was saved and verified, and after everything in it was held against everything else."""
    out = release.save(folder / "bundle")
    verification = verify_bundle(out)
    assert verification.ok, str(verification)
    part = release.contents.tables["records"]
    statement = release.statement
    assert statement.records == part.rows
    assert read_bundle(out).statement == statement
    every = brute_counts(part.records, statement.length)
    for text, count, low, high in zip(
        part.counts.combination, part.counts.count, part.counts.lower, part.counts.upper, strict=True
    ):
        assert every[text] == count
        assert 0 <= low <= count <= high
        assert count >= statement.least_count[len(json.loads(text))]
    # the promise: what all noise together lost, and what discovery may give away, fit into it
    assert statement.mu == pytest.approx(statement.composed_mu)
    assert statement.rho == pytest.approx(statement.mu**2 / 2)
    assert GaussianDP(mu=statement.mu).delta(statement.epsilon) + statement.discovery_delta <= statement.delta
    # and nearly fill it: no budget is thrown away
    assert GaussianDP(mu=statement.mu * 1.001).delta(statement.epsilon) + statement.discovery_delta > statement.delta
    return release


@pytest.mark.parametrize("delta", [None, 1e-6])
@pytest.mark.parametrize("declared", ["all", "some", "none"])
def test_a_release_holds_together(delta: float | None, declared: str, tmp_path: Path) -> None:
    domains = {"all": DOMAINS, "some": {"gender": DOMAINS["gender"]}, "none": None}[declared]
    ledger = tmp_path / "ledger.caseveil"
    frame = cases()
    release = checked(caseveil.synthesize(frame, epsilon=2.0, delta=delta, domains=domains, ledger=ledger), tmp_path)
    assert list(release.records) == list(frame)
    assert abs(len(release.records["debt"]) - 250) < 60
    events = [entry.event for entry in Ledger.open(ledger).entries]
    assert tuple(event.to_json() for event in events) == release.statement.mechanisms
    assert math.sqrt(sum(event.mu**2 for event in events)) == pytest.approx(release.statement.mu)
    assert [event.label for event in events] == [
        *(["number of people"] if delta is None else []),
        *(["discovery of values"] if declared != "all" else []),
        "combinations",
    ]
    assert any(isinstance(event, SelectionEvent) for event in events) == (declared != "all")
    wanted = {"all": (), "some": ("sector", "debt"), "none": ("gender", "sector", "debt")}[declared]
    assert release.statement.discovered == wanted
    assert release.statement.ledger_kept
    if delta is not None:
        assert release.statement.delta == delta
    else:
        assert 1e-5 < release.statement.delta < 1 / (250 * math.log(250))


def test_two_releases_of_the_same_rows_differ() -> None:
    frame = cases()
    a, b = (caseveil.synthesize(frame, domains=DOMAINS, delta=1e-6) for _ in range(2))
    assert a.contents.fidelity != b.contents.fidelity
    assert a.records != b.records


@pytest.mark.parametrize("length", [1, 2, 4, 5])
def test_every_length_works(length: int, tmp_path: Path) -> None:
    frame = cases() | {name: cases(seed=7)["debt"] for name in ("threats", "papers")}
    domains = DOMAINS | {"threats": ["yes"], "papers": ["yes"]}
    release = checked(
        caseveil.synthesize(frame, epsilon=4.0, length=length, domains=domains, fabrication="open"), tmp_path
    )
    assert release.statement.length == length
    assert max(release.counts["length"]) <= length
    assert release.statement.groups == {k: math.comb(5, k) for k in range(1, length + 1)}
    assert set(release.statement.least_count.values()) == {1}


@pytest.mark.parametrize("epsilon", [0.01, 1, 50])
def test_small_and_large_epsilons_work_also_as_whole_numbers(epsilon: float, tmp_path: Path) -> None:
    release = checked(caseveil.synthesize(cases(), epsilon=epsilon, domains=DOMAINS), tmp_path)
    assert release.statement.epsilon == epsilon
    if epsilon == 50:
        truth = brute_counts(cases(), 3)
        for text, count in zip(release.counts["combination"], release.counts["count"], strict=True):
            assert abs(truth[text] - count) <= 5


@pytest.mark.parametrize("length", [1, 3])
def test_one_yes_or_blank_column_is_enough(length: int, tmp_path: Path) -> None:
    frame = {"debt": ["yes"] * 80 + [""] * 120}
    release = checked(caseveil.synthesize(frame, length=length, domains={"debt": ["yes"]}), tmp_path)
    assert list(release.counts["combination"]) == ['{"debt": "yes"}']
    assert abs(release.counts["count"][0] - 80) < 60


def test_two_rows_and_a_column_that_is_always_missing_work(tmp_path: Path) -> None:
    frame = {"a": ["x", "x"], "b": ["", ""]}
    checked(caseveil.synthesize(frame, domains={"a": ["x"], "b": ["y"]}), tmp_path)


def test_a_column_in_which_nothing_was_discovered_comes_back_empty(tmp_path: Path) -> None:
    frame = cases() | {"name": [f"guest {i}" for i in range(250)]}
    release = checked(caseveil.synthesize(frame, domains=DOMAINS), tmp_path)
    assert list(release.records) == list(frame)
    assert set(release.records["name"]) == {""}
    assert "guest" not in json.dumps(release.contents.statement.to_json())


def test_sets_bins_and_odd_names_go_all_the_way(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    items = ["dèbt", "threats", "papers"]
    n = 300
    raw = RawTable(
        columns={
            "Âge, years": [str(int(a)) for a in rng.integers(0, 60, n)],
            'means "of" control': ["/".join(i for i in items if rng.random() < 0.5) for _ in range(n)],
            "found": ["; ".join(["a", "b"][: rng.integers(0, 3)]) for _ in range(n)],
            "{}": rng.choice(["null", "0"], n).tolist(),
        }
    )
    columns: tuple[Column, ...] = (
        Binned(name="Âge, years", edges=(0.0, 18.0, 30.0)),
        MultiChoice(name='means "of" control', values=tuple(items), delimiter="/"),
        MultiChoice(name="found", at_most=2),
        Category(name="{}", values=("null", "0")),
    )
    table = Table(name="people", columns=columns)
    plan = Plan(
        about=About(name="odd", version="1"),
        promise=Promise(epsilon=4.0),
        tables=(TablePlan(table=table),),
    )
    rows, _ = prepare(raw, table)
    contents = story.produce(plan, rows, Ledger.open(None))
    part = contents.tables["people"]
    story.write_bundle(contents, tmp_path / "out")
    verification = verify_bundle(tmp_path / "out")
    assert verification.ok, str(verification)
    assert contents.statement.discovered == ("found",)
    assert {value for cell in part.records["found"] for value in cell.split(";")} <= {"", "a", "b"}
    # items of one set are joined: they mean 'includes all of these'
    joined = json.dumps({'means "of" control': "dèbt/papers"}, ensure_ascii=False)
    held = sum({"dèbt", "papers"} <= set(cell.split("/")) for cell in part.records['means "of" control'])
    where = list(part.counts.combination).index(joined)
    assert part.counts.count[where] == held
    assert part.counts.length[where] == 2


def test_frames_come_back_as_they_were_sent(tmp_path: Path) -> None:
    frame = cases()
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    kinds: list[Any] = [pandas.DataFrame(frame), polars.DataFrame(frame), pyarrow.table(frame), frame]
    for sent in kinds:
        release = caseveil.synthesize(sent, domains=DOMAINS, length=2, delta=1e-6)
        for back in (release.records, release.counts):
            assert type(back) is type(sent)
        named = release.records.column_names if type(sent) is pyarrow.Table else release.records
        named = named.columns if type(sent) is polars.DataFrame else named
        assert list(named) == list(frame)
    path = tmp_path / "cases.csv"
    pandas.DataFrame(frame).to_csv(path, index=False)
    release = caseveil.synthesize(path, domains=DOMAINS, length=2, delta=1e-6)
    assert isinstance(release.records, pandas.DataFrame)
    assert release.counts["count"].dtype.kind == "i"
    assert isinstance(caseveil.synthesize(str(path), domains=DOMAINS, length=1).records, pandas.DataFrame)


def test_a_pandas_frame_with_nulls_and_numbers_works() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [18, 19, None] * 60, "minor": [True, None, False] * 60}, index=range(500, 680))
    frame["minor"] = frame["minor"].astype("boolean")
    release = caseveil.synthesize(frame, epsilon=4.0, domains={"age": [18.0, 19], "minor": [True, False]})
    assert set(release.records["age"]) <= {"18", "19", ""}
    assert set(release.records["minor"]) <= {"true", "false", ""}


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        ({"domains": {"colour": ["red"]}}, PlanError, "colour"),
        ({"domains": DOMAINS | {"gender": ["Female"]}}, RowsError, "gender"),
        ({"domains": DOMAINS | {"gender": "Female"}}, PlanError, "gender"),
        ({"domains": DOMAINS | {"gender": []}}, PlanError, "gender"),
        ({"domains": ["gender"]}, PlanError, "domains"),
        ({"epsilon": 0}, PlanError, "epsilon"),
        ({"epsilon": float("nan")}, PlanError, "epsilon"),
        ({"epsilon": "1"}, PlanError, "epsilon"),
        ({"delta": 0}, PlanError, "delta"),
        ({"delta": 1.5}, PlanError, "delta"),
        ({"length": 0}, PlanError, "length"),
        ({"length": 6}, PlanError, "length"),
        ({"fabrication": "some"}, PlanError, "fabrication"),
        ({"fabrication": 1.0}, PlanError, "fabrication"),
        ({"frame": {"gender": [], "sector": [], "debt": []}}, RowsError, "0 rows"),
        ({"frame": {"gender": ["Male"], "sector": ["sea"], "debt": [""]}}, RowsError, "1 row"),
        ({"frame": {"gender": [""] * 9, "sector": ["sea"] * 9}, "domains": {"sector": ["sea"]}}, RowsError, "gender"),
        ({"frame": {}}, BadInput, "column"),
    ],
)
def test_bad_input_costs_nothing_and_names_what_is_wrong(
    change: dict[str, Any], error: type[Exception], word: str, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.caseveil"
    arguments: dict[str, Any] = {"frame": cases(), "domains": DOMAINS, "ledger": ledger} | change
    frame = arguments.pop("frame")
    with pytest.raises(error, match=word) as caught:
        caseveil.synthesize(frame, **arguments)
    assert isinstance(caught.value, BadInput)
    assert "Male" not in str(caught.value).replace("['Female', 'Male']", "")  # an example of ours
    assert not ledger.exists()


def test_when_nothing_is_discovered_it_is_said_and_the_charge_stands(tmp_path: Path) -> None:
    """A value that one person has is found with probability delta / 4 at most: 60 * 1e-12 / 4, below 1e-9."""
    ledger = tmp_path / "ledger.caseveil"
    frame = {"name": [f"person {i}" for i in range(60)]}
    with pytest.raises(NothingDiscovered, match=r"declare the values.*stays charged") as caught:
        caseveil.synthesize(frame, ledger=ledger, delta=1e-12)
    assert "person" not in str(caught.value)
    assert [entry.event.label for entry in Ledger.open(ledger).entries] == ["discovery of values"]


def test_wide_columns_are_counted_by_themselves_when_the_cap_leaves_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(produce_table, "FitOptions", lambda: FitOptions(ladder=(8,), products=8, iterations=60))
    values = tuple(f"v{i}" for i in range(1500))
    table = Table(name="t", columns=(Category(name="a", values=values), Category(name="b", values=("x",))))
    plan = Plan(
        about=About(name="wide", version="1"),
        promise=Promise(epsilon=1.0, delta=1e-6),
        tables=(TablePlan(table=table),),
        aggregates=Aggregates(cells_cap=1000),
    )
    rng = np.random.default_rng(0)
    raw = RawTable(
        columns={"a": [values[i] for i in rng.integers(0, 9, 400)], "b": rng.choice(["x", ""], 400).tolist()}
    )
    statement = story.produce(plan, prepare(raw, table)[0], Ledger.open(None)).statement
    assert statement.unmeasured == {2: 1}


# Plans, ledgers and budgets.


def plan_in(folder: Path, **changes: Any) -> Plan:
    (folder / "cases.csv").write_text(
        "\n".join([",".join(cases()), *(",".join(row) for row in zip(*cases().values(), strict=True))]) + "\n",
        encoding="utf-8",
    )
    table = Table(
        name="cases", columns=tuple(Category(name=name, values=tuple(values)) for name, values in DOMAINS.items())
    )
    given: dict[str, Any] = {
        "about": About(name="cases", version="1"),
        "promise": Promise(epsilon=1.0, delta=1e-6),
        "tables": (TablePlan(table=table, source="cases.csv"),),
        "ledger": "ledger.caseveil",
        "budget": EpsilonDelta(epsilon=1.2, delta=2e-6),
        "aggregates": Aggregates(length=2, fabrication=Fabrication(share=0.05)),
        "folder": folder,
    }
    return Plan(**(given | changes))


def test_a_release_that_would_pass_the_budget_is_refused_and_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    done = story.run(plan)
    assert verify_bundle(done.out).ok
    written = (tmp_path / "ledger.caseveil").read_bytes()
    with pytest.raises(InsufficientBudget) as caught:
        story.run(plan, out=tmp_path / "again")
    assert caught.value.remaining < 1.0
    assert (tmp_path / "ledger.caseveil").read_bytes() == written
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("delta", [None, 1e-6, 1e-30])
@pytest.mark.parametrize("declared", [True, False])
def test_a_release_never_spends_more_than_a_budget_of_its_own_size(
    delta: float | None, declared: bool, tmp_path: Path
) -> None:
    """Also where the budget's delta is smaller than any that "auto" would choose."""
    for budget in (1e-6, 1e-30):
        if delta is not None and delta > budget:
            continue
        folder = tmp_path / f"{budget:g}"
        folder.mkdir()
        plan = plan_in(
            folder, promise=Promise(epsilon=2.0, delta=delta), budget=EpsilonDelta(epsilon=2.0, delta=budget)
        )
        if not declared:
            table = Table(name="cases", columns=tuple(Category(name=name) for name in DOMAINS))
            plan = plan_in(
                folder,
                promise=plan.promise,
                budget=plan.budget,
                tables=(TablePlan(table=table, source="cases.csv"),),
            )
        with suppress(NothingDiscovered):  # the threshold of a tiny delta is too high; what was charged stands
            story.run(plan)
        loss = Ledger.open(plan.ledger_path).total()
        assert 1e-3 < loss.epsilon(budget) <= 2.0


def test_an_output_that_exists_is_refused_before_anything_is_read_or_charged(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    (tmp_path / "cases.csv").unlink()
    plan.out.mkdir()
    with pytest.raises(BadInput, match="out"):
        story.run(plan)
    assert not (tmp_path / "ledger.caseveil").exists()


@pytest.mark.parametrize("stage", ["reading", "measuring", "fitting", "records", "counts", "writing"])
def test_an_interruption_leaves_no_folder_and_no_forgotten_charge(stage: str, tmp_path: Path) -> None:
    plan = plan_in(tmp_path)

    def interrupt(now: str, fraction: float) -> None:
        if now == stage:
            raise KeyboardInterrupt

    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        story.run(plan, progress=interrupt)
    after = {path.name for path in tmp_path.iterdir()} - before
    assert not any("cases-1" in name for name in after)
    charged = len(Ledger.open(plan.ledger_path).entries)
    assert charged == (0 if stage in ("reading", "measuring") else 1)


def test_an_interruption_between_charge_and_count_leaves_the_charge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("caseveil.measurement.curator.encode", interrupted)
    plan = plan_in(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        story.run(plan)
    (entry,) = Ledger.open(plan.ledger_path).entries
    assert entry.event.label == "combinations"
    assert not plan.out.exists()


def test_progress_goes_through_the_stages_in_order(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    story.run(plan_in(tmp_path), progress=lambda stage, fraction: seen.append((stage, fraction)))
    stages = [stage for stage, _ in itertools.groupby(stage for stage, _ in seen)]
    assert stages == ["reading", "measuring", "fitting", "records", "counts", "writing"]
    assert all(0 <= fraction <= 1 for _, fraction in seen)


def test_the_rows_are_touched_by_the_curator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last charge nothing but the curator's own code has a reference that it uses: rows that refuse to be
    looked at outside of it make no difference."""
    table = Table(name="t", columns=(Category(name="a", values=("x",)), Category(name="b", values=("y",))))
    rows, _ = prepare(RawTable(columns={"a": ["x", ""] * 50, "b": ["y"] * 100}), table)
    inside = 0

    class Guarded:
        """Stands for the rows and can be looked at only while a method of the curator runs."""

        def __getattr__(self, name: str) -> object:
            assert inside, f"rows.{name} was read outside of the curator"
            return getattr(rows, name)

    def opening(name: str) -> None:
        real = getattr(Curator, name)

        def method(self: Curator, *args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            inside += 1
            try:
                return real(self, *args, **kwargs)
            finally:
                inside -= 1

        monkeypatch.setattr(Curator, name, method)

    for name in ("people", "values", "residuals"):
        opening(name)
    plan = Plan(about=About(name="t", version="1"), promise=Promise(epsilon=1.0), tables=(TablePlan(table=table),))
    contents = story.produce(plan, Guarded(), Ledger.open(None))  # type: ignore[arg-type]
    assert contents.tables["t"].rows > 10


def test_the_generator_decides_nothing_about_the_noise() -> None:
    table = Table(name="t", columns=(Category(name="a", values=("x",)), Category(name="b", values=("y",))))
    rows, _ = prepare(RawTable(columns={"a": ["x", ""] * 50, "b": ["y"] * 100}), table)
    plan = Plan(about=About(name="t", version="1"), promise=Promise(epsilon=1.0), tables=(TablePlan(table=table),))
    people = {
        json.dumps(story.produce(plan, rows, Ledger.open(None), rng=np.random.default_rng(1)).fidelity["noisy_people"])
        for _ in range(4)
    }
    assert len(people) > 1


@st.composite
def small_tables(draw: st.DrawFn) -> tuple[Frame, dict[str, list[str]] | None]:
    columns = draw(st.integers(1, 4))
    n = draw(st.integers(2, 80))
    words = st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=6
    )
    frame: Frame = {}
    domains: dict[str, list[str]] = {}
    for i in range(columns):
        name = f"c{i}" + draw(words)
        values = draw(st.lists(words, min_size=1, max_size=4, unique=True))
        cells = draw(st.lists(st.sampled_from([*values, ""]), min_size=n, max_size=n))
        frame[name], domains[name] = cells, values
    return frame, domains


@given(small_tables(), st.sampled_from([0.1, 1.0, 8.0]), st.integers(1, 4), st.sampled_from(["open", "balanced", 0.3]))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_small_table_becomes_a_bundle_that_verifies(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[Frame, dict[str, list[str]]],
    epsilon: float,
    length: int,
    fabrication: str | float,
) -> None:
    frame, domains = table
    release = caseveil.synthesize(frame, epsilon=epsilon, length=length, domains=domains, fabrication=fabrication)
    checked(release, tmp_path_factory.mktemp("release"))
    for name, cells in release.records.items():
        assert set(cells) <= {"", *domains[name]}


def test_a_release_that_was_paid_for_survives_a_place_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder was fine before the charge and is not at the end: the bundle lies elsewhere, whole."""
    plan = plan_in(tmp_path)
    real = story.write_bundle

    def fail_there(contents: BundleContents, out: Path) -> None:
        if out == plan.out:
            raise OutputError(f"out ({out}) cannot be written: the disk is full.")
        real(contents, out)

    monkeypatch.setattr(story, "write_bundle", fail_there)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(OutputError, match=r"disk is full.*it lies in ") as caught:
        story.run(plan)
    saved = re.search(r"it lies in (.*)\. Move it", str(caught.value))
    assert saved is not None
    assert verify_bundle(Path(saved.group(1))).ok
    assert not plan.out.exists()


def test_when_no_place_takes_the_bundle_the_first_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_in(tmp_path)

    def full(contents: BundleContents, out: Path) -> None:
        raise OutputError(f"out ({out}) cannot be written: the disk is full.")

    def nowhere(*, prefix: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(story, "write_bundle", full)
    monkeypatch.setattr(tempfile, "mkdtemp", nowhere)
    with pytest.raises(OutputError, match="the disk is full") as caught:
        story.run(plan)
    assert str(plan.out) in str(caught.value)
    assert len(Ledger.open(plan.ledger_path).entries) > 0
