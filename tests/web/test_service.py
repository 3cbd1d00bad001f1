"""The requests of the application, asked natively: every name of the contract, real files, and what must be refused."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from app_session import SECRET, ask, links, opened, people, refused, talks

from caseveil.plan import Plan
from caseveil.privacy.ledger import Ledger
from caseveil.release.verify import verify_bundle
from caseveil.web import opening, service
from caseveil.web.service import REQUESTS, Session

CONTRACT = Path(__file__).parents[2] / "web" / "app" / "src" / "contract.ts"


def _column(draft: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for table in draft["tables"] for one in table["columns"] if one["name"] == name)


def test_the_names_are_those_of_the_contract() -> None:
    block = CONTRACT.read_text("utf-8").split("export interface Requests {")[1].split("\n}")[0]
    assert re.findall(r"^  (\w+): \[", block, re.MULTILINE) == list(REQUESTS)


def test_hello(session: Session) -> None:
    answer = ask(session, "hello")
    assert answer["engine"] == "native"
    assert answer["rows_limit"] >= 1_000_000


def test_opening_sets_identifying_columns_aside_and_says_why(session: Session) -> None:
    answer = ask(session, "open", files=[{"name": "cases.csv", "bytes": people()}])
    draft = answer["draft"]
    aside = {one["name"]: one["reason"] for one in draft["tables"][0]["columns"] if not one["keep"]}
    assert set(aside) == {"surname", "notes"}
    assert "name" in aside["surname"]
    assert draft["tables"][0]["key"] == "victim_id"
    assert [one["from"] for one in draft["tables"][0]["columns"]] == [
        "surname", "sex", "age", "nationality", "abuse", "notes",
    ]  # fmt: skip
    assert answer["tables"][0]["rows"] == 400
    assert len(answer["tables"][0]["preview"]["rows"]) == opening.PREVIEW
    assert all(SECRET not in one["message"] for one in answer["remarks"])


def test_what_is_said_of_a_table_carries_its_code_and_its_values_too(session: Session) -> None:
    answer = ask(session, "open", files=[{"name": "cases.csv", "bytes": people()}])
    (told,) = [one for one in answer["remarks"] if one["column"] == "surname"]
    looks = {"code": "reason.looks", "values": {"what": {"code": "looks.NAME", "values": {}}}}
    assert told["said"] == {"code": "aside", "values": {"reason": looks}}
    assert _column(answer["draft"], "surname")["why"] == looks
    assert SECRET not in json.dumps([one["said"] for one in answer["remarks"]])
    draft = answer["draft"]
    _column(draft, "sex")["recode"] = {"?": ""}
    prepared = ask(session, "prepare", draft=draft, table="cases")
    assert all(step["said"] for step in prepared["recipe"])
    assert prepared["recipe"]
    assert all(one["said"] for one in prepared["remarks"])
    view = ask(session, "column", draft=draft, table="cases", column="nationality")
    assert {one["said"]["code"] for one in view["suggestions"]} >= {"offer.regions", "offer.subregions"}


def test_a_plan_of_the_application_is_a_plan_of_the_command_line(session: Session, tmp_path: Path) -> None:
    draft = opened(session, ("cases.csv", people()), ("who.csv", links()))
    assert [table["name"] for table in draft["tables"]] == ["cases", "who"]
    toml = ask(session, "to_toml", draft=draft)["toml"]
    (tmp_path / "cases.csv").write_bytes(people())
    (tmp_path / "who.csv").write_bytes(links())
    (tmp_path / "release.toml").write_text(toml, "utf-8")
    from caseveil.produce import check

    assert check(Plan.read(tmp_path / "release.toml")).intake.rows == 400
    again = ask(session, "from_toml", toml=toml)
    assert again["remarks"] == []
    kept = [[one for one in table["columns"] if one["keep"]] for table in draft["tables"]]
    assert [[one for one in table["columns"] if one["keep"]] for table in again["draft"]["tables"]] == kept
    assert ask(session, "to_toml", draft=again["draft"])["toml"] == toml


def test_the_path_from_a_file_to_a_bundle_that_verifies(tmp_path: Path) -> None:
    charges: list[tuple[str, bytes]] = []
    session = Session(charged=lambda name, data: charges.append((name, data)))
    try:
        draft = opened(session, ("cases.csv", people()), ("who.csv", links()))
        assert not ask(session, "ledger_view", draft=draft)["exists"]
        assert refused(session, "ledger_file")["kind"] == "input"
        seen: list[Any] = []
        run = session.answer("release", {"draft": draft, "label": "first"}, progress=seen.append)
        assert run["of"] == "rows"
        assert run["label"] == "first"
        fractions = [now["fraction"] for now in seen if now["fraction"] is not None]
        assert fractions == sorted(fractions)
        assert len(charges) >= 2
        file = ask(session, "ledger_file")
        assert (file["name"], file["bytes"]) == charges[-1]
        view = ask(session, "ledger_view", draft=draft)
        assert view["exists"]
        assert view["after"]["epsilon"] > view["spent"]["epsilon"] > 0
        bundle = ask(session, "bundle", run=run["id"])
        zipfile.ZipFile(io.BytesIO(bundle["bytes"])).extractall(tmp_path)
        (folder,) = tmp_path.iterdir()
        assert verify_bundle(folder).ok, str(verify_bundle(folder))
        assert ask(session, "bundle", run=run["id"])["bytes"] == bundle["bytes"]
        assert "<html" in ask(session, "explorer", run=run["id"])["html"]
        rows = ask(session, "compare", runs=[run["id"]])["rows"]
        assert {("cases", 1), ("cases", 2), ("who", 1)} <= {(row["table"], row["length"]) for row in rows}
        report = ask(session, "report", run=run["id"], attacks=False)
        names = zipfile.ZipFile(io.BytesIO(report["bytes"])).namelist()
        assert report["name"].startswith("PRIVATE")
        assert {Path(name).name for name in names} >= {"report.md", "report.json", "report.html"}
        assert [one["id"] for one in ask(session, "runs")["runs"]] == [run["id"]]
        everything = b"".join(
            archive.read(name)
            for archive in (zipfile.ZipFile(io.BytesIO(bundle["bytes"])),)
            for name in archive.namelist()
        )
        assert SECRET.encode() not in everything
    finally:
        session.end()


def test_a_rehearsal_reads_nothing_charges_nothing_and_is_never_published(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    run = ask(session, "rehearse", draft=draft, label="try")
    assert run["of"] == "twin"
    assert not ask(session, "ledger_view", draft=draft)["exists"]
    assert refused(session, "bundle", run=run["id"])["message"].startswith("a rehearsal must not be published")
    # Other rows, the same plan: the same twin, so nothing of the rows is in it.
    from caseveil.web.draft import to_plan
    from caseveil.web.twin import invent

    twin = invent(to_plan(draft), 300)
    other = invent(to_plan(draft), 300)
    assert twin.rows.columns == other.rows.columns  # type: ignore[union-attr]
    assert twin.plan.ledger is None
    assert twin.plan.budget is None
    assert all(row["counts_error"] >= 0 for row in ask(session, "compare", runs=[run["id"]])["rows"])


def test_a_release_beyond_the_budget_is_refused_and_charges_nothing(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    draft["promise"] |= {"epsilon": 3.0, "delta": 1e-5, "budget": {"epsilon": 2.0, "delta": 1e-5}}
    assert "epsilon" in ask(session, "ledger_view", draft=draft)["refused"]
    error = refused(session, "release", draft=draft, label="")
    assert error["kind"] == "budget"
    assert not ask(session, "ledger_view", draft=draft)["exists"]


def test_cancelling_before_the_charge_costs_nothing_and_after_it_stays_on_the_books(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    answer = session.answer("release", {"draft": draft, "label": ""}, cancelled=lambda: True)
    assert answer["error"]["kind"] == "cancelled"
    assert not ask(session, "ledger_view", draft=draft)["exists"]
    charges: list[str] = []
    session._books.charged = lambda name, data: charges.append(name)
    answer = session.answer("release", {"draft": draft, "label": ""}, cancelled=lambda: bool(charges))
    assert answer["error"]["kind"] == "cancelled"
    view = ask(session, "ledger_view", draft=draft)
    assert view["exists"]
    assert view["spent"]["epsilon"] > 0
    assert ask(session, "runs")["runs"] == []


def test_a_ledger_of_this_session_is_not_forgotten(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    ask(session, "ledger_open", file=None, draft=draft)
    ask(session, "release", draft=draft, label="")
    own = ask(session, "ledger_file")
    assert "would forget" in refused(session, "ledger_open", file=None, draft=draft)["message"]
    other = Session()
    ask(other, "open", files=[{"name": "cases.csv", "bytes": people()}])
    view = ask(other, "ledger_open", file={"name": "mine.caseveil", "bytes": own["bytes"]}, draft=draft)
    assert view["exists"]
    assert ask(other, "ledger_file") == {"name": "mine.caseveil", "bytes": own["bytes"]}
    ask(other, "release", draft=draft, label="")
    longer = ask(other, "ledger_file")["bytes"]
    other.end()
    assert len(Ledger.read(session.folder / "ledger.caseveil").entries) * 2 == longer.count(b'"release"')
    ask(session, "ledger_open", file={"name": "mine.caseveil", "bytes": longer}, draft=draft)
    assert ask(session, "ledger_file")["bytes"] == longer
    error = refused(session, "ledger_open", file={"name": "x", "bytes": own["bytes"]}, draft=draft)
    assert "does not hold" in error["message"]
    assert refused(session, "ledger_open", file={"name": "x", "bytes": b"no ledger"}, draft=draft)["kind"] == "input"
    assert ask(session, "ledger_file")["bytes"] == longer


def test_preparing_shows_the_recipe_and_the_rows_before_and_after(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    column = _column(draft, "nationality")
    view = ask(session, "column", draft=draft, table="cases", column="nationality")
    regions = next(one for one in view["suggestions"] if "five UN regions" in one["label"])
    column |= regions["change"]
    draft["tables"][0]["where"] = [{"column": "sex", "is": ["F", "M"], "is_not": None}]
    answer = ask(session, "prepare", draft=draft, table="cases")
    at = answer["after"]["columns"].index("nationality")
    assert {row[at] for row in answer["after"]["rows"]} <= {"Europe", "Africa", "Asia"}
    assert (answer["rows"], answer["kept"]) == (400, 400 - sum(i % 3 == 2 for i in range(400)))
    assert any("region" in step["sentence"] for step in answer["recipe"])
    toml = ask(session, "to_toml", draft=draft)["toml"]
    assert 'group = "un-region"' in toml


def test_two_files_become_one_table(session: Session, tmp_path: Path) -> None:
    draft = opened(session, ("cases.csv", people()))
    table = draft["tables"][0]
    key = table["key"]
    ask(session, "open", files=[{"name": "cases.csv", "bytes": people()}, {"name": "talks.csv", "bytes": talks()}])
    table["join"] = {"source": "talks.csv", "key": "of"}
    column = {**_column(draft, "sex"), "values": ["Thai", "Swahili"], "missing": [""], "recode": {}}
    table["columns"].append({**column, "name": "language", "from": "language"})
    answer = ask(session, "prepare", draft=draft, table="cases")
    assert answer["recipe"][0]["sentence"].startswith("Each row gets the columns of the row of talks.csv")
    assert "sex (talks.csv)" in answer["before"]["columns"]
    assert "of" not in answer["before"]["columns"]
    view = ask(session, "column", draft=draft, table="cases", column="language")
    assert (view["distinct"], view["missing"]) == (2, 200)
    toml = ask(session, "to_toml", draft=draft)["toml"]
    again = ask(session, "from_toml", toml=toml)
    assert again["remarks"] == []
    aside = {one["from"]: one["reason"] for one in again["draft"]["tables"][0]["columns"] if not one["keep"]}
    assert "contact details" in aside["phone"]
    run = ask(session, "release", draft=draft, label="")
    everything = ask(session, "bundle", run=run["id"])["bytes"]
    assert b"talks.csv" not in b"".join(zipfile.ZipFile(io.BytesIO(everything)).read(name) for name in
                                        zipfile.ZipFile(io.BytesIO(everything)).namelist())  # fmt: skip
    assert ask(session, "compare", runs=[run["id"]])["rows"]
    (tmp_path / "cases.csv").write_bytes(people())
    (tmp_path / "talks.csv").write_bytes(talks())
    (tmp_path / "release.toml").write_text(toml, "utf-8")
    from caseveil.produce import check

    assert check(Plan.read(tmp_path / "release.toml")).intake.rows == 400
    assert key == "victim_id"
    error = refused(session, "prepare", draft=json.loads(json.dumps(draft).replace('"of"', '"language"')), table="cases")
    assert error["kind"] == "input"
    assert "must have a value of its own" in error["message"]
    ask(session, "open", files=[{"name": "cases.csv", "bytes": people()}])
    assert "open the file again" in refused(session, "prepare", draft=draft, table="cases")["message"]


def test_suggestions_can_be_taken(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    taken = 0
    for part in draft["tables"][0]["columns"]:
        view = ask(session, "column", draft=draft, table="cases", column=part["name"])
        for one in view["suggestions"]:
            changed = json.loads(json.dumps(draft))
            _column(changed, part["name"]).update(one["change"], keep=True)
            ask(session, "prepare", draft=changed, table="cases")
            taken += 1
    assert taken >= 4


def test_choices_that_would_tell_of_the_rows_are_flagged(session: Session) -> None:
    data = people(1000)
    draft = opened(session, ("cases.csv", data))
    levels = lambda: {  # noqa: E731
        (one["column"], one["level"]) for one in ask(session, "prepare", draft=draft, table="cases")["remarks"]
    }
    _column(draft, "age")["bins"] = [17, 27, 37, 47]
    assert ("age", "private") in levels()
    _column(draft, "age")["bins"] = [0, 18, 30, 48]
    assert ("age", "private") not in levels()
    _column(draft, "nationality")["values"] = None
    assert ("nationality", "price") in levels()
    for words, level in ((["FR"], False), (["not there"], False), ([f"{SECRET} said 7"], True)):
        name = "notes" if level else "nationality"
        draft["tables"][0]["where"] = [{"column": name, "is": None, "is_not": words}]
        assert ((name, "private") in levels()) == level
    draft["tables"][0]["where"] = []
    _column(draft, "surname")["keep"] = True
    assert ("surname", "stop") in levels()
    error = refused(session, "release", draft=draft, label="")
    assert "surname" in error["message"]
    assert SECRET not in error["message"]


def test_risk_and_forecast(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    risk = ask(session, "risk", draft=draft, k=20, length=3)
    singled = [one["singled"] for one in risk["by_length"]]
    assert singled == sorted(singled)
    assert singled[-1] == risk["singled"]
    assert all(one["singled_without"] <= risk["singled"] for one in risk["columns"])
    assert all(one["people"] < 20 for one in risk["rare"])
    forecast = ask(session, "forecast", draft=draft, epsilons=[0.5, 2.0])
    within = {(row["epsilon"], row["length"]): row["within"] for row in forecast["rows"]}
    assert within[0.5, 1] > within[2.0, 1]
    assert len(within) == 4


def test_risk_of_linked_tables_looks_at_what_is_linked_too(session: Session) -> None:
    """400 people who are all alike; one has a perpetrator like nobody else's, another more perpetrators than all."""
    victims = ["victim_id,gender"] + [f"V{i:03},F" for i in range(400)]
    linked = ["victim_id,role"] + [f"V{i:03},Recruiter" for i in range(400)]
    linked[8] = "V007,Guard"
    linked += ["V011,Recruiter"] * 2
    files = ("victims.csv", "\n".join(victims).encode()), ("perpetrators.csv", "\n".join(linked).encode())
    draft = opened(session, *files)
    risk = ask(session, "risk", draft=draft, k=5, length=2)
    assert (risk["people"], risk["singled"]) == (400, 2)
    without = {(one["table"], one["column"]): one["singled_without"] for one in risk["columns"]}
    assert without == {("victims", "gender"): 2, ("perpetrators", "role"): 1, ("perpetrators", ""): 1}
    assert [(one["table"], one["column"], one["without"]) for one in risk["advice"]] == [("perpetrators", "role", 1)]
    rare = [(one["columns"], one["values"], one["people"]) for one in risk["rare"]]
    assert ([{"table": "perpetrators", "column": "role"}], ["Guard"], 1) in rare
    assert ([{"table": "perpetrators", "column": ""}], ["3"], 1) in rare


