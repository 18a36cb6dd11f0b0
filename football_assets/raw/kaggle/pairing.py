"""Which entries of teams' histories, in which the opponent has no name, are two sides of one match.

Called by `rebuilding.py`.
"""

import polars as pl

from football_assets.raw.kaggle.wide_format import SIDES

NO_OPPONENT = "The opponent is not named, and no other team's history lists the match."
_SAME_RATING = 1e-4


def pair_entries(entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Home and away entries that are the same match, and the entries left over, with `reason`.

    Two entries fit if they list the same kick-off, league and score from opposite sides, and ratings that do not
    differ. They are the same match if neither fits another entry and their ratings agree. Without ratings they must
    be the only entries of the league at that time: else two matches with one score, each listed by one team, would
    make a third that never was.
    """
    entries = entries.with_row_index("entry")
    shared = ["league", "kickoff", "home_goals", "away_goals"]
    told = entries.select(
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
        told.filter(is_side).select(
            *shared,
            "home_rating",
            "away_rating",
            pl.col("team", "entry", "origin").name.prefix(f"{side}_"),
        )
        for side, is_side in zip(SIDES, (pl.col("is_home"), ~pl.col("is_home")), strict=True)
    )
    crowd = entries.group_by("league", "kickoff").agg(listed=pl.len())
    mirrored = home.join(away, on=shared, suffix="_there").filter(pl.col("home_team") != pl.col("away_team"))
    apart = [(pl.col(f"{side}_rating") - pl.col(f"{side}_rating_there")).abs() for side in SIDES]
    is_rated = pl.all_horizontal(gap.is_not_null() for gap in apart)
    is_alike = pl.all_horizontal((gap <= _SAME_RATING).fill_null(True) for gap in apart)
    fitting = (
        mirrored.filter(is_alike)
        .join(crowd, on=["league", "kickoff"], how="left")
        .with_columns(
            is_only=(pl.len().over("home_entry") == 1) & (pl.len().over("away_entry") == 1),
            is_certain=is_rated | (pl.col("listed") == 2),
        )
    )
    paired = fitting.filter("is_only", "is_certain")
    sides = [
        fitting.select(pl.col(f"{side}_entry").alias("entry"), "is_only", opponent=f"{other}_team")
        for side, other in (SIDES, SIDES[::-1])
    ]
    opponents = (
        pl.concat(sides)
        .group_by("entry")
        .agg(pl.col("opponent").unique().sort(), is_only=pl.col("is_only").all())
    )
    rated_apart = pl.concat(
        mirrored.filter(~is_alike).select(pl.col(f"{side}_entry").alias("entry")) for side in SIDES
    ).unique()
    done = pl.concat(paired.select(pl.col(f"{side}_entry").alias("entry")) for side in SIDES)
    unpaired = (
        entries.join(done, on="entry", how="anti")
        .join(opponents, on="entry", how="left")
        .join(rated_apart.with_columns(is_rated_apart=True), on="entry", how="left")
        .with_columns(
            reason=pl.when("is_only")
            .then(
                pl.format(
                    "The opponent may be {}, but without ratings other matches at that time may be meant.",
                    pl.col("opponent").list.first(),
                )
            )
            .when(pl.col("opponent").is_not_null())
            .then(
                pl.format(
                    "The opponent cannot be told: the histories of {} fit.",
                    pl.col("opponent").list.join(", "),
                )
            )
            .when("is_rated_apart")
            .then(
                pl.lit("The opponent is not named: such a match is listed only by teams with other ratings.")
            )
            .otherwise(pl.lit(NO_OPPONENT))
        )
    )
    return paired, unpaired


def home_goals() -> pl.Expr:
    """Of an entry: a team's match as its history lists it."""
    return pl.when("is_home").then("goals_for").otherwise("goals_against")


def away_goals() -> pl.Expr:
    """Likewise."""
    return pl.when("is_home").then("goals_against").otherwise("goals_for")


def entry_origin() -> pl.Expr:
    """Where a history lists a match."""
    return pl.format("{} {} {}_team_history_{}", "file", "line", "side", "place")
