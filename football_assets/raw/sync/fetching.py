"""Fetch files over HTTP, one at a time: conditional requests, retries, pauses, limits of time and size."""

import time
from dataclasses import dataclass, field
from importlib.metadata import version
from types import TracebackType

import httpx
from tenacity import RetryCallState, wait_exponential_jitter

from football_assets.errors import FootballError
from football_assets.runtime.http import (
    TRANSIENT_STATUSES,
    http_client,
    public_url,
    retry_after_seconds,
    retry_transient,
)

_MOST_REDIRECTS = 5
# 300: a server lists files with similar names instead of the missing one.
_NO_SUCH_FILE = frozenset({300, 404, 410})


@dataclass(frozen=True)
class Manners:
    """Pauses, retries and limits of the requests to a source. Times are in seconds."""

    pause_seconds: float = 1.0
    attempts: int = 4
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    file_seconds: float = 120.0
    largest_bytes: int = 32 << 20


@dataclass(frozen=True)
class Validators:
    """The ETag and Last-Modified of a response, for the conditions of the next request."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of a conditional request."""
        conditions = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in conditions.items() if value}


@dataclass(frozen=True)
class Content:
    """A fetched file. `is_delimited`: the response declared its length, so that a truncated body would be an error."""

    data: bytes
    validators: Validators
    is_delimited: bool


@dataclass(frozen=True)
class NotModified:
    """The file has not changed since the validators were stored."""


@dataclass(frozen=True)
class NoSuchFile:
    """The source does not have the file."""


Answer = Content | NotModified | NoSuchFile


class FetchError(FootballError):
    """A file could not be fetched. `is_transient`: a retry may succeed; `asks_to_stop`: no more files are requested."""

    is_transient = False
    asks_to_stop = False
    retry_after_seconds = 0.0


class UnreachableFile(FetchError):
    """The server did not respond, or with a transient error."""

    is_transient = True

    def __init__(self, message: str, *, retry_after_seconds: float = 0.0, asks_to_stop: bool = False) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.asks_to_stop = asks_to_stop


class CutOff(FetchError):
    """A body is shorter than declared, or its compression is corrupt."""

    is_transient = True


class TooLarge(FetchError):
    """A body is larger than any file of results."""


class AskedToWait(FetchError):
    """The server sent a Retry-After longer than the longest wait."""

    asks_to_stop = True


@dataclass
class Fetcher:
    """Fetch one file at a time over kept-alive connections, as a context manager."""

    manners: Manners = field(default_factory=Manners)
    _client: httpx.Client = field(init=False)
    _last_request: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._client = http_client(
            connect_seconds=self.manners.connect_seconds,
            read_seconds=self.manners.read_seconds,
            most_redirects=_MOST_REDIRECTS,
            keeps_connections=True,
            headers={"User-Agent": f"football-assets/{version('football-assets')}"},
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, validators: Validators | None = None) -> Answer:
        """Fetch a file.

        Transient errors are retried with exponential backoff, or after the Retry-After of the server.

        Raises
        ------
        FetchError
            No attempt succeeded.
        """
        return retry_transient(
            lambda: self._ask(url, validators or Validators()),
            attempts=self.manners.attempts,
            wait=self._wait,
            is_transient=lambda error: isinstance(error, FetchError) and error.is_transient,
        )

    def _wait(self, state: RetryCallState) -> float:
        backoff = wait_exponential_jitter(
            initial=self.manners.first_wait_seconds,
            max=self.manners.longest_wait_seconds,
            jitter=self.manners.first_wait_seconds,
        )
        error = state.outcome.exception() if state.outcome is not None else None
        return max(backoff(state), error.retry_after_seconds if isinstance(error, FetchError) else 0.0)

    def _ask(self, url: str, validators: Validators) -> Answer:
        self._pause()
        shown = public_url(url)
        try:
            with self._client.stream("GET", url, headers=validators.headers) as response:
                return self._answer(shown, response, is_conditional=bool(validators.headers))
        except (httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL) as error:
            raise FetchError(f"{shown} cannot be fetched: {error}") from error
        except httpx.HTTPError as error:
            raise UnreachableFile(
                f"{shown} does not answer: check the address and the network, or sync again later."
            ) from error
        finally:
            self._last_request = time.monotonic()

    def _answer(self, url: str, response: httpx.Response, *, is_conditional: bool) -> Answer:
        status = response.status_code
        if status == 304 and is_conditional:
            return NotModified()
        if status in _NO_SUCH_FILE:
            return NoSuchFile()
        if status in TRANSIENT_STATUSES:
            raise self._transient_error(url, response)
        if status != 200:
            raise FetchError(f"{url} answered {status} ({response.reason_phrase}): check the address.")
        data = self._body(url, response)
        headers = response.headers
        return Content(
            data,
            Validators(headers.get("ETag"), headers.get("Last-Modified")),
            "Content-Length" in headers or "chunked" in headers.get("Transfer-Encoding", "").lower(),
        )

    def _transient_error(self, url: str, response: httpx.Response) -> FetchError:
        answered = f"{url} answered {response.status_code} ({response.reason_phrase})"
        seconds = retry_after_seconds(response)
        if seconds > self.manners.longest_wait_seconds:
            return AskedToWait(f"{answered} and asks to wait {seconds:.0f} s: sync again then.")
        return UnreachableFile(
            f"{answered}, {self.manners.attempts} times: sync again later.",
            retry_after_seconds=seconds,
            asks_to_stop=response.status_code == 429,
        )

    def _body(self, url: str, response: httpx.Response) -> bytes:
        try:
            return self._read(url, response)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
            raise CutOff(
                f"The download of {url} was interrupted {self.manners.attempts} times: sync again later."
            ) from error

    def _read(self, url: str, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + self.manners.file_seconds
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self.manners.largest_bytes:
                raise TooLarge(
                    f"{url} is larger than {self.manners.largest_bytes / 2**20:.0f} MiB: it is not a file of results."
                )
            if time.monotonic() > deadline:
                raise UnreachableFile(f"{url} took longer than {self.manners.file_seconds:.0f} s.")
        return bytes(body)

    def _pause(self) -> None:
        if self._last_request is not None:
            time.sleep(max(0.0, self._last_request + self.manners.pause_seconds - time.monotonic()))
