"""Where noise comes from: the operating system's bytes, all of them, and nothing else; in every process its own.

Coincidences that fail a sound sampler have a probability below 1e-9 per test.
"""

from __future__ import annotations

import ast
import hashlib
import os
import random
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from caseveil.errors import CaseveilError, NoRandomness
from caseveil.measurement.curator import ResidualAllowance
from caseveil.privacy import noise
from caseveil.privacy.noise import grid_sigma, rounded_gaussian, rounded_gaussians
from caseveil.records.encoding import EncodedRows
from caseveil.schema.domain import Clique
from tests.measurement.invented import coded, curator_of, domain_of, rows_of, up_to
from tests.measurement.invented_links import (
    VIEWS,
    link_curator,
    linked,
    measured_cliques,
    random_people,
    tables_of,
)

SOURCE = Path(noise.__file__).parents[1]
WIDE = Fraction(2**40)
"""A sigma so large that two equal draws among a thousand have a probability below 1e-6, and three pairs below 1e-18."""


class Tape:
    """Stands in for `os.urandom`: the bytes of a counter hashed with a name, so the same name gives the same bytes."""

    def __init__(self, name: str) -> None:
        self.name, self.served, self.calls = name, 0, 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        self.served += size
        return hashlib.shake_256(f"{self.name} {self.calls}".encode()).digest(size)


def on_tape(monkeypatch: pytest.MonkeyPatch, name: str) -> Tape:
    tape = Tape(name)
    monkeypatch.setattr(os, "urandom", tape)
    return tape


def sample() -> list[int]:
    return rounded_gaussians((Fraction(3, 4), WIDE), (5_000, 5_000)).tolist()


def test_noise_is_a_function_of_the_bytes_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes make the same noise whatever the state of every other generator, the clock and the process; so
    nothing else goes into it. Other bytes make other noise, and no fewer are taken than noise needs."""
    drawn = []
    for seed in range(3):
        random.seed(seed)
        np.random.seed(seed)
        monkeypatch.setattr("time.time", lambda seed=seed: float(seed))
        monkeypatch.setattr(os, "getpid", lambda seed=seed: seed)
        tape = on_tape(monkeypatch, "one")
        drawn.append(sample())
        assert tape.served > 5_000 * (1 + 40 // 8 + 1), "fewer bytes than the noise has"
    assert drawn[0] == drawn[1] == drawn[2]
    on_tape(monkeypatch, "another")
    other = sample()
    assert sum(a == b for a, b in zip(other[5_000:], drawn[0][5_000:], strict=True)) <= 3


def test_two_calls_never_share_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one call leaves over is not taken up by the next: each begins with bytes of its own."""
    tape = on_tape(monkeypatch, "one")
    sample()
    first = tape.calls
    sample()
    between = tape.calls
    tape = on_tape(monkeypatch, "one")
    tape.calls = first
    sample()
    assert tape.calls == between
    kept = [name for name, value in vars(noise).items() if isinstance(value, np.ndarray | list | dict | bytearray)]
    assert [name for name in kept if not name.startswith("__")] == [], "something is kept between calls"


def fewer(by: int) -> Callable[[int], bytes]:
    real = os.urandom
    return lambda size: real(max(0, size - by))


def single(size: int) -> bytes:
    """One byte where many were asked for: numpy would stretch it over all lanes as one sign."""
    return os.getrandom(size) if size % 8 == 0 else b"\x80"


