"""What `make test` says at its end counts the tests of both passes, and a failure in either is one of the whole."""

from __future__ import annotations

from collections import Counter

import pytest

from tools import run_tests


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("3051 passed, 2 skipped, 5 deselected in 661.12s (0:11:01)", {"passed": 3051, "skipped": 2}),
        ("1 failed, 2 passed, 1 error in 0.50s", {"failed": 1, "passed": 2, "error": 1}),
        ("3 passed, 2 errors in 2.0s", {"passed": 3, "errors": 2}),
        ("........ [ 12%]", {}),
        ("FAILED tests/a.py::test_b - 3 passed", {}),
    ],
)
def test_the_last_line_of_pytest_is_counted(line: str, found: dict[str, int]) -> None:
    assert run_tests.counted(line) == Counter(found)


@pytest.mark.parametrize(
    ("passes", "code", "said"),
    [
        ([(0, {"passed": 5, "skipped": 1}), (0, {"passed": 2})], 0, "7 passed, 0 failed, 1 skipped"),
        ([(1, {"passed": 5, "failed": 1, "errors": 2})], 1, "5 passed, 3 failed"),
        ([(0, {"passed": 5}), (1, {"failed": 1})], 1, "5 passed, 1 failed"),
        ([(0, {"passed": 5}), (5, {})], 0, "5 passed, 0 failed"),
        ([(5, {}), (5, {})], 5, "0 passed, 0 failed"),
        ([(3, {})], 3, "0 passed, 0 failed"),
    ],
)
def test_passes_are_added_and_the_first_failure_is_the_last_pass(
    passes: list[tuple[int, dict[str, int]]],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    left = iter(passes)

    def one_pass(*_: object) -> tuple[int, Counter[str]]:
        ended, found = next(left)
        return ended, Counter(found)

    monkeypatch.setattr(run_tests, "one_pass", one_pass)
    assert run_tests.main([]) == code
    assert capsys.readouterr().out == f"{said}\n"
    assert list(left) == []
