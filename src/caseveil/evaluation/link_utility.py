"""Linked records against the rows they were made from. Private: what is computed here says true things about people.

Links are those that the cap keeps. The baseline "independent" is what the same synthetic records would give if their
perpetrators were dealt to their victims at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caseveil.evaluation.linked_codes import Floats, LinkedCodes, concordance
from caseveil.evaluation.utility import Tally
from caseveil.schema.attribute import Attribute
from caseveil.schema.linked import LinkedTables
from caseveil.synthesis.linked_counts import ANY, LINKS, PAIR, VICTIMS, LinkCounts


@dataclass(frozen=True, kw_only=True)
class Across:
    """Links by one attribute of the victim and one of the perpetrator, both stated.

    mean_error: mean distance of the counts, in links, over the combinations that occur in the truth or the release;
    independent: the same of the baseline, over the same combinations. made_up_weight: share of the released links, over
    all groups, in combinations that no true link has.
    """

    groups: int
    combinations: int
    mean_error: float
    independent: float
    made_up_weight: float


@dataclass(frozen=True, kw_only=True)
class Number:
    """Shares of victims by number of perpetrators, 0 to the cap, and the total variation distance of the two."""

    true: tuple[float, ...]
    synthetic: tuple[float, ...]
    distance: float


@dataclass(frozen=True, kw_only=True)
class Concordance:
    """How often two perpetrators of one victim are alike (evaluation.linked_codes.alike). None: no such pair."""

    attribute: str
    true: float | None
    synthetic: float | None
    independent: float | None


@dataclass(frozen=True, kw_only=True)
class LinkCountsUtility:
    """Published counts across the link of one kind: mean error, and shares inside the interval and made up."""

    of: str
    published: int
    mean_error: float
    inside: float
    made_up: float


@dataclass(frozen=True, kw_only=True)
class LinkUtility:
    """The link of a release against the truth.

    above: victims with more links than the cap; dropped: their links that are not counted. within_made_up_weight: share
    of the released pairs of values of two perpetrators of one victim that no true victim has.
    """

    victims: int
    links: int
    synthetic_victims: int
    synthetic_links: int
    above: int
    dropped: int
    across: Across
    within_made_up_weight: float
    number: Number
    concordance: tuple[Concordance, ...]
    counts: tuple[LinkCountsUtility, ...]


def link_utility(
    truth: LinkedCodes,
    records: LinkedCodes,
    tables: LinkedTables,
    counts: LinkCounts,
    true_counts: Floats,
    *,
    above: int,
    dropped: int,
) -> LinkUtility:
    """Compares linked records and the published counts across the link with the true rows, all in codes of tables.

    true_counts: the true count of every row of counts.
    """
    return LinkUtility(
        victims=len(truth.victims),
        links=len(truth.victim_of),
        synthetic_victims=len(records.victims),
        synthetic_links=len(records.victim_of),
        above=above,
        dropped=dropped,
        across=_across(truth, records, tables),
        within_made_up_weight=_within_made_up(truth, records, tables),
        number=_number(truth, records, tables),
        concordance=tuple(
            _concordance(truth, records, j, attribute) for j, attribute in enumerate(tables.perpetrator_attributes)
        ),
        counts=_counts(counts, true_counts),
    )


def _across(truth: LinkedCodes, records: LinkedCodes, tables: LinkedTables) -> Across:
    tally, by_chance = Tally(), 0.0
    for i, one in enumerate(tables.victim_attributes):
        for j, other in enumerate(tables.perpetrator_attributes):
            shape = (len(one.labels), len(other.labels))
            true, made = (side.crossed(i, j, shape)[1:, 1:] for side in (truth, records))
            tally.add(np.rint(true).astype(np.int64).ravel(), made.ravel())
            used = (true > 0) | (made > 0)
            by_chance += float(np.abs(records.crossed_by_chance(i, j, shape)[1:, 1:] - true)[used].sum())
    return Across(
        groups=tables.v * tables.p,
        combinations=tally.combinations,
        mean_error=tally.error / max(1, tally.combinations),
        independent=by_chance / max(1, tally.combinations),
        made_up_weight=tally.made_up_weight / max(1.0, tally.weight),
    )


def _within_made_up(truth: LinkedCodes, records: LinkedCodes, tables: LinkedTables) -> float:
    weight = made_up = 0.0
    sizes = [len(attribute.labels) for attribute in tables.perpetrator_attributes]
    for i in range(tables.p):
        for j in range(i, tables.p):
            shape = (sizes[i], sizes[j])
            true, made = (side.within(i, j, shape)[1:, 1:] for side in (truth, records))
            weight += float(made.sum())
            made_up += float(made[true == 0].sum())
    return made_up / weight if weight else 0.0


def _number(truth: LinkedCodes, records: LinkedCodes, tables: LinkedTables) -> Number:
    true, made = (
        side.number_distribution(tables.link.at_most) / max(1, len(side.victims)) for side in (truth, records)
    )
    return Number(
        true=tuple(true.tolist()), synthetic=tuple(made.tolist()), distance=0.5 * float(np.abs(true - made).sum())
    )


def _concordance(truth: LinkedCodes, records: LinkedCodes, j: int, attribute: Attribute) -> Concordance:
    size = len(attribute.labels)
    return Concordance(
        attribute=attribute.name,
        true=concordance(truth.within(j, j, (size, size))),
        synthetic=concordance(records.within(j, j, (size, size))),
        independent=concordance(records.within_by_chance(j, size)),
    )


def _counts(counts: LinkCounts, true: Floats) -> tuple[LinkCountsUtility, ...]:
    of = np.asarray(counts.of, dtype=object)
    out = []
    for kind in (LINKS, ANY, VICTIMS, PAIR):
        here = of == kind
        if not here.any():
            continue
        # Published counts are whole, so a count in parts lies in an interval when its nearest whole number does.
        whole = np.rint(true[here])
        out.append(
            LinkCountsUtility(
                of=kind,
                published=int(here.sum()),
                mean_error=float(np.abs(counts.count[here] - true[here]).mean()),
                inside=float(((counts.lower[here] <= whole) & (whole <= counts.upper[here])).mean()),
                made_up=float((true[here] == 0).mean()),
            )
        )
    return tuple(out)
