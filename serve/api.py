"""The HTTP API: routes over one `ForecastService`."""

import asyncio
import uuid
from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from football_assets.errors import ObjectNotFound, UnknownName
from football_assets.monitoring.summary import REPORT as DRIFT_REPORT
from football_assets.sequences import custom_histories
from football_assets.sequences.state import TeamSummary
from serve import schemas
from serve.backend import Backend
from serve.fast_path import FastPath, Forecasts, json_response
from serve.fixture_list import forecast_body
from serve.middleware import App, Gate, Limits
from serve.pages import add_pages
from serve.problems import (
    MEDIA_TYPE,
    REQUEST_ID,
    ProblemError,
    answer_with_problems,
    error_responses,
    log_failure,
    problem_body,
    problem_of,
)
from serve.served_model import Answered, FixtureQuery, GivenQuery
from serve.service import ForecastService

TITLE = "Football forecasts"
LONGEST_LIST = 500
PREDICT = "/predict"
BATCH = "/predict/batch"
FORECAST_ERRORS = error_responses(400, 404, 408, 413, 422, 503)
KNOWLEDGE_ERRORS = error_responses(404, 422, 503)

Name = Annotated[str, Query(max_length=schemas.LONGEST_NAME)]
Limit = Annotated[int, Query(ge=1, le=LONGEST_LIST, description="Most items in the answer.")]


def build_api(service: ForecastService, backend: Backend, *, limits: Limits, api_key: str | None) -> App:
    """The ASGI application of one serving process."""
    api = FastAPI(
        title=TITLE,
        version="1",
        summary="Probabilities of football matches, from the production model.",
        docs_url=None,
        redoc_url=None,
        responses=error_responses(401, 500, 502, 504),
    )
    api.openapi = lambda: _openapi(api)  # type: ignore[method-assign]
    answer_with_problems(api)
    forecasts = _add_forecasts(api, service, backend)
    _add_knowledge(api, service)
    _add_operations(api, service)
    add_pages(api, TITLE)
    return Gate(FastPath(api, forecasts), limits, api_key, service.metrics)


def _add_forecasts(api: FastAPI, service: ForecastService, backend: Backend) -> dict[str, Forecasts]:
    """The routes that forecast; returns those that `FastPath` may answer."""

    async def forecast(request_id: str, body: schemas.FixtureRequest) -> Answered:
        query = FixtureQuery(request_id, "predict", body.league, body.home_team, body.away_team, body.date)
        try:
            return await backend.forecast(query)
        except UnknownName as error:
            raise problem_of(error, field=service.ready().unknown_field(query)) from error

    def problem(query: FixtureQuery, number: int, error: Exception) -> dict[str, Any]:
        log_failure(error, query.request_id, BATCH)
        is_name = isinstance(error, UnknownName)
        field = f"fixtures.{number}.{service.ready().unknown_field(query)}" if is_name else None
        return {"problem": problem_body(problem_of(error, field=field, request_id=query.request_id))}

    async def answer_one(request_id: str, body: schemas.FixtureRequest) -> dict[str, Any]:
        return _prediction(request_id, await forecast(request_id, body))

    async def answer_batch(request_id: str, body: schemas.BatchRequest) -> dict[str, Any]:
        queries = [
            FixtureQuery(f"{request_id}/{n}", "batch", item.league, item.home_team, item.away_team, item.date)
            for n, item in enumerate(body.fixtures)
        ]
        version, outcomes = await backend.forecast_all(queries)
        forecasts = [
            problem(queries[number], number, outcome)
            if isinstance(outcome, Exception)
            else _fixture_forecast(outcome)
            for number, outcome in enumerate(outcomes)
        ]
        return {"request_id": request_id, "model_version": version, "forecasts": forecasts}

    @api.post(PREDICT, response_model=schemas.PredictAnswer, responses=FORECAST_ERRORS, tags=["forecasts"])
    async def predict(
        request: Request,
        body: schemas.FixtureRequest,
        scores: Annotated[bool, Query(description="Whether to add the score matrix.")] = False,
    ) -> Response:
        """The forecast of one match, by the names of its teams."""
        request_id = request.scope[REQUEST_ID]
        answer = await forecast(request_id, body)
        content = _prediction(request_id, answer)
        return json_response(content | {"score_matrix": answer.scores} if scores else content)

    @api.post(BATCH, response_model=schemas.BatchAnswer, responses=FORECAST_ERRORS, tags=["forecasts"])
    async def predict_batch(request: Request, body: schemas.BatchRequest) -> Response:
        """Forecasts of up to 1,000 matches. One that cannot be forecast does not spoil the others."""
        return json_response(await answer_batch(request.scope[REQUEST_ID], body))

    @api.post(
        "/predict/sequences",
        response_model=schemas.SequencesAnswer,
        responses=FORECAST_ERRORS,
        tags=["forecasts"],
    )
    async def predict_sequences(request: Request, body: schemas.SequencesRequest) -> Response:
        """The forecast of a match between teams that the model has never seen, from their past matches."""
        request_id = request.scope[REQUEST_ID]
        query = GivenQuery(request_id, body.league, _given(body.home), _given(body.away))
        answer = await backend.forecast_given(query)
        content = {"request_id": request_id, "model_version": answer.version, **_forecast(answer)}
        return json_response(content | {"unknown_opponents": answer.unknown_opponents})

    return {
        PREDICT: Forecasts(schemas.FixtureRequest, answer_one),
        BATCH: Forecasts(schemas.BatchRequest, answer_batch),
    }


