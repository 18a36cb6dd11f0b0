"""Scorelines agree with the forecast that they are derived from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.domain.scorelines import Score, likeliest_scores, score_matrix, scores_text


def independent(xg_home: float, xg_away: float) -> np.ndarray:
    def poisson(rate: float) -> np.ndarray:
        return np.array([math.exp(-rate) * rate**k / math.factorial(k) for k in range(11)])

    return np.outer(poisson(xg_home), poisson(xg_away))


def masses(matrix: np.ndarray) -> list[float]:
    return [np.tril(matrix, -1).sum(), np.trace(matrix), np.triu(matrix, 1).sum()]


def test_scorelines_sum_to_the_forecast_outcome_probabilities() -> None:
    forecast = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    matrix = score_matrix(np.array([1.8, 0.7]), np.array([0.9, 2.2]), forecast)
    assert matrix.shape == (2, 11, 11)
    for match, probabilities in zip(matrix, forecast, strict=True):
        assert masses(match) == pytest.approx(list(probabilities))


def test_within_an_outcome_scorelines_keep_the_ratios_of_independent_poisson_goals() -> None:
    matrix = score_matrix(np.array([1.8]), np.array([0.9]), np.array([[0.5, 0.3, 0.2]]))[0]
    plain = independent(1.8, 0.9)
    assert matrix[2, 0] / matrix[3, 1] == pytest.approx(plain[2, 0] / plain[3, 1])
    assert matrix[1, 1] / matrix[0, 0] == pytest.approx(plain[1, 1] / plain[0, 0])
    assert matrix[0, 1] / matrix[1, 4] == pytest.approx(plain[0, 1] / plain[1, 4])


def test_a_forecast_that_is_independent_poisson_is_returned_unchanged() -> None:
    plain = independent(1.4, 1.1)
    plain /= plain.sum()
    matrix = score_matrix(np.array([1.4]), np.array([1.1]), np.array([masses(plain)]))[0]
    np.testing.assert_allclose(matrix, plain, atol=1e-12)


@given(
    st.floats(0, 60),
    st.floats(0, 60),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).filter(any),
)
def test_scorelines_of_any_forecast_are_probabilities(
    home: float, away: float, weights: tuple[float, ...]
) -> None:
    probabilities = np.array([weights]) / sum(weights)
    matrix = score_matrix(np.array([home]), np.array([away]), probabilities)
    assert np.isfinite(matrix).all()
    assert (matrix >= 0).all()
    assert masses(matrix[0]) == pytest.approx(list(probabilities[0]), abs=1e-9)


def test_a_match_has_the_scorelines_that_it_has_alone() -> None:
    home, away = np.array([1000.0, 1.4, 0.0]), np.array([0.3, 1.1, 1000.0])
    forecast = np.array([[0.5, 0.3, 0.2]] * 3)
    alone = [score_matrix(home[[i]], away[[i]], forecast[[i]])[0] for i in range(3)]
    np.testing.assert_allclose(score_matrix(home, away, forecast), alone, rtol=1e-12)


def test_single_precision_goals_are_counted_in_double_precision() -> None:
    home, away = np.array([1.8], np.float32), np.array([0.9], np.float32)
    forecast = np.array([[0.5, 0.3, 0.2]])
    matrix = score_matrix(home, away, forecast)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, score_matrix(home.astype(float), away.astype(float), forecast))


def test_likeliest_scores_are_home_first_and_in_order() -> None:
    matrix = score_matrix(
        np.array([2.4, 0.4]), np.array([0.4, 2.4]), np.array([[0.8, 0.15, 0.05], [0.05, 0.15, 0.8]])
    )
    first, second = likeliest_scores(matrix)
    assert [(score.home, score.away) for score in first] == [(2, 0), (1, 0), (3, 0)]
    assert [(score.home, score.away) for score in second] == [(0, 2), (0, 1), (0, 3)]
    assert first[0].probability == pytest.approx(matrix[0, 2, 0])
    assert first[0].probability > first[1].probability > first[2].probability


def test_of_equally_likely_scores_that_with_fewer_home_goals_comes_first() -> None:
    matrix = score_matrix(np.array([1.5]), np.array([1.5]), np.array([[0.4, 0.2, 0.4]]))
    assert matrix[0, 1, 2] == matrix[0, 2, 1]
    (scores,) = likeliest_scores(matrix)
    assert [(score.home, score.away) for score in scores] == [(1, 1), (1, 2), (2, 1)]


def test_scores_are_written_for_a_person() -> None:
    assert scores_text([Score(1, 1, 0.1249), Score(1, 0, 0.1)]) == "1-1 12 %, 1-0 10 %"
