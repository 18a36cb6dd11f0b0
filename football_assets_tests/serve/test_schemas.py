"""Requests and answers of the HTTP API: which documents are valid, and which field an invalid one is rejected for."""

from datetime import date
from itertools import product
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from football_assets.domain.teams import LONGEST_NAME
from serve.schemas import (
    MOST_FIXTURES,
    MOST_GIVEN_MATCHES,
    BatchAnswer,
    BatchProblem,
    BatchRequest,
    FixtureForecast,
    FixtureRequest,
    FixturesAnswer,
    GivenMatch,
    GivenTeam,
    Health,
    Inputs,
    ListedFixture,
    MatchOdds,
    PastMatch,
    PredictAnswer,
    Probabilities,
    Score,
    SequencesRequest,
)

MATCH = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}
PAST = {"goals_for": 1, "goals_against": 0, "is_home": True, "days_ago": 3}
FORECAST = {
    "probabilities": {"home": 0.5, "draw": 0.25, "away": 0.25},
    "expected_goals": {"home": 1.5, "away": 1.0},
    "likeliest_scores": [{"home": 1, "away": 0, "probability": 0.125}],
    "inputs": "results+odds",
}
ODDS = {"home": 2.1, "draw": 3.4, "away": 3.6}
FIXTURE = {**MATCH, "league_name": "Premier League", "date": "2016-01-23"}
PROBLEM = {"type": "about:blank", "title": "Unknown team", "status": 404, "detail": "There is none."}


def places(schema: type[BaseModel], document: Any) -> list[tuple[int | str, ...]]:
    """Where a document is not valid; empty for a valid one."""
    try:
        schema.model_validate(document)
    except ValidationError as error:
        return [item["loc"] for item in error.errors()]
    return []


# Requests


@pytest.mark.parametrize("schema", [FixtureRequest, BatchRequest, SequencesRequest])
def test_the_example_of_a_request_is_valid(schema: type[BaseModel]) -> None:
    example = schema.model_json_schema()["example"]

    request = schema.model_validate(example)

    assert request.model_dump(mode="json", exclude_unset=True) == example


@pytest.mark.parametrize("field", ["league", "home_team", "away_team"])
def test_a_name_has_one_to_a_hundred_characters(field: str) -> None:
    for length in (1, LONGEST_NAME):
        assert places(FixtureRequest, {**MATCH, field: "é" * length}) == []
    for length in (0, LONGEST_NAME + 1):
        assert places(FixtureRequest, {**MATCH, field: "é" * length}) == [(field,)]
    for other in (None, 7, ["Arsenal"]):
        assert places(FixtureRequest, {**MATCH, field: other}) == [(field,)]
    assert places(FixtureRequest, {name: value for name, value in MATCH.items() if name != field}) == [
        (field,)
    ]


def test_the_day_of_a_match_is_a_date_or_none() -> None:
    assert FixtureRequest.model_validate(MATCH).date is None
    assert FixtureRequest.model_validate({**MATCH, "date": None}).date is None
    assert FixtureRequest.model_validate({**MATCH, "date": "2016-02-29"}).date == date(2016, 2, 29)
    rejected: list[Any] = ["2015-02-29", "tomorrow", "2016-01-01T12:00:00", float("nan"), []]
    rejected += [0, 1448064000, 20160229, 1448064000.0, True, "1448064000", "20160229", " 0 ", "-1", ""]
    for wrong in rejected:
        assert places(FixtureRequest, {**MATCH, "date": wrong}) == [("date",)]


@pytest.mark.parametrize(
    ("schema", "document", "place"),
    [
        (FixtureRequest, {**MATCH, "colour": 2}, ("colour",)),
        (BatchRequest, {"fixtures": [MATCH], "league": "eng.1"}, ("league",)),
        (BatchRequest, {"fixtures": [MATCH, {**MATCH, "colour": 2}]}, ("fixtures", 1, "colour")),
        (FixtureRequest, {**MATCH, "odds": {**ODDS, "over": 2}}, ("odds", "over")),
        (FixtureRequest, {**MATCH, "odds": {"home": 2.1, "draw": 3.4}}, ("odds", "away")),
        (GivenMatch, {**PAST, "goals": 1}, ("goals",)),
        (GivenTeam, {"history": [], "name": "x"}, ("name",)),
        (SequencesRequest, {"league": "x", "home": {"history": []}, "away": {}}, ("away", "history")),
    ],
)
def test_a_field_that_is_unknown_or_missing_is_named(
    schema: type[BaseModel], document: dict[str, Any], place: tuple[int | str, ...]
) -> None:
    assert places(schema, document) == [place]


