"""What `haproxy.py` makes of the configuration that the pinned Ray generates, tried with the HAProxy that Ray brings.

Replicas are small servers here; `end_to_end/test_serving.py` tries the same with real ones.
"""

import base64
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from football_assets_tests.builders.other_machine import other_machine
from football_assets_tests.builders.proxies import (
    BACKEND,
    WRAPPER,
    Proxy,
    bound,
    environment_of,
    generated,
    queued,
    running_proxy,
    status,
    wait_for,
)
from serve import haproxy
from serve.haproxy import FORECASTS, QUEUE_LENGTH, SIDE_CLASSES, UnexpectedConfiguration, edit
from serve.launch import CONFIG, ray_environment
from serve.problems import MEDIA_TYPE, Problem

BODY = b'{"league": "eng.1"}'
PLACES = FORECASTS.places or 0
SECRET = 'a key: "1" $HOME %[x]'
NO_LIMITS = httpx.Limits(max_connections=None)
SLOW_BODY = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n123456789"  # 9 bytes of 500
SLOW_CHUNKS = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"
SLOW_HEAD = b"GET /health HTTP/1.1\r\nHos"


@pytest.fixture(scope="module")
def first_configuration(tmp_path_factory: pytest.TempPathFactory) -> str:
    return generated(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> str:
    return generated(tmp_path_factory.mktemp("with replicas"), replicas=[20_001, 20_002])


# The edit


def test_statistics_and_metrics_move_to_loopback_and_the_endpoint_to_the_addresses(
    configuration: str,
) -> None:
    text = edit(configuration, ["0.0.0.0:8000", "ipv6@[::1]:8000"])

    before, after = bound(configuration), bound(text)
    assert [address for address in before if address.startswith((":", "*:"))] == [before[0], before[-1]]
    metrics, statistics = (address.rpartition(":")[2] for address in (before[0], before[-1]))
    assert after == [
        f"127.0.0.1:{metrics}",
        "0.0.0.0:8000",
        "ipv6@[::1]:8000",
        f"127.0.0.1:{statistics}",
    ]


def test_each_class_has_all_servers_with_its_places(configuration: str) -> None:
    text = edit(configuration, ["127.0.0.1:8000"])

    for one in (FORECASTS, *SIDE_CLASSES):
        section = re.search(rf"^backend {BACKEND}{one.suffix}\n((?: .*\n)*)", text, re.MULTILINE)
        assert section is not None
        servers = re.findall(r"server (\S+) 127\.0\.0\.1:(\d+) (.*)", section[1])
        assert [(name, port) for name, port, _ in servers] == [
            ("SERVE_REPLICA-20001", "20001"),
            ("SERVE_REPLICA-20002", "20002"),
            ("SERVE_PROXY_ACTOR-1", "1"),
        ]
        places = [re.findall(r"maxconn (\d+)", rest) for *_, rest in servers]
        assert places == [[str(one.places)] if one.places else []] * 2 + [[]]
        assert ["backup" in rest for *_, rest in servers] == [False, False, True]
    in_ray = re.findall(r"requests_at_once: (\d+)", CONFIG.read_text())
    assert [PLACES + (SIDE_CLASSES[1].places or 0) < int(number) for number in in_ray] == [True]


def test_an_edited_configuration_is_not_edited_again(configuration: str) -> None:
    text = edit(configuration, ["127.0.0.1:8000"])
    assert edit(text, ["127.0.0.1:9000"]) == text


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (r"frontend prometheus", "frontend metrics", "`frontend prometheus` has 0 lines"),
        (r"    bind :(\d+)", r"    bind [::]:\1", "`frontend prometheus` has 0 lines"),
        (r"  bind \*:(\d+)", r"  bind *:\1\n  bind *:1\n", "`listen stats` has 2 lines"),
        (r"frontend http_frontend", "frontend endpoint", "`frontend http_frontend` has 0 lines"),
        (r"listen stats", "frontend other\n    bind *:1\nlisten stats", "`frontend other` listens"),
        (r"use_backend (\S+) if is_\S+", r"use_backend %[var(txn.backend)]", "has 0 lines like `use_backend"),
        (r"acl is_\S+ path /\n", "", "has 0 lines like `acl is_"),
        (r"return status 404", "return status 410", "`backend default_backend` has 0 lines"),
        (r"http-reuse always", "http-reuse safe", "has 0 lines like `http-reuse always`"),
        (r"127.0.0.1:20002 check", "127.0.0.1:20002 proto h2 check", "is not a server as it is expected"),
        (r"\Z", "listen stats\n", "`listen stats` occurs twice"),
    ],
)
def test_a_configuration_of_another_ray_is_refused_with_the_line(
    configuration: str, pattern: str, replacement: str, reason: str
) -> None:
    changed = re.sub(pattern, replacement, configuration, count=1)
    assert changed != configuration
    with pytest.raises(UnexpectedConfiguration, match=re.escape(reason)):
        edit(changed, ["127.0.0.1:8000"])


