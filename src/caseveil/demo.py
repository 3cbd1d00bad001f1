"""A case set to try everything on: victims.csv, perpetrators.csv and a plan. All of it is invented."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caseveil.demo_cases import EDUCATION, GENDERS, MARITAL, YEARS, invent
from caseveil.demo_situations import CONTROLS, FORMS, RELATIONS, SECTORS
from caseveil.errors import OutputError, PlanError
from caseveil.standards.places import regions

__all__ = ["DEMO_AGE_EDGES", "DEMO_SETS", "DEMO_VALUES", "invent", "plan_text", "write_demo"]

FILES = ("victims.csv", "perpetrators.csv", "release.toml")

DEMO_VALUES: Mapping[str, tuple[str, ...]] = {
    "year_of_registration": tuple(map(str, YEARS)),
    "gender": GENDERS,
    "citizenship_region": regions(),
    "exploitation_region": regions(),
    **dict.fromkeys(FORMS, ("Yes",)),
    "sector": SECTORS,
    "recruiter_relation": RELATIONS,
    "marital_status": MARITAL,
    "education": EDUCATION,
}
"""The columns of one value in the plan, and their values."""

DEMO_SETS: Mapping[str, tuple[str, ...]] = {"means_of_control": CONTROLS}
"""The set columns in the plan, and their items."""

DEMO_AGE_EDGES = (0, 9, 18, 21, 24, 27, 30, 39, 48)
"""Where the plan cuts the column age."""

_ORDERED = ("year_of_registration", "education")

_MEANING = {
    "year_of_registration": "Year in which the case was registered",
    "gender": "Gender of the victim",
    "age": "Age of the victim at registration, in years",
    "citizenship_region": "UN region of the victim's citizenship",
    "exploitation_region": "UN region in which the exploitation took place",
    "forced_labour": "Forced labour",
    "sexual_exploitation": "Sexual exploitation",
    "forced_marriage": "Forced marriage",
    "forced_begging": "Forced begging",
    "other_exploitation": "Another form of exploitation, such as forced crime",
    "sector": "Sector of the forced labour",
    "means_of_control": "How the victim was controlled; several may apply",
    "recruiter_relation": "Who recruited the victim, as the victim knew them",
    "marital_status": "Marital status of the victim",
    "education": "Highest schooling of the victim",
}

_HEAD = """\
# The plan of this release: every choice that shapes it. The cases are invented and resemble nobody.

[release]
name = "invented-victims"
version = "1"
title = "Invented victims of trafficking"
publisher = "Caseveil demonstration"
license = "CC-BY-4.0"

[privacy]
guarantee = "differential-privacy"
unit = "victim"              # whom the promise protects
epsilon = 1.0                # smaller protects more and blurs more; `caseveil forecast release.toml` shows how much
delta = "auto"               # 1 / (n ln n) of the protected number of victims
ledger = "ledger.caseveil"   # what every release of these people has cost

[aggregates]
length = 3                   # combinations of up to three columns are counted
fabrication = "balanced"     # at most about 5% of the published combinations are made up by the noise

# Columns of victims.csv that are not named here stay out of the release: organisation, citizenship and
# country_of_exploitation. Their regions are released instead. perpetrators.csv is not part of this plan yet; linked
# tables come in a later version.
[tables.victims]
source = "victims.csv"
key = "victim_id"            # identifies a person, so it is never released
"""


def _quoted(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _column(name: str, *lines: str) -> str:
    return "\n".join([f"\n[tables.victims.columns.{name}]", *lines, f'meaning = "{_MEANING[name]}"', ""])


def plan_text() -> str:
    """The release.toml of the demo."""
    parts = [_HEAD]
    for name, values in DEMO_VALUES.items():
        kind = "ordered" if name in _ORDERED else "category"
        parts.append(_column(name, f'kind = "{kind}"', f"values = {_quoted(values)}"))
        if name == "gender":
            parts.append(_column("age", 'kind = "binned"', f"bins = {list(DEMO_AGE_EDGES)}"))
        if name == "sector":
            parts.extend(
                _column(sets, 'kind = "multi"', 'delimiter = ";"', f"values = {_quoted(items)}")
                for sets, items in DEMO_SETS.items()
            )
    return "".join(parts)


def _write_csv(path: Path, columns: Mapping[str, Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_demo(folder: Path, *, victims: int = 17_000, seed: int | None = None) -> None:
    """Invent cases and write victims.csv, perpetrators.csv and release.toml into the folder, which is made if need be.

    The same seed gives the same files; without one they differ every time. Raises PlanError for fewer than 2 victims,
    OutputError where one of the files exists already or the folder cannot be used. Nothing is overwritten.
    """
    if victims < 2:
        raise PlanError(f"victims ({victims}) must be 2 or more")
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise OutputError(f"{folder} already holds {', '.join(there)}; choose another folder or remove them first")
    people, perpetrators = invent(victims, np.random.default_rng(seed))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_csv(folder / "victims.csv", people)
        _write_csv(folder / "perpetrators.csv", perpetrators)
        (folder / "release.toml").write_text(plan_text(), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or type(error).__name__}") from error
