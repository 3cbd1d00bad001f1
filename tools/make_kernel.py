"""Builds kernel.wasm, the inner loops of synthesis for the browser, from kernel.c.

    python tools/make_kernel.py          in place of src/caseveil/synthesis/kernel.wasm

The compiler is the one that the package ziglang 0.13.0 carries (in the dev extra): the same source gives the same
bytes, and a test holds the kept file against a build.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "caseveil" / "synthesis" / "kernel.c"
# A side module, as Pyodide loads with ctypes: it lives in the memory of Python and has none of its own.
FLAGS = [
    *("-target", "wasm32-emscripten", "-mcpu=generic+simd128+bulk_memory"),
    *("-O3", "-ffast-math", "-fno-builtin", "-fPIC", "-nostdlib", "-shared"),
    *("-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--strip-all"),
]


def build(out: Path) -> None:
    """Compiles kernel.c to `out`.

    Raises:
        RuntimeError: the compiler is missing or refuses the source.
    """
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(out), SOURCE.name]
    done = subprocess.run(command, cwd=SOURCE.parent, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"kernel.c was not compiled: {done.stderr.strip()[-800:]}")
    out.chmod(0o644)


if __name__ == "__main__":
    build(SOURCE.with_suffix(".wasm"))
