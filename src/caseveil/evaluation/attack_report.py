"""What attacks on a release found, in plain words for somebody who has never attacked anything. Private."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caseveil.evaluation import markdown
from caseveil.evaluation.attackers import CANDIDATES, LONGEST
from caseveil.evaluation.attacks import Attack, Attacks, Control, Result
from caseveil.evaluation.shares import Excess, Share

WIDE = 0.25
"""Upper end of an interval from which on "no sign" would promise too much."""

_NAMED = 2  # columns that the short table names; the long one has all

FOUND, NO_SIGN, OPEN, UNKNOWN = "found", "no sign", "too few to tell", "unknown"

SHORT = {
    Attack.COPYING: "a record equals the person's row",
    Attack.VALUE: "singled out by one value",
    Attack.COMBINATION: "singled out by a combination of values",
    Attack.LINKAGE: "two halves of a row joined",
    Attack.NEAREST: "a column inferred from the nearest record",
    Attack.COUNTS: "a column inferred from counts",
}

_STORY = {
    Attack.COPYING: (
        "Copied rows",
        "Somebody who knows a person's whole row looks whether a synthetic record equals it, and takes that as a sign "
        "that the person is in the data. Frequent rows are met by chance; the control shows how often.",
    ),
    Attack.VALUE: (
        "Singled out by one value",
        "An attacker looks for values that exactly one record has, and claims: exactly one real person has this value. "
        "It works on a person if it is so, in the group of people who are attacked together. Only those who have such "
        "a value are counted.",
    ),
    Attack.COMBINATION: (
        "Singled out by a combination",
        f"An attacker takes each record in turn, and as many of its columns, up to {LONGEST}, as make it the only "
        "record of its kind, and claims: exactly one real person is like this. It works on a person if one of these "
        "descriptions fits that person and nobody else in the group of people who are attacked together.",
    ),
    Attack.LINKAGE: (
        "Two halves joined",
        "Two parties each know half of the columns of the same people, without names. For one first half an attacker "
        f"has {CANDIDATES} second halves, one of which belongs to it, and chooses the one that makes the pair most "
        f"like a synthetic record. Blind guessing is right once in {CANDIDATES}.",
    ),
    Attack.NEAREST: (
        "A column inferred from the nearest record",
        "An attacker knows all columns of a person but one, looks up the synthetic record that is most like the "
        "person, and reads the missing column there.",
    ),
    Attack.COUNTS: (
        "A column inferred from counts",
        "An attacker knows all columns of a person but one, and takes the value that is likeliest by the counts of "
        "single values and of pairs (naive Bayes).",
    ),
}

_ACROSS = {
    Attack.LINKAGE: (
        "Victim and perpetrator joined",
        "One party knows the columns of victims, another those of perpetrators. For one victim an attacker has "
        f"{CANDIDATES} perpetrators, one of whom belongs to her or him, and chooses the one who makes the pair most "
        f"like a synthetic one. Blind guessing is right once in {CANDIDATES}.",
    ),
    Attack.NEAREST: (
        "A perpetrator's column inferred from the victim's nearest record",
        "An attacker knows all columns of a victim, looks up the synthetic victim who is most like her or him, and "
        "reads a column of the perpetrator there.",
    ),
    Attack.COUNTS: (
        "A perpetrator's column inferred from counts",
        "An attacker knows all columns of a victim, and takes the value of the perpetrator that is likeliest by the "
        "counts of single values and of pairs across the link (naive Bayes).",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One attack on one table. result: that which stands for it; found: columns in which it was found besides."""

    result: Result
    found: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """One of FOUND, NO_SIGN, OPEN, UNKNOWN."""
        return FOUND if self.found else verdict(self.result)


def verdict(result: Result) -> str:
    """What one result says: FOUND, NO_SIGN, OPEN or UNKNOWN."""
    if result.excess is None:
        return UNKNOWN
    if result.found:
        return FOUND
    return NO_SIGN if result.excess.upper <= WIDE else OPEN


def headlines(attacks: Attacks) -> list[Headline]:
    """Each attack on each table once, in the order in which they were made."""
    out: list[Headline] = []
    for result in attacks.results:
        if result.column is None:
            columns = tuple(
                one.column
                for one in attacks.results
                if (one.attack, one.table) == (result.attack, result.table) and one.column is not None and one.found
            )
            out.append(Headline(result=result, found=columns))
    return out


