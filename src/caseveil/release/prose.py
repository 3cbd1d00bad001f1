"""STATEMENT.md: what was protected, how much, and what is not, for two readers.

The first half is for a policymaker, the second for a privacy officer. Everything follows from the
statement and the name of the release, so the text can be checked against the data.
"""

from __future__ import annotations

import math
from dataclasses import replace

from caseveil.release.about import About
from caseveil.release.link_promise import LinkPromise
from caseveil.release.statement import Statement, above, as_sentence, factor_text, one_in
from caseveil.schema.unit import PrivacyUnit

_WORDS = {1: "single values", 2: "pairs", 3: "combinations of three values"}


def markdown(statement: Statement, about: About) -> str:
    """The whole of STATEMENT.md. Ends with one newline."""
    parts = [
        _head(statement, about),
        _strength(statement),
        _not_protected(statement),
        _reading(statement),
        _citing(about),
        _officer(statement),
    ]
    return "\n\n".join(parts) + "\n"


def parts(statement: Statement) -> dict[str, list[str]]:
    """What the explorer tells of STATEMENT.md, item by item: how strong the promise is, what it does not protect, and
    how to read the numbers. Markdown of one line each, with nothing but bold, code and escapes."""
    sections = {"strength": _strength, "limits": _not_protected, "reading": _reading}
    return {name: _items(write(statement)) for name, write in sections.items()}


