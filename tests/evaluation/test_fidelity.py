"""The public measure of how well records agree with the measurements."""

import json

import numpy as np
import pytest

from caseveil.evaluation.fidelity import fidelity
from tests.measurement.invented import coded, domain_of, noisy_residuals, random_rows, up_to

DOMAIN = domain_of(4, 5, 3)


def test_the_truth_lies_as_far_from_its_measurements_as_the_noise_says() -> None:
    """Mean over 60 releases: 47 + 12 + 60 cells, so the rms is within a few percent of 1."""
    rng = np.random.default_rng(0)
    rows = random_rows(DOMAIN, 2000, rng, 0.5)
    variances = {c: 30.0 + 5 * len(c) for c in up_to(DOMAIN, 3)}
    rms: dict[str, list[float]] = {}
    within: dict[str, list[float]] = {}
    for _ in range(60):
        report = fidelity(rows.codes, noisy_residuals(rows, variances, rng))
        assert report["records"] == 2000
        lengths = report["lengths"]
        assert isinstance(lengths, dict)
        for length, found in lengths.items():
            rms.setdefault(length, []).append(found["rms_sigma"] ** 2)
            within.setdefault(length, []).append(found["within_2_sigma"])
    assert {k: (v["groups"], v["cells"]) for k, v in lengths.items()} == {"1": (3, 12), "2": (3, 47), "3": (1, 60)}
    for length in rms:
        assert np.mean(rms[length]) == pytest.approx(1.0, abs=0.2)
        assert np.mean(within[length]) == pytest.approx(0.954, abs=0.05)
    json.dumps(report, allow_nan=False)


def test_records_that_follow_nothing_are_found_out() -> None:
    rng = np.random.default_rng(1)
    rows = random_rows(DOMAIN, 2000, rng, 0.9)
    residuals = noisy_residuals(rows, dict.fromkeys(up_to(DOMAIN, 2), 25.0), rng)
    other = random_rows(DOMAIN, 2000, np.random.default_rng(99), 0.0)
    lengths = fidelity(other.codes, residuals)["lengths"]
    assert isinstance(lengths, dict)
    assert lengths["2"]["rms_sigma"] > 5
    assert lengths["2"]["within_2_sigma"] < 0.6


def test_cliques_whose_parts_were_not_measured_are_left_out() -> None:
    rows = random_rows(DOMAIN, 100, np.random.default_rng(1))
    residuals = noisy_residuals(rows, {(): 1.0, (0,): 1.0, (0, 1): 1.0}, None)
    lengths = fidelity(rows.codes, residuals)["lengths"]
    assert isinstance(lengths, dict)
    assert list(lengths) == ["1"]
    assert lengths["1"] == {"groups": 1, "cells": 4, "rms_sigma": 0.0, "within_2_sigma": 1.0}


def test_agreement_is_told_by_the_size_of_the_count() -> None:
    """300 people too many have one value, and too few another: found out where counts are large, and nowhere else."""
    domain = domain_of(2, 8)
    rare = [(0, value) for value in range(1, 8) for _ in range(5)]
    true = coded(domain, np.array([(0, 0)] * 2000 + [(1, 0)] * 2000 + rare))
    made = np.array([(0, 0)] * 2300 + [(1, 0)] * 1700 + rare)
    residuals = noisy_residuals(true, dict.fromkeys(up_to(domain, 2), 25.0), None)
    report = fidelity(made, residuals)
    sizes = report["sizes"]
    assert isinstance(sizes, dict)
    assert {least: found["cells"] for least, found in sizes.items()} == {"0": 7, "1": 14, "1000": 5}
    assert sizes["0"]["rms_sigma"] == sizes["1"]["rms_sigma"] == 0.0
    assert sizes["1"]["within_2_sigma"] == 1.0
    assert sizes["1000"]["rms_sigma"] > 20
    assert sizes["1000"]["within_2_sigma"] == pytest.approx(0.2)  # one of five is right: how many have the first value
    lengths = report["lengths"]
    assert isinstance(lengths, dict)
    assert sum(found["cells"] for found in sizes.values()) == sum(found["cells"] for found in lengths.values())
