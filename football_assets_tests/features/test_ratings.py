"""Ratings: hand-computed updates, newcomers, promotion, and the as-of rule."""

import math
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from football_assets.features.ratings import LEAGUE_STATE, RATINGS, RatingConfig, rate_matches
from football_assets_tests.builders.stg_matches import START, Row, stg_matches

CONFIG = RatingConfig()
BEFORE = [*RATINGS, *LEAGUE_STATE]


def rate(*rows: Row, config: RatingConfig = CONFIG) -> pl.DataFrame:
    return rate_matches(stg_matches(rows), config)


def side(ratings: pl.DataFrame, team: str, day: int) -> dict[str, float]:
    on_day = (pl.col("team_id") == f"x:{team}") & (pl.col("kickoff_date") == START + timedelta(days=day))
    return ratings.filter(on_day).row(0, named=True)


def test_one_result_moves_both_sides_by_the_hand_computed_amounts() -> None:
    ratings = rate(("x.1", 0, "A", "B", 3, 1))
    home, away = side(ratings, "A", 0), side(ratings, "B", 0)
    assert (home["elo"], away["elo"]) == (1500.0, 1500.0)
    # Home advantage 200 ln(1.5 / 1.15) = 53.1 points: A was expected to score 0.5759, and won by two goals.
    assert home["elo_after"] == pytest.approx(1500 + 8 * 3 * (1 - 0.575884), abs=1e-3)
    # Expected goals were the priors, 1.5 and 1.15.
    assert home["attack_after"] == pytest.approx(0.02 * (3 - 1.5))
    assert away["defence_after"] == pytest.approx(-0.02 * (3 - 1.5))
    assert away["attack_after"] == pytest.approx(0.02 * (1 - 1.15))
    assert home["defence_after"] == pytest.approx(-0.02 * (1 - 1.15))
    # The prior weighs as much as 50 matches.
    assert home["league_home_goals_after"] == pytest.approx((50 * 1.5 + 3) / 51)
    assert home["league_away_goals_after"] == pytest.approx((50 * 1.15 + 1) / 51)


def test_elo_points_are_passed_from_one_side_to_the_other() -> None:
    ratings = rate(
        *[
            ("x.1", day, *pair, day % 4, (day + 1) % 3)
            for day, pair in enumerate(["AB", "BC", "CA", "BA", "CB", "AC"])
        ]
    )
    moved = ratings.select(pl.col("elo_after") - pl.col("elo")).to_series()
    assert (moved.abs() > 0).all()
    assert moved.sum() == pytest.approx(0, abs=1e-9)


def test_a_wide_win_moves_more_points_than_a_narrow_one() -> None:
    narrow = side(rate(("x.1", 0, "A", "B", 1, 0)), "A", 0)["elo_after"] - 1500
    wide = side(rate(("x.1", 0, "A", "B", 5, 0)), "A", 0)["elo_after"] - 1500
    assert wide == pytest.approx(3 * narrow)


def test_a_match_starts_from_what_the_last_one_left() -> None:
    ratings = rate(("x.1", 0, "A", "B", 3, 1), ("x.1", 7, "C", "A", 0, 0), ("x.1", 14, "A", "C", None, None))
    assert [side(ratings, "A", 7)[name] for name in RATINGS] == [
        side(ratings, "A", 0)[f"{name}_after"] for name in RATINGS
    ]
    assert [side(ratings, "A", 14)[name] for name in RATINGS] == [
        side(ratings, "A", 7)[f"{name}_after"] for name in RATINGS
    ]


def test_a_fixture_has_ratings_before_and_none_after() -> None:
    fixture = side(rate(("x.1", 0, "A", "B", 3, 1), ("x.1", 7, "A", "B", None, None)), "B", 7)
    assert fixture["elo"] < 1500
    assert [fixture[f"{name}_after"] for name in RATINGS] == [None, None, None]
    assert fixture["league_home_goals_after"] == fixture["league_home_goals"]


def test_tiers_start_a_step_apart_and_pools_are_apart() -> None:
    ratings = rate(("x.1", 0, "A", "B", 0, 0), ("x.2", 0, "C", "D", 0, 0), ("y.1", 0, "E", "F", 0, 0))
    assert side(ratings, "A", 0)["elo"] - side(ratings, "C", 0)["elo"] == CONFIG.elo_tier_step
    assert side(ratings, "A", 0)["attack"] - side(ratings, "C", 0)["attack"] == CONFIG.strength_tier_step
    assert side(ratings, "E", 0)["elo"] == CONFIG.elo_start


def test_a_promoted_team_keeps_its_rating() -> None:
    ratings = rate(("x.2", 0, "C", "D", 4, 0), ("x.1", 0, "A", "B", 1, 0), ("x.1", 300, "A", "C", 2, 2))
    assert side(ratings, "C", 300)["elo"] == side(ratings, "C", 0)["elo_after"]
    assert side(ratings, "C", 300)["elo"] != side(ratings, "C", 300)["league_entry_elo"]


ESTABLISHED = [("x.1", day, *("AB" if day % 2 else "BA"), 1, 1) for day in range(CONFIG.newcomer_matches)]


def test_the_entry_rating_follows_newcomers_that_meet_established_teams() -> None:
    ratings = rate(*ESTABLISHED, ("x.1", 100, "A", "N", 4, 0), ("x.1", 101, "O", "B", None, None))
    lost = side(ratings, "N", 100)["elo_after"] - side(ratings, "N", 100)["elo"]
    assert lost < -5
    entry = side(ratings, "O", 101)
    assert entry["elo"] == entry["league_entry_elo"] == pytest.approx(1500 + CONFIG.entry_rate * lost)


