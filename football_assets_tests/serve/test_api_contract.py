"""The contract of the HTTP API: the same errors for every kind of request, in process and from `football serve`.

`test_api.py` and `test_api_security.py` belong to it: their clients are the same two.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.answers import FRAMEWORK_JSON, JSON
from football_assets_tests.builders.running import KEY, MATCH, NEED_A_MODEL, Client, ServingLog
from football_assets_tests.end_to_end.serving import wait_until
from football_assets_tests.serve.conftest import RealServer
from serve.metrics import ServingMetrics
from serve.middleware import OPEN_PATHS
from serve.problems import MEDIA_TYPE, Problem
from serve.service import ForecastService

PAST_MATCH = {"goals_for": 1, "goals_against": 0, "is_home": True, "days_ago": 3}
# Matches that have no forecast: what is wrong, status, title, field, suggestion.
WRONG_MATCHES: dict[str, tuple[dict[str, str], int, str, str | None, str | None]] = {
    "unknown home team": ({"home_team": "Arsenall"}, 404, "Unknown team", "home_team", "Arsenal"),
    "unknown away team": ({"away_team": "Chelsee"}, 404, "Unknown team", "away_team", "Chelsea"),
    "unknown league": ({"league": "Premier Leage"}, 404, "Unknown league", "league", "eng.1"),
    "past date": ({"date": "2014-01-01"}, 422, "Unprocessable Entity", None, None),
    "against itself": ({"away_team": "Arsenal"}, 422, "Unprocessable Entity", None, None),
}
WAYS = ["fast path", "framework", "scores", "batch", "batch by framework"]


def ask(client: Client, way: str, match: dict[str, Any]) -> tuple[httpx.Response, dict[str, Any]]:
    """The answer to a request for one match in one of `WAYS`, and what it says of the match."""
    if way.startswith("batch"):
        body, path = {"fixtures": [match]}, "/predict/batch"
    else:
        body, path = match, "/predict?scores=true" if way == "scores" else "/predict"
    headers = FRAMEWORK_JSON if "framework" in way else JSON
    answer = client.post(path, content=json.dumps(body), headers=headers)
    found = answer.json()
    return answer, found["forecasts"][0].get("problem", found) if way.startswith("batch") else found


def problem_of(answer: httpx.Response) -> Problem:
    """The problem document of an error."""
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = Problem.model_validate(answer.json())
    assert problem.status == answer.status_code
    assert answer.headers.get_list("x-request-id") == [problem.request_id]
    return problem


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", WRONG_MATCHES)
def test_a_match_that_cannot_be_forecast_has_the_same_problem_on_every_way(
    client: Client, way: str, wrong: str
) -> None:
    change, status, title, field, suggestion = WRONG_MATCHES[wrong]

    answer, problem = ask(client, way, {**MATCH, **change})

    is_batch = way.startswith("batch")
    assert answer.status_code == (200 if is_batch else status)
    if not is_batch:
        problem_of(answer)
    assert (problem["status"], problem["title"]) == (status, title)
    fields = [item["field"] for item in problem.get("errors", [])]
    assert fields == ([] if field is None else [f"fixtures.0.{field}" if is_batch else field])
    if suggestion is not None:
        assert suggestion in problem["suggestions"]
    details = {ask(client, other, {**MATCH, **change})[1]["detail"] for other in WAYS}
    assert details == {problem["detail"]}


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"league": "Premier Leage"}, 404, "eng.1"),
        ({"home": {"history": [PAST_MATCH] * 2}}, 422, "3 days ago"),
    ],
)
def test_given_histories_that_cannot_be_forecast_are_refused(
    client: Client, change: dict[str, Any], status: int, words: str
) -> None:
    body = {"league": "eng.1", "home": {"history": []}, "away": {"history": []}, **change}
    problem = problem_of(client.post("/predict/sequences", json=body))
    assert problem.status == status
    assert words in (problem.suggestions or problem.detail)


def test_requests_at_the_same_time_do_not_share_their_errors(client: Client) -> None:
    """They wait for each other in one batch, whose outcomes differ."""
    wanted = [
        (MATCH, 200),
        *(({**MATCH, **change}, status) for change, status, *_ in WRONG_MATCHES.values()),
    ] * 8

    async def ask_all() -> list[httpx.Response]:
        return await asyncio.gather(*(client.send("POST", "/predict", json=match) for match, _ in wanted))

    answers = client.run(ask_all())

    assert [answer.status_code for answer in answers] == [status for _, status in wanted]
    for (match, status), answer in zip(wanted, answers, strict=True):
        if status == 404:
            assert any(
                name in answer.json()["detail"] for name in match.values() if name not in MATCH.values()
            )


@pytest.mark.parametrize("headers", [JSON, FRAMEWORK_JSON])
def test_a_request_keeps_a_valid_identifier_and_gets_one_otherwise(
    client: Client, headers: dict[str, str]
) -> None:
    for identifier in ("a", "abc-123_x.Y", "x" * 64):
        answer = client.post("/predict", json=MATCH, headers={**headers, "X-Request-ID": identifier})
        assert answer.headers.get_list("x-request-id") == [answer.json()["request_id"]] == [identifier]
    for identifier in ("x" * 65, "two words", "a/b"):
        answer = client.post("/predict", json=MATCH, headers={**headers, "X-Request-ID": identifier})
        own = answer.json()["request_id"]
        assert own in answer.headers.get_list("x-request-id")
        assert own != identifier


# Every status of an error


@pytest.mark.parametrize(
    ("status", "method", "path", "arguments"),
    [
        (400, "POST", "/predict", {"content": b"[" * 100_000, "headers": JSON}),
        (400, "POST", "/predict/sequences", {"content": b'{"a":' * 100_000, "headers": JSON}),
        (404, "GET", "/nothing", {}),
        (404, "GET", "/page/nothing.js", {}),
        (404, "GET", "/teams/eng.1/Arsenall", {}),
        (404, "GET", "/teams?league=eng.99", {}),
        (404, "GET", "/fixtures?league=eng.99", {}),
        (405, "GET", "/predict", {}),
        (405, "DELETE", "/leagues", {}),
        (413, "POST", "/predict/batch", {"content": b" " * ((1 << 20) + 1), "headers": JSON}),
        (422, "POST", "/predict", {"json": {}}),
        (422, "GET", "/fixtures?limit=0", {}),
    ],
)
def test_an_error_is_a_problem_document_of_its_status(
    client: Client, status: int, method: str, path: str, arguments: dict[str, Any]
) -> None:
    problem = problem_of(client.request(method, path, **arguments))
    assert problem.status == status
    assert problem.instance == path.partition("?")[0]


def test_the_key_is_asked_for_on_every_route_of_the_openapi_document(guarded: Client) -> None:
    document = guarded.get("/openapi.json", headers={b"X-API-Key": KEY.encode()}).json()
    routes = [(method, path) for path, item in document["paths"].items() for method in item]
    assert len(routes) >= 12
    for method, path in routes:
        answer = guarded.request(method.upper(), path)
        if path in OPEN_PATHS:
            assert answer.status_code == 200, path
        else:
            assert problem_of(answer).status == 401, path
            assert answer.headers["www-authenticate"].startswith("Basic realm=")


@pytest.fixture(scope="module", params=["double", pytest.param("server", marks=pytest.mark.ray)])
def unready(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], httpx.Response]]:
    """Answers to `NEED_A_MODEL` before a version was in production."""
    if request.param == "server":
        yield request.getfixturevalue("real_server").unready
        return
    from serve.api import build_api
    from serve.backend import Backend
    from serve.middleware import Limits

    folder = tmp_path_factory.mktemp("unready")
    service = ForecastService(LocalBucket(folder / "bucket"), folder / "scratch", ServingMetrics())
    client = Client(build_api(service, Backend(service), limits=Limits(), keys=()))
    yield {(method, path): client.request(method, path, json=body) for method, path, body in NEED_A_MODEL}
    client.close()
    service.close()


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in NEED_A_MODEL])
def test_without_a_model_a_request_is_to_be_repeated(
    unready: dict[tuple[str, str], httpx.Response], method: str, path: str
) -> None:
    answer = unready[method, path]
    assert problem_of(answer).status == 503
    assert int(answer.headers["retry-after"]) >= 1


# Failures of the server


@contextmanager
def unreadable(report: Path) -> Iterator[None]:
    """A report that no process can read, root neither: a link to itself."""
    aside = report.with_name("aside") if report.exists() else None
    if aside is not None:
        report.rename(aside)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.symlink_to(report.name)
    try:
        yield
    finally:
        report.unlink()
        if aside is not None:
            aside.rename(report)


@pytest.fixture(params=["double", pytest.param("server", marks=pytest.mark.ray)])
def failing(
    request: pytest.FixtureRequest, serving_log: ServingLog
) -> Iterator[tuple[Client, Callable[[], str]]]:
    """A client of an API whose drift report cannot be read, and what is in the API's log."""
    if request.param == "server":
        real: RealServer = request.getfixturevalue("real_server")
        client, root, log = Client(url=real.server.url, key=KEY), real.server.home / "bucket", real.server.log
    else:
        client = request.getfixturevalue("make_client")(request.getfixturevalue("service"))
        root, log = request.getfixturevalue("demo_bucket").root, serving_log.text
    with unreadable(root / "reports" / "drift" / "latest.html"):
        yield client, log
    client.close()


def test_a_failure_of_the_server_is_in_its_log_under_the_identifier_of_the_document(
    failing: tuple[Client, Callable[[], str]],
) -> None:
    client, log = failing

    answer = client.get("/drift")

    problem = problem_of(answer)
    assert problem.status == 500
    assert problem.detail == (
        f"The server failed on this request: its log has the cause under {problem.request_id}."
    )
    assert "latest.html" not in answer.text
    failure = f"Request {problem.request_id} to /drift failed"
    wait_until(lambda: failure in log(), "the failure is logged")
    assert next(line for line in log().splitlines() if failure in line).startswith("ERROR")
    traceback = log().partition(failure + "\n")[2]
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert "Too many levels of symbolic links" in traceback


def test_an_error_of_the_request_is_not_logged(
    client: Client, serving_log: ServingLog, request: pytest.FixtureRequest
) -> None:
    for way in WAYS:
        for change, *_ in WRONG_MATCHES.values():
            ask(client, way, {**MATCH, **change})
    assert serving_log.text() == ""
    if client.app is None:
        assert " to /predict" not in request.getfixturevalue("real_server").server.log()
