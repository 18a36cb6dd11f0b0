"""The state that serving encodes from: the asset graph's inputs to the bit, and names as people type them."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.errors import FootballError, UnknownLeague, UnknownTeam
from football_assets.model_files import TEAM_STATE
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.state import Fixture, TeamState, build_team_state, season_on
from football_assets_tests.worlds import (
    NEVER_PLAYED,
    NO_RESULTS,
    REWRITTEN,
    TRUNCATED,
    TRUTH,
    VILLAGE,
    FeatureTables,
    SimulatedCountries,
)

INPUTS = ("home_history", "away_history", "context")
ASKED = ("league_id", "season", "kickoff_date", "home_team_id", "away_team_id")


def table_of(tables: FeatureTables) -> pl.DataFrame:
    return build_team_state(tables.team_matches, tables.team_form, tables.team_ratings, DEFAULT_SPEC)


@pytest.fixture(scope="module")
def state(countries: SimulatedCountries) -> TeamState:
    return TeamState(table_of(countries.tables.of(TRUTH)), DEFAULT_SPEC)


def assert_same_bits(found: SequenceBatch, expected: SequenceBatch) -> None:
    for name in INPUTS:
        left, right = getattr(found, name), getattr(expected, name)
        assert left.dtype == right.dtype == np.float32
        assert np.array_equal(left, right, equal_nan=True), name


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


def test_a_state_saved_in_a_bundle_encodes_as_the_one_in_memory(
    countries: SimulatedCountries, state: TeamState, tmp_path: Path
) -> None:
    table_of(countries.tables.of(TRUTH)).write_parquet(tmp_path / TEAM_STATE)
    DEFAULT_SPEC.save(tmp_path)
    fixtures = countries.tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)

    loaded = TeamState.load(tmp_path)

    assert_same_bits(loaded.encode_rows(fixtures), state.encode_rows(fixtures))


def test_the_state_of_a_country_does_not_depend_on_the_others_or_on_the_order_of_rows(
    countries: SimulatedCountries, state: TeamState
) -> None:
    tables = countries.tables
    sides, form, ratings = (
        table.sample(fraction=1, shuffle=True, seed=3)
        for table in (tables.team_matches, tables.team_form, tables.team_ratings)
    )
    everywhere = TeamState(build_team_state(sides, form, ratings, DEFAULT_SPEC), DEFAULT_SPEC)
    fixtures = tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)

    assert_same_bits(everywhere.encode_rows(fixtures), state.encode_rows(fixtures))


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
        Fixture("en.1", row["home_team"].upper(), row["away_team"], row["kickoff_date"])
        for row in played.iter_rows(named=True)
    ]

    assert_same_bits(state.encode(asked), state.encode_rows(played.select(ASKED)))


def test_a_season_of_its_own_has_nothing_played_yet(state: TeamState) -> None:
    day = state.as_of + timedelta(days=400)
    home, away = state.teams.filter((pl.col("league_id") == "eng.1") & (pl.col("matches_known") > 10))[
        "team"
    ][:2]
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
    (row,) = state.leagues.filter(league_id="eng.2").to_dicts()
    debutants = NEVER_PLAYED[0]

    batch = state.encode([Fixture("eng.2", debutants, "Town 21", state.as_of + timedelta(days=60))])

    context = dict(zip(DEFAULT_SPEC.context_names, batch.context[0].tolist(), strict=True))
    assert not batch.home_history.any()
    assert batch.away_history.any()
    assert context["home_elo"] == np.float32(row["league_entry_elo"])
    assert context["home_matches_known"] == 0
    assert np.isnan(context["home_rest_days"])
    assert np.isnan(context["home_points_10"])


def test_the_state_stands_at_the_last_result(countries: SimulatedCountries, state: TeamState) -> None:
    assert state.as_of == countries.tables.of(TRUTH).stg_matches.filter("is_played")["kickoff_date"].max()


def test_a_state_without_a_result_says_so(countries: SimulatedCountries) -> None:
    state = TeamState(table_of(countries.tables.of(NO_RESULTS)), DEFAULT_SPEC)

    with pytest.raises(FootballError, match="holds no result: land results"):
        _ = state.as_of


def test_a_team_belongs_to_its_last_league_and_not_to_a_cup(countries: SimulatedCountries) -> None:
    table = table_of(countries.tables.of(TRUTH)).filter(pl.col("team_id").is_not_null())
    matches = countries.tables.of(TRUTH).team_matches.filter(~pl.col("is_cup"))

    expected = dict(
        matches.sort("kickoff_date").group_by("team_id").last().select("team_id", "league_id").rows()
    )
    expected[f"eng:{VILLAGE}"] = "eng.cup"

    assert dict(table.select("team_id", "league_id").rows()) == expected
    assert table["team"].to_list() == [name.removeprefix("eng:") for name in table["team_id"]]


@pytest.mark.parametrize("text", ["eng.1", "en.1", "EN.1", "Premier League"])
def test_a_league_is_found_by_identifier_and_by_name(state: TeamState, text: str) -> None:
    assert state.find_league(text) == "eng.1"


def test_an_unknown_league_is_told_the_nearest_or_all(state: TeamState) -> None:
    with pytest.raises(UnknownLeague, match="'Premier Leage' is not known. Did you mean 'eng.1'"):
        state.find_league("Premier Leage")
    with pytest.raises(UnknownLeague, match=r"Leagues: .*eng.cup"):
        state.find_league("handball")
    with pytest.raises(UnknownLeague, match="'eng.9' is not known. Did you mean"):
        state.find_league("eng.9")


def test_an_unknown_team_is_told_the_nearest_of_the_league(state: TeamState) -> None:
    with pytest.raises(UnknownTeam, match="'Vilage' is not known in eng.cup. Did you mean 'Village'"):
        state.find_team("eng.cup", "Vilage")
    assert state.find_team("eng.1", "town 11") == "eng:Town 11"
    assert state.find_team("eng.1", VILLAGE) == f"eng:{VILLAGE}"  # of another competition of the country


def test_a_team_cannot_meet_itself(state: TeamState) -> None:
    with pytest.raises(FootballError, match="cannot meet itself"):
        state.encode([Fixture("eng.1", "Town 11", "TOWN 11", date(2030, 1, 1))])


def test_a_day_that_the_state_is_too_new_for_is_refused(state: TeamState) -> None:
    last = state.teams.filter(team="Town 11")["last_kickoff_date"][0]

    with pytest.raises(FootballError, match=f"on {last} is not after .* choose a later day"):
        state.encode([Fixture("eng.1", "Town 11", NEVER_PLAYED[0], last)])
    state.encode([Fixture("eng.1", "Town 11", NEVER_PLAYED[0], last + timedelta(days=1))])


@pytest.mark.parametrize(
    ("latest", "day", "season"),
    [
        ("2014-15", date(2015, 6, 30), "2014-15"),
        ("2014-15", date(2015, 7, 1), "2015-16"),
        ("2014-15", date(2000, 1, 1), "1999-00"),
        ("2014-15", date(2009, 12, 31), "2009-10"),
        ("2014", date(2015, 1, 1), "2015"),
        ("2014", date(2014, 12, 31), "2014"),
    ],
)
def test_the_season_of_a_day_follows_the_form_of_the_leagues_label(
    latest: str, day: date, season: str
) -> None:
    assert season_on(latest, day) == season
