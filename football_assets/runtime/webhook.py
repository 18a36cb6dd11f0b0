"""Post a JSON message to a webhook, with retries. Its URL may hold a secret: messages name the host only."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import wait_exponential

from football_assets.errors import FootballError
from football_assets.runtime.http import TRANSIENT_STATUSES, http_client, retry_transient

POST_ATTEMPTS = 3
TIMEOUT_SECONDS = 5.0  # a sensor's tick ends after a minute, retries included
FIRST_PAUSE_SECONDS = 1.0


class WebhookError(FootballError):
    """A message was not accepted."""


class _NotAccepted(Exception):
    """One attempt failed; the text says how, without the URL."""

    def __init__(self, problem: str, is_transient: bool) -> None:
        super().__init__(problem)
        self.is_transient = is_transient


def post_json(
    url: str,
    message: Mapping[str, Any],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """POST a message until it is accepted, at most `POST_ATTEMPTS` times with exponential backoff.

    A redirect is not followed: the message would arrive as a GET without its body.

    Raises
    ------
    WebhookError
        The URL is invalid, the receiver rejected the message, or it did not answer in time.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WebhookError(
            "FOOTBALL_WEBHOOK_URL is not an address: it must begin with https:// or http:// and a host."
        )
    data = json.dumps(message).encode()
    problem = ""
    try:
        with http_client(read_seconds=timeout_seconds) as client:
            retry_transient(
                lambda: _post(client, url, data),
                attempts=POST_ATTEMPTS,
                wait=wait_exponential(multiplier=FIRST_PAUSE_SECONDS),
                is_transient=lambda error: isinstance(error, _NotAccepted) and error.is_transient,
                sleep=pause,
            )
    except _NotAccepted as error:
        problem = str(error)
    if problem:  # outside of the handler: the cause can name the URL
        raise WebhookError(
            f"The webhook at {parts.hostname} {problem}: check FOOTBALL_WEBHOOK_URL."
        ) from None


def _post(client: httpx.Client, url: str, data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    try:
        with client.stream("POST", url, content=data, headers=headers) as response:
            status, is_accepted = response.status_code, response.is_success
    except httpx.InvalidURL:
        raise _NotAccepted("has an invalid address", is_transient=False) from None
    except httpx.HTTPError as error:
        raise _NotAccepted(f"did not answer ({type(error).__name__})", is_transient=True) from None
    if not is_accepted:
        raise _NotAccepted(f"answered {status}", is_transient=status in TRANSIENT_STATUSES)
