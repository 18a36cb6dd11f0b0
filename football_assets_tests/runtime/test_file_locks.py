"""Locks of open files: who waits, who gets none, and when a lock ends."""

import errno
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import portalocker
import pytest

from football_assets.runtime.file_locks import lock_file, try_lock_file

HOLDER = """
import sys
from football_assets.runtime.file_locks import lock_file, try_lock_file
with open(sys.argv[1]) as file:
    if sys.argv[2] == "shared":
        assert try_lock_file(file, shared=True)
    else:
        lock_file(file)
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


def held_elsewhere(file: Path, kind: str = "exclusive") -> subprocess.Popen[str]:
    """Start another process that holds the lock of a file until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_lock_of_another_process_is_seen_until_that_process_is_killed(file: Path) -> None:
    with held_elsewhere(file) as holder, file.open() as own:
        assert not try_lock_file(own)
        assert not try_lock_file(own, shared=True)
        holder.kill()
        holder.wait()

        assert try_lock_file(own)


def test_shared_locks_exclude_exclusive_ones_only(file: Path) -> None:
    with held_elsewhere(file, "shared") as holder, file.open() as own:
        assert not try_lock_file(own)
        assert try_lock_file(own, shared=True)
        holder.kill()


def test_a_lock_waits_for_its_holder(file: Path) -> None:
    done = threading.Event()

    def wait() -> None:
        with file.open() as own:
            lock_file(own)
            done.set()

    with held_elsewhere(file) as holder:
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not done.wait(0.3)
        holder.kill()
        waiting.join(30)

    assert done.is_set()


def test_two_open_files_of_one_process_exclude_each_other_and_closing_one_ends_its_lock(file: Path) -> None:
    with file.open() as other:
        with file.open() as own:
            assert try_lock_file(own.fileno())
            assert not try_lock_file(other)
        assert try_lock_file(other)


def test_a_platform_that_waits_for_some_seconds_only_is_asked_again_until_the_lock_is_free(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = portalocker.portalocker.LOCKER
    refused = [1, 2, 3]

    def lock(descriptor: IO[str], flags: portalocker.LockFlags) -> None:
        if refused:
            refused.pop()
            raise portalocker.AlreadyLocked("Resource deadlock avoided")
        monkeypatch.setattr(portalocker.portalocker, "LOCKER", platform)
        portalocker.lock(descriptor, flags)

    monkeypatch.setattr(portalocker.portalocker, "LOCKER", (lock, portalocker.unlock))

    with file.open() as own, file.open() as other:
        lock_file(own)
        assert refused == []
        assert not try_lock_file(other)


def test_a_file_system_without_locks_is_an_error_of_the_operating_system(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(descriptor: IO[str], flags: portalocker.LockFlags) -> None:
        raise portalocker.LockException("failed") from OSError(errno.ENOLCK, "No locks available")

    # A pair, since portalocker accepts a function alone on POSIX only.
    monkeypatch.setattr(portalocker.portalocker, "LOCKER", (no_locks, portalocker.unlock))

    with file.open() as own:
        for lock in (lock_file, try_lock_file):
            with pytest.raises(OSError, match="No locks available") as raised:
                lock(own)
            assert raised.value.errno == errno.ENOLCK


def test_a_closed_descriptor_is_an_error_of_the_operating_system(file: Path) -> None:
    with file.open() as own:
        descriptor = own.fileno()

    with pytest.raises(OSError, match="Bad file descriptor"):
        try_lock_file(descriptor)
