"""The application on this computer: its pages, and with `native` the engine behind them. For 127.0.0.1 alone.

Whoever asks must come with the Host of this address; what other pages send has another Origin and is refused, and there
is no answer to a preflight. The engine also wants a token, which stands in the fragment of the address that the person
opens: fragments are never sent, so no log and no other page learns it.
"""

from __future__ import annotations

import base64
import hmac
import json
import mimetypes
import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from caseveil.errors import OutputError
from caseveil.web.service import REQUESTS, Session

HOST = "127.0.0.1"
PORT = 8765
"""Always the same unless another is chosen: a browser keeps ledgers by address."""

TOKEN = "X-Caseveil-Token"
LARGEST = 2**31
"""Bytes of one request; files are written in letters there, a third longer than they are."""

_POLICY = "default-src 'none'"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".whl": "application/octet-stream",
    ".zip": "application/zip",
}
_SLICE = 1 << 16


def files_of(site: Path) -> dict[str, Path]:
    """Every file of the site by its address: what is not here is not served, wherever it lies."""
    found = {f"/{path.relative_to(site).as_posix()}": path for path in sorted(site.rglob("*")) if path.is_file()}
    if "/index.html" not in found:
        raise OutputError("the pages of the application are not built; run: make web")
    return {**found, "/": found["/index.html"]}


