"""The team state of a model bundle: encode fixtures by team names, and list the teams and leagues that it knows.

A fixture given by names is encoded from the state to the same bits as the same fixture in `sequence_tensors`.

The parts: `state_table` builds the table, `state_names` finds leagues and teams by name, `state_inputs` encodes,
`state_summaries` describes. Importing this module loads neither dagster nor torch.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.seasons import season_on
from football_assets.errors import FootballError, UnknownLeague, UnknownTeam
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.rating_context import check_odds, pre_match_odds
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.state_inputs import Sides, StateInputs
from football_assets.sequences.state_names import Fixture, Pairing, StateNames
from football_assets.sequences.state_ratings import LeagueRatings, StateRatings
from football_assets.sequences.state_summaries import (
    LeagueSummary,
    TeamProfile,
    TeamSummary,
    summarise_leagues,
    summarise_teams,
    team_profile,
)
from football_assets.sequences.state_table import OVERALL_FORM, read_home_advantage

__all__ = [
    "Fixture",
    "KnownFixture",
    "Pairing",
    "TeamState",
    "TeamSummary",
]


class KnownFixture(NamedTuple):
    """A fixture by the identifiers and spellings of a team state, with the season whose results count.

    `odds` are pre-match decimal odds of home win, draw and away win; None: unknown.
    """

    league_id: str
    league_name: str
    season: str
    kickoff_date: date
    home_team_id: str
    away_team_id: str
    home_team: str
    away_team: str
    odds: tuple[float, float, float] | None = None


class TeamState:
    """The table of `build_team_state`, indexed to encode a fixture in microseconds.

    The state does not change once it is loaded: threads may share it.

    Parameters
    ----------
    table
        What `build_team_state` returned.
    spec
        The network's inputs.

    Raises
    ------
    FootballError
        The network needs an input that the state does not hold.
    """

    def __init__(self, table: pl.DataFrame, spec: FeatureSpec) -> None:
        self.spec = spec
        self._teams = table.filter(pl.col("team_id").is_not_null())
        leagues = table.filter(pl.col("team_id").is_null() & pl.col("league_id").is_not_null())
        self._as_of = _latest(self._teams)
        self._names = StateNames(self._teams, leagues)
        self._inputs = StateInputs(self._teams, leagues, read_home_advantage(table), spec, self._as_of)
        self._last_days: list[date | None] = self._teams["last_kickoff_date"].to_list()
        self._league_seasons: list[str] = leagues["season"].to_list()
        self._ratings = StateRatings(self._teams, leagues)
        elo = (
            float(self.team_ratings(league_id, team_id)[0])
            for league_id, team_id in self._teams.select("league_id", "team_id").iter_rows()
        )
        self._league_summaries = summarise_leagues(leagues, self._inputs.season_rows)
        self._team_summaries = summarise_teams(self._teams, self._inputs.season_rows, elo)

    @property
    def as_of(self) -> date:
        """Day of the last known result."""
        if self._as_of is None:
            raise FootballError(
                "The model's team state holds no result: land results and register a model again."
            )
        return self._as_of

    def find_league(self, text: str) -> str:
        """Return the identifier of a league given by identifier or name.

        Parameters
        ----------
        text
            Identifier or name.

        Raises
        ------
        UnknownLeague
            The state knows no such league; the message and `suggestions` offer the nearest.
        """
        return self._names.find_league(text)

    def known_team(self, league_id: str, name: str) -> str | None:
        """Return the identifier of a team as `find_team` does, or None if the name is unknown or ambiguous."""
        return self._names.known_team(league_id, name)

    def find_team(self, league_id: str, name: str) -> str:
        """Return the identifier of a team of the league's country.

        Parameters
        ----------
        league_id
            A league that `find_league` returned.
        name
            The canonical name (case matters only where two names differ in case alone), or another name of the club
            that `clubs` knows, like `Man Utd`.

        Raises
        ------
        UnknownTeam
            The state knows no such team; the message and `suggestions` offer the nearest.
        """
        return self._names.find_team(league_id, name)

    def resolve(self, league: str, home_team: str, away_team: str) -> Pairing:
        """Resolve the names of a league and of two teams to identifiers. See `StateNames.resolve`."""
        return self._names.resolve(league, home_team, away_team)

    def locate(self, fixture: Fixture) -> KnownFixture:
        """Find the league, the teams and the season of a fixture given by names.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            Both teams are the same, the day is not after the last known match of both, or the odds are impossible.
        """
        pairing = self.resolve(fixture.league_id, fixture.home_team, fixture.away_team)
        return self.known_fixture(pairing, fixture.kickoff_date, fixture.season, fixture.odds)

    def encode(self, fixtures: Sequence[Fixture]) -> SequenceBatch:
        """Encode fixtures given by names.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            As for `locate`.
        """
        return self.encode_known([self.locate(fixture) for fixture in fixtures])

    def encode_rows(self, fixtures: pl.DataFrame) -> SequenceBatch:
        """Encode rows of `league_id`, `season`, `kickoff_date`, `home_team_id`, `away_team_id`, and odds if any.

        Raises
        ------
        UnknownLeague, UnknownTeam
            An identifier is not known.
        FootballError
            A day is not after the last known match of both teams.
        """
        rows = fixtures.select("league_id", "home_team_id", "away_team_id", "kickoff_date", "season")
        for known, unknown, columns in (
            (self._names.league_rows, UnknownLeague, ("league_id",)),
            (self._names.team_rows, UnknownTeam, ("home_team_id", "away_team_id")),
        ):
            for name in (name for column in columns for name in rows[column] if name not in known):
                raise unknown(f"{name!r} is not an identifier that the model's team state knows.")
        return self._encode(
            [self.known_fixture(Pairing(*ids), day, season) for *ids, day, season in rows.iter_rows()],
            pre_match_odds(fixtures),
        )

    def encode_known(self, fixtures: Sequence[KnownFixture]) -> SequenceBatch:
        """Encode fixtures that `locate` or `known_fixture` of this state returned."""
        odds = None
        if any(fixture.odds is not None for fixture in fixtures):
            odds = np.array([fixture.odds or (np.nan,) * 3 for fixture in fixtures])
        return self._encode(fixtures, odds)

    def _encode(self, fixtures: Sequence[KnownFixture], odds: NDArray[np.float64] | None) -> SequenceBatch:
        leagues, teams = self._names.league_rows, self._names.team_rows
        seasons = self._inputs.season_rows
        rows = np.array(
            [
                (
                    leagues[fixture.league_id],
                    teams[fixture.home_team_id],
                    teams[fixture.away_team_id],
                    seasons.get((fixture.home_team_id, fixture.league_id, fixture.season), -1),
                    seasons.get((fixture.away_team_id, fixture.league_id, fixture.season), -1),
                    fixture.kickoff_date.toordinal(),
                )
                for fixture in fixtures
            ],
            dtype=np.intp,
        ).reshape(-1, 6)
        return self._inputs.encode(rows, odds)

    def encode_sides(
        self,
        league_id: str,
        kickoff_date: date,
        sides: Sides,
        odds: tuple[float, float, float] | None = None,
    ) -> NDArray[np.float32]:
        """Encode the context features of matches of one league, day and odds, `[n, context features]`."""
        count = len(sides.rest_days)
        return self._inputs.context(
            np.full(count, self._names.league_rows[league_id]),
            sides,
            np.full(count, kickoff_date.toordinal()),
            None if odds is None else np.tile(odds, (count, 1)),
        )

    def unrated(self) -> list[NDArray[np.float64]]:
        """Return `Sides.rated` of a match of two teams of which only results are known."""
        return [np.full((1, 2, states.teams.shape[1]), np.nan) for states in self._inputs.rated]

    def league_ratings(self, league_id: str) -> LeagueRatings:
        """Return the mean goals and the newcomers' ratings of a league that `find_league` returned."""
        return self._ratings.league(self._names.league_rows[league_id])

    def team_ratings(self, league_id: str, team_id: str) -> NDArray[np.float64]:
        """Return `RATINGS` of a team, `[3]`: the league's entry ratings for a team that never played."""
        return self._ratings.team(self._names.league_rows[league_id], self._names.team_rows[team_id])

    def last_match(self, team_id: str) -> date | None:
        """Return the day of the last known match of a team that `find_team` returned."""
        return self._last_days[self._names.team_rows[team_id]]

    def leagues(self) -> tuple[LeagueSummary, ...]:
        """Return every league, in order of identifier."""
        return self._league_summaries

    def teams(self, query: str = "", league: str | None = None, limit: int | None = 20) -> list[TeamSummary]:
        """Search teams by a part of their name, ignoring case and accents.

        Parameters
        ----------
        query
            Names that start with it come first, then names that contain it. If no name contains it, the most similar
            names are returned. Empty: all teams by name.
        league
            Identifier or name of the league that the teams play in now; None stands for all.
        limit
            Most teams to return; None stands for all.

        Raises
        ------
        UnknownLeague
            The league is not known.
        """
        league_id = None if league is None else self.find_league(league)
        return [self._team_summaries[row] for row in self._names.search(query, league_id, limit)]

    def team(self, league: str, name: str) -> TeamProfile:
        """Describe a team of the league's country, whichever league it plays in now.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        """
        row = self._names.team_rows[self.find_team(self.find_league(league), name)]
        summary = self._team_summaries[row]
        values = self._teams.select(*OVERALL_FORM, "history").row(row, named=True)
        return team_profile(summary, values, self.team_ratings(summary.league_id, summary.team_id))

    def known_fixture(
        self,
        pairing: Pairing,
        day: date,
        season: str | None = None,
        odds: tuple[float, float, float] | None = None,
    ) -> KnownFixture:
        """Add the day, the season and the odds to a pairing that `resolve` returned.

        Parameters
        ----------
        pairing
            League and teams.
        day
            Day of the match.
        season
            Season whose results count; None: the league's season on that day.
        odds
            Pre-match decimal odds of home win, draw and away win; None: unknown.

        Raises
        ------
        FootballError
            The day is not after the last known match of both teams, or the odds are impossible.
        """
        if odds is not None:
            check_odds(odds)
        league_id, home_id, away_id = pairing
        names = self._names
        league = names.league_rows[league_id]
        home, away = names.team_rows[home_id], names.team_rows[away_id]
        last = max((known for known in (self._last_days[home], self._last_days[away]) if known), default=None)
        if last is not None and last >= day:
            raise FootballError(
                f"{names.team_names[home]} against {names.team_names[away]} on {day} is not after their last "
                f"known match on {last}: choose a later day."
            )
        return KnownFixture(
            league_id=league_id,
            league_name=names.leagues[league].name,
            season=season or season_on(self._league_seasons[league], day),
            kickoff_date=day,
            home_team_id=home_id,
            away_team_id=away_id,
            home_team=names.team_names[home],
            away_team=names.team_names[away],
            odds=odds,
        )


def _latest(teams: pl.DataFrame) -> date | None:
    last = teams["last_kickoff_date"].max()
    return last if isinstance(last, date) else None
