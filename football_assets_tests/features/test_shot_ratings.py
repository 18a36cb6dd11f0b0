"""Shot ratings: hand-computed updates, unknown statistics, the as-of rule."""

import math
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from football_assets.features.rating_columns import SHOT_HISTORY, SHOT_LEAGUE_STATE, SHOT_TEAM_STATE
from football_assets.features.shot_ratings import rate_shots
from football_assets_tests.builders.leakage import assert_nothing_leaks, with_shuffled_facts
from football_assets_tests.builders.measured_matches import Measured, measured_matches, worlds
from football_assets_tests.builders.stg_matches import START

BEFORE = [*SHOT_TEAM_STATE, *SHOT_LEAGUE_STATE]
OPENING = Measured(
    "x.1",
    0,
    "A",
    "B",
    (3, 1),
    shots_on_target=(7, 2),
    shots=(15, 8),
    corners=(6, 3),
    red_cards=(0, 1),
    half_time_goals=(2, 0),
    expected_goals=(2.4, 0.7),
)


def rate(*rows: Measured) -> pl.DataFrame:
    return rate_shots(measured_matches(rows))


def side(ratings: pl.DataFrame, team: str, day: int) -> dict[str, Any]:
    on_day = (pl.col("team_id") == f"x:{team}") & (pl.col("kickoff_date") == START + timedelta(days=day))
    return ratings.filter(on_day).row(0, named=True)


def test_one_match_moves_the_strengths_by_the_hand_computed_amounts() -> None:
    ratings = rate(OPENING)
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    for name, ratio, noise in (
        ("shots_on_target", 9 / 4, 0.26),
        ("shots", 19 / 12, 0.17),
        ("corners", 8 / 5, 0.31),
    ):
        gain = 0.05 / (0.05 + 0.05 + 0.02 + noise)
        assert home[f"{name}_strength_after"] == pytest.approx(gain * (math.log(ratio) - 0.15))
        assert away[f"{name}_strength_after"] == -home[f"{name}_strength_after"]


def test_weighted_means_after_one_match_stand_beside_a_prior_of_two() -> None:
    ratings = rate(OPENING)
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    expected = {
        "shots_on_target_margin_4": 5 / 3,
        "shots_on_target_margin_15": 5 / 3,
        "shots_margin_15": 7 / 3,
        "chances_margin_15": 1.7 / 3,
        "red_cards_margin_15": -1 / 3,
        "half_time_margin_15": 2 / 3,
        "finishing_margin_15": (2 - 1.7) / 3,
    }
    assert {name: home[f"{name}_after"] for name in expected} == pytest.approx(expected)
    assert {name: -away[f"{name}_after"] for name in expected} == pytest.approx(expected)
    assert home["shots_on_target_sum_15_after"] == pytest.approx((9 + 2 * 9) / 3)


def test_shots_on_target_stand_for_chances_where_expected_goals_are_unknown() -> None:
    home = side(rate(OPENING._replace(expected_goals=None)), "A", 0)
    assert home["chances_margin_15_after"] == pytest.approx(0.3 * 5 / 3)
    assert home["finishing_margin_15_after"] == pytest.approx((2 - 1.5) / 3)


def test_the_mean_over_four_matches_forgets_faster_than_that_over_fifteen() -> None:
    second = OPENING._replace(day=7, shots_on_target=(2, 2))
    home = side(rate(OPENING, second), "A", 7)
    assert home["shots_on_target_margin_4_after"] == pytest.approx(0.75 * 5 / (1.75 + 2))
    assert home["shots_on_target_margin_15_after"] == pytest.approx(14 / 15 * 5 / (1 + 14 / 15 + 2))


def test_a_match_adds_to_the_history_what_each_side_saw() -> None:
    ratings = rate(OPENING)
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    assert [home[name] for name in SHOT_HISTORY] == [1, 7, 2, 15, 8, 6, 3, 0, 1]
    assert [away[name] for name in SHOT_HISTORY] == [1, 2, 7, 8, 15, 3, 6, 1, 0]


def test_a_match_without_shots_on_target_changes_nothing() -> None:
    second = OPENING._replace(day=7, shots_on_target=None)
    ratings = rate(OPENING, second, Measured("x.1", 14, "A", "B", None))
    played, fixture = side(ratings, "A", 7), side(ratings, "A", 14)
    assert played["shots_known"] == 0.0
    assert played["shots_for"] == 15
    first = side(ratings, "A", 0)
    assert [fixture[name] for name in SHOT_TEAM_STATE] == [first[f"{name}_after"] for name in SHOT_TEAM_STATE]


def test_unknown_corners_leave_the_other_strengths() -> None:
    row = side(rate(OPENING._replace(corners=None)), "A", 0)
    assert row["corners_strength_after"] == 0.0
    assert row["shots_strength_after"] == side(rate(OPENING), "A", 0)["shots_strength_after"]
    assert row["corners_for"] is None


def test_statistics_of_a_fixture_are_not_read() -> None:
    row = side(rate(OPENING, OPENING._replace(day=7, goals=None)), "A", 7)
    assert [row[name] for name in SHOT_HISTORY] == [None] * len(SHOT_HISTORY)
    assert row["shots_strength_after"] is None


def test_a_table_without_statistics_has_unknown_ratings() -> None:
    bare = measured_matches([OPENING]).select(~pl.selectors.starts_with("home_shots", "away_shots"))
    row = side(rate_shots(bare), "A", 0)
    assert row["shots_known"] == 0.0
    assert [row[f"{name}_after"] for name in SHOT_TEAM_STATE] == [None] * len(SHOT_TEAM_STATE)
    assert row["shots_home_advantage_after"] == 0.15


def test_a_promoted_team_keeps_its_ratings() -> None:
    second = OPENING._replace(league="x.2", day=300, home="C")
    ratings = rate(OPENING._replace(away="C"), second)
    before, after = side(ratings, "C", 300), side(ratings, "C", 0)
    assert [before[name] for name in SHOT_TEAM_STATE] == [after[f"{name}_after"] for name in SHOT_TEAM_STATE]


def test_no_matches_give_no_rows_with_the_same_columns() -> None:
    empty = rate_shots(measured_matches([OPENING]).clear())
    assert empty.height == 0
    assert empty.schema == rate(OPENING).schema
    assert {*BEFORE, *SHOT_HISTORY, *(f"{name}_after" for name in BEFORE)} < set(empty.columns)


@settings(max_examples=25, deadline=None)
@given(rows=worlds(), day=st.integers(0, 9), data=st.data())
def test_statistics_from_a_day_on_change_nothing_known_before_it(
    rows: list[Measured], day: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    assert_nothing_leaks(rate_shots, BEFORE, rows, with_shuffled_facts(rows, day, order), day)


@settings(max_examples=10, deadline=None)
@given(rows=worlds(), data=st.data())
def test_the_order_of_rows_changes_nothing(rows: list[Measured], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert_frame_equal(rate(*rows), rate(*shuffled), check_exact=True)
