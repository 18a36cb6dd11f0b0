"""A server that answers like Vertex AI's REST API: it runs a job's command on this machine, and records requests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from football_assets_tests.builders.json_server import run_json_server

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

    def answer(method: str, path: str, headers: Message, body: Any) -> tuple[int, Any]:
        return known.answer(method, path, headers.get("Authorization"), body)

    with run_json_server(answer) as address:
        known = VertexServer(address)
        try:
            yield known
        finally:
            if known.process is not None:
                known.process.kill()
                known.process.wait()