def test_two_newcomers_teach_the_entry_rating_nothing() -> None:
    ratings = rate(("x.1", 0, "A", "B", 9, 0), ("x.1", 1, "C", "D", None, None))
    assert side(ratings, "C", 1)["elo"] == CONFIG.elo_start


def test_a_tier_first_seen_later_starts_below_the_nearest_known_tier() -> None:
    ratings = rate(*ESTABLISHED, ("x.1", 100, "A", "N", 4, 0), ("x.3", 101, "P", "Q", 1, 0))
    top = side(ratings, "N", 100)["league_entry_elo_after"]
    assert top < 1500
    assert side(ratings, "P", 101)["elo"] == pytest.approx(top - 2 * CONFIG.elo_tier_step)


def test_a_cup_takes_in_newcomers_as_the_lowest_known_tier_does() -> None:
    ratings = rate(
        ("x.cup", 0, "R", "S", None, None),
        ("x.1", 1, "A", "B", 0, 0),
        ("x.3", 1, "C", "D", 0, 0),
        ("x.cup", 2, "A", "T", 1, 0),
    )
    assert side(ratings, "R", 0)["elo"] == CONFIG.elo_start
    assert side(ratings, "T", 2)["elo"] == CONFIG.elo_start - 2 * CONFIG.elo_tier_step
    assert side(ratings, "A", 2)["elo"] == side(ratings, "A", 1)["elo_after"]


def test_a_stronger_team_ends_above_a_weaker_one_in_every_rating() -> None:
    rows: list[Row] = []
    for day in range(60):
        rows.append(("x.1", day, *(("A", "B", 2, 0) if day % 2 else ("B", "A", 0, 1))))
    ratings = rate(*rows)
    strong, weak = side(ratings, "A", 59), side(ratings, "B", 59)
    assert all(strong[name] > weak[name] for name in RATINGS)
    assert strong["attack"] > 0 > weak["attack"]


def test_absurd_scores_leave_ratings_finite() -> None:
    ratings = rate(*[("x.1", day, "A", "B", 30, 0) for day in range(200)])
    assert ratings.select(pl.col(*RATINGS).is_finite().all()).row(0) == (True, True, True)
    assert math.isfinite(side(ratings, "B", 199)["defence_after"])


def test_a_team_that_plays_twice_on_a_day_is_rated_twice_from_the_same_start() -> None:
    ratings = rate(("x.1", 0, "A", "B", 1, 0), ("x.1", 0, "A", "C", 1, 0), ("x.1", 1, "A", "D", None, None))
    on_day = ratings.filter(pl.col("team_id") == "x:A").sort("kickoff_date")
    assert on_day["elo"].to_list()[:2] == [1500.0, 1500.0]
    one = side(rate(("x.1", 0, "A", "B", 1, 0)), "A", 0)["elo_after"] - 1500
    assert on_day["elo"].to_list()[2] == pytest.approx(1500 + 2 * one)


def test_no_matches_give_no_ratings() -> None:
    empty = rate_matches(stg_matches([]))
    assert empty.height == 0
    assert empty.columns == rate(("x.1", 0, "A", "B", 1, 0)).columns


def test_rows_come_in_order_of_day_league_match_and_team() -> None:
    ratings = rate(("x.2", 1, "D", "C", 1, 0), ("x.1", 1, "B", "A", 1, 0), ("x.1", 0, "C", "A", None, None))
    assert ratings["team_id"].to_list() == ["x:A", "x:C", "x:A", "x:B", "x:C", "x:D"]
    assert ratings["is_home"].to_list() == [False, True, False, True, False, True]


rows_of_a_world = st.lists(
    st.tuples(
        st.sampled_from(["x.1", "x.2", "x.cup", "y.1"]),
        st.integers(0, 9),
        st.permutations("ABCDEF").map(lambda teams: tuple(teams[:2])),
        st.one_of(st.none(), st.tuples(st.integers(0, 6), st.integers(0, 6))),
    ).map(lambda row: (row[0], row[1], *row[2], *(row[3] or (None, None)))),
    max_size=25,
    unique_by=lambda row: row[:4],
)


@settings(max_examples=60, deadline=None)
@given(
    before=rows_of_a_world, one_future=rows_of_a_world, other_future=rows_of_a_world, day=st.integers(0, 9)
)
def test_results_on_and_after_a_day_move_no_rating_known_before_it(
    before: list[Row], one_future: list[Row], other_future: list[Row], day: int
) -> None:
    past = [row for row in before if row[1] < day]
    fixture: Row = ("x.1", day, "A", "B", None, None)
    worlds = [
        rate(*past, fixture, *(row for row in future if row[1] >= day and row[:4] != fixture[:4]))
        for future in (one_future, other_future)
    ]
    until = START + timedelta(days=day)
    earlier = [world.filter(pl.col("kickoff_date") < until) for world in worlds]
    assert_frame_equal(*earlier, check_exact=True)
    on_day = [world.filter(pl.col("match_id") == f"x.1-{day}-A-B").select(BEFORE) for world in worlds]
    assert on_day[0].height == 2
    assert_frame_equal(*on_day, check_exact=True)


@settings(max_examples=30, deadline=None)
@given(rows=rows_of_a_world, data=st.data())
def test_the_order_of_rows_changes_nothing(rows: list[Row], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert_frame_equal(rate(*rows), rate(*shuffled), check_exact=True)
