"""Ratings of a team state in full precision, for matches with custom histories and for team profiles."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.ratings import LEAGUE_STATE, RATINGS


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


def _float64(table: pl.DataFrame, columns: Iterable[str]) -> NDArray[np.float64]:
    """Return columns as a read-only array `[n, columns]`, NaN for null."""
    values: NDArray[np.float64] = table.select(
        pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in columns
    ).to_numpy()
    values.setflags(write=False)  # callers receive views of it
    return values