def test_the_odds_of_a_match_are_decimal_and_optional() -> None:
    assert FixtureRequest.model_validate(MATCH).odds is None
    assert FixtureRequest.model_validate({**MATCH, "odds": None}).odds is None
    assert FixtureRequest.model_validate({**MATCH, "odds": ODDS}).odds == MatchOdds(
        home=2.1, draw=3.4, away=3.6
    )
    for side in ODDS:
        numbers: list[Any] = [1, 0, -2.5, 2001, None, "evens", float("nan"), True, [2]]
        for wrong in numbers:
            assert places(FixtureRequest, {**MATCH, "odds": {**ODDS, side: wrong}}) == [("odds", side)]
    others: list[Any] = [[2.1, 3.4, 3.6], "2.1 3.4 3.6", 2.1]
    for wrong in others:
        assert places(FixtureRequest, {**MATCH, "odds": wrong}) == [("odds",)]


def test_odds_that_are_not_of_one_match_are_rejected_with_their_sum() -> None:
    with pytest.raises(ValidationError) as caught:
        BatchRequest.model_validate({"fixtures": [MATCH, {**MATCH, "odds": {**ODDS, "away": 36}}]})

    (error,) = caught.value.errors()
    assert error["loc"] == ("fixtures", 1, "odds")
    assert error["msg"] == (
        "1/2.1 + 1/3.4 + 1/36 is 0.798; for the odds of one match that sum is between 0.97 and 1.35"
    )


def test_a_batch_has_one_to_a_thousand_matches() -> None:
    for count, wrong in ((0, True), (1, False), (MOST_FIXTURES, False), (MOST_FIXTURES + 1, True)):
        assert places(BatchRequest, {"fixtures": [MATCH] * count}) == ([("fixtures",)] if wrong else [])
    assert MOST_FIXTURES == 1000


@pytest.mark.parametrize(
    ("field", "valid", "invalid"),
    [
        ("goals_for", [0, 30], [-1, 31, 1.5, None]),
        ("goals_against", [0, 30], [-1, 31, 1.5, None]),
        ("is_home", [True, False], [None, "perhaps", 2]),
        ("days_ago", [1, 20_000], [0, 20_001, 0.5, None]),
        ("opponent", ["Arsenal", None], ["", "a" * 101, 7]),
        ("opponent_elo", [0, 1500.5, 4000, None], [-0.1, 4000.1, float("nan"), float("inf"), "high"]),
        ("is_cup", [True, False], [None, "perhaps"]),
    ],
)
def test_a_past_match_is_within_its_bounds(field: str, valid: list[Any], invalid: list[Any]) -> None:
    for value in valid:
        assert getattr(GivenMatch.model_validate({**PAST, field: value}), field) == value
    for value in invalid:
        assert places(GivenMatch, {**PAST, field: value}) == [(field,)]


def test_a_past_match_without_an_opponent_is_of_a_league_against_a_newcomer() -> None:
    match = GivenMatch.model_validate(PAST)

    assert (match.opponent, match.opponent_elo, match.is_cup) == (None, None, False)


def test_a_team_has_at_most_fifty_past_matches_and_a_rating_within_bounds() -> None:
    for count, wrong in ((0, False), (MOST_GIVEN_MATCHES, False), (MOST_GIVEN_MATCHES + 1, True)):
        assert places(GivenTeam, {"history": [PAST] * count}) == ([("history",)] if wrong else [])
    for elo, wrong in (
        (None, False),
        (0, False),
        (4000, False),
        (-1, True),
        (4001, True),
        (float("nan"), True),
    ):
        assert places(GivenTeam, {"history": [], "elo": elo}) == ([("elo",)] if wrong else [])
    assert MOST_GIVEN_MATCHES == 50


def test_a_request_cannot_be_changed() -> None:
    request = FixtureRequest.model_validate(MATCH)

    with pytest.raises(ValidationError, match="frozen"):
        request.league = "de.1"  # type: ignore[misc]


# Answers


