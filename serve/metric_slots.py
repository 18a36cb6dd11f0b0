"""Slots of a folder: the files in which the serving processes of a machine keep their metrics.

`prometheus_client` in its multiprocess mode keeps a process's values in files mapped into memory, so a killed process
leaves its counts behind. It names the files by process id: they accumulate, and a reused id mixes two processes. Here
the files are named by slot. A process locks the lowest free slot until it ends, and continues the counts of the slot's
previous process. The number of files is therefore the largest number of processes that ran at the same time. The live
gauges of a slot whose lock is free are dropped.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from football_assets.errors import FootballError
from football_assets.runtime.file_locks import try_lock_file

# The variable of prometheus_client that names the folder; a container image may set it.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class MetricsError(FootballError):
    """The folder of the metrics cannot be used as requested."""


def clear_directory(folder: Path) -> None:
    """Delete the counts of former processes. The launcher calls it while no serving process runs.

    Raises
    ------
    MetricsError
        A process still keeps its metrics there; nothing was removed.
    """
    folder = Path(os.environ.get(FOLDER_VARIABLE) or folder)
    if running := [lock.name for lock in slot_locks(folder) if is_held(lock)]:
        raise MetricsError(
            f"{folder} holds the metrics of {len(running)} running processes: stop them first."
        )
    for file in (*folder.glob("*.db"), *slot_locks(folder)):
        file.unlink(missing_ok=True)


class Slot:
    """The slot of a folder that this process holds until it ends.

    Parameters
    ----------
    folder
        A folder on a local disk or in memory, created if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._claiming = Lock()
        self._claim()
        if sys.platform != "win32":  # which has no fork
            os.register_at_fork(after_in_child=self._leave_to_parent)

    def number(self) -> int:
        """Return the number of the slot. A forked child claims its own at its first metric."""
        if self._number is None:
            with self._claiming:
                return self._claim() if self._number is None else self._number
        return self._number

    def _claim(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while (lock := _try_lock(self.folder / f"slot_{number}.lock")) is None:
            number += 1
        drop_live_gauges(self.folder, number)
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._number: int | None = number
        self._lock = lock
        return number

    def _leave_to_parent(self) -> None:
        # Closing this process's copy of the descriptor leaves the lock to the parent's.
        if self._number is not None:
            os.close(self._lock)
        self._number, self._claiming = None, Lock()


def slot_locks(folder: Path) -> list[Path]:
    """Return the lock files of the slots."""
    return sorted(folder.glob("slot_*.lock"))


def value_files(folder: Path) -> list[str]:
    """Return the files that hold values. A file that another process has just created is empty."""
    files = []
    for file in folder.glob("*.db"):
        with suppress(FileNotFoundError):
            if file.stat().st_size:
                files.append(str(file))
    return files


def _try_lock(file: Path) -> int | None:
    """Return a descriptor that holds the file's lock, or None if another process holds it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    if try_lock_file(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def is_held(lock: Path, if_free: Callable[[int], None] = lambda number: None) -> bool:
    """Return whether a process holds the slot; if none does, call `if_free` with its number before any can."""
    with lock.open("rb") as file:
        # Shared, so that two processes that test at the same time do not see each other as the holder.
        if not try_lock_file(file, shared=True):
            return True
        if_free(int(lock.stem.removeprefix("slot_")))
        return False


def drop_live_gauges(folder: Path, number: int) -> None:
    """Delete the live gauges of a slot."""
    for file in folder.glob(f"gauge_live*_{number}.db"):
        file.unlink(missing_ok=True)