def _items(section: str) -> list[str]:
    lines = (line.strip().removeprefix("- ") for line in section.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _head(s: Statement, about: About) -> str:
    lines = [f"# {plain(about.heading)}", "", f"Version {plain(about.version)}."]
    if about.publisher:
        lines[-1] += f" Published by {plain(about.publisher)}."
    if about.license:
        lines[-1] += f" License: {plain(about.license)}."
    lines += ["", "## What this is", "", _what(s), "", f"> {plain(str(s))}"]
    for paragraph in [] if s.update is None else s.update.words(s.unit.name):
        lines += ["", plain(paragraph)]
    return "\n".join(lines)


def _what(s: Statement) -> str:
    if s.links is not None:
        return _words(s.links).what(_unit(s), s.records)
    return (
        f"These files describe a table with one record per {plain(s.unit.name)}. None of its records was copied "
        f"into them. They hold {s.records:,} **synthetic records**, which look like the real ones and belong to "
        "nobody, and **counts** of how many records have certain values, with intervals. Both were made from counts "
        "of the real table to which random noise had been added. The real records were not used for anything else."
    )


def _strength(s: Statement) -> str:
    unit = plain(s.unit.name)
    tenth, half = (_believed(prior, s.epsilon) for prior in (0.1, 0.5))
    changes, place = ("The record changes", "table") if s.links is None else ("They change", "data")
    lines = [
        "## How strong the protection is",
        "",
        _thought(s),
        "",
        f"- **Epsilon is {s.epsilon:g}.** {changes} the odds of any conclusion by a factor of at most "
        f"{factor_text(s.epsilon)}. Suppose that somebody holds it one in ten that this {unit} is in the {place}; "
        f"after studying the release they have reason to hold it at most {tenth} in 100. From one in two they can "
        f"get to at most {half} in 100.",
        f"- **Delta is {above(s.delta, 2)}.** This is the probability set aside for the factor to fail, at most one in "
        f"{one_in(s.delta)}.",
        f"- Put as a game: somebody who knows everything but whether one {unit} is in the {place}, and to whom both "
        f"are equally likely, guesses right at most {_percent_up(s.guess_rate)} times in 100 from all of these files "
        "together. A coin gets 50.",
    ]
    if s.epsilon > 5:
        lines += [
            "",
            f"A factor of {factor_text(s.epsilon)} is large. At this epsilon the factor by itself promises little; "
            "the game above is the better measure of what remains.",
        ]
    return "\n".join(lines)


def _thought(s: Statement) -> str:
    unit = plain(s.unit.name)
    if s.links is not None:
        return _words(s.links).thought(_unit(s))
    return (
        f"Think of any one {unit}, and of this release made twice: once with the record of this {unit} in the table "
        f"and once without. Whatever somebody may conclude from the release, about this {unit} or anything else, "
        "could have been concluded without the record too. How much likelier the record makes it is limited by two "
        "numbers."
    )


def _not_protected(s: Statement) -> str:
    unit = plain(s.unit.name)
    ledger = (
        "Other releases from the same ledger add up with this one; the ledger has the total."
        if s.ledger_kept
        else f"No ledger was kept: what other releases tell about the same {unit}s was not added up."
    )
    several = [
        f"**A {unit} with several records.** The promise is for one record. With k records of the same {unit}, "
        "mu is k times as large, and epsilon somewhat more than k times."
    ]
    if s.links is not None:
        several = _words(s.links).limits(_unit(s))
    return "\n".join(
        [
            "## What is not protected",
            "",
            "- **Facts about groups.** That a practice is common in a place is what the release is meant to tell. "
            f"It can be held against any {unit} of that group, whether or not the record was in the table.",
            "- **What is known from elsewhere.** Papers, court files and the knowledge of those involved stay as "
            "they are.",
            "- **That the table exists,** who holds it, and how it came to be.",
            "- **Choices of the steward:** columns, declared values, bins, epsilon and everything else that is "
            "listed as public below. The promise holds if these were chosen without looking at the records.",
            f"- **Other data.** A {unit} may also be in data sets and releases of others. {ledger}",
            *(f"- {sentence}" for sentence in several),
        ]
    )


def _reading(s: Statement) -> str:
    made_up = "; ".join(
        f"{_share(share)} of the published {_WORDS.get(length, f'combinations of {length} values')}"
        for length, share in sorted(s.expected_made_up.items())
    )
    lines = [
        "## How to read the numbers",
        "",
        "- A **count** says how many records have these values. Its interval is made so that the true number lies "
        f"inside for {s.level:.0%} of the counts. A small count with a wide interval may be nothing at all.",
        f"- Combinations of up to {s.length} values are counted. {plain(as_sentence(s.threshold))}".rstrip(),
        "- **Not published is not zero.** It means none, or too few to tell from noise.",
    ]
    if made_up:
        lines.append(
            f"- Some published combinations do not occur in the real table. Expected: {made_up} (setting: "
            f"{_dial(s.fabrication)})."
        )
    lines += [
        "- **Records and counts agree.** Counting the synthetic records gives every published count exactly. Other "
        "combinations in the records, longer ones above all, come from a statistical model: use them to form "
        "questions, and the counts to answer them.",
        "- No synthetic record stands for a real person. Where one looks like somebody, it is by chance or because "
        "many are alike.",
        "- An empty cell is a missing value; it is part of no combination. In a column that holds sets, a "
        "combination with several items means that all of them are in the set, with or without others.",
        "- Values stand in the CSV files exactly as declared, also where they begin with `=`, `+`, `-` or `@`. In a "
        "spreadsheet, import the columns as text.",
    ]
    if s.links is not None:
        lines += ["", "### Linked records", "", *_words(s.links).reading(_unit(s))]
    return "\n".join(lines)


def _citing(about: About) -> str:
    return f"## How to cite\n\n{plain(about.citation)}"


def _officer(s: Statement) -> str:
    unit = plain(s.unit.name)
    lines = [
        "## For the privacy officer",
        "",
        "| | |",
        "|---|---|",
        "| guarantee | (epsilon, delta)-differential privacy, central model |",
        f"| unit | {unit if s.links is None else plain(s.links.whole(s.unit))} |",
        f"| neighbours | {plain(s.neighbours)} |",
        f"| epsilon, delta | {s.epsilon!r}, {s.delta!r} |",
        f"| Gaussian differential privacy | mu = {s.mu!r} |",
        f"| zero-concentrated differential privacy | rho = mu^2 / 2 = {s.rho!r} |",
        f"| delta that mu {'and the discovery need' if s.discovered else 'needs'} at this epsilon | "
        # rounded, for machines differ in the last digit, and `verify` writes this text again
        f"{above(s.delta_at_epsilon, 9)} |",
        f"| charge kept in a ledger file | {'yes' if s.ledger_kept else 'no'} |",
        "",
        "Formally: for neighbouring tables D and D' and every set S of outputs, Pr[M(D) in S] <= e^epsilon Pr[M(D') "
        "in S] + delta.",
        "",
        "### Mechanisms",
        "",
        "| mechanism | mu | delta | detail |",
        "|---|---|---|---|",
    ]
    for event in s.mechanisms:
        delta = float(event.get("delta", 0.0))
        lines.append(
            f"| {plain(str(event['label']))} | {float(event['mu']):.6g} | {f'{delta:.3g}' if delta else '0'} | "
            f"{plain(str(event['detail']))} |"
        )
    lines += [
        "",
        "- **Noise**: rounded Gaussian. Counts are whole numbers; a normal variable is added and the sum rounded. "
        "Rounding is post-processing of the Gaussian mechanism, so its guarantee holds without loss. The draws are "
        "exact, in whole numbers, from the random source of the operating system (Karney 2016); no floating point "
        "is involved and no seed exists.",
        "- **Composition**: mu of all mechanisms is the root of their sum of squares, also when a later one is "
        "chosen after seeing an earlier one (Dong, Roth, Su 2019, Corollary 3.3); deltas of discovery add up.",
        "- **Conversion**: delta(epsilon) = Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu) (Balle, Wang "
        "2018), rounded to the safe side.",
        "- **After the noise** everything is post-processing: the model, the records, the counts, their intervals "
        "and thresholds, and the file on fidelity.",
        f"- **Discovered values**: {_discovered(s)}",
    ]
    if s.links is not None:
        lines.append(f"- **Links**: {_words(s.links).measured(_unit(s))}")
    lines += ["", "### Taken as public", ""]
    lines += [f"- {plain(sentence)}" for sentence in s.public] or ["- Nothing was listed."]
    if s.groups:
        lines += ["", "### What was measured", "", "| columns together | groups | not measured |", "|---|---|---|"]
        lines += [f"| {k} | {total} | {s.unmeasured.get(k, 0)} |" for k, total in sorted(s.groups.items())]
        lines += [
            "",
            "A group of columns is not measured when its cells pass the cap of the plan, or when its counts, "
            "predicted from sizes and from shorter counts already paid for, would drown in noise. Counts of such "
            "groups come from the model of the others.",
        ]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(s.software.items()))
    lines += ["", f"Made with {versions or 'unnamed versions'}. `manifest.json` has the hash of every file."]
    return "\n".join(lines)


