"""What a tick of the registry's sensor requests: what does not agree with the registry, and nothing else."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetKey,
    AssetMaterialization,
    AssetsDefinition,
    AssetSpec,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RunRequest,
    SensorResult,
    SkipReason,
    asset,
)

from football_assets.automation import registry_sensor
from football_assets.automation.registry_jobs import FIXTURES, SERVING, VERSIONS_CHECK, follow_registry
from football_assets.automation.tags import EVENT_TAG, REASON_TAG
from football_assets.deployment.assets import assets as deployment_assets
from football_assets.deployment.checks import checks as deployment_checks
from football_assets.export.assets import assets as export_assets
from football_assets.forecasting.assets import assets as forecasting_assets
from football_assets.forecasting.checks import checks as forecasting_checks
from football_assets.monitoring.summary import LATEST
from football_assets.orchestration.dagster_private import RUN_KEY_TAG, SENSOR_NAME_TAG, BaseAssetGraph
from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.checks import registered_versions_are_whole
from football_assets.registry.store import ALIASES_OBJECT, Registry
from football_assets.runtime.serve_discovery import announced, make_token
from football_assets.settings import Settings
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.backfills import add_backfill, end_backfill
from football_assets_tests.builders.dagster_private import (
    AssetCheckEvaluationPlanned,
    create_run_for_test,
)
from football_assets_tests.builders.serve_server import TOKEN, ServeServer, serve_server

CHECKS_OF = {
    SERVING: {"production_is_what_serves"},
    FIXTURES: {"forecasts_are_probabilities", "every_fixture_has_a_forecast"},
}


@dataclass
class Followed:
    """A registry of three versions, with 1 in production and everything of version 1, and a Dagster instance."""

    bucket: LocalBucket
    settings: Settings
    instance: DagsterInstance
    graph: BaseAssetGraph[Any]
    server: ServeServer

    @property
    def registry(self) -> Registry:
        return Registry(self.bucket)

    def tick(self, after: float = 0) -> RunRequest | str:
        """The one run that is requested, or why none is; `after` so many seconds."""
        result = registry_sensor.evaluate_registry(
            self.instance, self.bucket, self.graph, self.settings, time.time() + after
        )
        if isinstance(result, SkipReason):
            assert result.skip_message is not None
            return result.skip_message
        assert isinstance(result, SensorResult)
        assert result.run_requests is not None
        (request,) = result.run_requests
        return request

    def requested(self, after: float = 0) -> RunRequest:
        request = self.tick(after)
        assert isinstance(request, RunRequest), request
        return request

    def skipped(self, after: float = 0) -> str:
        reason = self.tick(after)
        assert isinstance(reason, str), reason
        return reason

    def forecast_by(self, version: int) -> None:
        self.instance.report_runless_asset_event(
            AssetMaterialization(FIXTURES, metadata={"model_version": version})
        )

    def report_about(self, version: int) -> None:
        self.bucket.write(LATEST, json.dumps({"model_version": version}).encode())

    def check(self, *versions: int) -> None:
        self.instance.report_runless_asset_event(
            AssetCheckEvaluation(
                asset_key=VERSIONS_CHECK.asset_key,
                check_name=VERSIONS_CHECK.name,
                passed=True,
                metadata={"versions": list(versions)},
            )
        )

    def make_all_of(self, version: int) -> None:
        """What a run of the request would do."""
        self.follow(version)
        self.verify(version)
        self.forecast_by(version)
        self.report_about(version)

    def follow(self, version: int) -> None:
        """What replicas do when the alias moves."""
        self.server.production = version
        for replica in self.server.replicas:
            replica.version = version

    def verify(self, version: int) -> None:
        """What `serving_deployment` reports."""
        self.instance.report_runless_asset_event(
            AssetMaterialization(SERVING, metadata={"version": version, "session": self.server.session})
        )

    def run(self, request: RunRequest, status: DagsterRunStatus) -> DagsterRun:
        """The request's run, in a state."""
        return create_run_for_test(
            self.instance,
            job_name=follow_registry.name,
            status=status,
            asset_selection=frozenset(request.asset_selection or ()),
            asset_check_selection=frozenset(request.asset_check_keys or ()),
            tags={**request.tags, SENSOR_NAME_TAG: registry_sensor.NAME, RUN_KEY_TAG: str(request.run_key)},
        )


