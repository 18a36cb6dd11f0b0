"""The fast path: which requests it answers, and that its answers have the framework's bytes."""

import asyncio
import json
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from football_assets_tests.builders.answers import FRAMEWORK_JSON, JSON
from football_assets_tests.builders.running import MATCH, Client, in_chunks
from serve.fast_path import FastPath, FastRoute, json_response
from serve.metrics import ServingMetrics
from serve.middleware import Gate, Limits, Scope
from serve.problems import REQUEST_ID

# What both ways answer


names: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["Arsenal", "arsenal", "Chelsea", "Man Utd", "Arsenall", "", "Łódź", "\x00", " "]),
    st.text(max_size=5),
    st.sampled_from([None, 1, True, ["Arsenal"], {}]),
)
days: st.SearchStrategy[Any] = st.sampled_from(
    [
        *("2016-06-01", "2014-01-01", "2016-06-01T00:00:00", "2016-06-01T12:00:00Z", "2016-02-30", ""),
        *(0, 1.5, 1e18, None, True, []),
    ]
)
odds: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, {"home": 2.1, "draw": 3.4, "away": 3.6}, {"home": 2, "draw": 3, "away": 10}, {}, 2.1]
    ),
    st.fixed_dictionaries(
        {"home": st.floats(0.5, 4), "draw": st.sampled_from([3.4, "3.4", True, None])},
        optional={"away": st.floats(1, 4)},
    ),
)
bodies = st.fixed_dictionaries(
    {"league": st.one_of(st.sampled_from(["eng.1", "Premier League", "ENG.1"]), names), "home_team": names},
    optional={"away_team": names, "date": days, "odds": odds, "colour": names},
)


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_the_fast_path_and_the_framework_answer_with_the_same_bytes(client: Client, path: str) -> None:
    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(body=bodies)
    def compare(body: dict[str, Any]) -> None:
        content = json.dumps(body if path == "/predict" else {"fixtures": [MATCH, body]})
        fast, slow = (
            client.post(path, content=content, headers={**headers, "X-Request-ID": "the-same"})
            for headers in (JSON, FRAMEWORK_JSON)
        )
        assert fast.content == slow.content
        assert fast.status_code == slow.status_code
        assert without_date(fast) == without_date(slow)

    compare()


def without_date(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="torn"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b'{"league": "\xc3\x28", "home_team": "a", "away_team": "b"}', id="invalid UTF-8"),
        pytest.param(b'{"league": "\\ud800", "home_team": "a", "away_team": "b"}', id="lone surrogate"),
        pytest.param(b'{"league": "a\nb", "home_team": "a", "away_team": "b"}', id="line feed in a string"),
        pytest.param(b'{"league": "eng.1", "home_team": "Arsenal"}', id="a field is missing"),
        pytest.param(
            b'{"league": "x", "home_team": "Arsenal", "away_team": "Chelsea", "league": "eng.1"}',
            id="a field twice",
        ),
        pytest.param(
            b'{"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea", "date": NaN}', id="NaN"
        ),
        pytest.param(
            b'{"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"} {}', id="two documents"
        ),
        pytest.param(
            b' \r\n\t{"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}\n ', id="white space"
        ),
        pytest.param(
            '{"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}'.encode("utf-16"),
            id="UTF-16",
        ),
        pytest.param(
            b'\xef\xbb\xbf{"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}', id="a mark"
        ),
        pytest.param(b'{"league": "eng.1", "home_team": "Arsenal", "away_team": 7}', id="a number as a name"),
    ],
)
def test_a_body_that_few_would_send_is_answered_alike_on_both_ways(client: Client, body: bytes) -> None:
    fast, slow = (
        client.post("/predict", content=body, headers={**headers, "X-Request-ID": "the-same"})
        for headers in (JSON, FRAMEWORK_JSON)
    )

    assert fast.content == slow.content
    assert fast.status_code == slow.status_code
    assert without_date(fast) == without_date(slow)


# Which way a request takes

METRICS = ServingMetrics()


class Sum(BaseModel):
    """The body of a request to `/sum`."""

    numbers: list[int]


def make_application(prefix: str = "") -> Client:
    """An application whose answer says which way a request to `/sum` has taken."""
    api = FastAPI()

    @api.post("/sum")
    async def add(request: Request) -> dict[str, Any]:
        return {"way": "framework", "body": (await request.body()).decode()}

    @api.get("/sum")
    @api.post("/other")
    async def other() -> dict[str, str]:
        return {"way": "framework"}

    async def fast(scope: Scope, body: Sum) -> dict[str, Any]:
        if not body.numbers:
            raise ValueError("a secret of the server")
        return {"way": "fast", "request_id": scope[REQUEST_ID], "sum": sum(body.numbers)}

    path = FastPath(api, {"/sum": FastRoute(Sum, fast)})
    gate = Gate(path, Limits(), (), METRICS)
    if not prefix:
        return Client(gate)

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await gate({**scope, "root_path": prefix}, receive, send)

    return Client(mounted)


def requests_of(route: str, status: int) -> int:
    """How often the metrics have counted a POST request to a route."""
    sample = f'football_requests_total{{method="POST",route="{route}",status="{status}"}} '
    return sum(
        int(float(line.removeprefix(sample)))
        for line in METRICS.render()[0].decode().splitlines()
        if line.startswith(sample)
    )


@pytest.mark.parametrize("prefix", ["", "/gpu"])
def test_a_plain_request_is_answered_fast_with_its_identifier_and_counted_for_its_route(prefix: str) -> None:
    before = requests_of("/sum", 200)

    answer = make_application(prefix).post(
        f"{prefix}/sum", content=b'{"numbers": [1, 2, 39]}', headers={**JSON, "X-Request-ID": "a1"}
    )

    assert answer.json() == {"way": "fast", "request_id": "a1", "sum": 42}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert requests_of("/sum", 200) == before + 1


def test_a_body_in_parts_is_answered_fast() -> None:
    answer = make_application().post("/sum", content=in_chunks(b'{"numbers": [1, 2, 39]}', 5), headers=JSON)

    assert answer.json()["way"] == "fast"
    assert answer.json()["sum"] == 42


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/sum", FRAMEWORK_JSON),
        ("POST", "/sum", {}),
        ("POST", "/sum?scores=true", JSON),
        ("POST", "/other", JSON),
        ("GET", "/sum", JSON),
    ],
)
def test_any_other_request_is_left_to_the_framework(method: str, path: str, headers: dict[str, str]) -> None:
    answer = make_application().request(method, path, content=b'{"numbers": [1]}', headers=headers)

    assert answer.status_code == 200
    assert answer.json()["way"] == "framework"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_framework_gets_the_whole_body_of_a_request_that_is_not_valid(size: int) -> None:
    body = json.dumps({"numbers": ["one", "two"], "text": "Łódź"}).encode()

    client = make_application()

    async def post() -> httpx.Response:
        async with asyncio.timeout(60):  # a body that does not reach the framework is waited for
            return await client.send("POST", "/sum", content=in_chunks(body, size), headers=JSON)

    assert client.run(post()).json() == {"way": "framework", "body": body.decode()}


def test_an_error_of_an_answer_is_a_problem_document_that_tells_nothing() -> None:
    answer = make_application().post("/sum", content=b'{"numbers": []}', headers=JSON)

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_arrays_are_written_as_json_lists_and_text_as_utf_8() -> None:
    response = json_response({"p": np.array([0.5, 0.25], dtype=np.float32), "team": "Łódź"})

    assert response.body == '{"p":[0.5,0.25],"team":"Łódź"}'.encode()
    assert response.media_type == "application/json"