def rows(attacks: Attacks) -> Iterator[tuple[str, str, str, str, str]]:
    """For a short table: what, how often it worked, in the control, the risk with its interval, the verdict."""
    for headline in headlines(attacks):
        result = headline.result
        what = f"{result.table}: {SHORT[result.attack]}"
        if headline.found:
            what += f" (found in {', '.join(headline.found[:_NAMED])}{', ...' * (len(headline.found) > _NAMED)})"
        numbers = tuple(map(_share, (result.success, result.control)))
        yield (what, numbers[0], numbers[1], risk_text(result.excess), headline.verdict)


HEADS = ("attack", "worked on people in the release", "worked in the control", "risk, with 95% interval", "verdict")


def risk_text(excess: Excess | None) -> str:
    """'3.1% (0% to 8.4%)': less than nothing is written as 0, and an interval below 0 in words."""
    if excess is None:
        return ""
    if excess.upper < 0.0:
        return "below 0"
    value, lower, upper = (markdown.share(max(0.0, x)) for x in (excess.value, excess.lower, excess.upper))
    return f"{value} ({lower} to {upper})"


def summary(attacks: Attacks) -> str:
    """One sentence over all attacks."""
    verdicts = [headline.verdict for headline in headlines(attacks)]
    found, unclear, unknown = (verdicts.count(one) for one in (FOUND, OPEN, UNKNOWN))
    if found == len(verdicts):
        return "All attacks learnt about the people in the release themselves."
    rest = ""
    if unclear:
        rest += f" {unclear} met too few people to tell."
    if unknown:
        rest += f" {unknown} could not be made; why stands below."
    if found:
        return f"{found} of {len(verdicts)} attacks learnt about the people in the release themselves.{rest}"
    if unclear + unknown == len(verdicts):
        return f"No attack gave an answer.{rest}"
    return f"No attack learnt more about the people in the release than the control allows.{rest}"


def as_data(attacks: Attacks) -> dict[str, Any]:
    """Everything as JSON values: the results with their verdicts, and what stands for each attack on each table."""
    return {
        **dataclasses.asdict(attacks),
        "results": [{**dataclasses.asdict(one), "verdict": verdict(one)} for one in attacks.results],
        "summary": summary(attacks),
        "headlines": [
            {
                "attack": one.result.attack,
                "table": one.result.table,
                "what": SHORT[one.result.attack],
                "story": _story(one.result)[1],
                "verdict": one.verdict,
                "found_in": list(one.found),
            }
            for one in headlines(attacks)
        ],
    }


def section(attacks: Attacks) -> list[str]:
    """The part of the page about attacks."""
    return [
        "## Attacks",
        "",
        f"**{summary(attacks)}**",
        "",
        "An attack that works is not yet a harm done by your data: if most people of one kind were debtors, then "
        'guessing "debt" is right for most of them, whether they are in the data or not. So every attack is made '
        "twice: on people in the release, and in a control in which it cannot have learnt about its targets. The risk "
        "is what it adds: of the people on whom the control fails, the share on whom the attack works all the same. A "
        "risk of 0: the attack does no more than the control. 100%: it gives away everybody whom the control does not.",
        "",
        *_control(attacks),
        *markdown.table(HEADS, rows(attacks)),
        f"**{FOUND}**: the interval lies above 0. The release tells about people in it what it does not tell about "
        f"others. **{NO_SIGN}**: the interval holds 0, or lies below it, and ends at {markdown.share(WIDE)} or less. "
        f"**{OPEN}**: it holds 0 and reaches further than that. **{UNKNOWN}**: the attack could not be made, which "
        f"says nothing about the risk. Chance alone makes an attack on one table a finding at most once in "
        f"{1 / attacks.miss:.0f} times.",
        "",
        *_advice(attacks),
        *(line for headline in headlines(attacks) for line in _told(headline.result, attacks)),
    ]


