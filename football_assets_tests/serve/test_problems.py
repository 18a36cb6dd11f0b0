"""Which problem an error of the project is, and what the document holds."""

import orjson
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from football_assets.errors import (
    BucketError,
    FootballError,
    ObjectNotFound,
    RegistryError,
    SignaturePolicyError,
    UnknownLeague,
    UnknownTeam,
)
from football_assets_tests.builders.running import Client
from serve.metric_slots import MetricsError
from serve.prediction_log import PredictionLogError
from serve.problems import (
    MEDIA_TYPE,
    REQUEST_ID,
    Problem,
    ProblemError,
    answer_with_problems,
    problem_body,
    problem_of,
    problem_response,
)
from serve.schemas import FieldError
from serve.service import NotReady


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (UnknownLeague("no such league"), 404, "Unknown league"),
        (UnknownTeam("no such team"), 404, "Unknown team"),
        (NotReady("wait"), 503, "Service Unavailable"),
        (PredictionLogError("the disk is full"), 503, "Service Unavailable"),
        (FootballError("a team cannot meet itself"), 422, "Unprocessable"),
    ],
)
def test_an_error_has_its_status_and_keeps_its_words(error: FootballError, status: int, title: str) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert problem.title.startswith(title)
    assert str(error) in problem.detail


@pytest.mark.parametrize(
    "error",
    [
        RegistryError("a secret"),
        SignaturePolicyError("a secret"),
        BucketError("a secret"),
        ObjectNotFound("a secret"),
        MetricsError("a secret"),
        ValueError("a secret"),
    ],
)
def test_an_error_of_the_server_names_the_identifier_in_the_log_and_not_its_cause(error: Exception) -> None:
    problem = problem_of(error, request_id="a1")
    assert problem.status == 500
    assert "its log has the cause under a1" in problem.detail
    assert "secret" not in problem.detail


@pytest.mark.parametrize("error", [NotReady("wait"), PredictionLogError("full")])
def test_what_may_be_better_in_a_moment_says_when_to_ask_again(error: FootballError) -> None:
    assert int((problem_of(error).headers or {})["Retry-After"]) > 0


def test_an_unknown_name_offers_the_nearest_and_names_its_field() -> None:
    body = problem_body(problem_of(UnknownTeam("none", ["Łódź", "Arsenal"]), field="home_team"))
    assert body["suggestions"] == ["Łódź", "Arsenal"]
    assert [error["field"] for error in body["errors"]] == ["home_team"]


def test_members_without_a_value_are_left_out() -> None:
    assert problem_body(ProblemError(404, "nothing")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "nothing",
    }


def test_a_document_names_the_request_and_keeps_the_headers_of_the_problem() -> None:
    problem = ProblemError(
        422, "no", errors=[FieldError(field="date", message="no day")], headers={"Retry-After": "3"}
    )

    response = problem_response(problem, {"path": "/predict/Łódź", REQUEST_ID: "a1"})

    document = Problem.model_validate(orjson.loads(bytes(response.body)))
    assert (document.instance, document.request_id) == ("/predict/Łódź", "a1")
    assert document.errors == [FieldError(field="date", message="no day")]
    assert response.media_type == MEDIA_TYPE
    assert response.headers["retry-after"] == "3"


def test_whoever_refuses_in_an_application_is_answered_with_a_document() -> None:
    app = FastAPI()
    answer_with_problems(app)

    @app.get("/problem")
    async def problem() -> None:
        raise ProblemError(409, "taken")

    @app.get("/football")
    async def football() -> None:
        raise UnknownTeam("none", ["Arsenal"])

    @app.get("/framework")
    async def framework() -> None:
        raise HTTPException(418, "short and stout", headers={"X-Pot": "tea"})

    @app.get("/number")
    async def number(value: int) -> None:
        raise AssertionError("not reached")

    @app.get("/failure")
    async def failure() -> None:
        raise RuntimeError("a secret of the server")

    client = Client(app)
    for path, status in (
        ("/problem", 409),
        ("/football", 404),
        ("/framework", 418),
        ("/number?value=x", 422),
        ("/nothing", 404),
        ("/failure", 500),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == MEDIA_TYPE, path
        assert Problem.model_validate(answer.json()).status == status
        assert "secret" not in answer.text
    assert client.get("/framework").headers["x-pot"] == "tea"
