"""A server that answers like Vertex AI's REST API: it runs a job's command on this machine, and records requests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

NAME = "projects/1234/locations/europe-west4/customJobs/77"


@dataclass
class VertexServer:
    """Requests so far (method, path, authorisation, body), answers to give first, and the process of the job.

    An answer to give first: the method that it answers, status, body.
    """

    address: str
    requests: list[tuple[str, str, str | None, Any]] = field(default_factory=list)
    first: list[tuple[str, int, Any]] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def answer(self, method: str, path: str, authorisation: str | None, body: Any) -> tuple[int, Any]:
        """Act on a request and return status and body."""
        self.requests.append((method, path, authorisation, body))
        if self.first and self.first[0][0] == method:
            return self.first.pop(0)[1:]
        if path.endswith(":cancel"):
            if self.process is not None:
                self.process.kill()
            return 200, {}
        if method == "POST":
            (pool,) = body["jobSpec"]["workerPoolSpecs"]
            container = pool["containerSpec"]
            environment = {item["name"]: item["value"] for item in container["env"]}
            _, *arguments = container["command"]
            self.process = subprocess.Popen([sys.executable, *arguments], env=os.environ | environment)
            return 200, {"name": NAME, "state": "JOB_STATE_PENDING"}
        assert self.process is not None
        states = {None: "JOB_STATE_RUNNING", 0: "JOB_STATE_SUCCEEDED"}
        return 200, {"name": NAME, "state": states.get(self.process.poll(), "JOB_STATE_FAILED")}


@contextmanager
def run_vertex_server() -> Iterator[VertexServer]:
    """Serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = known.answer(
                self.command,
                self.path,
                self.headers.get("Authorization"),
                json.loads(content) if content else None,
            )
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = handle_one

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = VertexServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        if known.process is not None:
            known.process.kill()
            known.process.wait()
