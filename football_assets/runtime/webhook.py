"""One JSON message to a webhook, with retries. The address may hold a secret, so only its host is ever named."""

import json
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from football_assets.errors import FootballError

ATTEMPTS = 3
TIMEOUT_SECONDS = 5.0  # a sensor's tick ends after a minute, retries included
FIRST_PAUSE_SECONDS = 1.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class WebhookError(FootballError):
    """A message was not taken."""


def post_json(
    url: str,
    message: Mapping[str, Any],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """POST a message until it is taken, at most `ATTEMPTS` times with growing pauses.

    Raises
    ------
    WebhookError
        The address is none, the receiver refused, or it did not answer in time.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WebhookError(
            "FOOTBALL_WEBHOOK_URL is no address: it begins with https:// or http:// and a host."
        )
    data = json.dumps(message).encode()
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        request = Request(url, data, {"Content-Type": "application/json"}, method="POST")
        try:
            with _OPENER.open(request, timeout=timeout_seconds):
                return
        except HTTPError as error:
            problem = f"answered {error.code}"
            error.close()
            if error.code not in _PASSING:
                break
        except (URLError, HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            problem = f"did not answer ({type(reason).__name__})"
    # Without the cause, which can name the address.
    raise WebhookError(f"The webhook at {parts.hostname} {problem}: check FOOTBALL_WEBHOOK_URL.") from None


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its message."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirect)