@pytest.fixture(scope="module")
def graph() -> BaseAssetGraph[Any]:
    @asset
    def drift_report() -> None:
        pass

    return graph_of([*export_assets, *forecasting_assets, *deployment_assets, drift_report])


def graph_of(assets: Sequence[AssetsDefinition]) -> BaseAssetGraph[Any]:
    bucket = BucketResource(url="", scratch="")
    made = {key for item in assets for key in item.keys}
    read = {key for item in assets for keys in item.asset_deps.values() for key in keys}
    return Definitions(
        assets=[*assets, *(AssetSpec(key) for key in read - made)],
        asset_checks=[
            check
            for check in (*forecasting_checks, *deployment_checks, registered_versions_are_whole)
            if {key.asset_key for key in check.check_keys} <= made
        ],
        resources={
            "bucket": bucket,
            "tables": TableIOManager(bucket=bucket),
            "folders": FolderIOManager(bucket=bucket),
        },
    ).resolve_asset_graph()


@pytest.fixture
def followed(tmp_path: Path, graph: BaseAssetGraph[Any]) -> Iterator[Followed]:
    bucket = LocalBucket(tmp_path / "home" / "bucket")
    settings = Settings(home=tmp_path / "home")
    registry = Registry(bucket)
    for number in (1, 2, 3):
        bundle = tmp_path / f"bundle{number}"
        bundle.mkdir()
        (bundle / "metrics.json").write_text(str(number))
        registry.publish(bundle, {"run_id": f"00000000-0000-0000-0000-00000000000{number}"})
    registry.promote(1)
    bucket.write("tables/match_features.parquet", b"rows")
    make_token(settings, TOKEN)
    with (
        serve_server() as server,
        announced(settings, server.url),
        DagsterInstance.ephemeral() as instance,
    ):
        followed = Followed(bucket, settings, instance, graph, server)
        followed.make_all_of(1)
        followed.check(1, 2, 3)
        yield followed


def names(request: RunRequest) -> set[str]:
    return {key.to_user_string() for key in request.asset_selection or ()}


def checks(request: RunRequest) -> set[str]:
    return {key.name for key in request.asset_check_keys or ()}


def test_nothing_is_requested_while_everything_is_of_the_production_version(followed: Followed) -> None:
    assert followed.skipped() == "All assets that could be materialized are of version 1."


def test_a_promoted_version_is_verified_forecast_and_reported_in_one_run(followed: Followed) -> None:
    followed.registry.promote(2)
    followed.follow(2)

    request = followed.requested()

    assert names(request) == {"serving_deployment", "fixture_predictions", "drift_report"}
    assert checks(request) == CHECKS_OF[SERVING] | CHECKS_OF[FIXTURES]
    assert "Production is version 2, and Serve is not verified to answer from it." in request.tags[REASON_TAG]
    followed.make_all_of(2)
    assert "version 2" in followed.skipped()


def test_a_rollback_is_followed_like_a_promotion(followed: Followed) -> None:
    followed.registry.promote(2)
    followed.make_all_of(2)
    followed.registry.rollback()

    assert names(followed.requested()) == {"serving_deployment", "fixture_predictions", "drift_report"}


def test_every_promotion_has_a_run_key_of_its_own_though_the_aliases_come_back(followed: Followed) -> None:
    keys = []
    for version in (2, 1, 2, 1):
        followed.registry.promote(version)
        request = followed.requested()
        assert followed.requested().run_key == request.run_key  # a tick that is evaluated again
        keys.append(str(request.run_key))
        followed.make_all_of(version)
        followed.skipped()

    assert len(set(keys)) == 4
    assert all(key.startswith(f"{ALIASES_OBJECT}@") for key in keys)


def test_what_the_graph_has_made_for_its_new_version_is_not_made_again(followed: Followed) -> None:
    followed.registry.promote(2)
    followed.forecast_by(2)

    assert names(followed.requested()) == {"serving_deployment", "drift_report"}


