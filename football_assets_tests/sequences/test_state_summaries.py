"""Summaries of leagues and teams of a team state."""

from datetime import date

import polars as pl

from football_assets.sequences.state import TeamState
from football_assets_tests.builders.worlds import (
    NEVER_PLAYED,
    TRUTH,
    FeatureTables,
    SimulatedCountries,
)


def test_leagues_are_summed_up(countries: SimulatedCountries, state: TeamState) -> None:
    tables = countries.tables.of(TRUTH)
    found = {league.league_id: league for league in state.leagues()}

    assert list(found) == sorted(tables.stg_matches["league_id"].unique())
    top, cup, third = found["eng.1"], found["eng.cup"], found["eng.3"]
    assert (top.name, top.country, top.country_code, top.tier) == ("Premier League", "England", "eng", 1)
    assert (top.teams, top.season, top.last_match) == (8, "2015-16", last_day(tables, "eng.1"))
    assert (cup.tier, cup.is_cup, cup.last_match) == (None, True, last_day(tables, "eng.cup"))
    assert (third.teams, third.last_match) == (0, None)


def last_day(tables: FeatureTables, league_id: str) -> date:
    played = tables.stg_matches.filter(pl.col("is_played") & (pl.col("league_id") == league_id))
    day = played["kickoff_date"].max()
    assert isinstance(day, date)
    return day


def test_a_team_is_summed_up_with_its_last_matches_the_most_recent_first(
    countries: SimulatedCountries, state: TeamState
) -> None:
    tables = countries.tables.of(TRUTH)
    mine = pl.col("team_id") == "eng:Town 11"
    played = tables.team_matches.filter(mine & pl.col("is_played")).sort("kickoff_date", descending=True)
    form = tables.team_form.filter(mine).sort("kickoff_date").row(-1, named=True)
    ratings = tables.team_ratings.filter(mine & pl.col("is_played")).sort("kickoff_date").row(-1, named=True)

    found = state.team("eng.cup", "town 11")

    assert found.summary.team == "Town 11"
    assert found.summary.league_id in ("eng.1", "eng.2")
    assert found.summary.season == "2015-16"
    assert (found.summary.last_match, found.summary.matches_known) == (
        played["kickoff_date"][0],
        len(played),
    )
    assert (found.summary.elo, found.attack, found.defence) == tuple(
        ratings[f"{name}_after"] for name in ("elo", "attack", "defence")
    )
    assert (found.points_5, found.points_10) == (form["points_5"], form["points_10"])
    assert (found.goals_for_10, found.goals_against_10) == (form["goals_for_10"], form["goals_against_10"])
    assert [
        (match.kickoff_date, match.league_id, f"eng:{match.opponent}", match.is_home)
        for match in found.matches
    ] == played.select("kickoff_date", "league_id", "opponent_id", "is_home").rows()[:10]
    assert [(match.goals_for, match.goals_against) for match in found.matches] == played.select(
        "goals_for", "goals_against"
    ).rows()[:10]


def test_a_team_that_never_played_is_summed_up_with_its_leagues_entry_ratings(state: TeamState) -> None:
    found = state.team("eng.1", NEVER_PLAYED[0])

    entry = state.league_ratings(found.summary.league_id).entry
    assert (found.summary.elo, found.attack, found.defence) == tuple(entry)
    assert (found.summary.matches_known, found.summary.last_match, found.summary.season) == (0, None, None)
    assert (found.points_10, found.matches) == (None, ())
