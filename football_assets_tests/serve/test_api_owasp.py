"""The OWASP API Security Top 10 of 2023 [1], a section for each risk.

`test_api_security.py` has hostile bodies and keys.

1. Broken object level authorization: no object belongs to a client. Every client with a key may read everything, and
   the API changes nothing, so there is no test.
2. Broken authentication: `test_api_security.py` sends keys in every header; below, the answers without one.
3. Broken object property level authorization: below.
4. Unrestricted resource consumption: below; `test_haproxy_rates.py` (429), `test_haproxy.py` and
   `end_to_end/test_serving.py` (slow clients, queues), `test_api_security.py` (bodies, nesting, long names).
5. Broken function level authorization: below.
6. Unrestricted access to sensitive business flows: a forecast has no effect that could be abused; its number per client
   is limited, as in 4.
7. Server side request forgery: below.
8. Security misconfiguration: below; `end_to_end/test_open_server.py` (what other machines reach).
9. Improper inventory management: below; `ci/test_api_contract.py` compares the API with that of the last release.
10. Unsafe consumption of APIs: the server reads the bucket only, whose models it verifies:
   `test_service_signatures.py`. The pipeline's sources are in `raw/sync`.

References
----------
[1] https://owasp.org/API-Security/editions/2023/en/0x11-t10/
"""

import re
import socket
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from football_assets_tests.builders.running import KEY, MATCH, Client
from serve import api, openapi
from serve.problems import MEDIA_TYPE

GIVEN = {"goals_for": 1, "goals_against": 0, "is_home": True, "days_ago": 3}
CUSTOM: dict[str, Any] = {"league": "eng.1", "home": {"history": [GIVEN]}, "away": {"history": []}}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PATHS = (
    "/",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/model",
    "/drift",
    "/predict",
    "/predict/batch",
    "/nothing",
)


def assert_problem(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text[:500]
    if answer.request.method != "HEAD":
        assert answer.headers["content-type"] == MEDIA_TYPE


# 2. Broken authentication


def test_without_the_key_a_path_that_exists_and_one_that_does_not_have_the_same_answer(
    guarded: Client,
) -> None:
    bodies = []
    for path in PATHS:
        answer = guarded.get(path)
        assert_problem(answer, 401)
        bodies.append({**answer.json(), "instance": "", "request_id": ""})
    assert bodies == bodies[:1] * len(PATHS)


# 3. Broken object property level authorization


@pytest.mark.parametrize(
    "name", ["request_id", "model_version", "version", "kind", "features", "elo", "__class__"]
)
@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        ("/predict", "{}", lambda extra: MATCH | extra),
        ("/predict/batch", "{}", lambda extra: {"fixtures": [MATCH]} | extra),
        ("/predict/batch", "fixtures.1.{}", lambda extra: {"fixtures": [MATCH, MATCH | extra]}),
        ("/predict/sequences", "{}", lambda extra: CUSTOM | extra),
        (
            "/predict/sequences",
            "home.history.0.{}",
            lambda extra: CUSTOM | {"home": {"history": [GIVEN | extra]}},
        ),
    ],
)
def test_a_member_that_a_client_may_not_set_is_rejected_with_its_name(
    client: Client, path: str, field: str, body: Any, name: str
) -> None:
    answer = client.post(path, json=body({name: 7}))
    assert_problem(answer, 422)
    assert [error["field"] for error in answer.json()["errors"]] == [field.format(name)]


def test_an_answer_has_the_members_of_the_openapi_document_only(client: Client) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for method, path, body in (
        ("post", "/predict", MATCH),
        ("post", "/predict/batch", {"fixtures": [MATCH]}),
        ("post", "/predict/sequences", CUSTOM),
        ("get", "/model", None),
        ("get", "/fixtures", None),
        ("get", "/health", None),
    ):
        answer = client.request(method.upper(), path, json=body)
        assert answer.status_code == 200, path
        content = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]
        declared = schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
        assert set(answer.json()) <= set(declared), path


