"""What each job makes, what is on from the start, and that no two runs train at once."""

import shutil
import time
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from football_assets.automation.jobs import jobs
from football_assets.automation.schedules import schedules
from football_assets.automation.sensors import sensors
from football_assets.automation.tags import TRAINS_TAG
from football_assets.definitions import defs
from football_assets.orchestration.dagster_private import InMemoryJob, execute_run_iterator
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.small_graph import QUIET, SmallHome

LEARNT = {"trained_lstm", "model_evaluation", "onnx_model", "registered_model", "fixture_predictions"}
READ = {"raw_matches", "raw_matches_rejected"}
FEATURES = {
    "stg_matches",
    "team_matches",
    "team_form",
    "team_ratings",
    "team_market_ratings",
    "team_shot_ratings",
    "match_features",
    "sequence_tensors",
}


@pytest.mark.parametrize(
    ("name", "assets"),
    [
        ("refresh_forecasts", READ | FEATURES | LEARNT),
        ("retrain", LEARNT),
        ("watch_drift", {"prediction_log", "drift_report"}),
        ("sync_results", {"synced_results"}),
    ],
)
def test_a_job_makes_its_assets_with_their_checks_in_one_process(name: str, assets: set[str]) -> None:
    job = defs.resolve_job_def(name)
    graph = defs.get_repository_def().asset_graph

    made = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert made == assets
    checks = job.asset_layer.asset_graph.asset_check_keys
    assert checks == graph.get_check_keys_for_assets({dg.AssetKey(asset) for asset in assets})
    assert job.executor_def == dg.in_process_executor


def test_every_job_that_trains_carries_the_tag_that_the_queue_lets_through_one_at_a_time(
    tmp_path: Path,
) -> None:
    shutil.copy(project_root() / "dagster.yaml", tmp_path)
    with open_instance(tmp_path) as instance:
        queue = instance.get_concurrency_config().run_queue_config

    assert queue is not None
    assert queue.tag_concurrency_limits == [{"key": TRAINS_TAG, "value": "true", "limit": 1}]
    for job in jobs:
        trains = (
            dg.AssetKey("trained_lstm") in defs.resolve_job_def(job.name).asset_layer.executable_asset_keys
        )
        assert (defs.resolve_job_def(job.name).run_tags.get(TRAINS_TAG) == "true") is trains


def test_sensors_and_the_nightly_report_run_from_the_start_and_the_sync_does_not() -> None:
    on = {sensor.name for sensor in sensors if sensor.default_status is dg.DefaultSensorStatus.RUNNING}

    assert on >= {"new_results_sensor", "registry_sensor", "drift_sensor", "run_failure_alert"}
    assert {sensor.name for sensor in defs.get_repository_def().sensor_defs} == {
        sensor.name for sensor in sensors
    }
    assert {schedule.name: (schedule.default_status.value, schedule.job_name) for schedule in schedules} == {
        "nightly_drift_report": ("RUNNING", "watch_drift"),
        "daily_sync": ("STOPPED", "sync_results"),
        "daily_prune": ("RUNNING", "prune_storage"),
    }


def test_a_training_waits_for_the_pool_though_its_run_is_one_process(tmp_path: Path) -> None:
    place = tmp_path / "dagster"
    place.mkdir()
    shutil.copy(project_root() / "dagster.yaml", place)
    with open_instance(place) as instance:
        home = SmallHome(str(tmp_path / "bucket"), tmp_path, instance)
        job = home.definitions.resolve_job_def("retrain")
        slots = instance.event_log_storage
        slots.initialize_concurrency_limit_to_default("training")
        assert slots.claim_concurrency_slot("training", "another-run", "trained_lstm").is_claimed
        run = instance.create_run_for_job(job, run_config=QUIET, tags=job.run_tags)
        events = execute_run_iterator(InMemoryJob(job), run, instance)
        thread = Thread(target=lambda: list(events))
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not slots.get_concurrency_info("training").pending_steps:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            before = instance.get_asset_records([dg.AssetKey("trained_lstm")])
        finally:
            slots.free_concurrency_slots_for_run("another-run")
            thread.join(30)

        assert not before or before[0].asset_entry.last_materialization is None
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        assert ended.is_success