def test_workbooks(session: Session) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "cases"
    for line in people(60).decode().splitlines():
        sheet.append(line.split(","))
    other = book.create_sheet("about")
    other.append(["what", "who"])
    other.append(["made", "somebody"])
    data = io.BytesIO()
    book.save(data)
    answer = ask(session, "open", files=[{"name": "book.xlsx", "bytes": data.getvalue()}])
    assert [table["source"] for table in answer["tables"]] == ["book.xlsx#cases"]
    assert any("book.xlsx#about" in one["message"] for one in answer["remarks"])


def test_a_source_names_a_sheet(tmp_path: Path) -> None:
    from caseveil.records.source import read

    book = openpyxl.Workbook()
    book.create_sheet("second").append(["a"])
    book["second"].append(["x"])
    book.save(tmp_path / "book.xlsx")
    assert read("book.xlsx#second", folder=tmp_path).columns == {"a": ["x"]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1\n",
        b"\xff\xfe\x00",
        b"PK\x03\x04 no workbook",
        b"PAR1 no parquet",
        f"name\n{SECRET}\n".encode(),
        f'a,b\n"{SECRET},2\n'.encode(),
    ],
)
def test_broken_files_are_refused_in_a_sentence(session: Session, data: bytes) -> None:
    error = refused(session, "open", files=[{"name": "../../etc/cases.csv", "bytes": data}])
    assert error["kind"] == "input"
    assert SECRET not in error["message"]
    assert str(session.folder) not in error["message"]
    assert [path.name for path in session.folder.iterdir()] == []


