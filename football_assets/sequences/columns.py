"""Columns of the feature tables that the tensors are built from.

The code location imports this module, so it imports no library.
"""

from typing import NamedTuple

from football_assets.domain.measures import BOOKMAKER_ODDS, CLOSING_ODDS, PRE_MATCH_ODDS
from football_assets.features.rating_columns import (
    MARKET_CONTEXT,
    MARKET_HISTORY,
    MARKET_IMPLIED,
    MARKET_LEAGUE_STATE,
    MARKET_TEAM_STATE,
    SHOT_CONTEXT,
    SHOT_HISTORY,
    SHOT_LEAGUE_STATE,
    SHOT_TEAM_STATE,
)
from football_assets.sequences.spec import (
    DEFAULT_SPEC,
    HOME_ADVANTAGE_SHIFT,
    MATCH_ODDS,
    OBSERVED,
    FeatureSpec,
)


class RatedTable(NamedTuple):
    """A table of ratings by team and match from which the encoder computes the context of a match."""

    name: str
    team_state: tuple[str, ...]  # of a team before the match
    league_state: tuple[str, ...]  # of the league before the match
    history: tuple[str, ...]  # what the match adds to the team's history
    context: tuple[str, ...]  # what the encoder computes


MARKET_TABLE = RatedTable(
    "team_market_ratings", MARKET_TEAM_STATE, MARKET_LEAGUE_STATE, MARKET_HISTORY, MARKET_CONTEXT
)
SHOT_TABLE = RatedTable("team_shot_ratings", SHOT_TEAM_STATE, SHOT_LEAGUE_STATE, SHOT_HISTORY, SHOT_CONTEXT)
RATED_TABLES = (MARKET_TABLE, SHOT_TABLE)
LABELS = (*MARKET_IMPLIED, "implied_goals_for", "implied_goals_against")  # from a team's side

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
    *PRE_MATCH_ODDS,
    *BOOKMAKER_ODDS,
    *CLOSING_ODDS,
)
_COMPUTED = (HOME_ADVANTAGE_SHIFT, *MARKET_CONTEXT, *SHOT_CONTEXT, *MATCH_ODDS)


def columns_read(spec: FeatureSpec = DEFAULT_SPEC) -> dict[str, list[str]]:
    """Return the columns that `tensors.write_tensors` reads, by table."""
    sides = ("match_id", "team_id", "league_id")
    rated = {name for table in RATED_TABLES for name in table.history}
    own = [
        name
        for name in spec.history_names
        if name != OBSERVED and name not in rated and not name.endswith(HISTORY_RATINGS)
    ]
    context = [name for name in spec.context_names if name not in _COMPUTED]
    return {
        "match_features": [*dict.fromkeys((*KEY_COLUMNS, *_TARGETS, *context))],
        "team_matches": [*sides, "opponent_id", "kickoff_date", "is_played", *own],
        "team_ratings": [*sides, *HISTORY_RATINGS],
        **{
            table.name: [*dict.fromkeys((*sides, "is_home", *_rating_columns(table, spec)))]
            for table in RATED_TABLES
        },
    }


def tables_read_by(spec: FeatureSpec) -> list[RatedTable]:
    """Return the tables of ratings that a specification has inputs of; none for one that is older than they are."""
    names = {*spec.history_names, *spec.context_names}
    return [table for table in RATED_TABLES if not names.isdisjoint((*table.history, *table.context))]


def has_context(spec: FeatureSpec, table: RatedTable) -> bool:
    """Whether a specification has context inputs that are computed from a table."""
    return not set(table.context).isdisjoint(spec.context_names)


def _rating_columns(table: RatedTable, spec: FeatureSpec) -> list[str]:
    states = (*table.team_state, *table.league_state) if has_context(spec, table) else ()
    history = [name for name in spec.history_names if name in table.history]
    return [*states, *history, *(LABELS if table == MARKET_TABLE else ())]
