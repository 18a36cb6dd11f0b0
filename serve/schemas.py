"""Requests and answers of the HTTP API as pydantic models: they validate, and they are the schemas of OpenAPI."""

import re
from datetime import date as Date
from datetime import time as Time
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from football_assets.domain.odds_rules import MAX_DECIMAL_ODDS, odds_error
from football_assets.domain.teams import LONGEST_NAME

MOST_FIXTURES = 1000
MOST_GIVEN_MATCHES = 50

_NUMBER = re.compile(r"\s*[+-]?[0-9.]*\s*", re.ASCII)


def _not_a_number(value: Any) -> Any:
    """Reject numbers, which pydantic parses as seconds since 1970, such as 20160123."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise PydanticCustomError("day", "Input should be a date like 2016-01-23")
    return value


Day = Annotated[Date, BeforeValidator(_not_a_number)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Probability = Annotated[float, Field(ge=0, le=1)]
DecimalOdds = Annotated[float, Field(gt=1, le=MAX_DECIMAL_ODDS)]
Inputs = Literal[
    "results",
    "results+shots",
    "results+odds",
    "results+shots+odds",
    "results+match_odds",
    "results+shots+match_odds",
    "results+odds+match_odds",
    "results+shots+odds+match_odds",
]
"""Tiers of input: what a forecast is based on, as `sequences.tiers.tier_of` names them."""

_EXAMPLE: dict[str, JsonValue] = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class MatchOdds(_Request):
    """Decimal odds of a match before it is played. The sum of 1/odds is between 0.97 and 1.35."""

    home: DecimalOdds = Field(description="Of a home win.")
    draw: DecimalOdds = Field(description="Of a draw.")
    away: DecimalOdds = Field(description="Of an away win.")

    @model_validator(mode="after")
    def _are_of_one_match(self) -> Self:
        message = odds_error(self.home, self.draw, self.away)
        if message is not None:
            raise PydanticCustomError("odds_of_a_match", "{reason}", {"reason": message})
        return self


class FixtureRequest(_Request):
    """A match to forecast."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    league: Name = Field(description="Identifier or name of the league: `eng.1`, `Premier League`.")
    home_team: Name = Field(description="Home team, as `/teams` spells it; case does not matter.")
    away_team: Name = Field(description="Away team, likewise.")
    date: Day | None = Field(
        None,
        description="Day of the match. Default: as in the fixture list; else today, or the day after the last result "
        "of the two teams if that is later.",
    )
    odds: MatchOdds | None = Field(
        None,
        description="Odds of this match. A model that has not learnt to use them ignores them; `inputs` of the answer "
        "says whether they were used.",
    )


class BatchRequest(_Request):
    """Matches to forecast at once."""

    model_config = ConfigDict(json_schema_extra={"example": {"fixtures": [_EXAMPLE]}})

    fixtures: Annotated[list[FixtureRequest], Field(min_length=1, max_length=MOST_FIXTURES)]


class GivenMatch(_Request):
    """A past match of a team that the model does not know."""

    goals_for: Annotated[int, Field(ge=0, le=30)]
    goals_against: Annotated[int, Field(ge=0, le=30)]
    is_home: bool
    days_ago: Annotated[int, Field(ge=1, le=20_000, description="Days before the match to forecast.")]
    opponent: Name | None = Field(None, description="A team of the league's country that the model knows.")
    opponent_elo: Annotated[float, Field(ge=0, le=4000)] | None = Field(
        None, description="Elo rating of an opponent that the model does not know; default: a newcomer's."
    )
    is_cup: bool = False


class GivenTeam(_Request):
    """A team described by its history."""

    history: Annotated[
        list[GivenMatch], Field(max_length=MOST_GIVEN_MATCHES, description="Past matches, in any order.")
    ]
    elo: Annotated[float, Field(ge=0, le=4000)] | None = Field(
        None, description="Elo rating before the first of them; default: a newcomer's of the league."
    )


