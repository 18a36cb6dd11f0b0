"""The bodies of answers that hold forecasts, before they are serialised as JSON."""

from collections.abc import Sequence
from typing import Any

from football_assets.domain.scorelines import Score
from serve.served_model import MatchForecast


def forecast_body(
    probabilities: Sequence[float], expected_goals: Sequence[float], likeliest: Sequence[Score], inputs: str
) -> dict[str, Any]:
    """Name the numbers of a forecast, as `schemas.Forecast` does.

    Parameters
    ----------
    probabilities
        Of home win, draw and away win.
    expected_goals
        Of the home and the away team.
    likeliest
        The likeliest scores, the likeliest first.
    inputs
        Tier of input.
    """
    home, draw, away = probabilities
    home_goals, away_goals = expected_goals
    return {
        "probabilities": {"home": home, "draw": draw, "away": away},
        "expected_goals": {"home": home_goals, "away": away_goals},
        "likeliest_scores": [
            {"home": home, "away": away, "probability": probability} for home, away, probability in likeliest
        ],
        "inputs": inputs,
    }


def fixture_body(forecast: MatchForecast) -> dict[str, Any]:
    """Make the body of a fixture's forecast, as `schemas.FixtureForecast` describes it."""
    fixture = forecast.fixture
    assert fixture is not None
    return {
        "fixture": {
            "league": forecast.league_id,
            "league_name": forecast.league_name,
            "home_team": fixture.home_team,
            "away_team": fixture.away_team,
            "date": forecast.day,
        },
        **forecast_body(forecast.probabilities, forecast.expected_goals, forecast.likeliest, forecast.inputs),
    }


def prediction_body(request_id: str, forecast: MatchForecast) -> dict[str, Any]:
    """Make the body of a single fixture's answer, as `schemas.PredictAnswer` describes it."""
    return {"request_id": request_id, "model_version": forecast.model_version, **fixture_body(forecast)}


def custom_body(request_id: str, forecast: MatchForecast) -> dict[str, Any]:
    """Make the body of an answer about custom histories, as `schemas.SequencesAnswer` describes it."""
    return {
        "request_id": request_id,
        "model_version": forecast.model_version,
        **forecast_body(forecast.probabilities, forecast.expected_goals, forecast.likeliest, forecast.inputs),
        "unknown_opponents": forecast.unknown_opponents,
    }
