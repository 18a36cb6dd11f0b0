"""What serving needs to encode a fixture by team names: each team's last matches, form and ratings as they stand.

`build_team_state` makes the table when a model is registered; `TeamState` reads it and encodes fixtures through the one
encoder, so that a fixture asked for by name gets the inputs that the asset graph would give it, to the bit.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.clubs import canonical_club
from football_assets.domain.leagues import COUNTRIES, league_of, parse_league_id
from football_assets.domain.teams import did_you_mean, nearest, plain
from football_assets.errors import FootballError, UnknownLeague, UnknownTeam
from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode_columns, history_rows
from football_assets.sequences.home_advantage import SERIES_SCHEMA, HomeAdvantageShift, home_advantage_shift
from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT, OBSERVED, FeatureSpec
from football_assets.storage.model_files import TEAM_STATE

_FORM = ("points_5", "points_10", "goals_for_5", "goals_for_10", "goals_against_5", "goals_against_10")
_VENUE = ("points_5", "goals_for_5", "goals_against_5")
_SEASON = ("season_played", "season_points", "season_goal_difference", "season_position")
_SHOWN = ("goals_for", "goals_against", "is_home")  # of a past match, by `TeamState.team`

FORM_COLUMNS = ("matches_known", *_FORM, *(f"venue_{name}" for name in _VENUE))
SEASON_COLUMNS = (*_SEASON, "season_points_per_match", "season_goal_difference_per_match")
NO_SEASON = np.array([0.0, *[np.nan] * (len(SEASON_COLUMNS) - 1)], dtype=np.float32)
_LEAGUE_COLUMNS = (*LEAGUE_STATE, "tier", "is_cup")
_ENTRY = slice(2, 5)  # the entry ratings among them
# What is known of a match, in the order in which `TeamState` puts it together.
_COLUMNS = (
    *_LEAGUE_COLUMNS,
    *(
        f"{side}_{name}"
        for part in (RATINGS, FORM_COLUMNS, SEASON_COLUMNS, ("rest_days",))
        for side in ("home", "away")
        for name in part
    ),
    HOME_ADVANTAGE_SHIFT,
)
_HOME_ADVANTAGE = "home_advantage"
_ERRORS_WITH_OFFERS = 20
_PROFILE_MATCHES = 10
_EPOCH = date(1970, 1, 1).toordinal()


def build_team_state(
    team_matches: pl.DataFrame, team_form: pl.DataFrame, team_ratings: pl.DataFrame, spec: FeatureSpec
) -> pl.DataFrame:
    """One row a team, as it stands after its last match, and one row a league (`team_id` null) for its newcomers.

    A row without team and league holds what all leagues share: the series of `home_advantage_shift`.

    Parameters
    ----------
    team_matches, team_form, team_ratings
        The tables of those names.

    Returns
    -------
    pl.DataFrame
        `team_id`, `team`, `country`, `league_id`, `last_kickoff_date`, form, ratings, the league's state, `seasons`:
        the latest season in each competition, `history`: the last matches, the most recent last, and `home_advantage`:
        the shift by day. Sorted by league and team.
    """
    by_day = team_matches.sort("kickoff_date", "match_id")
    teams = by_day.group_by("team_id").agg(
        pl.coalesce(pl.col("league_id").filter(~pl.col("is_cup")).last(), pl.col("league_id").last())
    )
    form = (
        team_form.sort("kickoff_date", "match_id")
        .group_by("team_id")
        .last()
        .select(
            "team_id",
            pl.col("kickoff_date").alias("last_kickoff_date"),
            "matches_known",
            *_FORM,
            *(f"{venue}_{name}" for venue in ("home", "away") for name in _VENUE),
        )
    )
    # A team's latest season in each of its competitions.
    seasons = (
        team_form.sort("kickoff_date", "match_id")
        .group_by("team_id", "league_id", maintain_order=True)
        .last()
        .group_by("team_id", maintain_order=True)
        .agg(pl.struct("league_id", "season", *_SEASON).alias("seasons"))
    )
    ratings = (
        team_ratings.filter("is_played")
        .sort("kickoff_date", "match_id")
        .group_by("team_id")
        .last()
        .select("team_id", *(pl.col(f"{name}_after").alias(name) for name in RATINGS))
    )
    columns = dict.fromkeys([*_SHOWN, *(name for name in spec.history_names if name != OBSERVED)])
    history = (
        history_rows(team_matches, team_ratings)
        .sort("kickoff_date", "match_id")
        .group_by("team_id")
        .tail(spec.history_length)
        .group_by("team_id", maintain_order=True)
        .agg(pl.struct("match_id", "kickoff_date", "league_id", "opponent_id", *columns).alias("history"))
    )
    leagues = (
        team_ratings.sort("kickoff_date", "match_id")
        .group_by("league_id")
        .last()
        .select("league_id", *(pl.col(f"{name}_after").alias(name) for name in LEAGUE_STATE))
        .join(
            by_day.group_by("league_id").agg(
                pl.col("season").max(),
                pl.col("kickoff_date").filter("is_played").max().alias("last_kickoff_date"),
            ),
            on="league_id",
        )
    )
    shift = home_advantage_shift(_results(team_matches, team_ratings))
    everywhere = shift.series.select(pl.struct(*SERIES_SCHEMA).implode().alias(_HOME_ADVANTAGE))
    rows = teams
    for part in (form, seasons, ratings, history):
        rows = rows.join(part, on="team_id", how="left")
    return (
        pl.concat([rows, leagues, everywhere], how="diagonal_relaxed")
        .with_columns(
            pl.col("team_id").str.splitn(":", 2).struct.field("field_1").alias("team"),
            pl.col("league_id").str.split(".").list.first().alias("country"),
        )
        .sort("league_id", "team_id", nulls_last=False)
    )


def _results(team_matches: pl.DataFrame, team_ratings: pl.DataFrame) -> pl.DataFrame:
    """One row a match, as `home_advantage_shift` reads it."""
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


class Fixture(NamedTuple):
    """A match to forecast, by the names a person types. Season None stands for the league's season on that day."""

    league_id: str
    home_team: str
    away_team: str
    kickoff_date: date
    season: str | None = None


