"""Columns that every table of matches and forecasts shares: their names and order, and how they are derived."""

from collections.abc import Sequence

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


def countries_of(table: pl.DataFrame) -> list[str]:
    """Return the countries of the rows of a table with `league_id`, in order of name."""
    return table.select(country_column().unique().sort()).to_series().to_list()


def split_by_country(table: pl.DataFrame, countries: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return the rows of each of some countries in their order; no row of a country that has none.

    Parameters
    ----------
    table
        Rows with `country` or `league_id`.
    """
    of_row = table["country"] if "country" in table.columns else table.select(country_column()).to_series()
    return {country: table.filter(of_row == country) for country in countries}
