"""What strangers may send and reach: keys, hostile bodies, other origins and hosts, files beside the page."""

import base64
import gzip
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from football_assets_tests.builders.running import KEY, MATCH, Client, in_chunks
from serve.problems import MEDIA_TYPE, Problem

TEN_MEGABYTES = 10_000_000

MakeClient = Callable[..., Client]


def assert_problem(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert Problem.model_validate(answer.json()).status == answer.status_code


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def post_raw(client: Client, path: str, body: bytes) -> httpx.Response:
    return client.post(path, content=body, headers={"Content-Type": "application/json"})


# The key


@pytest.mark.parametrize(
    "header",
    [
        ("X-API-Key", KEY),
        ("x-api-key", KEY),
        ("Authorization", f"Bearer {KEY}"),
        ("Authorization", f"bearer {KEY}"),
        ("Authorization", basic("anyone", KEY)),
        ("Authorization", basic("", KEY)),
    ],
)
def test_the_key_is_taken_from_each_header_that_can_hold_it(guarded: Client, header: tuple[str, str]) -> None:
    name, value = header
    answer = guarded.post("/predict", json=MATCH, headers=[(name.encode(), value.encode())])
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-api-key", b"")],
        [(b"x-api-key", b"wrong")],
        [(b"x-api-key", KEY.encode() + b"x")],
        [(b"x-api-key", KEY.encode()[:-1])],
        [(b"x-api-key", b"\xff\xfe\x80")],
        [(b"x-api-key", b"wrong"), (b"authorization", f"Bearer {KEY}".encode())],
        [(b"authorization", b"")],
        [(b"authorization", KEY.encode())],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer \xff\xfe")],
        [(b"authorization", b"Digest " + KEY.encode())],
        [(b"authorization", b"Basic " + KEY.encode())],
        [(b"authorization", b"Basic \xff\xfe\xfd\xfc")],
        [(b"authorization", b"Basic a")],
        [(b"authorization", basic(KEY, "").encode())],
        [(b"authorization", basic(KEY, "wrong").encode())],
        [(b"authorization", b"Basic " + base64.b64encode(KEY.encode().split(b":")[0]))],
        [(b"cookie", f"X-API-Key={KEY}".encode())],
    ],
)
def test_without_the_key_there_is_no_answer(guarded: Client, headers: list[tuple[bytes, bytes]]) -> None:
    answer = guarded.post("/predict", json=MATCH, headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert KEY not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/page/page.js", "/docs", "/docs/swagger-ui.css", "/openapi.json"),
        *("/fixtures", "/teams", "/leagues", "/teams/eng.1/Arsenal", "/model", "/metrics", "/drift"),
        *("/nothing", "/health/", "/health/x", "/Health", "//health", "/ready%2f"),
    ],
)
def test_all_but_health_and_readiness_asks_for_the_key(guarded: Client, path: str) -> None:
    assert_problem(guarded.get(path), 401)


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_and_readiness_are_open(guarded: Client, path: str) -> None:
    assert guarded.get(path).status_code == 200


def test_a_key_in_the_address_is_none(guarded: Client) -> None:
    assert_problem(guarded.get(f"/leagues?api_key={KEY}&X-API-Key={KEY}"), 401)


# Hostile bodies


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/predict/sequences"])
@pytest.mark.parametrize("announced", [True, False])
def test_ten_megabytes_are_refused_whether_or_not_their_length_is_announced(
    client: Client, path: str, announced: bool
) -> None:
    body = b'{"league": "' + b"a" * TEN_MEGABYTES + b'"}'

    # A server may close the connection while the body is still being sent.
    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        answer = client.post(
            path,
            content=body if announced else in_chunks(body),
            headers={"Content-Type": "application/json"},
        )
        assert_problem(answer, 413)
    assert client.post("/predict", json=MATCH).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="arrays left open"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="arrays"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="objects"),
        pytest.param(b'{"league":' + b"[" * 50_000 + b"]" * 50_000 + b"}", id="arrays in a field"),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/predict/sequences"])
