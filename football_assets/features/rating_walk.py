"""One walk through the calendar for ratings of several kinds, and the table of team and match that they fill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.schedule import Floats, Indices, Schedule, side_by_side

StateColumns = Mapping[str, tuple[Floats, Floats]]
"""Columns before the day of the match and after it."""


class RatingPart(Protocol):
    """Ratings of one kind: their present state and how matches change it."""

    teams: Floats  # [teams, columns]
    leagues: Floats  # [leagues, columns]
    is_known: NDArray[np.bool_]  # [matches] whether a match has what the part observes

    def observe(self, matches: Indices) -> None:
        """Update the state by known matches, of one day a country, in which no team plays twice."""


@dataclass(frozen=True)
class PartStates:
    """State of a part before the day of each match and after it."""

    before: Floats  # [columns, matches, 2]
    after: Floats
    league_before: Floats  # [columns, matches]
    league_after: Floats


def walk(schedule: Schedule, parts: Sequence[RatingPart]) -> list[PartStates]:
    """Read the state before each match day, update it by the day's matches, and read it again."""
    matches = len(schedule.league)
    states = [
        (
            *(np.empty((matches, 2, part.teams.shape[1])) for _ in range(2)),
            *(np.empty((matches, part.leagues.shape[1])) for _ in range(2)),
        )
        for part in parts
    ]
    for step in schedule.steps():
        teams, league = schedule.teams[step], schedule.league[step]
        for part, (before, _, league_before, _) in zip(parts, states, strict=True):
            before[step] = part.teams[teams]
            league_before[step] = part.leagues[league]
        for matches_of_round in schedule.rounds(step):
            for part in parts:
                known = matches_of_round[part.is_known[matches_of_round]]
                if len(known):
                    part.observe(known)
        for part, (_, after, _, league_after) in zip(parts, states, strict=True):
            after[step] = part.teams[teams]
            league_after[step] = part.leagues[league]
    return [PartStates(*(_columns_first(values) for values in state)) for state in states]


def _columns_first(values: Floats) -> Floats:
    return np.ascontiguousarray(np.moveaxis(values, -1, 0))


@dataclass(frozen=True)
class RatingTable:
    """Columns of a table with one row per team and match; NaN stands for null."""

    team: StateColumns  # each [matches, 2]
    league: StateColumns  # each [matches]
    match: Mapping[str, Floats]  # [matches, 2], what the match itself adds

    def frame(self, matches: pl.DataFrame) -> pl.DataFrame:
        """Return the rows in the order of `ROW_ORDER`; a team's `…_after` are null until the match is played."""
        order = side_by_side(matches)
        is_swapped = (matches["home_team_id"] > matches["away_team_id"]).to_numpy()[:, None]
        is_played = matches["is_played"].to_numpy()[:, None]

        def of_sides(values: Floats) -> Floats:
            return np.where(is_swapped, values[:, ::-1], values).ravel()

        columns: dict[str, Floats] = {}
        for name, (before, after) in self.team.items():
            columns[name] = of_sides(before)
            columns[f"{name}_after"] = of_sides(np.where(is_played, after, np.nan))
        for name, (before, after) in self.league.items():
            columns[name] = np.repeat(before, 2)
            columns[f"{name}_after"] = np.repeat(after, 2)
        for name, values in self.match.items():
            columns[name] = of_sides(values)
        keys = ("kickoff_date", "league_id", "season", "is_played")
        rows = pl.concat(
            matches.select(
                "match_id", pl.col(team).alias("team_id"), pl.lit(side == 0).alias("is_home"), *keys
            )
            for side, team in enumerate(("home_team_id", "away_team_id"))
        )[order]
        return rows.with_columns(
            pl.Series(name, values, dtype=pl.Float64).fill_nan(None) for name, values in columns.items()
        )
