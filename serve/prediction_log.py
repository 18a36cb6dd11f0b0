"""The prediction log's writer: a serving process appends the records of its answers, durable before they leave.

Open segments lie in a spool on the local disk as `<writer>-<sequence>.jsonl` and go to the bucket as
`prediction_log/segments/<day of the first record>/<writer>-<sequence>.jsonl` when they are big or old enough. A
writer holds a lock on each of its segments, so a segment whose lock is free was left by one that died: any other
writer uploads it. A batch that was being written at that moment was not answered; its whole lines may be kept.
"""

import fcntl
import mmap
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from football_assets.storage.bucket import Bucket
from football_assets.storage.log_segments import SEGMENTS, PredictionLogError, read_segment

__all__ = ["SEGMENTS", "PredictionLog", "PredictionLogError", "read_segment"]

_FIRST_KEY = b'{"request_id":'


@dataclass
class _Segment:
    """A file of whole lines that this process has locked. `length`: bytes of acknowledged lines."""

    path: Path
    descriptor: int
    day: date
    opened_at: float
    length: int = 0

    @property
    def object_name(self) -> str:
        return f"{SEGMENTS}/{self.day}/{self.path.name}"


class PredictionLog:
    """The append-only log of one process; its methods may be called from any thread, but not after a fork.

    Parameters
    ----------
    bucket
        Where finished segments go.
    spool
        Folder on a local disk for segments that are not in the bucket yet; several writers may share it.
    max_bytes
        A segment is finished before it grows beyond this; only a batch that is larger makes a larger segment.
    max_age_seconds
        A segment is finished when its first record is this old; as often, segments of dead writers are looked for.
    clock
        Seconds, monotonic.

    Examples
    --------
    >>> log = PredictionLog(open_bucket("bucket"), Path("scratch/prediction_log"))
    >>> log.append([{"request_id": "a1", "time": "2015-11-21T12:00:00.000000Z", "p": [0.46, 0.27, 0.27]}])
    >>> log.rotate_if_due()  # now and then, from a thread that may wait for the bucket
    >>> log.close()
    """

    def __init__(
        self,
        bucket: Bucket,
        spool: Path,
        *,
        max_bytes: int = 16 << 20,
        max_age_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bucket = bucket
        self.spool = spool
        self.max_bytes = max_bytes
        self.max_age_seconds = max_age_seconds
        self.writer = secrets.token_hex(8)
        self._clock = clock
        self._sequence = 0
        self._segment: _Segment | None = None
        self._finished: deque[_Segment] = deque()
        self._recovered_at = clock()
        self._bytes_written = 0
        self._write_error: str | None = None
        self._upload_error: str | None = None
        self._closed = False
        self._writing = threading.Lock()  # held for microseconds and one fdatasync
        self._uploading = threading.Lock()  # held as long as the bucket takes
        try:
            spool.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(spool, error) from error
        self.recover()

    @property
    def bytes_written(self) -> int:
        """Bytes that this object has made durable."""
        return self._bytes_written

    @property
    def error(self) -> str | None:
        """What went wrong and has not succeeded since: the last write, or the last look at the spool."""
        return self._write_error or self._upload_error

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        """Write all records, or none, and return once they survive the end of this process and of the machine.

        The bucket is not called: `rotate_if_due` uploads what this finishes.

        Parameters
        ----------
        records
            Dictionaries that begin with `request_id` and have a `time` (RFC 3339).

        Raises
        ------
        PredictionLogError
            A record is not serialisable, or the disk refused the write; the segment is as it was before.
        """
        if not records:
            return
        data = _lines(records)
        with self._writing:
            if self._closed:
                raise PredictionLogError(
                    f"The prediction log in {self.spool} is closed: append before close()."
                )
            if self._segment is not None and (
                self._is_due(self._segment) or self._segment.length + len(data) > self.max_bytes
            ):
                self._finish()
            segment = self._segment or self._open(data[: data.index(b"\n")])
            try:
                _write(segment.descriptor, data)
                os.fdatasync(segment.descriptor)
            except BaseException as error:
                self._undo(segment)
                if not isinstance(error, OSError):
                    raise
                failure = _unwritable(segment.path, error)
                self._write_error = str(failure)
                raise failure from error
            segment.length += len(data)
            self._bytes_written += len(data)
            self._write_error = None

    def rotate_if_due(self) -> None:
        """Finish the open segment if it is big or old enough, and upload what is finished; waits for the bucket."""
        with self._writing:
            if self._segment is not None and self._is_due(self._segment):
                self._finish()
        if self._finished or self._clock() - self._recovered_at >= self.max_age_seconds:
            self.recover()

    def recover(self) -> list[str]:
        """Upload and remove every finished segment in the spool: this writer's, and those of writers that died.

        A segment that cannot be uploaded stays in the spool until the next call, and `error` says why. One that
        is uploaded but not removed, because this process dies, is uploaded again under the same name.

        Returns
        -------
        list[str]
            Names of the objects written.
        """
        uploaded: list[str] = []
        problem: str | None = None
        with self._uploading:
            self._recovered_at = self._clock()
            path = self.spool
            try:
                while self._finished:
                    path = self._finished[0].path
                    uploaded.append(self._upload(self._finished.popleft()))
                for path in sorted(self.spool.glob("*.jsonl")):
                    try:
                        segment = _claim(path)
                    except (OSError, PredictionLogError) as error:
                        problem = f"Segment {path} of the prediction log cannot be uploaded: {error}"
                        continue
                    if segment is not None:
                        uploaded.append(self._upload(segment))
            except (
                Exception
            ) as error:  # of whichever client the bucket has; the other segments would meet it too
                problem = (
                    f"Segment {path} of the prediction log waits until bucket {self.bucket.url} can be written: "
                    f"{error}"
                )
            self._upload_error = problem
        return uploaded

    def close(self) -> None:
        """Finish the open segment and upload it; what cannot be uploaded is left to the next writer."""
        with self._writing:
            self._closed = True
            if self._segment is not None:
                self._finish()
        self.recover()

    def _is_due(self, segment: _Segment) -> bool:
        return segment.length >= self.max_bytes or self._clock() - segment.opened_at >= self.max_age_seconds

    def _open(self, first_line: bytes) -> _Segment:
        day = _day(first_line)
        try:
            self.spool.mkdir(parents=True, exist_ok=True)
            while True:
                path = self.spool / f"{self.writer}-{self._sequence:06}.jsonl"
                self._sequence += 1
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
                try:
                    if _lock(descriptor, path):
                        _sync_folder(self.spool)
                        break
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(
                    descriptor
                )  # another writer took the empty file for a dead one's before it was locked
        except OSError as error:
            failure = _unwritable(self.spool, error)
            self._write_error = str(failure)
            raise failure from error
        self._segment = _Segment(path, descriptor, day, self._clock())
        return self._segment

    def _undo(self, segment: _Segment) -> None:
        """Cut what was not acknowledged, so that no part of a line precedes a later one."""
        try:
            os.ftruncate(segment.descriptor, segment.length)
        except OSError:
            self._finish()  # it is cut before it is uploaded, if not here
        else:
            if not segment.length:
                self._finish()

    def _finish(self) -> None:
        segment, self._segment = self._segment, None
        assert segment is not None
        if segment.length:
            self._finished.append(segment)
        else:
            segment.path.unlink(missing_ok=True)
            os.close(segment.descriptor)

    def _upload(self, segment: _Segment) -> str:
        try:
            if os.fstat(segment.descriptor).st_size > segment.length:
                os.ftruncate(segment.descriptor, segment.length)
            if _is_at(segment.descriptor, segment.path):
                self.bucket.upload(segment.path, segment.object_name)
                segment.path.unlink(missing_ok=True)
            else:  # the spool was emptied under this writer: only the descriptor has the records
                self.bucket.write(segment.object_name, os.pread(segment.descriptor, segment.length, 0))
        except BaseException:
            if _is_at(segment.descriptor, segment.path):
                os.close(segment.descriptor)  # found again in the spool
            else:
                self._finished.appendleft(segment)
            raise
        os.close(segment.descriptor)
        return segment.object_name


def _unwritable(path: Path, error: OSError) -> PredictionLogError:
    return PredictionLogError(
        f"Predictions cannot be logged in {path}: {error.strerror or error}. "
        "Make room there, or allow this process to write."
    )


def _lines(records: Sequence[Mapping[str, object]]) -> bytes:
    """The records as JSON, each on a line of its own.

    Written as one array and then divided, which takes a quarter of the time. Quotes inside of a string are escaped, so
    the mark between two records is found nowhere else.
    """
    try:
        data = orjson.dumps([*records], option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise PredictionLogError(f"A record cannot be logged: {error}. Give values that JSON has.") from error
    lines = data[1:-1].replace(b"}," + _FIRST_KEY, b"}\n" + _FIRST_KEY) + b"\n"
    if not lines.startswith(_FIRST_KEY) or lines.count(b"\n") != len(records):
        raise PredictionLogError("A record cannot be logged: its first member must be `request_id`.")
    return lines


def _day(line: bytes) -> date:
    """The day of the record's time as it is written, so that a segment's name follows from its content alone."""
    try:
        return date.fromisoformat(orjson.loads(line)["time"][:10])
    except (ValueError, KeyError, TypeError) as error:
        raise PredictionLogError(
            f"The record {line[:80]!r} has no time: give `time` in RFC 3339, such as 2015-11-21T12:00:00Z."
        ) from error


def _claim(path: Path) -> _Segment | None:
    """Lock a dead writer's segment and find its whole lines; None where a writer holds it or nothing is in it."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:  # uploaded by another writer since it was listed
        return None
    try:
        if _lock(descriptor, path):
            length, first_line = _whole_lines(descriptor)
            if length:
                return _Segment(path, descriptor, _day(first_line), 0.0, length)
            path.unlink(missing_ok=True)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _whole_lines(descriptor: int) -> tuple[int, bytes]:
    """Length up to the last line end, and the first line."""
    if not os.fstat(descriptor).st_size:
        return 0, b""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        return content.rfind(b"\n") + 1, content.readline()


def _lock(descriptor: int, path: Path) -> bool:
    """Hold the file until its descriptor is closed; False where another holds it or has removed it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return _is_at(descriptor, path)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