def test_json_nested_a_hundred_thousand_deep_is_refused(client: Client, path: str, body: bytes) -> None:
    assert_problem(post_raw(client, path, body), 400, 422)
    assert client.post("/predict", json=MATCH).status_code == 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("field", ["goals_for", "days_ago", "opponent_elo"])
def test_numbers_that_are_not_finite_are_refused_with_their_field(
    client: Client, number: str, field: str
) -> None:
    match = {"goals_for": "1", "goals_against": "0", "is_home": "true", "days_ago": "3", field: number}
    text = ", ".join(f'"{name}": {value}' for name, value in match.items())
    body = f'{{"league": "eng.1", "home": {{"history": [{{{text}}}]}}, "away": {{"history": []}}}}'

    answer = post_raw(client, "/predict/sequences", body.encode())

    assert_problem(answer, 422)
    assert [error["field"] for error in answer.json()["errors"]] == [f"home.history.0.{field}"]


def test_an_elo_rating_that_is_not_finite_is_refused(client: Client) -> None:
    for number in ("NaN", "Infinity", "1e999"):
        body = f'{{"league": "eng.1", "home": {{"history": [], "elo": {number}}}, "away": {{"history": []}}}}'
        answer = post_raw(client, "/predict/sequences", body.encode())
        assert_problem(answer, 422)
        assert answer.json()["errors"][0]["field"] == "home.elo"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="torn"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b'{"league": "\xc3\x28"}', id="invalid UTF-8"),
        pytest.param(b'{"league": "\xed\xa0\x80", "home_team": "a", "away_team": "b"}', id="UTF-8 surrogate"),
        pytest.param(b'{"league": "\\ud800", "home_team": "a", "away_team": "b"}', id="lone surrogate"),
        pytest.param(b'{"\\ud800": 1}', id="lone surrogate as a name"),
        pytest.param(b'{"league": "eng.1", "league\\u0000": 1}', id="NUL in a name"),
        pytest.param(b'{"a": ' + b"9" * 10_000 + b"}", id="a number of 10,000 digits"),
        pytest.param(b'{"date": ' + b"9" * 300 + b"}", id="a date of 300 digits"),
        pytest.param(b'{"date": 1e308}', id="a date of 1e308"),
        pytest.param(b'{"date": "-999999999-01-01"}', id="a date long ago"),
        pytest.param(b'"' + "é".encode() * 100_000 + b'"', id="a long text"),
        pytest.param(b"true", id="a truth"),
        pytest.param(b"<?xml version='1.0'?><a/>", id="XML"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/predict/sequences"])
def test_a_body_that_is_no_request_is_refused(client: Client, path: str, body: bytes) -> None:
    assert_problem(post_raw(client, path, body), 400, 422)


@pytest.mark.parametrize(
    "name",
    [
        "Łódź",
        "北京国安",
        "⚽🏟️👨‍👩‍👧‍👦",
        "Arsenal\x00",
        "\x00",
        "\u202eArsenal",
        "İstanbul",
        "'; DROP TABLE teams; --",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "a" * 100,
        " ",
    ],
)
def test_any_text_may_be_a_name_and_is_not_known(client: Client, name: str) -> None:
    for body in ({**MATCH, "home_team": name}, {**MATCH, "away_team": name}, {**MATCH, "league": name}):
        answer = client.post("/predict", json=body)
        assert_problem(answer, 404)
    assert_problem(client.get(f"/teams/eng.1/{quote(name, safe='')}"), 404)


@pytest.mark.parametrize(
    "name",
    [
        "FC Bayern München",
        "fc bayern MÜNCHEN",
        "FC Bayern Munchen",
        "FC Bayern Mu\u0308nchen",
        "ＦＣ Bayern Muenchen",
    ],
)
def test_a_name_is_known_in_any_case_and_however_its_letters_are_written(client: Client, name: str) -> None:
    body = {"league": "de.1", "home_team": name, "away_team": "1. FC Köln"}
    answer = client.post("/predict", json=body)
    assert answer.status_code == 200
    assert answer.json()["fixture"]["home_team"] == "FC Bayern München"


def test_a_name_of_a_megabyte_is_refused_before_it_is_looked_up(client: Client) -> None:
    answer = client.post("/predict", json={**MATCH, "home_team": "a" * 1_000_000})
    assert_problem(answer, 422)
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
def test_a_body_that_does_not_say_that_it_is_json_is_refused(client: Client, content_type: str) -> None:
    body = b'{"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}'
    for path in ("/predict", "/predict/batch", "/predict/sequences"):
        answer = client.post(path, content=body, headers={"Content-Type": content_type})
        assert_problem(answer, 415)
        assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "compressed", [gzip.compress(b"{}", mtime=0), b"{}x"], ids=["compressed", "not compressed"]
)
def test_a_compressed_body_is_refused_with_the_encoding(client: Client, compressed: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = client.post("/predict", content=compressed, headers=headers)
    assert_problem(answer, 415)
    assert "gzip" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"league":', "at character 10"),
        (b'{"league": "eng.1"}x', "Extra data at character 19"),
        (b"{'league': 'eng.1'}", "at character 1"),
        (b'{"league": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "without deep nesting"),
    ],
)
def test_a_body_that_is_not_json_is_refused_with_the_place(client: Client, body: bytes, found: str) -> None:
    answer = post_raw(client, "/predict", body)
    assert_problem(answer, 400)
    assert found in answer.json()["detail"]
    assert "errors" not in answer.json()


