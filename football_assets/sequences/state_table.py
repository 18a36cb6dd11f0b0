"""Build the team state: one row per team as it stands after its last match, one row per league for its newcomers.

The table is `team_state.parquet` of a model bundle. `football_assets.sequences.state` reads it.
"""

from collections.abc import Sequence

import polars as pl

from football_assets.domain.columns import country_column
from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.sequences.columns import RATED_TABLES
from football_assets.sequences.encoder import history_rows
from football_assets.sequences.home_advantage import SERIES_SCHEMA, HomeAdvantageShift, home_advantage_shift
from football_assets.sequences.spec import OBSERVED, FeatureSpec

OVERALL_FORM = (
    "points_5",
    "points_10",
    "goals_for_5",
    "goals_for_10",
    "goals_against_5",
    "goals_against_10",
)
VENUE_FORM = ("points_5", "goals_for_5", "goals_against_5")
SEASON_TOTALS = ("season_played", "season_points", "season_goal_difference", "season_position")

_PAST_MATCH = ("goals_for", "goals_against", "is_home")  # columns that `PastMatch` needs
_HOME_ADVANTAGE = "home_advantage"
_TIME_ORDER = ("kickoff_date", "match_id")


def rated_columns_read() -> dict[str, list[str]]:
    """Return the columns that `build_team_state` reads of `team_market_ratings` and `team_shot_ratings`."""
    return {
        table.name: [
            *("match_id", "team_id", "league_id", "kickoff_date", "is_played"),
            *(f"{name}_after" for name in (*table.team_state, *table.league_state)),
            *table.history,
        ]
        for table in RATED_TABLES
    }


def build_team_state(
    team_matches: pl.DataFrame,
    team_form: pl.DataFrame,
    team_ratings: pl.DataFrame,
    team_market_ratings: pl.DataFrame,
    team_shot_ratings: pl.DataFrame,
    spec: FeatureSpec,
) -> pl.DataFrame:
    """Build the team state from the feature tables.

    A row with `team_id` null holds a league: the ratings that its newcomers start with. A row with `team_id` and
    `league_id` null holds what all leagues share: the series of `home_advantage_shift`.

    Parameters
    ----------
    team_matches, team_form, team_ratings, team_market_ratings, team_shot_ratings
        The tables of those names.
    spec
        Names the columns of a past match and the number of past matches.

    Returns
    -------
    pl.DataFrame
        `team_id`, `team`, `country`, `league_id`, `last_kickoff_date`, form, the ratings of all tables of a team, the
        state of a league by all tables, `seasons`
        (the latest season in each competition), `history` (the last matches, the most recent last) and
        `home_advantage` (the shift by day), sorted by league and team.
    """
    tables = (team_ratings, team_market_ratings, team_shot_ratings)
    states = ((RATINGS, LEAGUE_STATE), *((table.team_state, table.league_state) for table in RATED_TABLES))
    rows = _league_of_each_team(team_matches)
    for part in (
        _form_after_last_match(team_form),
        _latest_seasons(team_form),
        *(
            _ratings_after_last_match(table, of_team)
            for table, (of_team, _) in zip(tables, states, strict=True)
        ),
        _last_matches(history_rows(team_matches, *tables), spec),
    ):
        rows = rows.join(part, on="team_id", how="left")
    leagues = _leagues(team_matches)
    for table, (_, of_league) in zip(tables, states, strict=True):
        leagues = leagues.join(_league_after_last_match(table, of_league), on="league_id", how="left")
    shift = home_advantage_shift(_results(team_matches, team_ratings))
    shared = shift.series.select(pl.struct(*SERIES_SCHEMA).implode().alias(_HOME_ADVANTAGE))
    return (
        pl.concat([rows, leagues, shared], how="diagonal_relaxed")
        .with_columns(
            pl.col("team_id").str.splitn(":", 2).struct.field("field_1").alias("team"),
            country_column(),
        )
        .sort("league_id", "team_id", nulls_last=False)
    )


