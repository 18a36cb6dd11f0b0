"""Fetching over HTTP: what is tried again, what is not, and what a body must be."""

import gzip
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from football_assets.raw.sync import fetching
from football_assets.raw.sync.fetching import (
    AskedToWait,
    Content,
    CutOff,
    Fetcher,
    FetchError,
    Manners,
    NoSuchFile,
    NotModified,
    TooLarge,
    UnreachableFile,
    Validators,
)
from football_assets_tests.builders.source_server import (
    LAST_MODIFIED,
    Answering,
    Fault,
    SourceServer,
    body,
    cut_short,
    hang_up,
    silence,
    status,
    without_length,
)

FILE = "/2025-26/en.1.json"
DATA = b'{"matches": []}\n'
QUICK = Manners(
    pause_seconds=0,
    attempts=3,
    first_wait_seconds=0.001,
    longest_wait_seconds=2,
    connect_seconds=2,
    read_seconds=0.2,
    file_seconds=2,
    largest_bytes=1000,
)


@pytest.fixture
def fetcher(source: SourceServer) -> Iterator[Fetcher]:
    source.files[FILE] = DATA
    with Fetcher(QUICK) as fetcher:
        yield fetcher


def test_a_file_comes_with_its_validators_and_is_not_sent_again(
    source: SourceServer, fetcher: Fetcher
) -> None:
    first = fetcher.get(source.address + FILE)
    assert isinstance(first, Content)
    assert (first.data, first.is_delimited) == (DATA, True)
    assert first.validators.etag == source.validators_of(DATA)["ETag"]
    assert fetcher.get(source.address + FILE, first.validators) == NotModified()
    source.files[FILE] = b'{"matches": [1]}'
    changed = fetcher.get(source.address + FILE, first.validators)
    assert isinstance(changed, Content)
    assert changed.data == b'{"matches": [1]}'


def test_a_server_without_etags_is_asked_by_date(source: SourceServer, fetcher: Fetcher) -> None:
    source.has_etags = False
    first = fetcher.get(source.address + FILE)
    assert isinstance(first, Content)
    assert first.validators == Validators(last_modified=LAST_MODIFIED)
    assert fetcher.get(source.address + FILE, first.validators) == NotModified()
    assert source.requests[-1].headers["if-modified-since"] == LAST_MODIFIED
    assert "if-none-match" not in source.requests[-1].headers


def test_requests_say_who_asks(source: SourceServer, fetcher: Fetcher) -> None:
    fetcher.get(source.address + FILE)
    assert source.requests[0].headers["user-agent"].startswith("football-assets/")


@pytest.mark.parametrize("code", [300, 404, 410])
def test_a_file_that_a_source_does_not_have_is_no_error(
    source: SourceServer, fetcher: Fetcher, code: int
) -> None:
    source.fail(FILE, status(code))
    assert fetcher.get(source.address + FILE) == NoSuchFile()
    assert len(source.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        status(500),
        status(502),
        status(503),
        status(504),
        status(429),
        status(429, Retry_After="0"),
        status(429, Retry_After="soon"),
        cut_short(DATA[:5], len(DATA)),
        body(b"no gzip", Content_Encoding="gzip"),
        hang_up,
        silence,
    ],
)
def test_what_may_pass_is_tried_again(source: SourceServer, fetcher: Fetcher, fault: Fault) -> None:
    source.fail(FILE, fault)
    answer = fetcher.get(source.address + FILE)
    assert isinstance(answer, Content)
    assert answer.data == DATA
    assert source.paths == [FILE, FILE]


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (status(500), UnreachableFile, "answered 500"),
        (status(429), UnreachableFile, "answered 429 .Too Many Requests., 3 times"),
        (cut_short(DATA[:5], len(DATA)), CutOff, "was interrupted 3 times"),
        (hang_up, UnreachableFile, "does not answer"),
        (silence, UnreachableFile, "does not answer"),
    ],
)
def test_what_does_not_pass_is_an_error_after_as_many_attempts_as_allowed(
    source: SourceServer, fetcher: Fetcher, fault: Fault, kind: type[FetchError], message: str
) -> None:
    source.fail(FILE, *[fault] * 3)
    with pytest.raises(kind, match=message) as error:
        fetcher.get(source.address + FILE)
    assert source.paths == [FILE] * 3
    assert error.value.asks_to_stop is ("answered 429" in str(error.value))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of more than 10 ms that a fetcher makes, in seconds. Its clock moves by them; no time is spent."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: made.append(seconds) if seconds > 0.01 else None)
    monkeypatch.setattr(fetching, "time", SimpleNamespace(monotonic=lambda: sum(made), sleep=time.sleep))
    return made


