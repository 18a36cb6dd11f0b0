"""Tests of `fixture_predictions`, for its asset checks."""

import polars as pl

from football_assets.domain.columns import PROBABILITY_COLUMNS

_SUM_TOLERANCE = 1e-5
# Columns of stg_matches that tell a match without a result, for a person to find it.
PLAYED_READ = ["match_id", "league_id", "kickoff_date", "home_team", "away_team", "is_played"]


def forecasts_out_of_range(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Rows whose probabilities or expected goals cannot be right."""
    chances = [pl.col(name) for name in PROBABILITY_COLUMNS]
    goals = [pl.col(name) for name in ("xg_home", "xg_away")]
    total = pl.sum_horizontal(chances, ignore_nulls=False)
    valid = pl.all_horizontal(
        *(chance.is_between(0, 1) for chance in chances),
        *(goal.is_finite() & (goal > 0) for goal in goals),
        (total - 1).abs() <= _SUM_TOLERANCE,
    )
    return forecasts.filter(~valid.fill_null(value=False))


def unplayed_without_forecast(forecasts: pl.DataFrame, stg_matches: pl.DataFrame) -> pl.DataFrame:
    """Select the matches without a result that have no forecast."""
    return stg_matches.filter(~pl.col("is_played")).join(forecasts, on="match_id", how="anti")
