"""What serving needs to encode a fixture by team names: each team's last matches, form and ratings as they stand.

`build_team_state` makes the table when a model is registered; `TeamState` reads it and encodes fixtures through the one
encoder, so that a fixture asked for by name gets the inputs that the asset graph would give it, to the bit.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from football_assets.errors import FootballError, UnknownLeague, UnknownTeam
from football_assets.leagues import league_of, parse_league_id
from football_assets.model_files import TEAM_STATE
from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode, history_rows
from football_assets.sequences.spec import OBSERVED, FeatureSpec
from football_assets.teams import did_you_mean, nearest

_FORM = ("points_5", "points_10", "goals_for_5", "goals_for_10", "goals_against_5", "goals_against_10")
_VENUE = ("points_5", "goals_for_5", "goals_against_5")
_SEASON = ("season_played", "season_points", "season_goal_difference", "season_position")
_RATINGS = ("elo", "attack", "defence")
_LEAGUE = (
    "league_home_goals",
    "league_away_goals",
    "league_entry_elo",
    "league_entry_attack",
    "league_entry_defence",
)


def build_team_state(
    team_matches: pl.DataFrame, team_form: pl.DataFrame, team_ratings: pl.DataFrame, spec: FeatureSpec
) -> pl.DataFrame:
    """One row a team, as it stands after its last match, and one row a league (`team_id` null) for its newcomers.

    Parameters
    ----------
    team_matches, team_form, team_ratings
        The tables of those names.

    Returns
    -------
    pl.DataFrame
        `team_id`, `team`, `country`, `league_id`, `last_kickoff_date`, form, ratings, the league's state, `seasons`:
        the latest season in each competition, and `history`: the last matches, the most recent last. Sorted by league
        and team.
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
        .select("team_id", *(pl.col(f"{name}_after").alias(name) for name in _RATINGS))
    )
    columns = [name for name in spec.history_names if name != OBSERVED]
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
        .select("league_id", *(pl.col(f"{name}_after").alias(name) for name in _LEAGUE))
        .join(by_day.group_by("league_id").agg(pl.col("season").max()), on="league_id")
    )
    rows = teams
    for part in (form, seasons, ratings, history):
        rows = rows.join(part, on="team_id", how="left")
    return (
        pl.concat([rows, leagues], how="diagonal_relaxed")
        .with_columns(
            pl.col("team_id").str.splitn(":", 2).struct.field("field_1").alias("team"),
            pl.col("league_id").str.split(".").list.first().alias("country"),
        )
        .sort("league_id", "team_id", nulls_last=False)
    )


@dataclass(frozen=True)
class Fixture:
    """A match to forecast, by the names a person types. Season None stands for the league's season on that day."""

    league_id: str
    home_team: str
    away_team: str
    kickoff_date: date
    season: str | None = None