def test_fixtures_are_left_to_the_run_that_registered_the_version_while_it_goes_on(
    followed: Followed,
) -> None:
    run = create_run_for_test(
        followed.instance, run_id="00000000-0000-0000-0000-000000000002", status=DagsterRunStatus.STARTED
    )
    followed.registry.promote(2)

    assert names(followed.requested()) == {"serving_deployment", "drift_report"}

    followed.instance.report_run_failed(run)
    assert names(followed.requested()) == {"serving_deployment", "fixture_predictions", "drift_report"}


def test_what_a_backfill_in_progress_materializes_is_left_to_it(followed: Followed) -> None:
    backfill = add_backfill(followed.instance, "trained_lstm", "fixture_predictions")
    followed.registry.promote(2)

    assert names(followed.requested()) == {"serving_deployment", "drift_report"}

    end_backfill(followed.instance, backfill)
    backfill = add_backfill(
        followed.instance, "serving_deployment", "fixture_predictions", "drift_report", "onnx_model"
    )
    assert f"Waiting for backfill {backfill}." in followed.skipped()

    end_backfill(followed.instance, backfill)
    assert names(followed.requested()) == {"serving_deployment", "fixture_predictions", "drift_report"}


def test_a_refused_candidate_is_checked_and_nothing_is_deployed(followed: Followed, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tmp_path / "bundle1", tmp_path / "bundle4"))
    (folder / "metrics.json").write_text("4")
    followed.registry.set_alias("candidate", followed.registry.publish(folder, {}))

    request = followed.requested()

    assert names(request) == set()
    assert request.asset_check_keys == [
        AssetCheckKey(AssetKey("onnx_model"), "registered_versions_are_whole")
    ]
    assert request.tags[REASON_TAG] == "Not checked: version 4."
    followed.check(1, 4)
    followed.skipped()


def test_an_evaluation_that_a_run_has_planned_does_not_hide_the_one_before_it(followed: Followed) -> None:
    run = create_run_for_test(followed.instance, status=DagsterRunStatus.STARTED)
    planned = AssetCheckEvaluationPlanned(asset_key=VERSIONS_CHECK.asset_key, check_name=VERSIONS_CHECK.name)
    followed.instance.handle_run_event(
        run.run_id,
        DagsterEvent(
            DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value, run.job_name, event_specific_data=planned
        ),
    )

    followed.skipped()


def test_a_version_uploaded_without_an_alias_is_checked(followed: Followed, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tmp_path / "bundle1", tmp_path / "bundle4"))
    (folder / "metrics.json").write_text("4")
    followed.registry.publish(folder, {})

    assert checks(followed.requested()) == {"registered_versions_are_whole"}


def test_without_a_production_version_nothing_is_deployed(followed: Followed) -> None:
    followed.bucket.delete(ALIASES_OBJECT)

    assert followed.skipped() == "No version is in production; version 3 checked."


def test_an_empty_registry_is_no_event(tmp_path: Path, followed: Followed) -> None:
    followed.bucket = LocalBucket(tmp_path / "empty")

    assert followed.skipped() == "No model version is registered."


def test_while_serve_does_not_run_the_rest_is_made_and_it_is_verified_once_it_runs(
    followed: Followed,
) -> None:
    running = followed.settings.home / "serve" / "running.json"
    away = running.rename(running.with_name("away"))
    followed.registry.promote(2)

    assert names(followed.requested()) == {"fixture_predictions", "drift_report"}

    followed.forecast_by(2)
    followed.report_about(2)
    assert "Serve is not verified: Ray Serve does not run" in followed.skipped()
    away.rename(running)
    assert names(followed.requested()) == {"serving_deployment"}


def test_a_server_that_starts_is_verified_and_not_before_it_has_started(followed: Followed) -> None:
    followed.server.session = "another start"
    followed.server.status = "DEPLOYING"
    assert "Serve is starting or changing." in followed.skipped()

    followed.server.status = "RUNNING"
    first = followed.requested()
    assert names(first) == {"serving_deployment"}
    followed.verify(1)
    followed.skipped()
    followed.server.session = "a third start"
    assert followed.requested().run_key != first.run_key


