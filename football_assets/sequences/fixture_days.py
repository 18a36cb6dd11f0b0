"""The fixture list: which fixtures are overdue, and the day that a match asked for without one is forecast for.

The command line and serving answer from these functions.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

import polars as pl

if TYPE_CHECKING:
    from football_assets.sequences.state import TeamState

TABLE = "fixture_predictions"
OVERDUE = "is_overdue"  # column of `fixture_predictions`


class FixtureDays(Protocol):
    """What knows the days of the listed fixtures."""

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        """The day of the next fixture of two teams, from the earliest on; None if there is none."""


class ListedDays:
    """Days of the fixtures of a table, by league and teams.

    Parameters
    ----------
    fixtures
        Rows of `fixture_predictions` in order of kick-off; None: no fixture is listed.
    """

    def __init__(self, fixtures: pl.DataFrame | None = None) -> None:
        parts = () if fixtures is None else split_overdue(fixtures)
        self._coming, self._overdue = map(_days_by_pair, parts) if parts else ({}, {})

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        """The day of the next coming fixture, from the earliest on; else of an overdue one; None if there is none."""
        pair = (league_id, home_team, away_team)
        days = [*self._coming.get(pair, ()), *self._overdue.get(pair, ())]
        return next((day for day in days if day >= earliest), None)

    def overdue(self, league_id: str, home_team: str, away_team: str) -> list[date]:
        """Days of the overdue fixtures of two teams."""
        return self._overdue.get((league_id, home_team, away_team), [])


class MatchDay(NamedTuple):
    """The day of a match asked for by names, with the identifiers of the league and the teams' canonical names."""

    league_id: str
    home_team: str
    away_team: str
    day: date


def next_match_day(
    state: "TeamState", listed: FixtureDays, league: str, home_team: str, away_team: str, today: date
) -> MatchDay:
    """The day of a match asked for without one.

    It is the day of the next fixture of the two teams in that league and at that ground which lies after the last known
    match of both. Without such a fixture it is today or, if later, the day after these matches.

    Raises
    ------
    UnknownLeague, UnknownTeam
        A name is not known.
    """
    league_id = state.find_league(league)
    home, away = (state.find_team(league_id, name) for name in (home_team, away_team))
    last = [day for day in (state.last_match(home), state.last_match(away)) if day is not None]
    earliest = max(last) + timedelta(days=1) if last else date.min
    names = home.partition(":")[2], away.partition(":")[2]
    day = listed.day_of(league_id, *names, earliest)
    return MatchDay(league_id, *names, max(today, earliest) if day is None else day)


def results_known_until(matches: pl.DataFrame, today: date) -> date:
    """The day of the last result of any league, but not after today: a fixture of an earlier day is overdue.

    The results stand for the calendar, so that an installation whose results end in the past lists the fixtures after
    them as coming. A result that is dated in the future by mistake does not make the coming fixtures overdue.

    Parameters
    ----------
    matches
        `kickoff_date` and `is_played` of all leagues.
    """
    last: date | None = matches.filter("is_played")["kickoff_date"].max()  # type: ignore[assignment]
    return date.min if last is None else min(last, today)


def split_overdue(fixtures: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The coming fixtures of `fixture_predictions`, and those whose day has passed without a result."""
    if OVERDUE not in fixtures.columns:  # a table of before there was the column
        return fixtures, fixtures.clear()
    return fixtures.filter(~pl.col(OVERDUE)), fixtures.filter(OVERDUE)


def _days_by_pair(fixtures: pl.DataFrame) -> dict[tuple[str, str, str], list[date]]:
    days: dict[tuple[str, str, str], list[date]] = {}
    for *pair, day in fixtures.select("league_id", "home_team", "away_team", "kickoff_date").iter_rows():
        days.setdefault(tuple(pair), []).append(day)  # type: ignore[arg-type]
    return days