def unnest_lists(teams: pl.DataFrame, column: str) -> pl.DataFrame:
    """Turn a column of lists of structs (`seasons`, `history`) into a table with `team_id` beside each struct."""
    return (
        teams.select("team_id", column).filter(pl.col(column).list.len() > 0).explode(column).unnest(column)
    )


def read_home_advantage(table: pl.DataFrame) -> HomeAdvantageShift | None:
    """Read the shift by day; return None for a table that was built before the shift existed."""
    if _HOME_ADVANTAGE not in table.columns:
        return None
    days = table.select(pl.col(_HOME_ADVANTAGE).drop_nulls().explode().drop_nulls())
    return HomeAdvantageShift(days.unnest(_HOME_ADVANTAGE))


def _league_of_each_team(team_matches: pl.DataFrame) -> pl.DataFrame:
    """One row per team: `team_id` and its last league, or its last cup if it plays in no league."""
    return (
        team_matches.sort(*_TIME_ORDER)
        .group_by("team_id")
        .agg(pl.coalesce(pl.col("league_id").filter(~pl.col("is_cup")).last(), pl.col("league_id").last()))
    )


def _form_after_last_match(team_form: pl.DataFrame) -> pl.DataFrame:
    """One row per team: the day of its last match and its form, overall and by venue."""
    return (
        team_form.sort(*_TIME_ORDER)
        .group_by("team_id")
        .last()
        .select(
            "team_id",
            pl.col("kickoff_date").alias("last_kickoff_date"),
            "matches_known",
            *OVERALL_FORM,
            *(f"{venue}_{name}" for venue in ("home", "away") for name in VENUE_FORM),
        )
    )


def _latest_seasons(team_form: pl.DataFrame) -> pl.DataFrame:
    """One row per team: `seasons`, its latest season in each of its competitions."""
    return (
        team_form.sort(*_TIME_ORDER)
        .group_by("team_id", "league_id", maintain_order=True)
        .last()
        .group_by("team_id", maintain_order=True)
        .agg(pl.struct("league_id", "season", *SEASON_TOTALS).alias("seasons"))
    )


def _ratings_after_last_match(ratings: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """One row per team that played: its ratings after its last match."""
    return _after_last_row(ratings.filter("is_played"), "team_id", names)


def _league_after_last_match(ratings: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """One row per league: its state after its last match, played or not."""
    return _after_last_row(ratings, "league_id", names)


def _after_last_row(ratings: pl.DataFrame, key: str, names: Sequence[str]) -> pl.DataFrame:
    return (
        ratings.sort(*_TIME_ORDER)
        .group_by(key)
        .last()
        .select(key, *(pl.col(f"{name}_after").alias(name) for name in names))
    )


def _last_matches(past: pl.DataFrame, spec: FeatureSpec) -> pl.DataFrame:
    """One row per team that played: `history`, its last matches, the most recent last."""
    columns = dict.fromkeys([*_PAST_MATCH, *(name for name in spec.history_names if name != OBSERVED)])
    return (
        past.sort(*_TIME_ORDER)
        .group_by("team_id")
        .tail(spec.history_length)
        .group_by("team_id", maintain_order=True)
        .agg(pl.struct("match_id", "kickoff_date", "league_id", "opponent_id", *columns).alias("history"))
    )


def _leagues(team_matches: pl.DataFrame) -> pl.DataFrame:
    """One row per league: its latest season and the day of its last result."""
    return team_matches.group_by("league_id").agg(
        pl.col("season").max(),
        pl.col("kickoff_date").filter("is_played").max().alias("last_kickoff_date"),
    )


def _results(team_matches: pl.DataFrame, team_ratings: pl.DataFrame) -> pl.DataFrame:
    """One row per match, with the columns that `home_advantage_shift` reads."""
    goals = {"goals_for": "home_goals", "goals_against": "away_goals"}
    return (
        team_matches.filter("is_home")
        .select("match_id", "kickoff_date", "is_played", *goals)
        .rename(goals)
        .join(
            team_ratings.filter("is_home").select("match_id", "league_home_goals", "league_away_goals"),
            on="match_id",
        )
    )
