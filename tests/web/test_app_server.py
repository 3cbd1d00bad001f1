"""The application's server: who may ask, what is served, and how the engine's answers travel."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_session import SECRET, people
from click.testing import CliRunner

from caseveil.cli import main
from caseveil.errors import OutputError
from caseveil.web import server as served
from caseveil.web.server import Server
from caseveil.web.service import REQUESTS


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of a few files, with something beside it that is nobody's business."""
    folder = tmp_path / "site"
    (folder / "pyodide").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Caseveil</title>")
    (folder / "policy.txt").write_text("default-src 'self'\n")
    (folder / "pyodide" / "a.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret.txt").write_text(SECRET)
    return folder


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    """A native server on a free port."""
    made = Server(site, port=0, native=True, largest=3_000_000)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.close()


def send(server: Server, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of one request; Host is right unless given, underscores in names are hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in named, skip_accept_encoding=True)
    if body is not None:
        named.setdefault("Content-Length", str(len(body)))
    for name, value in named.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def ask(server: Server, name: str, fields: dict[str, Any], **headers: str) -> tuple[int, list[dict[str, Any]]]:
    """Status and lines of a request to the engine."""
    all_headers = {"X_Caseveil_Token": server.token or "", "Content_Type": "application/json", **headers}
    status, _, data = send(server, "POST", f"/api/{name}", json.dumps(fields).encode(), **all_headers)
    return status, [json.loads(line) for line in data.splitlines()]


