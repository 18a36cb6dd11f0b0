"""Segments of the prediction log, as serving writes them to the bucket and the asset `prediction_log` reads them.

A segment is JSON Lines, compressed by gzip since its writer closed it. Segments of earlier releases are plain text.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from football_assets.errors import FootballError

SEGMENTS = "prediction_log/segments"
COMPRESSED = ".gz"
"""What the name of a compressed segment ends with, after `.jsonl`."""

_GZIP_MAGIC = b"\x1f\x8b"  # no line of JSON begins with it
_GZIP_WINDOW = 31  # zlib's window bits for gzip's header and checksum
_LEVEL = 1  # a third of the size; higher levels take several times as long for a tenth less
_CHUNK_BYTES = 1 << 20
_CUT_OFF = "it was cut off while it was written"


class PredictionLogError(FootballError):
    """The prediction log could not be written or read."""


@dataclass(frozen=True)
class Line:
    """A line of a segment, counted from 1. `record` is None where the line is none, and `problem` says why."""

    number: int
    content: bytes
    record: dict[str, Any] | None
    problem: str | None


@dataclass(frozen=True, order=True)
class SegmentName:
    """What the name of a segment's object says: its day, and its file name without the compression."""

    day: date
    file: str

    @classmethod
    def parse(cls, name: str) -> "SegmentName | None":
        """Parse the name of an object; None if serving did not write it."""
        day, separator, file = name.removeprefix(f"{SEGMENTS}/").partition("/")
        file = file.removesuffix(COMPRESSED)
        try:
            is_segment = separator and "/" not in file and file.endswith(".jsonl")
            return cls(date.fromisoformat(day), file) if is_segment else None
        except ValueError:
            return None


def compress_segment(chunks: Iterator[bytes]) -> bytes:
    """Compress the bytes of a segment; the same bytes give the same result."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return b"".join([*map(compressor.compress, chunks), compressor.flush()])


def is_whole(data: bytes) -> bool:
    """Return whether a segment has its end: a compressed one may have been cut off. Plain text always has it.

    Raises
    ------
    PredictionLogError
        The segment is corrupt: its bytes are not those that were compressed.
    """
    decompressor = zlib.decompressobj(_GZIP_WINDOW)
    for _ in _chunks(data, decompressor):
        pass
    return decompressor.eof or not data.startswith(_GZIP_MAGIC)


def segment_lines(data: bytes) -> Iterator[Line]:
    """Read every line of a segment, compressed or not, also invalid ones. A last line without an end was cut off.

    Raises
    ------
    PredictionLogError
        The segment is corrupt. Lines before that may have been changed: `is_whole` tells before one is read.
    """
    number, rest = 1, b""
    for chunk in _chunks(data, zlib.decompressobj(_GZIP_WINDOW)):
        *lines, rest = (rest + chunk).split(b"\n")
        for content in lines:
            yield _read_line(number, content)
            number += 1
    if rest:
        yield Line(number, rest, None, _CUT_OFF)


def _read_line(number: int, content: bytes) -> Line:
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return Line(number, content, None, str(error))
    if isinstance(record, dict):
        return Line(number, content, record, None)
    return Line(number, content, None, f"it starts with {content[:20]!r}")


def _chunks(data: bytes, decompressor: "zlib._Decompress") -> Iterator[bytes]:
    """Yield the text of a segment; that of one that was cut off as far as it is there."""
    if not data.startswith(_GZIP_MAGIC):
        for start in range(0, len(data), _CHUNK_BYTES):
            yield data[start : start + _CHUNK_BYTES]
        return
    try:
        while data and not decompressor.eof:
            yield decompressor.decompress(data, _CHUNK_BYTES)
            data = decompressor.unconsumed_tail
        yield decompressor.flush()
    except zlib.error as error:
        raise PredictionLogError(f"The segment is corrupt and cannot be decompressed ({error}).") from error


def read_segment(data: bytes, name: str = "a prediction log segment") -> Iterator[dict[str, Any]]:
    """Read the records of a segment, without a last line that was cut off while it was written.

    Parameters
    ----------
    name
        How an error calls the segment.

    Raises
    ------
    PredictionLogError
        A line that ends is not a JSON object.
    """
    for line in segment_lines(data):
        if line.record is not None:
            yield line.record
        elif line.problem != _CUT_OFF:
            raise PredictionLogError(
                f"Line {line.number} of {name} is not a JSON object ({line.problem}): remove the line to read the "
                "others."
            )
