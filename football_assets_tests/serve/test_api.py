"""The assembled application: methods of a path, and parameters that routes share."""

import pytest

from football_assets_tests.builders.answers import fields, refused
from football_assets_tests.builders.running import Client


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("HEAD", "/predict", "POST"),
        ("DELETE", "/leagues", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("PUT", "/", "GET, HEAD"),
    ],
)
def test_a_method_that_a_route_does_not_take_is_refused_with_those_it_takes(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    if method != "HEAD":
        refused(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/", "/leagues", "/teams/eng.1/Arsenal", "/ready", "/openapi.json", "/nothing"]
)
def test_head_has_the_status_and_headers_of_get_and_no_body(client: Client, path: str) -> None:
    with_body, without = client.get(path), client.request("HEAD", path)
    assert without.status_code == with_body.status_code
    assert without.content == b""
    for name in ("content-type", "content-length", "content-security-policy", "cache-control"):
        assert without.headers.get(name) == with_body.headers.get(name), name


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/predict/"), ("GET", "/docs/"), ("GET", "/teams/eng.1"), ("GET", "/teams%2f..")],
)
def test_a_path_with_another_slash_is_not_redirected(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path, headers={"Host": "elsewhere.test"})
    refused(answer, 404)
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/fixtures?overdue=perhaps", 422, "overdue"),
        ("/fixtures?date_from=soon", 422, "date_from"),
        ("/fixtures?date_to=2016-13-01", 422, "date_to"),
        ("/fixtures?date_from=1448064000", 422, "date_from"),
        ("/fixtures?limit=0", 422, "limit"),
        ("/fixtures?limit=501", 422, "limit"),
        ("/fixtures?limit=ten", 422, "limit"),
        ("/teams?limit=-1", 422, "limit"),
        (f"/teams?query={'a' * 101}", 422, "query"),
    ],
)
def test_a_filter_that_is_not_valid_is_named(client: Client, path: str, status: int, field: str) -> None:
    assert fields(refused(client.get(path), status)) == [field]


@pytest.mark.parametrize(
    "path", ["/fixtures?league=eng.99", "/teams?league=Premier%20Leage", "/teams/eng.99/Arsenal"]
)
def test_a_league_that_is_not_known_is_answered_with_the_nearest(client: Client, path: str) -> None:
    assert "eng.1" in refused(client.get(path), 404)["suggestions"]
