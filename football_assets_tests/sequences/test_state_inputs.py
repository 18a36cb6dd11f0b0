"""The inputs encoded from a team state: those of the asset graph, to the bit."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.errors import FootballError
from football_assets.sequences.encoder import TeamHistory, encode, history_rows
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, Feature
from football_assets.sequences.state import Fixture, TeamState
from football_assets.sequences.tensors import open_tensors
from football_assets_tests.builders.team_states import ASKED, assert_same_bits, table_of
from football_assets_tests.builders.worlds import (
    NEVER_PLAYED,
    NO_RESULTS,
    REWRITTEN,
    TRUNCATED,
    TRUTH,
    SimulatedCountries,
    home_teams_lose,
    several,
)


@pytest.mark.parametrize("country", [TRUTH, *TRUNCATED, NO_RESULTS])
def test_every_fixture_to_come_is_encoded_from_the_state_as_in_the_tensors_to_the_bit(
    countries: SimulatedCountries, country: str, tmp_path: Path
) -> None:
    tensors = countries.tensors(country, tmp_path)
    state = TeamState(table_of(countries.tables.of(country)), DEFAULT_SPEC)
    rows = np.flatnonzero(~tensors.played)
    assert len(rows) >= 30

    found = state.encode_rows(tensors.keys[rows].select(ASKED))

    assert_same_bits(found, tensors.take(rows))


def test_home_advantage_of_all_countries_is_that_of_the_fixtures_day_to_the_bit(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    """One country's results end before the other's, while home teams lose in both."""
    tables = home_teams_lose(several(countries.tables, "de", TRUTH))
    tables.write_tensors(tmp_path)
    tensors = open_tensors(tmp_path)
    rows = np.flatnonzero(~tensors.played)
    column = DEFAULT_SPEC.context_names.index(HOME_ADVANTAGE_SHIFT)

    found = TeamState(table_of(tables), DEFAULT_SPEC).encode_rows(tensors.keys[rows].select(ASKED))

    assert_same_bits(found, tensors.take(rows))
    assert len(np.unique(found.context[:, column])) > 3
    assert (found.context[:, column] < -0.2).all()


def test_a_fixture_after_the_last_known_match_of_both_has_the_tensors_bits_whatever_results_are_missing(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    tables = countries.tables.of(REWRITTEN)
    tensors = countries.tensors(REWRITTEN, tmp_path)
    last = tables.stg_matches.filter("is_played")["kickoff_date"].max()
    rows = np.flatnonzero(~tensors.played & (tensors.keys["kickoff_date"] > last).to_numpy())
    if len(rows) == 0:
        pytest.fail("the rewritten world has no fixture after its last result")

    found = TeamState(table_of(tables), DEFAULT_SPEC).encode_rows(tensors.keys[rows].select(ASKED))

    assert_same_bits(found, tensors.take(rows))


def test_a_season_of_its_own_has_nothing_played_yet(state: TeamState) -> None:
    day = state.as_of + timedelta(days=400)
    home, away = [team.team for team in state.teams(league="eng.1") if team.matches_known > 10][:2]
    later, current = (
        state.encode([Fixture("eng.1", home, away, day, season)]).context[0] for season in (None, "2015-16")
    )

    played = DEFAULT_SPEC.context_names.index("home_season_played")
    points = DEFAULT_SPEC.context_names.index("home_season_points_per_match")
    assert (later[played], np.isnan(later[points])) == (0, True)
    assert current[played] > 5
    assert current[points] > 0


def test_a_team_that_never_played_enters_with_its_leagues_ratings_and_no_history(
    countries: SimulatedCountries, state: TeamState
) -> None:
    (row,) = (
        table_of(countries.tables.of(TRUTH))
        .filter(pl.col("team_id").is_null() & (pl.col("league_id") == "eng.2"))
        .to_dicts()
    )
    debutants = NEVER_PLAYED[0]

    batch = state.encode([Fixture("eng.2", debutants, "Town 21", state.as_of + timedelta(days=60))])

    context = dict(zip(DEFAULT_SPEC.context_names, batch.context[0].tolist(), strict=True))
    assert not batch.home_history.any()
    assert batch.away_history.any()
    assert context["home_elo"] == np.float32(row["league_entry_elo"])
    assert context["home_matches_known"] == 0
    assert np.isnan(context["home_rest_days"])
    assert np.isnan(context["home_points_10"])


def test_an_input_that_the_state_does_not_hold_is_told_when_it_is_loaded(
    countries: SimulatedCountries,
) -> None:
    unheard = Feature(name="home_crowd", unit="people", lower=0, upper=1e5, description="Spectators.")
    spec = DEFAULT_SPEC.model_copy(update={"context": (*DEFAULT_SPEC.context, unheard)})

    with pytest.raises(FootballError, match="does not hold: home_crowd"):
        TeamState(table_of(countries.tables.of(TRUTH)), spec)


def test_every_feature_of_match_features_can_be_an_input(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    tables = countries.tables.of(TRUTH)
    names = [
        f"{side}_{name}"
        for name in ("season_position", "points_5", "goals_for_5", "goals_against_5", "venue_goals_for_5")
        for side in ("away", "home")
    ]
    spec = DEFAULT_SPEC.model_copy(
        update={
            "context": tuple(
                Feature(name=name, unit="", lower=0, upper=99, description=name) for name in names
            ),
            "history_length": 4,
        }
    )
    fixtures = tables.match_features.filter(~pl.col("is_played"))
    rated = (tables.team_market_ratings, tables.team_shot_ratings)
    history = TeamHistory(history_rows(tables.team_matches, tables.team_ratings, *rated), spec)

    table = tables.team_state(spec)

    assert_same_bits(
        TeamState(table, spec).encode_rows(fixtures.select(ASKED)), encode(fixtures, history, spec)
    )