def test_planted_secrets_are_in_no_error(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    for name in ("age", "sex", "abuse"):
        column = _column(draft, name)
        column |= {"from": "surname", "outside": "refuse", "values": ["x"] if column["kind"] != "binned" else None}
    for request in ("prepare", "risk", "check", "release"):
        answer = session.answer(request, {"draft": draft, "table": "cases", "k": 5, "length": 2, "label": ""})
        said = json.dumps([answer.get("error"), answer.get("remarks")])
        assert SECRET not in said, request
    assert session.answer("release", {"draft": draft, "label": ""})["error"]["kind"] == "input"
    assert not ask(session, "ledger_view", draft=draft)["exists"]


def test_a_fault_is_told_without_its_text(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(service.opening, "read_files", broken)
    error = refused(session, "open", files=[{"name": "a.csv", "bytes": people()}])
    assert error["kind"] == "fault"
    assert SECRET not in error["message"]
    monkeypatch.setattr(service.opening, "read_files", lambda *_: (_ for _ in ()).throw(MemoryError()))
    error = refused(session, "open", files=[{"name": "a.csv", "bytes": people()}])
    assert error["kind"] == "memory"
    assert "caseveil app --native" in error["message"]


def test_too_many_rows_are_sent_to_the_native_engine(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "rows_limit", lambda: 100)
    error = refused(session, "open", files=[{"name": "a.csv", "bytes": people()}])
    assert error["kind"] == "memory"
    assert "caseveil app --native" in error["message"]


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in ("hello", "runs", "close", "ledger_file")])
@pytest.mark.parametrize("fields", [{}, {"draft": 3, "files": [3], "run": 3, "runs": 3, "toml": 3, "linked": 3}])
def test_requests_that_make_no_sense_are_input_errors(session: Session, name: str, fields: dict[str, Any]) -> None:
    assert refused(session, name, **fields)["kind"] == "input"


def test_an_unknown_request_is_refused(session: Session) -> None:
    assert refused(session, "nothing")["kind"] == "input"


def test_closing_leaves_nothing_behind(session: Session) -> None:
    draft = opened(session, ("cases.csv", people()))
    folder = session.folder
    assert folder.stat().st_mode & 0o077 == 0
    ask(session, "close")
    assert not folder.exists()
    assert refused(session, "prepare", draft=draft, table="cases")["kind"] == "input"
    assert ask(session, "runs")["runs"] == []


def test_the_example_is_always_the_same(session: Session) -> None:
    first = ask(session, "example", linked=True)
    assert [table["name"] for table in first["tables"]] == ["victims", "perpetrators"]
    assert ask(session, "example", linked=True) == first
    assert len(ask(session, "example", linked=False)["tables"]) == 1
