"""What the page says about attacks."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from caseveil.evaluation.attack_report import (
    FOUND,
    NO_SIGN,
    OPEN,
    UNKNOWN,
    as_data,
    headlines,
    risk_text,
    rows,
    section,
    summary,
    verdict,
)
from caseveil.evaluation.attacks import Attack, Attacks, Control, Result
from caseveil.evaluation.figures import risks
from caseveil.evaluation.shares import Excess, Share


def share(value: float) -> Share:
    return Share(times=round(1000 * value), trials=1000, value=value, lower=value - 0.01, upper=value + 0.01)


def result(kind: Attack, lower: float, upper: float, column: str | None = None) -> Result:
    return Result(
        attack=kind, table="cases", column=column, success=share(0.5), control=share(0.4), without=0.1,
        excess=Excess(value=(lower + upper) / 2, lower=lower, upper=upper), distance=1.5, control_distance=2.5,
    )  # fmt: skip


NOTHING = Result(attack=Attack.VALUE, table="cases", unknown="there was nothing to guess")
HARMLESS = result(Attack.COPYING, -0.02, 0.04)
ATTACKS = Attacks(
    control=Control.OTHERS,
    results=(
        HARMLESS,
        NOTHING,
        result(Attack.NEAREST, -0.1, 0.1),
        result(Attack.NEAREST, 0.05, 0.2, "debt|bond"),
        result(Attack.NEAREST, -0.2, 0.6, "age"),
    ),
    targets={"cases": 1000},
    people=4000,
)


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [(0.01, 0.9, FOUND), (0.0, 0.1, NO_SIGN), (-0.5, -0.1, NO_SIGN), (-0.1, 0.25, NO_SIGN), (-0.1, 0.26, OPEN)],
)
def test_the_verdict_follows_the_interval(lower: float, upper: float, said: str) -> None:
    assert verdict(result(Attack.COPYING, lower, upper)) == said
    assert verdict(NOTHING) == UNKNOWN


def test_a_finding_in_one_column_is_a_finding() -> None:
    found = {one.result.attack: one for one in headlines(ATTACKS)}
    assert list(found) == [Attack.COPYING, Attack.VALUE, Attack.NEAREST]
    assert found[Attack.NEAREST].found == ("debt|bond",)
    assert [one.verdict for one in found.values()] == [NO_SIGN, UNKNOWN, FOUND]
    assert summary(ATTACKS).startswith("1 of 3 attacks learnt about the people in the release")
    assert "found in debt|bond" in list(rows(ATTACKS))[2][0]


def test_summaries_say_what_is_not_known() -> None:
    quiet = dataclasses.replace(ATTACKS, results=(HARMLESS,))
    assert summary(quiet) == "No attack learnt more about the people in the release than the control allows."
    silent = dataclasses.replace(ATTACKS, results=(NOTHING,))
    assert summary(silent).startswith("No attack gave an answer. 1 could not be made")
    wide = dataclasses.replace(ATTACKS, results=(HARMLESS, result(Attack.LINKAGE, -0.5, 0.5)))
    assert "1 met too few people to tell" in summary(wide)
    loud = dataclasses.replace(ATTACKS, results=(result(Attack.COPYING, 0.8, 0.9),))
    assert summary(loud).startswith("All attacks learnt")


def test_risks_below_nothing_are_not_written_as_numbers() -> None:
    assert risk_text(Excess(value=0.5, lower=0.25, upper=0.75)) == "50.0% (25.0% to 75.0%)"
    assert risk_text(Excess(value=-0.1, lower=-0.4, upper=0.05)) == "0% (0% to 5.0%)"
    assert risk_text(Excess(value=-0.3, lower=-0.4, upper=-0.2)) == "below 0"
    assert risk_text(None) == ""


def test_the_page_explains_and_advises() -> None:
    page = "\n".join(section(ATTACKS))
    assert "500 of 1,000 people (50.0%) who are in the release" in page
    assert "the nearest record differs in 1.50 columns, and in 2.50 in the control" in page
    assert "Unknown: there was nothing to guess." in page
    assert "debt\\|bond" in page
    assert "Do not publish the release" in page
    assert "true rows of everybody else" in page
    quiet = "\n".join(section(dataclasses.replace(ATTACKS, results=(HARMLESS,))))
    assert "Do not publish" not in quiet
    assert "does not show that no attack can work" in quiet


@pytest.mark.parametrize(
    ("also_in", "said"), [(None, "rows have no key"), (0, "from the file you named. This"), (3, "3 rows of the file")]
)
def test_the_page_says_who_the_control_is(also_in: int | None, said: str) -> None:
    page = "\n".join(
        section(dataclasses.replace(ATTACKS, control=Control.PEOPLE, control_people=900, also_in=also_in))
    )  # fmt: skip
    assert "900 people who were not in the release" in page
    assert said in page
    assert "what an attacker would learn who had stolen" not in page


def test_every_attack_has_its_words() -> None:
    for across in (False, True):
        results = tuple(
            dataclasses.replace(result(kind, 0.0, 0.1), across=across)
            for kind in (tuple(Attack)[3:] if across else Attack)
        )
        lines = section(dataclasses.replace(ATTACKS, results=results))
        assert sum(line.startswith("### ") for line in lines) == len(results)


def test_the_data_are_json_with_verdicts() -> None:
    data = json.loads(json.dumps(as_data(ATTACKS), allow_nan=False))
    assert data["control"] == "true rows of everybody else"
    assert [one["verdict"] for one in data["results"]] == [NO_SIGN, UNKNOWN, NO_SIGN, FOUND, OPEN]
    assert [one["verdict"] for one in data["headlines"]] == [NO_SIGN, UNKNOWN, FOUND]
    assert data["headlines"][2]["found_in"] == ["debt|bond"]
    assert data["results"][0]["success"] == {
        "times": 500, "trials": 1000, "value": 0.5, "lower": 0.49, "upper": 0.51,
    }  # fmt: skip


def test_the_figure_has_a_line_for_each_attack() -> None:
    pytest.importorskip("matplotlib")
    axes = risks(ATTACKS).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "cases: a column inferred from the nearest record",
        "cases: singled out by one value",
        "cases: a record equals the person's row",
    ]
    marks = [line for line in axes.get_lines() if line.get_marker() in ("o", "D")]
    places = np.array([np.concatenate([line.get_xdata(), line.get_ydata()]) for line in marks])
    # The one that may be drawn is 1 percent, at the top; the one below 0 is drawn as 0.
    assert sorted(places.round(6).tolist()) == [[0.0, 0.0], [1.0, 2.0]]
    assert [text.get_text().strip() for text in axes.texts] == ["unknown"]
