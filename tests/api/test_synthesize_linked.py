"""`caseveil.synthesize_linked`: frames of every kind in and out, whole links, and bad input that costs nothing."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import caseveil
from caseveil.errors import BadInput, CaseveilError
from caseveil.privacy.ledger import Ledger
from caseveil.privacy.mechanism import GaussianEvent
from caseveil.release.verify import verify_bundle

Columns = dict[str, list[Any]]
SECRET = "Zanzibar-secret-cell"
PEOPLE = 400
KEY = "victim_id"
VICTIM_VALUES = {"gender": ["Female", "Male"], "sector": ["Farming", "Fishing", "Mining"]}
LINK_VALUES = {"gender": ["Female", "Male"], "role": ["Recruiter", "Transporter"]}
DOMAINS = {"victims": VICTIM_VALUES, "perpetrators": LINK_VALUES}


def cases(people: int = PEOPLE) -> tuple[Columns, Columns]:
    """Victims numbered from 1001 on, the first of them without perpetrators; the others have one to four."""
    rng = np.random.default_rng(17)
    keys = np.arange(people) + 1001
    victims = {
        KEY: keys.tolist(),
        "gender": rng.choice(["Female", "Male"], people).tolist(),
        "sector": rng.choice(["Farming", "Fishing", "Mining"], people).tolist(),
    }
    number = rng.integers(1, 5, people)
    number[0] = 0
    of = np.repeat(keys, number)
    links = {
        KEY: of.tolist(),
        "gender": rng.choice(["Female", "Male"], len(of)).tolist(),
        "role": rng.choice(["Recruiter", "Transporter"], len(of)).tolist(),
    }
    return victims, links


def release(victims: Any, links: Any, **options: Any) -> caseveil.LinkedRelease:
    usual: dict[str, Any] = {"key": KEY, "max_links": 3, "epsilon": 2.0, "delta": 1e-5, "length": 2, "domains": DOMAINS}
    return caseveil.synthesize_linked(victims, links, **(usual | options))


def as_dict(frame: Any) -> dict[str, list[Any]]:
    if isinstance(frame, Mapping):
        return {name: list(cells) for name, cells in frame.items()}
    if hasattr(frame, "to_pydict"):
        return dict(frame.to_pydict())
    if hasattr(frame, "columns") and hasattr(frame, "to_dict"):
        try:
            return dict(frame.to_dict(as_series=False))
        except TypeError:
            return dict(frame.to_dict(orient="list"))
    raise TypeError(type(frame))


def made_by(library: str) -> Callable[[Columns], Any]:
    if library == "dict":
        return dict
    module = pytest.importorskip(library)
    return module.table if library == "pyarrow" else module.DataFrame  # type: ignore[no-any-return]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "dict"])
def test_the_kind_of_frame_that_went_in_comes_out(library: str) -> None:
    make = made_by(library)
    victims, links = cases()
    made = release(make(victims), make(links))
    for frame in (*made.tables.values(), *made.counts.values()):
        assert type(frame) is type(make(victims))
    assert set(made.tables) == {"victims", "perpetrators"}
    assert set(made.counts) == {"victims", "perpetrators", "links"}
    people, linked = as_dict(made.tables["victims"]), as_dict(made.tables["perpetrators"])
    assert list(people) == list(victims)
    assert list(linked) == list(links)
    assert list(as_dict(made.counts["victims"])) == ["combination", "length", "count", "lower", "upper"]
    assert list(as_dict(made.counts["links"])) == ["combination", "of", "count", "lower", "upper"]
    whole_links(people, linked, cap=3)


def whole_links(people: Mapping[str, Sequence[Any]], linked: Mapping[str, Sequence[Any]], cap: int) -> None:
    """Every link names one synthetic victim, and no victim has more than the cap."""
    numbers = Counter(linked[KEY])
    assert len(set(people[KEY])) == len(people[KEY])
    assert set(numbers) <= set(people[KEY])
    assert max(numbers.values()) <= cap


def test_each_table_may_be_another_kind_of_frame(tmp_path: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    victims, links = cases()
    made = release(pandas.DataFrame(victims), polars.DataFrame(links))
    assert isinstance(made.tables["victims"], pandas.DataFrame)
    assert isinstance(made.tables["perpetrators"], polars.DataFrame)
    polars.DataFrame(links).write_csv(tmp_path / "links.csv")
    made = release(pandas.DataFrame(victims), tmp_path / "links.csv")
    whole_links(as_dict(made.tables["victims"]), as_dict(made.tables["perpetrators"]), cap=3)


def test_keys_are_fresh_and_the_order_says_nothing() -> None:
    """Records at the same place are no more alike than chance has it.

    False alarms: with two genders and three sectors, half and a third of 400 places agree by chance; 6.2 standard
    deviations of a binomial above that is passed with probability 3e-10 each. Sorted records would agree everywhere.
    """
    victims, links = cases()
    order = np.argsort(np.array(victims["gender"]), kind="stable")
    victims = {name: [cells[i] for i in order] for name, cells in victims.items()}
    made = release(victims, links)
    people = made.tables["victims"]
    assert not set(map(str, people[KEY])) & set(map(str, victims[KEY]))
    n = min(len(people[KEY]), PEOPLE)
    for name, values in VICTIM_VALUES.items():
        chance = 1 / len(values)
        alike = sum(one == other for one, other in zip(people[name], victims[name], strict=False))
        assert alike < n * chance + 6.2 * (n * chance * (1 - chance)) ** 0.5
    assert made.tables["victims"][KEY] == [str(i + 1) for i in range(len(people[KEY]))]


def test_it_is_saved_charged_and_added_up(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.caseveil"
    made = release(*cases(), ledger=ledger)
    assert verify_bundle(made.save(tmp_path / "out")).ok
    once = Ledger.open(ledger).total().mu
    assert once == pytest.approx(made.statement.mu, rel=1e-9)
    assert {entry.unit for entry in Ledger.open(ledger).entries} == {"victim"}
    release(*cases(), ledger=ledger)
    assert Ledger.open(ledger).total().mu == pytest.approx(2**0.5 * once, rel=1e-9)
    assert "with all perpetrators linked to this victim" in str(made.statement)


def test_columns_without_declared_values_are_discovered_in_both_tables() -> None:
    """Over 300 of 1,000 people have each value: 15 standard deviations of the noise (14.8) above the threshold (76)."""
    victims, links = cases(1_000)
    assert min(Counter(victims["sector"]).values()) > 76 + 15 * 14.8
    made = release(victims, links, domains=None)
    assert set(made.tables["victims"]["sector"]) - {""} == set(VICTIM_VALUES["sector"])
    assert set(made.tables["perpetrators"]["role"]) - {""} == set(LINK_VALUES["role"])
    assert made.statement.discovered == (
        "victims.gender", "victims.sector", "perpetrators.gender", "perpetrators.role"
    )  # fmt: skip


def test_sound_links_of_every_shape_are_released() -> None:
    """Victims without perpetrators, more links than the cap, and somebody who is both."""
    victims, links = cases()
    of = np.asarray(links[KEY])
    few = {name: [cells[i] for i in np.flatnonzero(of < 1101)] for name, cells in links.items()}
    shapes: dict[str, tuple[Columns, Columns, dict[str, Any]]] = {
        "most victims have none": (victims, few, {}),
        "more links than the cap": (victims, links, {"max_links": 1}),
        "a victim is a perpetrator": (
            victims,
            links | {"person": [str(key + 1) if key < 1010 else "" for key in links[KEY]]},
            {"domains": DOMAINS | {"perpetrators": LINK_VALUES | {"person": [str(key) for key in range(1001, 1011)]}}},
        ),
        "keys with space around them": (victims, links | {KEY: [f" {key} " for key in links[KEY]]}, {}),
    }
    for people, linked, options in shapes.values():
        made = release(people, linked, **{"length": 1, **options})
        whole_links(made.tables["victims"], made.tables["perpetrators"], cap=options.get("max_links", 3))


# Bad input


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger that holds a charge."""
    path = tmp_path / "ledger.caseveil"
    Ledger.open(path).charge(
        GaussianEvent(label="earlier", mu=0.1, detail=""),
        release="records", version="0", unit="victim", population="records", plan_digest="0" * 64,
    )  # fmt: skip
    return path


