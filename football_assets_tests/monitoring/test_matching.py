"""The rows of the reference that the window is compared with: which are drawn, and what is not compared."""

import polars as pl
import pytest

from football_assets.monitoring.matching import (
    CALENDAR,
    LEAST_ROWS,
    ROWS,
    Comparison,
    compare_like_with_like,
    outside,
)
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT
from football_assets_tests.builders.prediction_logs import reference_like

REFERENCE = reference_like(4000)
WINDOW = reference_like(400, seed=1)


def compare(window: pl.DataFrame, reference: pl.DataFrame = REFERENCE, seed: int = 0) -> Comparison:
    return compare_like_with_like(window, reference, DEFAULT_SPEC, seed)


def test_the_reference_is_drawn_with_the_windows_mix_of_leagues() -> None:
    window = pl.concat([WINDOW.filter(league_id="de.1").head(150), WINDOW.filter(league_id="eng.1").head(50)])

    comparison = compare(window)

    assert (comparison.reference["league_id"] == "de.1").mean() == pytest.approx(0.75, abs=0.01)


def test_what_is_set_aside_is_counted_and_said() -> None:
    window = pl.concat(
        [
            WINDOW.head(100),
            WINDOW.slice(100, 10).with_columns(home_rest_days=pl.lit(40.0)),  # asked long before the match
            WINDOW.slice(110, 20).with_columns(league_id=pl.lit("se.1")),
        ]
    )

    comparison = compare(window)

    assert (comparison.paused, comparison.foreign) == (10, 20)
    assert comparison.window.height == 100
    assert comparison.note == (
        "Not compared: 10 forecasts reach over a pause of more than 21 days, 20 are of leagues or phases of a season "
        "that the reference hardly has."
    )
    assert compare(WINDOW).note == ""


def test_the_first_match_after_the_summer_is_compared_with_first_matches() -> None:
    first = {
        "home_season_played": 0.0,
        "away_season_played": 0.0,
        "home_rest_days": 30.0,
        "away_rest_days": 30.0,
    }
    opening = reference_like(200, seed=3).with_columns(
        **{name: pl.lit(value) for name, value in first.items()}
    )

    comparison = compare(opening.head(60), pl.concat([REFERENCE, opening.tail(100)]))

    assert comparison.paused == 0
    assert comparison.reference["home_season_played"].unique().to_list() == [0]


def test_a_league_of_which_the_reference_has_hardly_a_match_stands_for_nothing() -> None:
    few = reference_like(3 * LEAST_ROWS, seed=4, leagues=["fr.1"]).with_columns(
        home_season_played=pl.when(pl.int_range(pl.len()) < LEAST_ROWS - 1).then(2.0).otherwise(30.0),
        away_season_played=pl.lit(2.0),
    )

    comparison = compare(few, pl.concat([REFERENCE, few]))

    assert comparison.foreign == LEAST_ROWS - 1
    assert comparison.reference["home_season_played"].unique().to_list() == [30]


def test_an_empty_window_has_nothing_to_compare() -> None:
    comparison = compare(WINDOW.clear())

    assert (comparison.window.height, comparison.reference.height) == (0, 0)


def test_numbers_count_as_the_network_sees_them() -> None:
    beyond = WINDOW.with_columns(
        home_points_10=pl.col("home_points_10") * 0 + 99, away_rest_days=pl.lit(21.0)
    )

    comparison = compare(beyond)

    assert comparison.window["home_points_10"].unique().to_list() == [3]


def at(played: float, rest: float = 7.0, matches: int = 20) -> pl.DataFrame:
    """Matches of teams that have played so many matches of the season and rested so many days."""
    return reference_like(matches, seed=7).with_columns(
        home_season_played=pl.lit(played),
        away_season_played=pl.lit(played),
        home_rest_days=pl.lit(rest),
        away_rest_days=pl.lit(rest),
    )


@pytest.mark.parametrize(("played", "phase"), [(0, 0), (1, 1), (5, 1), (6, 2), (15, 2), (16, 3), (38, 3)])
def test_a_season_has_four_phases(played: float, phase: int) -> None:
    (found,) = compare(at(played)).window["phase"].unique()

    assert found == phase


