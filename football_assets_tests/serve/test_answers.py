"""The bodies of answers name each number by side and score."""

from football_assets.domain.scorelines import Score
from serve.answers import forecast_body


def test_a_forecast_is_told_by_side_and_score() -> None:
    assert forecast_body(
        [0.5, 0.3, 0.2], [1.75, 0.5], [Score(1, 0, 0.125), Score(10, 2, 0.0625)], "results+shots"
    ) == {
        "probabilities": {"home": 0.5, "draw": 0.3, "away": 0.2},
        "expected_goals": {"home": 1.75, "away": 0.5},
        "likeliest_scores": [
            {"home": 1, "away": 0, "probability": 0.125},
            {"home": 10, "away": 2, "probability": 0.0625},
        ],
        "inputs": "results+shots",
    }