class Engine:
    """One session for all who hold the token: one request at a time, and a stop for all that wait or run."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._stops: set[threading.Event] = set()
        self._guard = threading.Lock()
        self._say: Callable[[dict[str, Any]], None] = lambda line: None
        self._session = Session(charged=self._charged)

    def _charged(self, name: str, data: bytes) -> None:
        self._say({"ledger": {"name": name, "bytes": data}})

    def answer(self, name: str, fields: Mapping[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
        """Says lines until the answer: {"progress"}, {"ledger"}, and at last {"answer"} or {"error"}."""
        stop = threading.Event()
        with self._guard:
            self._stops.add(stop)
        try:
            with self._turn:
                self._say = say
                found = self._session.answer(
                    name, fields, progress=lambda now: say({"progress": dict(now)}), cancelled=stop.is_set
                )
                self._say = lambda line: None
        finally:
            with self._guard:
                self._stops.discard(stop)
        say(found if "error" in found else {"answer": found})

    def cancel(self) -> None:
        """Stops what runs and what waits."""
        with self._guard:
            for stop in self._stops:
                stop.set()

    def end(self) -> None:
        """Stops, and forgets everything."""
        self.cancel()
        with self._turn:
            self._session.end()


class Server(ThreadingHTTPServer):
    """The application at http://127.0.0.1:port/. token: None without a native engine.

    port 0 takes any that is free. Raises OutputError where the port is taken or the site is not built.
    """

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, site: Path, *, port: int = PORT, native: bool = False, largest: int = LARGEST) -> None:
        self.files = files_of(site)
        policy = site / "policy.txt"
        said = policy.read_text("utf-8").strip() if policy.is_file() else _POLICY
        self.policy = f"{said}; frame-ancestors 'none'"
        self.largest = largest
        self.token = secrets.token_urlsafe(32) if native else None
        self.engine = Engine() if native else None
        try:
            super().__init__((HOST, port), _Handler)
        except OSError:
            if self.engine is not None:
                self.engine.end()
            raise OutputError(
                f"--port ({port}) is taken: the application may be open already; else choose another, for example "
                f"--port {port + 1 if port < 65535 else 8765}"
            ) from None

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What a person opens; with the token, if there is one."""
        return f"http://{HOST}:{self.port}/" + (f"#token={self.token}" if self.token else "")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a traceback could quote a request."""

    def close(self) -> None:
        """Stops listening, and forgets everything."""
        self.server_close()
        if self.engine is not None:
            self.engine.end()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 600
    server_version = "caseveil"
    sys_version = ""

    @property
    def _app(self) -> Server:
        return cast(Server, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def _known(self) -> bool:
        """Whether the request is meant for this address and comes from a page of it; answers it if not."""
        ours = {f"{HOST}:{self._app.port}", f"localhost:{self._app.port}"}
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site")
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0] not in ours:
            self._refuse(HTTPStatus.FORBIDDEN, "the address must be that of this computer")
        elif origin not in (None, f"http://{hosts[0]}") or not (site in (None, "same-origin", "none") or self._visit()):
            self._refuse(HTTPStatus.FORBIDDEN, "another page must not ask here")
        else:
            return True
        return False

    def _visit(self) -> bool:
        """Whether a person follows a link to here, rather than a page fetching something."""
        wanted = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        return self.command == "GET" and all(self.headers.get(name) == value for name, value in wanted.items())

    def do_GET(self) -> None:
        """A file of the site."""
        self._file(body=True)

    def do_HEAD(self) -> None:
        """What do_GET says of a file, without it."""
        self._file(body=False)

    def _file(self, *, body: bool) -> None:
        if not self._known():
            return
        path = self._app.files.get(urlsplit(self.path).path)
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        try:
            data = path.read_bytes()
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        kind = _KINDS.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._head(HTTPStatus.OK, kind, "no-cache", len(data))
        if body:
            self.wfile.write(data)

    def do_POST(self) -> None:
        """A request to the engine: /api/<name>, its fields as JSON."""
        if not self._known():
            return
        name = urlsplit(self.path).path.removeprefix("/api/")
        engine, token = self._app.engine, self._app.token
        if engine is None or token is None or name == urlsplit(self.path).path:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no engine here; start it with: caseveil app --native")
            return
        if not hmac.compare_digest((self.headers.get(TOKEN) or "").encode("utf-8", "replace"), token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "open the address that the terminal shows: it carries the key")
            return
        fields = self._fields()
        if fields is None:
            return
        if name == "cancel":
            engine.cancel()
            self._json(HTTPStatus.OK, {"answer": {}})
        elif name in REQUESTS:
            self._answer(engine, name, fields)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "the page asks what this version does not know: reload the page")

    def _fields(self) -> dict[str, Any] | None:
        """The fields of the request; None where they were refused."""
        if (self.headers.get("Content-Type") or "").split(";")[0].strip() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the request must be JSON")
            return None
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdecimal()) or self.headers.get("Transfer-Encoding"):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "the request must say how long it is")
            return None
        if int(length) > self._app.largest:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the files are too large for one request")
            return None
        try:
            data = self.rfile.read(int(length))
            found = json.loads(data, object_hook=_bytes)
        except (ValueError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, "the request must be JSON")
            return None
        if not isinstance(found, dict):
            self._refuse(HTTPStatus.BAD_REQUEST, "the request must be an object")
            return None
        return found

    def _answer(self, engine: Engine, name: str, fields: dict[str, Any]) -> None:
        """Lines of JSON as they come. When nobody listens any more, the work is stopped."""
        self._head(HTTPStatus.OK, "application/x-ndjson", "no-store", None)
        gone = threading.Event()

        def say(line: dict[str, Any]) -> None:
            if gone.is_set():
                return
            data = json.dumps(line, default=_plain, allow_nan=False).encode("utf-8") + b"\n"
            try:
                for at in range(0, len(data), _SLICE):
                    part = data[at : at + _SLICE]
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.flush()
            except OSError:
                gone.set()
                engine.cancel()

        engine.answer(name, fields, say)
        if gone.is_set():
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True  # a body that was not read must not be taken for the next request
        self._json(status, {"error": {"message": message, "kind": "input"}})

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode("utf-8")
        self._head(status, "application/json", "no-store", len(data))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _head(self, status: HTTPStatus, kind: str, cache: str, length: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", cache)
        self.send_header("Content-Security-Policy", self._app.policy)
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def _bytes(found: dict[str, Any]) -> Any:
    """{"$bytes": base64} as bytes; raises ValueError."""
    return base64.b64decode(found["$bytes"], validate=True) if set(found) == {"$bytes"} else found


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    raise TypeError("an answer holds what JSON cannot say")