def _add_knowledge(api: FastAPI, service: ForecastService) -> None:
    @api.get(
        "/fixtures", response_model=schemas.FixturesAnswer, responses=KNOWLEDGE_ERRORS, tags=["knowledge"]
    )
    async def fixtures(
        league: Annotated[Name | None, Query(description="Identifier or name of a league.")] = None,
        date_from: Annotated[date | None, Query(description="First day.")] = None,
        date_to: Annotated[date | None, Query(description="Last day.")] = None,
        overdue: Annotated[
            bool,
            Query(
                description="The fixtures whose day has passed without a result, instead of the coming ones."
            ),
        ] = False,
        limit: Limit = 100,
    ) -> Response:
        """Forecasts of the coming fixtures, or of the overdue ones, in order of kick-off.

        A fixture is overdue when results of a later day are known, of any league.
        """
        league_id = service.ready().state.find_league(league) if league else None
        listed = service.fixtures
        rows = listed.select(league_id, date_from, date_to, overdue=overdue)
        return json_response(
            {"model_version": listed.model_version, "total": len(rows), "fixtures": rows[:limit]}
        )

    @api.get(
        "/leagues", response_model=schemas.LeaguesAnswer, responses=error_responses(503), tags=["knowledge"]
    )
    async def leagues() -> Response:
        """All leagues that the model knows."""
        model = service.ready()
        rows = [
            {
                "league": item.league_id,
                "name": item.name,
                "country": item.country,
                "tier": item.tier,
                "teams": item.teams,
                "season": item.season,
                "last_match": item.last_match,
            }
            for item in model.state.leagues()
        ]
        return json_response({"model_version": model.version, "leagues": rows})

    @api.get("/teams", response_model=schemas.TeamsAnswer, responses=KNOWLEDGE_ERRORS, tags=["knowledge"])
    async def teams(
        query: Annotated[Name, Query(description="Part of a name; case and accents do not matter.")] = "",
        league: Annotated[Name | None, Query(description="Identifier or name of a league.")] = None,
        limit: Limit = 20,
    ) -> Response:
        """Teams whose names begin like the query, hold it, or come near it, in this order."""
        model = service.ready()
        rows = [_team(item) for item in model.state.teams(query, league or None, limit)]
        return json_response({"model_version": model.version, "teams": rows})

    @api.get(
        "/teams/{league}/{team:path}",
        response_model=schemas.TeamAnswer,
        responses=KNOWLEDGE_ERRORS,
        tags=["knowledge"],
    )
    async def team(league: str, team: str) -> Response:
        """A team's ratings, form and last ten matches."""
        model = service.ready()
        profile = model.state.team(league, team)
        summary = profile.summary
        return json_response(
            {
                "model_version": model.version,
                "team": summary.team,
                "league": summary.league_id,
                "league_name": summary.league_name,
                "elo": summary.elo,
                "attack": profile.attack,
                "defence": profile.defence,
                "form": {
                    name: getattr(profile, name)
                    for name in ("points_5", "points_10", "goals_for_10", "goals_against_10")
                },
                "matches": [
                    {
                        "date": match.kickoff_date,
                        "league": match.league_id,
                        "opponent": match.opponent,
                        "is_home": match.is_home,
                        "goals_for": match.goals_for,
                        "goals_against": match.goals_against,
                        "outcome": _outcome(match.goals_for - match.goals_against),
                    }
                    for match in profile.matches
                ],
            }
        )

    @api.get("/model", response_model=schemas.ModelAnswer, responses=error_responses(503), tags=["knowledge"])
    async def model() -> Response:
        """The version that answers, its scores and its card."""
        served = service.ready()
        return json_response(
            {
                "version": served.version,
                "published": served.published,
                "as_of": served.as_of,
                "provider": served.forecaster.provider,
                "metrics": served.metrics,
                "card": served.card,
            }
        )


