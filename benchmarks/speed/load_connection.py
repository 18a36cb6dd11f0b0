"""One keep-alive connection of the load generator, and the few parts of HTTP that it needs."""

import asyncio
import time
from typing import Protocol, cast

from benchmarks.speed.load_process import HOST


class Run(Protocol):
    """The run that a connection reports to."""

    def free(self, connection: "LoadConnection") -> None:
        """Note that a connection can send the next request."""

    def answer(self, body: int, due: float, sent: float, head: bytes, content: bytes) -> None:
        """Count an answer; `head` is in lower case."""

    def lose(self, connection: "LoadConnection", *, is_under_way: bool) -> None:
        """Note the end of a connection."""

    def fail(self, error: str) -> None:
        """Count a request without an answer."""


class LoadConnection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, load: Run) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._length = 0  # of the answer that is being received, 0 until its head is there
        self.body = -1  # which one is under way
        self.due = self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._load.free(self)

    def request(self, body: int, data: bytes, due: float) -> None:
        """Send a request."""
        assert self._transport is not None
        self.body, self.due, self.sent = body, due, time.perf_counter()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not self._length:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = header(self._received[:end].lower(), b"content-length")
            if length is None:
                self._load.fail("unframed")
                self.body = -1
                self.close()
                return
            self._length = end + 4 + int(length)
        if len(self._received) < self._length or self.body < 0:
            return
        answer, self._received, self._length = self._received, b"", 0
        body, self.body = self.body, -1
        head, _, content = answer.partition(b"\r\n\r\n")
        head = head.lower()
        self._load.answer(body, self.due, self.sent, head, content)
        if header(head, b"connection") == b"close":  # as HAProxy does when it loads a new configuration
            self.close()
        elif self._transport is not None and not self._transport.is_closing():
            self._load.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._load.lose(self, is_under_way=self.body >= 0)
        self.body = -1

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()


def header(head: bytes, name: bytes) -> bytes | None:
    """Value of a header of a head in lower case."""
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


def is_clean(status: str, head: bytes) -> bool:
    is_problem = (header(head, b"content-type") or b"").startswith(b"application/problem+json")
    return is_problem and (status not in {"429", "503"} or header(head, b"retry-after") is not None)


def post(path: str, port: int, body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
