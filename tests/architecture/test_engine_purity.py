"""The engine imports the standard library and numpy, and nothing else: the same wheel runs in a browser."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

SOURCE = Path(__file__).parents[2] / "src" / "caseveil"

ROOMS = ["schema", "standards", "privacy", "measurement", "synthesis"]
FILES = [
    "errors.py",
    *(f"records/{name}.py" for name in ("prepare", "encoding", "counting", "keys", "linkage", "views")),
    *(f"evaluation/{name}.py" for name in ("fidelity", "linked_codes", "link_fidelity")),
]
"""The engine: these rooms whole, and these files."""

ALLOWED = {"numpy", "caseveil"} | set(sys.stdlib_module_names)


def engine_files() -> list[Path]:
    rooms = [path for room in ROOMS for path in sorted((SOURCE / room).rglob("*.py"))]
    return [SOURCE / "__init__.py", *(SOURCE / name for name in FILES), *rooms]


def foreign_imports(source: str) -> set[str]:
    """Top-level packages, beside numpy and the standard library, that a file imports anywhere in it.

    Imports under `if TYPE_CHECKING:` are not carried out and do not count.
    """
    tree = ast.parse(source)
    unreal = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for part in node.body
        for inner in ast.walk(part)
    }
    names: set[str] = set()
    for node in set(ast.walk(tree)) - unreal:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - ALLOWED


def test_no_engine_file_names_another_library() -> None:
    found = {path.name: foreign_imports(path.read_text(encoding="utf-8")) for path in engine_files()}
    assert {name: names for name, names in found.items() if names} == {}


def unguarded_imports(source: str) -> set[str]:
    """Modules that a browser lacks and that a file imports as soon as it is imported itself."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names & {"fcntl", "msvcrt", "multiprocessing", "subprocess", "threading", "concurrent", "socket"}


def test_no_engine_file_needs_what_a_browser_lacks() -> None:
    found = {path.name: unguarded_imports(path.read_text(encoding="utf-8")) for path in engine_files()}
    assert {name: names for name, names in found.items() if names} == {}


def test_unguarded_imports_are_seen() -> None:
    assert unguarded_imports("import fcntl") == {"fcntl"}
    assert unguarded_imports("from concurrent.futures import ThreadPoolExecutor") == {"concurrent"}
    assert unguarded_imports("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None") == set()


@pytest.mark.parametrize(
    ("source", "foreign"),
    [
        ("import numpy as np, os", set()),
        ("import scipy.stats", {"scipy"}),
        ("def f():\n    from pandas import DataFrame", {"pandas"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", set()),
        ("from . import near", set()),
    ],
)
def test_foreign_imports_are_seen(source: str, foreign: set[str]) -> None:
    assert foreign_imports(source) == foreign


BLOCKED_IMPORT = """
import importlib, sys

ALLOWED = {"numpy", "caseveil"} | set(sys.stdlib_module_names)

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ImportError(f"the engine must not import {name}")
        return None

sys.meta_path.insert(0, Wall())
for name in sys.argv[1:]:
    importlib.import_module(name)
print("imported", len(sys.argv) - 1)
"""


def run_blocked(*modules: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCKED_IMPORT, *modules], capture_output=True, text=True, check=False)


def test_the_engine_runs_where_nothing_else_can_be_imported() -> None:
    modules = []
    for path in engine_files():
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        modules.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    done = run_blocked(*modules)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["imported", str(len(modules))]


def test_the_block_blocks() -> None:
    done = run_blocked("pytest")
    assert done.returncode == 1
    assert "must not import pytest" in done.stderr