def _add_operations(api: FastAPI, service: ForecastService) -> None:
    replica = uuid.uuid4().hex[:8]

    @api.get("/health", response_model=schemas.Health, tags=["operations"])
    async def health() -> Response:
        """How the replica is that answers: `degraded` while it cannot load the wanted version or write its log."""
        served, log_problem = service.model, service.log.error
        problem = service.config_error or service.model_error
        status = "starting" if served is None else "degraded" if problem or log_problem else "ok"
        return json_response(
            {
                "status": status,
                "model_version": served.version if served else None,
                "provider": served.forecaster.provider if served else None,
                "replica": replica,
                "uptime_seconds": service.uptime_seconds,
                "model_error": problem,
                "log_error": log_problem,
            }
        )

    @api.get("/ready", response_model=schemas.Ready, responses=error_responses(503), tags=["operations"])
    async def ready() -> Response:
        """200 once a model answers, 503 until then."""
        return json_response({"model_version": service.ready().version})

    @api.get("/metrics", response_class=Response, tags=["operations"])
    async def metrics() -> Response:
        """Totals of all replicas of this machine, in Prometheus' text format."""
        content, media_type = await asyncio.to_thread(service.metrics.render)
        return Response(content, media_type=media_type)

    @api.get("/drift", response_class=HTMLResponse, responses=error_responses(404), tags=["operations"])
    async def drift() -> Response:
        """The latest drift report."""
        try:
            report = await asyncio.to_thread(service.bucket.read, DRIFT_REPORT)
        except ObjectNotFound:
            raise ProblemError(
                404, "There is no drift report yet: it is made once predictions have been logged."
            ) from None
        return HTMLResponse(report)


def _prediction(request_id: str, answer: Answered) -> dict[str, Any]:
    return {"request_id": request_id, "model_version": answer.version, **_fixture_forecast(answer)}


def _openapi(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. The framework gives errors the media type of the route's answer."""
    if api.openapi_schema is None:
        document = get_openapi(title=api.title, version=api.version, summary=api.summary, routes=api.routes)
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        (problem,) = response["content"].values()
                        response["content"] = {MEDIA_TYPE: problem}
        api.openapi_schema = document
    return api.openapi_schema


def _forecast(answer: Answered) -> dict[str, Any]:
    return forecast_body(answer.probabilities, answer.expected_goals, answer.likeliest)


def _fixture_forecast(answer: Answered) -> dict[str, Any]:
    fixture = answer.fixture
    assert fixture is not None
    return {
        "fixture": {
            "league": answer.league_id,
            "league_name": answer.league_name,
            "home_team": fixture.home_team,
            "away_team": fixture.away_team,
            "date": answer.day,
        },
        **_forecast(answer),
    }


def _given(team: schemas.GivenTeam) -> custom_histories.CustomTeam:
    matches = [custom_histories.CustomMatch(**match.model_dump()) for match in team.history]
    return custom_histories.CustomTeam(matches, team.elo)


def _team(summary: TeamSummary) -> dict[str, Any]:
    return {
        "team": summary.team,
        "league": summary.league_id,
        "league_name": summary.league_name,
        "last_match": summary.last_match,
        "matches": summary.matches_known,
        "elo": summary.elo,
    }


def _outcome(goal_difference: int) -> str:
    return "win" if goal_difference > 0 else "loss" if goal_difference < 0 else "draw"
