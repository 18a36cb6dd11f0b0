"""Supervise the programs of `football serve` and `football up`, and end every process that they started.

`processes.run_together` starts this module as a process in a session of its own, between the command and its programs.
On Linux it is a child subreaper [1]: a process whose parent has ended becomes its child, so every process of the
programs stays among its descendants, including HAProxy and Ray's workers. It reads one JSON document from standard
input and starts the programs. It ends them when one of them ends, when a second line arrives, or when standard input
is closed because the command was killed.

References
----------
[1] prctl(2), PR_SET_CHILD_SUBREAPER.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from threading import Event

import psutil

LOST_SECONDS = (
    1.0  # from SIGINT to SIGKILL after the command was killed: all has ended within 5 s, under load too
)
KILL_SECONDS = 10.0  # after which processes that survive SIGKILL are abandoned
_POLL_SECONDS = 0.1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Order:
    """Command lines by name, their working directory, and the seconds from SIGINT to SIGKILL."""

    programs: Mapping[str, list[str]]
    folder: str
    grace: float

    def encoded(self) -> bytes:
        """Encode the order as one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"


class SignalEvent(Event):
    """An event that a signal handler may set while the main thread waits for it.

    `Event.set` acquires a lock, which the interrupted thread holds in a part of `wait`: the process would never end.
    `SimpleQueue.put` is reentrant. Only one thread may wait.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_set = False
        self._wakeups: SimpleQueue[None] = SimpleQueue()

    def is_set(self) -> bool:
        """Return whether the event was set."""
        return self._is_set

    def set(self) -> None:
        """Set the event and wake the thread that waits."""
        self._is_set = True
        self._wakeups.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, at most for some seconds; return whether it is."""
        if not self._is_set:
            with suppress(Empty):
                self._wakeups.get(timeout=timeout)
        return self._is_set


@contextmanager
def end_signals() -> Iterator[Event]:
    """Yield an event that SIGINT, SIGTERM and SIGHUP set instead of their default action.

    An ignored SIGHUP stays ignored, as under nohup. Wait for the event in a loop with a timeout: a signal that another
    thread receives does not wake the main thread.
    """
    ended = SignalEvent()
    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in wanted}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def adopted_orphans() -> Iterator[None]:
    """Adopt orphaned descendants while the block runs. Linux only; no effect elsewhere.

    Raises
    ------
    OSError
        prctl(2) failed.
    """
    _set_subreaper(True)
    try:
        yield
    finally:
        _set_subreaper(False)


def end_descendants(others: Collection[psutil.Process] = ()) -> None:
    """Send SIGKILL to the descendants of this process until none is left.

    Parameters
    ----------
    others
        Descendants to leave alone.
    """
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline:
        # The children of a killed process are adopted, and found in the next iteration.
        left = [process for process in psutil.Process().children(recursive=True) if process not in others]
        if not left:
            return
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, _POLL_SECONDS)


def main() -> int:
    """Run the programs of the `Order` on standard input; returns the exit code of the command."""
    order = Order(**json.loads(_read_line()))
    with adopted_orphans(), end_signals() as ended:
        running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name, command in order.programs.items():
                # In a session of its own, a program does not receive the terminal's signals, only those sent here.
                running[name] = subprocess.Popen(
                    command, cwd=order.folder, stdin=subprocess.DEVNULL, start_new_session=True
                )
            code, lost = _watch(running, ended)
            _interrupt(running, LOST_SECONDS if lost else order.grace)
        finally:
            # These include Dagster's run workers. Run monitoring detects killed ones and retries their runs.
            end_descendants()
    return code


def _read_line() -> bytes:
    """Read the first line of standard input, byte by byte, so that nothing after it is consumed."""
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := os.read(sys.stdin.fileno(), 1)):
            raise SystemExit("Standard input ended before its first line was complete.")
        line += byte
    return line


def _watch(running: Mapping[str, subprocess.Popen[bytes]], ended: Event) -> tuple[int, bool]:
    """Wait for a reason to end the programs; returns the exit code and whether the command was killed."""
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
        if readable:
            return 0, not os.read(sys.stdin.fileno(), 1)
        if ended.is_set():
            return 0, False
        _reap(running)
        for process in running.values():
            if process.returncode is not None:
                return _exit_code(process.returncode), False


def _interrupt(running: Mapping[str, "subprocess.Popen[bytes]"], grace: float) -> None:
    """Send the programs SIGINT, as Ctrl-C does, and wait until they have ended."""
    for process in running.values():
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + grace
    while any(process.returncode is None for process in running.values()) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        _reap(running)


def _reap(running: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    """Collect the exit codes of the programs, and remove the adopted processes that have ended."""
    if sys.platform == "win32" or not hasattr(
        os, "waitid"
    ):  # nor on macOS before Python 3.13: none is adopted there
        for process in running.values():
            process.poll()
        return
    programs = {process.pid: process for process in running.values()}
    with suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if found.si_pid in programs:
                programs[found.si_pid].wait()
            else:
                os.waitpid(found.si_pid, 0)


def _set_subreaper(adopts: bool) -> None:
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(_PR_SET_CHILD_SUBREAPER, int(adopts), 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _exit_code(code: int) -> int:
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
