"""Three yearly releases of a small table and of small linked tables, through every command, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from caseveil import cli
from caseveil.privacy.ledger import Ledger
from caseveil.release.bundle import read_bundle
from caseveil.release.carried import EACH, MEASUREMENTS, PEOPLE
from caseveil.release.manifest import MANIFEST, Manifest
from caseveil.synthesis.observed import NoisyResiduals

YEARS = ("2022", "2023", "2024")
PLAN = """
[release]
name = "cases"
version = "{year}"
[privacy]
unit = "victim"
population = "victims"
epsilon = 2.0
delta = 1e-4
ledger = "ledger.caseveil"
budget = {{ epsilon = {budget}, delta = 1e-4 }}
[update]
joined = "day"
until = {year}
{goes_on}
[aggregates]
length = 2
[tables.victims]
source = "victims.csv"
key = "id"
[tables.victims.columns.gender]
kind = "category"
values = ["Female", "Male"]
[tables.victims.columns.sector]
kind = "category"
"""
LINKED = """
[tables.perpetrators]
source = "perpetrators.csv"
links = { to = "victims", key = "id", at_most = 2 }
[tables.perpetrators.columns.role]
kind = "category"
values = ["Recruiter", "Driver"]
"""
EACH_YEAR, LATER = 200, 20


def write_cases(folder: Path, *, linked: bool) -> None:
    rng = np.random.default_rng(4)
    victims, links = ["id,day,gender,sector"], ["id,role"]
    for i in range(EACH_YEAR * len(YEARS) + LATER):
        joined = 2022 + i // EACH_YEAR
        day = f"{joined}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 28)):02d}"
        victims.append(f"v{i},{day},{rng.choice(['Female', 'Male', ''])},{rng.choice(['Farming', 'Fishing'])}")
        links += [f"v{i},{rng.choice(['Recruiter', 'Driver'])}" for _ in range(int(rng.integers(0, 3)))]
    (folder / "victims.csv").write_text("\n".join(victims) + "\n", encoding="utf-8")
    (folder / "perpetrators.csv").write_text("\n".join(links) + "\n", encoding="utf-8")
    for year in YEARS:
        (folder / f"{year}.toml").write_text(plan_text(year, linked=linked), encoding="utf-8")


def plan_text(year: str, *, linked: bool = False, everyone: float = 0.0, budget: float = 2.0) -> str:
    goes_on = "" if year == YEARS[0] else f'after = {int(year) - 1}\nprevious = "cases-{int(year) - 1}"\n'
    goes_on += f"everyone = {everyone}" if everyone else ""
    return PLAN.format(year=year, goes_on=goes_on, budget=budget) + (LINKED if linked else "")


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def document(*args: str | Path) -> dict[str, object]:
    done = run(*args, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["one table", "linked"])
def series(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the releases of three years, each within the one budget of epsilon 2."""
    folder = tmp_path_factory.mktemp("yearly")
    write_cases(folder, linked=request.param)
    for year in YEARS:
        done = run("release", folder / f"{year}.toml", "--quiet")
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases of one table for two years."""
    folder = tmp_path_factory.mktemp("two")
    write_cases(folder, linked=False)
    for year in YEARS[:2]:
        assert run("release", folder / f"{year}.toml", "--quiet").exit_code == 0
    return folder


@pytest.fixture
def folder(two_years: Path, tmp_path: Path) -> Path:
    """A copy of the two releases, to be changed."""
    return Path(shutil.copytree(two_years, tmp_path / "copy"))


def people(bundle: Path) -> NoisyResiduals:
    carried = read_bundle(bundle).carried
    assert carried is not None
    return carried.views[PEOPLE if PEOPLE in carried.views else EACH]


def test_each_release_counts_everybody_so_far(series: Path) -> None:
    """Noise of the total: a standard deviation of at most 20 people here; 140 away has a chance below 1e-9."""
    for number, year in enumerate(YEARS, start=1):
        found = people(series / f"cases-{year}")
        assert found.variance[()] < 400
        assert abs(found.total - number * EACH_YEAR) < 140
    first, second, third = (people(series / f"cases-{year}").variance for year in YEARS)
    for clique in third:
        assert first[clique] < second[clique] < third[clique]
    carried = read_bundle(series / "cases-2024").carried
    assert carried is not None
    assert carried.of == ("cases 2022", "cases 2023", "cases 2024")


def test_nobody_loses_more_than_one_release(series: Path) -> None:
    found = document("ledger", "show", series / "ledger.caseveil", "--delta", "1e-4")
    assert found["total"]["epsilon"] <= 2.0  # type: ignore[index]
    assert found["total"]["epsilon"] > 1.99  # type: ignore[index]
    periods = [entry["period"] for entry in found["entries"]]  # type: ignore[attr-defined]
    assert {"joined": "day", "after": "2022-12-31", "until": "2023-12-31"} in periods
    assert None not in periods
    shown = run("ledger", "show", series / "ledger.caseveil").stdout
    assert "who joined" in shown


def test_every_bundle_proves_itself_and_tells_its_place_in_the_series(series: Path) -> None:
    for year in YEARS:
        verdict = document("verify", series / f"cases-{year}")
        assert verdict["ok"] is True
        assert "measurements" in [finding["check"] for finding in verdict["findings"]]  # type: ignore[attr-defined]
    told = (series / "cases-2024" / "STATEMENT.md").read_text(encoding="utf-8")
    assert "goes on from cases 2023" in told
    assert "every victim who joined after 2023 and by 2024" in told


def test_evaluate_looks_at_those_whom_the_release_is_about(series: Path, tmp_path: Path) -> None:
    found = document("evaluate", series / "cases-2023", series / "2023.toml", "--out", tmp_path / "private")
    assert found["tables"][0]["people"] == 2 * EACH_YEAR  # type: ignore[index]


def test_check_says_whom_a_release_would_be_about(series: Path) -> None:
    found = document("check", series / "2024.toml")
    assert found["covered"] == {"people": 600, "joined": 200, "later": LATER, "before": "cases 2023"}
    shown = " ".join(run("check", series / "2024.toml").stdout.split())
    assert "about the 600 people who joined by 2024 (day)" in shown
    assert "goes on from cases 2023, whose bundle fits: 200 joined since (after 2023 until 2024)" in shown
    assert "20 in the data joined later" in shown
    first = document("check", series / "2022.toml")["covered"]
    assert first == {"people": 200, "joined": 200, "later": 420, "before": None}


def test_the_risk_that_check_tells_is_that_of_the_people_covered(series: Path, tmp_path: Path) -> None:
    """Eleven alike from 2024 on are not rare in all the rows; of those who joined by 2022 nobody is like them."""
    lone = [f"x{i},{2022 if i == 0 else 2024}-06-01,,Fishing by night" for i in range(11)]
    rows = (series / "victims.csv").read_text(encoding="utf-8") + "\n".join(lone) + "\n"
    (tmp_path / "victims.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "perpetrators.csv").write_bytes((series / "perpetrators.csv").read_bytes())
    plan = (series / "2022.toml").read_text(encoding="utf-8")
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    assert document("check", tmp_path / "plan.toml")["risk"]["alone"] == 1  # type: ignore[index]
    (tmp_path / "plan.toml").write_text(plan.replace("until = 2022", "until = 2024"), encoding="utf-8")
    assert document("check", tmp_path / "plan.toml")["risk"]["alone"] == 0  # type: ignore[index]


def test_forecast_counts_the_noise_of_the_last_release_in(series: Path) -> None:
    """It is the variance that is then measured, up to what rounding adds."""
    found = document("forecast", series / "2024.toml", "--epsilon", "2")
    first = document("forecast", series / "2022.toml", "--epsilon", "2")
    assert (found["goes_on_from"], first["goes_on_from"]) == ("cases 2023", None)
    for later, earlier in zip(found["rows"], first["rows"], strict=True):  # type: ignore[call-overload]
        assert later["cell_sd"] > 1.4 * earlier["cell_sd"]
        assert later["cells"] <= earlier["cells"] * 30


def test_counting_everybody_again_costs_those_who_joined_earlier(folder: Path) -> None:
    spent = Ledger.read(folder / "ledger.caseveil").total().mu
    (folder / "2024.toml").write_text(plan_text("2024", everyone=0.5, budget=2.0), encoding="utf-8")
    refused = run("release", folder / "2024.toml", "--quiet")
    assert refused.exit_code == 2
    assert "budget" in refused.output
    (folder / "2024.toml").write_text(plan_text("2024", everyone=0.5, budget=3.0), encoding="utf-8")
    done = run("release", folder / "2024.toml", "--quiet")
    assert done.exit_code == 0, done.output
    assert Ledger.read(folder / "ledger.caseveil").total().mu == pytest.approx(1.5**0.5 * spent, rel=1e-6)
    assert run("verify", folder / "cases-2024").exit_code == 0
    before, now = (people(folder / f"cases-{year}").variance for year in ("2023", "2024"))
    assert sum(now[clique] for clique in now) < 1.2 * sum(before.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('unit = "victim"', 'unit = "person"'), "privacy.unit (person) must be that of cases 2023 (victim)"),
        (
            ('"victims"\nepsilon', '"others"\nepsilon'),
            "privacy.population (others) must be that of cases 2023",
        ),
        (('joined = "day"', 'joined = "id"'), "update.joined (id) must be that of cases 2023 (day)"),
        (("after = 2023", "after = 2023-12-30"), "update.after (2023-12-30) must be where cases 2023 ended (2023)"),
        (('["Female", "Male"]', '["Female"]'), "tables.victims.columns must be those of cases 2023, with the same"),
        (
            ("victims.columns.sector", "victims.columns.place"),
            "different: sector. Keep them for the whole series",
        ),
        (("tables.victims", "tables.people"), "tables must be those of cases 2023: victims"),
        (('"cases-2023"', '"cases-2021"'), "update.previous: "),
        (('"cases-2023"', '"elsewhere"'), "update.previous: "),
    ],
)
def test_another_last_release_is_refused_and_nothing_is_charged(
    change: tuple[str, str], said: str, folder: Path
) -> None:
    (folder / "elsewhere").mkdir()
    text = plan_text("2024")
    assert change[0] in text
    (folder / "2024.toml").write_text(text.replace(*change), encoding="utf-8")
    _refused(folder, said)


def _refused(folder: Path, said: str) -> None:
    """Release, check and forecast say why, and leave ledger and folder as they were."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for command in ("release", "check", "forecast"):
        done = run(command, folder / "2024.toml", "--quiet")
        assert done.exit_code == 2, (command, done.output)
        assert said in " ".join(done.output.split()), (command, done.output)
        assert "Traceback" not in done.output
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_another_cap_of_links_is_refused(tmp_path: Path) -> None:
    write_cases(tmp_path, linked=True)
    assert run("release", tmp_path / "2022.toml", "--quiet").exit_code == 0
    text = plan_text("2023", linked=True).replace("at_most = 2", "at_most = 3")
    (tmp_path / "2024.toml").write_text(text, encoding="utf-8")
    _refused(tmp_path, "tables must have the links.at_most of cases 2022")


