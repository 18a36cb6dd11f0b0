"""The scores of the Soccer Prediction Challenge, against values computed by hand."""

import numpy as np
import pytest

from football_assets.comparison.challenge_scores import (
    challenge_scores,
    outcomes_of_goals,
    squared_error_each,
    whole_goals,
)

PROBABILITIES = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
PREDICTED = np.array([[1.5, 1.0], [0.5, 2.0]])
GOALS = np.array([[2, 0], [3, 3]])


def test_rps_and_rmse_are_those_of_the_definition() -> None:
    scores = challenge_scores(PROBABILITIES, PREDICTED, GOALS, np.array([0, 1]))

    first = ((0.5 - 1) ** 2 + (0.8 - 1) ** 2) / 2  # a home win
    second = (0.1**2 + (0.3 - 1) ** 2) / 2  # a draw
    assert scores.rps == pytest.approx((first + second) / 2)
    assert scores.rmse == pytest.approx(np.sqrt((0.25 + 1.0 + 6.25 + 1.0) / 2))
    assert scores.matches == 2
    assert scores.rps_low == pytest.approx(first)
    assert scores.rps_high == pytest.approx(second)
    assert scores.rmse_low == pytest.approx(np.sqrt(1.25))
    assert scores.rmse_high == pytest.approx(np.sqrt(7.25))


def test_the_goals_of_both_teams_count() -> None:
    assert squared_error_each(PREDICTED, GOALS).tolist() == [1.25, 7.25]
    assert squared_error_each(PREDICTED[:, ::-1], GOALS).tolist() == [1.0 + 2.25, 1.0 + 6.25]


def test_whole_goals_have_the_least_expected_squared_error() -> None:
    generator = np.random.default_rng(0)
    means = generator.uniform(0.05, 4.5, (40, 2))
    draws = generator.poisson(means, (20_000, 40, 2))

    chosen = whole_goals(means)

    errors = np.stack([((draws - goals) ** 2).mean(axis=0) for goals in range(8)])  # [8, 40, 2]
    near_a_tie = np.abs(means % 1 - 0.5) < 0.05
    assert (chosen == errors.argmin(axis=0))[~near_a_tie].all()
    assert whole_goals(np.array([[0.4, 2.5]])).tolist() == [[0, 3]]


def test_outcomes_are_home_win_draw_and_away_win() -> None:
    assert outcomes_of_goals(np.array([[2, 1], [1, 1], [0, 1]], dtype=np.uint8)).tolist() == [0, 1, 2]
