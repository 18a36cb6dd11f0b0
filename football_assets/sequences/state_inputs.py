"""Encode fixtures from a team state: gather rows of arrays that are encoded once, when the state is loaded.

`TeamHistory` and `encode_columns` of `football_assets.sequences.encoder`, which also encode the matches that the
network trains on, make the arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.bookmaker_margin import power_probabilities
from football_assets.domain.leagues import league_of
from football_assets.errors import FootballError
from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.sequences.columns import RATED_TABLES, has_context
from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode_columns
from football_assets.sequences.home_advantage import HomeAdvantageShift
from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT, MATCH_ODDS, FeatureSpec
from football_assets.sequences.state_ratings import RatedStates
from football_assets.sequences.state_table import (
    OVERALL_FORM,
    SEASON_TOTALS,
    VENUE_FORM,
    unnest_lists,
)

FORM_COLUMNS = ("matches_known", *OVERALL_FORM, *(f"venue_{name}" for name in VENUE_FORM))
SEASON_COLUMNS = (*SEASON_TOTALS, "season_points_per_match", "season_goal_difference_per_match")
NO_SEASON = np.array([0.0, *[np.nan] * (len(SEASON_COLUMNS) - 1)], dtype=np.float32)

_LEAGUE_COLUMNS = (*LEAGUE_STATE, "tier", "is_cup")
_ENTRY = slice(2, 5)  # the entry ratings in `_LEAGUE_COLUMNS`
# Context features that every state holds, in the order in which `StateInputs` fills them.
_COLUMNS = (
    *_LEAGUE_COLUMNS,
    *(
        f"{side}_{name}"
        for part in (RATINGS, FORM_COLUMNS, SEASON_COLUMNS, ("rest_days",))
        for side in ("home", "away")
        for name in part
    ),
)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of both teams of `n` matches, the home team first, NaN where unknown.

    The columns are `RATINGS`, `FORM_COLUMNS` and `SEASON_COLUMNS`; `match_features` has them with the prefixes
    `home_` and `away_`. `rated` holds the states from which the context of past odds and shots is computed.
    """

    ratings: NDArray[np.floating]  # [n, 2, 3]
    form: NDArray[np.floating]  # [n, 2, form columns]
    season: NDArray[np.floating]  # [n, 2, season columns]
    rest_days: NDArray[np.floating]  # [n, 2]
    rated: Sequence[NDArray[np.float64]]  # [n, 2, team state] by each of `StateInputs.rated`