def _control(attacks: Attacks) -> list[str]:
    targets = ", ".join(f"{number:,} of {markdown.escaped(table)}" for table, number in attacks.targets.items())
    drawn = f"Attacked were, drawn at random, always the same: {targets}."
    if attacks.control is Control.PEOPLE:
        left_out = ""
        if attacks.also_in:
            were = "row of the file was" if attacks.also_in == 1 else "rows of the file were"
            left_out = f" {attacks.also_in:,} {were} left out: the key is in the data."
        if attacks.also_in is None:
            left_out = " The rows have no key, so nobody can tell whether some of these people are in the data too."
        return [
            f"**The control**: the same attacks on {attacks.control_people or 0:,} people who were not in the release, "
            f"from the file you named.{left_out} This is fair if they were registered in the same way, at the same "
            f"places and in the same years as those in the release. Each attack was first tried with the true rows of "
            f"everybody else, who tell nothing about either side: where it worked differently on the two, the "
            f"control is of another kind, and what it would have said is unknown. A difference too small for this test "
            f"may be left.",
            "",
            f"{drawn} As many were drawn from the control.",
            "",
        ]
    return [
        "**The control**: you named no file of people who were not in the release. So the control attacks the same "
        "people with the *true rows of everybody else* in the place of the release: what an attacker would learn who "
        "had stolen all rows but theirs. A release that tells more about them than that has learnt it from their own "
        "rows, so what is found here is real. The reverse is weaker: noise makes a release worse than true rows, and "
        "can hide that it tells a little about some. Rows of people who were not in the release (`--control`) make a "
        "sharper control.",
        "",
        drawn,
        "",
    ]


def _advice(attacks: Attacks) -> list[str]:
    if not any(headline.verdict == FOUND for headline in headlines(attacks)):
        return [
            "That these attacks fail does not show that no attack can work. What holds against every attack is the "
            "promise in the statement.",
            "",
        ]
    return [
        "**What to do.** Do not publish the release. Look below for what gives people away, and first for a harmless "
        "reason: does the control hold the same kind of people? Does one person stand in several rows of the data? "
        "Under differential privacy with a small epsilon such a finding would point to a fault in the software or in "
        "the plan: please report it, without any numbers of this page. Without differential privacy, or with a large "
        "epsilon, it is what can happen: make columns coarser or leave some out, and lower epsilon.",
        "",
    ]


def _told(result: Result, attacks: Attacks) -> list[str]:
    title, story = _story(result)
    lines = [f"### {markdown.escaped(result.table)}: {title.lower()}", "", story, ""]
    if result.excess is None:
        return [*lines, f"Unknown: {result.unknown}.", ""]
    lines += [f"{_worked(result)} Risk {risk_text(result.excess)}: {verdict(result)}.", ""]
    columns = [
        one
        for one in attacks.results
        if (one.attack, one.table) == (result.attack, result.table) and one.column is not None
    ]
    return lines + (_columns(columns) if columns else [])


def _story(result: Result) -> tuple[str, str]:
    """Title, and what the attacker does."""
    return (_ACROSS if result.across else _STORY)[result.attack]


def _worked(result: Result) -> str:
    assert result.success is not None
    assert result.control is not None
    text = (
        f"It worked on {_often(result.success)} who are in the release. In the control it worked on "
        f"{_often(result.control)}."
    )
    if result.attack is Attack.COPYING and result.distance is not None and result.control_distance is not None:
        text += (
            f" On average the nearest record differs in {result.distance:.2f} columns, and in "
            f"{result.control_distance:.2f} in the control."
        )
    if result.attack in (Attack.NEAREST, Attack.COUNTS):
        text = f"One column was drawn for each person. {text}"
        if result.without is not None:
            text += f" Always guessing the most frequent value is right for {markdown.share(result.without)}."
    return text


def _columns(results: Sequence[Result]) -> list[str]:
    return markdown.table(
        ("column", "worked", "in the control", "most frequent value", "risk, with its interval", "verdict"),
        (
            (
                one.column or "",
                _share(one.success),
                _share(one.control),
                "" if one.without is None else markdown.share(one.without),
                risk_text(one.excess),
                verdict(one),
            )
            for one in results
        ),
    )


def _share(share: Share | None) -> str:
    return "" if share is None else markdown.share(share.value)


def _often(share: Share) -> str:
    return f"{share.times:,} of {share.trials:,} people ({markdown.share(share.value)})"
