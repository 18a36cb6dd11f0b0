"""Columns of `team_market_ratings` and `team_shot_ratings`, and the inputs of the network that are derived from them.

The code location and the feature specification import this module, so it imports no library.

A strength is in log goals: the difference of two strengths plus the home advantage is log(home goals / away goals), the
log-supremacy. A match without odds changes no column of the odds, one without shots none of the shots.
"""

from typing import NamedTuple


class RatingColumn(NamedTuple):
    """An input of the network that is derived from ratings, in its natural unit."""

    name: str
    unit: str
    lower: float  # smaller values are implausible
    upper: float  # larger values are implausible
    description: str


_LOG_GOALS = "log goals"
_GOALS = "goals"
_PROBABILITY = "probability"
_FLAG = "flag"
_A_MATCH = "a match"

MARKET_TEAM_STATE = (
    "odds_day",  # of the team's last match with odds, in days since 1970; null before it
    "odds_strength",
    "odds_variance",  # of the strength at the end of `odds_day`
    "odds_fast_strength",  # forgets ten times as fast
    "odds_only_strength",  # without results
    "odds_slow_strength",  # forgets a tenth as fast
    "odds_total",  # the team's part of log(home goals) + log(away goals)
    "odds_attack",
    "odds_defence",
    "odds_elo",
    "odds_residual_goals_for",  # weighted mean of goals minus implied goals, half-life twelve matches
    "odds_residual_goals_against",
    "odds_residual_points",
    "result_day",  # of the team's last match, in days since 1970; null before it
    "result_strength",
    "result_variance",
)
MARKET_LEAGUE_STATE = (
    "odds_home_advantage",
    "odds_home_advantage_variance",
    "odds_fast_home_advantage",
    "odds_only_home_advantage",
    "odds_slow_home_advantage",
    "odds_total_level",  # mean of log(home goals) + log(away goals)
    "odds_home_log_goals",  # level of the attack and defence steps
    "odds_away_log_goals",
    "odds_elo_home_advantage",
    "result_home_advantage",
    "result_home_advantage_variance",
    "result_entry",  # strength of a team without a match
)
MARKET_IMPLIED = ("implied_p_own", "implied_p_draw", "implied_p_opponent")
"""Probabilities implied by the odds of the match itself, from the team's side: soft labels, never inputs."""

SHOT_TEAM_STATE = (
    "shots_day",  # of the team's last match with shots on target, in days since 1970; null before it
    "shots_on_target_strength",
    "shots_strength",
    "corners_strength",
    "shots_on_target_margin_4",  # weighted means of own minus opponent's, over the last 4 or 15 matches
    "shots_on_target_margin_15",
    "shots_margin_15",
    "chances_margin_15",
    "red_cards_margin_15",
    "half_time_margin_15",
    "finishing_margin_15",
    "shots_on_target_sum_15",
)
SHOT_LEAGUE_STATE = ("shots_on_target_home_advantage", "shots_home_advantage", "corners_home_advantage")


def _both_sides(
    name: str, unit: str, lower: float, upper: float, description: str
) -> tuple[RatingColumn, RatingColumn]:
    home, away = (
        RatingColumn(f"{side}_{name}", unit, lower, upper, f"{description}, {side} team.")
        for side in ("home", "away")
    )
    return home, away


def _for_and_against(name: str, unit: str, upper: float, description: str) -> tuple[RatingColumn, ...]:
    return (
        RatingColumn(f"{name}_for", unit, 0, upper, f"{description} of the team (match statistics)."),
        RatingColumn(f"{name}_against", unit, 0, upper, f"{description} of the opponent (match statistics)."),
    )


MARKET_HISTORY_COLUMNS = (
    RatingColumn("odds_known", _FLAG, 0, 1, "1 if odds of the match are on file."),
    RatingColumn(
        "implied_supremacy", _LOG_GOALS, -4, 4, "log(own / opponent's goals) implied by the match's odds."
    ),
    RatingColumn("implied_goals_for", _GOALS, 0, 8, "Own goals implied by the match's odds."),
    RatingColumn("implied_goals_against", _GOALS, 0, 8, "Opponent's goals implied by the match's odds."),
    RatingColumn("odds_surprise", _GOALS, -8, 8, "Goal difference minus that implied by the match's odds."),
    RatingColumn(
        "own_odds_rating", _LOG_GOALS, -4, 4, "The team's strength before it, from odds of earlier matches."
    ),
    RatingColumn(
        "opponent_odds_rating",
        _LOG_GOALS,
        -4,
        4,
        "The opponent's strength before it, from odds of earlier matches.",
    ),
)
SHOT_HISTORY_COLUMNS = (
    RatingColumn("shots_known", _FLAG, 0, 1, "1 if the match's shots on target are on file."),
    *_for_and_against("shots_on_target", "shots", 30, "Shots on target"),
    *_for_and_against("shots", "shots", 50, "Shots"),
    *_for_and_against("corners", "corners", 30, "Corners"),
    *_for_and_against("red_cards", "cards", 5, "Red cards"),
)

