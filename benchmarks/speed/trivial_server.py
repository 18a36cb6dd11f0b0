"""A server that answers every request with the same bytes: the ceiling of the load generator.

`benchmarks.speed.load --ceiling` starts it with the file descriptor of a listening socket.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import orjson
import uvloop

from benchmarks import ROOT
from benchmarks.speed.load_process import HOST


class _Trivial(asyncio.Protocol):
    """Answers each request with the same bytes, unread."""

    _ANSWER = orjson.dumps(
        {"request_id": "0" * 32, "model_version": 1, "probabilities": {"home": 0.5, "draw": 0.3, "away": 0.2}}
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(self._ANSWER) + self._ANSWER)


async def serve_nothing(listener: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(_Trivial, sock=listener)
    await server.serve_forever()


@contextmanager
def trivial_server() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        command = [sys.executable, "-m", "benchmarks.speed.trivial_server", str(listener.fileno())]
        server = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    uvloop.run(serve_nothing(socket.socket(fileno=int(sys.argv[1]))))
