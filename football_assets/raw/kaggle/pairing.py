"""Pair the entries of two teams' histories that are the two sides of one match.

The opponent has no name in a history.
"""

import polars as pl

from football_assets.raw.kaggle.wide_format import SIDES

NO_OPPONENT = "The opponent is not named, and no other team's history lists the match."
_SAME_RATING = 1e-4
_SHARED = ["league", "kickoff", "home_goals", "away_goals"]


def pair_entries(entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pair home and away entries of the same match.

    Two entries fit if they list the same kick-off, league and score from opposite sides, and ratings that do not
    differ. They are the same match if neither fits another entry and their ratings agree. Without ratings they must
    be the only entries of the league at that time: otherwise two matches with one score, each listed by one team, would
    be joined to a third that was never played.

    Parameters
    ----------
    entries
        Sound rows of `lines_and_histories.join_histories`.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        One row per match, with `home_team`, `away_team`, `home_origin` and `away_origin`; and the entries that are not
        paired, with the `reason`.
    """
    entries = entries.with_row_index("entry")
    mirrored = _mirrored(entries)
    is_alike = pl.all_horizontal((gap <= _SAME_RATING).fill_null(True) for gap in _rating_gaps())
    crowd = entries.group_by("league", "kickoff").agg(listed=pl.len())
    fitting = (
        mirrored.filter(is_alike)
        .join(crowd, on=["league", "kickoff"], how="left")
        .with_columns(
            is_only=(pl.len().over("home_entry") == 1) & (pl.len().over("away_entry") == 1),
            is_certain=pl.all_horizontal(gap.is_not_null() for gap in _rating_gaps())
            | (pl.col("listed") == 2),
        )
    )
    paired = fitting.filter("is_only", "is_certain")
    done = pl.concat(paired.select(pl.col(f"{side}_entry").alias("entry")) for side in SIDES)
    rated_apart = pl.concat(
        mirrored.filter(~is_alike).select(pl.col(f"{side}_entry").alias("entry")) for side in SIDES
    ).unique()
    return paired, _with_reasons(entries.join(done, on="entry", how="anti"), fitting, rated_apart)


def _mirrored(entries: pl.DataFrame) -> pl.DataFrame:
    """Join each home entry to the away entries of other teams with the same kick-off, league and score."""
    listed = entries.select(
        "entry",
        "team",
        "is_home",
        "league",
        "kickoff",
        home_goals=home_goals(),
        away_goals=away_goals(),
        home_rating=pl.when("is_home").then("rating").otherwise("opponent_rating"),
        away_rating=pl.when("is_home").then("opponent_rating").otherwise("rating"),
        origin=entry_origin(),
    )
    home, away = (
        listed.filter(is_side).select(
            *_SHARED,
            "home_rating",
            "away_rating",
            pl.col("team", "entry", "origin").name.prefix(f"{side}_"),
        )
        for side, is_side in zip(SIDES, (pl.col("is_home"), ~pl.col("is_home")), strict=True)
    )
    return home.join(away, on=_SHARED, suffix="_there").filter(pl.col("home_team") != pl.col("away_team"))


def _rating_gaps() -> list[pl.Expr]:
    """Difference between the two entries' ratings of each team, null where an entry has none."""
    return [(pl.col(f"{side}_rating") - pl.col(f"{side}_rating_there")).abs() for side in SIDES]


def _with_reasons(unpaired: pl.DataFrame, fitting: pl.DataFrame, rated_apart: pl.DataFrame) -> pl.DataFrame:
    """Add the `reason` why an entry is not paired.

    Parameters
    ----------
    unpaired
        Entries that are not paired.
    fitting
        Pairs of entries that fit, with `is_only`.
    rated_apart
        `entry` of those that another entry mirrors with other ratings.
    """
    sides = [
        fitting.select(pl.col(f"{side}_entry").alias("entry"), "is_only", opponent=f"{other}_team")
        for side, other in (SIDES, SIDES[::-1])
    ]
    opponents = (
        pl.concat(sides)
        .group_by("entry")
        .agg(pl.col("opponent").unique().sort(), is_only=pl.col("is_only").all())
    )
    reason = (
        pl.when("is_only")
        .then(
            pl.format(
                "The opponent may be {}, but without ratings other matches at that time may be meant.",
                pl.col("opponent").list.first(),
            )
        )
        .when(pl.col("opponent").is_not_null())
        .then(
            pl.format(
                "The opponent is ambiguous: the histories of {} fit.",
                pl.col("opponent").list.join(", "),
            )
        )
        .when("is_rated_apart")
        .then(pl.lit("The opponent is not named: such a match is listed only by teams with other ratings."))
        .otherwise(pl.lit(NO_OPPONENT))
    )
    return (
        unpaired.join(opponents, on="entry", how="left")
        .join(rated_apart.with_columns(is_rated_apart=True), on="entry", how="left")
        .with_columns(reason=reason)
    )


def home_goals() -> pl.Expr:
    """Select the home team's goals of a history entry."""
    return pl.when("is_home").then("goals_for").otherwise("goals_against")


def away_goals() -> pl.Expr:
    """Select the away team's goals of a history entry."""
    return pl.when("is_home").then("goals_against").otherwise("goals_for")


def entry_origin() -> pl.Expr:
    """Format the place at which a history lists a match: file, line and column group."""
    return pl.format("{} {} {}_team_history_{}", "file", "line", "side", "place")
