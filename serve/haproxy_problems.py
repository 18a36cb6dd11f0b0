"""Problem documents (RFC 9457) that HAProxy returns, and texts that it shares with the application.

This module imports the standard library only, because every reload of HAProxy runs it.
"""

import json

RETRY_AFTER_SECONDS = 1
KEY_REQUIRED = (
    "This server requires its key: send it as X-API-Key, as a Bearer token, or as a Basic password."
)
KEY_CHALLENGE = 'Basic realm="football forecasts", charset="UTF-8"'


def problem_directive(
    directive: str, status: int, title: str, detail: str, retry_after: int = RETRY_AFTER_SECONDS
) -> str:
    """Return a directive of HAProxy that answers with a problem document.

    Parameters
    ----------
    directive
        `http-error`, `http-request return` or `http-response return`.
    status, title, detail
        Members of the document.
    retry_after
        Seconds in the header Retry-After of statuses 429 and 503.
    """
    document = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    header = f" hdr Retry-After {retry_after}" if status in (429, 503) else ""
    header += f" hdr WWW-Authenticate '{KEY_CHALLENGE}'" if status == 401 else ""
    return f"{directive} status {status} content-type application/problem+json{header} string '{document}'"


_METHODS = (
    "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND"  # which the application answers, some with 405
)

UNPARSED_REQUEST = (
    problem_directive("http-response return", 400, "Bad Request", "The request is not valid HTTP.")
    + " if { status 400 } { res.hdr(content-type) -m beg text/plain }"
)
"""Replaces the plain text with which the HTTP parser of a replica rejects what HAProxy let pass.

HAProxy 2.8 rejects what it cannot parse itself with a fixed HTML page and status 400, whatever `errorfile` or
`http-error` say.
"""

UNKNOWN_METHOD = (
    problem_directive("http-request return", 501, "Not Implemented", "The server does not know the method.")
    + f" if !{{ method {_METHODS} }}"
)

UNKNOWN_PATH = problem_directive(
    "http-request return", 404, "Not Found", "No application has this path: see /docs."
)


def incomplete_request(seconds: int) -> str:
    """Write the directive that answers a request that is not complete after so many seconds."""
    return problem_directive(
        "http-error", 408, "Request Timeout", f"The request was not complete within {seconds} s."
    )
