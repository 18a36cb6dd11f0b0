"""The supervisor as a process, and the pieces that it is built of."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from football_assets.runtime.supervisor import Order, adopted_orphans, end_descendants, end_signals

SUPERVISOR = (sys.executable, "-m", "football_assets.runtime.supervisor")
# Prints the identifier of a grandchild whose parent has ended.
ORPHAN = """
import os, subprocess, sys
if os.fork() == 0:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    os._exit(0)
os.wait()
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def orphan() -> psutil.Process:
    """A process whose parent and grandparent have ended."""
    shown = subprocess.run([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, check=True)
    return psutil.Process(int(shown.stdout))


def supervise(programs: dict[str, list[str]], folder: Path) -> "subprocess.Popen[bytes]":
    """A supervisor that has been given its order."""
    process = subprocess.Popen(SUPERVISOR, stdin=subprocess.PIPE, start_new_session=True)
    assert process.stdin is not None
    process.stdin.write(Order(programs, str(folder), 60).encoded())
    process.stdin.flush()
    return process


def test_an_order_is_one_line_that_describes_it() -> None:
    order = Order({"a": ["echo", "two\nlines"]}, "/tmp", 1.5)

    line = order.encoded()

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert Order(**json.loads(line)) == order


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_sets_the_event_and_afterwards_has_its_old_action(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with end_signals() as ended:
        assert not ended.is_set()
        os.kill(os.getpid(), number)
        assert ended.wait(60)
    assert signal.getsignal(number) is before


# Interrupts `wait` in each of its steps by a signal; prints the number of steps.
INTERRUPTED = """
import signal, sys
from football_assets.runtime.supervisor import end_signals

def wait(interrupted_at):
    with end_signals() as ended:
        steps = 0

        def trace(*_):
            nonlocal steps
            if steps == interrupted_at:
                signal.raise_signal(signal.SIGTERM)
            steps += 1
            return trace

        sys.settrace(trace)
        ended.wait(0.01)
        sys.settrace(None)
        assert ended.is_set() == (interrupted_at is not None)
    return steps

count = wait(None)
for step in range(count):
    wait(step)
print(count)
"""


def test_a_signal_in_any_step_of_a_wait_does_not_block_the_process() -> None:
    """`threading.Event` has a lock: a handler that sets it waits for the thread that it interrupted."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) > 3


def test_an_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with end_signals() as ended:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not ended.wait(0.1)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child subreapers")
def test_orphans_are_adopted_while_the_block_runs_and_ended_with_the_descendants() -> None:
    others = psutil.Process().children(recursive=True)  # servers of session fixtures
    with adopted_orphans():
        inside = orphan()
        assert inside.ppid() == os.getpid()
        end_descendants(others)
        assert not inside.is_running()
    outside = orphan()
    assert outside.ppid() != os.getpid()
    outside.kill()


def test_descendants_that_are_excluded_go_on() -> None:
    sleeping = (sys.executable, "-c", "import time; time.sleep(600)")
    kept = subprocess.Popen(sleeping)
    try:
        before = psutil.Process().children(recursive=True)
        ended = psutil.Process(subprocess.Popen(sleeping).pid)
        end_descendants(before)
        assert not ended.is_running()
        assert kept.poll() is None
    finally:
        kept.kill()
        kept.wait()


def test_a_second_line_interrupts_the_programs_and_the_exit_code_is_0(tmp_path: Path) -> None:
    code = (
        "import pathlib, time\n"
        "try:\n pathlib.Path('ready').touch(); time.sleep(600)\n"
        "except KeyboardInterrupt:\n pathlib.Path('interrupted').touch()"
    )
    with supervise({"patient": [sys.executable, "-c", code]}, tmp_path) as supervisor:
        wait_until((tmp_path / "ready").exists)
        assert supervisor.stdin is not None
        supervisor.stdin.write(b"end\n")
        supervisor.stdin.flush()
        assert supervisor.wait(60) == 0
    assert (tmp_path / "interrupted").exists()


def test_the_exit_code_is_that_of_the_program_that_ended_first(tmp_path: Path) -> None:
    programs = {
        "long": [sys.executable, "-c", "import time; time.sleep(600)"],
        "short": [sys.executable, "-c", "raise SystemExit(3)"],
    }
    with supervise(programs, tmp_path) as supervisor:
        assert supervisor.wait(60) == 3


def test_without_an_order_nothing_is_started() -> None:
    shown = subprocess.run(SUPERVISOR, input=b'{"programs": ', capture_output=True)

    assert shown.returncode == 1
    assert shown.stderr.decode().splitlines() == ["Standard input ended before its first line was complete."]
