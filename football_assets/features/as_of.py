"""Check that features do not depend on the future, for the asset checks and the tests.

Both functions recompute rows of a table from the matches before their day, and return the rows that differ.
"""

from collections.abc import Callable, Sequence

import polars as pl

FORM_MATCHES = 5
MATCHES_CHECKED = 500  # the latest, whose form is computed again
# Columns of match_features and of team_matches that this takes.
FORM_READ = [
    "match_id",
    "league_id",
    "kickoff_date",
    *(f"{side}_{name}" for side in ("home", "away") for name in ("team_id", "points_5")),
]
SIDES_READ = ["team_id", "kickoff_date", "is_played", "points"]
TOLERANCE = 1e-9


def ratings_that_know_their_day(
    stg_matches: pl.DataFrame,
    ratings: pl.DataFrame,
    rate: Callable[[pl.DataFrame], pl.DataFrame],
    columns: Sequence[str],
) -> pl.DataFrame:
    """Return the rows of ratings on the last played day that change if that day was not played.

    Parameters
    ----------
    stg_matches
        The table that the ratings were computed from.
    ratings
        One row per team and match.
    rate
        Computes the ratings.
    columns
        Those of the ratings that are known before the match.

    Returns
    -------
    pl.DataFrame
        match_id and team_id; no row if the ratings before a match do not depend on results of its day.
    """
    last_day = stg_matches.filter("is_played")["kickoff_date"].max()
    if last_day is None:
        return ratings.select("match_id", "team_id").clear()
    on_day = pl.col("kickoff_date") == last_day
    # Ratings of one country know nothing of another's.
    concerned = stg_matches.filter(on_day).select("country").unique()
    known = stg_matches.filter(pl.col("kickoff_date") <= last_day).join(
        concerned, on="country", how="semi", maintain_order="left"
    )
    unplayed = known.with_columns(
        pl.when(~on_day).then("home_goals").alias("home_goals"),
        pl.when(~on_day).then("away_goals").alias("away_goals"),
        pl.col("is_played") & ~on_day,
    )
    expected = (
        rate(unplayed).filter(on_day).select("match_id", "team_id", *columns, pl.lit(True).alias("is_rated"))
    )
    return (
        ratings.filter(on_day)
        .join(expected, on=["match_id", "team_id"], how="left", suffix="_expected")
        .filter(
            pl.col("is_rated").is_null()
            | pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_expected")) for name in columns)
        )
        .select("match_id", "team_id")
    )


def form_that_is_not_as_of_kickoff(team_matches: pl.DataFrame, match_features: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `match_features` whose points of the last five matches are not those of earlier days.

    Parameters
    ----------
    team_matches
        The table of that name, or its columns `SIDES_READ`.
    match_features
        Matches to check, with the columns `FORM_READ`.

    Returns
    -------
    pl.DataFrame
        match_id, team_id, what the table holds and what it should hold.
    """
    sides = pl.concat(
        match_features.select(
            "match_id",
            pl.col("kickoff_date").alias("day"),
            pl.col(f"{side}_team_id").alias("team_id"),
            pl.col(f"{side}_points_5").alias("points_5"),
        )
        for side in ("home", "away")
    )
    of_these = pl.col("team_id").is_in(sides["team_id"].unique().implode())
    played = team_matches.filter(pl.col("is_played") & of_these)
    earlier = (
        sides.join(played.select("team_id", "kickoff_date", "points"), on="team_id")
        .filter(pl.col("kickoff_date") < pl.col("day"))
        .sort("kickoff_date")
        .group_by("match_id", "team_id")
        .agg(pl.col("points").tail(FORM_MATCHES).mean().alias("expected"))
    )
    return (
        sides.join(earlier, on=["match_id", "team_id"], how="left")
        .filter(
            ((pl.col("points_5") - pl.col("expected")).abs() > TOLERANCE)
            | (pl.col("points_5").is_null() != pl.col("expected").is_null())
        )
        .select("match_id", "team_id", "points_5", "expected")
    )
