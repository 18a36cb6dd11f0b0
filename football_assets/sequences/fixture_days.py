"""The days of the listed fixtures: which fixtures are overdue, and the day of a match requested without one.

The command line and serving share these functions.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import polars as pl

from football_assets.sequences.tier_names import RESULTS, TIER_COLUMN

if TYPE_CHECKING:
    from football_assets.sequences.state import Pairing, TeamState

FIXTURE_TABLE = "fixture_predictions"
OVERDUE = "is_overdue"  # column of `fixture_predictions`
FIXTURE_ODDS = ("odds_home", "odds_draw", "odds_away")  # likewise: odds of the match that the forecast uses

_DaysByPair = dict[tuple[str, str, str], list[date]]  # by league, home team and away team


class FixtureDays(Protocol):
    """The days of the listed fixtures."""

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        """Return the day of the next fixture of two teams, not before `earliest`; None if there is none."""


class ListedDays:
    """Days of the fixtures of a table, by league and teams.

    Parameters
    ----------
    fixtures
        Rows of `fixture_predictions` in order of kick-off; None: no fixture is listed.
    """

    def __init__(self, fixtures: pl.DataFrame | None = None) -> None:
        self._coming: _DaysByPair = {}
        self._overdue: _DaysByPair = {}
        if fixtures is not None:
            self._coming, self._overdue = map(_days_by_pair, split_overdue(fixtures))

    @classmethod
    def of_parts(cls, coming: pl.DataFrame, overdue: pl.DataFrame) -> "ListedDays":
        """Index the two tables that `split_overdue` returned."""
        listed = cls()
        listed._coming, listed._overdue = _days_by_pair(coming), _days_by_pair(overdue)
        return listed

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        """Return the day of the next upcoming fixture, else of an overdue one, not before `earliest`; None if none."""
        pair = (league_id, home_team, away_team)
        days = [*self._coming.get(pair, ()), *self._overdue.get(pair, ())]
        return next((day for day in days if day >= earliest), None)

    def overdue(self, league_id: str, home_team: str, away_team: str) -> list[date]:
        """Return the days of the overdue fixtures of two teams."""
        return self._overdue.get((league_id, home_team, away_team), [])


def next_match_day(state: "TeamState", listed: FixtureDays, pairing: "Pairing", today: date) -> date:
    """Choose the day of a match that was requested without one.

    The day is that of the next listed fixture of the two teams in that league and at that ground after the last known
    match of both. Without such a fixture it is today or, if later, the day after their last known match.

    Parameters
    ----------
    state
        Knows the last matches.
    listed
        Knows the fixtures.
    pairing
        What `resolve` of the state returned.
    today
        The day in UTC.
    """
    league_id, home, away = pairing
    last = [day for day in (state.last_match(home), state.last_match(away)) if day is not None]
    earliest = max(last) + timedelta(days=1) if last else date.min
    names = home.partition(":")[2], away.partition(":")[2]
    day = listed.day_of(league_id, *names, earliest)
    return max(today, earliest) if day is None else day


def results_known_until(matches: pl.DataFrame, today: date) -> date:
    """Return the day of the last result of any league, at most today: a fixture of an earlier day is overdue.

    The last result replaces the calendar, so that an installation whose results end in the past lists the fixtures
    after them as upcoming. A result with a wrong date in the future does not make upcoming fixtures overdue.

    Parameters
    ----------
    matches
        `kickoff_date` and `is_played` of all leagues.
    """
    last = matches.filter("is_played")["kickoff_date"].max()
    return min(last, today) if isinstance(last, date) else date.min


def split_overdue(fixtures: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split `fixture_predictions` into the upcoming fixtures and the overdue ones."""
    if OVERDUE not in fixtures.columns:  # a table that was written before the column existed
        return fixtures, fixtures.clear()
    return fixtures.filter(~pl.col(OVERDUE)), fixtures.filter(OVERDUE)


def with_inputs(fixtures: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of inputs to a table that was written before they existed: from results, without odds."""
    values = {TIER_COLUMN: pl.lit(RESULTS), **dict.fromkeys(FIXTURE_ODDS, pl.lit(None, pl.Float64))}
    return fixtures.with_columns(
        value.alias(name) for name, value in values.items() if name not in fixtures.columns
    )


def _days_by_pair(fixtures: pl.DataFrame) -> "_DaysByPair":
    days: _DaysByPair = {}
    columns = fixtures.select("league_id", "home_team", "away_team", "kickoff_date")
    for league_id, home_team, away_team, day in columns.iter_rows():
        days.setdefault((league_id, home_team, away_team), []).append(day)
    return days
