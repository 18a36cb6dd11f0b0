"""Long-running programs: ended by a signal, and side by side. `football serve` and `football up` run so."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

GRACE_SECONDS = 60
_POLL_SECONDS = 0.2


def run_together(programs: Mapping[str, Sequence[str]], folder: Path, grace: float = GRACE_SECONDS) -> int:
    """Run programs until one of them ends or SIGINT or SIGTERM arrives, then end the others as Ctrl-C would.

    Parameters
    ----------
    programs
        Command lines by name.
    folder
        Working directory of all.
    grace
        Seconds that a program has to end before it is killed, with all that it started.

    Returns
    -------
    int
        0 after a signal, else the exit code of the program that ended first.
    """
    with end_signals() as ended:
        # Sessions of their own: a Ctrl-C of the terminal reaches each once, from here.
        running = {
            name: subprocess.Popen(command, cwd=folder, start_new_session=True)
            for name, command in programs.items()
        }
        try:
            return _wait(running, ended)
        finally:
            _end(running, grace)


@contextmanager
def end_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, in place of what they do otherwise.

    Wait for it again and again, not without end: a signal may reach another thread, and the main one would sleep on.
    """
    ended = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in wanted}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(running: Mapping[str, subprocess.Popen[bytes]], ended: threading.Event) -> int:
    while not ended.wait(_POLL_SECONDS):
        for process in running.values():
            code = process.poll()
            if code is not None:
                return code
    return 0


def _end(running: Mapping[str, subprocess.Popen[bytes]], grace: float) -> None:
    for process in running.values():
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    for process in running.values():
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