def test_a_damaged_bundle_is_refused(folder: Path) -> None:
    path = folder / "cases-2023" / MEASUREMENTS
    path.write_bytes(path.read_bytes()[:-3])
    _refused(folder, "update.previous: 1 files of the bundle are not as they were written (the first: meas")


def test_a_bundle_without_measurements_is_refused(folder: Path) -> None:
    text = plan_text("2023", budget=4.0)
    alone = text[: text.index("[update]")] + text[text.index("[aggregates]") :]
    (folder / "alone.toml").write_text(alone, encoding="utf-8")
    shutil.rmtree(folder / "cases-2023")
    assert run("release", folder / "alone.toml", "--quiet").exit_code == 0
    _refused(folder, "keeps no measurements.bin: only a release whose plan has [update] can be gone on from")


def test_rows_without_a_date_are_refused_and_not_told(folder: Path) -> None:
    with (folder / "victims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[7][1] = "secret-cell"
    with (folder / "victims.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    ledger = (folder / "ledger.caseveil").read_bytes()
    for command in ("release", "check"):
        done = run(command, folder / "2024.toml", "--quiet")
        assert done.exit_code == 2
        assert "column day holds no date in 1 row" in " ".join(done.output.split())
        assert "secret-cell" not in done.output
    assert (folder / "ledger.caseveil").read_bytes() == ledger


@pytest.mark.parametrize("fault", ["number", "population of another", "unit", "series", "gone"])
def test_verify_finds_changed_measurements_though_the_hashes_fit(fault: str, folder: Path) -> None:
    bundle = folder / "cases-2023"
    path = bundle / MEASUREMENTS
    header, _, numbers = path.read_bytes().partition(b"\n")
    if fault == "number":  # of the values: variances come first
        values = np.frombuffer(numbers, "<f8").copy()
        values[len(json.loads(header)["views"][PEOPLE]["cliques"]) + 2] += 60.0
        numbers = values.tobytes()
    changes = {"unit": (b'"unit":"victim"', b'"unit":"person"'), "series": (b"cases 2022", b"cases 2021")}
    changes["population of another"] = (b'"until":"2023"', b'"until":"2024"')
    if fault in changes:
        assert changes[fault][0] in header
        header = header.replace(*changes[fault])
    path.write_bytes(header + b"\n" + numbers)
    if fault == "gone":
        path.unlink()
    files = {str(p.relative_to(bundle).as_posix()): p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    old = Manifest.from_bytes(files[MANIFEST])
    again = Manifest.of(files, versions=old.versions, plan_digest=old.plan_digest, parquet=old.parquet)
    (bundle / MANIFEST).write_bytes(again.to_bytes())
    done = run("verify", bundle, "--json")
    assert done.exit_code == 1
    failed = {finding["check"] for finding in json.loads(done.stdout)["findings"] if not finding["ok"]}
    assert "measurements" in failed
