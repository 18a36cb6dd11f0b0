"""The writer of the prediction log: records are durable when `PredictionLog.append` returns.

Open segments are files `<writer>-<sequence>.jsonl` of a spool on the local disk. They are uploaded to the bucket as
`prediction_log/segments/<day of the first record>/<writer>-<sequence>.jsonl.gz` when they are large or old enough. A
writer holds a lock on each of its segments, so a segment whose lock is free belonged to a writer that died: any other
writer uploads it. A batch that was being written at that moment was not answered; its whole lines may be uploaded.
"""

import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from football_assets.storage.bucket import Bucket
from football_assets.storage.log_segments import SEGMENTS, PredictionLogError, read_segment
from serve.log_lines import record_day, to_lines
from serve.log_segment import LogSegment, claim_segment, is_at, sync_file, sync_folder, try_lock, write_all

__all__ = ["SEGMENTS", "PredictionLog", "PredictionLogError", "read_segment"]


class PredictionLog:
    """The append-only log of one process; its methods may be called from any thread, but not after a fork.

    Parameters
    ----------
    bucket
        Receives finished segments, compressed.
    spool
        Folder on a local disk for segments that are not uploaded yet; several writers may share it.
    max_bytes
        A segment is finished before it grows beyond this; only a batch that is larger makes a larger segment.
    max_age_seconds
        A segment is finished when its first record is this old. The spool is searched for segments of dead writers at
        the same interval.
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
        self._segment: LogSegment | None = None
        self._finished: deque[LogSegment] = deque()
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
        """The error of the last write or of the last upload; None if both succeeded."""
        return self._write_error or self._upload_error

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        """Write all records, or none, and flush them to disk: they survive a crash of this process and of the machine.

        The bucket is not called: `rotate_if_due` uploads the segments that this finishes.

        Parameters
        ----------
        records
            Dictionaries that begin with `request_id` and have a `time` (RFC 3339).

        Raises
        ------
        PredictionLogError
            A record is not serialisable, or the write failed; the segment is unchanged.
        """
        if not records:
            return
        data = to_lines(records)
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
                write_all(segment.descriptor, data)
                sync_file(segment.descriptor)
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
        """Finish the open segment if it is large or old enough, and upload finished segments; waits for the bucket."""
        with self._writing:
            if self._segment is not None and self._is_due(self._segment):
                self._finish()
        if self._finished or self._clock() - self._recovered_at >= self.max_age_seconds:
            self.recover()

    def recover(self) -> list[str]:
        """Upload and remove every finished segment in the spool: this writer's, and those of writers that died.

        A segment that cannot be uploaded stays in the spool until the next call, and `error` has the reason. One that
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
                        segment = claim_segment(path)
                    except (OSError, PredictionLogError) as error:
                        problem = f"Segment {path} of the prediction log cannot be uploaded: {error}"
                        continue
                    if segment is not None:
                        uploaded.append(self._upload(segment))
            except Exception as error:  # of any bucket client; the other segments would fail too
                problem = (
                    f"Segment {path} of the prediction log waits until bucket {self.bucket.url} can be written: "
                    f"{error}"
                )
            self._upload_error = problem
        return uploaded

    def close(self) -> None:
        """Finish the open segment and upload it. The next writer uploads what this one cannot."""
        with self._writing:
            self._closed = True
            if self._segment is not None:
                self._finish()
        self.recover()

    def _is_due(self, segment: LogSegment) -> bool:
        return segment.length >= self.max_bytes or self._clock() - segment.opened_at >= self.max_age_seconds

    def _open(self, first_line: bytes) -> LogSegment:
        day = record_day(first_line)
        try:
            self.spool.mkdir(parents=True, exist_ok=True)
            while True:
                path = self.spool / f"{self.writer}-{self._sequence:06}.jsonl"
                self._sequence += 1
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
                try:
                    if try_lock(descriptor, path):
                        sync_folder(self.spool)
                        break
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(descriptor)  # another writer claimed the empty file before it was locked
        except OSError as error:
            failure = _unwritable(self.spool, error)
            self._write_error = str(failure)
            raise failure from error
        self._segment = LogSegment(path, descriptor, day, self._clock())
        return self._segment

    def _undo(self, segment: LogSegment) -> None:
        """Truncate what was not acknowledged, so that no part of a line precedes a later one."""
        try:
            os.ftruncate(segment.descriptor, segment.length)
        except OSError:
            self._finish()  # it is truncated before it is uploaded
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

    def _upload(self, segment: LogSegment) -> str:
        try:
            if os.fstat(segment.descriptor).st_size > segment.length:
                os.ftruncate(segment.descriptor, segment.length)
            # From the descriptor: if the spool was emptied under this writer, nothing else has the records.
            self.bucket.write(segment.object_name, segment.compressed())
            if is_at(segment.descriptor, segment.path):
                segment.path.unlink(missing_ok=True)
        except BaseException:
            if is_at(segment.descriptor, segment.path):
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
