"""Scores against values worked out by hand and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from football_assets.domain.scoring_rules import (
    ReliabilityBin,
    brier_score_each,
    expected_calibration_error,
    log_loss,
    log_loss_each,
    ranked_probability_score_each,
    reliability,
    score,
)

# Four forecasts of home, draw, away, and what happened.
FORECASTS = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.8, 0.1]])
OUTCOMES = np.array([0, 0, 2, 1])


def test_log_loss_is_the_negative_logarithm_of_what_happened() -> None:
    expected = [-math.log(0.5), -math.log(0.2), -math.log(1e-15), -math.log(0.8)]

    assert log_loss_each(FORECASTS, OUTCOMES) == pytest.approx(expected)
    assert log_loss(FORECASTS[[0, 1]], OUTCOMES[[0, 1]]) == pytest.approx((math.log(2) + math.log(5)) / 2)


def test_the_ranked_probability_score_counts_the_distance_between_outcomes() -> None:
    # Cumulative differences: (-.5, -.2), (-.8, -.5), (1, 1), (.1, -.1); squared, summed, halved.
    assert ranked_probability_score_each(FORECASTS, OUTCOMES) == pytest.approx([0.145, 0.445, 1.0, 0.01])
    # A draw forecast misses a home win by less than an away forecast does.
    draw, away = np.array([[0.0, 1.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    home = np.array([0])
    assert ranked_probability_score_each(draw, home) == pytest.approx(0.5)
    assert ranked_probability_score_each(away, home) == pytest.approx(1.0)


def test_the_brier_score_sums_over_the_three_outcomes() -> None:
    assert brier_score_each(FORECASTS, OUTCOMES) == pytest.approx([0.38, 0.98, 2.0, 0.06])


def test_all_scores_are_means_over_the_matches() -> None:
    found = score(FORECASTS[[0, 1, 3]], OUTCOMES[[0, 1, 3]])

    assert found.log_loss == pytest.approx(-(math.log(0.5) + math.log(0.2) + math.log(0.8)) / 3)
    assert found.rps == pytest.approx(0.6 / 3)
    assert found.brier == pytest.approx(1.42 / 3)
    assert found.accuracy == pytest.approx(2 / 3)
    assert list(found.as_dict()) == ["log_loss", "rps", "brier", "accuracy", "ece"]


def test_scores_of_no_matches_are_refused() -> None:
    with pytest.raises(ValueError, match="^scores of no matches are not defined$"):
        score(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))


def test_reliability_has_a_row_a_bin_that_has_forecasts() -> None:
    rows = reliability(FORECASTS[:2], OUTCOMES[:2])

    assert rows == [
        ReliabilityBin("home", 0.2, 1.0, 1),
        ReliabilityBin("home", 0.5, 1.0, 1),
        ReliabilityBin("draw", 0.3, 0.0, 2),
        ReliabilityBin("away", 0.2, 0.0, 1),
        ReliabilityBin("away", 0.5, 0.0, 1),
    ]


def test_a_certain_forecast_falls_into_the_last_bin() -> None:
    rows = reliability(np.array([[1.0, 0.0, 0.0], [0.95, 0.05, 0.0]]), np.array([0, 0]))

    assert [(row.outcome, row.matches) for row in rows] == [("home", 2), ("draw", 2), ("away", 2)]


def test_a_bin_is_a_tenth_of_the_probabilities_unless_said_otherwise() -> None:
    # 0.41 and 0.49 share a tenth, 0.85 and 0.95 do not.
    home = np.array([0.41, 0.49, 0.85, 0.95])
    forecasts = np.column_stack([home, (1 - home) / 2, (1 - home) / 2])
    outcomes = np.array([0, 2, 0, 0])

    assert [row.matches for row in reliability(forecasts, outcomes) if row.outcome == "home"] == [2, 1, 1]
    assert [row.matches for row in reliability(forecasts, outcomes, 1) if row.outcome == "home"] == [4]
    draw, away = np.abs([0.295 + 0.255, 0.075 + 0.025]), np.abs([0.295 - 1 + 0.255, 0.075 + 0.025])
    tenths = 2 * abs(0.45 - 0.5) + 0.15 + 0.05 + draw.sum() + away.sum()
    assert expected_calibration_error(forecasts, outcomes) == pytest.approx(tenths / 12)
    whole = 4 * (abs(home.mean() - 0.75) + abs((1 - home.mean()) / 2) + abs((1 - home.mean()) / 2 - 0.25))
    assert expected_calibration_error(forecasts, outcomes, bins=1) == pytest.approx(whole / 12)


def test_the_calibration_error_weights_bins_by_their_forecasts() -> None:
    # |.2 - 1|, |.5 - 1|, twice |.3 - 0|, |.2 - 0|, |.5 - 0| over six forecasts.
    assert expected_calibration_error(FORECASTS[:2], OUTCOMES[:2]) == pytest.approx(2.6 / 6)


def test_a_calibrated_forecaster_has_no_calibration_error() -> None:
    forecasts = np.tile([0.5, 0.25, 0.25], (8, 1))
    outcomes = np.array([0, 0, 0, 0, 1, 1, 2, 2])

    assert expected_calibration_error(forecasts, outcomes) == pytest.approx(0.0)
    assert expected_calibration_error(forecasts, outcomes[::-1]) == pytest.approx(0.0)
    assert expected_calibration_error(forecasts, np.zeros(8, dtype=int)) == pytest.approx(
        (0.5 + 0.25 + 0.25) / 3
    )


@settings(max_examples=25)
@given(
    arrays.arrays(np.float64, (7, 3), elements=st.floats(0.01, 1)),
    arrays.arrays(np.int64, 7, elements=st.integers(0, 2)),
)
def test_scores_agree_with_scikit_learn_and_stay_in_their_bounds(
    weights: np.ndarray, outcomes: np.ndarray
) -> None:
    forecasts = weights / weights.sum(axis=1, keepdims=True)

    found = score(forecasts, outcomes)

    assert found.log_loss == pytest.approx(sklearn_log_loss(outcomes, forecasts, labels=[0, 1, 2]))
    assert found.brier == pytest.approx(
        brier_score_loss(outcomes, forecasts, labels=[0, 1, 2], scale_by_half=False)
    )
    assert 0 <= found.rps <= 1
    assert 0 <= found.ece <= 1


@given(
    arrays.arrays(np.float64, 3, elements=st.floats(0.05, 1)),
    arrays.arrays(np.float64, 3, elements=st.floats(0.05, 1)),
)
def test_no_forecast_is_expected_to_score_better_than_the_truth(
    first: np.ndarray, second: np.ndarray
) -> None:
    truth, other = first / first.sum(), second / second.sum()
    outcomes = np.arange(3)

    for each in (log_loss_each, ranked_probability_score_each, brier_score_each):
        honest, dishonest = (truth @ each(np.tile(forecast, (3, 1)), outcomes) for forecast in (truth, other))
        assert honest <= dishonest + 1e-12


def test_half_precision_probabilities_are_scored_in_double_precision() -> None:
    forecasts = FORECASTS.astype(np.float32)

    assert log_loss_each(forecasts, OUTCOMES).dtype == np.float64
    assert score(forecasts, OUTCOMES).rps == pytest.approx(score(FORECASTS, OUTCOMES).rps, abs=1e-6)
