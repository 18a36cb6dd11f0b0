"""The jobs that sensors and schedules request.

The steps of a run share one process: a process per step would spend more time on imports than most steps compute.
Pools still limit them. Jobs that train carry a tag, of which the run queue starts one run at a time, and on Kubernetes
one with the size of their pod.
"""

from typing import Any

from dagster import AssetSelection, define_asset_job, in_process_executor

from football_assets.automation.registry_jobs import follow_registry
from football_assets.automation.retention_job import prune_storage
from football_assets.automation.tags import TRAINS_TAG
from football_assets.orchestration.run_resources import training_pod
from football_assets.settings import get_settings

# From the landing files, or from the model, through to the forecasts. Results are fetched and configurations searched
# for on other occasions.
FROM_LANDING = AssetSelection.from_string(
    'key:"raw_matches_rejected" or (key:"raw_matches"+ and +key:"fixture_predictions")'
) - AssetSelection.from_string('key:"sweep"')
FROM_TRAINING = AssetSelection.from_string('key:"trained_lstm"+ and +key:"fixture_predictions"')
WATCHING_DRIFT = AssetSelection.from_string('key:"prediction_log" or key:"drift_report"')
SYNCED = AssetSelection.from_string('key:"synced_results"')

_TRAINS = {TRAINS_TAG: "true", **training_pod(get_settings())}

refresh_forecasts = define_asset_job(
    "refresh_forecasts",
    FROM_LANDING,
    description="Reads the landing files of countries and materializes everything through to the fixture predictions.",
    executor_def=in_process_executor,
    run_tags=_TRAINS,
)

retrain = define_asset_job(
    "retrain",
    FROM_TRAINING,
    description="Trains a model on the current tensors, applies the promotion gate, and forecasts the fixtures.",
    executor_def=in_process_executor,
    run_tags=_TRAINS,
)

watch_drift = define_asset_job(
    "watch_drift",
    WATCHING_DRIFT,
    description="Collects the logged predictions and compares them with the training data of the model.",
    executor_def=in_process_executor,
)

sync_results = define_asset_job(
    "sync_results",
    SYNCED,
    description="Fetches current results from the public sources into the landing files.",
    executor_def=in_process_executor,
)

jobs: list[Any] = [refresh_forecasts, retrain, follow_registry, watch_drift, sync_results, prune_storage]
