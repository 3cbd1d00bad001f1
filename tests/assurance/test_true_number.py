"""Nothing published lets the true number of people be computed, nor anything else that the curator did not say."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from caseveil import produce as story
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.produce_update import Going
from caseveil.records.raw import RawTable
from caseveil.release.bundle import render
from tests.assurance import planted, replay

Columns = dict[str, list[str]]
PLANS = {"one table": planted.ONE_TABLE, "linked": planted.LINKED}
REPLAYED = {**PLANS, "delta of the number": planted.LINKED.replace("delta = 4e-9", 'delta = "auto"')}


def bundle(plan_text: str, people: Columns, links: Columns, seed: int) -> dict[str, bytes]:
    """The files of a release of these rows; what happens after the noise is fixed by the seed."""
    plan = Plan.from_toml(plan_text.replace('ledger = "ledger.caseveil"', ""), Path())
    raw = [RawTable(columns=people), RawTable(columns=links)][: len(plan.tables)]
    contents = story.produce(plan, story.prepared(plan, raw), Ledger(), rng=np.random.default_rng(seed))
    return render(contents)


def one_more(columns: Columns, **cells: str) -> Columns:
    """The rows and one that is like the last but for these cells."""
    return {name: [*column, cells.get(name, column[-1])] for name, column in columns.items()}


def _two_links(links: Columns) -> Columns:
    return one_more(one_more(links, victim_id="V-new", perpetrator_id="P-1"), victim_id="V-new", perpetrator_id="P-2")


def other_rows() -> dict[str, tuple[Columns, Columns]]:
    """Rows that differ from the planted ones: by one person, by that person's links, in everything."""
    people, links = planted.victims(), planted.perpetrators()
    more = one_more(people, victim_id="V-new")
    return {
        "one person more": (more, links),
        "one person more, with links": (more, _two_links(links)),
        "thrice as many people": (planted.victims(720), planted.perpetrators(720)),
        "everybody alike": (
            {name: column if name == "victim_id" else [column[0]] * 240 for name, column in people.items()},
            {name: column if name.endswith("_id") else [column[0]] * 360 for name, column in links.items()},
        ),
    }


