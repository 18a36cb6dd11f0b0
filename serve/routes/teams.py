"""`/leagues`, `/teams` and `/teams/{league}/{team}`: the leagues and teams that the model knows."""

from enum import Enum
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from football_assets.sequences.state_summaries import TeamProfile, TeamSummary
from serve import schemas
from serve.fast_path import json_response
from serve.problems import error_responses
from serve.routes.parameters import LOOKUP_ERRORS, LeagueParameter, LimitParameter, NameParameter
from serve.service import ForecastService

_TAGS: list[str | Enum] = ["knowledge"]
_FORM = ("points_5", "points_10", "goals_for_10", "goals_against_10")


def add_teams(api: FastAPI, service: ForecastService) -> None:
    """Add the routes of leagues and teams."""

    @api.get("/leagues", response_model=schemas.LeaguesAnswer, responses=error_responses(503), tags=_TAGS)
    async def leagues() -> Response:
        """List all leagues that the model knows."""
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

    @api.get("/teams", response_model=schemas.TeamsAnswer, responses=LOOKUP_ERRORS, tags=_TAGS)
    async def teams(
        query: Annotated[
            NameParameter, Query(description="Part of a name; case and accents are ignored.")
        ] = "",
        league: LeagueParameter = None,
        limit: LimitParameter = 20,
    ) -> Response:
        """Search teams: names that begin like the query, then names that contain it, else the most similar ones."""
        model = service.ready()
        rows = [_summary_body(item) for item in model.state.teams(query, league or None, limit)]
        return json_response({"model_version": model.version, "teams": rows})

    @api.get(
        "/teams/{league}/{team:path}",
        response_model=schemas.TeamAnswer,
        responses=LOOKUP_ERRORS,
        tags=_TAGS,
    )
    async def team(league: str, team: str) -> Response:
        """Return a team's ratings, form and last ten matches."""
        model = service.ready()
        return json_response(
            {"model_version": model.version, **_profile_body(model.state.team(league, team))}
        )


def _summary_body(summary: TeamSummary) -> dict[str, Any]:
    return {
        "team": summary.team,
        "league": summary.league_id,
        "league_name": summary.league_name,
        "last_match": summary.last_match,
        "matches": summary.matches_known,
        "elo": summary.elo,
    }


def _profile_body(profile: TeamProfile) -> dict[str, Any]:
    summary = profile.summary
    return {
        "team": summary.team,
        "league": summary.league_id,
        "league_name": summary.league_name,
        "elo": summary.elo,
        "attack": profile.attack,
        "defence": profile.defence,
        "form": {name: getattr(profile, name) for name in _FORM},
        "matches": [
            {
                "date": match.kickoff_date,
                "league": match.league_id,
                "opponent": match.opponent,
                "is_home": match.is_home,
                "goals_for": match.goals_for,
                "goals_against": match.goals_against,
                "outcome": _outcome_of(match.goals_for - match.goals_against),
            }
            for match in profile.matches
        ],
    }


def _outcome_of(goal_difference: int) -> str:
    return "win" if goal_difference > 0 else "loss" if goal_difference < 0 else "draw"
