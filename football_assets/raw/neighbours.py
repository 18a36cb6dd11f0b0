"""Assign the matches that the folders of two seasons list to one season.

The windows of neighbouring seasons overlap (`seasons.season_window`), as do those of an autumn-to-spring season and a
calendar year. A country is read with all of its seasons. Called by `matches.py`.
"""

from collections.abc import Sequence

import polars as pl

from football_assets.domain.seasons import overlapping_seasons, season_that_owns, season_window
from football_assets.raw.rules import SAME_MATCH_DAYS

_FIXTURE = ["country", "home_team", "away_team"]


def in_their_seasons(entries: pl.DataFrame) -> pl.DataFrame:
    """Move an entry of a match that two seasons list to the season that the match belongs to.

    Entries of one fixture at most SAME_MATCH_DAYS apart, in the folders of two seasons, are one match: a pair does not
    open a season at the ground where it has just ended one.

    Parameters
    ----------
    entries
        Rows with `season`, `country`, `kickoff_date`, `row` and canonical clubs.

    Returns
    -------
    pl.DataFrame
        The rows in their order, some with another `season`.
    """
    shared = _in_shared_days(entries)
    if shared.is_empty():
        return entries
    is_new = (pl.col("kickoff_date").diff().over(_FIXTURE) > pl.duration(days=SAME_MATCH_DAYS)).fill_null(
        True
    )
    matches = (
        shared.sort(*_FIXTURE, "kickoff_date", "row")
        .with_columns(match=is_new.cum_sum())
        .filter(pl.col("season").n_unique().over("match") > 1)
    )
    owners = matches.group_by("match", "country").agg(
        pl.col("season").unique().sort(), day=pl.col("kickoff_date").min()
    )
    owners = owners.with_columns(
        owner=pl.Series(
            [
                season_that_owns(country, day, listing)
                for country, day, listing in owners.select("country", "day", "season").iter_rows()
            ],
            dtype=pl.String,
        )
    )
    moved = matches.join(owners.select("match", "owner"), on="match").select("row", "owner")
    return (
        entries.join(moved, on="row", how="left", maintain_order="left")
        .with_columns(season=pl.coalesce("owner", "season"))
        .drop("owner")
    )


def _in_shared_days(entries: pl.DataFrame) -> pl.DataFrame:
    """Return the entries of days on which another season of their country has entries, too."""
    listing = entries.select("country", "season").unique().sort("country", "season")
    shared: list[tuple[str, str, object, object]] = []
    for (country,), part in listing.partition_by("country", as_dict=True, maintain_order=True).items():
        labels: Sequence[str] = part["season"].to_list()
        for season in labels:
            first, last = season_window(season)
            for other in overlapping_seasons(season, labels):
                start, end = season_window(other)
                shared.append((str(country), season, max(first, start), min(last, end)))
    days = pl.DataFrame(
        shared,
        schema={"country": pl.String, "season": pl.String, "first": pl.Date, "last": pl.Date},
        orient="row",
    )
    if days.is_empty():
        return entries.clear()
    rows = (
        entries.select("country", "season", "kickoff_date", "row")
        .join(days, on=["country", "season"])
        .filter(pl.col("kickoff_date").is_between("first", "last"))["row"]
        .unique()
    )
    return entries.select(*_FIXTURE, "season", "kickoff_date", "row").filter(
        pl.col("row").is_in(rows.implode())
    )
