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
        `http-error` or `http-request return`.
    status, title, detail
        Members of the document.
    retry_after
        Seconds in the header Retry-After of statuses 429 and 503.
    """
    document = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    header = f" hdr Retry-After {retry_after}" if status in (429, 503) else ""
    header += f" hdr WWW-Authenticate '{KEY_CHALLENGE}'" if status == 401 else ""
    return f"{directive} status {status} content-type application/problem+json{header} string '{document}'"
