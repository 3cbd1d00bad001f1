"""What an evaluation says, in plain words: findings, a page and figures. All of it is private."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caseveil.evaluation import attack_report, markdown
from caseveil.evaluation.attacks import Attacks
from caseveil.evaluation.link_utility import LinkUtility
from caseveil.evaluation.utility import FREQUENT, CountsUtility, LengthUtility, TableUtility

WARNING = "PRIVATE: made from the true records of real people. Never publish or send it, nor put it into the bundle."

_KINDS = {1: "single values", 2: "pairs of values", 3: "combinations of three", 4: "combinations of four"}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A release against its rows.

    subject: name and version of the release. left_out: columns of the plan in which nothing was discovered, so that the
    release lacks them. undeclared: columns whose values were discovered; the truth holds values that the release lacks.
    attacks: None where none were asked for.
    """

    subject: str
    plan_digest: str
    tables: tuple[TableUtility, ...]
    links: LinkUtility | None = None
    left_out: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    attacks: Attacks | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One number in words. share: whether it is a share, else people or links. baseline: had chance dealt the links."""

    what: str
    value: float
    share: bool = False
    baseline: float | None = None

    @property
    def text(self) -> str:
        """The value as people write it."""
        return markdown.share(self.value) if self.share else markdown.number(self.value)

    @property
    def baseline_text(self) -> str:
        """The baseline as people write it; '' without."""
        if self.baseline is None:
            return ""
        return markdown.share(self.baseline) if self.share else markdown.number(self.baseline)


def kind_of(length: int) -> str:
    """A length in words: 'pairs of values'."""
    return _KINDS.get(length, f"combinations of {length}")


def findings(evaluation: Evaluation) -> list[Finding]:
    """The numbers to look at first."""
    out: list[Finding] = []
    for table in evaluation.tables:
        for found in table.lengths:
            out.append(Finding(what=f"{table.table}: mean error, {kind_of(found.length)}", value=found.mean_error))
        longest = [found for found in table.lengths if found.length <= 3]
        for found in longest[-1:]:
            out.append(Finding(what=f"{table.table}: made-up {kind_of(found.length)}", value=found.made_up, share=True))
            out.append(
                Finding(
                    what=f"{table.table}: lost {kind_of(found.length)} of {FREQUENT} people or more",
                    value=found.lost,
                    share=True,
                )
            )
        for counts in table.counts:
            out.append(
                Finding(
                    what=f"{table.table}: published {kind_of(counts.length)} with the truth in the interval",
                    value=counts.inside,
                    share=True,
                )
            )
    links = evaluation.links
    if links is not None:
        out += [
            Finding(
                what="mean error of links, value of a victim by value of a perpetrator",
                value=links.across.mean_error,
                baseline=links.across.independent,
            ),
            Finding(what="made-up links", value=links.across.made_up_weight, share=True),
            Finding(what="made-up pairs of perpetrators", value=links.within_made_up_weight, share=True),
            Finding(what="number of perpetrators, total variation", value=links.number.distance, share=True),
            _concordance_finding(links),
            Finding(
                what="links lost by the cap", value=links.dropped / max(1, links.links + links.dropped), share=True
            ),
        ]
    return out


def _concordance_finding(links: LinkUtility) -> Finding:
    known = [c for c in links.concordance if c.true is not None]
    off = [(abs((c.synthetic or 0.0) - (c.true or 0.0)), abs((c.independent or 0.0) - (c.true or 0.0))) for c in known]
    return Finding(
        what="two perpetrators of a victim alike, most percentage points from the truth",
        value=max((own for own, _ in off), default=0.0),
        baseline=max((chance for _, chance in off), default=0.0),
        share=True,
    )


def as_json(evaluation: Evaluation) -> str:
    """The whole evaluation as one JSON document."""
    content = {"private": True, "warning": WARNING, "frequent": FREQUENT, **dataclasses.asdict(evaluation)}
    if evaluation.attacks is not None:
        content["attacks"] = attack_report.as_data(evaluation.attacks)
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def page(evaluation: Evaluation, figures: Sequence[tuple[str, str]]) -> str:
    """report.md. figures: (file name, caption)."""
    lines = [
        f"**{WARNING}**",
        "",
        f"# How useful is {markdown.escaped(evaluation.subject)}?",
        "",
        "This page holds the release against the rows as they lie in the plan's source now. Everything below is exact, "
        "without noise, so it tells more about people than the release does.",
        "",
    ]
    if evaluation.left_out:
        lines += [f"The release lacks these columns of the plan: {markdown.listed(evaluation.left_out)}.", ""]
    if evaluation.undeclared:
        lines += [
            f"The values of {markdown.listed(evaluation.undeclared)} were discovered. Values that were not found count "
            f"as lost.",
            "",
        ]
    lines += markdown.table(
        ("what", "release", *(("if chance had dealt the links",) if evaluation.links else ())),
        (
            (found.what, found.text, *((found.baseline_text,) if evaluation.links else ()))
            for found in findings(evaluation)
        ),
    )
    for name, caption in figures:
        lines += [f"![{markdown.escaped(caption)}]({name})", ""]
    for table in evaluation.tables:
        lines += _of_table(table)
    if evaluation.links is not None:
        lines += _of_links(evaluation.links)
    if evaluation.attacks is not None:
        lines += attack_report.section(evaluation.attacks)
    return "\n".join(lines).rstrip() + "\n"


def _of_table(table: TableUtility) -> list[str]:
    lines = [
        f"## {markdown.escaped(table.table)}",
        "",
        f"{table.people:,} true rows, {table.records:,} synthetic records. A combination has one value in each of its "
        f"columns, none missing. The mean error is over the combinations that occur in the truth or in the records.",
        "",
        *_sampled(table.lengths),
        *markdown.table(
            ("records", "combinations", "mean error", f"lost, of {FREQUENT} or more", "made up", "made up, by records"),
            (
                (
                    kind_of(one.length),
                    f"{one.combinations:,}",
                    markdown.number(one.mean_error),
                    markdown.share(one.lost),
                    markdown.share(one.made_up),
                    markdown.share(one.made_up_weight),
                )
                for one in table.lengths
            ),
        ),
        "By how many people truly share the combination:",
        "",
        *markdown.table(
            ("records", "true count", "combinations", "mean error", "lost"),
            (
                (
                    kind_of(one.length),
                    band_text(band.least, band.most),
                    f"{band.combinations:,}",
                    markdown.number(band.mean_error),
                    markdown.share(band.lost),
                )
                for one in table.lengths
                for band in one.bands
            ),
        ),
    ]
    if table.counts:
        lines += [
            "Published counts. An unpublished combination counts as 0 in the mean error of all.",
            "",
            *markdown.table(
                ("published", "how many", "mean error", "of all", "truth in the interval", "lost", "made up"),
                (
                    (
                        kind_of(one.length),
                        f"{one.published:,}",
                        markdown.number(one.mean_error_published),
                        markdown.number(one.mean_error),
                        markdown.share(one.inside),
                        markdown.share(one.lost),
                        markdown.share(one.made_up),
                    )
                    for one in table.counts
                ),
            ),
        ]
    return lines


def _sampled(lengths: Iterable[LengthUtility | CountsUtility]) -> list[str]:
    texts = [
        f"{kind_of(one.length)} in {one.groups:,} of {one.groups_in_all:,} groups of columns and items"
        for one in lengths
        if one.groups < one.groups_in_all
    ]
    return [f"Not all were compared: {'; '.join(texts)}, drawn at random, always the same.", ""] if texts else []


def _of_links(links: LinkUtility) -> list[str]:
    lost = "No link lay above the cap."
    if links.dropped:
        lost = f"{links.dropped:,} links of {links.above:,} victims lay above the cap and are in no number below."
    return [
        "## Links",
        "",
        f"{links.victims:,} victims and {links.links:,} links are true, {links.synthetic_victims:,} and "
        f"{links.synthetic_links:,} synthetic. {lost}",
        "",
        "Number of perpetrators of a victim:",
        "",
        *markdown.table(
            ("number", "true", "synthetic"),
            (
                (str(number), markdown.share(true), markdown.share(made))
                for number, (true, made) in enumerate(zip(links.number.true, links.number.synthetic, strict=True))
            ),
        ),
        "How often two perpetrators of one victim are alike. Of a column with several values: state the same, if both "
        "state one. Of an item or a yes/blank column: the other has it too, if one has it.",
        "",
        *markdown.table(
            ("attribute", "true", "synthetic", "by chance"),
            (
                (one.attribute, *(_share_or_none(x) for x in (one.true, one.synthetic, one.independent)))
                for one in links.concordance
            ),
        ),
        *(
            [
                "Published counts across the link:",
                "",
                *markdown.table(
                    ("what is counted", "published", "mean error", "truth in the interval", "made up"),
                    (
                        (
                            one.of,
                            f"{one.published:,}",
                            markdown.number(one.mean_error),
                            markdown.share(one.inside),
                            markdown.share(one.made_up),
                        )
                        for one in links.counts
                    ),
                ),
            ]
            if links.counts
            else []
        ),
    ]


def _share_or_none(value: float | None) -> str:
    return "no such pair" if value is None else markdown.share(value)


def band_text(least: int, most: int | None) -> str:
    """'10 to 99', '1,000 or more'."""
    return f"{least:,} or more" if most is None else f"{least:,} to {most:,}"