def test_a_server_is_given_the_time_that_it_asks_for(
    source: SourceServer, fetcher: Fetcher, pauses: list[float]
) -> None:
    source.fail(FILE, status(429, Retry_After="1"))
    assert isinstance(fetcher.get(source.address + FILE), Content)
    assert source.paths == [FILE, FILE]
    assert pauses == [1.0]


@pytest.mark.parametrize("is_date", [False, True])
def test_a_server_that_asks_for_an_hour_is_left_alone(
    source: SourceServer, fetcher: Fetcher, is_date: bool
) -> None:
    moment = formatdate(time.time() + 3600, usegmt=True) if is_date else "3600"
    source.fail(FILE, status(503, Retry_After=moment))
    with pytest.raises(AskedToWait, match=r"asks to wait 3[56]\d\d s") as error:
        fetcher.get(source.address + FILE)
    assert error.value.asks_to_stop
    assert len(source.requests) == 1


@pytest.mark.parametrize("code", [204, 304, 400, 401, 403, 451, 501])
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    source: SourceServer, fetcher: Fetcher, code: int
) -> None:
    source.fail(FILE, lambda request: request.answer(code, b"", {}))
    with pytest.raises(FetchError, match=f"answered {code}"):
        fetcher.get(source.address + FILE)
    assert len(source.requests) == 1


def test_redirects_are_followed_but_not_for_ever(source: SourceServer, fetcher: Fetcher) -> None:
    source.fail("/old", status(301, Location=FILE))
    answer = fetcher.get(f"{source.address}/old")
    assert isinstance(answer, Content)
    assert answer.data == DATA
    source.fail("/round", *[status(302, Location="/round")] * 20)
    with pytest.raises(FetchError, match="cannot be fetched: Exceeded"):
        fetcher.get(f"{source.address}/round")
    assert len(source.paths) < 12


def test_a_body_above_the_limit_is_not_read_to_its_end(source: SourceServer, fetcher: Fetcher) -> None:
    source.files[FILE] = b"x" * 1001
    with pytest.raises(TooLarge, match="not a file of results"):
        fetcher.get(source.address + FILE)
    source.fail(FILE, body(gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip"))
    with pytest.raises(TooLarge):
        fetcher.get(source.address + FILE)
    assert len(source.requests) == 2


def test_a_server_that_drips_is_not_waited_for(source: SourceServer) -> None:
    def drip(request: Answering) -> None:
        request.close_connection = True
        request.send_response(200)
        request.send_header("Content-Length", "10000000")
        request.end_headers()
        with suppress(OSError):  # the client has gone
            while not source.released.wait(0.02):
                request.wfile.write(b"x" * 1000)

    source.fail(FILE, drip)
    manners = Manners(attempts=1, read_seconds=5, file_seconds=0.3)
    with Fetcher(manners) as fetcher, pytest.raises(UnreachableFile, match="took longer than"):
        fetcher.get(source.address + FILE)


def test_a_body_without_an_announced_end_is_known_as_such(source: SourceServer, fetcher: Fetcher) -> None:
    source.fail(FILE, without_length(DATA))
    answer = fetcher.get(source.address + FILE)
    assert isinstance(answer, Content)
    assert (answer.data, answer.is_delimited) == (DATA, False)


def test_requests_are_a_pause_apart(source: SourceServer, pauses: list[float]) -> None:
    source.files[FILE] = DATA
    with Fetcher(Manners(pause_seconds=0.2)) as fetcher:
        fetcher.get(source.address + FILE)
        assert pauses == []
        fetcher.get(source.address + FILE)
        time.sleep(0.15)  # of the pause 0.05 s are left
        fetcher.get(source.address + FILE)
    assert pauses == [0.2, 0.15, pytest.approx(0.05)]


@pytest.mark.parametrize("url", ["nonsense", "ftp://example.invalid/x", "http://127.0.0.1:1/x"])
def test_an_address_that_leads_nowhere_says_so(url: str) -> None:
    with Fetcher(QUICK) as fetcher, pytest.raises(FetchError) as error:
        fetcher.get(url)
    assert url in str(error.value)
