"""Offers HTTP load from a process of its own and prints what came back, as JSON.

A closed loop (`--connections 32 --seconds 10`) sends the next request once the one before is answered. An open loop
(`--rate 100`) sends at fixed times, whatever the server does; its latencies count from the time at which a request was
due, so that a stall shows in all requests that it held up. Requests are never pipelined. `--ceiling` measures this
program against a server that does nothing. `bench_serve.py` and `faults.py` start it by `start_load`.
"""

import argparse
import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO, cast

import orjson
import uvloop

from benchmarks import ROOT

HOST = "127.0.0.1"
TOLERANCE = 1e-4  # between a probability in an answer and the one known beforehand: batches round differently
ANSWER_SECONDS = 30.0  # how long an answer is waited for after the last request
CONNECT_PAUSE_SECONDS = 0.02
_FORECASTS = b',"forecasts":['  # follows the head of the answer to a batch
_FORECAST = b'"likeliest_scores":'  # once in each of its forecasts
_PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


@dataclass(frozen=True)
class LoadFigures:
    """What came back. Latencies in milliseconds, by status.

    `timeline`: each second, answers with 200, others, and requests without an answer.
    """

    seconds: float
    sent: int
    answered: int
    unanswered: int
    unsent: int  # of an open loop: due, but no connection was free until its end
    throughput: float  # answers with 200 a second
    forecasts: int  # in answers with 200
    statuses: dict[str, int]
    errors: dict[str, int]
    latency: dict[str, dict[str, float]]  # from the time at which a request was due
    service: dict[str, dict[str, float]]  # from the time at which it was sent
    versions: dict[str, int]
    without_version: int
    wrong_forecasts: int  # that the version named in the answer did not make
    unclean: dict[str, int]  # refusals that are no problem document, or lack Retry-After
    longest_gap_seconds: float  # without any answer with 200
    timeline: list[list[int]]
    client_cpu: float  # share of one core that this program took

    @property
    def failed(self) -> int:
        """Requests that were sent and not answered with 200."""
        return self.sent - self.statuses.get("200", 0)


class LoadProcess:
    """A running load generator."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def is_running(self) -> bool:
        """Whether it still sends, or waits for answers."""
        return self._process.poll() is None

    def interrupt(self) -> None:
        """Let it send nothing more; its figures are of the time until now."""
        self._process.send_signal(signal.SIGTERM)

    def figures(self) -> LoadFigures:
        """What came back, once it has ended."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise SystemExit(f"The load generator failed with exit code {self._process.returncode}.")
        return LoadFigures(**json.loads(output))

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.is_running():
            self._process.kill()
            self._process.wait()


@contextmanager
def start_load(
    port: int,
    bodies: Path,
    *,
    seconds: float,
    connections: int,
    path: str = "/predict",
    rate: float | None = None,
    truth: Path | None = None,
    ids: Path | None = None,
) -> Iterator[LoadProcess]:
    """Offer load while the block runs; it is ended with the block.

    Parameters
    ----------
    bodies
        File of request bodies, one a line; they are sent in turn.
    rate
        Requests a second of an open loop, which opens at most `connections`; None: a closed loop.
    truth
        JSON: by version, the three probabilities of each body.
    ids
        File that takes the identifier of every logged answer.
    """
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed.load",
        "--port",
        str(port),
        "--bodies",
        str(bodies),
        "--path",
        path,
    ]
    command += ["--seconds", str(seconds), "--connections", str(connections)]
    for option, value in (("--rate", rate), ("--truth", truth), ("--ids", ids)):
        if value is not None:
            command += [option, str(value)]
    load = LoadProcess(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
    try:
        yield load
    finally:
        load.stop()


def offer(port: int, bodies: Path, *, seconds: float, connections: int, **options: object) -> LoadFigures:
    """Offer load and wait for its end; takes what `start_load` takes."""
    with start_load(port, bodies, seconds=seconds, connections=connections, **options) as load:  # type: ignore[arg-type]
        return load.figures()


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, load: "_Load") -> None:
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
            length = _header(self._received[:end].lower(), b"content-length")
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
        if _header(head, b"connection") == b"close":  # as HAProxy does when it takes up a new configuration
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


