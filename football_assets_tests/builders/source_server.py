"""An HTTP server that stands for a public source: it serves files with their validators, and fails as configured."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

LAST_MODIFIED = formatdate(1_700_000_000, usegmt=True)


@dataclass(frozen=True)
class Request:
    """What was asked for, with the headers in lower case."""

    path: str
    headers: dict[str, str]


class Answering(BaseHTTPRequestHandler):
    """Answers from the server's files, or as one of its next faults says."""

    source: "SourceServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.source.requests.append(Request(self.path, headers))
        faults = self.source.faults.get(self.path)
        if faults:
            faults.pop(0)(self)
        else:
            self.serve(headers)

    def serve(self, headers: dict[str, str]) -> None:
        data = self.source.files.get(self.path)
        if data is None:
            self.answer(404, b"404: Not Found", {})
            return
        validators = self.source.validators_of(data)
        conditions = {headers.get("if-none-match"), headers.get("if-modified-since")} - {None}
        if conditions and conditions <= set(validators.values()):
            self.answer(304, b"", validators)
        else:
            self.answer(200, data, validators)

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send all of it; a header Content-Length given here announces another size than the body's."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Fault = Callable[[Answering], None]


@dataclass
class SourceServer:
    """Files by path, faults that are used up one a request, and what was asked for."""

    address: str = ""
    has_etags: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    released: Event = field(default_factory=Event)

    @property
    def paths(self) -> list[str]:
        """Paths that were asked for, in order."""
        return [request.path for request in self.requests]

    def validators_of(self, data: bytes) -> dict[str, str]:
        """Headers that a later request can be conditional on."""
        if self.has_etags:
            return {"ETag": f'W/"{hashlib.sha256(data).hexdigest()[:16]}"'}
        return {"Last-Modified": LAST_MODIFIED}

    def fail(self, path: str, *faults: Fault) -> None:
        """Answer the next requests for a path like this."""
        self.faults.setdefault(path, []).extend(faults)


def status(code: int, **headers: str) -> Fault:
    """Only a status, such as 503; headers as `Retry_After="1"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.answer(code, b"<html>busy</html>", named)


def body(data: bytes, **headers: str) -> Fault:
    """This content in place of the file's."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.answer(200, data, named)


def cut_short(data: bytes, announced: int) -> Fault:
    """A body that ends before its announced end, with the connection."""

    def fault(request: Answering) -> None:
        request.close_connection = True
        request.answer(200, data, {"Content-Length": str(announced)})

    return fault


def without_length(data: bytes) -> Fault:
    """A body that ends where the connection does, as HTTP/1.0 had it."""

    def fault(request: Answering) -> None:
        request.close_connection = True
        request.send_response(200)
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(data)

    return fault


def silence(request: Answering) -> None:
    """No answer until the test is over."""
    request.source.released.wait(30)
    request.close_connection = True


def hang_up(request: Answering) -> None:
    """The connection ends without an answer."""
    request.close_connection = True


@contextmanager
def run_source_server() -> Iterator[SourceServer]:
    """Run the server on a free port of this machine."""
    source = SourceServer()
    handler = type("Bound", (Answering,), {"source": source})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    source.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield source
    finally:
        source.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
