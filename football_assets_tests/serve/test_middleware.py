"""The gate in front of the routes: identifiers, sizes, room, and what is counted."""

import asyncio
import re

import httpx
import pytest

from football_assets_tests.builders.running import Client, ServingLog, in_chunks
from serve.metrics import ServingMetrics
from serve.middleware import Gate, Limits, Message, Receive, Scope, Send
from serve.problems import MEDIA_TYPE, REQUEST_ID

KEY = "a key of the test"


class Echo:
    """Answers with the body it was sent; while `held` is not set, after reading it."""

    def __init__(self) -> None:
        self.arrived = 0
        self.held: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived += 1
        if scope["path"] == "/fails":
            raise RuntimeError("a secret of the server")
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if self.held is not None:
            await self.held.wait()
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": body or scope[REQUEST_ID].encode()})


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def metrics() -> ServingMetrics:
    return ServingMetrics()


@pytest.fixture
def echo_client(echo: Echo, metrics: ServingMetrics) -> Client:
    return Client(Gate(echo, Limits(body_bytes=1000, requests_at_once=2), (), metrics))


def samples(metrics: ServingMetrics, name: str) -> list[str]:
    return [line for line in metrics.render()[0].decode().splitlines() if line.startswith(f"football_{name}")]


@pytest.mark.parametrize("given", ["a", "abc-123_x.Y", "x" * 64])
def test_a_request_keeps_the_identifier_that_it_brings(echo_client: Client, given: str) -> None:
    answer = echo_client.get("/", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == answer.text == given


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", 'a"b', "a\tb", "a/b", b"\xff\xfe"])
def test_an_identifier_that_is_none_is_replaced(echo_client: Client, given: str | bytes) -> None:
    answer = echo_client.get(
        "/", headers=[(b"x-request-id", given if isinstance(given, bytes) else given.encode())]
    )
    own = answer.headers.get_list("x-request-id")[0]
    assert re.fullmatch(r"[0-9a-f]{32}", own)
    assert answer.text == own


def test_two_requests_never_share_an_identifier(echo_client: Client) -> None:
    assert len({echo_client.get("/").text for _ in range(100)}) == 100


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_up_to_the_limit_passes_and_a_larger_one_is_refused(
    echo_client: Client, metrics: ServingMetrics, announced: bool
) -> None:
    def send(size: int) -> httpx.Response:
        body = b"x" * size
        return echo_client.post("/", content=body if announced else in_chunks(body, 100))

    assert send(1000).content == b"x" * 1000
    refused = send(1001)
    assert refused.status_code == 413
    assert refused.headers["content-type"] == MEDIA_TYPE
    assert "1,000 bytes" in refused.json()["detail"]
    assert samples(metrics, "rejected_requests_total") == [
        'football_rejected_requests_total{reason="too_large"} 1.0'
    ]
    assert send(10).content == b"x" * 10


def test_a_body_that_announces_to_be_too_large_is_refused_unread(echo_client: Client, echo: Echo) -> None:
    assert echo_client.post("/", content=b"x" * 1001).status_code == 413
    assert echo.arrived == 0


def test_posts_beyond_the_room_are_refused_at_once_while_others_are_answered(
    echo_client: Client, echo: Echo, metrics: ServingMetrics
) -> None:
    async def arrived(count: int) -> None:
        async with asyncio.timeout(60):
            while echo.arrived < count:
                await asyncio.sleep(0)

    async def crowd() -> tuple[list[httpx.Response], httpx.Response, httpx.Response]:
        echo.held = asyncio.Event()
        working = [asyncio.create_task(echo_client.send("POST", "/", content=str(n))) for n in range(2)]
        await arrived(2)
        assert samples(metrics, "queue_depth ") == ["football_queue_depth 2.0"]
        refused = await echo_client.send("POST", "/", content="3")
        reading = asyncio.create_task(echo_client.send("GET", "/"))
        await arrived(3)
        echo.held.set()
        return await asyncio.gather(*working), refused, await reading

    answers, refused, read = echo_client.run(crowd())

    assert [answer.text for answer in answers] == ["0", "1"]
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == MEDIA_TYPE
    assert "2 requests" in refused.json()["detail"]
    assert read.status_code == 200
    assert samples(metrics, "rejected_requests_total") == [
        'football_rejected_requests_total{reason="saturated"} 1.0'
    ]
    assert samples(metrics, "queue_depth ") == ["football_queue_depth 0.0"]
    assert echo_client.post("/", content="again").text == "again"


def test_a_request_that_fails_leaves_its_place_to_another(echo_client: Client) -> None:
    for _ in range(5):
        assert echo_client.post("/fails").status_code == 500
    assert echo_client.post("/", content="x").status_code == 200


def test_a_failure_is_a_problem_document_that_tells_nothing_of_the_server(
    echo_client: Client, metrics: ServingMetrics, serving_log: ServingLog
) -> None:
    answer = echo_client.get("/fails", headers={"X-Request-ID": "it-failed"})

    assert answer.status_code == 500
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["request_id"] == "it-failed"
    assert "secret" not in answer.text
    assert "it-failed" in serving_log.text()
    assert "a secret of the server" in serving_log.text()
    assert samples(metrics, "requests_total") == [
        'football_requests_total{method="GET",route="unmatched",status="500"} 1.0'
    ]


def test_every_answer_says_how_a_browser_has_to_treat_it(echo_client: Client) -> None:
    for path in ("/", "/fails"):
        headers = echo_client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_a_refused_key_is_counted_and_reaches_no_route(echo: Echo, metrics: ServingMetrics) -> None:
    echo_client = Client(Gate(echo, Limits(), [KEY], metrics))

    assert echo_client.post("/predict", headers={"X-API-Key": "another"}).status_code == 401

    assert echo.arrived == 0
    assert samples(metrics, "rejected_requests_total") == [
        'football_rejected_requests_total{reason="unauthorized"} 1.0'
    ]
    assert echo_client.post("/predict", headers={"X-API-Key": KEY}).status_code == 200
    assert echo_client.get("/health").status_code == 200


@pytest.mark.parametrize("announced", [b"10", "²".encode()])
def test_a_body_is_measured_whatever_length_it_announces(echo_client: Client, announced: bytes) -> None:
    for size, status in ((1000, 200), (5000, 413)):
        answer = echo_client.post(
            "/", content=in_chunks(b" " * size), headers=[(b"content-length", announced)]
        )
        assert answer.status_code == status
