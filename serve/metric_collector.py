"""Collects the metrics of all serving processes of a machine."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from serve.metric_slots import drop_live_gauges, is_held, slot_locks, value_files

PREFIX = "football_"


class MachineCollector(Collector):
    """Collects the metrics of this process, or of all processes that share its folder, with their number and memory.

    Parameters
    ----------
    own
        The metrics of this process.
    folder
        The folder that the processes share; None: only this process is collected.
    """

    def __init__(self, own: CollectorRegistry, folder: Path | None) -> None:
        self._own, self._folder = own, folder

    def collect(self) -> Iterator[Metric]:
        """Yield each metric, totalled over the processes."""
        if self._folder is None:
            yield from self._own.collect()
            yield from _process_gauges([os.getpid()])
            return
        folder, processes = self._folder, []
        for lock in slot_locks(folder):
            if is_held(lock, if_free=lambda number: drop_live_gauges(folder, number)):
                processes.append(int(lock.read_text(encoding="ascii") or 0))
        for metric in MultiProcessCollector.merge(value_files(folder)):  # type: ignore[no-untyped-call]
            if metric.name.startswith(PREFIX):
                yield metric
        yield from _process_gauges(processes)

    def describe(self) -> Iterable[Metric]:
        """Return no metric, so that registering collects nothing."""
        return []


def _process_gauges(processes: list[int]) -> Iterator[Metric]:
    yield GaugeMetricFamily(f"{PREFIX}processes", "Running serving processes.", len(processes))
    yield GaugeMetricFamily(
        f"{PREFIX}resident_memory_bytes",
        "Resident memory of the serving processes. Shared pages count in each process.",
        sum(_resident_bytes(process) for process in processes),
    )


def _resident_bytes(process: int) -> int:
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0  # it ended after its lock was read
