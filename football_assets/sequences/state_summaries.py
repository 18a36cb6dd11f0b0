"""Leagues, teams and past matches of a team state, as serving lists them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.leagues import COUNTRIES, league_of
from football_assets.sequences.state_table import OVERALL_FORM

PROFILE_MATCHES = 10


@dataclass(frozen=True, slots=True)
class LeagueSummary:
    """A league. `teams` counts the teams of its latest season; `country` is the country's English name."""

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
    """A team in its current league. A team that never played has its league's entry rating.

    `season` is the latest season in which it played there.
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
    """A played match from the view of one of its teams."""

    kickoff_date: date
    league_id: str
    opponent: str
    is_home: bool
    goals_for: int
    goals_against: int


@dataclass(frozen=True, slots=True)
class TeamProfile:
    """A team's ratings, its form per match over the last five and ten matches, and its last ten matches.

    `matches` has the most recent match first.
    """

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


def summarise_leagues(
    leagues: pl.DataFrame, team_seasons: Iterable[tuple[str, str, str]]
) -> tuple[LeagueSummary, ...]:
    """Summarise every league, in the order of the rows.

    Parameters
    ----------
    leagues
        The rows of `build_team_state` that hold leagues.
    team_seasons
        Team, league and season of every latest season of a team in a competition.
    """
    sizes = Counter((league_id, season) for _, league_id, season in team_seasons)
    latest: dict[str, str] = {}
    for league_id, season in sizes:
        latest[league_id] = max(season, latest.get(league_id, ""))
    rows = leagues.select("league_id", "season", "last_kickoff_date").iter_rows()
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
        for league, season, last in ((league_of(league_id), season, last) for league_id, season, last in rows)
    )


def summarise_teams(
    teams: pl.DataFrame, team_seasons: Iterable[tuple[str, str, str]], elo: Iterable[float]
) -> list[TeamSummary]:
    """Summarise every team, in the order of the rows.

    Parameters
    ----------
    teams
        The rows of `build_team_state` that hold teams.
    team_seasons
        Team, league and season of every latest season of a team in a competition.
    elo
        Elo rating of each team, its league's entry rating for a team that never played.
    """
    season_of = {(team_id, league_id): season for team_id, league_id, season in team_seasons}
    columns = teams.select("team", "team_id", "league_id", "last_kickoff_date", "matches_known")
    return [
        TeamSummary(
            team=team,
            team_id=team_id,
            league_id=league_id,
            league_name=league_of(league_id).name,
            season=season_of.get((team_id, league_id)),
            last_match=last,
            matches_known=matches or 0,
            elo=rating,
        )
        for (team, team_id, league_id, last, matches), rating in zip(columns.iter_rows(), elo, strict=True)
    ]


def team_profile(summary: TeamSummary, team: Mapping[str, Any], ratings: NDArray[np.float64]) -> TeamProfile:
    """Describe a team.

    Parameters
    ----------
    summary
        The team.
    team
        Its row of `build_team_state`: form and `history`.
    ratings
        `[3]`, in the order of `RATINGS`.
    """
    last_matches = (team["history"] or [])[-PROFILE_MATCHES:]
    return TeamProfile(
        summary=summary,
        attack=float(ratings[1]),
        defence=float(ratings[2]),
        **{name: team[name] for name in OVERALL_FORM},
        matches=tuple(
            PastMatch(
                kickoff_date=match["kickoff_date"],
                league_id=match["league_id"],
                opponent=match["opponent_id"].partition(":")[2],
                is_home=match["is_home"],
                goals_for=match["goals_for"],
                goals_against=match["goals_against"],
            )
            for match in reversed(last_matches)
        ),
    )
