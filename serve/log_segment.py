"""Segments of the prediction log: files of whole lines that one process holds by a lock."""

import errno
import mmap
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from football_assets.runtime.file_locks import try_lock_file
from football_assets.storage.log_segments import COMPRESSED, SEGMENTS, compress_segment
from serve.log_lines import record_day

_CHUNK_BYTES = 1 << 20


@dataclass
class LogSegment:
    """A file of whole lines that this process has locked.

    Attributes
    ----------
    path
        File in the spool.
    descriptor
        Open descriptor that holds the lock.
    day
        Day of the first record.
    opened_at
        Time of the first record by the clock of the log, in seconds.
    length
        Bytes of acknowledged lines.
    """

    path: Path
    descriptor: int
    day: date
    opened_at: float
    length: int = 0

    @property
    def object_name(self) -> str:
        """Name of the segment's object in the bucket."""
        return f"{SEGMENTS}/{self.day}/{self.path.name}{COMPRESSED}"

    def compressed(self) -> bytes:
        """Read and compress the acknowledged lines; the file may have been removed from the spool meanwhile."""
        return compress_segment(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        if sys.platform == "win32":
            raise OSError(errno.ENOTSUP, "the prediction log is written on Linux and macOS only")
        position = 0
        while position < self.length:
            chunk = os.pread(self.descriptor, min(_CHUNK_BYTES, self.length - position), position)
            if not chunk:
                raise OSError(errno.EIO, f"{self.path} ends before its {self.length} bytes")
            position += len(chunk)
            yield chunk


def claim_segment(path: Path) -> LogSegment | None:
    """Lock the segment of a writer that died and find its whole lines; None if a writer holds it or it is empty.

    Raises
    ------
    PredictionLogError
        Its first record has no `time`.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:  # uploaded by another writer since it was listed
        return None
    try:
        if try_lock(descriptor, path):
            length, first_line = whole_lines(descriptor)
            if length:
                return LogSegment(path, descriptor, record_day(first_line), 0.0, length)
            path.unlink(missing_ok=True)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def whole_lines(descriptor: int) -> tuple[int, bytes]:
    """Return the length up to the last line end, and the first line."""
    if not os.fstat(descriptor).st_size:
        return 0, b""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        return content.rfind(b"\n") + 1, content.readline()


def try_lock(descriptor: int, path: Path) -> bool:
    """Lock a file until its descriptor is closed; False if another process holds the lock or has removed the file."""
    return try_lock_file(descriptor) and is_at(descriptor, path)


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether a path still leads to the file of a descriptor."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes, in as many calls as the system needs."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_file(descriptor: int) -> None:
    """Flush the content of a file to disk."""
    if sys.platform == "linux":
        os.fdatasync(descriptor)  # without the time of modification
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that a new file in it survives a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