@pytest.mark.parametrize("value", [-0.01, 1.01, None, "many"])
def test_a_probability_is_between_zero_and_one(value: Any) -> None:
    assert places(Probabilities, {"home": 0, "draw": 1, "away": 0.5}) == []
    assert places(Probabilities, {"home": 0.5, "draw": value, "away": 0.25}) == [("draw",)]
    assert places(Score, {"home": 1, "away": 0, "probability": value}) == [("probability",)]


def test_goals_are_not_negative() -> None:
    assert places(Score, {"home": -1, "away": 0, "probability": 0.1}) == [("home",)]
    wrong = {**FORECAST, "expected_goals": {"home": 1.5, "away": -0.1}}
    assert places(FixtureForecast, {**wrong, "fixture": FIXTURE}) == [("expected_goals", "away")]


def test_the_answer_for_one_match_names_its_version_and_has_scores_only_if_asked() -> None:
    answer = {"request_id": "a1", "model_version": 3, "fixture": FIXTURE, **FORECAST}

    assert PredictAnswer.model_validate(answer).score_matrix is None
    assert places(PredictAnswer, {**answer, "score_matrix": [[0.5, 0.25], [0.25, 0.0]]}) == []
    assert places(PredictAnswer, {**answer, "score_matrix": [[0.5, 1.25]]}) == [("score_matrix", 0, 1)]
    assert places(PredictAnswer, {name: answer[name] for name in answer if name != "model_version"}) == [
        ("model_version",)
    ]


def test_the_tier_of_input_is_of_a_closed_set() -> None:
    answer = {"fixture": FIXTURE, **FORECAST}
    for tier in ("results", "results+shots", "results+shots+odds", "results+shots+odds+match_odds"):
        assert places(FixtureForecast, {**answer, "inputs": tier}) == []
    for other in ("odds", "results+odds+shots", "everything", None):
        assert places(FixtureForecast, {**answer, "inputs": other}) == [("inputs",)]


def test_the_tiers_are_those_that_the_sequences_can_have() -> None:
    groups = [("", "+shots"), ("", "+odds"), ("", "+match_odds")]

    assert set(get_args(Inputs)) == {"results" + "".join(parts) for parts in product(*groups)}


def test_a_listed_fixture_has_the_odds_that_its_forecast_uses_or_none() -> None:
    listed = {**FIXTURE, **FORECAST, "season": "2015-16", "time": None}
    assert places(ListedFixture, {**listed, "odds": None}) == []
    assert places(ListedFixture, {**listed, "odds": ODDS}) == []


def test_an_item_of_a_batch_is_a_forecast_or_a_problem() -> None:
    answer = BatchAnswer.model_validate(
        {
            "request_id": "a1",
            "model_version": 3,
            "forecasts": [
                {"fixture": FIXTURE, **FORECAST},
                {"problem": {**PROBLEM, "suggestions": ["Arsenal"]}},
            ],
        }
    )

    forecast, problem = answer.forecasts
    assert isinstance(forecast, FixtureForecast)
    assert forecast.fixture.date == date(2016, 1, 23)
    assert isinstance(problem, BatchProblem)
    assert (problem.problem.status, problem.problem.suggestions) == (404, ["Arsenal"])
    assert problem.problem.errors is None
    without = {"request_id": "a1", "model_version": 3, "forecasts": [{"fixture": FIXTURE}]}
    assert places(BatchAnswer, without) != []


def test_a_list_without_a_model_has_no_version() -> None:
    answer = FixturesAnswer.model_validate({"model_version": None, "total": 0, "fixtures": []})

    assert (answer.model_version, answer.total, answer.fixtures) == (None, 0, [])
    assert places(FixturesAnswer, {"total": 0, "fixtures": []}) == [("model_version",)]


def test_states_and_outcomes_are_of_a_closed_set() -> None:
    health = {
        "model_version": None,
        "provider": None,
        "replica": "a",
        "uptime_seconds": 0.5,
        "model_error": None,
        "log_error": None,
    }
    for status in ("ok", "degraded", "starting"):
        assert places(Health, {**health, "status": status}) == []
    assert places(Health, {**health, "status": "fine"}) == [("status",)]
    past = {
        "date": "2016-01-23",
        "league": "eng.1",
        "opponent": "Chelsea",
        "is_home": True,
        "goals_for": 1,
        "goals_against": 1,
    }
    for outcome in ("win", "draw", "loss"):
        assert places(PastMatch, {**past, "outcome": outcome}) == []
    assert places(PastMatch, {**past, "outcome": "void"}) == [("outcome",)]
