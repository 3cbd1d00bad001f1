"""The list of what is in a bundle, with hashes, and the one way in which we write JSON.

The manifest never holds the name, path or size of the source, nor the true number of rows.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FORMAT = "caseveil-bundle/1"
MANIFEST = "manifest.json"


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, two-space indent, UTF-8 and one newline at the end: equal values, equal bytes.

    Raises ValueError for NaN and infinity, which JSON does not have.
    """
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def software_versions() -> dict[str, str]:
    """Versions that shaped the release: Caseveil, numpy, Python (major.minor only)."""
    try:
        own = importlib.metadata.version("caseveil")
    except importlib.metadata.PackageNotFoundError:
        own = "unknown"
    return {
        "caseveil": own,
        "numpy": np.__version__,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """files: path inside the bundle -> (size in bytes, SHA-256), for every file except the manifest itself.

    parquet says 'included', or why there is none.
    """

    files: Mapping[str, tuple[int, str]]
    versions: Mapping[str, str]
    plan_digest: str
    parquet: str
    format: str = FORMAT

    @classmethod
    def of(
        cls, files: Mapping[str, bytes], *, versions: Mapping[str, str], plan_digest: str, parquet: str
    ) -> Manifest:
        """The manifest of these files."""
        listed = {path: (len(data), digest(data)) for path, data in files.items() if path != MANIFEST}
        return cls(files=listed, versions=dict(versions), plan_digest=plan_digest, parquet=parquet)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(
            {
                "format": self.format,
                "files": {path: {"bytes": size, "sha256": sha} for path, (size, sha) in self.files.items()},
                "versions": dict(self.versions),
                "plan_digest": self.plan_digest,
                "parquet": self.parquet,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Inverse of `to_bytes`. Raises ValueError, TypeError, KeyError or AttributeError on anything else."""
        raw = json.loads(data.decode("utf-8"))
        files = {str(path): (int(entry["bytes"]), str(entry["sha256"])) for path, entry in raw["files"].items()}
        versions = {str(name): str(version) for name, version in raw["versions"].items()}
        return cls(
            files=files,
            versions=versions,
            plan_digest=str(raw["plan_digest"]),
            parquet=str(raw["parquet"]),
            format=str(raw["format"]),
        )

    def mismatches(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """What is wrong, by path: 'missing', 'not listed', 'changed'. Empty when all is as listed."""
        wrong = {path: "missing" for path in self.files if path not in files}
        for path, data in files.items():
            if path == MANIFEST:
                continue
            if path not in self.files:
                wrong[path] = "not listed"
            elif self.files[path] != (len(data), digest(data)):
                wrong[path] = "changed"
        return dict(sorted(wrong.items()))
