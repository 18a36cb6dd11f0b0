"""`registry_sensor`: reconciles fixture predictions and drift report with the alias `production`, and verifies Serve.

A tick compares the production version with the version that `serving_deployment` last verified in this Serve, that the
replicas answer from, that forecast the fixtures, and that the drift report is about. It also compares the newest
versions and those with an alias with the versions that were checked. The assets that differ are requested as one run.
Assets that the graph has already materialized with the new version are not rebuilt.

- Serve follows the alias by itself. `serving_deployment` verifies every replica, and reloads those that lag. An
  application that a person has pinned to a version or to another alias does not change.
- The run key identifies the event: version and time of `registry/aliases.json`, the start of Serve that is verified,
  and the attempt number. The time is needed since the version of an object in a local bucket is a digest, which recurs
  if an alias moves back. The number of attempts at each part is bounded, with a delay between them. A new event, such
  as a start of Serve, has its own attempts.
- If Serve does not run, nothing is verified.
- While the run that registered a version, or a backfill, is in progress, the assets that it will materialize are not
  requested.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from football_assets.automation.attempts import Attempts, attempts_at, ended_at
from football_assets.automation.backfills import backfill_in_progress
from football_assets.automation.registry_jobs import DRIFT, FIXTURES, SERVING, VERSIONS_CHECK, follow_registry
from football_assets.automation.tags import EVENT_TAG, reason_tag
from football_assets.deployment.serve_api import ServeApi
from football_assets.deployment.serve_state import SESSION_METADATA, ServeState
from football_assets.errors import ObjectNotFound
from football_assets.monitoring.summary import LATEST
from football_assets.orchestration.dagster_private import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    BaseAssetGraph,
)
from football_assets.orchestration.resources import BucketResource
from football_assets.orchestration.run_statuses import UNFINISHED_STATUSES
from football_assets.registry.registry_state import CHECKED, RegistryState, read_registry
from football_assets.registry.store import Registry
from football_assets.runtime.serve_discovery import ServeUnreachable, find_serve
from football_assets.settings import Settings, get_settings
from football_assets.storage.bucket import Bucket

NAME = "registry_sensor"
_INTERVAL_SECONDS = 10
SERVE_SECONDS = 3.0  # for the state of Serve, and for the replicas of each application
REPAIR_PAUSE = timedelta(minutes=5)  # between a verification and the next one of the same event
FORECAST_FROM = "tables/match_features"  # without these there is nothing to forecast
REGISTRATION = timedelta(hours=1)  # a run that registered a version longer ago is not waited for
SESSION_CHARACTERS = 12
_RUNNING = "RUNNING"  # status of an application of Ray Serve

_UNDER_WAY = [status for status in UNFINISHED_STATUSES if status is not DagsterRunStatus.NOT_STARTED]


@dataclass(frozen=True)
class Plan:
    """What does not agree with the registry, each with the reason, and what is waited for."""

    missing: Mapping[AssetKey | AssetCheckKey, str]
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class ServeView:
    """What Serve is configured to serve, and which replicas answer from another version than production, in words."""

    state: ServeState
    lagging: tuple[str, ...]


@sensor(
    name=NAME,
    job=follow_registry,
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=DefaultSensorStatus.RUNNING,
    description="When an alias changes, verifies Serve and materializes fixture predictions and drift report.",
)
def registry_sensor(context: SensorEvaluationContext, bucket: BucketResource) -> SensorResult | SkipReason:
    """Evaluate one tick."""
    assert context.repository_def is not None
    graph = context.repository_def.asset_graph
    return evaluate_registry(context.instance, bucket.open(), graph, get_settings(), time.time())


def evaluate_registry(
    instance: DagsterInstance, bucket: Bucket, graph: BaseAssetGraph[Any], settings: Settings, now: float
) -> SensorResult | SkipReason:
    """Return the run request, or why there is none. `now` is in Unix seconds."""
    under_way = instance.get_runs(RunsFilter(job_name=follow_registry.name, statuses=_UNDER_WAY), limit=1)
    if under_way:
        return SkipReason(f"Run {under_way[0].run_id} follows the registry.")
    registry = read_registry(Registry(bucket))
    if not registry.versions_in_view:
        return SkipReason("No model version is registered.")
    serve, problem = _see_serve(settings, registry.production)
    plan = make_plan(instance, bucket, registry, serve, now)
    session = (serve.state.session if serve else "")[:SESSION_CHARACTERS] or "no-serve"
    event = f"{registry.event}/{session}"
    attempts = attempts_at(instance, event)
    wanted, waiting = {}, [problem, *plan.waiting]
    for key, reason in plan.missing.items():
        if not _exists(graph, key):
            continue
        obstacle = _obstacle(instance, attempts, key, now)
        if obstacle is None:
            wanted[key] = reason
        else:
            waiting.append(f"{reason} {obstacle}")
    if not wanted:
        return SkipReason(" ".join([*filter(None, waiting)] or [_agreed(registry)]))
    tags = {EVENT_TAG: event, **reason_tag(" ".join(wanted.values()))}
    return SensorResult(run_requests=[_request(wanted, graph, f"{event}/{attempts.number}", tags)])


def make_plan(
    instance: DagsterInstance, bucket: Bucket, registry: RegistryState, serve: ServeView | None, now: float
) -> Plan:
    """Compare the assets and Serve with the registry."""
    missing: dict[AssetKey | AssetCheckKey, str] = {}
    waiting: list[str] = []
    production = registry.production
    unchecked = registry.versions_in_view - _checked(instance)
    if unchecked:
        missing[VERSIONS_CHECK] = f"Not checked: {_versions(unchecked)}."
    if production is None:
        return Plan(missing, ())
    if serve is not None:
        reason, to_wait_for = _compare_serving(instance, serve, production)
        if reason:
            missing[SERVING] = reason
        waiting += to_wait_for
    forecast = _last_metadata(instance, FIXTURES).get("model_version")
    if forecast != production and next(iter(bucket.list(FORECAST_FROM)), None) is not None:
        busy = _registering_run(instance, registry, now)
        if busy is None:
            missing[FIXTURES] = f"Fixtures are forecast by version {forecast}, not {production}."
        else:
            waiting.append(f"Run {busy} will forecast the fixtures.")
    reported = _reported_version(bucket)
    if reported != production:
        missing[DRIFT] = f"The drift report is about version {reported}, not {production}."
    return Plan(missing, tuple(waiting))


def _see_serve(settings: Settings, production: int | None) -> tuple[ServeView | None, str]:
    """Read the configuration and the answers of Serve, or return why they are unknown."""
    try:
        api = ServeApi(find_serve(settings), timeout=SERVE_SECONDS)
        state = api.state()
    except ServeUnreachable as error:
        return None, f"Serve is not verified: {error}"
    lagging = [
        f"Replica {answer.replica} of {item.name!r} answers from version {answer.version}."
        for item in state.applications
        if not item.is_pinned and item.status == _RUNNING
        for answer in api.health(item).values()
        if answer.version != production
    ]
    return ServeView(state, tuple(lagging)), ""


def _compare_serving(
    instance: DagsterInstance, serve: ServeView, production: int
) -> tuple[str | None, list[str]]:
    """Why `serving_deployment` is to run, if it is, and what is waited for or left alone."""
    notes = [
        f"Application {item.name!r} of Ray Serve is pinned to {item.wanted!r} by its configuration."
        for item in serve.state.applications
        if item.is_pinned
    ]
    following = [item for item in serve.state.applications if not item.is_pinned]
    if not following:
        return None, notes
    metadata = _last_metadata(instance, SERVING)
    verified = (metadata.get("version"), metadata.get(SESSION_METADATA)) == (production, serve.state.session)
    if verified and not serve.lagging:
        return None, notes
    if any(item.status != _RUNNING for item in following):
        return None, [*notes, "Serve is starting or changing."]
    if verified:
        return f"Production is version {production}. {' '.join(serve.lagging)}", notes
    return f"Production is version {production}, and Serve is not verified to answer from it.", notes


def _checked(instance: DagsterInstance) -> frozenset[int]:
    """Return the versions that the last completed evaluation of the check has read."""
    records = instance.event_log_storage.get_asset_check_execution_history(
        VERSIONS_CHECK, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    )
    evaluation = records[0].evaluation if records else None
    value = evaluation.metadata.get(CHECKED) if evaluation is not None else None
    return frozenset(value.value) if value is not None else frozenset()  # type: ignore[arg-type]


def _last_metadata(instance: DagsterInstance, key: AssetKey) -> dict[str, Any]:
    """Values of the metadata with which an asset was last materialized."""
    event = instance.get_latest_materialization_event(key)
    materialization = event.asset_materialization if event is not None else None
    found = materialization.metadata if materialization is not None else {}
    return {name: item.value for name, item in found.items()}


def _reported_version(bucket: Bucket) -> int | None:
    try:
        version: int | None = json.loads(bucket.read(LATEST))["model_version"]
    except (ObjectNotFound, ValueError, KeyError, TypeError):
        return None
    return version


def _registering_run(instance: DagsterInstance, registry: RegistryState, now: float) -> str | None:
    """Return the run that registered the production version if it is not finished."""
    if registry.registered_by is None or registry.registered is None:
        return None
    if datetime.fromtimestamp(now, UTC) - registry.registered > REGISTRATION:
        return None
    run = instance.get_run_by_id(registry.registered_by)
    return run.run_id if run is not None and not run.is_finished else None


def _requested(run: DagsterRun, key: AssetKey | AssetCheckKey) -> bool:
    selection = run.asset_check_selection if isinstance(key, AssetCheckKey) else run.asset_selection
    return selection is not None and key in selection


def _request(
    wanted: Mapping[AssetKey | AssetCheckKey, str],
    graph: BaseAssetGraph[Any],
    run_key: str,
    tags: dict[str, str],
) -> RunRequest:
    assets = [key for key in wanted if isinstance(key, AssetKey)]
    checks = {key for key in wanted if isinstance(key, AssetCheckKey)}
    checks |= {key for key in graph.asset_check_keys if key.asset_key in assets}
    return RunRequest(run_key=run_key, asset_selection=assets, asset_check_keys=sorted(checks), tags=tags)


def _obstacle(
    instance: DagsterInstance, attempts: Attempts, key: AssetKey | AssetCheckKey, now: float
) -> str | None:
    """Why a key is not requested at a time in Unix seconds, or None if it may be.

    Serve may lag again after a verification, so only the runs since the last one count as attempts.
    """
    backfill = backfill_in_progress(instance, {key.asset_key if isinstance(key, AssetCheckKey) else key})
    if backfill is not None:
        return f"Waiting for backfill {backfill}."
    runs = [run for run in attempts.runs if _requested(run.dagster_run, key)]
    if key != SERVING:
        return Attempts(tuple(runs)).obstacle(now)
    failed = list(takewhile(lambda run: run.dagster_run.status is not DagsterRunStatus.SUCCESS, runs))
    if failed or not runs:
        return Attempts(tuple(failed)).obstacle(now)
    wait = ended_at(runs[0]) + REPAIR_PAUSE.total_seconds() - now
    if wait <= 0:
        return None
    return f"Run {runs[0].dagster_run.run_id} has verified Serve; the next verification is in {wait:.0f} s."


def _exists(graph: BaseAssetGraph[Any], key: AssetKey | AssetCheckKey) -> bool:
    known = graph.asset_check_keys if isinstance(key, AssetCheckKey) else graph.executable_asset_keys
    return key in known


def _versions(versions: frozenset[int]) -> str:
    return ("versions " if len(versions) > 1 else "version ") + ", ".join(map(str, sorted(versions)))


def _agreed(registry: RegistryState) -> str:
    if registry.production is None:
        return f"No version is in production; {_versions(registry.versions_in_view)} checked."
    return f"All assets that could be materialized are of version {registry.production}."