class StateInputs:
    """The network's inputs of every team, season and league of a team state.

    A team's history is the same for every fixture that `TeamState` accepts, because a fixture is later than the team's
    last known match. Rest days, the shift of home advantage and what is computed from ratings are the only inputs that
    depend on the fixture's day.

    Parameters
    ----------
    teams, leagues
        The rows of `build_team_state` that hold teams, and those that hold leagues.
    shift
        The shift of home advantage by day; None for a state that was built before it existed.
    spec
        The network's inputs.
    as_of
        Day of the last known result; None if there is none.

    Raises
    ------
    FootballError
        The network needs an input that the state does not hold.
    """

    def __init__(
        self,
        teams: pl.DataFrame,
        leagues: pl.DataFrame,
        shift: HomeAdvantageShift | None,
        spec: FeatureSpec,
        as_of: date | None,
    ) -> None:
        self._shift = shift
        self.rated = tuple(
            RatedStates(table, teams, leagues)
            for table in RATED_TABLES
            if has_context(spec, table) and set(table.team_state) <= set(teams.columns)
        )
        self._columns = (
            *_COLUMNS,
            *((HOME_ADVANTAGE_SHIFT,) if shift is not None else ()),
            *(name for states in self.rated for name in states.table.context),
            *MATCH_ODDS,
        )
        self._order = self._feature_order(spec)
        self._history = TeamHistory(unnest_lists(teams, "history"), spec).before(
            teams["team_id"], pl.repeat((as_of or _EPOCH) + timedelta(days=1), len(teams), eager=True)
        )  # [teams, length, history features]
        self._ratings = encode_columns(teams, RATINGS)  # [teams, 3]
        known = teams.with_columns(pl.col("matches_known").fill_null(0))
        self._form = np.concatenate(
            [
                encode_columns(known, [name.replace("venue", side) for name in FORM_COLUMNS])
                for side in ("home", "away")
            ]
        )  # [2 x teams, form columns]: all teams at home, then all away
        self._form_starts = np.array([0, len(teams)], dtype=np.intp)
        seasons = unnest_lists(teams, "seasons").with_columns(
            (pl.col(f"season_{name}") / pl.col("season_played")).alias(f"season_{name}_per_match")
            for name in ("points", "goal_difference")
        )
        # The last row is that of a team without a match in the season.
        self._seasons = np.vstack([encode_columns(seasons, SEASON_COLUMNS), NO_SEASON])
        keys = seasons.select("team_id", "league_id", "season").iter_rows()
        self.season_rows: dict[tuple[str, str, str], int] = {key: row for row, key in enumerate(keys)}
        self._last_ordinals = np.array(
            [np.nan if day is None else day.toordinal() for day in teams["last_kickoff_date"]],
            dtype=np.float64,
        )  # [teams]
        self._leagues = _encode_leagues(leagues)  # [leagues, league columns]

    def encode(self, rows: NDArray[np.intp], odds: NDArray[np.float64] | None = None) -> SequenceBatch:
        """Encode fixtures.

        Parameters
        ----------
        rows
            `[n, 6]`: row of the league, rows of the home and the away team, rows of their seasons (-1 for a team
            without a match in the season), ordinal of the day.
        odds
            `[n, 3]` pre-match odds of the fixtures, NaN where unknown; None: all are unknown.
        """
        leagues, teams = rows[:, 0], rows[:, 1:3]
        ratings = self._ratings.take(teams, axis=0)  # [n, 2, 3]
        unrated = np.isnan(ratings)
        if unrated.any():
            ratings = np.where(unrated, self._leagues[leagues, None, _ENTRY], ratings)
        sides = Sides(
            ratings=ratings,
            form=self._form.take(teams + self._form_starts, axis=0),
            season=self._seasons.take(rows[:, 3:5], axis=0),
            rest_days=rows[:, 5:] - self._last_ordinals.take(teams),
            rated=[states.teams.take(teams, axis=0) for states in self.rated],
        )
        return SequenceBatch(
            home_history=self._history.take(teams[:, 0], axis=0),
            away_history=self._history.take(teams[:, 1], axis=0),
            context=self.context(leagues, sides, rows[:, 5], odds),
        )

    def context(
        self,
        leagues: NDArray[np.intp],
        sides: Sides,
        ordinals: NDArray[np.integer],
        odds: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float32]:
        """Encode the context features, `[n, context features]`.

        Parameters
        ----------
        leagues
            `[n]` rows of the leagues.
        sides
            Both teams of each match.
        ordinals
            `[n]` proleptic Gregorian ordinals of the days.
        odds
            `[n, 3]` pre-match odds, NaN where unknown; None: all are unknown.
        """
        days = ordinals.astype(np.int64) - _EPOCH.toordinal()
        parts = [
            self._leagues.take(leagues, axis=0),
            *(
                part.reshape(len(leagues), part.shape[1] * part.shape[2])
                for part in (sides.ratings, sides.form, sides.season)
            ),
            sides.rest_days,
        ]
        if self._shift is not None:
            parts.append(self._shift.before_days(days)[:, None])
        for states, teams in zip(self.rated, sides.rated, strict=True):
            parts.append(states.context(leagues, teams, days))
        parts.append(np.full((len(leagues), 3), np.nan) if odds is None else power_probabilities(odds))
        columns = np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")
        return columns.take(self._order, axis=1)

    def _feature_order(self, spec: FeatureSpec) -> NDArray[np.intp]:
        """Positions of the context features in the columns of the state, in the order of the specification."""
        missing = [name for name in spec.context_names if name not in self._columns]
        if missing:
            raise FootballError(
                f"The model needs inputs that a team state does not hold: {', '.join(missing)}. Train and register a "
                "new version."
            )
        return np.array([self._columns.index(name) for name in spec.context_names], dtype=np.intp)


def _encode_leagues(leagues: pl.DataFrame) -> NDArray[np.float32]:
    known = [league_of(league_id) for league_id in leagues["league_id"]]
    return encode_columns(
        leagues.with_columns(
            pl.Series("tier", [league.tier for league in known], dtype=pl.Int64),
            pl.Series("is_cup", [league.is_cup for league in known], dtype=pl.Boolean),
        ),
        _LEAGUE_COLUMNS,
    )
