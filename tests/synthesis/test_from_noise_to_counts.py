"""From noisy residuals to published counts, as a release does it, against the truth. All seeds are fixed."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest

from caseveil.measurement.residuals import optimal_variances
from caseveil.measurement.workload import plan_workload
from caseveil.records.encoding import EncodedRows
from caseveil.schema.attribute import Attribute
from caseveil.synthesis.counts import PeopleEstimates, Publication, publish
from caseveil.synthesis.model import FitOptions, fit
from caseveil.synthesis.presence import judge
from caseveil.synthesis.records import RefineOptions, draw, refine
from caseveil.synthesis.target import targets
from tests.measurement.invented import domain_of, noisy_residuals, random_rows

pytestmark = pytest.mark.engine

DOMAIN = domain_of(5, 6, 4, 8, 3, 2, 7)
LETTERS = "-abcdefgh"
ATTRIBUTES = tuple(
    Attribute(name=name, column=name, labels=("", *LETTERS[1:size]))
    for name, size in zip(DOMAIN.names, DOMAIN.sizes, strict=True)
)
SEEDS = 6


def release(rows: EncodedRows, mu: float, share: float | None, seed: int) -> Publication:
    rng = np.random.default_rng(seed)
    workload = plan_workload(DOMAIN, length=3)
    residuals = noisy_residuals(rows, optimal_variances(workload.weights, DOMAIN, mu), rng)
    mixture = fit(residuals, options=FitOptions(ladder=(50,), products=200), rng=rng)
    presence = judge(residuals, mixture)
    people = round(residuals.total)
    codes = refine(
        draw(mixture, people, rng),
        DOMAIN,
        targets(residuals, mixture, presence, list(workload.weights), every_estimate=share is None),
        options=RefineOptions(),
        rng=rng,
    )
    cliques = list(workload.weights)
    return publish(
        codes,
        ATTRIBUTES,
        PeopleEstimates(residuals=residuals, mixture=mixture),
        presence,
        cliques,
        share=share,
        delimiters={},
    )


def truth_of(rows: EncodedRows) -> Counter[str]:
    out: Counter[str] = Counter()
    for k in (1, 2, 3):
        for clique in itertools.combinations(range(len(DOMAIN)), k):
            for row, people in Counter(map(tuple, rows.codes[:, clique].tolist())).items():
                if all(row):
                    cell = {DOMAIN.names[i]: LETTERS[c] for i, c in zip(clique, row, strict=True)}
                    out[json.dumps(cell, sort_keys=True)] += people
    return out


@pytest.mark.parametrize("share", [None, 0.05])
def test_published_intervals_hold_the_truth_and_the_dial_is_kept(share: float | None) -> None:
    """Coverage of what is published, chosen by its noise as it is, at every length, over six tables."""
    held: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    absent: Counter[int] = Counter()
    for seed in range(SEEDS):
        rows = random_rows(DOMAIN, 4000, np.random.default_rng(100 + seed), dependence=0.6)
        truth = truth_of(rows)
        counts = release(rows, 0.25, share, seed).counts
        for text, length, low, high in zip(
            counts.combination, counts.length.tolist(), counts.lower.tolist(), counts.upper.tolist(), strict=True
        ):
            seen[length] += 1
            held[length] += low <= truth[text] <= high
            absent[length] += truth[text] == 0
    for length in (1, 2, 3):
        assert seen[length] > 100
        assert held[length] >= 0.93 * seen[length]
        if share is not None:
            assert absent[length] <= 2 * share * seen[length]


def test_a_tighter_dial_publishes_less_and_makes_up_less() -> None:
    rows = random_rows(DOMAIN, 4000, np.random.default_rng(100), dependence=0.6)
    truth = truth_of(rows)
    published, made_up = [], []
    for share in (None, 0.2, 0.05, 0.01):
        counts = release(rows, 0.15, share, 1).counts
        published.append(len(counts.count))
        made_up.append(sum(truth[text] == 0 for text in counts.combination))
    assert published == sorted(published, reverse=True)
    assert published[-1] < published[0]
    assert made_up[-1] < made_up[0]
