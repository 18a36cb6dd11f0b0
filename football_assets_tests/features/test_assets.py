"""The stage in Dagster: keys, metadata, dbt tests and our own as asset checks, partial selections."""

import copy

import pytest
from dagster import AssetCheckKey, AssetKey, AssetSelection, BackfillPolicy

from football_assets.features.assets import POOL, assets, build_match_features, build_team_form
from football_assets.features.checks import checks
from football_assets.features.dbt_project import load_manifest
from football_assets.features.translator import code_version_of
from football_assets.orchestration.partitions import countries
from football_assets.storage.tables import read_table, table_objects
from football_assets_tests.features.conftest import COUNTRIES, Features, run_graph

RATED = ["team_ratings", "team_market_ratings", "team_shot_ratings"]
KEYS = ["stg_matches", "team_matches", "team_form", *RATED, "match_features"]


def test_the_graph_builds_every_table_and_every_check_passes(features: Features) -> None:
    assert features.run.success
    evaluations = features.run.get_asset_check_evaluations()
    assert {evaluation.check_name for evaluation in evaluations} >= {
        "unique_stg_matches_match_id",
        "team_plays_once_a_day",
        "match_features_as_of_kickoff",
        "ratings_know_nothing_of_their_day",
        "ratings_are_finite_and_complete",
        "market_ratings_know_nothing_of_their_day",
        "market_ratings_are_complete",
        "shot_ratings_know_nothing_of_their_day",
        "shot_ratings_are_complete",
        "every_match_has_features",
        "form_is_as_of_kickoff",
    }
    assert all(evaluation.passed for evaluation in evaluations)
    declared = {
        key for definition in (build_team_form, build_match_features) for key in definition.check_keys
    }
    own = {key for definition in checks for key in definition.check_keys}
    assert len(evaluations) == len(declared) + len(own)


def test_every_asset_has_its_one_part_key_and_what_a_person_looks_for() -> None:
    specs = {spec.key: spec for definition in assets for spec in definition.specs}
    assert set(specs) == {AssetKey(name) for name in KEYS}
    for name in KEYS:
        spec = specs[AssetKey(name)]
        assert spec.group_name == "features"
        assert spec.owners == ["team:forecasting"]
        assert spec.description is not None
        assert spec.description.startswith("One row")
    assert specs[AssetKey("team_form")].kinds == {"dbt", "duckdb"}


def test_the_code_version_of_a_dbt_model_is_of_its_sql_and_of_the_macros_that_it_calls() -> None:
    manifest = load_manifest()
    name = "model.football_features.team_form"
    macro = "macro.football_features.numbered_teams"
    version = code_version_of(manifest, name)
    (spec,) = (spec for spec in build_team_form.specs if spec.key == AssetKey("team_form"))
    assert spec.code_version == version

    before = copy.deepcopy(manifest)
    manifest["nodes"][name]["description"] = "Another description."
    manifest["nodes"][name]["raw_code"] += "\n-- it's a comment {# and one of Jinja #}\n\n"
    assert code_version_of(manifest, name) == version
    manifest["macros"][macro]["macro_sql"] += " limit 1"
    assert code_version_of(manifest, name) != version
    assert code_version_of(manifest, "model.football_features.stg_matches") == code_version_of(
        before, "model.football_features.stg_matches"
    )
    before["nodes"][name]["raw_code"] += "where name = '--'"
    changed = code_version_of(before, name)
    assert changed != version
    before["nodes"][name]["raw_code"] = before["nodes"][name]["raw_code"].replace("'--'", "'- '")
    assert code_version_of(before, name) != changed


def test_two_builds_of_features_exclude_each_other() -> None:
    """DuckDB and dbt use both cores of a small machine."""
    pools = {key: definition.op.pool for definition in assets for key in definition.keys}

    assert {key.to_user_string() for key, pool in pools.items() if pool == POOL} == set(KEYS)


def test_the_lineage_runs_from_raw_matches_through_the_ratings() -> None:
    deps = {
        spec.key.path[-1]: {dep.asset_key.path[-1] for dep in spec.deps} for a in assets for spec in a.specs
    }
    assert deps["stg_matches"] == {"raw_matches"}
    assert [deps[name] for name in RATED] == [{"stg_matches"}] * 3
    assert deps["match_features"] == {"stg_matches", "team_matches", "team_form", "team_ratings"}


def test_every_column_of_a_dbt_table_is_described(features: Features) -> None:
    for definition in (build_team_form, build_match_features):
        for spec in definition.specs:
            described = {column.name: column for column in spec.metadata["dagster/column_schema"].columns}
            assert list(described) == features.table(spec.key.path[-1]).columns
            assert all(column.description for column in described.values())


def test_materializations_have_rows_dates_and_examples_of_the_run(features: Features) -> None:
    events = features.run.get_asset_materialization_events()
    built = {(event.materialization.asset_key.path[-1], event.partition) for event in events}
    assert built == {(name, country) for name in KEYS for country in COUNTRIES}
    latest = {event.materialization.asset_key.path[-1]: event.materialization.metadata for event in events}
    for name in KEYS:
        assert latest[name]["dagster/row_count"].value == features.table(name).height
        assert latest[name]["countries"].value == "alt, han, nix, sim"
        assert str(latest[name]["first_date"].value) == "2010-08-07"
    assert "han:Ash" in str(latest["team_form"]["latest_played"].value)
    assert "| elo |" in str(latest["team_ratings"]["strongest_teams"].value)
    assert "| strength |" in str(latest["team_market_ratings"]["strongest_teams"].value)
    share = features.table("team_market_ratings")["odds_known"].mean()
    assert latest["team_market_ratings"]["share_of_matches_with_odds"].value == pytest.approx(share, abs=1e-4)
    assert latest["team_shot_ratings"]["share_of_matches_with_shots"].value == 0.0  # none has landed


def test_all_ratings_have_the_same_rows(features: Features) -> None:
    keys = ["match_id", "team_id", "is_home", "kickoff_date", "league_id", "season", "is_played"]
    of_results, of_odds, of_shots = (features.table(name).select(keys) for name in RATED)
    assert of_odds.equals(of_results)
    assert of_shots.equals(of_results)


def test_every_table_is_partitioned_by_country_and_a_range_is_one_run() -> None:
    for definition in assets:
        assert definition.partitions_def == countries
        assert definition.backfill_policy == BackfillPolicy.single_run()


def test_one_model_is_rebuilt_alone_to_the_same_bytes(features: Features) -> None:
    store = features.bucket.open()
    names = ("stg_matches", "match_features")
    before = [item.version for name in names for item in table_objects(store, name)]
    run = run_graph(features.bucket, selection=AssetSelection.assets("match_features"))
    assert run.success
    names_built = {
        event.materialization.asset_key.path[-1] for event in run.get_asset_materialization_events()
    }
    assert names_built == {"match_features"}
    assert len(before) > len(names)
    assert [item.version for name in names for item in table_objects(store, name)] == before


def test_a_check_alone_tests_the_table_that_is_there(features: Features) -> None:
    key = AssetCheckKey(AssetKey("stg_matches"), "unique_stg_matches_match_id")
    run = run_graph(features.bucket, selection=AssetSelection.checks(key))
    assert run.success
    assert [event.asset_key for event in run.get_asset_materialization_events()] == []
    assert [evaluation.asset_check_key for evaluation in run.get_asset_check_evaluations()] == [key]
    assert read_table(features.bucket.open(), "stg_matches").height > 0