def _discovered(s: Statement) -> str:
    if not s.discovered:
        return "none; the values of every column were declared."
    columns = ", ".join(plain(column) for column in s.discovered)
    return (
        f"in {columns}. A value was kept when its noisy count passed a threshold that a value of one "
        f"{plain(s.unit.name)} alone passes with no more than the stated delta (Gopi et al. 2020); rarer values "
        "count as missing."
    )


def _believed(prior: float, epsilon: float) -> str:
    """Greatest posterior, in percent rounded up, that a factor e^epsilon on the odds allows."""
    return _percent_up(1 / (1 + (1 - prior) / prior * math.exp(-epsilon)))


def _percent_up(share: float) -> str:
    percent = 100 * share
    if percent > 99:
        return f"{min(100.0, math.ceil(percent * 1000) / 1000):g}"
    return str(math.ceil(percent - 1e-9))


def _share(share: float) -> str:
    return "less than 0.1%" if share < 0.001 else f"about {share:.1%}"


def _dial(fabrication: str | float) -> str:
    return fabrication if isinstance(fabrication, str) else f"at most {fabrication:.1%}"


def _words(links: LinkPromise) -> LinkPromise:
    """The same promise with names that Markdown shows as they are."""
    return replace(links, to=plain(links.to), table=plain(links.table))


def _unit(s: Statement) -> PrivacyUnit:
    return PrivacyUnit(name=plain(s.unit.name))


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join("\\" + letter if letter in "\\`*_[]<>#|" else letter for letter in " ".join(text.split()))
