"""Advisory locks on open files: flock(2) on Linux and macOS, `LockFileEx` or `msvcrt.locking` on Windows.

A lock belongs to the open file. A child process that inherits the descriptor holds it too. The lock ends when the last
descriptor of the file is closed, which also happens when a process is killed. portalocker calls the function of the
platform; its exceptions are converted to OSError.
"""

import errno
import time
from typing import IO, Any, TypeAlias

import portalocker

LockableFile: TypeAlias = IO[Any] | int
"""An open file or its descriptor."""

_PAUSE_SECONDS = 0.05


def lock_file(file: LockableFile) -> None:
    """Lock a file exclusively; wait until no other process holds its lock.

    Raises
    ------
    OSError
        The file system has no locks.
    """
    while True:
        try:
            _lock(file, portalocker.LockFlags.EXCLUSIVE)
        except portalocker.AlreadyLocked:  # msvcrt.locking waits for ten seconds only
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def try_lock_file(file: LockableFile, *, shared: bool = False) -> bool:
    """Lock a file without waiting; False if another process holds a lock that excludes this one.

    Parameters
    ----------
    shared
        Request a shared lock, which several processes may hold at the same time, but not together with an exclusive
        lock. On Windows it needs the package pywin32.

    Raises
    ------
    OSError
        The file system has no locks.
    """
    kind = portalocker.LockFlags.SHARED if shared else portalocker.LockFlags.EXCLUSIVE
    try:
        _lock(file, kind | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    return True


def _lock(file: LockableFile, flags: portalocker.LockFlags) -> None:
    try:
        portalocker.lock(file, flags)
    except portalocker.AlreadyLocked:
        raise
    except portalocker.LockException as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise OSError(errno.ENOLCK, f"{error}") from error
