"""An HTTP server on a free port whose requests and answers are JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = Callable[[str, str, Message, Any], tuple[int, Any]]
"""Acts on method, path, headers and body of a request, and returns status and body: bytes, or anything as JSON."""


@contextmanager
def run_json_server(answer: Answer, headers: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve while the block runs; yields the address. A request without a body has the body None.

    Parameters
    ----------
    headers
        Headers of every answer, in addition to the type and length of its body.
    """

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            given = json.loads(content) if content else None
            status, found = answer(self.command, self.path, self.headers, given)
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