class KnownFixture(NamedTuple):
    """A fixture as the state knows it: its own identifiers and spellings, and the season whose results count."""

    league_id: str
    league_name: str
    season: str
    kickoff_date: date
    home_team_id: str
    away_team_id: str
    home_team: str
    away_team: str


@dataclass(frozen=True, slots=True)
class LeagueSummary:
    """A league. `teams` counts those that played in its latest season; `country` is the name that people know."""

    league_id: str
    name: str
    country: str
    country_code: str
    tier: int | None
    is_cup: bool
    teams: int
    season: str
    last_match: date | None


@dataclass(frozen=True, slots=True)
class TeamSummary:
    """A team in the league it plays in now. One that never played has its league's entry rating.

    `season` is the latest in which it played there.
    """

    team: str
    team_id: str
    league_id: str
    league_name: str
    season: str | None
    last_match: date | None
    matches_known: int
    elo: float


@dataclass(frozen=True, slots=True)
class PastMatch:
    """A played match as one of its teams saw it."""

    kickoff_date: date
    league_id: str
    opponent: str
    is_home: bool
    goals_for: int
    goals_against: int


@dataclass(frozen=True, slots=True)
class TeamProfile:
    """A team's ratings, its form a match over the last five and ten, and these matches, the most recent first."""

    summary: TeamSummary
    attack: float
    defence: float
    points_5: float | None
    points_10: float | None
    goals_for_5: float | None
    goals_for_10: float | None
    goals_against_5: float | None
    goals_against_10: float | None
    matches: tuple[PastMatch, ...]


