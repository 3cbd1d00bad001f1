"""A case set to try everything on: victims.csv, perpetrators.csv and a plan. All of it is invented."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caseveil.demo_cases import AGE_GROUPS, EDUCATION, GENDERS, MARITAL, MOST_PERPETRATORS, YEARS, invent
from caseveil.demo_older import FLATTENED_TEXT
from caseveil.demo_situations import CONTROLS, FORMS, RELATIONS, ROLES, SECTORS
from caseveil.errors import OutputError, PlanError
from caseveil.standards.places import regions

__all__ = [
    "DEMO_AGE_EDGES",
    "DEMO_PERPETRATOR_SETS",
    "DEMO_PERPETRATOR_VALUES",
    "DEMO_SETS",
    "DEMO_VALUES",
    "invent",
    "plan_text",
    "write_demo",
]

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
"""The columns of victims with one value in the plan, and their values."""

DEMO_SETS: Mapping[str, tuple[str, ...]] = {"means_of_control": CONTROLS}
"""The set columns of victims in the plan, and their items."""

DEMO_AGE_EDGES = (0, 9, 18, 21, 24, 27, 30, 39, 48)
"""Where the plan cuts the column age."""

DEMO_PERPETRATOR_VALUES: Mapping[str, tuple[str, ...]] = {
    "gender": GENDERS,
    "age_group": AGE_GROUPS,
    "citizenship_region": regions(),
    "relation_to_victim": RELATIONS,
    "paid": ("Yes", "No"),
}
"""The columns of perpetrators with one value in the plan, and their values."""

DEMO_PERPETRATOR_SETS: Mapping[str, tuple[str, ...]] = {"role": ROLES}
"""The set columns of perpetrators in the plan, and their items."""

_ORDERED = ("year_of_registration", "education", "age_group")

_MEANING = {
    "victims": {
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
    },
    "perpetrators": {
        "gender": "Gender of the perpetrator",
        "age_group": "Age group of the perpetrator",
        "citizenship_region": "UN region of the perpetrator's citizenship",
        "relation_to_victim": "Who the perpetrator was to the victim",
        "role": "What the perpetrator did; several may apply",
        "paid": "Whether the victim paid the perpetrator",
    },
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
unit = "victim"              # whom the promise protects: a victim, with all her or his perpetrators
epsilon = 1.0                # smaller protects more and blurs more; `caseveil forecast release.toml` shows how much
delta = "auto"               # 1 / (n ln n) of the protected number of victims
ledger = "ledger.caseveil"   # what every release of these people has cost

[aggregates]
length = 3                   # combinations of up to three columns are counted
fabrication = "balanced"     # at most about 5% of the published combinations are made up by the noise

# Views of the explorer that readers see first. Write them from the explorer, never from the rows.
[[stories]]
title = "Where men in forced labour work"
text = "All of them are invented. The line across a bar says how sure its number is."
view = "t=victims&gender=Male&forced_labour=Yes&pin=sector"

[[stories]]
title = "What perpetrators from the family do"
text = "One who harmed several victims is counted for each of them. Choose another relation under 'Explore' to compare."
view = "t=perpetrators&relation_to_victim=Family&pin=role"

# One row per victim. Columns of victims.csv that are not named here stay out of the release: organisation,
# citizenship and country_of_exploitation. Their regions are released instead.
[tables.victims]
source = "victims.csv"
key = "victim_id"            # identifies a person, so it is never released
"""

_PERPETRATORS = f"""
# One row per perpetrator of a victim: a victim with three perpetrators has three rows here. The released tables are
# linked in the same way, by keys that are made up afresh and mean nothing.
[tables.perpetrators]
source = "perpetrators.csv"
key = "perpetrator_id"       # tells perpetrators apart, never released
# Every row names its victim in the column victim_id. Of a victim with more than {MOST_PERPETRATORS} perpetrators, \
{MOST_PERPETRATORS} drawn at random
# count. That number is public: choose it from what is known of such cases, never from the rows.
links = {{ to = "victims", key = "victim_id", at_most = {MOST_PERPETRATORS} }}
"""


def _quoted(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _column(table: str, name: str, *lines: str) -> str:
    return "\n".join([f"\n[tables.{table}.columns.{name}]", *lines, f'meaning = "{_MEANING[table][name]}"', ""])


def _valued(table: str, name: str, values: Sequence[str]) -> str:
    kind = "ordered" if name in _ORDERED else "category"
    return _column(table, name, f'kind = "{kind}"', f"values = {_quoted(values)}")


def _set(table: str, name: str, items: Sequence[str]) -> str:
    return _column(table, name, 'kind = "multi"', 'delimiter = ";"', f"values = {_quoted(items)}")


def plan_text() -> str:
    """The release.toml of the demo."""
    parts = [_HEAD]
    for name, values in DEMO_VALUES.items():
        parts.append(_valued("victims", name, values))
        if name == "gender":
            parts.append(_column("victims", "age", 'kind = "binned"', f"bins = {list(DEMO_AGE_EDGES)}"))
        if name == "sector":
            parts.extend(_set("victims", sets, items) for sets, items in DEMO_SETS.items())
    parts.append(_PERPETRATORS)
    parts.extend(_valued("perpetrators", name, values) for name, values in DEMO_PERPETRATOR_VALUES.items())
    parts.extend(_set("perpetrators", name, items) for name, items in DEMO_PERPETRATOR_SETS.items())
    return "".join([*parts, FLATTENED_TEXT])


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
