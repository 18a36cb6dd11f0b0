"""Offer HTTP load from a process of its own and print the answers' figures as JSON.

    python -m benchmarks.speed.load --port 8000 --bodies FILE --connections 32 --seconds 10
    python -m benchmarks.speed.load --ceiling

A closed loop (`--connections 32 --seconds 10`) sends the next request once the one before is answered. An open loop
(`--rate 100`) sends at fixed times, whatever the server does; its latencies count from the time at which a request was
due, so that a stall shows in all requests that it held up. Requests are never pipelined. `--ceiling` measures this
program against a server that does nothing. `load_process.start_load` starts it for `bench_serve.py` and `faults.py`.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import orjson
import uvloop

from benchmarks.speed.load_connection import LoadConnection, is_clean, post
from benchmarks.speed.load_process import HOST, LoadFigures
from benchmarks.speed.trivial_server import trivial_server

TOLERANCE = 1e-4  # between a probability in an answer and the one known beforehand: batches round differently
ANSWER_SECONDS = 30.0  # how long an answer is waited for after the last request
CONNECT_PAUSE_SECONDS = 0.02
_FORECASTS = b',"forecasts":['  # follows the head of the answer to a batch
_FORECAST = b'"likeliest_scores":'  # once in each of its forecasts
_PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


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
        self._idle: deque[LoadConnection] = deque()
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

    def free(self, connection: LoadConnection) -> None:
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
        elif not is_clean(status, head):
            self._unclean[status] += 1

    def lose(self, connection: LoadConnection, *, is_under_way: bool) -> None:
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

    def _send(self, connection: LoadConnection, due: float) -> None:
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
                    lambda: LoadConnection(self), HOST, self._port
                )
            except OSError:
                self._errors["not connected"] += 1
                await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            else:
                return
        self._open -= 1

    def _read(self, body: int, content: bytes) -> None:
        """Read the version, the identifier and the forecast of an answer.

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


def _summary(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    figures = {name: ordered[min(last, int(share * len(ordered)))] for name, share in _PERCENTILES.items()}
    return {name: value * 1000 for name, value in (figures | {"max": ordered[last]}).items()}


async def _run(arguments: argparse.Namespace, port: int, bodies: list[bytes]) -> LoadFigures:
    truth = None
    if arguments.truth is not None:
        truth = {int(version): rows for version, rows in orjson.loads(arguments.truth.read_bytes()).items()}
    ids = arguments.ids.open("w", encoding="utf-8") if arguments.ids is not None else None
    try:
        return await _Load(
            port,
            [post(arguments.path, port, body) for body in bodies],
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
    arguments = parser.parse_args()
    if arguments.ceiling:
        with trivial_server() as port:
            figures = uvloop.run(_run(arguments, port, [b'{"league": "eng.1"}' * 4]))
    else:
        if arguments.bodies is None:
            parser.error("--bodies is missing")
        figures = uvloop.run(_run(arguments, arguments.port, arguments.bodies.read_bytes().splitlines()))
    sys.stdout.write(json.dumps(asdict(figures)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