@pytest.mark.parametrize("kind", REPLAYED)
def test_a_bundle_is_a_function_of_what_the_curator_said(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the byte, sizes of files included; so what the curator charged for is all that any of it tells."""
    with monkeypatch.context() as patch:
        answers = replay.record(patch)
        first = bundle(REPLAYED[kind], planted.victims(), planted.perpetrators(), seed=1)
    for name, (people, links) in other_rows().items():
        with monkeypatch.context() as patch:
            left = replay.replay(patch, answers)
            assert bundle(REPLAYED[kind], people, links, seed=1) == first, name
            assert left == [], name


def of_series(plan_text: str, update: str, folder: Path, people: Columns, links: Columns) -> dict[str, bytes]:
    """The files of a release of a series, whose bundles lie in the folder."""
    text = planted.of_series(plan_text.replace('ledger = "ledger.caseveil"', ""), "next", update)
    plan = Plan.from_toml(text.replace("delta = 4e-9", 'delta = "auto"'), folder)
    before = story.read_before(plan)
    raw = [RawTable(columns=people), RawTable(columns=links)][: len(plan.tables)]
    rows, added = story.counted(plan, raw)
    going = None if before is None or added is None else Going(before=before, added=added)
    contents = story.produce(plan, rows, Ledger(), rng=np.random.default_rng(1), going=going)
    return render(contents)


@pytest.mark.parametrize("kind", PLANS)
def test_so_is_a_bundle_that_goes_on_from_another(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last bundle, which is public, and a share for counting everybody again."""
    people, links = planted.victims(), planted.perpetrators()
    last = tmp_path / "last"
    for name, data in of_series(PLANS[kind], 'until = "2020"', tmp_path, people, links).items():
        (last / name).parent.mkdir(parents=True, exist_ok=True)
        (last / name).write_bytes(data)
    update = 'until = "2023"\nafter = "2020"\nprevious = "last"\neveryone = 0.2'
    with monkeypatch.context() as patch:
        answers = replay.record(patch)
        first = of_series(PLANS[kind], update, tmp_path, people, links)
    for name, (others, theirs) in other_rows().items():
        at = [people["registered"][i % planted.PEOPLE] for i in range(len(others["registered"]))]
        with monkeypatch.context() as patch:
            left = replay.replay(patch, answers)
            assert of_series(PLANS[kind], update, tmp_path, {**others, "registered": at}, theirs) == first, name
            assert left == [], name


def test_the_comparison_notices_what_goes_around_the_curator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above could not fail: a mutant that puts the true number of rows into the title is noticed."""
    real: Callable[..., object] = story.produce_table.synthesise

    with monkeypatch.context() as patch:
        answers = replay.record(patch)
        bundle(planted.ONE_TABLE, planted.victims(), {}, seed=1)
    made = []
    for n in (240, 241):
        with monkeypatch.context() as patch:
            replay.replay(patch, answers)
            people = planted.victims(n)

            def leaky(plan: Plan, *rest: object, people: Columns = people) -> object:
                from dataclasses import replace

                about = replace(plan.about, title=f"{len(people['gender'])} people")
                return real(replace(plan, about=about), *rest)

            patch.setattr(story.produce_table, "synthesise", leaky)
            made.append(bundle(planted.ONE_TABLE, people, {}, seed=1))
    assert made[0] != made[1]


def integers(files: Mapping[str, bytes]) -> set[int]:
    """Every whole number in the text files of a bundle, however it is written; hashes aside, and the synthetic keys,
    which count from one."""
    found: set[int] = set()
    for name, data in files.items():
        if name.endswith(".parquet"):
            continue  # the same cells as the CSV beside it
        text = re.sub(r"[0-9a-f]{64}", " ", data.decode())
        if name.startswith("data/"):
            rows = list(csv.DictReader(text.splitlines()))
            text = " ".join(cell for row in rows for column, cell in row.items() if not column.endswith("_id"))
        found |= {int(part.replace(",", "")) for part in re.findall(r"\d{1,3}(?:,\d{3})+|\d{1,15}", text)}
    return found


NUMBERS = (1187, 1601)
OTHER = 823
RUNS = 10


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("n", NUMBERS)
def test_no_number_in_a_bundle_is_the_true_number(kind: str, n: int) -> None:
    """Ten releases of the same rows: a number that is in all of the bundles is not n, n - 1 or the number of links.

    By chance one of these is in one bundle with a probability below 0.1, as the noise on a number of that size has a
    standard deviation of 7 or more and few numbers are that large; so it is in all ten below 1e-9.
    """
    plan = PLANS[kind].replace("epsilon = 4.0", "epsilon = 0.5")
    people, links = planted.victims(n), planted.perpetrators(n)
    # Numbers in bundles of other rows too, such as the places on the map of the explorer, are not about these.
    others = planted.victims(OTHER), planted.perpetrators(OTHER)
    constant = set.intersection(*(integers(bundle(plan, *others, seed)) for seed in range(4)))
    common: set[int] | None = None
    for seed in range(RUNS):
        here = integers(bundle(plan, people, links, seed)) - constant
        common = here if common is None else common & here
        if not common & {n, n + n // 2, n - 1}:
            return
    pytest.fail(f"in all of {RUNS} bundles: {sorted((common or set()) & {n, n + n // 2, n - 1})}")


def test_times_of_the_rows_are_not_those_of_the_bundle(tmp_path: Path) -> None:
    """Neither contents nor file dates tell when the data file was written, nor how long the release took."""
    import os

    source = tmp_path / "victims.csv"
    source.write_bytes(planted.as_csv(planted.victims()))
    os.utime(source, (1_000_000_000, 1_000_000_000))
    (tmp_path / "release.toml").write_text(planted.ONE_TABLE)
    made = story.run(Plan.read(tmp_path / "release.toml")).out
    for path in [made, *made.rglob("*")]:
        assert path.stat().st_mtime > 1_500_000_000
        assert path.stat().st_mtime_ns % (86_400 * 10**9) == 0, "a time of the day shows when the work was done"
        if path.suffix in (".json", ".md", ".csv", ".html"):
            assert b"1000000000" not in path.read_bytes()
            assert b"2001-09-09" not in path.read_bytes()
    assert "victims.csv" not in json.dumps({path.name: path.read_text() for path in made.glob("*.json")}).replace(
        "data/victims.csv", ""
    ).replace("counts/victims.csv", "")
