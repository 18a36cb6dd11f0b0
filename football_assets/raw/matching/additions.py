"""Attach rows that only add measures to the matches that files of results list.

FiveThirtyEight's days are those of another time zone and its scores of cup ties may include extra time; a CSV of
expected goals has no scores at all. Neither decides which matches there are, on which day, or with which score.
"""

import polars as pl

from football_assets.domain.columns import is_played
from football_assets.domain.measures import MEASURED_XG_COLUMNS
from football_assets.raw.rules import SAME_MATCH_DAYS

_MATCH = ["league_id", "home_team", "away_team"]
_GOALS = ["home_goals", "away_goals"]


def with_additions(matches: pl.DataFrame, additions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add the rows of additions to the `entries` of their matches.

    An addition belongs to the match of its teams and league on the nearest day, at most SAME_MATCH_DAYS away.

    Parameters
    ----------
    matches
        Result of `merging.merge`.
    additions
        Valid rows with canonical clubs and a unique `row`.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The matches, and the additions without a match or with another score, with `left_out` and `reason`.
    """
    days = (pl.col("kickoff_date") - pl.col("kickoff_date_match")).dt.total_days().abs()
    found = (
        additions.select("row", *_MATCH, *_GOALS, "kickoff_date")
        .join(matches.select("row", *_MATCH, *_GOALS, "kickoff_date"), on=_MATCH, suffix="_match")
        .with_columns(days=days)
        .filter(pl.col("days") <= SAME_MATCH_DAYS)
        .sort("row", "days", "kickoff_date_match")
        .unique("row", keep="first", maintain_order=True)
    )
    is_other_score = pl.any_horizontal(
        (pl.col(goals) != pl.col(f"{goals}_match")).fill_null(False) for goals in _GOALS
    )
    added = (
        found.filter(~is_other_score)
        .group_by("row_match", maintain_order=True)
        .agg(added=pl.col("row"))
        .rename({"row_match": "row"})
    )
    joined = matches.join(added, on="row", how="left", maintain_order="left").with_columns(
        entries=pl.concat_list("entries", pl.col("added").fill_null([]))
    )
    rejected = additions.join(
        found.select("row", *(f"{goals}_match" for goals in _GOALS), other=is_other_score),
        on="row",
        how="left",
        maintain_order="left",
    ).filter(pl.col("other").fill_null(True))
    return joined.drop("added"), rejected.with_columns(
        left_out=pl.lit(", ".join(MEASURED_XG_COLUMNS)),
        reason=pl.when(is_played() & pl.col("other"))
        .then(
            pl.format(
                "The measures are left out: the score {}-{} contradicts {}-{}, that of the match.",
                *_GOALS,
                *(f"{goals}_match" for goals in _GOALS),
            )
        )
        .otherwise(
            pl.format(
                "The measures are left out: no file of results has '{}' against '{}' within {} days of {}.",
                "home_team",
                "away_team",
                pl.lit(SAME_MATCH_DAYS),
                pl.col("kickoff_date").dt.to_string(),
            )
        ),
    )
