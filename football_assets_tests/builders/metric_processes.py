"""Processes that keep serving metrics in one folder, and what they render."""

import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from serve.metrics import (
    configure_directory,
    serving_metrics,
)

SPAWN = get_context("spawn")


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Replica:
    """A process of its own, which does what the test tells it."""

    def __init__(self, folder: Path) -> None:
        self._connection, other = SPAWN.Pipe()
        self._process = SPAWN.Process(target=serve_commands, args=(folder, other), daemon=True)
        self._process.start()
        other.close()
        assert self._connection.recv() == "ready"

    def do(self, name: str, *arguments: Any) -> Any:
        """Call a method of the process's metrics."""
        return self.run(call_metrics, name, *arguments)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self.begin(function, *arguments)
        return self.finish()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._connection.send((function, arguments))

    def is_busy(self) -> bool:
        return not self._connection.poll()

    def finish(self) -> Any:
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def samples(self) -> Samples:
        return parse(self.do("render")[0])

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL


def serve_commands(folder: Path, connection: Connection) -> None:
    configure_directory(folder)
    serving_metrics()
    connection.send("ready")
    while True:
        function, arguments = connection.recv()
        try:
            connection.send(function(*arguments))
        except Exception as error:  # the test shows it
            connection.send(error)


def call_metrics(name: str, *arguments: Any) -> Any:
    return attrgetter(name)(serving_metrics())(*arguments)


def parse(body: bytes) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"football_{name}", frozenset(labels.items())))


def without_memory(samples: Samples) -> Samples:
    return {key: value for key, value in samples.items() if key[0] != "football_resident_memory_bytes"}
