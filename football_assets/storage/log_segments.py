"""Segments of the prediction log, as serving writes them to the bucket and the asset `prediction_log` reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from football_assets.errors import FootballError

SEGMENTS = "prediction_log/segments"


class PredictionLogError(FootballError):
    """The prediction log could not be written or read."""


@dataclass(frozen=True)
class Line:
    """A line of a segment, counted from 1. `record` is None where the line is none, and `problem` says why."""

    number: int
    content: bytes
    record: dict[str, Any] | None
    problem: str | None


def segment_lines(data: bytes) -> Iterator[Line]:
    """Read every line of a segment, also invalid ones. A last line without an end was cut off."""
    *lines, torn = data.split(b"\n")
    for number, content in enumerate(lines, start=1):
        try:
            record = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            yield Line(number, content, None, str(error))
        else:
            if isinstance(record, dict):
                yield Line(number, content, record, None)
            else:
                yield Line(number, content, None, f"it starts with {content[:20]!r}")
    if torn:
        yield Line(len(lines) + 1, torn, None, "it was cut off while it was written")


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
    ended = data.count(b"\n")
    for line in segment_lines(data):
        if line.record is not None:
            yield line.record
        elif line.number <= ended:
            raise PredictionLogError(
                f"Line {line.number} of {name} is not a JSON object ({line.problem}): remove the line to read the "
                "others."
            )
