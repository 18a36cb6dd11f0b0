"""The OpenAPI document: examples, errors, and that every answer follows it."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from football_assets_tests.builders.running import Client
from serve.api import api_document
from serve.problems import MEDIA_TYPE

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


GENERATED: dict[str, Any] = {
    "max_examples": 40,
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}


def test_the_openapi_document_has_an_example_and_the_problem_schema_for_every_forecast(
    client: Client,
) -> None:
    document = client.get("/openapi.json").json()

    for path in ("/predict", "/predict/batch", "/predict/sequences"):
        operation = document["paths"][path]["post"]
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        example = document["components"]["schemas"][name]["example"]
        assert client.post(path, json=example).status_code == 200, path
    for path, operations in document["paths"].items():
        for operation in operations.values():
            errors = {status: item for status, item in operation["responses"].items() if status >= "400"}
            assert {"401", "500"} <= set(errors), path
            for item in errors.values():
                assert item["content"] == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert set(document["paths"]) == {
        *("/predict", "/predict/batch", "/predict/sequences"),
        *("/fixtures", "/leagues", "/teams", "/teams/{league}/{team}", "/model"),
        *("/health", "/ready", "/metrics", "/drift"),
    }


def test_the_document_that_is_built_without_a_model_is_the_one_that_a_server_sends(client: Client) -> None:
    assert api_document() == client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def api_schema(client: Client) -> Any:
    return client.openapi()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/predict"),
        ("POST", "/predict/batch"),
        ("POST", "/predict/sequences"),
        ("GET", "/fixtures"),
        ("GET", "/teams"),
    ],
)
def test_whatever_is_asked_is_answered_as_the_openapi_document_says(
    client: Client, api_schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    @settings(**GENERATED)
    @given(case=api_schema[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(checks=CHECKS, headers=client.headers)
        assert answer.status_code != 401

    ask()


def test_whatever_team_is_asked_for_is_answered_as_the_openapi_document_says(
    client: Client, api_schema: Any
) -> None:
    @settings(**GENERATED)
    @given(case=api_schema["/teams/{league}/{team}"]["GET"].as_strategy())
    def ask(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(checks=CHECKS, headers=client.headers)
        assert answer.status_code != 401

    ask()


@pytest.mark.parametrize("path", ["/leagues", "/model", "/health", "/ready", "/metrics", "/drift"])
def test_what_takes_no_parameters_is_answered_as_the_openapi_document_says(
    client: Client, api_schema: Any, path: str
) -> None:
    answer = api_schema[path]["GET"].Case().call_and_validate(checks=CHECKS, headers=client.headers)
    assert answer.status_code != 401
