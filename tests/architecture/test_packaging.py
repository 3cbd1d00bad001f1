"""What is given away as source can be built and checked: it holds what the page of the explorer is built from."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_source_distribution_holds_the_sources_of_the_page(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        files = {name.split("/", 1)[1]: opened.getmember(name).size for name in opened.getnames()}
    explorer = "web/explorer"
    needed = {
        "src/caseveil/release/explorer_template.html",
        "tests/browser/test_build.py",
        *(f"{explorer}/{name}" for name in ("package.json", "package-lock.json", "vite.config.ts", "index.html")),
    }
    needed |= {
        path.relative_to(ROOT).as_posix()
        for folder in ("src", "test", "tools")
        for path in (ROOT / explorer / folder).rglob("*")
        if path.is_file()
    }
    assert len(needed) > 60
    assert needed <= set(files), sorted(needed - set(files))[:5]
    made = [name for name in files if "node_modules" in name or "__pycache__" in name]
    assert made == []
    assert sum(files.values()) < 25_000_000
