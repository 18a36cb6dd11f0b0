"""Names of the measures of a match: what `raw_matches` and `stg_matches` hold beside teams, days and goals.

Every measure is nullable. Odds are decimal; a group of odds is complete or null. Lines of handicaps are in goals, for
the home team: -1.5 is a home team that starts 1.5 goals behind.
"""

STATISTICS = (
    "half_time_goals",
    "shots",
    "shots_on_target",
    "corners",
    "fouls",
    "yellow_cards",
    "red_cards",
)
"""Counts of one team in a match. Columns have the prefix `home_` or `away_`."""
STATISTIC_PAIRS = tuple((f"home_{name}", f"away_{name}") for name in STATISTICS)
"""Columns of each statistic: home, away."""
STATISTIC_COLUMNS = tuple(column for pair in STATISTIC_PAIRS for column in pair)

MEASURED_XG_PAIRS = (
    ("home_expected_goals", "away_expected_goals"),
    ("home_non_shot_expected_goals", "away_non_shot_expected_goals"),
)
"""Expected goals that a source measured from the course of the match: from shots, and from other actions."""
MEASURED_XG_COLUMNS = tuple(column for pair in MEASURED_XG_PAIRS for column in pair)

PRE_MATCH_ODDS = ("pre_match_odds_home", "pre_match_odds_draw", "pre_match_odds_away")
"""Average over bookmakers, collected a day or two before the match."""
CLOSING_ODDS = ("closing_odds_home", "closing_odds_draw", "closing_odds_away")
"""Average over bookmakers, or Pinnacle's, at kick-off."""
BOOKMAKER_ODDS = ("bookmaker_odds_home", "bookmaker_odds_draw", "bookmaker_odds_away")
"""Those of one bookmaker, Bet365, before the match."""
PRE_MATCH_TOTAL_ODDS = ("pre_match_odds_over", "pre_match_odds_under")
"""Over and under 2.5 goals, before the match."""
CLOSING_TOTAL_ODDS = ("closing_odds_over", "closing_odds_under")
PRE_MATCH_HANDICAP = (
    "pre_match_handicap_line",
    "pre_match_odds_handicap_home",
    "pre_match_odds_handicap_away",
)
"""Asian handicap before the match: line, odds of the home team, odds of the away team."""
CLOSING_HANDICAP = ("closing_handicap_line", "closing_odds_handicap_home", "closing_odds_handicap_away")

OUTCOME_ODDS = (PRE_MATCH_ODDS, CLOSING_ODDS, BOOKMAKER_ODDS)
"""Groups of decimal odds of a home win, a draw and an away win."""
TOTAL_ODDS = (PRE_MATCH_TOTAL_ODDS, CLOSING_TOTAL_ODDS)
HANDICAPS = (PRE_MATCH_HANDICAP, CLOSING_HANDICAP)
ODDS_GROUPS = (*OUTCOME_ODDS, *TOTAL_ODDS, *HANDICAPS)
MEASURED_ODDS_COLUMNS = tuple(column for group in ODDS_GROUPS for column in group)

MEASURE_GROUPS = (*STATISTIC_PAIRS, *MEASURED_XG_PAIRS, *ODDS_GROUPS)
"""Columns that one source gives together: all of them, or none."""
MEASURE_COLUMNS = tuple(column for group in MEASURE_GROUPS for column in group)
