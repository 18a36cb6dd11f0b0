"""Time and memory of processes."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import ROOT

MIB = 1 << 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_POLL_SECONDS = 0.05


def run_measured(command: list[str], memory: Callable[[int], int] | None = None) -> tuple[float, int]:
    """Seconds that a command takes, and the largest sum of memory of its processes, in bytes.

    `memory` of a process by its number; None: all that is resident.
    """
    memory = memory or resident_bytes
    started = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(memory, process_tree(process.pid))))
            time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    return time.perf_counter() - started, peak


def fastest(command: list[str], repeats: int = 3) -> float:
    """The least of some runs, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def process_tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread ended meanwhile
            continue
        for child in children:
            yield from process_tree(int(child))


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, 0 once it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def own_bytes(pid: int) -> int:
    """Resident memory of a process without the pages of files that it maps, which the system takes back at need."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
