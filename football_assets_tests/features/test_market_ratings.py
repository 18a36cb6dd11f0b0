"""Market ratings: hand-computed updates, what changes nothing, newcomers, promotion, the as-of rule."""

import math
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from football_assets.features.market_ratings import rate_markets
from football_assets.features.match_odds import match_odds_implied
from football_assets.features.rating_columns import (
    MARKET_HISTORY,
    MARKET_IMPLIED,
    MARKET_LEAGUE_STATE,
    MARKET_TEAM_STATE,
)
from football_assets_tests.builders.leakage import assert_nothing_leaks, with_shuffled_facts
from football_assets_tests.builders.measured_matches import Measured, measured_matches, worlds
from football_assets_tests.builders.stg_matches import START

BEFORE = [*MARKET_TEAM_STATE, *MARKET_LEAGUE_STATE]
FROM_ODDS = [name for name in MARKET_TEAM_STATE if name.startswith("odds_")]
FAVOURITE = (1.5, 4.2, 7.0)
EVEN = (2.6, 3.3, 2.8)
OPENING = Measured("x.1", 0, "A", "B", (3, 1), FAVOURITE)


def rate(*rows: Measured) -> pl.DataFrame:
    return rate_markets(measured_matches(rows))


def side(ratings: pl.DataFrame, team: str, day: int) -> dict[str, Any]:
    on_day = (pl.col("team_id") == f"x:{team}") & (pl.col("kickoff_date") == START + timedelta(days=day))
    return ratings.filter(on_day).row(0, named=True)


def implied(row: Measured) -> dict[str, float]:
    return match_odds_implied(measured_matches([row])).row(0, named=True)


def test_one_match_moves_the_strengths_by_the_hand_computed_amounts() -> None:
    odds = implied(OPENING)
    supremacy = math.log(odds["implied_goals_home"] / odds["implied_goals_away"])
    ratings = rate(OPENING)
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    # Odds: spread 0.15 + 0.15 + 0.02 + 0.012, home advantage 0.25.
    gain = 0.15 / 0.332
    strength, variance = gain * (supremacy - 0.25), 0.15 * (1 - gain)
    league, league_variance = 0.25 + 0.02 / 0.332 * (supremacy - 0.25), 0.02 * (1 - 0.02 / 0.332)
    assert home["odds_only_strength_after"] == pytest.approx(strength)
    assert away["odds_only_strength_after"] == pytest.approx(-strength)
    # Then the result: a margin of two goals is 2 / 1.35 in log goals.
    spread = 2 * variance + league_variance + 1.5
    error = 2 / 1.35 - 2 * strength - league
    assert home["odds_strength_after"] == pytest.approx(strength + variance / spread * error)
    assert away["odds_strength_after"] == pytest.approx(-strength - variance / spread * error)
    assert home["odds_variance_after"] == pytest.approx(variance * (1 - variance / spread))
    assert home["odds_home_advantage_after"] == pytest.approx(league + league_variance / spread * error)


def test_the_total_and_the_residuals_of_one_match() -> None:
    odds = implied(OPENING)
    total = math.log(odds["implied_goals_home"]) + math.log(odds["implied_goals_away"])
    ratings = rate(OPENING)
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    assert home["odds_total_after"] == pytest.approx(0.1 / 0.31 * (total - 0.5))
    assert away["odds_total_after"] == home["odds_total_after"]
    # One match beside a prior of two matches with a residual of 0.
    assert home["odds_residual_goals_for_after"] == pytest.approx((3 - odds["implied_goals_home"]) / 3)
    assert home["odds_residual_goals_against_after"] == pytest.approx((1 - odds["implied_goals_away"]) / 3)
    assert away["odds_residual_goals_against_after"] == home["odds_residual_goals_for_after"]
    points = 3 * odds["implied_p_away"] + odds["implied_p_draw"]
    assert away["odds_residual_points_after"] == pytest.approx((0 - points) / 3)


def test_the_filter_over_results_needs_no_odds() -> None:
    home = side(rate(OPENING._replace(odds=None)), "A", 0)
    gain = 0.15 / (0.15 + 0.15 + 0.02 + 1.5)
    assert home["result_strength_after"] == pytest.approx(gain * (2 / 1.35 - 0.25))
    assert home["result_variance_after"] == pytest.approx(0.15 * (1 - gain))
    assert home["result_day_after"] == (START - START.replace(year=1970, month=1, day=1)).days


def test_a_wide_win_counts_as_four_goals() -> None:
    four, nine = (
        side(rate(OPENING._replace(goals=(goals, 0))), "A", 0)["result_strength_after"] for goals in (4, 9)
    )
    assert four == nine


