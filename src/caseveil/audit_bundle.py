"""What can be audited of a bundle alone: its files, the arithmetic of its promise, how sure its counts claim to be."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist, median

from caseveil.errors import BundleError, CaseveilError
from caseveil.evaluation.audit import Finding, Outcome
from caseveil.privacy.accountant import total
from caseveil.privacy.loss import EpsilonDelta, mu_for
from caseveil.privacy.mechanism import event_from_json
from caseveil.release.bundle import BundleContents, read_bundle
from caseveil.release.manifest import MANIFEST
from caseveil.release.statement import Statement
from caseveil.release.verify import verify_bundle

ARITHMETIC, WIDTH = "arithmetic of the promise", "width of the intervals"

NEEDS_A_PLAN = (
    "releases must be made for this, and a bundle has no plan: audit the plan that it was made by, with the version of "
    "Caseveil that the statement names"
)

_SLACK = 1 + 1e-9

_LARGE = 20
"""Counts of single values below so many times their half width are left out: their intervals end at nothing."""


def audit_bundle(path: Path) -> tuple[Finding, ...]:
    """All findings about one bundle, folder or zip, however damaged it is. Raises BundleError where there is none."""
    if path.is_dir() and not (path / MANIFEST).is_file():
        read_bundle(path)  # says what is wrong with the folder
    verdict = verify_bundle(path)
    failed = [finding.check for finding in verdict.findings if not finding.ok]
    files = Finding(
        name="files and counts",
        outcome=Outcome.BROKEN if failed else Outcome.HELD,
        reason=f"not as they were written: {', '.join(failed)[:200]}; `caseveil verify` says more"
        if failed
        else f"{len(verdict.findings)} checks of `caseveil verify` hold",
    )
    attacks = [
        Finding(name=name, outcome=Outcome.UNKNOWN, reason=NEEDS_A_PLAN)
        for name in ("noisy numbers", "published records and counts", "one release, many canaries")
    ]
    try:
        contents = read_bundle(path)
    except BundleError as error:
        lost = [Finding(name=name, outcome=Outcome.UNKNOWN, reason=str(error)) for name in (ARITHMETIC, WIDTH)]
        return (files, *lost, *attacks)
    return (files, arithmetic(contents.statement), sureness(contents), *attacks)


def arithmetic(statement: Statement) -> Finding:
    """The promise against the events that the statement lists, added up anew as a ledger would."""
    name = ARITHMETIC
    try:
        loss = total([event_from_json(event) for event in statement.mechanisms])
    except CaseveilError as error:
        return Finding(name=name, outcome=Outcome.UNKNOWN, measure="epsilon", reason=str(error))
    needed = loss.epsilon(statement.delta)
    sound = needed <= statement.epsilon * _SLACK and loss.mu <= statement.mu * _SLACK
    return Finding(
        name=name,
        outcome=Outcome.HELD if sound else Outcome.BROKEN,
        measure="epsilon",
        claimed=statement.epsilon,
        estimate=needed,
        lower=needed,
        reason=f"{len(statement.mechanisms)} charged events cost {'no more' if sound else 'more'} than is promised",
    )


def sureness(contents: BundleContents) -> Finding:
    """Whether intervals are narrower than the noise of the promise allows.

    An unbiased estimate of how many people have one value is never closer than 1 / mu (Cramer and Rao: one person
    moves it by one, and no test of mu-GDP tells that better than mu). Narrow intervals mean less noise than was
    promised, or intervals that are wrong. mu is the one that the promise allows, whatever the statement lists. A weak
    check where many combinations share the noise, as each count then gets little.
    """
    name = WIDTH
    statement = contents.statement
    mu = mu_for(EpsilonDelta(epsilon=statement.epsilon, delta=statement.delta))
    factor = NormalDist().inv_cdf((1 + statement.level) / 2)
    counts = next(iter(contents.tables.values())).counts  # of people: a row of a linked table is not one unit
    seen = []
    for length, count, lower, upper in zip(counts.length, counts.count, counts.lower, counts.upper, strict=True):
        half = float(upper - lower) / 2
        if length == 1 and lower > 0 and count > _LARGE * half > 0:
            seen.append(half / factor)
    if not seen:
        return Finding(name=name, outcome=Outcome.UNKNOWN, reason="no count is large enough to say")
    implied = 1 / median(seen)
    narrow = implied > mu * 1.05 + 1e-9
    return Finding(
        name=name,
        outcome=Outcome.BROKEN if narrow else Outcome.HELD,
        claimed=mu,
        estimate=implied,
        reason=f"half of {len(seen)} large counts claim to be {'surer' if narrow else 'no surer'} than the noise of "
        f"the promise allows",
    )
