"""Pi-ratings: the worked example of the paper; a rating uses earlier days only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.comparison.pi_ratings import PiConfig, pi_goal_difference, pi_ratings

DAY = np.datetime64("2020-08-01")


def days_of(*offsets: int) -> np.ndarray:
    return DAY + np.array(offsets).astype("timedelta64[D]")


def test_a_rating_is_a_goal_difference_against_an_average_team() -> None:
    # Of the paper: 10^(1.6 / 3) − 1 = 2.4145 at home, −(10^(1.2 / 3) − 1) = −1.5119 away.
    ratings = np.array([[1.6, 0.4, 0.3, -1.2], [0.0, 3.0, 3.0, 0.0], [-3.0, 0.0, 0.0, 3.0]])

    np.testing.assert_allclose(pi_goal_difference(ratings), [3.92643, 0.0, -18.0], atol=1e-4)


def test_the_first_match_moves_each_ground_by_its_rate() -> None:
    first, second = pi_ratings(
        days_of(0, 7), np.array([0, 1]), np.array([1, 0]), np.array([3, 0]), np.array([True, False])
    )

    move = 0.035 * 3 * np.log10(1 + 3)  # an error of three goals from ratings of 0
    assert first.tolist() == [0, 0, 0, 0]
    # Team 1 is at home now: its home rating only followed its away rating.
    np.testing.assert_allclose(second, [-0.7 * move, -move, move, 0.7 * move])


def test_a_win_by_less_than_expected_lowers_the_rating() -> None:
    config = PiConfig(rate=1.0, catch_up=0.5)
    days, home, away = days_of(0, 1, 2), np.array([0, 0, 0]), np.array([1, 1, 1])

    _, second, third = pi_ratings(days, home, away, np.array([9, 1, 0]), np.ones(3, dtype=bool), config)

    assert second[0] == pytest.approx(3.0)  # 3 · log10(1 + 9)
    expected = (10 - 1) - -(10 - 1)  # both of the ratings stand for nine goals
    assert third[0] == pytest.approx(3.0 - 3 * np.log10(1 + expected - 1))
    assert third[1] == pytest.approx(1.5 - 0.5 * 3 * np.log10(1 + expected - 1))


def test_matches_of_a_day_do_not_count_for_each_other_but_all_count_after_it() -> None:
    days, home, away = days_of(0, 0, 1), np.array([0, 0, 0]), np.array([1, 2, 1])

    found = pi_ratings(days, home, away, np.array([3, 3, 0]), np.ones(3, dtype=bool))

    assert not found[:2].any()
    assert found[2, 0] == pytest.approx(2 * 0.035 * 3 * np.log10(4))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_results_of_a_day_and_later_and_the_order_of_rows_change_no_rating_of_that_day(
    seed: int, cut: int
) -> None:
    generator = np.random.default_rng(seed)
    n = 40
    days = days_of(*generator.integers(0, 10, n))
    home, shift = generator.integers(0, 6, n), generator.integers(1, 6, n)
    away = (home + shift) % 6
    difference, played = generator.integers(-5, 6, n), generator.random(n) < 0.9
    later = days >= DAY + np.timedelta64(cut, "D")
    other_difference = np.where(later, generator.integers(-5, 6, n), difference)
    other_played = np.where(later, generator.random(n) < 0.5, played)

    found = pi_ratings(days, home, away, difference, played)
    other = pi_ratings(days, home, away, other_difference, other_played)
    until = days <= DAY + np.timedelta64(cut, "D")
    np.testing.assert_array_equal(found[until], other[until])

    order = generator.permutation(n)
    shuffled = pi_ratings(days[order], home[order], away[order], difference[order], played[order])
    np.testing.assert_allclose(shuffled, found[order], atol=1e-12)


def test_no_match_is_no_rating() -> None:
    none = np.zeros(0, dtype=np.int64)

    assert pi_ratings(days_of(), none, none, none, none.astype(bool)).shape == (0, 4)
