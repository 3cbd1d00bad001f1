"""Write into every proof the hashes of the files that it covers, as they are now.

Run it after you have read the proof against the changed code, never before: `python tools/pin_proofs.py`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PROOFS = REPO / "docs" / "proofs"
COVERS = re.compile(r"^- covers: (\S+) sha256: ([0-9a-f]+)$", re.MULTILINE)


def digest(path: Path) -> str:
    """SHA-256 of a text file, the same on systems that end lines differently."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode("utf-8")).hexdigest()


def pins(text: str) -> dict[str, str]:
    """Covered files of one proof, relative to the repository, with the hashes it was checked against."""
    return dict(COVERS.findall(text))


def moved(text: str, repo: Path = REPO) -> list[str]:
    """Covered files that are gone or are no longer what the proof was checked against."""
    return [name for name, pin in pins(text).items() if not (repo / name).is_file() or digest(repo / name) != pin]


def pinned(text: str, repo: Path = REPO) -> str:
    """The proof with hashes as of now."""
    return COVERS.sub(lambda found: f"- covers: {found[1]} sha256: {digest(repo / found[1])}", text)


def main() -> int:
    """Update all proofs and name those that changed."""
    for path in sorted(PROOFS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        names = moved(text)
        if names:
            path.write_text(pinned(text), encoding="utf-8", newline="\n")
            print(f"{path.name}: {', '.join(names)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
