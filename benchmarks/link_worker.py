"""One contender on one linked set, alone in its process, scored: `python -m benchmarks.link_worker SET NAME EPSILON`.

Prints one line of JSON. The clock and the peak of memory are the contender's own; scoring comes after both.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from benchmarks.link_contenders import LinkMade, dealt_at_random, find
from benchmarks.link_score import score_counted, score_links, score_published
from benchmarks.link_tables import SETS, LinkedSet
from benchmarks.link_words import coded, flattened, true_words
from benchmarks.score import score_counts, score_records

DELTA = 1e-6


def scores(data: LinkedSet, made: LinkMade) -> dict[str, dict[str, float]]:
    """Scores of what was made; where it is linked records, also those of the same records dealt at random ('dealt')."""
    words = true_words(data)
    true = coded(words, data)
    own: dict[str, float] = {}
    out = {"scores": own}
    if made.words is not None:
        own |= score_links(true, coded(made.words, data), data) | {"key_faults": float(made.faults)}
        shuffled = dealt_at_random(made.words, np.random.default_rng(0))
        out["dealt"] = score_links(true, coded(shuffled, data), data)
    if made.published is not None:
        own |= score_published(true, made.published, data)
    if made.cross is not None:
        own |= score_counted(true, made.cross, data)
    flat = flattened(words, data)
    if made.flat is not None:
        own |= {f"flat_{key}": value for key, value in score_records(flat, made.flat, [1, 2, 3]).items()}
    if made.flat_counts is not None:
        own |= {f"flat_{key}": value for key, value in score_counts(flat, made.flat_counts).items()}
    return out


def main(set_name: str, contender_name: str, epsilon: float) -> None:
    """Run one contender and print its facts and scores."""
    data = SETS[set_name]()
    made = find(contender_name).make(data, epsilon, DELTA)
    rounded = {
        what: {key: round(value, 4) for key, value in numbers.items()} for what, numbers in scores(data, made).items()
    }
    print(json.dumps({"seconds": made.seconds, "peak_mb": made.peak_mb} | rounded))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
