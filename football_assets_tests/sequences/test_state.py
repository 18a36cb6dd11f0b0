"""The state that serving encodes from: the asset graph's inputs to the bit, and names as people type them."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.errors import FootballError, UnknownLeague, UnknownName, UnknownTeam
from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode, history_rows
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, Feature
from football_assets.sequences.state import Fixture, KnownFixture, TeamState, build_team_state, season_on
from football_assets.sequences.tensors import open_tensors, write_tensors
from football_assets.storage.model_files import TEAM_STATE
from football_assets_tests.builders.worlds import (
    NEVER_PLAYED,
    NO_RESULTS,
    REWRITTEN,
    TRUNCATED,
    TRUTH,
    VILLAGE,
    FeatureTables,
    SimulatedCountries,
    home_teams_lose,
    several,
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


def test_home_advantage_of_all_countries_is_that_of_the_fixtures_day_to_the_bit(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    """One country's results end before the other's, while home teams lose in both."""
    tables = home_teams_lose(several(countries.tables, "de", TRUTH))
    write_tensors(tables.match_features, tables.team_matches, tables.team_ratings, tmp_path)
    tensors = open_tensors(tmp_path)
    rows = np.flatnonzero(~tensors.played)
    column = DEFAULT_SPEC.context_names.index(HOME_ADVANTAGE_SHIFT)

    found = TeamState(table_of(tables), DEFAULT_SPEC).encode_rows(tensors.keys[rows].select(ASKED))

    assert_same_bits(found, tensors.take(rows))
    assert len(np.unique(found.context[:, column])) > 3
    assert (found.context[:, column] < -0.2).all()


def test_a_state_made_before_there_was_a_shift_serves_its_own_model_and_no_later_one(
    countries: SimulatedCountries, state: TeamState
) -> None:
    """Its model reads no shift."""
    earlier = DEFAULT_SPEC.model_copy(
        update={"context": tuple(f for f in DEFAULT_SPEC.context if f.name != HOME_ADVANTAGE_SHIFT)}
    )
    table = table_of(countries.tables.of(TRUTH))
    old = table.drop("home_advantage").filter(pl.col("league_id").is_not_null())
    fixtures = countries.tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)
    column = DEFAULT_SPEC.context_names.index(HOME_ADVANTAGE_SHIFT)

    found = TeamState(old, earlier).encode_rows(fixtures)

    expected = state.encode_rows(fixtures)
    np.testing.assert_array_equal(found.context, np.delete(expected.context, column, axis=1))
    with pytest.raises(FootballError, match="home_advantage_shift"):
        TeamState(old, DEFAULT_SPEC)


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
    shuffled = build_team_state(sides, form, ratings, DEFAULT_SPEC)
    assert_frame_equal(shuffled, table_of(tables), check_exact=True)
    everywhere = TeamState(shuffled, DEFAULT_SPEC)
    fixtures = tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)

    assert_same_bits(everywhere.encode_rows(fixtures), state.encode_rows(fixtures))


def test_identifiers_of_matches_that_do_not_follow_the_days_change_nothing_else(
    countries: SimulatedCountries,
) -> None:
    tables = countries.tables.of(TRUTH)
    ids = tables.stg_matches["match_id"].sort()
    backwards = pl.col("match_id").replace_strict(ids, ids.reverse())
    matches, form, ratings = (
        table.with_columns(backwards)
        for table in (tables.team_matches, tables.team_form, tables.team_ratings)
    )
    scrambled = build_team_state(matches, form, ratings, DEFAULT_SPEC)

    assert_frame_equal(scrambled.drop("history"), table_of(tables).drop("history"), check_exact=True)


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

    batch, found = state.encode_each(asked)

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


def test_no_fixture_at_all_gives_an_empty_batch(state: TeamState) -> None:
    batch, found = state.encode_each([Fixture("eng.1", "?", "?", date(2030, 1, 1))])

    length, history, context = (
        DEFAULT_SPEC.history_length,
        len(DEFAULT_SPEC.history),
        len(DEFAULT_SPEC.context),
    )
    assert batch.home_history.shape == batch.away_history.shape == (0, length, history)
    assert batch.context.shape == (0, context)
    assert len(found) == 1


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


def test_errors_offer_spellings_as_a_list_and_in_a_large_batch_only_the_first_do(state: TeamState) -> None:
    with pytest.raises(UnknownLeague) as league:
        state.find_league("Premier Leage")
    assert league.value.suggestions == ["eng.1"]
    for wanted in (0, 1, 2):
        with pytest.raises(UnknownLeague) as league:
            state.find_league("eng.9", wanted)
        assert len(league.value.suggestions) == wanted
    with pytest.raises(UnknownTeam) as team:
        state.find_team("eng.cup", "Vilage")
    assert team.value.suggestions == [VILLAGE]

    _, found = state.encode_each([Fixture("eng.1", "Twn 11", "Town 12", date(2030, 1, 1))] * 100)

    offers = [item.suggestions for item in found if isinstance(item, UnknownName)]
    assert len(offers) == 100
    assert all(offers[:20])
    assert not any(offers[20:])


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
    history = TeamHistory(history_rows(tables.team_matches, tables.team_ratings), spec)

    table = build_team_state(tables.team_matches, tables.team_form, tables.team_ratings, spec)

    assert_same_bits(
        TeamState(table, spec).encode_rows(fixtures.select(ASKED)), encode(fixtures, history, spec)
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


def renamed(countries: SimulatedCountries, names: dict[str, str]) -> TeamState:
    """The state with other names for some teams."""
    return TeamState(
        table_of(countries.tables.of(TRUTH)).with_columns(pl.col("team").replace(names)), DEFAULT_SPEC
    )


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


@pytest.mark.parametrize("module", ["state", "given_histories"])
def test_serving_loads_no_orchestrator_and_no_training_library(module: str) -> None:
    code = (
        f"import sys, football_assets.sequences.{module}; "
        "sys.exit(' '.join({'dagster', 'torch', 'dbt', 'duckdb'} & sys.modules.keys()) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


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
