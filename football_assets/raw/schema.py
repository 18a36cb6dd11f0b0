"""Define the schema of a row of `raw_matches`, which documents, types and validates the table.

Importing this module imports dataframely: import it inside functions.
"""

import dataframely as dy
import polars as pl

from football_assets.domain.measures import MEASURE_GROUPS
from football_assets.domain.odds_rules import MAX_DECIMAL_ODDS
from football_assets.raw.measure_rules import MAX_COUNTS, MAX_HANDICAP, MAX_MEASURED_XG
from football_assets.raw.rules import MAX_GOALS


def _count(statistic: str, description: str) -> dy.Int16:
    return dy.Int16(nullable=True, min=0, max=MAX_COUNTS[statistic], description=description)


def _xg(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=MAX_MEASURED_XG, description=description)


def _odds(description: str) -> dy.Float64:
    return dy.Float64(
        nullable=True, min_exclusive=1, max=MAX_DECIMAL_ODDS, description=f"Decimal odds {description}"
    )


def _line(description: str) -> dy.Float64:
    return dy.Float64(
        nullable=True,
        min=-MAX_HANDICAP,
        max=MAX_HANDICAP,
        description=f"Asian handicap: goals added to those of the home team; {description}",
    )


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
    home_half_time_goals = _count("half_time_goals", "Goals of the home team at half-time.")
    away_half_time_goals = _count("half_time_goals", "Goals of the away team at half-time.")
    home_shots = _count("shots", "Shots of the home team.")
    away_shots = _count("shots", "Shots of the away team.")
    home_shots_on_target = _count("shots_on_target", "Shots on target of the home team.")
    away_shots_on_target = _count("shots_on_target", "Shots on target of the away team.")
    home_corners = _count("corners", "Corners of the home team.")
    away_corners = _count("corners", "Corners of the away team.")
    home_fouls = _count("fouls", "Fouls of the home team.")
    away_fouls = _count("fouls", "Fouls of the away team.")
    home_yellow_cards = _count("yellow_cards", "Yellow cards of the home team.")
    away_yellow_cards = _count("yellow_cards", "Yellow cards of the away team.")
    home_red_cards = _count("red_cards", "Red cards of the home team.")
    away_red_cards = _count("red_cards", "Red cards of the away team.")
    home_expected_goals = _xg("Expected goals of the home team, measured from its shots.")
    away_expected_goals = _xg("Expected goals of the away team, measured from its shots.")
    home_non_shot_expected_goals = _xg(
        "The same of the home team, measured from other actions near the goal."
    )
    away_non_shot_expected_goals = _xg(
        "The same of the away team, measured from other actions near the goal."
    )
    pre_match_odds_home = _odds("of a home win: average over bookmakers, days before the match.")
    pre_match_odds_draw = _odds("of a draw: average over bookmakers, days before the match.")
    pre_match_odds_away = _odds("of an away win: average over bookmakers, days before the match.")
    closing_odds_home = _odds("of a home win at kick-off: average over bookmakers, else Pinnacle's.")
    closing_odds_draw = _odds("of a draw at kick-off: average over bookmakers, else Pinnacle's.")
    closing_odds_away = _odds("of an away win at kick-off: average over bookmakers, else Pinnacle's.")
    bookmaker_odds_home = _odds("of a home win: Bet365's, days before the match.")
    bookmaker_odds_draw = _odds("of a draw: Bet365's, days before the match.")
    bookmaker_odds_away = _odds("of an away win: Bet365's, days before the match.")
    pre_match_odds_over = _odds("of more than 2.5 goals, days before the match.")
    pre_match_odds_under = _odds("of fewer than 2.5 goals, days before the match.")
    closing_odds_over = _odds("of more than 2.5 goals, at kick-off.")
    closing_odds_under = _odds("of fewer than 2.5 goals, at kick-off.")
    pre_match_handicap_line = _line("days before the match.")
    pre_match_odds_handicap_home = _odds("of the home team with the handicap, days before the match.")
    pre_match_odds_handicap_away = _odds("of the away team against the handicap, days before the match.")
    closing_handicap_line = _line("at kick-off.")
    closing_odds_handicap_home = _odds("of the home team with the handicap, at kick-off.")
    closing_odds_handicap_away = _odds("of the away team against the handicap, at kick-off.")
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
    def measures_are_whole(cls) -> pl.Expr:
        """Require all columns of a group of measures, or none."""
        return pl.all_horizontal(
            pl.col(name).is_null() == pl.col(group[0]).is_null()
            for group in MEASURE_GROUPS
            for name in group[1:]
        )

    @dy.rule()
    def shots_on_target_are_shots(cls) -> pl.Expr:
        """Require at least as many shots as shots on target."""
        return pl.all_horizontal(
            (pl.col(f"{side}_shots_on_target") <= pl.col(f"{side}_shots")).fill_null(True)
            for side in ("home", "away")
        )

    @dy.rule()
    def half_time_is_part_of_the_score(cls) -> pl.Expr:
        """Require at least as many goals as at half-time."""
        return pl.all_horizontal(
            (pl.col(f"{side}_half_time_goals") <= pl.col(f"{side}_goals")).fill_null(True)
            for side in ("home", "away")
        )

    @dy.rule()
    def teams_differ(cls) -> pl.Expr:
        """Require two different teams."""
        return pl.col("home_team") != pl.col("away_team")
