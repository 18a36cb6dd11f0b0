"""Matches in order of day, with teams and leagues as indices: what the ratings walk through."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

# Of the rows of a table: one row per match lacks the last.
ROW_ORDER = ("kickoff_date", "league_id", "match_id", "team_id")


@dataclass(frozen=True)
class Schedule:
    """Matches in order of day, with teams and leagues as indices."""

    teams: Indices  # [matches, 2] home, away
    league: Indices  # [matches]
    goals: Floats  # [matches, 2] NaN until played
    is_played: NDArray[np.bool_]
    dates: NDArray[np.int64]  # [matches] days since 1970
    days: Indices  # [days + 1] first match of each day
    team_pools: Indices  # [teams] index of the country
    pools: Indices  # [leagues]
    tiers: Floats  # [leagues] NaN for a cup

    def each_day(self) -> Iterator[slice]:
        """Yield the matches of each day."""
        return map(slice, self.days[:-1], self.days[1:])

    def steps(self) -> list[Indices]:
        """Return the matches of each step of a walk: step k holds the k-th match day of every country.

        Countries know nothing of each other, so their days need not be the same; fewer, larger steps are faster.
        """
        pools = self.pools[self.league]
        order = np.lexsort((self.dates, pools))  # stable: of a day, in the order of the matches
        is_new_pool = np.diff(pools[order], prepend=-1) != 0
        is_new_day = is_new_pool | (np.diff(self.dates[order], prepend=-1) != 0)
        day = np.cumsum(is_new_day)
        first = np.maximum.accumulate(np.where(is_new_pool, day, 0))
        number = np.empty_like(day)
        number[order] = day - first  # [matches] of the match's day within its country
        by_step = np.argsort(number, kind="stable")
        return np.split(by_step, np.flatnonzero(np.diff(number[by_step])) + 1) if len(by_step) else []

    def rounds(self, matches: Indices) -> list[Indices]:
        """Split the matches of a step so that no team plays twice in a round; most steps are one round."""
        teams = self.teams[matches]
        if np.bincount(teams.ravel()).max(initial=0) <= 1:
            return [matches]
        next_round: dict[int, int] = {}
        rounds: list[list[int]] = []
        for match, (home, away) in zip(matches.tolist(), teams.tolist(), strict=True):
            number = max(next_round.get(home, 0), next_round.get(away, 0))
            next_round[home] = next_round[away] = number + 1
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(match)
        return [np.array(each, dtype=np.intp) for each in rounds]


_KEYS = (
    "match_id",
    "league_id",
    "country",
    "tier",
    "season",
    "kickoff_date",
    "home_team_id",
    "away_team_id",
    "home_goals",
    "away_goals",
    "is_played",
)


def matches_to_rate(stg_matches: pl.DataFrame, measures: Sequence[str]) -> pl.DataFrame:
    """Return matches in the order of `ROW_ORDER` with their keys, goals, and those of the measures that are there."""
    columns = [*_KEYS, *(name for name in measures if name in stg_matches.columns)]
    return stg_matches.select(columns).sort(*ROW_ORDER[:3])


def schedule_of(matches: pl.DataFrame) -> Schedule:
    """Index matches, which are in the order of `ROW_ORDER`."""
    names = pl.concat([matches["home_team_id"], matches["away_team_id"]]).unique().sort()
    leagues = (
        matches.select("league_id", "country", "tier").unique("league_id", keep="first").sort("league_id")
    )
    pools = leagues["country"].rank("dense").to_numpy().astype(np.intp) - 1
    dates = matches["kickoff_date"].to_physical().to_numpy().astype(np.int64)

    def index(column: str, vocabulary: pl.Series) -> Indices:
        return matches[column].cast(pl.Enum(vocabulary)).to_physical().to_numpy().astype(np.intp)

    teams = np.stack([index("home_team_id", names), index("away_team_id", names)], axis=1)
    league = index("league_id", leagues["league_id"])
    team_pools = np.zeros(len(names), dtype=np.intp)
    team_pools[teams] = pools[league][:, None]
    return Schedule(
        teams=teams,
        league=league,
        goals=float_columns(matches, ("home_goals", "away_goals")),
        is_played=matches["is_played"].to_numpy(),
        dates=dates,
        days=np.append(np.flatnonzero(np.diff(dates, prepend=dates[:1] - 1)), len(dates)),
        team_pools=team_pools,
        pools=pools,
        tiers=leagues["tier"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
    )


def float_columns(matches: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Return columns as [matches, columns], NaN where null or where the table lacks the column."""
    columns = [
        matches[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        if name in matches.columns
        else np.full(len(matches), np.nan)
        for name in names
    ]
    return np.stack(columns, axis=1)


def side_by_side(matches: pl.DataFrame) -> Indices:
    """Where the rows of `ROW_ORDER` are, if all home sides come before all away sides, in the order of the matches."""
    home, away = np.arange(2 * len(matches)).reshape(2, -1)
    is_home_first = (matches["home_team_id"] < matches["away_team_id"]).to_numpy()
    pairs = np.where(is_home_first, [home, away], [away, home])  # [2, matches]
    return pairs.T.ravel()