def test_no_answer_to_a_hostile_request_is_long(client: Client) -> None:
    bodies: list[Any] = [
        {"fixtures": [{str(n): 1} for n in range(1000)]},
        {f"field {n}": 1 for n in range(10_000)},
    ]
    for body in bodies:
        answer = client.post("/predict/batch", json=body)
        assert_problem(answer, 422)
        assert len(answer.content) < 1_000_000


# Other origins and hosts


def test_no_other_origin_may_read_the_answers(client: Client) -> None:
    for method, path in (("POST", "/predict"), ("GET", "/leagues"), ("GET", "/"), ("OPTIONS", "/predict")):
        answer = client.request(
            method,
            path,
            headers={"Origin": "https://elsewhere.test", "Access-Control-Request-Method": "POST"},
        )
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/", "/docs", "/page/page.css", "/page/page.js", "/page/api.js"])
def test_pages_refer_to_no_other_host(client: Client, path: str) -> None:
    text = client.get(path).text
    for reference in re.findall(r"""(?:src|href|url|import|from|fetch)\s*[=(]?\s*["'(]([^"')]+)""", text):
        assert not re.match(r"(?:[a-z]+:)?//", reference), reference


def test_every_page_has_a_policy_that_keeps_it_on_this_host(client: Client) -> None:
    for path in ("/", "/docs", "/page/page.js", "/leagues", "/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http:" not in policy
        assert "*" not in policy
    assert "unsafe-inline" not in client.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/page/..%2fapi.py",
        "/page/..%2F..%2fpyproject.toml",
        "/page/%2e%2e/api.py",
        "/page/../api.py",
        "/page/....//api.py",
        "/page/..%5capi.py",
        "/page/%2fetc%2fpasswd",
        "/page//etc/passwd",
        "/page/index.html%00.js",
        "/page/.",
        "/docs/..%2fapi.py",
        "/docs/%2fetc%2fpasswd",
        "/docs/swagger-ui-bundle.js.map",
    ],
)
def test_no_file_beside_those_of_the_page_can_be_read(client: Client, path: str) -> None:
    assert_problem(client.get(path), 404)
