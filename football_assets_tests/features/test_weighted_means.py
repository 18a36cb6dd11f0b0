"""Exponentially weighted means of what teams did."""

import numpy as np
import pytest

from football_assets.features.schedule import ROW_ORDER, schedule_of
from football_assets.features.weighted_means import WeightedMeans
from football_assets_tests.builders.stg_matches import Row, stg_matches

ROWS: list[Row] = [("x.1", 0, "A", "B", 1, 0), ("x.1", 7, "B", "A", 1, 0), ("x.1", 14, "A", "C", 1, 0)]


def means_after(values: list[list[list[float]]], keep: list[float], prior: list[float]) -> np.ndarray:
    schedule = schedule_of(stg_matches(ROWS[: len(values)]).sort(*ROW_ORDER[:3]))
    known = np.ones(len(values), dtype=bool)
    means = WeightedMeans(schedule, known, np.array(values), keep, prior)
    for match in range(len(values)):
        means.observe(np.array([match]))
    return means.means(means.teams.T).T


def test_the_first_match_weighs_against_a_prior_of_two_matches() -> None:
    means = means_after([[[6.0], [3.0]]], keep=[0.5], prior=[9.0])
    assert means[:, 0] == pytest.approx([(6 + 2 * 9) / 3, (3 + 2 * 9) / 3])


def test_older_matches_weigh_less_and_home_and_away_are_not_mixed_up() -> None:
    # A plays at home, away and at home again; the second match lists B first.
    means = means_after([[[4.0], [1.0]], [[10.0], [2.0]], [[6.0], [0.0]]], keep=[0.5], prior=[0.0])
    weight = 0.25 + 0.5 + 1.0
    assert means[0, 0] == pytest.approx((0.25 * 4 + 0.5 * 2 + 6) / (weight + 2))
    assert means[1, 0] == pytest.approx((0.5 * 1 + 10) / (1.5 + 2))


def test_an_unknown_value_leaves_its_mean_and_forgets_nothing() -> None:
    nan = np.nan
    means = means_after(
        [[[4.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [nan, 3.0]]], keep=[0.5, 0.8], prior=[0.0, 0.0]
    )
    assert means[0] == pytest.approx([4 / 3, (0.8 * 1 + 3) / (1.8 + 2)])


def test_a_team_without_a_match_has_the_prior() -> None:
    schedule = schedule_of(stg_matches(ROWS).sort(*ROW_ORDER[:3]))
    means = WeightedMeans(schedule, np.zeros(3, dtype=bool), np.zeros((3, 2, 1)), [0.5], [7.0])
    assert means.means(means.teams.T)[0].tolist() == [7.0, 7.0, 7.0]
