"""Fixtures are forecast by the production model, from the tables or by names, and people's mistakes get an answer."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest

from football_assets.domain.measures import CLOSING_ODDS, PRE_MATCH_ODDS
from football_assets.errors import FootballError, RegistryError, UnknownLeague, UnknownTeam
from football_assets.forecasting.fixtures import (
    forecast_fixtures,
    forecast_match,
    forecast_rows,
    next_fixtures_text,
    production_bundle,
)
from football_assets.forecasting.schema import FIXTURE_DESCRIPTIONS, FIXTURE_SCHEMA
from football_assets.registry.gate import GateDecision
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.predictor import load_predictor, load_team_state
from football_assets.registry.store import Registry
from football_assets.sequences.columns import MARKET_TABLE, SHOT_TABLE, columns_read
from football_assets.sequences.encoder import TeamHistory, encode, history_rows
from football_assets.sequences.home_advantage import with_home_advantage
from football_assets.sequences.rating_context import with_rating_context
from football_assets.sequences.spec import DEFAULT_SPEC, MATCH_ODDS, Feature
from football_assets.sequences.state import Fixture
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import write_table
from football_assets_tests.builders.feature_tables import FIRST_DAY, PLAYED_ROUNDS, ROUNDS, feature_tables
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import FeatureTables

MATCH_DAY = FIRST_DAY + timedelta(days=7 * ROUNDS)
CHANCES = ("p_home", "p_draw", "p_away")


def forecasts(bundle: Path, tables: FeatureTables, today: date = date(2026, 1, 1)) -> pl.DataFrame:
    with TemporaryDirectory() as folder:
        bucket = open_bucket(folder)
        for name in ("stg_matches", *columns_read()):
            write_by_country(bucket, name, getattr(tables, name))
        return forecast_fixtures(ModelBundle.of_folder(bundle), 7, bucket, today)


def test_every_unplayed_match_is_forecast_in_order_of_kick_off(bundle: Path) -> None:
    tables = feature_tables()
    found = forecasts(bundle, tables)
    unplayed = tables.stg_matches.filter(~pl.col("is_played"))
    assert found.schema == FIXTURE_SCHEMA
    assert found.height == 3 * (ROUNDS - PLAYED_ROUNDS)
    assert set(found["match_id"]) == set(unplayed["match_id"])
    assert found.rows() == found.sort("kickoff_date", "kickoff_time").rows()
    assert found["kickoff_time"].null_count() == 0
    assert found["model_version"].unique().to_list() == [7]
    np.testing.assert_allclose(found.select(CHANCES).sum_horizontal().to_numpy(), 1, atol=1e-6)


def test_forecasts_are_the_models_answers_for_the_encoders_inputs(bundle: Path) -> None:
    tables = feature_tables()
    found = forecasts(bundle, tables)
    fixtures = with_home_advantage(
        found.select("match_id").join(
            tables.match_features, on="match_id", how="left", maintain_order="left"
        ),
        tables.match_features,
    )
    rated = {MARKET_TABLE: tables.team_market_ratings, SHOT_TABLE: tables.team_shot_ratings}
    fixtures = with_rating_context(fixtures, rated, DEFAULT_SPEC)
    history = TeamHistory(
        history_rows(tables.team_matches, tables.team_ratings, *rated.values()), DEFAULT_SPEC
    )
    batch = encode(fixtures, history, DEFAULT_SPEC)
    probabilities, goals = load_predictor(bundle).predict(
        batch.home_history, batch.away_history, batch.context
    )
    np.testing.assert_allclose(found.select(CHANCES).to_numpy(), probabilities, atol=1e-6)
    np.testing.assert_allclose(found.select("xg_home", "xg_away").to_numpy(), goals, atol=1e-5)
    assert found["likeliest_scores"].str.count_matches(r"\d+-\d+ \d+ %").to_list() == [3] * found.height


def test_a_fixture_before_the_last_result_is_overdue_and_comes_last(bundle: Path) -> None:
    tables = feature_tables()
    first = tables.match_features.sort("kickoff_date").row(0, named=True)["match_id"]
    postponed = pl.col("match_id") == first
    features = tables.match_features.with_columns(is_played=pl.col("is_played") & ~postponed)
    tables = replace(tables, match_features=features)
    last = features.filter("is_played")["kickoff_date"].max()

    found = forecasts(bundle, tables)

    assert found.filter("is_overdue")["match_id"].to_list() == [first]
    assert found["match_id"].to_list()[-1] == first
    assert found.filter(~pl.col("is_overdue"))["kickoff_date"].min() > last  # type: ignore[operator]
    assert forecasts(bundle, tables, FIRST_DAY)["is_overdue"].to_list() == [False] * found.height
    coming, overdue = next_fixtures_text(found, fixtures=4).split("### Date passed, no result yet")
    assert (coming.count("\n| 2015-"), overdue.count("\n| 2015-")) == (4, 1)
    assert f"| {FIRST_DAY} | eng.1 |" in overdue


def test_a_match_without_a_day_is_forecast_for_its_next_fixture(
    registry: Registry, bundle: Path, tmp_path: Path
) -> None:
    fixtures = forecasts(bundle, feature_tables())
    write_table(registry.bucket, "fixture_predictions", fixtures)
    row = fixtures.row(0, named=True)
    names = (row["league_id"], row["home_team"], row["away_team"])

    found = forecast_match(registry, tmp_path / "scratch", *names)

    assert found["kickoff_date"].to_list() == [row["kickoff_date"]]
    np.testing.assert_allclose(found.select(CHANCES).row(0), [row[name] for name in CHANCES], atol=1e-6)
    swapped = (names[0], names[2], names[1])
    today = date(2016, 2, 3)
    assert forecast_match(registry, tmp_path, *swapped, today=today)["kickoff_date"][0] == today


ALL_GROUPS = frozenset({"results", "shots", "odds", "match_odds"})


def test_a_forecast_says_which_inputs_and_odds_it_uses(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = load_team_state(ModelBundle.of_folder(bundle)).encode(
        [Fixture("eng.1", "Arsenal", "Everton", MATCH_DAY)] * 3
    )
    places = [DEFAULT_SPEC.context_names.index(name) for name in ("odds_rated", *MATCH_ODDS)]
    batch.context[:, places] = [
        [0, np.nan, np.nan, np.nan],
        [1, np.nan, np.nan, np.nan],
        [1, 0.5, 0.25, 0.25],
    ]
    batch.context[:, DEFAULT_SPEC.context_names.index("shots_rated")] = 0
    keys = forecasts(bundle, feature_tables()).head(3).select(*tuple(FIXTURE_SCHEMA)[:7], "is_overdue")
    odds = {"odds_home": 2.1, "odds_draw": 3.4, "odds_away": 3.6}
    keys = keys.with_columns(pl.lit(value).alias(name) for name, value in odds.items())

    plain = forecast_rows(ModelBundle.of_folder(bundle), 1, keys, batch, DEFAULT_SPEC)
    monkeypatch.setattr("football_assets.forecasting.fixtures.groups_used", lambda *_: ALL_GROUPS)
    found = forecast_rows(ModelBundle.of_folder(bundle), 1, keys, batch, DEFAULT_SPEC)

    assert found.schema == FIXTURE_SCHEMA
    assert found.select("inputs", *odds).rows() == [
        ("results", None, None, None),
        ("results+odds", None, None, None),
        ("results+odds+match_odds", 2.1, 3.4, 3.6),
    ]
    assert "| results + past odds + odds of the match |" in next_fixtures_text(found)
    # The network has not learnt a weight of the odds of the match.
    assert plain.select("inputs", *odds).rows()[2] == ("results+odds", None, None, None)


def test_a_fixture_that_landed_with_odds_is_forecast_with_them(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("football_assets.forecasting.fixtures.groups_used", lambda *_: ALL_GROUPS)
    tables = feature_tables()
    first, second = tables.match_features.filter(~pl.col("is_played"))["match_id"].head(2)
    columns = {
        first: dict(zip(PRE_MATCH_ODDS, (2.0, 4.0, 4.0), strict=True)),
        second: dict(zip(CLOSING_ODDS, (2.0, 4.0, 4.0), strict=True)),
    }
    features = tables.match_features.with_columns(
        pl.when(match_id=match_id).then(value).otherwise(None).alias(name)
        for match_id, odds in columns.items()
        for name, value in odds.items()
    )

    found = forecasts(bundle, replace(tables, match_features=features))

    rows = {row["match_id"]: row for row in found.iter_rows(named=True)}
    assert rows[first]["inputs"].endswith("+match_odds")
    assert [rows[first][f"odds_{side}"] for side in ("home", "draw", "away")] == [2.0, 4.0, 4.0]
    assert found.filter(pl.col("inputs").str.contains("match_odds"))["match_id"].to_list() == [first]
    assert rows[second]["odds_home"] is None, "closing odds are never an input"


def test_without_fixtures_there_are_no_forecasts_but_the_columns(bundle: Path) -> None:
    tables = feature_tables()
    played = replace(tables, match_features=tables.match_features.filter("is_played"))
    found = forecasts(bundle, played)
    assert found.is_empty()
    assert found.schema == FIXTURE_SCHEMA
    assert next_fixtures_text(found) == "There is no fixture without a result."


def test_a_model_with_an_input_that_is_not_made_any_more_is_refused(bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    weather = Feature(name="weather", unit="flag", lower=0, upper=1, description="Rain.")
    DEFAULT_SPEC.model_copy(update={"context": (*DEFAULT_SPEC.context, weather)}).save(copy)
    with pytest.raises(RegistryError, match="needs an input that no longer exists.*weather"):
        forecasts(copy, feature_tables())


def test_a_match_is_forecast_by_names_with_what_the_bundle_knows(
    registry: Registry, bundle: Path, tmp_path: Path
) -> None:
    found = forecast_match(registry, tmp_path / "scratch", "eng.1", "Arsenal", "Everton", MATCH_DAY)
    assert found.schema == FIXTURE_SCHEMA
    row = found.row(0, named=True)
    assert (row["league_id"], row["home_team"], row["away_team"]) == ("eng.1", "Arsenal", "Everton")
    assert (row["season"], row["kickoff_date"], row["model_version"]) == ("2015-16", MATCH_DAY, 1)
    batch = load_team_state(ModelBundle.of_folder(bundle)).encode(
        [Fixture("eng.1", "Arsenal", "Everton", MATCH_DAY)]
    )
    expected, _ = load_predictor(bundle).predict(batch.home_history, batch.away_history, batch.context)
    np.testing.assert_allclose([row[name] for name in CHANCES], expected[0], atol=1e-6)


def test_home_and_away_make_a_difference(registry: Registry, tmp_path: Path) -> None:
    one = forecast_match(registry, tmp_path, "eng.1", "Arsenal", "Everton", MATCH_DAY)
    other = forecast_match(registry, tmp_path, "eng.1", "Everton", "Arsenal", MATCH_DAY)
    assert abs(one["p_home"][0] - other["p_home"][0]) > 1e-3


def test_a_later_season_has_its_own_label(registry: Registry, tmp_path: Path) -> None:
    found = forecast_match(registry, tmp_path, "en.1", "arsenal", "Everton", date(2016, 8, 20))
    assert (found["season"][0], found["league_id"][0], found["home_team"][0]) == (
        "2016-17",
        "eng.1",
        "Arsenal",
    )


def test_unknown_names_get_the_nearest_spelling(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UnknownTeam, match="'Arsenal'"):
        forecast_match(registry, tmp_path, "eng.1", "Arsenl", "Everton", MATCH_DAY)
    with pytest.raises(UnknownTeam, match="'Liverpool'"):
        forecast_match(registry, tmp_path, "eng.1", "Arsenal", "Liverpol", MATCH_DAY)
    with pytest.raises(UnknownLeague, match=r"eng\.1"):
        forecast_match(registry, tmp_path, "eng.9", "Arsenal", "Everton", MATCH_DAY)


def test_a_team_against_itself_and_a_day_in_the_past_are_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(FootballError, match="itself"):
        forecast_match(registry, tmp_path, "eng.1", "Arsenal", "Arsenal", MATCH_DAY)
    with pytest.raises(FootballError, match="choose a later day"):
        forecast_match(registry, tmp_path, "eng.1", "Arsenal", "Everton", FIRST_DAY)


def test_without_any_model_the_person_is_told_to_materialize_one(tmp_path: Path) -> None:
    from football_assets.storage.local import LocalBucket

    with pytest.raises(RegistryError, match="materialize the asset 'registered_model'"):
        production_bundle(Registry(LocalBucket(tmp_path / "empty")), tmp_path)


def test_without_a_production_model_the_error_has_the_gates_reason(bundle: Path, tmp_path: Path) -> None:
    from football_assets.storage.local import LocalBucket

    registry = Registry(LocalBucket(tmp_path / "bucket"))
    registry.set_alias("candidate", registry.publish(bundle, {}))
    refusals = ["The candidate is significantly worse than the Elo baseline."]
    registry.record_decision(1, GateDecision(False, ["Fine.", *refusals], refusals, []).to_dict())
    with pytest.raises(
        RegistryError, match="gate rejected version 1. The candidate is significantly worse"
    ) as caught:
        production_bundle(registry, tmp_path / "scratch")
    assert "football models promote 1" in str(caught.value)
    assert "Fine." not in str(caught.value)


def test_without_a_production_model_a_corrupt_decision_of_the_gate_is_named(
    bundle: Path, tmp_path: Path
) -> None:
    from football_assets.storage.local import LocalBucket

    registry = Registry(LocalBucket(tmp_path / "bucket"))
    registry.set_alias("candidate", registry.publish(bundle, {}))
    registry.bucket.write(
        "registry/decisions/1.json", b'{"accepted": false, "reasons": [], "comparisons": []}'
    )
    with pytest.raises(
        RegistryError, match=r"decisions/1\.json in .* is corrupt \(refusals: Field required\)"
    ):
        production_bundle(registry, tmp_path / "scratch")


def test_the_next_fixtures_are_readable_by_league(bundle: Path) -> None:
    found = forecasts(bundle, feature_tables())
    other = found.head(1).with_columns(league_id=pl.lit("es.1"))
    text = next_fixtures_text(pl.concat([found, other]), fixtures=4)
    england, spain = text.split("\n\n### ")
    assert england.startswith(
        "### Premier League\n\n| date | home | away | home win | draw | away win | goals | scores | inputs |"
    )
    assert england.count("\n| 2015-") == 4
    assert spain.startswith("La Liga")
    first = found.row(0, named=True)
    assert f"| {first['home_team']} | {first['away_team']} | {first['p_home'] * 100:.0f} % |" in text


def test_every_column_is_described() -> None:
    assert list(FIXTURE_DESCRIPTIONS) == list(FIXTURE_SCHEMA)
