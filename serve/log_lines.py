"""Records of the prediction log as lines of JSON."""

from collections.abc import Mapping, Sequence
from datetime import date

import orjson

from football_assets.storage.log_segments import PredictionLogError

_FIRST_KEY = b'{"request_id":'


def to_lines(records: Sequence[Mapping[str, object]]) -> bytes:
    """Serialise records as JSON, one per line.

    They are serialised as one array that is then divided, which takes a quarter of the time. Quotes inside a string are
    escaped, so the separator of two records occurs nowhere else.

    Raises
    ------
    PredictionLogError
        A record is not serialisable, or does not begin with `request_id`.
    """
    try:
        data = orjson.dumps([*records], option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise PredictionLogError(f"A record cannot be logged: {error}. Give values that JSON has.") from error
    lines = data[1:-1].replace(b"}," + _FIRST_KEY, b"}\n" + _FIRST_KEY) + b"\n"
    if not lines.startswith(_FIRST_KEY) or lines.count(b"\n") != len(records):
        raise PredictionLogError("A record cannot be logged: its first member must be `request_id`.")
    return lines


def record_day(line: bytes) -> date:
    """Return the day of a record's time as it is written, so that a segment's name depends on its content only.

    Raises
    ------
    PredictionLogError
        The record has no `time`.
    """
    try:
        return date.fromisoformat(orjson.loads(line)["time"][:10])
    except (ValueError, KeyError, TypeError) as error:
        raise PredictionLogError(
            f"The record {line[:80]!r} has no time: give `time` in RFC 3339, such as 2015-11-21T12:00:00Z."
        ) from error
