"""The W3C trace context of a request [1], which identifies the caller's trace.

The server starts no spans and forwards no headers. It writes the context of a request to its log and to the prediction
log, so that the forecasts of a trace can be found. It returns no header, since the Recommendation defines `traceparent`
and `tracestate` for requests only.

References
----------
[1] W3C Recommendation "Trace Context", https://www.w3.org/TR/trace-context-1/
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

TRACE = "trace_context"  # key of the ASGI scope
MOST_MEMBERS = 32
MOST_CHARACTERS = 512  # of a tracestate that is kept
LONG_MEMBER = 128

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KEY = rb"[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_MEMBER = re.compile(rb"(" + _KEY + rb")=[ !-+\--<>-~]{0,255}[!-+\--<>-~]")


class TraceContext(NamedTuple):
    """The trace of a request.

    Attributes
    ----------
    traceparent
        Trace, parent span and flags, in version 00 of the header.
    tracestate
        Data of tracing systems; None: absent or not valid.
    """

    traceparent: str
    tracestate: str | None

    def __str__(self) -> str:
        """Return the context in the format of a log line's end."""
        state = f" tracestate={self.tracestate}" if self.tracestate else ""
        return f", traceparent={self.traceparent}{state}"


def read_trace_context(headers: Iterable[tuple[bytes, bytes]]) -> TraceContext | None:
    """Read the trace context of a request; None if it has none, or its `traceparent` is not valid.

    Parameters
    ----------
    headers
        Headers of the request, with names in lower case.
    """
    parents, states = [], []
    for name, value in headers:
        if name == b"traceparent":
            parents.append(value)
        elif name == b"tracestate":
            states.append(value)
    if len(parents) != 1:
        return None
    traceparent = _traceparent(parents[0].strip(b" \t"))
    return None if traceparent is None else TraceContext(traceparent, _tracestate(b",".join(states)))


def _traceparent(value: bytes) -> str | None:
    match = _TRACEPARENT.fullmatch(value)
    if match is None:
        return None
    version, trace, parent, flags, rest = match.groups()
    if version == b"ff" or not trace.strip(b"0") or not parent.strip(b"0"):
        return None
    if version == b"00":
        return None if rest is not None else value.decode()
    known_flags = int(flags, 16) & 1  # a later version: its known fields, and of its flags `sampled`
    return f"00-{trace.decode()}-{parent.decode()}-{known_flags:02x}"


def _tracestate(value: bytes) -> str | None:
    members = [member for part in value.split(b",") if (member := part.strip(b" \t"))]
    matches = [_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in matches if match}
    if not members or len(members) > MOST_MEMBERS or len(keys) < len(members):  # invalid, or a key twice
        return None
    while len(b",".join(members)) > MOST_CHARACTERS:
        long = [number for number, member in enumerate(members) if len(member) > LONG_MEMBER]
        del members[long[-1] if long else -1]
    return b",".join(members).decode() or None
