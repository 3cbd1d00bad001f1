"""Between the rows and the noise there are whole numbers alone: read off the source, and watched in a release.

A float in a count before the noise is in would put the rounding of floats, which depends on the rows, into what is
published (Mironov, "On significance of the least significant bits for differential privacy", CCS 2012).
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caseveil import produce as story
from caseveil.measurement import curator
from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.records.raw import RawTable
from tests.assurance import planted

SOURCE = Path(curator.__file__).parents[1]

COUNTING = {
    "records/counting.py": None,
    "records/views.py": None,
    "records/encoding.py": ("distinct_rows", "_combined", "encode"),
    "measurement/residuals.py": ("integer_residual",),
}
"""Files, and functions of them (None: all), through which counts go on their way to the noise."""

EXACT = ("rows.weights", "np.bincount")
"""What may be made a float64 on the way: weights, and counts by weight, whole numbers below 2^53
(docs/proofs/residual-measurement.md, part 2; docs/proofs/linked-measurement.md, part 1). numpy has no others."""

FLOATS = {
    "float", "float16", "float32", "float64", "longdouble", "double", "single", "half", "complex", "mean", "average",
    "median", "sqrt", "divide", "true_divide", "reciprocal", "log", "exp", "power", "fsum", "std", "var", "linspace",
    "nan_to_num", "interp", "einsum", "random",
}  # fmt: skip


def float_arithmetic(tree: ast.AST) -> list[str]:
    """Every expression that makes or may make a float; what EXACT names, and annotations, aside."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        inner = whole_as_float(node)
        if inner is not None:
            visit(inner)
            return
        if isinstance(node, ast.AnnAssign):
            if node.value is not None:
                visit(node.value)
            return
        if isinstance(node, ast.FunctionDef):
            for one in node.body:
                visit(one)
            return
        divides = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        constant = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        named = (isinstance(node, ast.Attribute) and node.attr in FLOATS) or (
            isinstance(node, ast.Name) and node.id in FLOATS
        )
        text = isinstance(node, ast.Constant) and isinstance(node.value, str) and "float" in node.value
        if divides or constant or named or (text and len(ast.unparse(node)) < 20):
            found.append(ast.unparse(node))
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def whole_as_float(node: ast.AST) -> ast.expr | None:
    """What stands before `.astype(np.float64)` if that is allowed for it."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "astype"):
        return None
    before = node.func.value
    what = ast.unparse(before.func if isinstance(before, ast.Call) else before)
    return before if [*map(ast.unparse, node.args)] == ["np.float64"] and what in EXACT else None


def functions(path: Path, names: tuple[str, ...] | None) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    every = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [function for function in every if names is None or function.name in names]


@pytest.mark.parametrize("name", COUNTING)
def test_counts_are_made_of_whole_numbers(name: str) -> None:
    found = functions(SOURCE / name, COUNTING[name])
    assert found
    for function in found:
        assert float_arithmetic(function) == [], function.name


@pytest.mark.parametrize(
    "fault",
    [
        "def f(t): return t - t.mean(axis=0)",
        "def f(t, n): return t / n",
        "def f(t): return t * 0.5",
        "def f(t): return t.astype('float32')",
        "def f(t):\n    t /= 2\n    return t",
        "def f(t): return np.float64(t)",
        "def f(t): return [float(x) for x in t]",
    ],
)
def test_floats_are_noticed(fault: str) -> None:
    assert float_arithmetic(ast.parse(fault))


SECRET = {"exact", "counts"}
"""Names in the curator that hold true counts; `_rows.n` is the third."""


def is_secret(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id in SECRET and isinstance(node.ctx, ast.Load)) or (
        isinstance(node, ast.Attribute) and node.attr == "n"
    )


def is_noise(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id in ("noise", "rounded_gaussian", "rounded_gaussians")
        for part in ast.walk(node)
    )


def sums_with_noise(tree: ast.AST) -> tuple[list[ast.BinOp], list[str]]:
    """Sums of a true count and noise, and where true counts are used otherwise."""
    sums = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and is_noise(node.right)
        and any(map(is_secret, ast.walk(node.left)))
    ]
    inside = {id(part) for one in sums for part in ast.walk(one.left)}
    # The names of values are put in order; they are released only through their noisy counts.
    ordered = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node) == "sorted(counts)"
        for part in ast.walk(node)
    }
    bare = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if is_secret(node) and id(node) not in inside and id(node) not in ordered
    ]
    return sums, bare


def test_the_curator_adds_noise_before_anything_else() -> None:
    """True counts meet noise first, as whole numbers, and are used for nothing else."""
    sums, bare = sums_with_noise(ast.parse(Path(curator.__file__).read_text(encoding="utf-8")))
    assert bare == []
    assert len(sums) == 3, "people, values and residuals"
    for one in sums:
        assert float_arithmetic(one) == [], ast.unparse(one)


@pytest.mark.parametrize(
    "fault",
    [
        "def f(self):\n    noise = rounded_gaussian(s, 1)\n    return self._rows.n",
        "def f(self):\n    if exact[c].sum() > 5:\n        return exact[c] + noise",
        "def kept(counts):\n    return [name for name, count in counts.items() if count > 10]",
    ],
)
def test_counts_that_go_around_the_noise_are_noticed(fault: str) -> None:
    assert sums_with_noise(ast.parse(fault))[1]


@pytest.mark.parametrize("kind", ["one table", "linked"])
def test_counts_and_noise_are_whole_in_a_release(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that meets in the curator is int64: true tables, integer residuals, noise."""
    seen: dict[str, int] = {}

    def watch(name: str) -> None:
        real = getattr(curator, name)

        def around(*args: Any) -> Any:
            out = real(*args)
            arrays = [*args, *(out.values() if isinstance(out, dict) else [out])]
            for array in arrays:
                if isinstance(array, np.ndarray):
                    assert array.dtype == np.int64, (name, array.dtype)
                    seen[name] = seen.get(name, 0) + 1
            return out

        monkeypatch.setattr(curator, name, around)

    names = ("count_many", "integer_residual", "rounded_gaussian", "rounded_gaussians")
    for name in names:
        watch(name)
    text = planted.LINKED if kind == "linked" else planted.ONE_TABLE
    plan = Plan.from_toml(text.replace('ledger = "ledger.caseveil"', ""), Path())
    raw = [RawTable(columns=planted.victims()), RawTable(columns=planted.perpetrators())][: len(plan.tables)]
    story.produce(plan, story.prepared(plan, raw), Ledger(), rng=np.random.default_rng(1))
    assert all(seen.get(name, 0) > 0 for name in names)


def test_numbers_too_large_wrap_and_lose_nothing() -> None:
    """Beyond 64 bits, residuals and noise are those of whole numbers modulo 2^64: useless, and still protected."""
    dice = np.random.default_rng(3)
    table = dice.integers(2**60, 2**62, (5, 7, 3))
    noise = dice.integers(-(2**57), 2**57, table.shape)
    exact: Any = table.astype(object)
    for axis, size in enumerate(table.shape):
        exact = exact * size - exact.sum(axis=axis, keepdims=True)
    expected = (exact + noise.astype(object)) % 2**64
    found = (curator.integer_residual(table) + noise).astype(np.uint64)
    assert found.astype(object).tolist() == expected.tolist()
    assert max(abs(int(number)) for number in exact.ravel()) > 2**63, "it does wrap"