def refused(ledger: Path, act: Callable[[], object]) -> str:
    """The sentence of the error. The whole traceback is free of the secret, and nothing was charged."""
    before = ledger.read_bytes()
    with pytest.raises(CaseveilError) as raised:
        act()
    assert isinstance(raised.value, BadInput)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert ledger.read_bytes() == before
    return str(raised.value)


def with_link(links: Columns, key: object, gender: str = "Male") -> Columns:
    return {KEY: [*links[KEY], key], "gender": [*links["gender"], gender], "role": [*links["role"], "Recruiter"]}


VICTIMS, LINKS = cases()
NO_LINKS: Columns = {name: [] for name in LINKS}

BAD: dict[str, tuple[Columns, Columns, str]] = {
    "no victim": (VICTIMS, with_link(LINKS, SECRET), "1 row names no row of victims; add these people to victims"),
    "a key empty": (VICTIMS, with_link(LINKS, None), "key column victim_id is empty in 1 row"),
    "a victim twice": (
        {name: [*cells, cells[4]] for name, cells in VICTIMS.items()}, LINKS, "key column victim_id repeats in 2 rows",
    ),
    "a victim without a key": (VICTIMS | {KEY: ["", *VICTIMS[KEY][1:]]}, LINKS, "victim_id is empty in 1 row"),
    "numbers and padded text": (
        VICTIMS, LINKS | {KEY: [f"{key:06}" for key in LINKS[KEY]]},
        "would match column victim_id without leading zeros: write the key the same way in both files",
    ),
    "numbers and text with decimals": (
        VICTIMS, LINKS | {KEY: [f"{key}.0" for key in LINKS[KEY]]},
        "would match column victim_id without decimals, so that 1.0 is 1",
    ),
    "capitals": (
        VICTIMS | {KEY: [f"v{key}" for key in VICTIMS[KEY]]}, LINKS | {KEY: [f"V{key}" for key in LINKS[KEY]]},
        "would match column victim_id",
    ),
    "no links": (VICTIMS, NO_LINKS, "has no rows"),
    "no victims": ({name: [] for name in VICTIMS}, LINKS, "rows"),
    "a value outside": (VICTIMS, with_link(LINKS, 1003, SECRET), "perpetrators: column gender: 1 row holds a value"),
    "no key column": (VICTIMS, {"who": LINKS[KEY], "gender": LINKS["gender"], "role": LINKS["role"]}, "perpetrators"),
}  # fmt: skip
"""Both tables, and words of the sentence."""


