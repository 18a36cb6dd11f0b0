"""The rate limit of `haproxy_rates.py`, tried with the HAProxy that Ray brings."""

import base64
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from football_assets_tests.builders.proxies import (
    BACKEND,
    WRAPPER,
    Proxy,
    environment_of,
    generated,
    running_proxy,
)
from serve.haproxy import edit
from serve.haproxy_rates import FURTHER_KEYS, KEY, RATE, RateLimit, key_variables, rate_limit_of
from serve.problems import MEDIA_TYPE, Problem

BODY = b'{"league": "eng.1"}'
FIRST, SECOND = 'first key: "1" $HOME', "second key"
SLOW = RateLimit(0.01, 5)  # five requests, and the next after minutes
COUNTED = ("POST", "/predict")


def ask(
    proxy: Proxy, key: str | None = None, source: str = "127.0.0.1", request: tuple[str, str] = COUNTED
) -> httpx.Response:
    """A request from an address of this machine."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source), timeout=30) as client:
        headers = {} if key is None else {"X-API-Key": key}
        method, path = request
        content = BODY if method == "POST" else None
        return client.request(method, proxy.url + path, headers=headers, content=content)


def statuses(proxy: Proxy, count: int, key: str | None = None, source: str = "127.0.0.1") -> list[int]:
    return [ask(proxy, key, source).status_code for _ in range(count)]


def test_requests_beyond_the_burst_of_a_key_get_429_and_another_key_is_not_affected(tmp_path: Path) -> None:
    with running_proxy(tmp_path, keys=[FIRST, SECOND], rate=SLOW) as proxy:
        assert statuses(proxy, 8, FIRST) == [200] * 5 + [429] * 3
        assert statuses(proxy, 1, FIRST, "127.0.0.2") == [429], "the limit is of the key, not of the address"
        assert statuses(proxy, 6, SECOND) == [200] * 5 + [429]
        assert len(proxy.replica.requests) == 10, "no rejected request reached the replica"

        rejected = ask(proxy, FIRST)

    assert rejected.headers["content-type"] == MEDIA_TYPE
    assert rejected.headers["retry-after"] == "600"
    problem = Problem.model_validate(rejected.json())
    assert (problem.status, problem.title) == (429, "Too Many Requests")
    assert problem.detail == "The limit is 0.01 requests per second: try again in 600 s."


def test_the_key_counts_in_whatever_header_it_is_sent(tmp_path: Path) -> None:
    basic = base64.b64encode(f"anyone:{FIRST}".encode()).decode()
    with running_proxy(tmp_path, keys=[FIRST], rate=SLOW) as proxy:
        answers = [
            httpx.post(f"{proxy.url}/predict", content=BODY, headers=headers, timeout=30).status_code
            for headers in (
                *(
                    {"X-API-Key": FIRST},
                    {"Authorization": f"Bearer {FIRST}"},
                    {"Authorization": f"Basic {basic}"},
                ),
                *(
                    {"X-API-Key": FIRST},
                    {"Authorization": f"Bearer {FIRST}"},
                    {"Authorization": f"Basic {basic}"},
                ),
            )
        ]
    assert answers == [200] * 5 + [429]


def test_ever_new_keys_share_the_limit_of_their_address_and_take_nothing_from_a_valid_one(
    tmp_path: Path,
) -> None:
    with running_proxy(tmp_path, keys=[FIRST], rate=SLOW) as proxy:
        guesses = [ask(proxy, f"guess {number}").status_code for number in range(7)]
        assert guesses == [200] * 5 + [429] * 2  # the small replica asks for no key
        assert statuses(proxy, 1) == [429]
        assert statuses(proxy, 1, source="127.0.0.2") == [200]
        assert statuses(proxy, 5, FIRST) == [200] * 5


def test_each_address_has_a_limit_where_no_key_is_required(tmp_path: Path) -> None:
    with running_proxy(tmp_path, rate=SLOW) as proxy:
        assert statuses(proxy, 6) == [200] * 5 + [429]
        assert statuses(proxy, 6, source="127.0.0.2") == [200] * 5 + [429]


@pytest.mark.parametrize("keys", [[], [FIRST]])
def test_probes_and_scrapes_are_never_rejected_and_do_not_count(tmp_path: Path, keys: list[str]) -> None:
    free = [("GET", path) for path in ("/health", "/ready", "/-/healthz", "/-/routes", "/metrics")]
    key = keys[0] if keys else None
    with running_proxy(tmp_path, keys=keys, rate=SLOW) as proxy:
        before = [ask(proxy, key, request=one).status_code for one in free * 3]
        assert statuses(proxy, 6, key) == [200] * 5 + [429]
        after = [ask(proxy, key, request=one).status_code for one in free]
        assert (before, after) == ([200] * 15, [200] * 5)
        # Of the same paths other methods count, and so do scrapes without the key where one is required.
        assert ask(proxy, key, request=("POST", "/health")).status_code == 429
        if keys:
            scrapes = [ask(proxy, request=("GET", "/metrics")).status_code for _ in range(6)]
            assert scrapes == [200] * 5 + [429]


def test_a_client_that_never_pauses_is_answered_as_often_as_the_limit_allows(tmp_path: Path) -> None:
    limit = RateLimit(per_second=10, burst=5)
    with running_proxy(tmp_path, rate=limit) as proxy, httpx.Client(base_url=proxy.url) as client:
        started = time.monotonic()
        answered = rejected = 0
        while answered < 25:
            status = client.post("/predict", content=BODY).status_code
            assert status in (200, 429)
            answered, rejected = answered + (status == 200), rejected + (status == 429)
        seconds = time.monotonic() - started
    assert rejected > 0
    assert seconds > (25 - 2 * limit.burst) / limit.per_second, "the limit holds; a busy machine takes longer"


def test_a_client_that_waits_for_retry_after_is_answered(tmp_path: Path) -> None:
    with running_proxy(tmp_path, rate=RateLimit(per_second=5, burst=5)) as proxy:
        while (rejected := ask(proxy)).status_code == 200:
            pass
        time.sleep(int(rejected.headers["retry-after"]))
        assert ask(proxy).status_code == 200


def test_without_a_limit_nothing_is_counted(tmp_path: Path) -> None:
    text = edit(generated(tmp_path, replicas=[20_001]), ["127.0.0.1:8000"])
    assert "stick-table" not in text
    assert "track-sc0" not in text


def test_the_keys_are_in_the_environment_of_haproxy_and_not_in_its_configuration(tmp_path: Path) -> None:
    generated(tmp_path, replicas=[20_001])
    file = tmp_path / "haproxy.cfg"
    script = tmp_path / "show"
    script.write_text("#!/bin/sh\nenv\n")
    script.chmod(0o755)
    environment = environment_of(tmp_path, ["127.0.0.1:8000"], str(script))
    environment |= {KEY: FIRST, FURTHER_KEYS: f" {SECOND} ,third key", RATE: RateLimit(20, 40).to_variable()}

    shown = subprocess.run(
        [WRAPPER, "-f", file], env=environment, check=True, capture_output=True, text=True
    ).stdout

    assert f"FOOTBALL_HAPROXY_KEY_1={SECOND}\n" in shown
    assert "FOOTBALL_HAPROXY_KEY_2=third key\n" in shown
    text = file.read_text()
    assert not [key for key in (FIRST, SECOND, "third key") if key in text]
    assert 'acl has_key_2 req.fhdr(x-api-key) -m str -- "${FOOTBALL_HAPROXY_KEY_2}"' in text
    assert "store gpc0,gpc0_rate(2000ms)" in text
    assert f"backend {BACKEND}" in text


def test_probes_and_scrapes_of_every_application_are_free(tmp_path: Path) -> None:
    text = edit(
        generated(tmp_path, replicas=[20_001], prefix="/gpu"), ["127.0.0.1:8000"], limit=RateLimit(1, 1)
    )
    assert "{ path /-/healthz /-/routes /gpu/health /gpu/ready }" in text
    assert "{ path /gpu/metrics }" in text


def test_a_reload_reads_the_same_limit() -> None:
    """Each reload runs the wrapper again: the variables must have the limit of the first start."""
    limit = RateLimit(0.5, 30)
    assert rate_limit_of({RATE: limit.to_variable()}) == limit
    assert (limit.period_milliseconds, limit.retry_after_seconds) == (60_000, 62)
    assert rate_limit_of({}) is None
    assert rate_limit_of({RATE: ""}) is None
    assert key_variables({}) == {}
