"""Start the load generator `benchmarks.speed.load` in a process of its own, and read its figures."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ROOT

HOST = "127.0.0.1"


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
    unclean: dict[str, int]  # errors that are no problem document, or lack Retry-After
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
