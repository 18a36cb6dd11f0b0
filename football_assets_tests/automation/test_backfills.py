"""Which backfills sensors wait for."""

import time

import pytest
from dagster import AssetKey, DagsterInstance, DagsterRunStatus

from football_assets.automation.attempts import run_under_way
from football_assets.automation.backfills import IN_PROGRESS, backfill_in_progress, work_in_progress
from football_assets_tests.builders.backfills import add_backfill, end_backfill
from football_assets_tests.builders.small_graph import SmallHome

TRAINED = frozenset({AssetKey("trained_lstm"), AssetKey("raw_matches")})


@pytest.mark.parametrize("status", sorted(IN_PROGRESS))
def test_a_backfill_in_progress_is_found_by_any_of_its_assets(instance: DagsterInstance, status: str) -> None:
    backfill = add_backfill(instance, "sweep", "trained_lstm", status=status)
    assert backfill_in_progress(instance, TRAINED) == backfill


@pytest.mark.parametrize(
    "status", ["COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED", "COMPLETED"]
)
def test_a_backfill_that_has_ended_is_not_waited_for(instance: DagsterInstance, status: str) -> None:
    backfill = add_backfill(instance, "trained_lstm")
    end_backfill(instance, backfill, status)
    assert backfill_in_progress(instance, TRAINED) is None


def test_a_backfill_of_other_assets_is_not_waited_for(instance: DagsterInstance) -> None:
    add_backfill(instance, "sweep", "backtest")
    assert backfill_in_progress(instance, TRAINED) is None


def test_a_backfill_without_an_asset_selection_counts_for_every_asset(instance: DagsterInstance) -> None:
    backfill = add_backfill(instance, keys=None)
    assert backfill_in_progress(instance, TRAINED) == backfill


def test_an_older_backfill_in_progress_is_found_behind_newer_ones_that_have_ended(
    instance: DagsterInstance,
) -> None:
    backfill = add_backfill(instance, "trained_lstm")
    for _ in range(5):
        add_backfill(instance, "trained_lstm", status="COMPLETED_SUCCESS")
    assert backfill_in_progress(instance, TRAINED) == backfill


def test_the_gap_between_two_runs_of_a_backfill_is_work_in_progress(local_home: SmallHome) -> None:
    instance, now = local_home.instance, time.time()
    backfill = add_backfill(instance, "raw_matches")

    assert run_under_way(instance, TRAINED, now, "a_sensor") is None
    assert work_in_progress(instance, TRAINED, now, "a_sensor") == f"backfill {backfill}"

    job = local_home.definitions.resolve_job_def("retrain")
    run = instance.create_run_for_job(job, tags=job.run_tags, status=DagsterRunStatus.STARTED)
    assert work_in_progress(instance, TRAINED, now, "a_sensor") == f"run {run.run_id}"
    instance.report_run_canceled(run)
    end_backfill(instance, backfill)
    assert work_in_progress(instance, TRAINED, now, "a_sensor") is None
