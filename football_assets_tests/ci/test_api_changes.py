"""Breaking changes of the API are reported, and compatible ones are not."""

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


def require_key(document: Document) -> None:
    document["security"].remove({})


def require_key_of_one_path(document: Document) -> None:
    document["paths"]["/drift"]["get"]["security"] = [{"header": []}, {"bearer": []}, {"basic": []}]


def drop_scheme(document: Document) -> None:
    document["security"].remove({"bearer": []})
    document["security"].remove({})


def rename_header_of_key(document: Document) -> None:
    document["security"].remove({})
    document["components"]["securitySchemes"]["header"]["name"] = "X-Football-Key"


def drop_answer_items(document: Document) -> None:
    del schema(document, "SequencesAnswer")["properties"]["unknown_opponents"]["items"]


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
    (require_key, "POST /predict: requests with no credentials are rejected"),
    (require_key_of_one_path, "GET /drift: requests with no credentials are rejected"),
    (drop_scheme, "GET /model: requests with http bearer are rejected"),
    (rename_header_of_key, "GET /model: requests with apiKey header X-API-Key are rejected"),
    (drop_answer_items, "POST /predict/sequences 200.unknown_opponents[]: the type was string and is any"),
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


def rename_scheme(document: Document) -> None:
    schemes = document["components"]["securitySchemes"]
    schemes["key"] = schemes.pop("header") | {"description": "The key."}
    document["security"] = [{"key": []}, *(item for item in document["security"] if "header" not in item)]


def open_one_path(document: Document) -> None:
    document["paths"]["/health"]["get"]["security"] = []


def add_scheme(document: Document) -> None:
    document["components"]["securitySchemes"]["query"] = {"type": "apiKey", "in": "query", "name": "key"}
    document["security"].append({"query": []})


HARMLESS = [
    rename_scheme,
    open_one_path,
    add_scheme,
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


def answering(schema: Document) -> Document:
    """Return a document with one answer."""
    content = {"application/json": {"schema": schema}}
    return {"paths": {"/": {"get": {"responses": {"200": {"content": content}}}}}}


def accepting(schema: Document) -> Document:
    """Return a document with one body of a request."""
    body = {"content": {"application/json": {"schema": schema}}}
    return {"paths": {"/": {"post": {"requestBody": body, "responses": {}}}}}


def tuple_of(*kinds: str, **keywords: Any) -> Document:
    """Return the schema of an array with a type for each item, as pydantic writes it."""
    size = {"minItems": len(kinds), "maxItems": len(kinds)}
    return {"type": "array", "prefixItems": [{"type": kind} for kind in kinds]} | size | keywords


def map_of(kind: str) -> Document:
    return {"type": "object", "additionalProperties": {"type": kind}}


OBJECT, CLOSED = {"type": "object"}, {"type": "object", "additionalProperties": False}
LIST = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (tuple_of("integer", "string"), tuple_of("integer", "boolean"), ["[1]: the type was string and is boolean"]),
        (tuple_of("integer", "string"), tuple_of("string", "string"), ["[0]: the type was integer and is string"]),
        (tuple_of("integer", "string"), tuple_of("integer"), ["[1]: the item may be absent"]),
        (tuple_of("integer", "string"), tuple_of("integer", "string", minItems=1), ["[1]: the item may be absent"]),
        (tuple_of("integer"), tuple_of("integer", "string"), ["[1]: the type was none and is string"]),
        (tuple_of("string"), LIST, ["[0]: the item may be absent", "[]: the type was none and is string"]),
        (LIST, tuple_of("integer"), ["[0]: the type was string and is integer"]),
        (LIST, {"type": "array"}, ["[]: the type was string and is any"]),
        (LIST, tuple_of("string"), []),
        ({"type": "array"}, LIST, []),
        (map_of("number"), OBJECT, [".*: the type was number and is any"]),
        (map_of("number"), CLOSED, [": further fields were removed"]),
        (map_of("number"), map_of("string"), [".*: the type was number and is string"]),
        (map_of("number"), map_of("integer"), []),
        (OBJECT, map_of("number"), []),
        (OBJECT, CLOSED, []),
        (CLOSED, OBJECT, []),
        (CLOSED, map_of("number"), []),
    ],
)  # fmt: skip
def test_an_answer_keeps_its_items_and_further_fields(
    before: Document, after: Document, found: list[str]
) -> None:
    assert breaking_changes(answering(before), answering(after)) == [f"GET / 200{line}" for line in found]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (tuple_of("integer", "string"), tuple_of("integer", "boolean"), ["[1]: the type was string and is boolean"]),
        (tuple_of("integer"), tuple_of("number"), []),
        (tuple_of("integer"), tuple_of("integer", "string", minItems=1), []),
        ({"type": "array"}, LIST, ["[]: the type was any and is string"]),
        (LIST, {"type": "array"}, []),
        (OBJECT, map_of("number"), [".*: the type was any and is number"]),
        (map_of("number"), CLOSED, [": further fields are not allowed any more"]),
        (map_of("integer"), map_of("number"), []),
        (map_of("number"), OBJECT, []),
        (CLOSED, map_of("number"), []),
    ],
)  # fmt: skip
def test_a_request_may_have_the_items_and_further_fields_that_it_had(
    before: Document, after: Document, found: list[str]
) -> None:
    assert breaking_changes(accepting(before), accepting(after)) == [f"POST / body{line}" for line in found]


def test_a_client_needs_every_scheme_and_scope_of_one_requirement() -> None:
    def with_security(*security: dict[str, list[str]]) -> Document:
        schemes = {name: {"type": "apiKey", "in": "header", "name": name} for name in ("a", "b")}
        return answering({}) | {"security": list(security), "components": {"securitySchemes": schemes}}

    one, both, scoped = (
        with_security({"a": []}),
        with_security({"a": [], "b": []}),
        with_security({"a": ["write"]}),
    )

    assert breaking_changes(both, one) == []
    assert breaking_changes(scoped, one) == []
    assert breaking_changes(one, both) == ["GET /: requests with apiKey header a are rejected"]
    assert breaking_changes(one, scoped) == ["GET /: requests with apiKey header a are rejected"]
    assert breaking_changes(both, with_security({"b": ["write"]})) == [
        "GET /: requests with apiKey header a and apiKey header b are rejected"
    ]


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
