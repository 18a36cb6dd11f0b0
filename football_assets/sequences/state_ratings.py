"""Ratings of a team state in full precision: what the context of past odds and shots is computed from, and profiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.sequences.columns import RatedTable
from football_assets.sequences.encoder import float64_columns
from football_assets.sequences.rating_context import rating_context


@dataclass(frozen=True, slots=True)
class LeagueRatings:
    """Mean goals of a league, `[2]` home and away, and the ratings of its newcomers, `[3]` in order of `RATINGS`."""

    goals: NDArray[np.float64]
    entry: NDArray[np.float64]


class StateRatings:
    """The ratings of the leagues and the teams, by row of the state.

    Parameters
    ----------
    teams, leagues
        The rows of `build_team_state` that hold teams, and those that hold leagues.
    """

    def __init__(self, teams: pl.DataFrame, leagues: pl.DataFrame) -> None:
        self._leagues = _float64(leagues, LEAGUE_STATE)  # [leagues, 5]
        self._teams = _float64(teams, RATINGS)  # [teams, 3]

    def league(self, row: int) -> LeagueRatings:
        """Return the mean goals and the newcomers' ratings of a league."""
        values = self._leagues[row]
        return LeagueRatings(goals=values[:2], entry=values[2:])

    def team(self, league_row: int, row: int) -> NDArray[np.float64]:
        """Return `RATINGS` of a team, `[3]`: the league's entry ratings for a team that never played."""
        own = self._teams[row]
        return self.league(league_row).entry if np.isnan(own[0]) else own


class RatedStates:
    """States of the teams and the leagues by one table of ratings, by row of the state.

    Parameters
    ----------
    table
        Names the columns.
    teams, leagues
        The rows of `build_team_state` that hold teams, and those that hold leagues.
    """

    def __init__(self, table: RatedTable, teams: pl.DataFrame, leagues: pl.DataFrame) -> None:
        self.table = table
        self.teams = _float64(teams, table.team_state)  # [teams, team state]
        self._leagues = _float64(leagues, table.league_state)  # [leagues, league state]

    def context(
        self, leagues: NDArray[np.intp], teams: NDArray[np.float64], days: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the context of matches, `[n, context]`.

        Parameters
        ----------
        leagues
            `[n]` rows of the leagues.
        teams
            `[n, 2, team state]`, the home team first.
        days
            `[n]` kick-off days since 1970.
        """
        return rating_context(self.table, teams[:, 0], teams[:, 1], self._leagues.take(leagues, axis=0), days)


def _float64(table: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return columns as a read-only array `[n, columns]`, NaN for null."""
    values = float64_columns(table, columns)
    values.setflags(write=False)  # callers receive views of it
    return values
