"""The HTTP client of the package: httpx for requests, tenacity for retries of transient errors.

Every request of ours to another server goes through this module: downloads of results, Ray's dashboard, the webhook.
Proxies come from the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`). No request is logged at INFO, and
`public_url` leaves out what may be secret: a URL may hold a token.
"""

import logging
import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_SECONDS = re.compile(r"\s*(\d+)\s*", re.ASCII)
_Result = TypeVar("_Result")

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs the URL of each request at INFO


def http_client(
    *,
    read_seconds: float,
    connect_seconds: float | None = None,
    most_redirects: int = 0,
    keeps_connections: bool = False,
    headers: dict[str, str] | None = None,
) -> httpx.Client:
    """Open a client; the caller closes it.

    Parameters
    ----------
    read_seconds
        Timeout between two parts of a response, and of a write.
    connect_seconds
        Timeout of a connection attempt; None: `read_seconds`.
    most_redirects
        Redirects that are followed. With 0, a redirect is the response: neither a token nor a body goes elsewhere.
    keeps_connections
        Whether connections are reused by later requests. A client that asks a load balancer for several replicas, or
        that outlives its server, opens a connection a request.
    headers
        Headers of every request.
    """
    return httpx.Client(
        headers=headers,
        follow_redirects=most_redirects > 0,
        max_redirects=max(1, most_redirects),
        timeout=httpx.Timeout(read_seconds, connect=connect_seconds or read_seconds),
        limits=httpx.Limits() if keeps_connections else httpx.Limits(max_keepalive_connections=0),
        verify=_tls_context(),
    )


def retry_transient(
    call: Callable[[], _Result],
    *,
    attempts: int,
    wait: wait_base | Callable[..., float],
    is_transient: Callable[[BaseException], bool],
    sleep: Callable[[float], None] | None = None,
) -> _Result:
    """Call until there is no transient error, or `attempts` times; the last error is raised as it is.

    Parameters
    ----------
    wait
        Seconds before the next attempt, as tenacity's wait strategies compute them.
    sleep
        Waits; None: `time.sleep`.
    """
    retrying = Retrying(
        stop=stop_after_attempt(attempts),
        wait=wait,
        retry=retry_if_exception(is_transient),
        sleep=sleep or time.sleep,
        reraise=True,
    )
    return retrying(call)


def retry_after_seconds(response: httpx.Response) -> float:
    """Return the seconds that a response's Retry-After asks to wait; 0 without a valid one."""
    text = response.headers.get("Retry-After", "")
    seconds = _SECONDS.fullmatch(text)
    if seconds:
        return float(seconds[1])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:  # "-0000"
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def public_url(url: str) -> str:
    """Return a URL for messages, without credentials and without the values of its query.

    >>> public_url("https://me:secret@example.org/E0.csv?token=secret&season=1")
    'https://example.org/E0.csv?token=…&season=…'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    query = re.sub(r"=[^&]*", "=…", parts.query)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


@cache
def _tls_context() -> ssl.SSLContext:
    """Load the certificates once a process; it takes longer than a request on this machine."""
    return httpx.create_ssl_context()