@pytest.mark.parametrize("by", [1, 8, 64, 10**9])
def test_fewer_bytes_than_asked_for_are_refused(by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", fewer(by))
    for size in (1, 2, 1000):
        with pytest.raises(NoRandomness, match="random bytes where"):
            rounded_gaussian(Fraction(1000), size)


@pytest.mark.skipif(not hasattr(os, "getrandom"), reason="no second way to the system's bytes here")
def test_one_sign_for_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", single)
    with pytest.raises(NoRandomness, match="gave 1 random bytes where 7 "):
        rounded_gaussian(Fraction(1000), 7)  # 78 lanes, of which 7 or more are accepted but once in 1e11


@pytest.mark.parametrize("error", [OSError(5, "I/O error"), NotImplementedError("no source"), PermissionError(1, "no")])
def test_a_system_without_random_numbers_is_refused(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> bytes:
        raise error

    monkeypatch.setattr(os, "urandom", fail)
    with pytest.raises(NoRandomness, match=r"gives no random numbers .* Nothing was published"):
        rounded_gaussian(Fraction(1000), 10)
    assert issubclass(NoRandomness, CaseveilError)


def test_bytes_that_fail_late_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever request fails, no draw comes out, and no request is left out."""
    tape = on_tape(monkeypatch, "late")
    rounded_gaussian(Fraction(1000), 50)
    for last in range(tape.calls):
        tape = Tape("late")

        def until(size: int, last: int = last, tape: Tape = tape) -> bytes:
            if tape.calls == last:
                raise OSError(5, "I/O error")
            return tape(size)

        monkeypatch.setattr(os, "urandom", until)
        with pytest.raises(NoRandomness):
            rounded_gaussian(Fraction(1000), 50)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forks_at_any_moment_draw_noise_of_their_own() -> None:
    """Eight children of one process in one state, each right after its parent drew; parent and children all differ."""
    seen: list[list[int]] = []
    for _ in range(8):
        seen.append(rounded_gaussian(WIDE, 20).tolist())
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writable, repr(rounded_gaussian(WIDE, 20).tolist()).encode())
            os._exit(0)
        os.close(writable)
        with os.fdopen(readable, "rb") as pipe:
            seen.append(ast.literal_eval(pipe.read().decode()))
        os.waitpid(child, 0)
        seen.append(rounded_gaussian(WIDE, 20).tolist())
    assert_apart(seen)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_draws_is_apart() -> None:
    """The child of a process with a draw half done has no part of it: threads that draw do not live on in a child."""
    stop, mine = threading.Event(), [rounded_gaussian(WIDE, 20).tolist()]

    def draw() -> None:
        while not stop.is_set():
            mine.append(rounded_gaussian(WIDE, 20).tolist())

    thread = threading.Thread(target=draw)
    thread.start()
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writable, repr([rounded_gaussian(WIDE, 20).tolist() for _ in range(5)]).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        theirs = ast.literal_eval(pipe.read().decode())
    os.waitpid(child, 0)
    stop.set()
    thread.join()
    assert_apart([*mine[-40:], *theirs])


def test_threads_draw_noise_of_their_own() -> None:
    seen: list[list[int]] = []
    gate = threading.Barrier(8)

    def draw() -> None:
        gate.wait()
        for _ in range(5):
            seen.append(rounded_gaussian(WIDE, 20).tolist())

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_apart(seen)


def assert_apart(seen: list[list[int]]) -> None:
    """No two lists share numbers: of a thousand draws, chance makes three equal pairs with a probability below 1e-9."""
    everything = [abs(number) for draws in seen for number in draws]
    assert len(everything) - len(set(everything)) < 3


def test_what_is_equal_would_be_noticed() -> None:
    draws = rounded_gaussian(WIDE, 20).tolist()
    with pytest.raises(AssertionError):
        assert_apart([draws, draws])
    with pytest.raises(AssertionError):
        assert_apart([draws, [-number for number in draws]])


Noisy = dict[Clique, NDArray[np.float64]]


def allowance_of(rows: EncodedRows) -> ResidualAllowance:
    """An allowance for these coded rows; the rows that it was charged for do not matter here."""
    table = rows_of({"a": ["x"]}, [])
    allowance = curator_of(table).residuals(table.table.resolve({"a": ("x",)}), mu=10.0)
    return ResidualAllowance(view=type(allowance._view)(rows=rows), budget=allowance._budget)


def noise_of(monkeypatch: pytest.MonkeyPatch, rows: EncodedRows) -> tuple[Noisy, int, int]:
    """What is added to the residuals of these rows with fixed bytes, and how many requests and bytes that took."""
    from tests.measurement.invented import exact_residuals

    cliques = up_to(rows.domain, 2)
    with monkeypatch.context() as patch:
        tape = on_tape(patch, "rows")
        seen = allowance_of(rows).measure(dict.fromkeys(cliques, 4.0))
    truth = exact_residuals(rows, cliques)
    return {clique: seen.values[clique] - truth[clique] for clique in cliques}, tape.calls, tape.served


def test_noise_knows_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same bytes the same noise is added, to the last unit, whatever the rows; and as many bytes are taken.

    So neither the noise, nor the number of lanes that gave up, nor the time of drawing can tell of a row.
    """
    domain = domain_of(3, 4, 2)
    dice = np.random.default_rng(5)
    tables = [
        coded(domain, np.zeros((0, 3), np.int32)),
        coded(domain, np.zeros((1, 3), np.int32)),
        coded(domain, dice.integers(0, 2, (5_000, 3))),
        coded(domain, np.full((40_000, 3), 1)),
    ]
    added = [noise_of(monkeypatch, rows) for rows in tables]
    for values, calls, served in added[1:]:
        assert (calls, served) == added[0][1:]
        for clique, noise_of_clique in values.items():
            np.testing.assert_allclose(noise_of_clique, added[0][0][clique], atol=1e-7)
    assert max(abs(values).max() for values in added[0][0].values()) > 1, "there is noise"


def test_noise_of_linked_rows_takes_as_many_bytes_whatever_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = tables_of(3)
    taken = set()
    for at, number in enumerate((1, 40, 300)):
        people = random_people(tables, number, np.random.default_rng(at))
        allowance = link_curator(linked(tables, people)).link_residuals(tables, mu=10.0)
        cliques = measured_cliques(tables)
        for view in VIEWS:
            with monkeypatch.context() as patch:
                tape = on_tape(patch, view)
                getattr(allowance, view).measure(dict.fromkeys(cliques[view], 1000.0))
            taken.add((view, tape.calls, tape.served))
    assert len(taken) == len(VIEWS)


BANNED = ("random", "secrets", "uuid", "time", "datetime", "numpy.random")


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def names_a_generator(tree: ast.AST) -> list[str]:
    """Ways to numpy's generators."""
    words = {"random", "default_rng", "RandomState", "Generator", "SeedSequence", "PCG64", "getrandbits", "seed"}
    return [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in words]


@pytest.mark.parametrize("room", ["measurement", "records"])
def test_no_other_generator_stands_near_the_rows(room: str) -> None:
    """`privacy` has its own test (test_noise.py). `records` draws which links count, from `os.urandom` too."""
    for path in sorted((SOURCE / room).glob("*.py")):
        assert not {name for name in imports(path) if name in BANNED[:3] or "random" in name}, path.name
        assert names_a_generator(ast.parse(path.read_text(encoding="utf-8"))) == [], path.name


def test_one_function_alone_asks_the_system() -> None:
    tree = ast.parse((SOURCE / "privacy" / "noise.py").read_text(encoding="utf-8"))
    asking = [
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr == "urandom"
    ]
    assert asking == ["_random_bytes"]
    assert not {"time", "datetime"} & imports(SOURCE / "privacy" / "noise.py")
    assert names_a_generator(ast.parse("numpy.random.default_rng(1)")) == ["default_rng", "random"], "or nothing fails"
    assert grid_sigma(1.0) == 1