def test_the_wrapper_edits_the_file_and_becomes_haproxy(first_configuration: str, tmp_path: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    file.write_text(first_configuration)

    shown = subprocess.run(
        [WRAPPER, "-db", "-f", file, "-x", "a b"],
        env=environment_of(tmp_path, ["127.0.0.2:8000"], "/bin/echo"),
        check=True,
        capture_output=True,
        text=True,
    )

    assert shown.stdout == f"-db -f {file} -x a b\n"
    assert file.read_text() == edit(first_configuration, ["127.0.0.2:8000"])


def test_the_wrapper_starts_no_haproxy_and_leaves_the_reason_where_the_file_is_not_as_expected(
    tmp_path: Path,
) -> None:
    file = tmp_path / "haproxy.cfg"
    file.write_text("global\n    maxconn 1\n")

    refused = subprocess.run(
        [WRAPPER, "-db", "-f", file],
        env=environment_of(tmp_path, ["127.0.0.1:8000"], "/bin/echo"),
        capture_output=True,
        text=True,
    )

    assert (refused.returncode, refused.stdout) == (1, "")
    reason = Path(ray_environment(tmp_path, [])[haproxy.PROBLEM_FILE]).read_text()
    assert reason in refused.stderr
    assert "`frontend prometheus` has 0 lines" in reason


# HAProxy itself


def slow_client(proxy: Proxy, data: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
    client.sendall(data)
    return client


def test_slow_clients_get_408_take_no_place_and_others_are_answered(tmp_path: Path) -> None:
    with running_proxy(tmp_path, http_request=3) as proxy, ExitStack() as stack:
        slow = [
            stack.enter_context(slow_client(proxy, data))
            for data in (SLOW_BODY, SLOW_CHUNKS, SLOW_HEAD)
            for _ in range(60)
        ]

        answers = [httpx.post(f"{proxy.url}/predict", content=BODY, timeout=30) for _ in range(5)]
        answers += [httpx.get(f"{proxy.url}{path}", timeout=30) for path in ("/health", "/ready", "/page")]

        assert [answer.status_code for answer in answers] == [200] * 8
        reached = [*["POST /predict"] * 5, "GET /health", "GET /ready", "GET /page"]
        assert proxy.replica.requests == reached
        received = [client.recv(1 << 16) for client in slow]
        assert [data[:12] for data in received] == [b"HTTP/1.1 408"] * 180
        problem = Problem.model_validate_json(received[0].rpartition(b"\r\n\r\n")[2])
        assert (problem.status, problem.title) == (408, "Request Timeout")
        assert proxy.replica.requests == reached


def answer_to(proxy: Proxy, data: bytes) -> tuple[bytes, Problem]:
    """The status line and the problem document that HAProxy answers with."""
    with slow_client(proxy, data) as client:
        answer = b""
        while b"}" not in answer and (part := client.recv(1 << 16)):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\ncontent-type: application/problem+json\r\n" in head.lower() + b"\r\n"
    return head.partition(b"\r\n")[0], Problem.model_validate_json(body)


def test_what_the_parser_of_a_replica_rejects_gets_400_as_a_problem_document(tmp_path: Path) -> None:
    with running_proxy(tmp_path) as proxy:
        line, problem = answer_to(proxy, b"GET /malformed HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (line[:12], problem.status) == (b"HTTP/1.1 400", 400)
        assert proxy.replica.requests == ["GET /malformed"]


@pytest.mark.parametrize("method", ["FOO", "get", "BREW"])
def test_a_method_that_nobody_knows_gets_501_as_a_problem_document(tmp_path: Path, method: str) -> None:
    with running_proxy(tmp_path) as proxy:
        line, problem = answer_to(proxy, f"{method} /health HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (line[:12], problem.status) == (b"HTTP/1.1 501", 501)
        assert proxy.replica.requests == []


def test_a_path_of_no_application_gets_404_as_a_problem_document(tmp_path: Path) -> None:
    with running_proxy(tmp_path) as proxy:
        line, problem = answer_to(proxy, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (line[:12], problem.status) == (b"HTTP/1.1 404", 404)


@contextmanager
def held_forecasts(proxy: Proxy, count: int) -> Iterator[list[Future[httpx.Response]]]:
    """POST requests that the replica does not answer before the block ends."""
    proxy.replica.free.clear()
    with (
        httpx.Client(base_url=proxy.url, timeout=60, limits=NO_LIMITS) as client,
        ThreadPoolExecutor(count) as pool,
    ):
        try:
            yield [pool.submit(client.post, "/predict", content=BODY) for _ in range(count)]
        finally:
            proxy.replica.free.set()


def assert_refusal(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert Problem.model_validate(answer.json()).status == 503


def test_requests_beyond_places_and_queue_are_refused_at_once_and_health_is_answered(tmp_path: Path) -> None:
    most = PLACES + QUEUE_LENGTH + 1
    with running_proxy(tmp_path, queue=60) as proxy:
        with held_forecasts(proxy, most) as held:
            wait_for(lambda: (proxy.replica.waiting, queued(proxy)) == (PLACES, QUEUE_LENGTH + 1))

            assert_refusal(httpx.post(f"{proxy.url}/predict", content=BODY, timeout=30))
            assert [status(proxy, path) for path in ("/health", "/ready")] == [200, 200]
            assert not any(one.done() for one in held)

        assert [one.result().status_code for one in held] == [200] * most


def test_a_request_that_waited_in_vain_is_refused_in_the_same_words(tmp_path: Path) -> None:
    with running_proxy(tmp_path, queue=1) as proxy, held_forecasts(proxy, PLACES) as held:
        wait_for(lambda: proxy.replica.waiting == PLACES)
        assert_refusal(httpx.post(f"{proxy.url}/predict", content=BODY, timeout=30))
        assert not any(one.done() for one in held)


def test_a_long_request_that_stays_incomplete_takes_no_place_of_a_forecast(tmp_path: Path) -> None:
    """HAProxy holds a part of it only; the rest arrives while a replica waits."""
    part = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"{" * 500_000
    with running_proxy(tmp_path) as proxy, ExitStack() as stack:
        for _ in range(PLACES + 1):
            stack.enter_context(slow_client(proxy, part))
        answers = [httpx.post(f"{proxy.url}/predict", content=BODY, timeout=30) for _ in range(3)]
        whole_batch = httpx.post(f"{proxy.url}/predict/batch", content=b" " * 90_000, timeout=30)
        assert [answer.status_code for answer in (*answers, whole_batch)] == [200] * 4


def test_statistics_and_metrics_cannot_be_reached_from_another_machine_and_the_endpoint_can(
    tmp_path: Path,
) -> None:
    with other_machine() as other, running_proxy(tmp_path, host="0.0.0.0") as proxy:
        metrics, endpoint, statistics = (
            int(address.rpartition(":")[2]) for address in bound(proxy.configuration.read_text())
        )
        assert [other.reaches(port) for port in (endpoint, metrics, statistics)] == [True, False, False]
        assert other.get(endpoint, "/health") == "ok\n"
        with (
            socket.create_connection(("127.0.0.1", metrics)),
            socket.create_connection(("127.0.0.1", statistics)),
        ):
            pass


@pytest.mark.parametrize("host", ["::", "::1", "localhost", "127.0.0.2"])
def test_the_endpoint_answers_on_the_address_of_the_host_and_on_loopback(tmp_path: Path, host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("This machine has no IPv6.")
    shown = {"::": "[::1]", "::1": "[::1]"}.get(host, host)
    with running_proxy(tmp_path, host=host) as proxy:
        for name in (shown, "127.0.0.1"):
            assert httpx.get(f"http://{name}:{proxy.port}/health", timeout=30).text == "ok"


def test_loopback_alone_is_what_others_do_not_reach(tmp_path: Path) -> None:
    with other_machine() as other, running_proxy(tmp_path) as proxy:
        assert not other.reaches(proxy.port)
        assert status(proxy, "/health") == 200


def test_health_below_a_route_prefix_has_no_places(tmp_path: Path) -> None:
    text = edit(generated(tmp_path, replicas=[20_001], prefix="/football"), ["127.0.0.1:8000"])
    assert (
        f"use_backend {BACKEND}-probes if is_{BACKEND} METH_GET {{ path /football/health /football/ready }}"
        in text
    )


def test_a_valid_request_identifier_passes_and_any_other_is_deleted(tmp_path: Path) -> None:
    valid = ["a", "abc-123_x.Y", "x" * 64]
    with running_proxy(tmp_path) as proxy:
        for identifier in (*valid, "x" * 65, "two words", "a/b", "a,b", "", "a\xe9"):
            headers = {b"X-Request-ID": identifier.encode("latin-1")}
            assert httpx.post(f"{proxy.url}/predict", content=BODY, headers=headers).status_code == 200
        two = [(b"X-Request-ID", b"a"), (b"X-Request-ID", b"b")]
        httpx.post(f"{proxy.url}/predict", content=BODY, headers=two)

        assert proxy.replica.identifiers == [*([identifier] for identifier in valid), *([[]] * 7)]


# Applications that scale to zero


def test_an_application_without_a_replica_answers_503_and_serve_sees_the_request_for_a_moment(
    tmp_path: Path,
) -> None:
    with running_proxy(tmp_path, from_zero=True, keys=[SECRET]) as proxy:
        proxy.replica.free.clear()  # as Serve's own proxy holds a request until a replica runs
        try:
            basic = base64.b64encode(f"anyone:{SECRET}".encode()).decode()
            with_key = [
                {"X-API-Key": SECRET},
                {"Authorization": f"Bearer {SECRET}"},
                {"Authorization": f"bearer {SECRET}"},
                {"Authorization": f"Basic {basic}"},
            ]
            answers = [
                httpx.post(f"{proxy.url}/predict", content=BODY, headers=headers, timeout=30)
                for headers in with_key
            ]
            wait_for(lambda: proxy.replica.requests == ["POST /predict"] * 4)
            unauthorized = [
                httpx.post(f"{proxy.url}/predict", content=BODY, headers=headers, timeout=30)
                for headers in ({}, {"X-API-Key": "another"}, {"Authorization": "Bearer another"})
            ]
            answers.append(httpx.get(f"{proxy.url}/health", headers=with_key[0], timeout=30))
        finally:
            proxy.replica.free.set()
        assert proxy.replica.requests == ["POST /predict"] * 4, (
            "a probe, or a request without the key, starts none"
        )
    for answer in unauthorized:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert Problem.model_validate(answer.json()).status == 401
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == str(haproxy.RETRY_AFTER_START_SECONDS)
        assert Problem.model_validate(answer.json()).status == 503


def test_an_application_that_scales_to_zero_answers_once_a_replica_runs(tmp_path: Path) -> None:
    text = edit(generated(tmp_path, replicas=[20_001]), ["127.0.0.1:8000"], ["football"])
    assert f"acl runs_{BACKEND} srv_is_up({BACKEND}/SERVE_REPLICA-20001)" in text
    assert f"use_backend {BACKEND}-from-zero if is_{BACKEND} !runs_{BACKEND}\n" in text


def test_applications_that_are_not_named_or_not_deployed_keep_waiting(configuration: str) -> None:
    plain = edit(configuration, ["127.0.0.1:8000"])
    assert edit(configuration, ["127.0.0.1:8000"], ["another"]) == plain
    assert "from-zero" not in plain