def test_the_team_that_has_played_more_decides_the_phase_and_null_counts_as_none() -> None:
    window = at(0.0).with_columns(
        home_season_played=pl.when(pl.int_range(pl.len()) < 10).then(6.0),
        away_season_played=pl.lit(None, pl.Float64),
    )

    assert compare(window, at(6.0, matches=60)).window["phase"].to_list() == [2] * 10
    assert compare(window, at(0.0, matches=60)).window["phase"].to_list() == [0] * 10


@pytest.mark.parametrize(
    ("home_rest", "away_rest", "home_played", "away_played", "paused"),
    [
        (21.0, 21.0, 3.0, 3.0, 0),
        (22.0, 7.0, 3.0, 3.0, 20),
        (7.0, 22.0, 3.0, 3.0, 20),
        (22.0, 22.0, 3.0, 0.0, 0),
        (None, 22.0, 3.0, 3.0, 20),
        (None, None, 3.0, 3.0, 0),
    ],
)
def test_a_forecast_is_paused_if_a_team_rests_for_more_than_three_weeks_within_the_season(
    home_rest: float | None, away_rest: float, home_played: float, away_played: float, paused: int
) -> None:
    window = at(3.0).with_columns(
        home_rest_days=pl.lit(home_rest, pl.Float64),
        away_rest_days=pl.lit(away_rest, pl.Float64),
        home_season_played=pl.lit(home_played),
        away_season_played=pl.lit(away_played),
    )

    comparison = compare(window)

    assert (comparison.paused, comparison.window.height) == (paused, 20 - paused)


def test_paused_rows_of_the_reference_are_not_drawn() -> None:
    comparison = compare(at(3.0), pl.concat([at(3.0, matches=50), at(3.0, rest=25.0, matches=500)]))

    assert comparison.reference["home_rest_days"].unique().to_list() == [7.0]


def test_a_log_without_the_columns_of_the_season_has_one_phase_and_no_pause() -> None:
    columns = ["home_season_played", "away_season_played", "home_rest_days"]

    comparison = compare(at(3.0, rest=25.0).drop(columns), REFERENCE.drop(columns))

    assert (comparison.paused, comparison.foreign) == (0, 0)
    assert comparison.window["phase"].unique().to_list() == [0]


def test_as_many_rows_are_drawn_for_a_window_of_any_size_and_a_seed_draws_the_same() -> None:
    large, small = compare(WINDOW), compare(at(3.0, matches=2))

    assert large.reference.height == pytest.approx(ROWS, abs=4)  # one rounding for each of eight strata
    assert small.reference.height == ROWS
    assert compare(WINDOW).reference.equals(large.reference)
    assert not compare(WINDOW, seed=1).reference.equals(large.reference)


def test_a_phase_with_the_least_number_of_rows_is_compared() -> None:
    few = reference_like(LEAST_ROWS, seed=4, leagues=["fr.1"]).with_columns(
        home_season_played=pl.lit(2.0), away_season_played=pl.lit(2.0)
    )

    comparison = compare(few, pl.concat([REFERENCE, few]))

    assert comparison.foreign == 0
    assert set(comparison.reference["league_id"]) == {"fr.1"}


def test_a_value_beyond_its_bounds_is_marked_and_a_missing_one_is_not() -> None:
    window = at(3.0, matches=4).with_columns(
        home_points_10=pl.Series([-0.1, 0.0, 3.0, None]), away_points_10=pl.Series([3.1, 1.0, 1.0, 1.0])
    )

    found = compare(window).window

    assert found["home_points_10"].to_list() == [0.0, 0.0, 3.0, None]
    assert found[outside("home_points_10")].to_list() == [True, False, False, False]
    assert found["away_points_10"].to_list() == [3.0, 1.0, 1.0, 1.0]
    assert found[outside("away_points_10")].to_list() == [True, False, False, False]


def test_what_the_calendar_and_the_competition_decide_is_not_compared() -> None:
    assert {
        "home_matches_known",
        "away_rest_days",
        "home_season_played",
        "tier",
        "is_cup",
        HOME_ADVANTAGE_SHIFT,
    } <= CALENDAR
    assert set(DEFAULT_SPEC.context_names) >= CALENDAR
    assert not {name for name in CALENDAR if "elo" in name or "points" in name or "goals" in name}
