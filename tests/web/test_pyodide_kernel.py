"""The inner loops in WebAssembly: they compute what numpy does, need no memory of their own, and are what kernel.c says."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest

from tools import make_kernel, make_site, pyodide_files

KERNEL = make_kernel.SOURCE.with_suffix(".wasm")

RUN = """
import fs from "node:fs";
const [pyodide, wheels, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pyodide + "/pyodide.mjs");
const py = await loadPyodide({ indexURL: pyodide + "/" });
for (const wheel of JSON.parse(wheels)) py.unpackArchive(new Uint8Array(fs.readFileSync(wheel)), "wheel");
fs.writeFileSync(folder + "/said.json", py.runPython(fs.readFileSync(folder + "/job.py", "utf8")));
"""

JOB = '''
import json
import numpy as np
from caseveil.synthesis import kernel
compiled = kernel._compiled
assert compiled is not None
rng = np.random.default_rng(1)
single = lambda *shape: rng.normal(size=shape).astype(np.float32)
farthest, asked = {}, {}

def both(name, call):
    """The largest difference of what the two return, against the largest number."""
    kernel._compiled = None
    there = [np.asarray(value, np.float64) for value in call()]
    kernel._compiled = compiled
    here = [np.asarray(value, np.float64) for value in call()]
    for one, other in zip(here, there, strict=True):
        assert one.shape == other.shape, (name, one.shape, other.shape)
        if one.size:
            apart = float(abs(one - other).max() / max(1.0, abs(other).max()))
            farthest[name] = max(farthest.get(name, 0.0), apart)
    asked[name] = asked.get(name, 0) + 1

for m, k, n in [(1, 1, 1), (4, 4, 8), (5, 3, 9), (7, 50, 13), (33, 17, 50), (64, 64, 400), (3, 0, 5), (0, 4, 4), (4, 4, 0)]:
    a, b, c = single(m, k), single(k, n), single(n, k)
    both("times", lambda: [kernel.times(a, b)])
    both("times", lambda: [kernel.times(np.ascontiguousarray(a.T).T, b)])
    both("times", lambda: [kernel.times(a[::-1], b)])
    both("by_rows", lambda: [kernel.by_rows(a, c)])

def block(dims, firsts, seconds, width):
    first, second, columns = (rng.permutation(dims)[:n].astype(np.int32) for n in (firsts, seconds, width))
    shape = (firsts * seconds, width)
    return kernel.TripleBlock(first, second, columns, single(*shape), abs(single(*shape)))

for k in (1, 3, 4, 50, 101):
    for shapes in ([], [(1, 1, 1)], [(2, 2, 2), (5, 1, 3)], [(6, 3, 7), (10, 3, 12), (3, 1, 1)]):
        blocks = [block(14, *shape) for shape in shapes]
        factors, mass = single(14, k), abs(single(k))
        start_pull, start_mass = single(14, k), single(k)
        def call():
            pull, by_mass = start_pull.copy(), start_mass.copy()
            return [kernel.triples(blocks, factors, factors * mass, pull, by_mass), pull, by_mass]
        both("triples", call)

for records, tables, width in [(0, 2, 3), (1, 1, 1), (50, 3, 2), (50, 5, 3), (60, 4, 4), (60, 4, 5), (41, 6, 7), (30, 9, 33)]:
    local = single(20 * tables, width)
    rows = (rng.integers(0, 20, (records, tables)) + 20 * np.arange(tables)).astype(np.int32)
    both("scores", lambda: [kernel.scores(local, rows)])
    both("scores", lambda: [kernel.scores(local, np.asfortranarray(rows))])
    for often in (1, 2, 9):
        old = rng.integers(0, width, records).astype(np.int32)
        best = ((old + 1) % width).astype(np.int32)
        which = rng.permutation(np.repeat(np.arange(records), often))
        step = abs(single(tables))
        def settle():
            mine = local.copy()
            moved = kernel.settle(mine, rows, which, old, best, step=step, own=float(2 * step.sum()))
            return [moved, mine]
        if width > 1:
            both("settle", settle)
json.dumps({"farthest": farthest, "asked": asked})
'''


def _missing(why: str) -> None:
    if os.environ.get("CASEVEIL_ALL_CHECKS"):
        pytest.fail(why)
    pytest.skip(why)


def test_the_browser_computes_what_numpy_does(fetched: Path, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "run.mjs").write_text(RUN)
    wheels = [str(path) for path in (*pyodide_files.wheels(fetched), make_site.caseveil_wheel(tmp_path))]
    command = ["node", "run.mjs", str(fetched), json.dumps(wheels), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-1500:]
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["asked"] == {"times": 27, "by_rows": 9, "triples": 20, "scores": 16, "settle": 21}
    assert max(said["farthest"].values()) < 2e-5, said["farthest"]


def test_a_build_of_the_source_gives_the_kept_file(tmp_path: Path) -> None:
    if importlib.util.find_spec("ziglang") is None:
        _missing("the package ziglang is not installed")
    make_kernel.build(tmp_path / "kernel.wasm")
    assert (tmp_path / "kernel.wasm").read_bytes() == KERNEL.read_bytes(), "kernel.c changed: run tools/make_kernel.py"


def test_it_works_in_the_memory_of_python_and_takes_none() -> None:
    found = sections(KERNEL.read_bytes())
    assert 11 not in found, "a data section would be written into Python's memory"
    imports = found[2]
    for needed in (b"memory", b"__memory_base"):
        assert needed in imports
    assert b"__stack_pointer" not in imports


def sections(module: bytes) -> dict[int, bytes]:
    """The sections of a WebAssembly module by their number (WebAssembly core specification, 5.5)."""
    assert module[:8] == b"\0asm\1\0\0\0"
    at, found = 8, {}
    while at < len(module):
        number, size, shift = module[at], 0, 0
        at += 1
        while True:
            byte = module[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        found[number] = module[at : at + size]
        at += size
    return found
