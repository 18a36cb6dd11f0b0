"""Expected goals that odds imply, and outcome probabilities of expected goals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.domain.implied_goals import implied_goals, outcome_probabilities

GOALS = st.floats(0.2, 4.5)


def by_hand(home: float, away: float) -> tuple[float, float, float, float]:
    """Sum the Dixon-Coles matrix cell by cell, as the paper writes it."""
    rho = -0.06

    def poisson(mean: float) -> list[float]:
        terms = [mean**goals / math.factorial(goals) for goals in range(11)]
        return [term / sum(terms) for term in terms]

    at_home, at_away = poisson(home), poisson(away)
    correction = {
        (0, 0): 1 - home * away * rho,
        (0, 1): 1 + home * rho,
        (1, 0): 1 + away * rho,
        (1, 1): 1 - rho,
    }
    sums = [0.0, 0.0, 0.0, 0.0]
    for i in range(11):
        for j in range(11):
            p = at_home[i] * at_away[j] * correction.get((i, j), 1.0)
            sums[0 if i > j else 1 if i == j else 2] += p
            sums[3] += p if i + j > 2 else 0.0
    return sums[0], sums[1], sums[2], sums[3]


@given(home=GOALS, away=GOALS)
def test_outcomes_are_sums_over_the_dixon_coles_matrix(home: float, away: float) -> None:
    outcomes = outcome_probabilities(np.array([home]), np.array([away]))
    assert [float(values[0]) for values in outcomes] == pytest.approx(by_hand(home, away), abs=1e-12)


@settings(deadline=None)
@given(home=GOALS, away=GOALS, knows_over=st.booleans())
def test_the_fit_finds_the_goals_that_the_probabilities_come_from(
    home: float, away: float, knows_over: bool
) -> None:
    *outcomes, over = by_hand(home, away)
    fitted = implied_goals(np.array([outcomes]), np.array([over if knows_over else np.nan]))
    assert fitted[0] == pytest.approx([home, away], rel=1e-5)


@pytest.mark.parametrize("over", [0.35, 0.5, 0.7])
def test_of_probabilities_that_no_goals_explain_the_squared_error_is_least(over: float) -> None:
    wanted = np.array([0.45, 0.32, 0.23, over])
    ((home, away),) = implied_goals(wanted[None, :3], wanted[3:])

    def squared_error(home: float, away: float) -> float:
        outcomes = outcome_probabilities(np.array([home]), np.array([away]))
        return float(sum((values[0] - value) ** 2 for values, value in zip(outcomes, wanted, strict=True)))

    least = squared_error(home, away)
    assert least > 1e-4
    for factor in (0.999, 1.001):
        assert squared_error(home * factor, away) > least
        assert squared_error(home, away * factor) > least


def test_with_more_goals_in_the_market_both_sides_score_more() -> None:
    outcomes = np.array([[0.5, 0.25, 0.25]] * 3)
    few, alone, many = implied_goals(outcomes, np.array([0.40, np.nan, 0.60]))
    assert (few < alone).all()
    assert (alone < many).all()


def test_unknown_probabilities_have_no_goals() -> None:
    goals = implied_goals(np.array([[np.nan] * 3, [0.5, 0.25, 0.25]]), np.array([0.5, 0.5]))
    assert np.isnan(goals).tolist() == [[True, True], [False, False]]


def test_probabilities_that_contradict_each_other_give_finite_goals() -> None:
    goals = implied_goals(np.array([[0.90, 0.05, 0.05], [0.02, 0.96, 0.02]]), np.array([0.01, 0.99]))
    assert np.isfinite(goals).all()


def test_no_matches() -> None:
    assert implied_goals(np.empty((0, 3)), np.empty(0)).shape == (0, 2)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), count=st.integers(2, 40))
def test_a_match_alone_and_among_others_gives_the_same_bits(seed: int, count: int) -> None:
    goals = np.random.default_rng(seed).uniform(0.3, 4.0, (2, count))
    *outcomes, over = outcome_probabilities(*goals)
    together = implied_goals(np.stack(outcomes, axis=1), over)
    for row in range(count):
        alone = outcome_probabilities(*goals[:, row : row + 1].copy())
        assert [values[0] for values in alone] == [values[row] for values in (*outcomes, over)]
        fitted = implied_goals(np.stack(alone[:3], axis=1), alone.over)
        assert (fitted[0] == together[row]).all()