def one_type(cells: list[Any]) -> list[Any]:
    """The cells as text where they are of several types, for frames whose columns have one."""
    if len({type(cell) for cell in cells}) < 2:
        return cells
    return [None if cell is None else str(cell) for cell in cells]


@pytest.mark.parametrize("fault", BAD)
@pytest.mark.parametrize("library", ["dict", "polars", "pandas"])
def test_bad_links_cost_nothing(ledger: Path, fault: str, library: str) -> None:
    make = made_by(library)
    victims, links, words = BAD[fault]
    if library == "polars":
        victims, links = ({n: one_type(cells) for n, cells in table.items()} for table in (victims, links))
    assert words in refused(ledger, lambda: release(make(victims), make(links), ledger=ledger))


def test_whole_numbers_and_their_text_are_the_same_key() -> None:
    """A column of whole numbers in one frame and the same digits as text in the other: that is no doubt at all."""
    polars = pytest.importorskip("polars")
    made = release(polars.DataFrame(VICTIMS), polars.DataFrame(LINKS | {KEY: [str(key) for key in LINKS[KEY]]}))
    whole_links(as_dict(made.tables["victims"]), as_dict(made.tables["perpetrators"]), cap=3)


def test_decimal_keys_of_a_frame_are_whole_numbers_or_told(ledger: Path) -> None:
    """pandas turns whole numbers into decimals where one is missing, a usual reason why keys do not match."""
    pandas = pytest.importorskip("pandas")
    links = pandas.DataFrame(with_link(LINKS, None))
    assert links[KEY].dtype.kind == "f"
    said = refused(ledger, lambda: release(pandas.DataFrame(VICTIMS), links, ledger=ledger))
    assert "key column victim_id is empty in 1 row" in said
    assert "name no row" not in said, "1001.0 in a column of decimals is the key 1001"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": "victim"}, "key ('victim') must be a column of both tables"),
        ({"max_links": 0}, "at_most"),
        ({"max_links": -1}, "at_most"),
        ({"max_links": 2.5}, "at_most"),
        ({"max_links": "3"}, "at_most"),
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": float("nan")}, "epsilon"),
        ({"delta": 1.0}, "delta"),
        ({"length": 6}, "length"),
        ({"fabrication": "none"}, "fabrication"),
        ({"domains": VICTIM_VALUES}, "domains must have no table but victims and perpetrators: gender, sector"),
        ({"domains": [("victims", {})]}, "domains must be {'victims':"),
        ({"domains": {"victims": {"gendre": ["Female"]}}}, "domains['victims'] names columns"),
        ({"domains": {"victims": {KEY: ["1"]}}}, "domains['victims'] names columns"),
        ({"domains": {"perpetrators": {"role": "Recruiter"}}}, "domains['perpetrators']['role'] must be a list"),
        ({"domains": {"perpetrators": {"role": ["Recruiter"]}}}, "perpetrators: column role: "),
    ],
)
def test_bad_arguments_cost_nothing(ledger: Path, options: dict[str, Any], words: str) -> None:
    assert words in refused(ledger, lambda: release(*cases(60), **{"ledger": ledger, **options}))


def test_a_release_that_exists_is_left_alone_and_can_be_saved_elsewhere(tmp_path: Path) -> None:
    made = release(*cases(), length=1)
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match="must not exist yet"):
        made.save(tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []
    assert verify_bundle(made.save(tmp_path / "other")).ok


def test_links_are_counted_across() -> None:
    combinations = [json.loads(text) for text in release(*cases()).counts["links"]["combination"]]
    assert {"perpetrators.gender": "Male", "victims.gender": "Male"} in combinations
    assert {"number of perpetrators": "3", "victims.gender": "Male"} in combinations
    assert {"other perpetrators.gender": "Male", "perpetrators.gender": "Male"} in combinations
