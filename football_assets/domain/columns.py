"""Columns that every table of matches and forecasts shares: their names and order, and how they are derived."""

import polars as pl

PROBABILITY_COLUMNS = ("p_home", "p_draw", "p_away")
"""Probabilities of a home win, a draw and an away win: outcome 0, 1 and 2."""
EXPECTED_GOALS_COLUMNS = ("xg_home", "xg_away")


def country_column() -> pl.Expr:
    """Return the country of `league_id` (`eng` of `eng.1`) as the column `country`, as `stg_matches` derives it."""
    return pl.col("league_id").str.split(".").list.first().alias("country")


def is_played() -> pl.Expr:
    """Return whether a match has a final score: goals of both teams."""
    return pl.col("home_goals").is_not_null() & pl.col("away_goals").is_not_null()
