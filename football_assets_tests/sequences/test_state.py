"""The state that serving encodes from: the asset graph's inputs to the bit, and names as people type them."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.domain.bookmaker_margin import power_probabilities
from football_assets.errors import FootballError, UnknownLeague, UnknownName, UnknownTeam
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.rating_context import pre_match_odds
from football_assets.sequences.spec import DEFAULT_SPEC, MATCH_ODDS, FeatureSpec
from football_assets.sequences.state import Fixture, KnownFixture, TeamState
from football_assets.sequences.tiers import tier_of
from football_assets.storage.model_files import TEAM_STATE
from football_assets_tests.builders.team_states import ASKED, INPUTS, assert_same_bits, table_of
from football_assets_tests.builders.worlds import (
    NEVER_PLAYED,
    NO_RESULTS,
    TRUTH,
    VILLAGE,
    SimulatedCountries,
)


def test_a_state_saved_in_a_bundle_encodes_as_the_one_in_memory(
    countries: SimulatedCountries, state: TeamState, tmp_path: Path
) -> None:
    table_of(countries.tables.of(TRUTH)).write_parquet(tmp_path / TEAM_STATE)
    DEFAULT_SPEC.save(tmp_path)
    fixtures = countries.tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)

    loaded = TeamState(pl.read_parquet(tmp_path / TEAM_STATE), FeatureSpec.load(tmp_path))

    assert_same_bits(loaded.encode_rows(fixtures), state.encode_rows(fixtures))


def test_rows_come_back_in_the_order_they_were_asked_for(
    countries: SimulatedCountries, state: TeamState
) -> None:
    fixtures = countries.tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)
    order = np.random.default_rng(0).permutation(len(fixtures))

    found = state.encode_rows(fixtures[order])

    straight = state.encode_rows(fixtures)
    assert_same_bits(found, SequenceBatch(*(getattr(straight, name)[order] for name in INPUTS)))


def test_asking_by_names_gives_the_inputs_of_the_row(countries: SimulatedCountries, state: TeamState) -> None:
    fixtures = countries.tables.of(TRUTH).match_features.filter(~pl.col("is_played"))
    played = fixtures.filter(pl.col("league_id") == "eng.1").filter(
        ~pl.col("home_team").is_in(NEVER_PLAYED) & ~pl.col("away_team").is_in(NEVER_PLAYED)
    )
    assert len(played) > 5
    asked = [
        Fixture(
            "en.1",
            row["home_team"].upper(),
            row["away_team"],
            row["kickoff_date"],
            odds=None if np.isnan(odds).any() else tuple(odds.tolist()),
        )
        for row, odds in zip(played.iter_rows(named=True), pre_match_odds(played), strict=True)
    ]
    assert len({fixture.odds is None for fixture in asked}) == 2

    assert_same_bits(state.encode(asked), state.encode_rows(played.select(ASKED)))


def test_the_state_stands_at_the_last_result(countries: SimulatedCountries, state: TeamState) -> None:
    assert state.as_of == countries.tables.of(TRUTH).stg_matches.filter("is_played")["kickoff_date"].max()


def test_a_state_without_a_result_says_so(countries: SimulatedCountries) -> None:
    state = TeamState(table_of(countries.tables.of(NO_RESULTS)), DEFAULT_SPEC)

    with pytest.raises(FootballError, match="holds no result: land results"):
        _ = state.as_of


def test_a_team_cannot_meet_itself(state: TeamState) -> None:
    with pytest.raises(FootballError, match="cannot meet itself"):
        state.encode([Fixture("eng.1", "Town 11", "TOWN 11", date(2030, 1, 1))])


def test_a_day_that_the_state_is_too_new_for_is_refused(state: TeamState) -> None:
    last = state.last_match("eng:Town 11")
    assert last is not None

    refusal = f"^Town 11 against {NEVER_PLAYED[0]} on {last} is not after .* on {last}: choose a later day"
    with pytest.raises(FootballError, match=refusal):
        state.encode([Fixture("eng.1", "town 11", NEVER_PLAYED[0], last)])
    state.encode([Fixture("eng.1", "Town 11", NEVER_PLAYED[0], last + timedelta(days=1))])


def outcome_of(state: TeamState, fixture: Fixture) -> KnownFixture | FootballError:
    try:
        return state.locate(fixture)
    except FootballError as error:
        return error


def test_one_bad_fixture_does_not_spoil_the_others(state: TeamState) -> None:
    day = state.as_of + timedelta(days=3)
    good = [Fixture("en.1", "town 11", "Town 12", day), Fixture("eng.2", "Town 21", NEVER_PLAYED[0], day)]
    asked = [
        good[0],
        Fixture("eng.1", "Town 1l", "Town 12", day),
        Fixture("handball", "Town 11", "Town 12", day),
        good[1],
        Fixture("eng.1", "Town 11", "Town 12", date(2011, 1, 1)),
        Fixture("eng.1", "Town 11", "Town 11", day),
    ]

    found = [outcome_of(state, fixture) for fixture in asked]

    batch = state.encode_known([item for item in found if isinstance(item, KnownFixture)])
    assert_same_bits(batch, state.encode(good))
    assert [type(item) for item in found] == [
        KnownFixture,
        UnknownTeam,
        UnknownLeague,
        KnownFixture,
        FootballError,
        FootballError,
    ]
    with pytest.raises(UnknownTeam, match="Town 1l"):
        state.encode(asked)


def test_odds_of_a_fixture_are_probabilities_of_the_match_and_move_no_other_input(state: TeamState) -> None:
    day = state.as_of + timedelta(days=3)
    fixture = Fixture("eng.1", "Town 11", "Town 12", day)
    place = [DEFAULT_SPEC.context_names.index(name) for name in MATCH_ODDS]

    batch = state.encode([fixture, fixture._replace(odds=(1.6, 4.0, 5.0)), fixture])

    plain, with_odds, again = batch.context
    (expected,) = power_probabilities(np.array([[1.6, 4.0, 5.0]]))
    np.testing.assert_allclose(with_odds[place], expected, rtol=1e-6)
    assert np.isnan(plain[place]).all()
    np.testing.assert_array_equal(plain, again)
    np.testing.assert_array_equal(np.delete(with_odds, place), np.delete(plain, place))
    tier, *_ = tier_of(batch.context[:1], DEFAULT_SPEC)
    assert tier_of(batch.context, DEFAULT_SPEC) == [tier, f"{tier}+match_odds", tier]
    assert_same_bits(state.encode([fixture]), state.encode_known([state.locate(fixture)]))
    assert state.locate(fixture._replace(odds=(1.6, 4.0, 5.0))).odds == (1.6, 4.0, 5.0)


def test_impossible_odds_are_refused_before_anything_is_encoded(state: TeamState) -> None:
    fixture = Fixture("eng.1", "Town 11", "Town 12", state.as_of + timedelta(days=3), odds=(1.2, 1.2, 1.2))

    with pytest.raises(FootballError, match="The odds cannot be used: 1/1.2"):
        state.locate(fixture)


def test_no_fixture_at_all_gives_an_empty_batch(state: TeamState) -> None:
    batch = state.encode_known([])

    length, history, context = (
        DEFAULT_SPEC.history_length,
        len(DEFAULT_SPEC.history),
        len(DEFAULT_SPEC.context),
    )
    assert batch.home_history.shape == batch.away_history.shape == (0, length, history)
    assert batch.context.shape == (0, context)


def test_a_located_fixture_has_the_states_spelling_and_the_season_of_the_day(state: TeamState) -> None:
    day = date(2016, 8, 1)

    found = state.locate(Fixture("Premier League", "TOWN 11", VILLAGE.lower(), day))

    assert found == KnownFixture(
        league_id="eng.1",
        league_name="Premier League",
        season="2016-17",
        kickoff_date=day,
        home_team_id="eng:Town 11",
        away_team_id=f"eng:{VILLAGE}",
        home_team="Town 11",
        away_team=VILLAGE,
    )


def test_errors_offer_spellings_as_a_list(state: TeamState) -> None:
    with pytest.raises(UnknownLeague) as league:
        state.find_league("Premier Leage")
    assert league.value.suggestions == ["eng.1"]
    with pytest.raises(UnknownTeam) as team:
        state.find_team("eng.cup", "Vilage")
    assert team.value.suggestions == [VILLAGE]


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (("nowhere", "Nobody", "Town 12"), "league"),
        (("eng.1", "Nobody", "No one"), "home_team"),
        (("eng.1", "Town 11", "No one"), "away_team"),
    ],
)
def test_the_error_of_an_unknown_name_has_its_field(
    state: TeamState, names: tuple[str, str, str], field: str
) -> None:
    with pytest.raises(UnknownName) as error:
        state.resolve(*names)
    assert error.value.field == field


def test_an_identifier_of_a_row_must_be_known(state: TeamState) -> None:
    row = {
        "league_id": "eng.1",
        "season": "2015-16",
        "kickoff_date": date(2030, 1, 1),
        "home_team_id": "eng:Town 11",
        "away_team_id": "eng:Nobody",
    }

    with pytest.raises(UnknownTeam, match="'eng:Nobody' is not an identifier"):
        state.encode_rows(pl.DataFrame([row]))
    with pytest.raises(UnknownLeague, match="'eng.9' is not an identifier"):
        state.encode_rows(pl.DataFrame([row | {"league_id": "eng.9"}]))


@pytest.mark.parametrize("module", ["state", "custom_histories"])
def test_serving_loads_no_orchestrator_and_no_training_library(module: str) -> None:
    code = (
        f"import sys, football_assets.sequences.{module}; "
        "sys.exit(' '.join({'dagster', 'torch', 'dbt', 'duckdb'} & sys.modules.keys()) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
