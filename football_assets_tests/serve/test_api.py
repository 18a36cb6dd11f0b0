"""The assembled application: methods of a path, and parameters that routes share."""

import pytest

from football_assets_tests.builders.answers import fields, refused
from football_assets_tests.builders.running import Client


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("DELETE", "/leagues", "GET"), ("POST", "/health", "GET")],
)
def test_a_method_that_a_route_does_not_take_is_refused_with_those_it_takes(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    refused(answer, 405)
    assert allowed in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/fixtures?overdue=perhaps", 422, "overdue"),
        ("/fixtures?date_from=soon", 422, "date_from"),
        ("/fixtures?date_to=2016-13-01", 422, "date_to"),
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