def test_the_pages_are_served_with_the_policy(server: Server) -> None:
    status, headers, data = send(server, "GET", "/")
    assert status == 200
    assert b"Caseveil" in data
    assert headers["Content-Security-Policy"] == "default-src 'self'; frame-ancestors 'none'"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert send(server, "GET", "/pyodide/a.wasm")[1]["Content-Type"] == "application/wasm"
    assert send(server, "HEAD", "/index.html")[2] == b""


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//secret.txt", "/pyodide/../../secret.txt",
     "/pyodide", "/nothing", "/\\..\\secret.txt", "/api/hello"],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str) -> None:
    status, _, data = send(server, "GET", path)
    assert status == 404
    assert SECRET.encode() not in data


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""])
def test_another_host_is_refused(server: Server, host: str) -> None:
    host = host.format(port=server.port)
    assert send(server, "GET", "/", Host=host)[0] == 403
    assert ask(server, "hello", {}, Host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_another_origin_is_refused(server: Server, origin: str) -> None:
    assert ask(server, "hello", {}, Origin=origin.format(port=server.port))[0] == 403


def test_another_site_is_refused_and_a_link_is_not(server: Server) -> None:
    assert ask(server, "hello", {}, Sec_Fetch_Site="cross-site")[0] == 403
    assert send(server, "GET", "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    visit = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert send(server, "GET", "/", **visit)[0] == 200
    assert ask(server, "hello", {}, **visit)[0] == 403
    ours = f"http://127.0.0.1:{server.port}"
    assert ask(server, "hello", {}, Origin=ours, Sec_Fetch_Site="same-origin")[0] == 200


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_without_the_token_nothing_is_answered(server: Server, token: str) -> None:
    status, lines = ask(server, "hello", {}, X_Caseveil_Token=token)
    assert status == 403
    assert "error" in lines[0]
    assert ask(server, "cancel", {}, X_Caseveil_Token=token)[0] == 403


def test_the_token_is_long_and_stands_in_the_fragment(server: Server) -> None:
    assert server.token is not None
    assert len(server.token) >= 32
    assert server.address == f"http://127.0.0.1:{server.port}/#token={server.token}"
    assert server.server_address[0] == "127.0.0.1"


def test_a_preflight_is_not_answered(server: Server) -> None:
    status, headers, _ = send(server, "OPTIONS", "/api/hello", Origin="http://evil.example")
    assert status == 501
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_answers_are_lines_that_nobody_keeps(server: Server) -> None:
    files = [{"name": "cases.csv", "bytes": {"$bytes": base64.b64encode(people()).decode()}}]
    headers = {"X_Caseveil_Token": server.token or "", "Content_Type": "application/json"}
    status, said, data = send(server, "POST", "/api/open", json.dumps({"files": files}).encode(), **headers)
    assert status == 200
    assert said["Cache-Control"] == "no-store"
    lines = [json.loads(line) for line in data.splitlines()]
    assert all(list(line) == ["progress"] for line in lines[:-1])
    draft = lines[-1]["answer"]["draft"]
    draft["aggregates"]["length"] = 1
    for column in draft["tables"][0]["columns"]:
        column["outside"] = "missing"
    _, lines = ask(server, "release", {"draft": draft, "label": ""})
    kinds = [next(iter(line)) for line in lines]
    assert kinds[-1] == "answer"
    assert "ledger" in kinds
    ledger = next(line["ledger"] for line in lines if "ledger" in line)
    assert base64.b64decode(ledger["bytes"]["$bytes"]).startswith(b"{")
    _, lines = ask(server, "bundle", {"run": lines[-1]["answer"]["id"]})
    assert base64.b64decode(lines[-1]["answer"]["bytes"]["$bytes"]).startswith(b"PK")


def test_work_can_be_cancelled_from_another_request(server: Server) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(session: Any, given: Any, work: Any) -> dict[str, Any]:
        started.set()
        assert go_on.wait(30)
        work.check()
        return {}

    found: list[list[dict[str, Any]]] = []
    original = REQUESTS["hello"]
    REQUESTS["hello"] = slow  # type: ignore[index]
    try:
        asking = threading.Thread(target=lambda: found.append(ask(server, "hello", {})[1]))
        asking.start()
        assert started.wait(30)
        assert ask(server, "cancel", {}) == (200, [{"answer": {}}])
        go_on.set()
        asking.join(30)
    finally:
        REQUESTS["hello"] = original  # type: ignore[index]
    assert found[0][-1]["error"]["kind"] == "cancelled"
    assert "answer" in ask(server, "hello", {})[1][-1]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content_Type": "text/plain"}, 415),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"a": {"$bytes": "?"}}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (None, {}, 411),
        (b"{}", {"Content_Length": "-1"}, 411),
        (b"{}", {"Content_Length": "3000001"}, 413),
    ],
)
def test_bodies_that_cannot_be_taken(server: Server, body: bytes | None, headers: dict[str, str], status: int) -> None:
    given = {"X_Caseveil_Token": server.token or "", "Content_Type": "application/json", **headers}
    assert send(server, "POST", "/api/hello", body, **given)[0] == status


def test_without_native_there_is_no_engine(site: Path) -> None:
    made = Server(site, port=0)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    try:
        assert made.address == f"http://127.0.0.1:{made.port}/"
        assert send(made, "GET", "/")[0] == 200
        assert ask(made, "hello", {})[0] == 404
    finally:
        made.shutdown()
        made.close()


def test_a_port_that_is_taken(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="is taken"):
            Server(site, port=taken.getsockname()[1], native=True)


def test_a_copy_without_pages_says_how_to_build_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="make web"):
        Server(tmp_path, port=0)
    monkeypatch.setattr("caseveil.cli_app.resources.files", lambda name: tmp_path)
    answer = CliRunner().invoke(main, ["app", "--no-open", "--port", "0"])
    assert answer.exit_code == 2
    assert "make web" in answer.output


def test_the_command_serves_and_stops(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseveil.cli_app.resources.files", lambda name: site.parent)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(Path(url.removeprefix("file://")).read_text()))

    def interrupted(self: Server, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(served.Server, "serve_forever", interrupted)
    answer = CliRunner().invoke(main, ["app", "--native", "--port", "0", "--json"])
    assert answer.exit_code == 0, answer.output
    address = json.loads(answer.stdout)["address"]
    assert "#token=" in address
    assert address in opened[0]