class _Load:
    """A run: `run` sends, the connections report."""

    def __init__(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        connections: int,
        seconds: float,
        rate: float | None,
        truth: dict[int, list[list[float]]] | None,
        ids: TextIO | None,
    ) -> None:
        self._port = port
        self._requests = requests
        self._most = connections
        self._seconds = seconds
        self._rate = rate
        self._truth = truth
        self._ids = ids
        self._idle: deque[_Connection] = deque()
        self._open = 0
        self._connecting: set[asyncio.Task[None]] = set()
        self._due: deque[float] = deque()
        self._next_body = 0
        self._is_sending = True
        self._is_over = asyncio.Event()
        self._defect: BaseException | None = None
        self._started = self._ends = 0.0
        self._sent = self._answered = self._under_way = self._forecasts = 0
        self._in_time = 0  # answers with 200 before the end
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()
        self._unclean: Counter[str] = Counter()
        self._without_version = self._wrong_forecasts = 0
        self._latency: defaultdict[str, list[float]] = defaultdict(list)
        self._service: defaultdict[str, list[float]] = defaultdict(list)
        self._timeline: list[list[int]] = []
        self._last_success = self._longest_gap = 0.0

    async def run(self) -> LoadFigures:
        """Send until the time is over, then wait for what is under way."""
        cpu = time.process_time()
        self._started = self._last_success = time.perf_counter()
        self._ends = self._started + self._seconds
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._end)
        loop.set_exception_handler(self._note_defect)
        if self._rate is None:
            for _ in range(self._most):
                self._connect()
        else:
            await self._send_at(self._rate)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), max(0, self._ends - time.perf_counter()))
        self._end()
        took = self._ends - self._started
        cpu = time.process_time() - cpu
        self._longest_gap = max(self._longest_gap, time.perf_counter() - self._last_success)
        if self._defect is not None:
            raise self._defect
        patience = time.perf_counter() + ANSWER_SECONDS
        while self._under_way and time.perf_counter() < patience:
            await asyncio.sleep(0.01)
        return LoadFigures(
            seconds=took,
            sent=self._sent,
            answered=self._answered,
            unanswered=self._under_way,
            unsent=len(self._due),
            throughput=self._in_time / took,
            forecasts=self._forecasts,
            statuses=dict(self._statuses),
            errors=dict(self._errors),
            latency={status: _summary(times) for status, times in self._latency.items()},
            service={status: _summary(times) for status, times in self._service.items()},
            versions=dict(self._versions),
            without_version=self._without_version,
            wrong_forecasts=self._wrong_forecasts,
            unclean=dict(self._unclean),
            longest_gap_seconds=self._longest_gap,
            timeline=self._timeline,
            client_cpu=cpu / took,
        )

    def free(self, connection: _Connection) -> None:
        """A connection has nothing under way: give it the next request, if one is due."""
        if not self._is_sending:
            return
        if self._rate is None:
            if time.perf_counter() < self._ends:
                self._send(connection, time.perf_counter())
        elif self._due:
            self._send(connection, self._due.popleft())
        else:
            self._idle.append(connection)

    def answer(self, body: int, due: float, sent: float, head: bytes, content: bytes) -> None:
        """Count an answer. `head` in lower case."""
        now = time.perf_counter()
        status = head[9:12].decode()
        self._answered += 1
        self._under_way -= 1
        self._statuses[status] += 1
        self._latency[status].append(now - due)
        self._service[status].append(now - sent)
        is_success = status == "200"
        self._note(now, 0 if is_success else 1)
        if is_success:
            self._in_time += now <= self._ends
            self._longest_gap = max(self._longest_gap, now - self._last_success)
            self._last_success = now
            self._read(body, content)
        elif not _is_clean(status, head):
            self._unclean[status] += 1

    def lose(self, connection: _Connection, *, is_under_way: bool) -> None:
        """A connection has ended."""
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)
        if is_under_way:
            self.fail("connection lost")
        if self._is_sending and self._rate is None:
            self._connect(CONNECT_PAUSE_SECONDS if is_under_way else 0)

    def fail(self, error: str) -> None:
        """Count a request that was sent and has no answer."""
        self._errors[error] += 1
        self._under_way -= 1
        self._note(time.perf_counter(), 2)

    def _note(self, moment: float, column: int) -> None:
        second = int(moment - self._started)
        while len(self._timeline) <= second:
            self._timeline.append([0, 0, 0])
        self._timeline[second][column] += 1

    async def _send_at(self, rate: float) -> None:
        count = int(rate * self._seconds)
        for number in range(count):
            if not self._is_sending:
                return
            due = self._started + number / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            elif number % 50 == 0:  # behind: let answers in
                await asyncio.sleep(0)
            if self._idle:
                self._send(self._idle.pop(), due)
                continue
            self._due.append(due)
            if self._open < self._most:
                self._connect()

    def _note_defect(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something unforeseen in a callback, like an answer that is no JSON: the figures would not be true."""
        self._defect = context.get("exception") or RuntimeError(context["message"])
        self._end()

    def _end(self) -> None:
        self._is_sending = False
        self._ends = min(self._ends, time.perf_counter())
        self._is_over.set()

    def _send(self, connection: _Connection, due: float) -> None:
        body = self._next_body
        self._next_body = (body + 1) % len(self._requests)
        self._sent += 1
        self._under_way += 1
        connection.request(body, self._requests[body], due)

    def _connect(self, pause: float = 0) -> None:
        self._open += 1
        task = asyncio.get_running_loop().create_task(self._try_to_connect(pause))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _try_to_connect(self, pause: float) -> None:
        await asyncio.sleep(pause)
        while self._is_sending:
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self), HOST, self._port
                )
            except OSError:
                self._errors["not connected"] += 1
                await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            else:
                return
        self._open -= 1

    def _read(self, body: int, content: bytes) -> None:
        """Look at the version, the identifier and the forecast of an answer.

        Of a batch only the head is parsed where nobody asks for more: reading all would take as much processor from the
        server beside this program as a tenth of its work.
        """
        forecasts_at = content.find(_FORECASTS) if self._ids is None and self._truth is None else -1
        if forecasts_at >= 0:
            answer = orjson.loads(content[:forecasts_at] + b"}")
            self._forecasts += content.count(_FORECAST, forecasts_at)
            self._note_version(answer)
            return
        answer = orjson.loads(content)
        forecasts = answer.get("forecasts")
        self._forecasts += 1 if forecasts is None else sum("problem" not in item for item in forecasts)
        version = self._note_version(answer)
        if version is None:
            return
        if self._ids is not None:
            identifier = answer["request_id"]
            if forecasts is None:
                self._ids.write(f"{identifier}\n")
            else:
                answered = (number for number, item in enumerate(forecasts) if "problem" not in item)
                self._ids.writelines(f"{identifier}/{number}\n" for number in answered)
        if self._truth is not None:
            expected = self._truth.get(version)
            given = answer["probabilities"].values()
            if expected is None or any(
                abs(p - q) > TOLERANCE for p, q in zip(given, expected[body], strict=True)
            ):
                self._wrong_forecasts += 1

    def _note_version(self, answer: dict[str, Any]) -> int | None:
        version = answer.get("model_version")
        if not isinstance(version, int):
            self._without_version += 1
            return None
        self._versions[str(version)] += 1
        return version


def _header(head: bytes, name: bytes) -> bytes | None:
    """Value of a header of a head in lower case."""
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


def _is_clean(status: str, head: bytes) -> bool:
    is_problem = (_header(head, b"content-type") or b"").startswith(b"application/problem+json")
    return is_problem and (status not in {"429", "503"} or _header(head, b"retry-after") is not None)


def _summary(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    figures = {name: ordered[min(last, int(share * len(ordered)))] for name, share in _PERCENTILES.items()}
    return {name: value * 1000 for name, value in (figures | {"max": ordered[last]}).items()}


def _request(path: str, port: int, body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


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


async def _serve_nothing(listener: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(_Trivial, sock=listener)
    await server.serve_forever()


@contextmanager
def _trivial_server() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        command = [sys.executable, "-m", "benchmarks.speed.load", "--listener", str(listener.fileno())]
        server = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.kill()
            server.wait()


async def _run(arguments: argparse.Namespace, port: int, bodies: list[bytes]) -> LoadFigures:
    truth = None
    if arguments.truth is not None:
        truth = {int(version): rows for version, rows in orjson.loads(arguments.truth.read_bytes()).items()}
    ids = arguments.ids.open("w", encoding="utf-8") if arguments.ids is not None else None
    try:
        return await _Load(
            port,
            [_request(arguments.path, port, body) for body in bodies],
            connections=arguments.connections,
            seconds=arguments.seconds,
            rate=arguments.rate,
            truth=truth,
            ids=ids,
        ).run()
    finally:
        if ids is not None:
            ids.close()


def main() -> int:
    """Offer load; print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--path", default="/predict")
    parser.add_argument("--bodies", type=Path, help="file of JSON bodies, one a line, sent in turn")
    parser.add_argument("--connections", type=int, default=16, help="at once; of an open loop, at most")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, help="requests a second: an open loop")
    parser.add_argument("--truth", type=Path, help="JSON: by version, the probabilities of each body")
    parser.add_argument("--ids", type=Path, help="file for the identifiers of all answers")
    parser.add_argument("--ceiling", action="store_true", help="measure this program itself")
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.listener is not None:
        uvloop.run(_serve_nothing(socket.socket(fileno=arguments.listener)))
        return 0
    if arguments.ceiling:
        with _trivial_server() as port:
            figures = uvloop.run(_run(arguments, port, [b'{"league": "eng.1"}' * 4]))
    else:
        if arguments.bodies is None:
            parser.error("--bodies is missing")
        figures = uvloop.run(_run(arguments, arguments.port, arguments.bodies.read_bytes().splitlines()))
    sys.stdout.write(json.dumps(asdict(figures)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
