"""`/predict`, `/predict/batch` and `/predict/sequences`: forecasts of single fixtures, batches and custom histories.

A request to `/predict` changes shape four times: body -> `FixtureRequest` (here or in `fast_path`) -> `KnownFixture` ->
`MatchForecast` (both in `served_model`) -> body of the answer (here).
"""

from enum import Enum
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from football_assets.errors import UnknownName
from football_assets.sequences.custom_histories import CustomMatch, CustomTeam
from serve import schemas
from serve.answers import custom_body, fixture_body, prediction_body
from serve.backend import Backend
from serve.fast_path import FastRoute, json_response
from serve.middleware import Scope
from serve.problems import REQUEST_ID, error_responses, log_failure, problem_body, problem_of
from serve.served_model import CustomQuery, FixtureQuery, MatchForecast
from serve.trace_context import TRACE

PREDICT = "/predict"
BATCH = "/predict/batch"
SEQUENCES = "/predict/sequences"
FORECAST_ERRORS = error_responses(400, 404, 408, 413, 415, 422, 503)

_TAGS: list[str | Enum] = ["forecasts"]


def add_forecasts(api: FastAPI, backend: Backend) -> dict[str, FastRoute]:
    """Add the routes that forecast.

    Returns
    -------
    dict
        The routes that `FastPath` may answer, by path.
    """

    async def answer_one(scope: Scope, body: schemas.FixtureRequest) -> dict[str, Any]:
        request_id = scope[REQUEST_ID]
        forecast = await backend.forecast(FixtureQuery(request_id, "predict", body, scope.get(TRACE)))
        return prediction_body(request_id, forecast)

    async def answer_batch(scope: Scope, body: schemas.BatchRequest) -> dict[str, Any]:
        request_id = scope[REQUEST_ID]
        queries = [
            FixtureQuery(f"{request_id}/{number}", "batch", fixture, scope.get(TRACE))
            for number, fixture in enumerate(body.fixtures)
        ]
        model_version, outcomes = await backend.forecast_all(queries)
        forecasts = [
            fixture_body(outcome)
            if isinstance(outcome, MatchForecast)
            else _item_problem(queries[number], number, outcome)
            for number, outcome in enumerate(outcomes)
        ]
        return {"request_id": request_id, "model_version": model_version, "forecasts": forecasts}

    @api.post(PREDICT, response_model=schemas.PredictAnswer, responses=FORECAST_ERRORS, tags=_TAGS)
    async def predict(
        request: Request,
        body: schemas.FixtureRequest,
        scores: Annotated[bool, Query(description="Whether to add the score matrix.")] = False,
    ) -> Response:
        """Forecast one match, by the names of its teams."""
        request_id = request.scope[REQUEST_ID]
        query = FixtureQuery(request_id, "predict", body, request.scope.get(TRACE))
        forecast = await backend.forecast(query)
        content = prediction_body(request_id, forecast)
        return json_response(content | {"score_matrix": forecast.scores} if scores else content)

    @api.post(BATCH, response_model=schemas.BatchAnswer, responses=FORECAST_ERRORS, tags=_TAGS)
    async def predict_batch(request: Request, body: schemas.BatchRequest) -> Response:
        """Forecast up to 1,000 matches. A match that cannot be forecast does not fail the others."""
        return json_response(await answer_batch(request.scope, body))

    @api.post(SEQUENCES, response_model=schemas.SequencesAnswer, responses=FORECAST_ERRORS, tags=_TAGS)
    async def predict_sequences(request: Request, body: schemas.SequencesRequest) -> Response:
        """Forecast a match between teams that the model does not know, from their past matches."""
        request_id = request.scope[REQUEST_ID]
        teams = _custom_team(body.home), _custom_team(body.away)
        query = CustomQuery(request_id, body.league, *teams, request.scope.get(TRACE))
        return json_response(custom_body(request_id, await backend.forecast_custom(query)))

    return {
        PREDICT: FastRoute(schemas.FixtureRequest, answer_one),
        BATCH: FastRoute(schemas.BatchRequest, answer_batch),
    }


def _item_problem(query: FixtureQuery, number: int, error: Exception) -> dict[str, Any]:
    """Make the problem of one fixture of a batch; an error of the server is logged."""
    log_failure(error, query.request_id, BATCH, query.trace)
    field = f"fixtures.{number}.{error.field}" if isinstance(error, UnknownName) else None
    return {"problem": problem_body(problem_of(error, field=field, request_id=query.request_id))}


def _custom_team(team: schemas.GivenTeam) -> CustomTeam:
    return CustomTeam([CustomMatch(**match.model_dump()) for match in team.history], team.elo)
