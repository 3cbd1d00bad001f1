"""The page in the package is what its sources build, byte for byte."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from caseveil.release import explorer
from tests.browser.conftest import NPM


def test_sources_build_the_page_of_the_package(installed: Path, tmp_path: Path) -> None:
    assert NPM
    build = [NPM, "exec", "--", "vite", "build", "--outDir", str(tmp_path), "--logLevel", "error"]
    subprocess.run(build, cwd=installed, check=True, capture_output=True, timeout=300)
    assert [path.name for path in tmp_path.iterdir()] == ["explorer_template.html"]
    built = (tmp_path / "explorer_template.html").read_text("utf-8")
    assert built == explorer.packaged(), "web/explorer has changed: run make web"


def test_types_and_unit_tests_of_the_page_hold(installed: Path) -> None:
    assert NPM
    for script in ("check", "test"):
        command = [NPM, "run", "--silent", script]
        done = subprocess.run(command, cwd=installed, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_the_page_without_data_is_small_and_names_the_licences_of_what_it_includes() -> None:
    page = explorer.packaged()
    assert len(page.encode()) < 3_000_000
    assert not re.search(r"\beval\(|new Function\(|<[a-z]+[^>]*\son[a-z]+=|<link\b|@import\b", page)
    for part in ("@observablehq/plot", "d3-scale", "Copyright"):
        assert part in page.split("</script>")[-1]
