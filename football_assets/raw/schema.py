"""Define the schema of a row of `raw_matches`, which documents, types and validates the table.

Importing this module imports dataframely: import it inside functions.
"""

import dataframely as dy
import polars as pl

from football_assets.raw.rules import MAX_GOALS


class Match(dy.Schema):
    """One match, played or not."""

    match_id = dy.String(
        primary_key=True,
        regex="^[0-9a-f]{16}$",
        description="Hash of league, season, home team, away team and leg. It does not depend on the date.",
    )
    league_id = dy.String(
        regex=r"^[a-z]{2,4}\.[a-z0-9]+$", description="Country and tier, `eng.1`, or cup, `de.cup`."
    )
    season = dy.String(
        regex=r"^\d{4}(-\d{2})?$", description="`2014-15`, or `2014` for a calendar-year season."
    )
    kickoff_date = dy.Date(description="Day of the match, local to the ground.")
    kickoff_time = dy.Time(nullable=True, description="Local time of kick-off, where the source has one.")
    home_team = dy.String(min_length=1, description="Home team by its canonical name.")
    away_team = dy.String(min_length=1, description="Away team by its canonical name.")
    home_goals = dy.Int16(
        nullable=True, min=0, max=MAX_GOALS, description="Goals after 90 minutes; null until played."
    )
    away_goals = dy.Int16(
        nullable=True, min=0, max=MAX_GOALS, description="Goals after 90 minutes; null until played."
    )
    round = dy.String(nullable=True, description="Round as the source names it.")
    is_cup = dy.Bool(description="A knock-out competition.")
    odds_home = dy.Float64(nullable=True, min_exclusive=1, description="Decimal odds of a home win.")
    odds_draw = dy.Float64(nullable=True, min_exclusive=1, description="Decimal odds of a draw.")
    odds_away = dy.Float64(nullable=True, min_exclusive=1, description="Decimal odds of an away win.")
    source = dy.String(description="Name of the folder from which the file was landed.")
    source_object = dy.String(description="Landing object that holds the row.")
    source_version = dy.String(description="Version of that object.")

    @dy.rule()
    def score_is_whole(cls) -> pl.Expr:
        """Require goals of both teams, or of neither."""
        return pl.col("home_goals").is_null() == pl.col("away_goals").is_null()

    @dy.rule()
    def odds_are_whole(cls) -> pl.Expr:
        """Require all three odds, or none."""
        known = pl.sum_horizontal(pl.col("odds_home", "odds_draw", "odds_away").is_not_null())
        return known.is_in([0, 3])

    @dy.rule()
    def teams_differ(cls) -> pl.Expr:
        """Require two different teams."""
        return pl.col("home_team") != pl.col("away_team")
