"""Puts the application together as a static site: pages, worker, Pyodide, numpy and Caseveil itself.

    python tools/make_site.py            into src/caseveil/web/site, from where `caseveil app` serves it
    python tools/make_site.py FOLDER     into a folder for any web server; it needs nothing but to serve files

Run after the builds of web/explorer and web/app (make web does). The site is not kept in the repository; a wheel of
Caseveil that is built where it lies carries it along.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
import tomllib
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import pyodide_files

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "caseveil"
SITE = PACKAGE / "web" / "site"
PAGES = ROOT / "web" / "app" / "dist"
LIST = "site-files.json"
WORKER = "sw.js"
_DATE = (1980, 1, 1, 0, 0, 0)


def main(out: Path = SITE) -> None:
    """Assembles the site in `out`, in place of an older one, and says how large it is."""
    needed = ("index.html", "worker.js", WORKER, "policy.txt", "licences.txt")
    missing = [name for name in needed if not (PAGES / name).is_file()]
    if missing:
        sys.exit(f"web/app is not built ({', '.join(missing)} missing); run: make web")
    if out.exists() and not (out / LIST).is_file() and any(out.iterdir()):
        sys.exit(f"{out} holds other things; choose another folder")
    fetched = pyodide_files.fetch()
    aside = out.with_name(f".{out.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(PAGES, aside)
    (aside / "pyodide").mkdir()
    for name in pyodide_files.CORE:
        shutil.copyfile(fetched / name, aside / "pyodide" / name)
    (aside / "wheels").mkdir()
    wheels = []
    for path in pyodide_files.wheels(fetched):
        shutil.copyfile(path, aside / "wheels" / path.name)
        wheels.append(f"wheels/{path.name}")
    licences = aside / "licences.txt"
    licences.write_text(licences.read_text("utf-8") + engine_licences(fetched), encoding="utf-8")
    own = caseveil_wheel(aside / "wheels")
    wheels.append(f"wheels/{own.name}")
    files = listed(aside)
    whole = "".join(str(entry["sha256"]) for entry in files)
    version = hashlib.sha256(whole.encode("ascii")).hexdigest()[:16]
    text = json.dumps({"version": version, "wheels": wheels, "files": files}, indent=1)
    (aside / LIST).write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside.rename(out)
    plain, packed = size(out)
    print(f"{out}: {len(files) + 2} files, {plain / 1e6:.1f} MB ({packed / 1e6:.1f} MB compressed)")


_PYTHON = "et_xmlfile-2.0.0.dist-info/LICENCE.python"
_PYODIDE = f"""Pyodide {pyodide_files.VERSION}

Under the Mozilla Public License, version 2.0: https://www.mozilla.org/MPL/2.0/
Its source: https://github.com/pyodide/pyodide/tree/{pyodide_files.VERSION}. It is included as it was published.
"""


def engine_licences(fetched: Path) -> str:
    """The licences of what runs Python in the page, below those of the pages' own packages."""
    parts = [_PYODIDE]
    for path in pyodide_files.wheels(fetched):
        name, version = path.name.split("-")[:2]
        with zipfile.ZipFile(path) as wheel:
            texts = [one for one in wheel.namelist() if _is_licence(one)]
            if not texts:
                sys.exit(f"{path.name} has no licence file")
            whole = "\n\n".join(wheel.read(one).decode("utf-8").strip() for one in texts)
            parts.append(f"{name} {version}\n\n{whole}\n")
            if _PYTHON in texts:
                # The standard library and the interpreter are under the text that this wheel carries.
                python = wheel.read(_PYTHON).decode("utf-8")
                parts.append("CPython 3.12\n\n" + python[python.index("Copyright (c) 2001") :].strip() + "\n")
    own = [(ROOT / name).read_text("utf-8").strip() for name in ("NOTICE", "LICENSE")]
    parts.append("\n\n".join(["Caseveil", *own]) + "\n")
    return "".join(f"\n----\n\n{part}" for part in parts)


def _is_licence(name: str) -> bool:
    return Path(name).name.upper().startswith(("LICENSE", "LICENCE"))


def listed(site: Path) -> list[dict[str, object]]:
    """Every file but the service worker and the list itself, for the service worker to keep."""
    out: list[dict[str, object]] = []
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name = path.relative_to(site).as_posix()
        if name not in (WORKER, LIST):
            data = path.read_bytes()
            out.append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    return out


def size(site: Path) -> tuple[int, int]:
    """Bytes as they lie there, and about what a server that compresses sends."""
    data = [path.read_bytes() for path in site.rglob("*") if path.is_file()]
    return sum(map(len, data)), sum(min(len(one), len(zlib.compress(one, 6))) for one in data)


def caseveil_wheel(folder: Path) -> Path:
    """Caseveil as a wheel without the site and without what only serves it. The same sources give the same bytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    name, version = project["name"], project["version"]
    info = f"{name}-{version}.dist-info"
    files = {path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in _sources()}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: make_site\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    for licence in project["license-files"]:
        files[f"{info}/licenses/{licence}"] = (ROOT / licence).read_bytes()
    record = [f"{path},{_record(data)},{len(data)}" for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    made = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return made


def _sources() -> Iterable[Path]:
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and not hidden and SITE not in path.parents:
            yield path


def _record(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else SITE)
