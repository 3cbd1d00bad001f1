"""What attackers do with a release: guesses about people, each right or wrong.

Everything is codes of one table, 0 for missing, which is a value like any other to an attacker. `release` is what the
attacker holds and `targets` are true rows. None of the attackers knows whether a target is in the release: the caller
compares people who are with people who are not.

Singling out, linkage and inference are the three risks of the Article 29 Working Party (Opinion 05/2014), attacked in
the spirit of Giomi, Boenisch, Wehmeyer, Tasnadi, "A Unified Framework for Quantifying Privacy Risk in Synthetic Data"
(PoPETs 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from caseveil.synthesis.records import Codes

Outcomes = NDArray[np.bool_]
Ints = NDArray[np.int64]
_Column = NDArray[np.unsignedinteger]

CANDIDATES = 10
"""Second halves among which the linking attacker chooses; one is right."""

LONGEST = 10
"""Columns in the longest description that an attacker tries."""

_ORDERS = 32
_BLOCK = 64  # targets compared at once, so that the table of differences stays in the cache


def distances(release: Codes, targets: Codes) -> Ints:
    """In how many attributes each target differs from the nearest record; 0: a record equals it."""
    every = range(targets.shape[1])
    return np.concatenate([differ.min(axis=1) for _, differ in _differences(release, targets, every)]).astype(np.int64)


def singling_out_by_value(release: Codes, targets: Codes) -> tuple[Outcomes, Outcomes]:
    """(worked, possible): "exactly one person has this value", of every value that exactly one record has.

    possible: the target has a value that no other target has. worked: one of these values was guessed.
    """
    worked = np.zeros(len(targets), np.bool_)
    possible = np.zeros(len(targets), np.bool_)
    for released, true in zip(release.T, targets.T, strict=True):
        kinds = int(max(released.max(initial=0), true.max(initial=0))) + 1
        in_release, in_targets = (np.bincount(np.asarray(side, np.intp), minlength=kinds) for side in (released, true))
        alone = (in_targets[true] == 1) & (true > 0)
        possible |= alone
        worked |= alone & (in_release[true] == 1)
    return worked, possible


def values_to_guess(release: Codes) -> int:
    """How many values exactly one record has: the guesses of `singling_out_by_value`."""
    return sum(int((np.bincount(np.asarray(column, np.intp))[1:] == 1).sum()) for column in release.T)


def singling_out(release: Codes, targets: Codes, rng: np.random.Generator) -> Outcomes:
    """Is the target the only one that fits one of the descriptions?

    Every record gives one description: its values in columns taken in random order, as many as make it the only record
    that fits, up to LONGEST. The attacker guesses that exactly one person fits too.
    """
    n, attributes = release.shape
    both = np.concatenate([release, targets]).astype(np.int64)
    sizes = both.max(axis=0, initial=0) + 1
    batch = rng.integers(0, _ORDERS, n)
    worked = np.zeros(len(targets), np.bool_)
    for order in range(_ORDERS):
        waiting = batch == order
        word = np.zeros(len(both), np.int64)
        for i in rng.permutation(attributes)[:LONGEST].tolist():
            if not waiting.any():
                break
            _, word = np.unique(word * sizes[i] + both[:, i], return_inverse=True)
            word = word.reshape(-1)
            kinds = int(word.max()) + 1
            released, true = word[:n], word[n:]
            ready = waiting & (np.bincount(np.asarray(released, np.intp), minlength=kinds)[released] == 1)
            described = np.zeros(kinds, np.bool_)
            described[released[ready]] = True
            worked |= described[true] & (np.bincount(np.asarray(true, np.intp), minlength=kinds)[true] == 1)
            waiting &= ~ready
    return worked


def linkage(
    release: Codes, targets: Codes, halves: tuple[Sequence[int], Sequence[int]], rng: np.random.Generator
) -> Outcomes:
    """Two parties each know half of the columns of the targets. Does the release tell which halves belong together?

    The attacker has one first half and CANDIDATES second halves, the right one and those of other targets, and takes
    the second half with which the record nearest to both differs least. Chance is right once in CANDIDATES.
    """
    if len(targets) < CANDIDATES:
        raise ValueError(f"linkage needs at least {CANDIDATES} targets")
    second = np.concatenate([differ for _, differ in _differences(release, targets, halves[1])])
    worked = np.zeros(len(targets), np.bool_)
    for start, differ in _differences(release, targets, halves[0]):
        here = np.arange(start, start + len(differ), dtype=np.int64)
        scores = np.empty((len(differ), CANDIDATES))
        for step in range(CANDIDATES):
            scores[:, step] = (differ + second[(here + step) % len(targets)]).min(axis=1)
        scores += rng.random(scores.shape)  # ties are broken by chance
        worked[here] = scores.argmin(axis=1) == 0
    return worked


def inference_by_nearest(
    release: Codes, targets: Codes, known: Sequence[int], secrets: Sequence[int], rng: np.random.Generator
) -> Outcomes:
    """(targets, secrets): is the secret that of the record nearest in the known columns?

    A secret that stands among the known columns is left out of them. Of equally near records one is drawn.
    """
    worked = np.zeros((len(targets), len(secrets)), np.bool_)
    held = set(known)
    columns, true_columns = _narrow(release, targets)
    for start, differ in _differences(release, targets, known):
        stop = start + len(differ)
        shared = None if held.issuperset(secrets) else _nearest(differ, rng)
        for place, j in enumerate(secrets):
            if j in held:
                picked = _nearest(differ - (columns[j] != true_columns[j][start:stop, None]), rng)
            else:
                assert shared is not None
                picked = shared
            worked[start:stop, place] = release[picked, j] == targets[start:stop, j]
    return worked


def inference_by_counts(release: Codes, targets: Codes, known: Sequence[int], secrets: Sequence[int]) -> Outcomes:
    """(targets, secrets): is the secret the likeliest value by the counts of single values and of pairs?

    Naive Bayes: known columns are taken as independent given the secret. Half a person is added to every count.
    """
    sizes = (np.maximum(release.max(axis=0, initial=0), targets.max(axis=0, initial=0)) + 1).astype(np.int64)
    columns = [np.ascontiguousarray(column, np.int64) for column in release.T]
    worked = np.zeros((len(targets), len(secrets)), np.bool_)
    for place, j in enumerate(secrets):
        width = int(sizes[j])
        alone = np.bincount(np.asarray(columns[j], np.intp), minlength=width).astype(np.float64)
        score = np.tile(np.log(alone + 0.5), (len(targets), 1))
        for i in known:
            if i == j:
                continue
            pairs = np.bincount(np.asarray(columns[i] * width + columns[j], np.intp), minlength=int(sizes[i]) * width)
            given = (pairs.reshape(int(sizes[i]), width) + 0.5) / (alone + 0.5 * sizes[i])
            score += np.log(given)[targets[:, i]]
        worked[:, place] = score.argmax(axis=1) == targets[:, j]
    return worked


def _narrow(release: Codes, targets: Codes) -> tuple[list[_Column], list[_Column]]:
    """The columns of both, in as few bytes as hold them."""
    pairs = list(zip(release.T, targets.T, strict=True))
    kinds = [np.min_scalar_type(int(max(a.max(initial=0), b.max(initial=0)))) for a, b in pairs]
    return (
        [np.ascontiguousarray(a, kind) for (a, _), kind in zip(pairs, kinds, strict=True)],
        [np.ascontiguousarray(b, kind) for (_, b), kind in zip(pairs, kinds, strict=True)],
    )


def _differences(release: Codes, targets: Codes, columns: Sequence[int]) -> Iterator[tuple[int, _Column]]:
    """(start, block): in how many of the columns each target from start on differs from every record. The block has
    shape (targets, records)."""
    records, true = _narrow(release, targets)
    kind = np.uint8 if len(columns) < 256 else np.uint16
    for start in range(0, len(targets), _BLOCK):
        stop = min(start + _BLOCK, len(targets))
        block = np.zeros((stop - start, len(release)), kind)
        for i in columns:
            block += records[i] != true[i][start:stop, None]
        yield start, block


def _nearest(differ: _Column, rng: np.random.Generator) -> Ints:
    """Of each row, the place of one of its least entries, each of them equally likely."""
    rows, width = differ.shape
    ties = np.flatnonzero(differ == differ.min(axis=1)[:, None])
    many = np.bincount(np.asarray(ties // width, np.intp), minlength=rows)
    first = np.cumsum(many) - many
    drawn = first + (rng.random(rows) * many).astype(np.int64)
    return np.asarray(ties[drawn] % width, np.int64)
