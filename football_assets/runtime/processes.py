"""Run long-running programs side by side and end them together, as `football serve` and `football up` do."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

import psutil

from football_assets.runtime.supervisor import (
    KILL_SECONDS,
    Order,
    adopted_orphans,
    end_descendants,
    end_signals,
)

GRACE_SECONDS = 60
_POLL_SECONDS = 0.1
_MARGIN_SECONDS = 10


def run_together(
    programs: Mapping[str, Sequence[str]],
    folder: Path,
    grace: float = GRACE_SECONDS,
    keep_open: Sequence[int] = (),
) -> int:
    """Run programs until one of them ends or a signal arrives, then end all with every process that they started.

    SIGINT, SIGTERM and SIGHUP to this process end them. The programs receive SIGINT first; processes that are still
    alive after `grace` receive SIGKILL. If this process is killed, the supervisor does the same within 5 s.

    Parameters
    ----------
    programs
        Command lines by name.
    folder
        Working directory of all programs.
    grace
        Seconds from SIGINT to SIGKILL.
    keep_open
        File descriptors that stay open until the last process has ended, so that their locks are held until then.

    Returns
    -------
    int
        0 after a signal, else the exit code of the program that ended first.
    """
    order = Order({name: list(command) for name, command in programs.items()}, str(folder), grace)
    before = psutil.Process().children(recursive=True)
    with adopted_orphans(), end_signals() as ended:
        supervisor = subprocess.Popen(
            # -P: a module in the working directory, such as struct.py, replaces none of the standard library.
            [sys.executable, "-P", "-m", "football_assets.runtime.supervisor"],
            stdin=subprocess.PIPE,
            pass_fds=keep_open,
            start_new_session=True,
        )
        try:
            return _supervise(supervisor, order, ended)
        finally:
            # Programs of a killed supervisor were adopted by this process. After a regular end there are none.
            if supervisor.poll() != 0:
                end_descendants(before)


def _supervise(supervisor: "subprocess.Popen[bytes]", order: Order, ended: Event) -> int:
    assert supervisor.stdin is not None
    with suppress(BrokenPipeError), supervisor.stdin as pipe:
        pipe.write(order.encoded())
        pipe.flush()
        while supervisor.poll() is None and not ended.wait(_POLL_SECONDS):
            pass
        pipe.write(b"end\n")
        pipe.flush()
        with suppress(subprocess.TimeoutExpired):
            supervisor.wait(order.grace + KILL_SECONDS + _MARGIN_SECONDS)
    code = supervisor.poll()
    return 1 if code is None or code < 0 else code
