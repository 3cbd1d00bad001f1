"""The application tells no cell but to the person who opened the file, and writes no row to the disk, ever.

Secrets stand where they do for the commands (planted.py). What is searched: every answer but the four that show cells
on the screen, progress, errors, every ledger, the bundle and the private report unpacked, and every file that lies in
the folder for temporary files or lay there for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caseveil import audit
from caseveil.release.verify import verify_bundle
from caseveil.web import opening
from caseveil.web.service import REQUESTS
from tests.assurance import app_journeys, broken, journeys, planted
from tests.assurance.app_journeys import Asked, Disk


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Asked(disk=Disk(folder=tmp_path))
    yield made
    made.session.end()


def test_the_search_sees_what_was_on_the_disk_for_a_moment(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing below could fail. The fault: an opened file is written down to be read."""
    real = opening.read_data

    def careless(data: bytes, what: str, **named: Any) -> Any:
        path = asked.session.folder / what
        path.write_bytes(data)
        try:
            return real(data, what, **named)
        finally:
            path.unlink()

    monkeypatch.setattr(opening, "read_data", careless)
    assert "error" not in asked.ask("open", files=app_journeys.files())
    found = [" ".join(name.split()[:2]) for name in asked.traces()]
    assert found == ["removed victims.csv", "removed perpetrators.csv"]
    assert planted.leaks({"a.zip": journeys_zip(planted.KEY)})


def journeys_zip(text: str) -> bytes:
    """A zip in which a packed file holds the text."""
    from caseveil.web.runs import zipped

    return zipped({"a.txt": f"{text * 3} and more".encode()}, "folder")


def test_no_request_tells_a_cell(asked: Asked, capfd: pytest.CaptureFixture[str]) -> None:
    """False alarms: one release that looks for values, with a chance below 1e-9 that one of one person is found."""
    assert set(app_journeys.ORDER) == set(REQUESTS), "add the new request to app_journeys.ORDER"
    app_journeys.journey(asked)
    assert asked.charged
    assert asked.traces() == {}
    assert list(asked.disk.folder.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("end", ["csv", "xlsx", "parquet"])
def test_no_row_is_written_down_to_be_read(asked: Asked, end: str) -> None:
    of = {"csv": planted.as_csv, "xlsx": planted.as_workbook, "parquet": planted.as_parquet}[end]
    assert "error" not in asked.ask("open", files=app_journeys.files(of=of, end=end))
    assert asked.disk.gone == {}
    assert asked.traces() == {}


@pytest.mark.parametrize("fault", [name for name, files in journeys.BAD_INPUT.items() if "release.toml" not in files])
def test_no_refusal_tells_a_cell(asked: Asked, fault: str) -> None:
    spoilt = journeys.BAD_INPUT[fault]
    sent = [{**one, "bytes": spoilt.get(one["name"], one["bytes"])} for one in app_journeys.files()]
    asked.ask("open", files=sent)
    draft = asked.ask("from_toml", toml=planted.LINKED)["draft"]
    if "ledger.caseveil" in spoilt:
        ledger = {"name": "ledger.caseveil", "bytes": spoilt["ledger.caseveil"]}
        assert asked.ask("ledger_open", draft=draft, file=ledger)["error"]["kind"] == "input"
    else:
        asked.ask("check", draft=draft)
        asked.ask("risk", draft=draft, k=5, length=2)
        assert "error" in asked.ask("release", draft=draft, label="")
    assert asked.charged == []
    assert asked.traces() == {}


@pytest.mark.parametrize("place", [place for place in broken.PLACES if "intake" not in place])
def test_a_fault_of_ours_tells_no_cell(asked: Asked, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = app_journeys.opened(asked)
    module, _, name = place.rpartition(".")
    monkeypatch.setattr(f"{module}.{name}", None)  # what stands there is put back at the end
    broken.Break(place)()
    answer = asked.ask("release", draft=draft, label="")
    if "error" not in answer:  # what fails comes later
        answer = asked.ask("bundle", run=answer["id"])
    assert answer["error"]["kind"] == "fault", answer
    assert asked.traces() == {}


def test_the_zip_of_the_application_is_checked_without_a_trace(asked: Asked, tmp_path: Path) -> None:
    draft = app_journeys.opened(asked)
    run = asked.ask("release", draft=draft, label="")
    bundle = asked.ask("bundle", run=run["id"])
    path = tmp_path / str(bundle["name"])
    path.write_bytes(bundle["bytes"])
    verdict = verify_bundle(path)
    assert verdict.ok, str(verdict)
    found = audit.run(path)
    assert found.ok
    assert planted.leaks({"verdict": str(verdict).encode(), "audit": repr(found).encode()}) == {}
    assert asked.traces() == {}