# 4. Unrestricted resource consumption


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/predict/batch", {"fixtures": [MATCH] * 1001}, "fixtures"),
        ("/predict/sequences", CUSTOM | {"away": {"history": [GIVEN] * 51}}, "away.history"),
    ],
)
def test_a_list_that_is_too_long_is_rejected_with_its_field(
    client: Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = client.post(path, json=body)
    assert_problem(answer, 422)
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("limit", ["0", "-1", "100000000", "1e9", "NaN"])
def test_a_list_of_fixtures_has_a_limit_that_no_client_can_raise(client: Client, limit: str) -> None:
    assert_problem(client.get(f"/fixtures?limit={limit}"), 422)


# 5. Broken function level authorization


@pytest.mark.parametrize("method", METHODS)
def test_no_method_passes_without_the_key(guarded: Client, method: str) -> None:
    for path in PATHS:
        answer = guarded.request(method, path)
        # A server may answer TRACE before the application sees it.
        assert_problem(answer, 401, *([405] if method == "TRACE" else []))
        assert KEY not in str(answer.headers)


def test_no_header_changes_the_method_or_the_path_of_a_request(guarded: Client) -> None:
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert_problem(guarded.get("/predict", headers={header: "POST"}), 401)
    for header in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Path"):
        assert_problem(guarded.get("/metrics", headers={header: "/health"}), 401)
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"):
        assert_problem(guarded.get("/metrics", headers={header: "127.0.0.1"}), 401)


def test_nothing_that_the_server_has_can_be_changed_or_deleted(client: Client) -> None:
    for path in PATHS[:-1]:
        for method in ("PUT", "PATCH", "DELETE"):
            answer = client.request(method, path)
            assert_problem(answer, 405)
            assert set(answer.headers["allow"].split(", ")) <= {"GET", "HEAD", "POST", "OPTIONS"}


# 7. Server side request forgery


def test_no_address_in_a_request_is_opened(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        names = ("Referer", "Origin", "X-Forwarded-Host", "X-Callback-URL", "Forwarded", "tracestate")
        headers = dict.fromkeys(names, address)
        for body in (
            MATCH | {"league": address},
            MATCH | {"home_team": address},
            MATCH | {"date": address},
            MATCH | {"$ref": address},
        ):
            assert_problem(client.post("/predict", json=body, headers=headers), 404, 422)
        assert_problem(client.get(f"/page/{address}"), 404)
        assert_problem(client.get("/fixtures", params={"league": address}), 404, 422)
        with pytest.raises(TimeoutError):
            trap.accept()


# 8. Security misconfiguration


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/health", None),
        ("GET", "/model", None),
        ("GET", "/nothing", None),
        ("POST", "/predict", MATCH),
        ("POST", "/predict", {}),
        ("POST", "/predict/batch", {"fixtures": [MATCH]}),
        ("DELETE", "/predict", None),
    ],
)
def test_every_answer_has_the_headers_of_a_careful_server_and_does_not_name_its_software(
    client: Client, method: str, path: str, body: Any
) -> None:
    headers = client.request(method, path, json=body).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert not {"server", "x-powered-by", "set-cookie"} & set(headers)


@pytest.mark.parametrize(
    ("path", "content"),
    [("/predict", b"\xff"), ("/predict", b'{"league": {"a": [1]}}'), ("/predict/sequences", b'{"home": 7}')],
)
def test_no_error_shows_code_or_files_of_the_server(client: Client, path: str, content: bytes) -> None:
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, 422)
    assert not re.search(
        r"Traceback|File \"|\.py\b|site-packages|pydantic\.dev|/(?:home|work|opt|tmp)/", answer.text
    )


def test_trace_is_not_answered_with_what_was_sent(client: Client) -> None:
    answer = client.request("TRACE", "/leagues", headers={"Cookie": "secret-cookie"})
    assert answer.status_code in (405, 501)
    assert "secret-cookie" not in answer.text


# 9. Improper inventory management


def test_every_route_is_in_the_openapi_document_or_belongs_to_a_page(client: Client) -> None:
    documented = client.get("/openapi.json").json()["paths"]
    of_pages = {"/", "/page/{name}", "/docs", "/docs/{name}"}
    found = {
        (method.lower(), route.path_format)
        for route in api.make_routes().routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    hidden = {(method, path) for method, path in found if method not in documented.get(path, {})}
    assert {path for _, path in hidden} == of_pages
    assert {method for method, _ in hidden} == {"get"}
    assert {(method, path) for path, methods in documented.items() for method in methods} == found - hidden


def test_there_is_one_version_of_the_api_and_the_document_tells_which(client: Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["info"]["version"] == api.API_VERSION
    assert document["servers"] == openapi.SERVERS
    for path in ("/v1/predict", "/v0/predict", "/api/predict", "/redoc", "/graphql", "/debug", "/admin"):
        assert_problem(client.get(path), 404)
