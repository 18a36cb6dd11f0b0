"""The tables of ratings of `stg_matches`, as the asset graph makes them."""

import polars as pl

from football_assets.features.market_ratings import rate_markets
from football_assets.features.ratings import rate_matches
from football_assets.features.shot_ratings import rate_shots


def rated_tables(stg_matches: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Each table by its name."""
    return {
        "team_ratings": rate_matches(stg_matches),
        "team_market_ratings": rate_markets(stg_matches),
        "team_shot_ratings": rate_shots(stg_matches),
    }
