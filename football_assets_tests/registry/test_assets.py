"""`registered_model` as a Dagster run: published, judged, idempotent, and never failing when the gate rejects it."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetCheckSeverity,
    AssetKey,
    AssetMaterialization,
    AssetSelection,
    DagsterInstance,
    InputContext,
)

from football_assets.orchestration import data_versions
from football_assets.orchestration.dagster_private import DATA_VERSION_TAG
from football_assets.orchestration.data_versions import latest_data_versions
from football_assets.orchestration.io_managers import FolderIOManager
from football_assets.registry import promotion
from football_assets.registry.assets import assets
from football_assets.registry.checks import checks
from football_assets.registry.store import VERSIONS, Registry
from football_assets.storage import tables
from football_assets.storage.artifacts import named_digests
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.altered_versions import ALTERATIONS
from football_assets_tests.builders.registry_graph import (
    SimulatedFolders,
    World,
    evaluations,
    make_world,
    metadata,
)
from football_assets_tests.builders.signing_keys import make_key
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.wandb_server import wait_for_record

CHANCES = ("p_home", "p_draw", "p_away")


@pytest.fixture
def world(tmp_path: Path, folders: SimulatedFolders) -> World:
    return make_world(tmp_path / "home", folders)


def publish_a_model_that_says_the_class_prior(world: World, folders: SimulatedFolders, folder: Path) -> None:
    shutil.copytree(folders.model_evaluation, folder)
    test = pl.read_parquet(folder / "test_predictions.parquet")
    prior = [pl.col(f"class_prior_{name}").alias(name) for name in CHANCES]
    test.with_columns(prior).write_parquet(folder / "test_predictions.parquet")
    world.publish_folder("model_evaluation", folder)


def test_a_good_model_is_published_and_promoted_and_shows_its_card(world: World) -> None:
    result = world.run([*assets, *checks])
    shown = metadata(result, "registered_model")
    assert shown["version"] == 1
    assert shown["promoted"] is True
    assert shown["production_version"] == "1"
    assert "| class prior | 580 |" in shown["comparisons"]
    assert "| Elo baseline | 580 |" in shown["comparisons"]
    assert shown["model_card"].startswith("# Football match forecaster")
    assert shown["reasons"].count("\n- ") == 2
    assert {name: item.passed for name, item in evaluations(result).items()} == {
        "candidate_bundle_is_whole": True,
        "candidate_beats_the_class_prior": True,
        "candidate_passes_the_gate": True,
    }
    assert world.registry.aliases() == {"production": 1, "candidate": 1}
    provenance = world.registry.manifest(1).metadata["provenance"]
    assert provenance["run_id"] == world.registry.manifest(1).metadata["run_id"] == result.run_id
    assert shown["provenance"] == provenance
    assert set(provenance["inputs"]) >= {"trained_lstm", "onnx_model", "team_form", "team_market_ratings"}
    assert shown["signature"] == "unsigned"
    assert [path.name for path in world.scratch.iterdir()] == ["registry"]  # no bundle is left behind


def report(
    instance: DagsterInstance, name: str, version: str, digest: str | None = None, country: str | None = None
) -> None:
    """Record a materialization, as another run does."""
    metadata = {} if digest is None else {"digest": digest}
    tags = {DATA_VERSION_TAG: version}
    event = AssetMaterialization(name, metadata=metadata, tags=tags, partition=country)
    instance.report_runless_asset_event(event)


def test_the_provenance_names_the_folder_that_was_loaded_and_not_a_later_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (loaded,) = named_digests(world.bucket, "trained_lstm")
    load = FolderIOManager.load_input
    with DagsterInstance.ephemeral() as instance:
        report(instance, "trained_lstm", "before", "0" * 24)
        report(instance, "trained_lstm", "loaded", loaded)

        def load_and_train(self: FolderIOManager, context: InputContext) -> Path:
            """Another run trains once the step has loaded its input."""
            folder = load(self, context)
            if context.asset_key == AssetKey("trained_lstm"):
                report(instance, "trained_lstm", "later", "1" * 24)
                report(instance, "trained_lstm", "by a person")
            return folder

        monkeypatch.setattr(FolderIOManager, "load_input", load_and_train)
        world.run(assets, instance=instance)
        latest = latest_data_versions(instance, [AssetKey("trained_lstm")])

    inputs = world.registry.manifest(1).metadata["provenance"]["inputs"]
    assert latest == {"trained_lstm": "by a person"}
    assert inputs["trained_lstm"] == "loaded"
    assert inputs["onnx_model"] is None  # no materialization of its content is recorded


def test_tables_that_are_materialized_while_they_are_read_are_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reads = tables.read_table, []
    ratings = read(world.bucket, "team_ratings")
    raised = ratings.with_columns(pl.col("elo_after") + 100.0)

    def read_while_another_run_writes(
        bucket: Bucket, name: str, *arguments: Any, **options: Any
    ) -> pl.DataFrame:
        found = read(bucket, name, *arguments, **options)
        reads.append(name)
        if reads == ["team_matches", "team_form", "team_ratings"]:
            write_by_country(bucket, "team_ratings", raised)
            report(instance, "team_ratings", "later", country="eng")
        return found

    monkeypatch.setattr(tables, "read_table", read_while_another_run_writes)
    with DagsterInstance.ephemeral() as instance:
        for country in ("eng", "es"):
            report(instance, "team_ratings", "before", country=country)
        world.run(assets, instance=instance)

    inputs = world.registry.manifest(1).metadata["provenance"]["inputs"]
    assert inputs["team_ratings"] == {"eng": "later", "es": "before"}
    assert reads.count("team_ratings") == 2
    states = {}
    for name, table in (("before", ratings), ("later", raised)):
        write_by_country(world.bucket, "team_ratings", table)
        world.run(assets, instance=DagsterInstance.ephemeral())
        states[name] = world.registry.open("candidate").read("team_state.parquet")
    assert states["before"] != states["later"]
    assert world.registry.open(1).read("team_state.parquet") == states["later"]


def test_a_table_that_is_materialized_during_every_read_has_no_data_version_and_the_version_is_registered(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read, reads = tables.read_table, []

    def read_while_another_run_writes(
        bucket: Bucket, name: str, *arguments: Any, **options: Any
    ) -> pl.DataFrame:
        if name == "team_form":
            reads.append(name)
            report(instance, "team_form", f"version {len(reads)}")
        return read(bucket, name, *arguments, **options)

    monkeypatch.setattr(tables, "read_table", read_while_another_run_writes)
    monkeypatch.setattr(data_versions, "_FIRST_WAIT_SECONDS", 0)
    with DagsterInstance.ephemeral() as instance:
        report(instance, "team_ratings", "settled")
        world.run(assets, instance=instance)

    inputs = world.registry.manifest(1).metadata["provenance"]["inputs"]
    assert (inputs["team_form"], inputs["team_ratings"]) == (None, "settled")
    assert len(reads) == 10
    assert "The data versions of team_form are unknown." in capsys.readouterr().err


def test_the_bundle_is_an_artifact_of_wandb_where_tracking_is_on(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("FOOTBALL_WANDB_PROJECT", "football")
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "tracked"))
    result = world.run(assets)
    folder = Path(metadata(result, "registered_model")["wandb"])
    assert folder.name.endswith(f"{result.run_id}-registered_model")
    wanted = (b"football-forecaster", b"production", b"version-1", b"model.onnx", b"passed the gate")
    wait_for_record(folder, *wanted)
    model = world.bucket.read(f"{VERSIONS}1/model.onnx")
    staged = (tmp_path / "tracked" / "scratch" / "wandb").rglob("staging/*")
    assert model in [path.read_bytes() for path in staged]


def test_materializing_again_makes_no_new_version(world: World) -> None:
    world.run(assets)
    shown = metadata(world.run(assets), "registered_model")
    assert shown["version"] == 1
    assert "in production already" in shown["decision"]
    assert world.registry.versions() == [1]
    assert world.registry.aliases() == {"production": 1, "candidate": 1}


def test_a_refused_candidate_is_registered_and_reported_but_no_failure(
    world: World, folders: SimulatedFolders, tmp_path: Path
) -> None:
    world.run(assets)
    publish_a_model_that_says_the_class_prior(world, folders, tmp_path / "evaluation")
    result = world.run([*assets, *checks])
    assert result.success
    shown = metadata(result, "registered_model")
    assert shown["version"] == 2
    assert shown["promoted"] is False
    assert "Version 2 was rejected by the gate; version 1 stays." in shown["decision"]
    assert "not significantly better than the class prior" in shown["reasons"]
    found = evaluations(result)
    assert found["candidate_bundle_is_whole"].passed
    assert not found["candidate_beats_the_class_prior"].passed
    assert not found["candidate_passes_the_gate"].passed
    assert found["candidate_passes_the_gate"].severity is AssetCheckSeverity.WARN
    assert world.registry.aliases() == {"production": 1, "candidate": 2}


def test_the_gate_is_configured_in_the_launchpad(world: World) -> None:
    config = {"ops": {"registered_model": {"config": {"least_days": 1000}}}}
    shown = metadata(world.run(assets, run_config=config), "registered_model")
    assert shown["promoted"] is False
    assert "at least 1000 are needed" in shown["reasons"]


def test_a_candidate_damaged_in_the_bucket_fails_its_check(world: World) -> None:
    world.run(assets)
    shutil.rmtree(world.scratch / "registry")
    world.bucket.write(f"{VERSIONS}1/team_state.parquet", b"rotten")
    only_checks = AssetSelection.all_asset_checks()
    result = world.run([*assets, *checks], selection=only_checks, raise_on_error=False)
    found = evaluations(result)["candidate_bundle_is_whole"]
    assert not found.passed
    assert "team_state.parquet is corrupt" in str(found.description)


def test_too_few_test_days_fail_the_prior_check_with_the_reason(world: World) -> None:
    config = {"ops": {"registered_model": {"config": {"least_days": 1000}}}}
    found = evaluations(world.run([*assets, *checks], run_config=config))["candidate_beats_the_class_prior"]
    assert not found.passed
    assert "at least 1000 are needed" in str(found.description)


def test_the_bundle_in_the_bucket_is_what_the_manifest_says(world: World) -> None:
    world.run(assets)
    manifest = json.loads(world.bucket.read(f"{VERSIONS}1/manifest.json"))
    stored = {item.name.rpartition("/")[2] for item in world.bucket.list(f"{VERSIONS}1/")}
    assert stored - {"manifest.json", "claim.json"} == set(manifest["files"])


def test_a_version_is_signed_and_logged_with_its_signature_where_a_key_is_configured(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "keys")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("FOOTBALL_WANDB_PROJECT", "football")
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "tracked"))

    result = world.run([*assets, *checks])

    shown = metadata(result, "registered_model")
    assert shown["promoted"] is True
    assert shown["signature"].startswith("verified key ")
    assert evaluations(result)["candidate_bundle_is_whole"].passed
    folder = Path(shown["wandb"])
    wait_for_record(folder, b"model.sig", b"manifest.json")
    staged = [path.read_bytes() for path in (tmp_path / "tracked" / "scratch" / "wandb").rglob("staging/*")]
    for name in ("model.sig", "manifest.json", "model.onnx"):
        assert world.bucket.read(f"{VERSIONS}1/{name}") in staged


def test_provenance_that_was_altered_after_the_signature_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "keys")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    judge = promotion.judge_and_promote

    def judge_and_alter(registry: Registry, version: int, *arguments: Any) -> promotion.Verdict:
        verdict = judge(registry, version, *arguments)
        ALTERATIONS["the provenance"](world.bucket, version)
        return verdict

    monkeypatch.setattr(promotion, "judge_and_promote", judge_and_alter)

    result = world.run(assets, raise_on_error=False)

    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "manifest.json has another content" in str(failure.step_failure_data.error)


def test_a_version_is_not_registered_where_signatures_are_verified_and_none_can_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(make_key(tmp_path / "keys").public))

    result = world.run(assets, raise_on_error=False)

    assert not result.success
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "set FOOTBALL_SIGNING_KEY" in str(failure.step_failure_data.error)
    assert list(world.bucket.list(VERSIONS)) == []


def test_an_unsigned_candidate_fails_its_checks_once_a_key_is_configured(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.run(assets)
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(make_key(tmp_path / "keys").public))
    only_checks = AssetSelection.all_asset_checks()

    found = evaluations(world.run([*assets, *checks], selection=only_checks, raise_on_error=False))

    assert not found["candidate_bundle_is_whole"].passed
    assert "is not signed" in str(found["candidate_bundle_is_whole"].description)
