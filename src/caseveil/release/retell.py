"""New stories for a bundle that is there: its explorer and manifest are written anew, and nothing else changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from caseveil.errors import BundleError, OutputError
from caseveil.release import bundle, explorer, explorer_data
from caseveil.release.manifest import MANIFEST, Manifest
from caseveil.release.story import Story
from caseveil.release.verify import verify_bundle


def retell(path: Path, stories: Sequence[Story], *, plan_digest: str) -> None:
    """Give the bundle these stories in place of those that it has. Spends nothing and reads no row.

    plan_digest: that of the plan that the stories stand in, which must be the plan of the bundle.
    The bundle is written anew beside itself and verified before it takes the place of the old one; whatever fails, the
    old one stays. Raises BundleError, OutputError.
    """
    real = path.resolve()  # the folder itself is replaced: a link to it must stay one, and nobody may stand in it
    if real in (here := Path.cwd().resolve(), *here.parents):
        raise OutputError(f"the working folder must not lie in the bundle, which is replaced: leave {real} first")
    contents = replace(bundle.read_bundle(path), stories=tuple(stories))
    if contents.plan_digest != plan_digest:
        raise BundleError(
            f"the plan must be the one that {contents.about.name} {contents.about.version} was made by; only stories, "
            f"source, query and ledger may have changed since"
        )
    files = bundle.read_files(path)
    before = Manifest.from_bytes(files[MANIFEST])
    files[bundle.EXPLORER] = explorer.render(explorer_data.payload(contents))
    files[MANIFEST] = Manifest.of(
        files, versions=before.versions, plan_digest=before.plan_digest, parquet=before.parquet
    ).to_bytes()
    aside = bundle.aside(real)
    try:
        bundle.write_files(files, aside)
        verification = verify_bundle(aside)
        if not verification.ok:
            wrong = next(finding for finding in verification.findings if not finding.ok)
            raise BundleError(
                f"the bundle does not hold, so its stories are left as they are; `caseveil verify` says more. "
                f"{wrong.check}: {wrong.detail}"
            )
        _swap(aside, real)
    except OSError as error:
        raise OutputError(f"stories cannot be put into {path}: {bundle.why(error)}. Nothing was changed") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _swap(new: Path, old: Path) -> None:
    """Put one folder in the place of another. A folder cannot be renamed onto a full one, so the old one steps aside
    first, and comes back if the new one cannot take its place."""
    away = bundle.aside(old)
    os.rename(old, away)
    try:
        os.rename(new, old)
    except BaseException:
        os.rename(away, old)
        raise
    shutil.rmtree(away, ignore_errors=True)
