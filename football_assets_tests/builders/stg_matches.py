"""`stg_matches` written by hand: one tuple a match."""

from collections.abc import Sequence
from datetime import date

import polars as pl

START = date(2022, 8, 1)
Row = tuple[str, int, str, str, int | None, int | None]  # league, days after START, home, away, goals


def stg_matches(rows: Sequence[Row]) -> pl.DataFrame:
    """The columns of `stg_matches` that the ratings read. A match without goals is not played.

    Identifiers of matches are `x.1-0-A-B`, those of teams `x:A`.
    """
    frame = pl.DataFrame(
        rows,
        schema={
            "league_id": pl.String,
            "day": pl.Int64,
            "home": pl.String,
            "away": pl.String,
            "home_goals": pl.Int16,
            "away_goals": pl.Int16,
        },
        orient="row",
    )
    return frame.select(
        pl.format("{}-{}-{}-{}", "league_id", "day", "home", "away").alias("match_id"),
        "league_id",
        pl.col("league_id").str.split(".").list.first().alias("country"),
        pl.col("league_id").str.split(".").list.last().cast(pl.Int32, strict=False).alias("tier"),
        pl.lit("2022-23").alias("season"),
        (pl.lit(START) + pl.duration(days="day")).cast(pl.Date).alias("kickoff_date"),
        pl.format("x:{}", "home").alias("home_team_id"),
        pl.format("x:{}", "away").alias("away_team_id"),
        "home_goals",
        "away_goals",
        pl.col("home_goals").is_not_null().alias("is_played"),
    )