@dataclass(frozen=True, slots=True)
class LeagueRatings:
    """Mean goals of a league, `[2]` home and away, and the ratings of its newcomers, `[3]` in order of `RATINGS`."""

    goals: NDArray[np.float64]
    entry: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of both teams of `n` matches, the home team first, NaN where nothing is.

    The columns are `RATINGS`, `FORM_COLUMNS` and `SEASON_COLUMNS`: what `match_features` calls the same after
    `home_` and `away_`.
    """

    ratings: NDArray[np.floating]  # [n, 2, 3]
    form: NDArray[np.floating]  # [n, 2, form columns]
    season: NDArray[np.floating]  # [n, 2, season columns]
    rest_days: NDArray[np.floating]  # [n, 2]


class TeamState:
    """The table of `build_team_state`, indexed to encode fixtures in microseconds.

    No feature is computed while a fixture is encoded, except rest days, a difference of two days. When the state is
    loaded, `TeamHistory` and `encode_columns`, which encode the matches that the network trains on, make the arrays of
    every team, season and league; a fixture gathers rows of them. A team's history is the same for every fixture that
    is allowed, since a day not after its last known match is refused.

    The state does not change once loaded: threads may share it.
    """

    def __init__(self, table: pl.DataFrame, spec: FeatureSpec) -> None:
        self.spec = spec
        self._teams = table.filter(pl.col("team_id").is_not_null())
        leagues = table.filter(pl.col("team_id").is_null() & pl.col("league_id").is_not_null())
        self._as_of = _latest(self._teams)

        self._league_ids: list[str] = leagues["league_id"].to_list()
        self._league_rows = {league_id: row for row, league_id in enumerate(self._league_ids)}
        self._leagues = [league_of(league_id) for league_id in self._league_ids]
        self._league_by_text = {
            **{league.name: league.league_id for league in reversed(self._leagues)},
            **{league_id: league_id for league_id in self._league_ids},
        }
        self._league_seasons: list[str] = leagues["season"].to_list()
        self._league_ratings = _float64(leagues, LEAGUE_STATE)  # [leagues, 5]

        self._team_ids: list[str] = self._teams["team_id"].to_list()
        self._team_names: list[str] = self._teams["team"].to_list()
        self._team_rows = {team_id: row for row, team_id in enumerate(self._team_ids)}
        self._row_by_name: dict[tuple[str, str], int] = {}
        self._rows_by_folded: dict[tuple[str, str], list[int]] = {}
        for row, (country, name) in enumerate(zip(self._teams["country"], self._team_names, strict=True)):
            self._row_by_name[country, name] = row
            self._rows_by_folded.setdefault((country, name.casefold()), []).append(row)
        self._last_days: list[date | None] = self._teams["last_kickoff_date"].to_list()
        self._last_ordinals = np.array(
            [np.nan if day is None else day.toordinal() for day in self._last_days], dtype=np.float64
        )
        self._team_ratings = _float64(self._teams, RATINGS)  # [teams, 3]

        self._shift = _home_advantage(table)
        self._index_inputs(leagues)
        self._league_summaries = self._summarise_leagues(leagues)
        self._team_summaries = self._summarise_teams()
        self._search_keys = [plain(name) for name in self._team_names]
        self._by_name = sorted(
            range(len(self._team_ids)), key=lambda row: (self._search_keys[row], self._team_ids[row])
        )

    def _index_inputs(self, leagues: pl.DataFrame) -> None:
        """Encode every team, season and league once."""
        teams = self._teams
        self._history = TeamHistory(_records(teams, "history"), self.spec).before(
            teams["team_id"],
            pl.repeat((self._as_of or date(1970, 1, 1)) + timedelta(days=1), len(teams), eager=True),
        )
        self._ratings32 = encode_columns(teams, RATINGS)
        known = teams.with_columns(pl.col("matches_known").fill_null(0))
        self._form = np.concatenate(
            [
                encode_columns(known, [name.replace("venue", side) for name in FORM_COLUMNS])
                for side in ("home", "away")
            ]
        )  # [2 x teams, form columns]: all teams at home, then all away
        self._form_starts = np.array([0, len(teams)], dtype=np.intp)
        seasons = _records(teams, "seasons").with_columns(
            (pl.col(f"season_{name}") / pl.col("season_played")).alias(f"season_{name}_per_match")
            for name in ("points", "goal_difference")
        )
        # The last row is that of a team without a match in the season.
        self._seasons = np.vstack([encode_columns(seasons, SEASON_COLUMNS), NO_SEASON])
        keys = seasons.select("team_id", "league_id", "season").iter_rows()
        self._season_rows: dict[tuple[str, str, str], int] = {key: row for row, key in enumerate(keys)}
        self._league_inputs = encode_columns(
            leagues.with_columns(
                pl.Series("tier", [league.tier for league in self._leagues], dtype=pl.Int64),
                pl.Series("is_cup", [league.is_cup for league in self._leagues], dtype=pl.Boolean),
            ),
            _LEAGUE_COLUMNS,
        )
        held = _COLUMNS if self._shift is not None else _COLUMNS[:-1]
        missing = [name for name in self.spec.context_names if name not in held]
        if missing:
            raise FootballError(
                f"The model needs inputs that a team state does not hold: {', '.join(missing)}. Train and register a "
                "new version."
            )
        self._order = np.array([_COLUMNS.index(name) for name in self.spec.context_names], dtype=np.intp)

    @classmethod
    def load(cls, bundle: Path, spec: FeatureSpec | None = None) -> "TeamState":
        """Read the state of a model bundle."""
        return cls(pl.read_parquet(bundle / TEAM_STATE), spec or FeatureSpec.load(bundle))

    @property
    def as_of(self) -> date:
        """Day of the last result known."""
        if self._as_of is None:
            raise FootballError(
                "The model's team state holds no result: land results and register a model again."
            )
        return self._as_of

    def find_league(self, text: str, offers: int = 3) -> str:
        """The identifier of a league that a person names.

        Parameters
        ----------
        text
            Identifier or name.
        offers
            How many spellings an error may offer; finding them takes about a millisecond.

        Raises
        ------
        UnknownLeague
            No result of that league is known; the message and `suggestions` offer the nearest.
        """
        found = self._league_by_text.get(text)
        if found is not None:
            return found
        try:
            league_id = parse_league_id(text)
        except UnknownLeague:
            league_id = text
        if league_id in self._league_rows:
            return league_id
        close = nearest(text, self._league_by_text, offers) if offers else []
        suggestions = list(dict.fromkeys(self._league_by_text[item] for item in close))
        all_known = "" if suggestions else f" Leagues: {', '.join(self._league_ids)}."
        raise UnknownLeague(
            f"League {text!r} is not known.{did_you_mean(suggestions)}{all_known}", suggestions
        )

    def known_team(self, league_id: str, name: str) -> str | None:
        """The identifier of a team of the league's country, as `find_team` finds it; None if there is none."""
        country = self._leagues[self._league_rows[league_id]].country
        row = self._row_by_name.get((country, name))
        if row is not None:
            return self._team_ids[row]
        rows = self._rows_by_folded.get((country, name.casefold())) or self._rows_by_club.get(
            (country, canonical_club(country, name)), []
        )
        return self._team_ids[rows[0]] if len(rows) == 1 else None

    @cached_property
    def _rows_by_club(self) -> dict[tuple[str, str], list[int]]:
        """Rows of teams by the club that their names mean today: a model may know names of before."""
        rows: dict[tuple[str, str], list[int]] = {}
        for row, (country, name) in enumerate(zip(self._teams["country"], self._team_names, strict=True)):
            rows.setdefault((country, canonical_club(country, name)), []).append(row)
        return rows

    def find_team(self, league_id: str, name: str, offers: int = 3) -> str:
        """The identifier of a team of the league's country that a person names.

        Parameters
        ----------
        league_id
            A league that `find_league` returned.
        name
            The team by its canonical name, whose upper and lower case need not agree if one team alone is spelled so,
            or by another name that `clubs` knows, like `Man Utd`.
        offers
            How many spellings an error may offer; finding them takes about a millisecond.

        Raises
        ------
        UnknownTeam
            No match of that team is known; the message and `suggestions` offer the nearest.
        """
        found = self.known_team(league_id, name)
        if found is not None:
            return found
        suggestions: list[str] = []
        if offers:
            country = self._leagues[self._league_rows[league_id]].country
            compatriots = self._teams.filter(pl.col("country") == country)
            own = compatriots.filter(pl.col("league_id") == league_id)
            suggestions = nearest(name, own["team"].to_list(), offers) or nearest(
                name, compatriots["team"].to_list(), offers
            )
        raise UnknownTeam(
            f"Team {name!r} is not known in {league_id}.{did_you_mean(suggestions)}", suggestions
        )

    def locate(self, fixture: Fixture, offers: int = 3) -> KnownFixture:
        """Find the league, the teams and the season of a fixture asked for by name.

        Parameters
        ----------
        offers
            How many spellings an error may offer.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            A team meets itself, or the day is not after the last known match of both.
        """
        league_id = self.find_league(fixture.league_id, offers)
        home = self.find_team(league_id, fixture.home_team, offers)
        away = self.find_team(league_id, fixture.away_team, offers)
        if home == away:
            raise FootballError(f"{fixture.home_team!r} cannot meet itself: name two teams.")
        return self._known_fixture(league_id, home, away, fixture.kickoff_date, fixture.season)

    def _known_fixture(
        self, league_id: str, home_id: str, away_id: str, day: date, season: str | None
    ) -> KnownFixture:
        league = self._league_rows[league_id]
        home, away = self._team_rows[home_id], self._team_rows[away_id]
        for row in (home, away):
            last = self._last_days[row]
            if last is not None and last >= day:
                raise FootballError(
                    f"{self._team_names[home]} against {self._team_names[away]} on {day} is not after their last "
                    f"known match on {self._last_day(home_id, away_id)}: choose a later day."
                )
        return KnownFixture(
            league_id=league_id,
            league_name=self._leagues[league].name,
            season=season or season_on(self._league_seasons[league], day),
            kickoff_date=day,
            home_team_id=home_id,
            away_team_id=away_id,
            home_team=self._team_names[home],
            away_team=self._team_names[away],
        )

    def _last_day(self, *team_ids: str) -> date:
        days = (self._last_days[self._team_rows[team_id]] for team_id in team_ids)
        return max(day for day in days if day is not None)

    def encode(self, fixtures: Sequence[Fixture]) -> SequenceBatch:
        """Inputs of the network for fixtures asked for by name.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            A team meets itself, or the day is not after the last known match of both.
        """
        return self.encode_known([self.locate(fixture) for fixture in fixtures])

    def encode_each(
        self, fixtures: Sequence[Fixture]
    ) -> tuple[SequenceBatch, list["KnownFixture | FootballError"]]:
        """Inputs of the network for those fixtures that the state knows, and what is wrong with the others.

        Returns
        -------
        SequenceBatch
            One row a fixture without an error, in the order asked for.
        list
            One item a fixture asked for: as the state knows it, or the error that `encode` would raise. Of these,
            the first twenty offer other spellings.
        """
        found: list[KnownFixture | FootballError] = []
        errors = 0
        for fixture in fixtures:
            try:
                found.append(self.locate(fixture, offers=3 if errors < _ERRORS_WITH_OFFERS else 0))
            except FootballError as error:
                errors += 1
                found.append(error)
        return self.encode_known([item for item in found if isinstance(item, KnownFixture)]), found

    def encode_rows(self, fixtures: pl.DataFrame) -> SequenceBatch:
        """Inputs of the network for rows of `league_id`, `season`, `kickoff_date`, `home_team_id`, `away_team_id`.

        Raises
        ------
        UnknownLeague, UnknownTeam
            An identifier is not known.
        FootballError
            A day is not after the last known match of both teams.
        """
        rows = fixtures.select("league_id", "home_team_id", "away_team_id", "kickoff_date", "season")
        for known, unknown, columns in (
            (self._league_rows, UnknownLeague, ("league_id",)),
            (self._team_rows, UnknownTeam, ("home_team_id", "away_team_id")),
        ):
            for name in (name for column in columns for name in rows[column] if name not in known):
                raise unknown(f"{name!r} is not an identifier that the model's team state knows.")
        return self.encode_known([self._known_fixture(*row) for row in rows.iter_rows()])

    def encode_known(self, fixtures: Sequence[KnownFixture]) -> SequenceBatch:
        """Inputs of the network for fixtures that `locate` of this state returned."""
        rows = np.array(
            [
                (
                    self._league_rows[fixture.league_id],
                    self._team_rows[fixture.home_team_id],
                    self._team_rows[fixture.away_team_id],
                    self._season_rows.get((fixture.home_team_id, fixture.league_id, fixture.season), -1),
                    self._season_rows.get((fixture.away_team_id, fixture.league_id, fixture.season), -1),
                    fixture.kickoff_date.toordinal(),
                )
                for fixture in fixtures
            ],
            dtype=np.intp,
        ).reshape(-1, 6)
        leagues, teams = rows[:, 0], rows[:, 1:3]
        ratings = self._ratings32.take(teams, axis=0)  # [n, 2, 3]
        unrated = np.isnan(ratings)
        if unrated.any():
            ratings = np.where(unrated, self._league_inputs[leagues, None, _ENTRY], ratings)
        sides = Sides(
            ratings=ratings,
            form=self._form.take(teams + self._form_starts, axis=0),
            season=self._seasons.take(rows[:, 3:5], axis=0),
            rest_days=rows[:, 5:] - self._last_ordinals.take(teams),
        )
        return SequenceBatch(
            home_history=self._history.take(teams[:, 0], axis=0),
            away_history=self._history.take(teams[:, 1], axis=0),
            context=self._context(leagues, sides, rows[:, 5]),
        )

    def encode_sides(self, league_id: str, kickoff_date: date, sides: Sides) -> NDArray[np.float32]:
        """The context features of matches of one league and day, whatever their teams, `[n, context features]`."""
        count = len(sides.rest_days)
        return self._context(
            np.full(count, self._league_rows[league_id]), sides, np.full(count, kickoff_date.toordinal())
        )

    def _context(
        self, leagues: NDArray[np.intp], sides: Sides, ordinals: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        columns = np.empty((len(leagues), len(_COLUMNS)), dtype=np.float32)
        columns[:, : len(_LEAGUE_COLUMNS)] = self._league_inputs.take(leagues, axis=0)
        end = len(_LEAGUE_COLUMNS)
        for part in (sides.ratings, sides.form, sides.season, sides.rest_days[:, :, None]):
            start, end = end, end + 2 * part.shape[2]
            columns[:, start:end] = part.reshape(len(leagues), end - start)
        columns[:, end] = np.nan if self._shift is None else self._shift.before_days(ordinals - _EPOCH)
        return columns.take(self._order, axis=1)

    def league_ratings(self, league_id: str) -> LeagueRatings:
        """Mean goals and newcomers' ratings of a league that `find_league` returned."""
        values = self._league_ratings[self._league_rows[league_id]]
        return LeagueRatings(goals=values[:2], entry=values[2:])

    def team_ratings(self, league_id: str, team_id: str) -> NDArray[np.float64]:
        """`RATINGS` of a team that `find_team` returned, `[3]`: the league's entry ratings if it never played."""
        own = self._team_ratings[self._team_rows[team_id]]
        return self.league_ratings(league_id).entry if np.isnan(own[0]) else own

    def last_match(self, team_id: str) -> date | None:
        """Day of the last known match of a team that `find_team` returned."""
        return self._last_days[self._team_rows[team_id]]

    def leagues(self) -> tuple[LeagueSummary, ...]:
        """Every league, in order of identifier."""
        return self._league_summaries

    def teams(self, query: str = "", league: str | None = None, limit: int | None = 20) -> list[TeamSummary]:
        """Teams by a part of their name, whatever its case and accents; without one, all by name.

        Parameters
        ----------
        query
            Names that begin with it come first, then those that contain it. If there are none, the names spelled most
            like it.
        league
            Identifier or name of the league the teams play in now; None stands for all.
        limit
            How many at most; None stands for all.

        Raises
        ------
        UnknownLeague
            The league is not known.
        """
        rows = self._by_name
        if league is not None:
            league_id = self.find_league(league)
            rows = [row for row in rows if self._team_summaries[row].league_id == league_id]
        key = plain(query.strip())
        if key:
            containing = [row for row in rows if key in self._search_keys[row]]
            found = sorted(containing, key=lambda row: not self._search_keys[row].startswith(key))
            if not found:
                names = nearest(query, [self._team_names[row] for row in rows], limit or len(rows) or 1)
                found = [row for name in names for row in rows if self._team_names[row] == name]
            rows = found
        return [self._team_summaries[row] for row in rows[:limit]]

    def team(self, league: str, name: str) -> TeamProfile:
        """A team of the league's country, whichever league it plays in now.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        """
        league_id = self.find_league(league)
        row = self._team_rows[self.find_team(league_id, name)]
        values = self._teams.select(*_FORM, "history").row(row, named=True)
        summary = self._team_summaries[row]
        ratings = self.team_ratings(summary.league_id, summary.team_id)
        matches = (values["history"] or [])[-_PROFILE_MATCHES:]
        return TeamProfile(
            summary=summary,
            attack=float(ratings[1]),
            defence=float(ratings[2]),
            **{name: values[name] for name in _FORM},
            matches=tuple(
                PastMatch(
                    kickoff_date=match["kickoff_date"],
                    league_id=match["league_id"],
                    opponent=match["opponent_id"].partition(":")[2],
                    is_home=match["is_home"],
                    goals_for=match["goals_for"],
                    goals_against=match["goals_against"],
                )
                for match in reversed(matches)
            ),
        )

    def _summarise_leagues(self, leagues: pl.DataFrame) -> tuple[LeagueSummary, ...]:
        sizes = Counter((league_id, season) for _, league_id, season in self._season_rows)
        latest: dict[str, str] = {}
        for league_id, season in sizes:
            latest[league_id] = max(season, latest.get(league_id, ""))
        return tuple(
            LeagueSummary(
                league_id=league.league_id,
                name=league.name,
                country=COUNTRIES.get(league.country, league.country),
                country_code=league.country,
                tier=league.tier,
                is_cup=league.is_cup,
                teams=sizes[league.league_id, latest.get(league.league_id, "")],
                season=season,
                last_match=last,
            )
            for league, season, last in zip(
                self._leagues, self._league_seasons, leagues["last_kickoff_date"], strict=True
            )
        )

    def _summarise_teams(self) -> list[TeamSummary]:
        season_of = {(team_id, league_id): season for team_id, league_id, season in self._season_rows}
        columns = self._teams.select("team", "team_id", "league_id", "last_kickoff_date", "matches_known")
        return [
            TeamSummary(
                team=team,
                team_id=team_id,
                league_id=league_id,
                league_name=league_of(league_id).name,
                season=season_of.get((team_id, league_id)),
                last_match=last,
                matches_known=matches or 0,
                elo=float(self.team_ratings(league_id, team_id)[0]),
            )
            for team, team_id, league_id, last, matches in columns.iter_rows()
        ]


def _home_advantage(table: pl.DataFrame) -> HomeAdvantageShift | None:
    """The shift by day; None where the state was made before there was one."""
    if _HOME_ADVANTAGE not in table.columns:
        return None
    days = table.select(pl.col(_HOME_ADVANTAGE).drop_nulls().explode().drop_nulls())
    return HomeAdvantageShift(days.unnest(_HOME_ADVANTAGE))


def _records(teams: pl.DataFrame, column: str) -> pl.DataFrame:
    """A column of lists of records as a table, the team's identifier beside each record."""
    return (
        teams.select("team_id", column).filter(pl.col(column).list.len() > 0).explode(column).unnest(column)
    )


def _float64(table: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Columns as they are, `[n, columns]`, NaN for null."""
    values = table.select(
        pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in columns
    ).to_numpy()
    values.setflags(write=False)  # callers get rows of it
    return values


def _latest(teams: pl.DataFrame) -> date | None:
    last = teams["last_kickoff_date"].max()
    return last if isinstance(last, date) else None


def season_on(latest: str, day: date) -> str:
    """Label of a league's season on a day, by the form of its latest: `2014-15` turns in July, `2014` in January."""
    year = day.year
    if "-" not in latest:
        return str(year)
    start = year if day >= date(year, 7, 1) else year - 1
    return f"{start}-{(start + 1) % 100:02d}"
