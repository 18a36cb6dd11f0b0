"""The HTTP client: limits, redirects, proxies, retries, and what is never logged or named."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from tenacity import wait_exponential

from football_assets.runtime.http import http_client, public_url, retry_after_seconds, retry_transient
from football_assets_tests.builders.source_server import SourceServer, run_source_server, silence, status

FILE = "/file"


@pytest.fixture
def server() -> Iterator[SourceServer]:
    with run_source_server() as server:
        server.files[FILE] = b"content"
        yield server


def test_a_redirect_is_the_response_unless_redirects_are_allowed(server: SourceServer) -> None:
    server.fail("/old", status(302, Location=FILE), status(302, Location=FILE))

    with http_client(read_seconds=5) as client:
        assert client.get(f"{server.address}/old").status_code == 302
    with http_client(read_seconds=5, most_redirects=1) as client:
        assert client.get(f"{server.address}/old").content == b"content"
    assert server.paths == ["/old", "/old", FILE]


def test_more_redirects_than_allowed_are_an_error(server: SourceServer) -> None:
    server.fail("/round", *[status(302, Location="/round")] * 9)

    with http_client(read_seconds=5, most_redirects=3) as client, pytest.raises(httpx.TooManyRedirects):
        client.get(f"{server.address}/round")
    assert server.paths == ["/round"] * 4


def test_a_silent_server_is_a_timeout(server: SourceServer) -> None:
    server.fail(FILE, silence)

    with http_client(read_seconds=0.05) as client, pytest.raises(httpx.ReadTimeout):
        client.get(server.address + FILE)


def test_headers_go_with_every_request(server: SourceServer) -> None:
    with http_client(read_seconds=5, headers={"User-Agent": "football"}) as client:
        client.get(server.address + FILE)

    assert server.requests[0].headers["user-agent"] == "football"


@pytest.mark.parametrize("keeps", [True, False])
def test_connections_are_reused_only_if_they_are_kept(server: SourceServer, keeps: bool) -> None:
    ports = []

    def note(response: httpx.Response) -> None:
        ports.append(response.extensions["network_stream"].get_extra_info("client_addr")[1])

    with http_client(read_seconds=5, keeps_connections=keeps) as client:
        client.event_hooks = {"response": [note]}
        for _ in range(2):
            client.get(server.address + FILE)

    assert (len(set(ports)) == 1) is keeps


def test_a_proxy_of_the_environment_is_used_but_for_the_hosts_without_one(
    server: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.files["http://results.example/E0.csv"] = b"by proxy"

    with http_client(read_seconds=5) as client:
        assert client.get("http://results.example/E0.csv").content == b"by proxy"
        assert client.get(server.address + FILE).content == b"content"


def test_no_url_is_logged_at_info(server: SourceServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), http_client(read_seconds=5) as client:
        client.get(f"{server.address}{FILE}?token=secret")

    assert caplog.text == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a/E0.csv", "https://example.org/a/E0.csv"),
        ("https://me:secret@example.org:8080/a", "https://example.org:8080/a"),
        ("https://example.org/a?token=secret&key=secret", "https://example.org/a?token=…&key=…"),
        ("https://example.org/a#secret", "https://example.org/a"),
        ("https://[secret", "the URL"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0.0), ("7", 7.0), (" 12 ", 12.0), ("soon", 0.0), ("-3", 0.0), ("1.5", 0.0), ("", 0.0)],
)
def test_the_seconds_to_wait_are_read_from_the_response(header: str | None, seconds: float) -> None:
    response = httpx.Response(429, headers={} if header is None else {"Retry-After": header})

    assert retry_after_seconds(response) == seconds


def test_a_date_to_wait_for_is_seconds_from_now() -> None:
    def seconds(moment: datetime) -> float:
        return retry_after_seconds(
            httpx.Response(503, headers={"Retry-After": format_datetime(moment, usegmt=True)})
        )

    assert 3590 < seconds(datetime.now(UTC) + timedelta(hours=1)) <= 3600
    assert seconds(datetime.now(UTC) - timedelta(hours=1)) == 0.0


def test_transient_errors_are_retried_with_exponential_backoff() -> None:
    errors = [OSError("busy"), OSError("busy")]
    waits: list[float] = []

    def call() -> str:
        if errors:
            raise errors.pop()
        return "answer"

    answer = retry_transient(
        call,
        attempts=3,
        wait=wait_exponential(multiplier=1),
        is_transient=lambda error: isinstance(error, OSError),
        sleep=waits.append,
    )

    assert answer == "answer"
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(("error", "calls"), [(OSError("busy"), 3), (ValueError("wrong"), 1)])
def test_the_last_error_is_raised_after_the_bound_and_others_at_once(error: Exception, calls: int) -> None:
    made = []

    def call() -> None:
        made.append(1)
        raise error

    with pytest.raises(type(error)) as raised:
        retry_transient(
            call,
            attempts=3,
            wait=wait_exponential(),
            is_transient=lambda error: isinstance(error, OSError),
            sleep=lambda seconds: None,
        )

    assert raised.value is error
    assert len(made) == calls