class TeamState:
    """The table of `build_team_state`, ready to encode fixtures."""

    def __init__(self, table: pl.DataFrame, spec: FeatureSpec) -> None:
        self.spec = spec
        self.teams = table.filter(pl.col("team_id").is_not_null())
        self.leagues = table.filter(pl.col("team_id").is_null()).select("league_id", "season", *_LEAGUE)
        self._history = TeamHistory(_records(self.teams, "history"), spec)
        self._seasons = _records(self.teams, "seasons")

    @classmethod
    def load(cls, bundle: Path, spec: FeatureSpec | None = None) -> "TeamState":
        """Read the state of a model bundle."""
        return cls(pl.read_parquet(bundle / TEAM_STATE), spec or FeatureSpec.load(bundle))

    @property
    def as_of(self) -> date:
        """Day of the last result known."""
        last = self.teams["last_kickoff_date"].max()
        if not isinstance(last, date):
            raise FootballError(
                "The model's team state holds no result: land results and register a model again."
            )
        return last

    def find_league(self, text: str) -> str:
        """The identifier of a league that a person names.

        Raises
        ------
        UnknownLeague
            No result of that league is known; the message offers the nearest.
        """
        known = self.leagues["league_id"].to_list()
        try:
            league_id = parse_league_id(text)
        except UnknownLeague:
            league_id = text
        if league_id in known:
            return league_id
        by_name = {league_of(item).name: item for item in known}
        if text in by_name:
            return by_name[text]
        offers = [by_name.get(item, item) for item in nearest(text, [*known, *by_name])]
        known_text = f" Leagues: {', '.join(known)}." if not offers else ""
        raise UnknownLeague(
            f"League {text!r} is not known.{did_you_mean(list(dict.fromkeys(offers)))}{known_text}"
        )

    def find_team(self, league_id: str, name: str) -> str:
        """The identifier of a team of the league's country that a person names.

        Raises
        ------
        UnknownTeam
            No match of that team is known; the message offers the nearest.
        """
        country = league_of(league_id).country
        compatriots = self.teams.filter(pl.col("country") == country)
        found = compatriots.filter(pl.col("team") == name)
        if len(found):
            return str(found["team_id"][0])
        folded = compatriots.filter(pl.col("team").str.to_lowercase() == name.lower())
        if len(folded) == 1:
            return str(folded["team_id"][0])
        own = compatriots.filter(pl.col("league_id") == league_id)["team"].to_list()
        offers = nearest(name, own) or nearest(name, compatriots["team"].to_list())
        raise UnknownTeam(f"Team {name!r} is not known in {league_id}.{did_you_mean(offers)}")

    def encode(self, fixtures: list[Fixture]) -> SequenceBatch:
        """Inputs of the network for fixtures asked for by name.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            A team meets itself, or the day is not after the last known match of both.
        """
        rows = []
        for fixture in fixtures:
            league_id = self.find_league(fixture.league_id)
            home, away = (self.find_team(league_id, name) for name in (fixture.home_team, fixture.away_team))
            if home == away:
                raise FootballError(f"{fixture.home_team!r} cannot meet itself: name two teams.")
            rows.append((league_id, fixture.season, fixture.kickoff_date, home, away))
        table = pl.DataFrame(
            rows,
            schema={
                "league_id": pl.String,
                "season": pl.String,
                "kickoff_date": pl.Date,
                "home_team_id": pl.String,
                "away_team_id": pl.String,
            },
            orient="row",
        )
        return self.encode_rows(table)

    def encode_rows(self, fixtures: pl.DataFrame) -> SequenceBatch:
        """Inputs of the network for rows of `league_id`, `season`, `kickoff_date`, `home_team_id`, `away_team_id`."""
        features = self.fixture_features(fixtures)
        late = features.filter(
            pl.max_horizontal("home_last_kickoff_date", "away_last_kickoff_date") >= pl.col("kickoff_date")
        )
        if len(late):
            row = late.row(0, named=True)
            last = max(day for day in (row["home_last_kickoff_date"], row["away_last_kickoff_date"]) if day)
            raise FootballError(
                f"{row['home_team_id']} against {row['away_team_id']} on {row['kickoff_date']} is not after their last "
                f"known match on {last}: choose a later day."
            )
        return encode(features, self._history, self.spec)

    def fixture_features(self, fixtures: pl.DataFrame) -> pl.DataFrame:
        """The columns that `match_features` has for a fixture, from the state: same names, same arithmetic."""
        context = fixtures.join(
            self.leagues.rename({"season": "league_season"}),
            on="league_id",
            how="left",
            maintain_order="left",
        ).with_columns(
            pl.coalesce(
                "season",
                pl.struct("league_season", "kickoff_date").map_elements(
                    lambda row: season_on(row["league_season"], row["kickoff_date"]), return_dtype=pl.String
                ),
            ).alias("season"),
            pl.col("league_id")
            .map_elements(lambda item: league_of(item).tier, return_dtype=pl.Int64)
            .alias("tier"),
            pl.col("league_id")
            .map_elements(lambda item: league_of(item).is_cup, return_dtype=pl.Boolean)
            .alias("is_cup"),
        )
        for side in ("home", "away"):
            team = f"{side}_team_id"
            context = (
                context.join(self._side(side), on=team, how="left", maintain_order="left")
                .join(
                    self._seasons.rename({"team_id": team, **{name: f"{side}_{name}" for name in _SEASON}}),
                    on=[team, "league_id", "season"],
                    how="left",
                    maintain_order="left",
                )
                .with_columns(self._as_of_kickoff(side))
            )
        return context

    def _side(self, side: str) -> pl.DataFrame:
        """The teams' state under the names of one side of a match."""
        venue = {f"{side}_{name}": f"{side}_venue_{name}" for name in _VENUE}
        own = ("last_kickoff_date", "matches_known", *_FORM, *_RATINGS)
        return self.teams.select(
            pl.col("team_id").alias(f"{side}_team_id"),
            *(pl.col(name).alias(f"{side}_{name}") for name in own),
            *(pl.col(name).alias(alias) for name, alias in venue.items()),
        )

    def _as_of_kickoff(self, side: str) -> list[pl.Expr]:
        played = pl.col(f"{side}_season_played")
        return [
            (pl.col("kickoff_date") - pl.col(f"{side}_last_kickoff_date"))
            .dt.total_days()
            .alias(f"{side}_rest_days"),
            pl.col(f"{side}_matches_known").fill_null(0),
            played.fill_null(0),
            *(
                (pl.col(f"{side}_season_{name}") / played).alias(f"{side}_season_{name}_per_match")
                for name in ("points", "goal_difference")
            ),
            *(
                pl.coalesce(f"{side}_{name}", f"league_entry_{name}").alias(f"{side}_{name}")
                for name in _RATINGS
            ),
        ]


def _records(teams: pl.DataFrame, column: str) -> pl.DataFrame:
    """A column of lists of records as a table, the team's identifier beside each record."""
    return (
        teams.select("team_id", column).filter(pl.col(column).list.len() > 0).explode(column).unnest(column)
    )


def season_on(latest: str, day: date) -> str:
    """Label of a league's season on a day, by the form of its latest: `2014-15` turns in July, `2014` in January."""
    year = day.year
    if "-" not in latest:
        return str(year)
    start = year if day >= date(year, 7, 1) else year - 1
    return f"{start}-{(start + 1) % 100:02d}"