class SequencesRequest(_Request):
    """A match between teams that the model has never seen."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "league": "eng.1",
                "home": {"history": [{"goals_for": 2, "goals_against": 0, "is_home": True, "days_ago": 7}]},
                "away": {"history": [{"goals_for": 1, "goals_against": 1, "is_home": False, "days_ago": 6}]},
            }
        }
    )

    league: Name = Field(description="League whose goals and entry ratings apply.")
    home: GivenTeam
    away: GivenTeam


class Fixture(BaseModel):
    """A match, under the names that the model knows."""

    league: str
    league_name: str
    home_team: str
    away_team: str
    date: Date


class Probabilities(BaseModel):
    """Of the three outcomes after 90 minutes; they sum to one."""

    home: Probability
    draw: Probability
    away: Probability


class ExpectedGoals(BaseModel):
    """Mean goals of both teams after 90 minutes."""

    home: Annotated[float, Field(ge=0)]
    away: Annotated[float, Field(ge=0)]


class Score(BaseModel):
    """A final score and its probability."""

    home: Annotated[int, Field(ge=0)]
    away: Annotated[int, Field(ge=0)]
    probability: Probability


class Forecast(BaseModel):
    """The forecast of a match."""

    probabilities: Probabilities
    expected_goals: ExpectedGoals
    likeliest_scores: list[Score] = Field(description="The three likeliest, the likeliest first.")
    inputs: Inputs = Field(
        description="What the forecast is based on: results, then `shots` and `odds` of past matches where both teams "
        "have them, then `match_odds`, odds of the match itself, where they were given and the model uses them."
    )


class FixtureForecast(Forecast):
    """A forecast with its match."""

    fixture: Fixture


class Answer(BaseModel):
    """Members of every answer that holds forecasts."""

    request_id: str
    model_version: int = Field(description="Registry version that made all forecasts of the answer.")


class PredictAnswer(Answer, FixtureForecast):
    """The forecast of one match."""

    score_matrix: list[list[Probability]] | None = Field(
        None, description="With `scores=true`: probability by home goals (rows) and away goals (columns)."
    )


class SequencesAnswer(Answer, Forecast):
    """The forecast of a match between custom histories."""

    unknown_opponents: list[str] = Field(
        description="Named opponents that the model does not know: rated as newcomers of the league."
    )


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Path of the field in the body, or name of the parameter.")
    message: str


class ItemProblem(BaseModel):
    """Why one fixture of a batch has no forecast."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    suggestions: list[str] | None = None


class BatchProblem(BaseModel):
    """An item of a batch without a forecast."""

    problem: ItemProblem


class BatchAnswer(Answer):
    """Forecasts in the order of the request, with a problem for each fixture that cannot be forecast."""

    forecasts: list[FixtureForecast | BatchProblem]


class ListedFixture(Forecast):
    """An unplayed match of the fixture lists."""

    league: str
    league_name: str
    season: str
    date: Date
    time: Time | None
    home_team: str
    away_team: str
    odds: MatchOdds | None = Field(
        None, description="Odds of the match that the forecast uses; null where it uses none."
    )


class FixturesAnswer(BaseModel):
    """Coming or overdue fixtures in order of kick-off."""

    model_version: int | None = Field(description="Registry version that forecast them; null without any.")
    total: int = Field(description="Fixtures that match the filter; at most `limit` of them are listed.")
    fixtures: list[ListedFixture]


class League(BaseModel):
    """A league that the model knows."""

    league: str
    name: str
    country: str
    tier: int | None
    teams: int
    season: str
    last_match: Date | None


class LeaguesAnswer(BaseModel):
    """All leagues."""

    model_version: int
    leagues: list[League]


class Team(BaseModel):
    """A team that the model knows."""

    team: str
    league: str
    league_name: str
    last_match: Date | None
    matches: int
    elo: float | None


class TeamsAnswer(BaseModel):
    """Teams that match a query, the best match first."""

    model_version: int
    teams: list[Team]


class Form(BaseModel):
    """Means per match; null without a match."""

    points_5: float | None
    points_10: float | None
    goals_for_10: float | None
    goals_against_10: float | None


class PastMatch(BaseModel):
    """A result of a team."""

    date: Date
    league: str
    opponent: str
    is_home: bool
    goals_for: int
    goals_against: int
    outcome: Literal["win", "draw", "loss"]


class TeamAnswer(BaseModel):
    """A team by its current ratings, form and last matches."""

    model_version: int
    team: str
    league: str
    league_name: str
    elo: float | None
    attack: float | None
    defence: float | None
    form: Form
    matches: list[PastMatch] = Field(description="The last ten, the most recent first.")


class Health(BaseModel):
    """The state of a replica."""

    status: Literal["ok", "degraded", "starting"]
    model_version: int | None
    provider: str | None
    replica: str
    uptime_seconds: float
    model_error: str | None = Field(description="Why the configured version is not loaded.")
    log_error: str | None = Field(description="The error of the prediction log.")


class Ready(BaseModel):
    """A model is loaded."""

    model_version: int
