"""Shared columns: the Polars expressions agree with the SQL of `stg_matches`."""

import re

import duckdb
import polars as pl

from football_assets.domain.columns import PROBABILITY_COLUMNS, country_column, is_played
from football_assets.domain.leagues import NAMES, league_of
from football_assets.domain.scoring_rules import OUTCOMES
from football_assets.runtime.home import project_root

STG_MATCHES = (project_root() / "dbt_features/models/staging/stg_matches.sql").read_text()


def by_sql(table: pl.DataFrame, column: str) -> list[object]:
    """A column of `stg_matches`, computed by DuckDB from a table."""
    with duckdb.connect() as connection:
        rows = connection.register("given", table).execute(f"select {sql_of(column)} from given").fetchall()
    return [value for (value,) in rows]


def sql_of(column: str) -> str:
    """The SQL expression of a column of `stg_matches`."""
    found = re.search(rf"^\s*(.+) as {column},?$", STG_MATCHES, re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_country_is_that_of_the_league_in_python_polars_and_sql() -> None:
    leagues = pl.DataFrame({"league_id": sorted(NAMES)})

    by_polars = leagues.select(country_column())["country"].to_list()

    assert by_polars == [league_of(league_id).country for league_id in leagues["league_id"]]
    assert by_polars == by_sql(leagues, "country")


def test_a_match_is_played_once_both_teams_have_goals_in_polars_and_sql() -> None:
    matches = pl.DataFrame(
        {"home_goals": [0, None, 1, None], "away_goals": [0, 1, None, None]},
        schema={"home_goals": pl.Int16, "away_goals": pl.Int16},
    )

    by_polars = matches.select(is_played().alias("is_played"))["is_played"].to_list()

    assert by_polars == [True, False, False, False]
    assert by_sql(matches, "is_played") == by_polars


def test_probabilities_are_in_the_order_of_outcomes() -> None:
    assert tuple(name.removeprefix("p_") for name in PROBABILITY_COLUMNS) == OUTCOMES