MARKET_CONTEXT_COLUMNS = (
    RatingColumn("odds_rated", _FLAG, 0, 1, "1 if both teams have a match with odds in the last 400 days."),
    RatingColumn(
        "odds_supremacy",
        _LOG_GOALS,
        -4,
        4,
        "log(home / away goals) by a Kalman filter over odds of earlier matches.",
    ),
    RatingColumn(
        "odds_supremacy_variance", "squared log goals", 0, 1, "Variance of odds_supremacy, same filter."
    ),
    *_both_sides("odds_strength", _LOG_GOALS, -4, 4, "Strength by the filter over odds of earlier matches"),
    RatingColumn(
        "odds_total",
        _LOG_GOALS,
        -3,
        4,
        "log(home goals) + log(away goals) by a Kalman filter over earlier odds.",
    ),
    RatingColumn("odds_home_goals", _GOALS, 0.05, 8, "Home goals expected by odds_supremacy and odds_total."),
    RatingColumn("odds_away_goals", _GOALS, 0.05, 8, "Away goals expected by odds_supremacy and odds_total."),
    RatingColumn("odds_p_home", _PROBABILITY, 0, 1, "Home win, Dixon-Coles on those expected goals."),
    RatingColumn("odds_p_draw", _PROBABILITY, 0, 1, "Draw, Dixon-Coles on those expected goals."),
    RatingColumn("odds_p_away", _PROBABILITY, 0, 1, "Away win, Dixon-Coles on those expected goals."),
    RatingColumn(
        "odds_fast_supremacy", _LOG_GOALS, -4, 4, "As odds_supremacy, forgetting ten times as fast."
    ),
    RatingColumn("odds_only_supremacy", _LOG_GOALS, -4, 4, "As odds_supremacy, without results."),
    RatingColumn("odds_slow_supremacy", _LOG_GOALS, -4, 4, "As odds_supremacy, forgetting a tenth as fast."),
    *_both_sides("odds_trend", _LOG_GOALS, -2, 2, "Strength minus slow strength, from earlier odds"),
    RatingColumn(
        "odds_step_home_log_goals",
        _LOG_GOALS,
        -3,
        3,
        "log(home goals) by attack and defence that follow earlier odds.",
    ),
    RatingColumn(
        "odds_step_away_log_goals",
        _LOG_GOALS,
        -3,
        3,
        "log(away goals) by attack and defence that follow earlier odds.",
    ),
    RatingColumn(
        "odds_elo_difference",
        "Elo points",
        -1500,
        1500,
        "Home minus away Elo with home advantage; Elo follows the expected score implied by earlier odds.",
    ),
    *_both_sides(
        "odds_residual_goals_for",
        f"{_GOALS} {_A_MATCH}",
        -3,
        3,
        "Weighted mean of goals minus those implied by odds",
    ),
    *_both_sides(
        "odds_residual_goals_against",
        f"{_GOALS} {_A_MATCH}",
        -3,
        3,
        "Weighted mean of goals conceded minus those implied by odds",
    ),
    *_both_sides(
        "odds_residual_points",
        f"points {_A_MATCH}",
        -3,
        3,
        "Weighted mean of points minus those implied by odds",
    ),
    RatingColumn(
        "result_supremacy", _LOG_GOALS, -4, 4, "log(home / away goals) by a Kalman filter over results alone."
    ),
    RatingColumn(
        "result_supremacy_variance", "squared log goals", 0, 1, "Variance of result_supremacy, same filter."
    ),
)

SHOT_CONTEXT_COLUMNS = (
    RatingColumn(
        "shots_rated", _FLAG, 0, 1, "1 if both teams have shots on target on file in the last 400 days."
    ),
    RatingColumn(
        "shots_on_target_supremacy",
        "log shots",
        -3,
        3,
        "log(home / away shots on target) by a Kalman filter over earlier matches.",
    ),
    RatingColumn(
        "shots_supremacy",
        "log shots",
        -3,
        3,
        "log(home / away shots) by a Kalman filter over earlier matches.",
    ),
    RatingColumn(
        "corners_supremacy",
        "log corners",
        -3,
        3,
        "log(home / away corners) by a Kalman filter over earlier matches.",
    ),
    *_both_sides(
        "shots_on_target_margin_4",
        f"shots {_A_MATCH}",
        -20,
        20,
        "Own minus opponents' shots on target, weighted mean over about 4 matches",
    ),
    *_both_sides(
        "shots_on_target_margin_15",
        f"shots {_A_MATCH}",
        -20,
        20,
        "Own minus opponents' shots on target, weighted mean over about 15 matches",
    ),
    *_both_sides(
        "shots_margin_15",
        f"shots {_A_MATCH}",
        -40,
        40,
        "Own minus opponents' shots, weighted mean over about 15 matches",
    ),
    *_both_sides(
        "chances_margin_15",
        f"{_GOALS} {_A_MATCH}",
        -5,
        5,
        "Own minus opponents' expected goals (a share of shots on target where unknown), about 15 matches",
    ),
    *_both_sides(
        "red_cards_margin_15",
        f"cards {_A_MATCH}",
        -3,
        3,
        "Own minus opponents' red cards, weighted mean over about 15 matches",
    ),
    *_both_sides(
        "half_time_margin_15",
        f"{_GOALS} {_A_MATCH}",
        -5,
        5,
        "Goal difference at half-time, weighted mean over about 15 matches",
    ),
    *_both_sides(
        "finishing_margin_15",
        f"{_GOALS} {_A_MATCH}",
        -5,
        5,
        "Goal difference minus chances_margin, weighted mean over about 15 matches",
    ),
    RatingColumn(
        "shots_on_target_sum",
        f"shots {_A_MATCH}",
        0,
        40,
        "Shots on target of both sides in the teams' matches, mean of the two weighted means over about 15.",
    ),
)

MARKET_HISTORY = tuple(column.name for column in MARKET_HISTORY_COLUMNS)
MARKET_CONTEXT = tuple(column.name for column in MARKET_CONTEXT_COLUMNS)
SHOT_HISTORY = tuple(column.name for column in SHOT_HISTORY_COLUMNS)
SHOT_CONTEXT = tuple(column.name for column in SHOT_CONTEXT_COLUMNS)
RESULT_CONTEXT = ("result_supremacy", "result_supremacy_variance")
"""The columns of `MARKET_CONTEXT` that are known without odds."""
