"""Both ends of W&B for tests: the record that a run leaves on disk, and an HTTP server in place of W&B's.

The server answers as much of the API as a run needs, records the metrics, and rejects requests when configured to.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PROJECT = {"id": "p", "name": "football", "entity": {"id": "e", "name": "tester"}}
_ANSWERS: dict[str, Any] = {
    "Viewer": {
        "viewer": {
            "id": "u",
            "entity": "tester",
            "username": "tester",
            "email": "",
            "flags": "{}",
            "teams": {"edges": []},
        }
    },
    "ServerFeaturesQuery": {"serverInfo": {"features": []}},
    "RunResumeStatus": {"model": {**_PROJECT, "bucket": None}},
    "CreateRunFiles": {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": []}},
}


class WandbServer(ThreadingHTTPServer):
    """Serves on a free port of loopback. `history` holds the points of the curves that arrived."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.history: list[dict[str, Any]] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        if path == "/graphql":
            query = json.loads(body)
            name = query.get("operationName")
            if name == "UpsertBucket":
                run = {"id": "b", "name": query["variables"]["name"], "displayName": "", "config": "{}"}
                bucket = {**run, "description": "", "historyLineCount": 0, "project": _PROJECT}
                return {"data": {"upsertBucket": {"bucket": bucket, "inserted": True}}}
            return {"data": _ANSWERS.get(name, {})}
        if path.endswith("/file_stream"):
            lines = json.loads(body).get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
            self.history += [json.loads(line) for line in lines]
        return {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WandbServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refusal = {"errors": [{"message": "permission denied"}]}
        answer = refusal if self.server.refuses else self.server.answer(self.path, body)
        data = json.dumps(answer).encode()
        self.send_response(401 if self.server.refuses else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def run_wandb_server() -> Iterator[WandbServer]:
    """A server for the time of the context."""
    with WandbServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def wait_for_record(folder: Path, *wanted: bytes) -> bytes:
    """What a W&B run left in its folder; a process of W&B's own may still be writing it."""
    (record,) = folder.glob("run-*.wandb")
    deadline = time.monotonic() + 60
    while missing := [text for text in wanted if text not in record.read_bytes()]:
        assert time.monotonic() < deadline, missing
        time.sleep(0.05)
    return record.read_bytes()