def test_a_match_adds_to_the_history_what_each_side_saw() -> None:
    odds = implied(OPENING)
    ratings = rate(OPENING, Measured("x.1", 7, "B", "A", (0, 0), EVEN))
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    assert (home["odds_known"], away["odds_known"]) == (1.0, 1.0)
    assert home["implied_goals_for"] == away["implied_goals_against"] == odds["implied_goals_home"]
    assert home["implied_goals_against"] == odds["implied_goals_away"]
    assert home["implied_supremacy"] == -away["implied_supremacy"] > 0
    surprise = 2 - (odds["implied_goals_home"] - odds["implied_goals_away"])
    assert (home["odds_surprise"], away["odds_surprise"]) == pytest.approx((surprise, -surprise))
    assert [home[name] for name in MARKET_IMPLIED] == [
        odds["implied_p_home"],
        odds["implied_p_draw"],
        odds["implied_p_away"],
    ]
    assert [away[name] for name in MARKET_IMPLIED] == [home[name] for name in reversed(MARKET_IMPLIED)]
    assert (home["own_odds_rating"], home["opponent_odds_rating"]) == (None, None)
    second = side(ratings, "B", 7)
    assert second["own_odds_rating"] == away["odds_strength_after"]
    assert second["opponent_odds_rating"] == home["odds_strength_after"]


def test_a_match_without_odds_changes_no_rating_of_the_odds() -> None:
    ratings = rate(OPENING, Measured("x.1", 7, "B", "A", (5, 0)), Measured("x.1", 14, "A", "B", None))
    played, fixture = side(ratings, "A", 7), side(ratings, "A", 14)
    assert played["odds_known"] == 0.0
    assert played["implied_supremacy"] is None
    assert [fixture[name] for name in FROM_ODDS] == [
        side(ratings, "A", 0)[f"{name}_after"] for name in FROM_ODDS
    ]
    assert fixture["result_strength"] != side(ratings, "A", 0)["result_strength_after"]


def test_odds_of_a_fixture_are_not_read() -> None:
    fixture = Measured("x.1", 7, "B", "A", None)
    assert_frame_equal(rate(OPENING, fixture), rate(OPENING, fixture._replace(odds=EVEN)))
    row = side(rate(OPENING, fixture._replace(odds=EVEN)), "A", 7)
    assert [row[name] for name in MARKET_HISTORY if not name.endswith("odds_rating")] == [None] * 5
    assert row["implied_p_draw"] is None
    assert row["odds_strength_after"] is None


def test_a_team_without_a_match_with_odds_has_no_rating_of_the_odds() -> None:
    row = side(rate(OPENING, Measured("x.1", 7, "A", "N", (1, 0), EVEN)), "N", 7)
    assert [row[name] for name in FROM_ODDS] == [None] * len(FROM_ODDS)
    assert None not in [row[f"{name}_after"] for name in FROM_ODDS]


def test_a_promoted_team_keeps_its_ratings() -> None:
    ratings = rate(
        Measured("x.2", 0, "C", "D", (2, 0), FAVOURITE),
        OPENING,
        Measured("x.1", 300, "A", "C", (1, 1), EVEN),
    )
    before, after = side(ratings, "C", 300), side(ratings, "C", 0)
    assert [before[name] for name in MARKET_TEAM_STATE] == [
        after[f"{name}_after"] for name in MARKET_TEAM_STATE
    ]


def test_the_faster_a_strength_forgets_the_further_it_follows_a_change() -> None:
    rows = [Measured("x.1", 7 * week, "A", "B", (1, 1), EVEN) for week in range(20)]
    ratings = rate(*rows, *[Measured("x.1", 140 + week, "A", "B", (1, 1), FAVOURITE) for week in (0, 7)])
    last = side(ratings, "A", 147)
    speeds = [last[f"odds_{speed}strength_after"] for speed in ("fast_", "", "slow_")]
    assert speeds == sorted(speeds, reverse=True)


def test_a_table_without_odds_columns_is_rated_by_results() -> None:
    bare = measured_matches([OPENING]).select(~pl.selectors.contains("odds"))
    row = side(rate_markets(bare), "A", 0)
    assert row["odds_known"] == 0.0
    assert row["odds_strength_after"] is None
    assert row["result_strength_after"] > 0


def test_no_matches_give_no_rows_with_the_same_columns() -> None:
    empty = rate_markets(measured_matches([OPENING]).clear())
    assert empty.height == 0
    assert empty.schema == rate(OPENING).schema
    assert {*BEFORE, *MARKET_HISTORY, *MARKET_IMPLIED, *(f"{name}_after" for name in BEFORE)} < set(
        empty.columns
    )


@settings(max_examples=25, deadline=None)
@given(rows=worlds(), day=st.integers(0, 9), data=st.data())
def test_odds_and_results_from_a_day_on_change_nothing_known_before_it(
    rows: list[Measured], day: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    assert_nothing_leaks(rate_markets, BEFORE, rows, with_shuffled_facts(rows, day, order), day)


@settings(max_examples=10, deadline=None)
@given(rows=worlds(), data=st.data())
def test_the_order_of_rows_changes_nothing(rows: list[Measured], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert_frame_equal(rate(*rows), rate(*shuffled), check_exact=True)
