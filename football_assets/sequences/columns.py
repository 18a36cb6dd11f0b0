"""Columns of the feature tables that the tensors are built from.

The code location imports this module, so it imports no library.
"""

from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, OBSERVED, FeatureSpec

HISTORY_RATINGS = ("elo", "attack", "defence")  # of a past match, of both teams
_TARGETS = ("outcome", "home_goals", "away_goals")
KEY_COLUMNS = (
    "match_id",
    "league_id",
    "season",
    "kickoff_date",
    "home_team",
    "away_team",
    "home_team_id",
    "away_team_id",
    "is_played",
    "is_cup",
    "home_elo",
    "away_elo",
    "odds_home",
    "odds_draw",
    "odds_away",
)


def columns_read(spec: FeatureSpec = DEFAULT_SPEC) -> dict[str, list[str]]:
    """Return the columns that `tensors.write_tensors` reads, by table."""
    sides = ("match_id", "team_id", "league_id")
    own = [name for name in spec.history_names if name != OBSERVED and not name.endswith(HISTORY_RATINGS)]
    context = [name for name in spec.context_names if name != HOME_ADVANTAGE_SHIFT]
    return {
        "match_features": [*dict.fromkeys((*KEY_COLUMNS, *_TARGETS, *context))],
        "team_matches": [*sides, "opponent_id", "kickoff_date", "is_played", *own],
        "team_ratings": [*sides, *HISTORY_RATINGS],
    }
