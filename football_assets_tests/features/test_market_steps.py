"""Steps of attack and defence and Elo from implied odds."""

import numpy as np
import pytest

from football_assets.features.market_steps import MarketSteps
from football_assets.features.schedule import ROW_ORDER, schedule_of
from football_assets_tests.builders.stg_matches import Row, stg_matches

ROWS: list[Row] = [("x.1", 0, "A", "B", 1, 0), ("x.1", 7, "B", "A", 1, 0)]


def steps(log_goals: list[tuple[float, float]], scores: list[float]) -> MarketSteps:
    schedule = schedule_of(stg_matches(ROWS).sort(*ROW_ORDER[:3]))
    return MarketSteps(schedule, np.ones(2, dtype=bool), np.array(log_goals), np.array(scores))


def test_attack_and_defence_follow_the_error_in_log_goals() -> None:
    ratings = steps([(0.67, -0.08), (0.0, 0.0)], [0.5, 0.5])
    ratings.observe(np.array([0]))
    # 0.37 and 0.12 were expected: errors of 0.3 and -0.2.
    assert ratings.teams[0, :2] == pytest.approx([0.3 * 0.3, 0.3 * 0.2])
    assert ratings.teams[1, :2] == pytest.approx([-0.3 * 0.2, -0.3 * 0.3])
    assert ratings.leagues[0, :2] == pytest.approx([0.37 + 0.02 * 0.3, 0.12 - 0.02 * 0.2])


def test_elo_points_pass_from_one_side_to_the_other() -> None:
    ratings = steps([(0.37, 0.12), (0.0, 0.0)], [0.7, 0.5])
    ratings.observe(np.array([0]))
    expected = 1 / (1 + 10 ** (-60 / 400))
    moved = 150 * (0.7 - expected)
    assert ratings.teams[:, 2] == pytest.approx([1500 + moved, 1500 - moved])
    assert ratings.leagues[0, 2] == pytest.approx(60 + 5 * (0.7 - expected))


def test_a_team_is_expected_to_do_away_what_it_did_at_home() -> None:
    ratings = steps([(0.67, -0.08), (0.3, 0.2)], [0.7, 0.4])
    ratings.observe(np.array([0]))
    (attack_a, defence_a, elo_a), (attack_b, defence_b, elo_b) = ratings.teams.tolist()
    home, away, elo_home = ratings.leagues[0].tolist()
    ratings.observe(np.array([1]))
    assert ratings.teams[1, 0] == pytest.approx(attack_b + 0.3 * (0.3 - (home + attack_b - defence_a)))
    assert ratings.teams[1, 1] == pytest.approx(defence_b - 0.3 * (0.2 - (away + attack_a - defence_b)))
    expected = 1 / (1 + 10 ** (-(elo_b - elo_a + elo_home) / 400))
    assert ratings.teams[1, 2] == pytest.approx(elo_b + 150 * (0.4 - expected))
