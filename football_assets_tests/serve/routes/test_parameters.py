"""Query parameters that a route does not have."""

import pytest

from football_assets_tests.builders.answers import fields, refused
from football_assets_tests.builders.running import MATCH, Client


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/fixtures?leauge=eng.1", "leauge"),
        ("GET", "/fixtures?limit=1&team=Arsenal", "team"),
        ("GET", "/teams?q=Arsenal", "q"),
        ("GET", "/teams/eng.1/Arsenal?limit=3", "limit"),
        ("GET", "/leagues?country=England", "country"),
        ("GET", "/model?version=1", "version"),
        ("POST", "/predict?score=true", "score"),
        ("POST", "/predict/batch?scores=true", "scores"),
    ],
)
def test_a_parameter_that_a_route_does_not_have_is_named(
    client: Client, method: str, path: str, field: str
) -> None:
    body = {"fixtures": [MATCH]} if "batch" in path else MATCH
    answer = client.request(method, path, json=body if method == "POST" else None)
    assert fields(refused(answer, 422)) == [field]


@pytest.mark.parametrize(
    "path", ["/?utm=1", "/health?now", "/ready?x=1", "/metrics?x=1", "/page/page.js?v=2"]
)
def test_pages_and_probes_ignore_parameters(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
