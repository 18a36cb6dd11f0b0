"""Leagues and teams of a team state found by the names that people type."""

from typing import Any

import polars as pl
import pytest

from football_assets.errors import UnknownLeague, UnknownTeam
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.state import TeamState
from football_assets_tests.builders.team_states import renamed, table_of
from football_assets_tests.builders.worlds import (
    TRUTH,
    VILLAGE,
    SimulatedCountries,
)


@pytest.mark.parametrize("text", ["eng.1", "en.1", "EN.1", "Premier League"])
def test_a_league_is_found_by_identifier_and_by_name(state: TeamState, text: str) -> None:
    assert state.find_league(text) == "eng.1"


def test_an_unknown_league_is_told_the_nearest_or_all(state: TeamState) -> None:
    with pytest.raises(UnknownLeague, match="'Premier Leage' is not known. Did you mean 'eng.1'"):
        state.find_league("Premier Leage")
    with pytest.raises(UnknownLeague, match=r"Leagues: eng\.1, eng\.2, eng\.3, .*eng\.cup\.$"):
        state.find_league("handball")
    with pytest.raises(UnknownLeague, match="'eng.9' is not known. Did you mean"):
        state.find_league("eng.9")


def test_an_unknown_team_is_told_the_nearest_of_the_league(state: TeamState) -> None:
    with pytest.raises(UnknownTeam, match="'Vilage' is not known in eng.cup. Did you mean 'Village'"):
        state.find_team("eng.cup", "Vilage")
    assert state.find_team("eng.1", "town 11") == "eng:Town 11"
    assert state.find_team("eng.1", VILLAGE) == f"eng:{VILLAGE}"  # of another competition of the country


@pytest.mark.parametrize("known_as", ["Manchester United", "Man United"])
def test_a_team_is_found_by_every_name_of_its_club_whichever_the_model_knows(
    countries: SimulatedCountries, known_as: str
) -> None:
    renamed = table_of(countries.tables.of(TRUTH)).with_columns(pl.col("team").replace("Town 11", known_as))
    state = TeamState(renamed, DEFAULT_SPEC)
    for name in ("Manchester United", "MAN UTD", "Manchester United FC"):
        assert state.find_team("eng.1", name) == "eng:Town 11"
    with pytest.raises(UnknownTeam):
        state.find_team("eng.1", "Manchester City")


def test_names_that_differ_in_case_alone_are_told_apart_by_it(countries: SimulatedCountries) -> None:
    table = table_of(countries.tables.of(TRUTH)).with_columns(
        pl.when(pl.col("team_id") == "eng:Town 12")
        .then(pl.lit("TOWN 11"))
        .otherwise(pl.col("team"))
        .alias("team")
    )
    state = TeamState(table, DEFAULT_SPEC)

    assert state.known_team("eng.1", "Town 11") == "eng:Town 11"
    assert state.known_team("eng.1", "TOWN 11") == "eng:Town 12"
    assert state.known_team("eng.1", "town 11") is None


def test_teams_are_found_by_the_beginning_then_by_a_part_and_else_by_likeness(
    countries: SimulatedCountries,
) -> None:
    state = renamed(countries, {"Town 11": "1. FC Köln", "Town 12": "Fortuna Köln", "Town 13": "Kölner BC"})

    def names(query: str, **filters: Any) -> list[str]:
        return [team.team for team in state.teams(query, **filters)]

    assert names("koln") == ["Kölner BC", "1. FC Köln", "Fortuna Köln"]
    assert names("KÖLN", limit=1) == ["Kölner BC"]
    assert names("fortna koln")[0] == "Fortuna Köln"
    assert names("xyzzyx") == []
    assert names("", limit=3) == ["1. FC Köln", "Debutants", "Fortuna Köln"]
    assert len(names("", limit=None)) > 20
    fortuna = state.teams("fortuna")[0]
    assert fortuna in state.teams(league=fortuna.league_name)
    assert names("Village", league="eng.1") == []
    with pytest.raises(UnknownLeague):
        names("", league="handball")
