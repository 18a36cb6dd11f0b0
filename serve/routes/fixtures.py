"""`/fixtures`: forecasts of the fixture lists."""

from typing import Annotated

from fastapi import FastAPI, Query, Response

from serve import schemas
from serve.fast_path import json_response
from serve.routes.parameters import LOOKUP_ERRORS, LeagueParameter, LimitParameter
from serve.service import ForecastService


def add_fixtures(api: FastAPI, service: ForecastService) -> None:
    """Add the route of the fixture lists."""

    @api.get("/fixtures", response_model=schemas.FixturesAnswer, responses=LOOKUP_ERRORS, tags=["knowledge"])
    async def fixtures(
        league: LeagueParameter = None,
        date_from: Annotated[schemas.Day | None, Query(description="First day.")] = None,
        date_to: Annotated[schemas.Day | None, Query(description="Last day.")] = None,
        overdue: Annotated[
            bool,
            Query(
                description="List the fixtures whose date has passed without a result, instead of the upcoming ones."
            ),
        ] = False,
        limit: LimitParameter = 100,
    ) -> Response:
        """List forecasts of the upcoming fixtures, or of the overdue ones, in order of kick-off.

        A fixture is overdue when results of a later day are known, of any league.
        """
        league_id = service.ready().state.find_league(league) if league else None
        listed = service.fixtures
        rows = listed.select(league_id, date_from, date_to, overdue=overdue)
        return json_response(
            {"model_version": listed.model_version, "total": len(rows), "fixtures": rows[:limit]}
        )
