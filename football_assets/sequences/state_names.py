"""Find leagues and teams of a team state by the names that people type."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import NamedTuple

import polars as pl

from football_assets.domain.clubs import canonical_club
from football_assets.domain.leagues import league_of, parse_league_id
from football_assets.domain.names import did_you_mean, nearest, plain
from football_assets.errors import FootballError, UnknownLeague, UnknownTeam


class Fixture(NamedTuple):
    """A match to forecast, by the names that a person types. Season None is the league's season on that day.

    `odds` are pre-match decimal odds of home win, draw and away win; None: unknown.
    """

    league_id: str
    home_team: str
    away_team: str
    kickoff_date: date
    season: str | None = None
    odds: tuple[float, float, float] | None = None


class Pairing(NamedTuple):
    """The league and the two teams of a match, by the identifiers of a team state."""

    league_id: str
    home_team_id: str
    away_team_id: str


class StateNames:
    """The leagues and teams of a team state, in the order of its rows, indexed by identifier and by name.

    Parameters
    ----------
    teams, leagues
        The rows of `build_team_state` that hold teams, and those that hold leagues.
    """

    def __init__(self, teams: pl.DataFrame, leagues: pl.DataFrame) -> None:
        self.league_ids: list[str] = leagues["league_id"].to_list()
        self.league_rows = {league_id: row for row, league_id in enumerate(self.league_ids)}
        self.leagues = [league_of(league_id) for league_id in self.league_ids]
        self._league_by_text = {
            **{league.name: league.league_id for league in reversed(self.leagues)},
            **{league_id: league_id for league_id in self.league_ids},
        }

        self.team_ids: list[str] = teams["team_id"].to_list()
        self.team_names: list[str] = teams["team"].to_list()
        self.team_rows = {team_id: row for row, team_id in enumerate(self.team_ids)}
        self._countries: list[str] = teams["country"].to_list()
        self._team_leagues: list[str] = teams["league_id"].to_list()
        self._row_by_name: dict[tuple[str, str], int] = {}
        self._rows_by_folded: dict[tuple[str, str], list[int]] = {}
        for row, (country, name) in enumerate(zip(self._countries, self.team_names, strict=True)):
            self._row_by_name[country, name] = row
            self._rows_by_folded.setdefault((country, name.casefold()), []).append(row)
        self._search_keys = [plain(name) for name in self.team_names]
        self._rows_in_name_order = sorted(
            range(len(self.team_ids)), key=lambda row: (self._search_keys[row], self.team_ids[row])
        )

    def find_league(self, text: str) -> str:
        """Return the identifier of a league given by identifier or name. See `TeamState.find_league`."""
        found = self._league_by_text.get(text)
        if found is not None:
            return found
        try:
            league_id = parse_league_id(text)
        except UnknownLeague:
            league_id = text
        if league_id in self.league_rows:
            return league_id
        close = nearest(text, self._league_by_text)
        suggestions = list(dict.fromkeys(self._league_by_text[item] for item in close))
        all_known = "" if suggestions else f" Leagues: {', '.join(self.league_ids)}."
        raise UnknownLeague(
            f"League {text!r} is not known.{did_you_mean(suggestions)}{all_known}", suggestions
        )

    def known_team(self, league_id: str, name: str) -> str | None:
        """Return the identifier of a team of the league's country, or None if the name is unknown or ambiguous."""
        country = self._country(league_id)
        row = self._row_by_name.get((country, name))
        if row is not None:
            return self.team_ids[row]
        rows = self._rows_by_folded.get((country, name.casefold())) or self._rows_by_club.get(
            (country, canonical_club(country, name)), []
        )
        return self.team_ids[rows[0]] if len(rows) == 1 else None

    def find_team(self, league_id: str, name: str) -> str:
        """Return the identifier of a team of the league's country. See `TeamState.find_team`."""
        found = self.known_team(league_id, name)
        if found is not None:
            return found
        country = self._country(league_id)
        compatriots = [row for row, other in enumerate(self._countries) if other == country]
        own = [row for row in compatriots if self._team_leagues[row] == league_id]
        suggestions = nearest(name, self._names(own)) or nearest(name, self._names(compatriots))
        raise UnknownTeam(
            f"Team {name!r} is not known in {league_id}.{did_you_mean(suggestions)}", suggestions
        )

    def resolve(self, league: str, home_team: str, away_team: str) -> Pairing:
        """Resolve the names of a league and of two teams to identifiers.

        Parameters
        ----------
        league, home_team, away_team
            Names as `find_league` and `find_team` accept them.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known; `field` of the error is `league`, `home_team` or `away_team`.
        FootballError
            Both teams are the same.
        """
        league_id = self.find_league(league)
        team_ids = []
        for field, name in (("home_team", home_team), ("away_team", away_team)):
            try:
                team_ids.append(self.find_team(league_id, name))
            except UnknownTeam as error:
                error.field = field
                raise
        home, away = team_ids
        if home == away:
            raise FootballError(f"{home_team!r} cannot meet itself: name two teams.")
        return Pairing(league_id, home, away)

    def search(self, query: str, league_id: str | None, limit: int | None) -> list[int]:
        """Return the rows of the teams that `TeamState.teams` lists."""
        rows = self._rows_in_name_order
        if league_id is not None:
            rows = [row for row in rows if self._team_leagues[row] == league_id]
        key = plain(query.strip())
        if key:
            containing = [row for row in rows if key in self._search_keys[row]]
            found = sorted(containing, key=lambda row: not self._search_keys[row].startswith(key))
            if not found:
                names = nearest(query, self._names(rows), limit or len(rows) or 1)
                found = [row for name in names for row in rows if self.team_names[row] == name]
            rows = found
        return rows[:limit]

    @cached_property
    def _rows_by_club(self) -> dict[tuple[str, str], list[int]]:
        """Rows of the teams by today's name of their club: a model may hold a former name."""
        rows: dict[tuple[str, str], list[int]] = {}
        for row, (country, name) in enumerate(zip(self._countries, self.team_names, strict=True)):
            rows.setdefault((country, canonical_club(country, name)), []).append(row)
        return rows

    def _country(self, league_id: str) -> str:
        return self.leagues[self.league_rows[league_id]].country

    def _names(self, rows: Iterable[int]) -> Sequence[str]:
        return [self.team_names[row] for row in rows]