def test_a_replica_that_answers_from_another_version_is_verified_again(followed: Followed) -> None:
    followed.server.replicas[1].version = 2
    followed.server.stuck.add("second")

    request = followed.requested()

    assert names(request) == {"serving_deployment"}
    assert "Replica second-process of 'football' answers from version 2." in request.tags[REASON_TAG]


def test_a_replica_that_lags_again_is_verified_again_after_a_pause_however_often(followed: Followed) -> None:
    followed.server.replicas[1].version = 2
    followed.server.stuck.add("second")
    for _ in range(4):  # more than the attempts at what fails
        run = followed.run(followed.requested(after=400), DagsterRunStatus.SUCCESS)
        assert f"Run {run.run_id} has verified Serve; the next verification is in" in followed.skipped()

    failed = followed.run(followed.requested(after=400), DagsterRunStatus.FAILURE)
    assert f"Run {failed.run_id} did not succeed: next attempt in" in followed.skipped()


def test_an_application_that_a_person_has_pinned_is_left_alone(followed: Followed) -> None:
    followed.server.user_config["version"] = followed.server.taken_up["version"] = 1
    followed.registry.promote(2)
    followed.forecast_by(2)
    followed.report_about(2)

    assert followed.skipped() == "Application 'football' of Ray Serve is pinned to 1 by its configuration."


def test_a_refused_token_stops_no_tick(followed: Followed) -> None:
    make_token(followed.settings, "wrong")
    followed.registry.promote(2)
    followed.forecast_by(2)
    followed.report_about(2)

    assert "rejects the token of Ray (403)" in followed.skipped()


def test_while_a_run_follows_no_other_is_requested(followed: Followed) -> None:
    followed.registry.promote(2)
    run = followed.run(followed.requested(), DagsterRunStatus.STARTED)
    followed.registry.promote(3)

    assert followed.skipped() == f"Run {run.run_id} follows the registry."


def test_a_run_that_was_created_and_never_launched_is_asked_for_by_its_key_again(followed: Followed) -> None:
    followed.registry.promote(2)
    request = followed.requested()
    followed.run(request, DagsterRunStatus.NOT_STARTED)

    assert followed.requested().run_key == request.run_key


def test_a_verification_that_failed_is_tried_again_later_and_at_once_after_a_new_event(
    followed: Followed,
) -> None:
    followed.registry.promote(2)
    first = followed.requested()
    run = followed.run(first, DagsterRunStatus.FAILURE)

    reason = followed.skipped()
    assert f"Run {run.run_id} did not succeed: next attempt in" in reason
    assert "Production is version 2, and Serve is not verified to answer from it." in reason

    second = followed.requested(after=120)
    assert names(second) == names(first)
    assert second.run_key != first.run_key
    assert second.tags[EVENT_TAG] == first.tags[EVENT_TAG]
    followed.registry.promote(3)
    assert "Production is version 3" in followed.requested().tags[REASON_TAG]


def test_what_a_failed_run_did_make_does_not_bring_the_next_attempt_forward(followed: Followed) -> None:
    followed.registry.promote(2)
    followed.run(followed.requested(), DagsterRunStatus.FAILURE)
    followed.forecast_by(2)

    assert "next attempt in" in followed.skipped()
    assert names(followed.requested(after=120)) == {"serving_deployment", "drift_report"}


def test_what_was_not_part_of_a_failed_run_is_made_at_once(followed: Followed) -> None:
    followed.registry.promote(2)
    followed.forecast_by(2)
    followed.report_about(2)
    failed = followed.requested()
    followed.run(failed, DagsterRunStatus.FAILURE)
    followed.forecast_by(1)

    request = followed.requested()

    assert names(request) == {"fixture_predictions"}
    assert request.run_key != failed.run_key


def test_fixtures_are_not_asked_for_where_there_are_no_matches(followed: Followed) -> None:
    followed.bucket.delete("tables/match_features.parquet")
    followed.registry.promote(2)

    assert names(followed.requested()) == {"serving_deployment", "drift_report"}


def test_an_asset_that_the_code_location_lacks_is_not_asked_for(followed: Followed) -> None:
    followed.graph = graph_of([*export_assets, *deployment_assets])
    followed.registry.promote(2)

    assert names(followed.requested()) == {SERVING.to_user_string()}
