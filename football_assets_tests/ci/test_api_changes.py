"""Changes of the API that break clients are found, and those that do not are let through."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from football_assets_tests.ci.api_changes import breaking_changes
from serve.api import api_document

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return api_document()


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def parameter(document: Document, path: str, name: str) -> Document:
    (found,) = (item for item in document["paths"][path]["get"]["parameters"] if item["name"] == name)
    item: Document = found
    return item


def drop_path(document: Document) -> None:
    del document["paths"]["/teams"]


def drop_method(document: Document) -> None:
    document["paths"]["/predict"]["put"] = document["paths"]["/predict"].pop("post")


def drop_parameter(document: Document) -> None:
    operation = document["paths"]["/fixtures"]["get"]
    operation["parameters"] = [item for item in operation["parameters"] if item["name"] != "overdue"]


def require_parameter(document: Document) -> None:
    parameter(document, "/fixtures", "league")["required"] = True


def add_required_parameter(document: Document) -> None:
    document["paths"]["/model"]["get"]["parameters"] = [
        {"name": "version", "in": "query", "required": True, "schema": {"type": "integer"}}
    ]


def lower_limit(document: Document) -> None:
    parameter(document, "/fixtures", "limit")["schema"]["maximum"] = 100


def drop_request_field(document: Document) -> None:
    del schema(document, "FixtureRequest")["properties"]["date"]


def require_request_field(document: Document) -> None:
    schema(document, "FixtureRequest")["required"].append("date")


def add_required_request_field(document: Document) -> None:
    schema(document, "FixtureRequest")["properties"]["season"] = {"type": "string"}
    schema(document, "FixtureRequest")["required"].append("season")


def shorten_names(document: Document) -> None:
    schema(document, "FixtureRequest")["properties"]["league"]["maxLength"] = 50


def narrow_odds(document: Document) -> None:
    schema(document, "MatchOdds")["properties"]["home"]["exclusiveMinimum"] = 1.01


def change_request_type(document: Document) -> None:
    schema(document, "FixtureRequest")["properties"]["league"]["type"] = "integer"


def drop_answer_field(document: Document) -> None:
    del schema(document, "Probabilities")["properties"]["draw"]


def make_answer_field_optional(document: Document) -> None:
    schema(document, "PredictAnswer")["required"].remove("model_version")


def change_answer_type(document: Document) -> None:
    schema(document, "PredictAnswer")["properties"]["model_version"]["type"] = "string"


def make_answer_nullable(document: Document) -> None:
    field = schema(document, "PredictAnswer")["properties"]["model_version"]
    field["anyOf"] = [{"type": field.pop("type")}, {"type": "null"}]


def drop_media_type(document: Document) -> None:
    content = document["paths"]["/model"]["get"]["responses"]["200"]["content"]
    content["application/xml"] = content.pop("application/json")


def change_status(document: Document) -> None:
    responses = document["paths"]["/model"]["get"]["responses"]
    responses["203"] = responses.pop("200")


def change_items(document: Document) -> None:
    schema(document, "BatchRequest")["properties"]["fixtures"]["maxItems"] = 10


BREAKING: list[tuple[Callable[[Document], None], str]] = [
    (drop_path, "/teams: the path was removed"),
    (drop_method, "POST /predict: the method was removed"),
    (drop_parameter, "GET /fixtures: the query parameter overdue was removed"),
    (require_parameter, "GET /fixtures: the query parameter league became required"),
    (add_required_parameter, "GET /model: the query parameter version is new and required"),
    (lower_limit, "GET /fixtures limit: maximum was 500 and is 100"),
    (drop_request_field, "POST /predict body: the field date was removed"),
    (require_request_field, "POST /predict body: the field date became required"),
    (add_required_request_field, "POST /predict body: the field season is new and required"),
    (shorten_names, "POST /predict body.league: maxLength was 100 and is 50"),
    (narrow_odds, "POST /predict body.odds.home: exclusiveMinimum was 1.0 and is 1.01"),
    (change_request_type, "POST /predict body.league: the type was string and is integer"),
    (drop_answer_field, "POST /predict 200.probabilities: the field draw was removed"),
    (make_answer_field_optional, "POST /predict 200: the field model_version may be absent"),
    (change_answer_type, "POST /predict 200.model_version: the type was integer and is string"),
    (make_answer_nullable, "POST /predict 200.model_version: the type was integer and is integer or null"),
    (drop_media_type, "GET /model 200: the media type application/json was removed"),
    (change_status, "GET /model: answers with status 200 were removed"),
    (change_items, "POST /predict/batch body.fixtures: maxItems was 1000 and is 10"),
]


@pytest.mark.parametrize(("change", "message"), BREAKING, ids=[change.__name__ for change, _ in BREAKING])
def test_a_change_that_breaks_clients_is_reported_with_its_place(
    change: Callable[[Document], None], message: str, document: Document
) -> None:
    changed = copy.deepcopy(document)
    change(changed)

    found = breaking_changes(document, changed)

    assert any(line.startswith(message) for line in found), found


def add_path(document: Document) -> None:
    document["paths"]["/seasons"] = document["paths"]["/leagues"]


def add_optional_parameter(document: Document) -> None:
    document["paths"]["/model"]["get"]["parameters"] = [
        {"name": "version", "in": "query", "required": False, "schema": {"type": "integer"}}
    ]


def add_fields(document: Document) -> None:
    for name in ("FixtureRequest", "PredictAnswer"):
        schema(document, name)["properties"]["season"] = {"type": "string"}
    schema(document, "PredictAnswer")["required"].append("season")


def add_value_to_answers(document: Document) -> None:
    schema(document, "PredictAnswer")["properties"]["inputs"]["enum"].append("results+lineups")


def widen_request(document: Document) -> None:
    parameter(document, "/fixtures", "limit")["schema"] |= {"maximum": 1000, "type": "number"}
    schema(document, "FixtureRequest")["properties"]["league"].pop("maxLength")


def narrow_answer(document: Document) -> None:
    schema(document, "Probabilities")["properties"]["draw"] |= {"type": "integer", "maximum": 0.5}


def inline_a_reference(document: Document) -> None:
    answer = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]["application/json"]
    answer["schema"] = schema(document, "PredictAnswer")


HARMLESS = [
    add_path,
    add_optional_parameter,
    add_fields,
    add_value_to_answers,
    widen_request,
    narrow_answer,
    inline_a_reference,
]


@pytest.mark.parametrize("change", HARMLESS, ids=[change.__name__ for change in HARMLESS])
def test_a_change_that_no_client_notices_is_let_through(
    change: Callable[[Document], None], document: Document
) -> None:
    changed = copy.deepcopy(document)
    change(changed)

    assert changed != document
    assert breaking_changes(document, changed) == []


def test_a_value_that_requests_may_have_is_not_taken_away() -> None:
    def with_values(*values: str) -> Document:
        item = {"name": "order", "in": "query", "schema": {"type": "string", "enum": list(values)}}
        return {"paths": {"/": {"get": {"parameters": [item], "responses": {}}}}}

    assert breaking_changes(with_values("up", "down"), with_values("up")) == [
        "GET / order: the value 'down' was removed"
    ]
    assert breaking_changes(with_values("up"), with_values("up", "down")) == []


def test_a_schema_within_itself_is_compared_once() -> None:
    def tree(kind: str) -> Document:
        node = {
            "type": "object",
            "properties": {"value": {"type": kind}, "child": {"$ref": "#/components/schemas/Node"}},
        }
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
        return {
            "paths": {"/": {"get": {"responses": {"200": {"content": content}}}}},
            "components": {"schemas": {"Node": node}},
        }

    assert breaking_changes(tree("string"), tree("integer")) == [
        "GET / 200.value: the type was string and is integer"
    ]
