"""The site of the application: what is put together, and that the engine in it answers in Pyodide as it does here."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from app_session import SECRET, people

from caseveil.release.verify import verify_bundle
from tools import make_site, pyodide_files

JOB = """
import json
import time
from caseveil.web.service import Session
charged, times = [], {}
session = Session(charged=lambda name, data: charged.append(len(data)))
def ask(name, **fields):
    seen = []
    began = time.time()
    answer = session.answer(name, fields, progress=seen.append)
    assert "error" not in answer, (name, answer)
    times[name] = round(time.time() - began, 2)
    return answer, seen
hello, _ = ask("hello")
opened, _ = ask("open", files=[{"name": "book.xlsx", "bytes": open("/book.xlsx", "rb").read()}])
opened, _ = ask("open", files=[{"name": "cases.csv", "bytes": open("/cases.csv", "rb").read()}])
draft = opened["draft"]
draft["aggregates"]["length"] = 1
draft["promise"]["people"] = 300
for column in draft["tables"][0]["columns"]:
    column["outside"] = "missing"
    column["keep"] = column["name"] in ("sex", "age", "abuse")
for name, fields in (("column", {"table": "cases", "column": "age"}), ("prepare", {"table": "cases"}),
                     ("risk", {"k": 10, "length": 3}), ("forecast", {"epsilons": [1.0]}), ("check", {}),
                     ("to_toml", {}), ("rehearse", {"label": ""})):
    ask(name, draft=draft, **fields)
run, seen = ask("release", draft=draft, label="")
ask("compare", runs=[run["id"]])
ask("explorer", run=run["id"])
ask("report", run=run["id"], attacks=False)
bundle, _ = ask("bundle", run=run["id"])
open("/out.zip", "wb").write(bundle["bytes"])
view, _ = ask("ledger_view", draft=draft)
example, _ = ask("example", linked=True)
json.dumps({"hello": hello, "charged": charged, "stages": len(seen), "view": view, "times": times,
            "example": [table["rows"] for table in example["tables"]]})
"""

RUN = """
import fs from "fs";
const [pyodide, wheels, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pyodide + "/pyodide.mjs");
const py = await loadPyodide({ indexURL: pyodide + "/" });
for (const wheel of JSON.parse(wheels)) py.unpackArchive(new Uint8Array(fs.readFileSync(wheel)), "wheel");
for (const name of ["cases.csv", "book.xlsx"]) py.FS.writeFile("/" + name, fs.readFileSync(folder + "/" + name));
const said = py.runPython(fs.readFileSync(folder + "/job.py", "utf8"));
fs.writeFileSync(folder + "/out.zip", py.FS.readFile("/out.zip"));
fs.writeFileSync(folder + "/said.json", said);
"""


def test_the_wheel_for_the_browser_is_always_the_same_and_holds_the_package(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (make_site.caseveil_wheel(tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as wheel:
        names = set(wheel.namelist())
    assert {"caseveil/web/service.py", "caseveil/release/explorer_template.html"} <= names
    assert "caseveil/standards/data/countries.csv" in names
    assert "caseveil-0.1.0.dist-info/METADATA" in names
    assert not [name for name in names if "__pycache__" in name or "/site/" in name]


def test_the_list_of_files_has_their_hashes(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    for name in ("index.html", "sw.js", "site-files.json", "wheels/a.whl"):
        (tmp_path / name).write_text(name)
    assert make_site.listed(tmp_path) == [
        {"path": name, "bytes": len(name), "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("index.html", "wheels/a.whl")
    ]


def test_a_file_of_another_hash_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(pyodide_files.NotFetched):
        pyodide_files._keep(tmp_path / "a", b"other", pyodide_files.CORE["pyodide.mjs"])
    assert list(tmp_path.iterdir()) == []


def test_numpy_is_the_one_in_the_list_of_pyodide(fetched: Path) -> None:
    name, digest = pyodide_files.numpy_wheel(fetched)
    assert hashlib.sha256((fetched / name).read_bytes()).hexdigest() == digest
    assert pyodide_files.wheels(fetched)[0].name == name


def test_every_request_is_answered_in_pyodide(fetched: Path, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for line in people(40).decode().splitlines():
        book.worksheets[0].append(line.split(","))
    book.save(tmp_path / "book.xlsx")
    (tmp_path / "cases.csv").write_bytes(people(200))
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "run.mjs").write_text(RUN)
    wheels = [str(path) for path in (*pyodide_files.wheels(fetched), make_site.caseveil_wheel(tmp_path))]
    command = ["node", "run.mjs", str(fetched), json.dumps(wheels), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-1500:]
    said: dict[str, Any] = json.loads((tmp_path / "said.json").read_text())
    assert said["hello"]["engine"] == "browser"
    assert said["hello"]["version"] == "0.1.0"
    assert len(said["charged"]) >= 2
    assert said["stages"] >= 4
    assert said["view"]["exists"]
    assert said["view"]["spent"]["epsilon"] > 0
    assert said["example"][0] == 8_000
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "bundle")
        assert not any(SECRET.encode() in archive.read(name) for name in archive.namelist())
    (bundle,) = (tmp_path / "bundle").iterdir()
    assert verify_bundle(bundle).ok, str(verify_bundle(bundle))
