"""A real HTTP server that takes messages, or fails as the test says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

SECRET = "T0P-S3CRET"


@dataclass
class Receiver:
    """Answers with the given statuses in turn, then with 200, and keeps what it was sent."""

    address: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Any] = field(default_factory=list)
    silence: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        """With a secret in its path, as chat services have it."""
        return f"{self.address}/hooks/{SECRET}"


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    """Run the server on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            if status == 0:
                receiver.silence.wait(10)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    receiver.silence.set()
    server.shutdown()
    server.server_close()
    thread.join()
