"""Metrics of a Dagster instance: heartbeats, ticks, runs, and the decisions of the gate."""

import logging
import time
from collections.abc import Container, Iterator
from pathlib import Path

import dagster as dg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from football_assets.automation.dagster_metrics import DagsterCollector
from football_assets.registry.gate import rejection
from football_assets.registry.store import ALIASES_OBJECT, Registry
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.dagster_private import (
    DaemonHeartbeat,
    InProcessCodeLocationOrigin,
    InProcessWorkspaceLoadTarget,
    LoadableTargetOrigin,
    create_run_for_test,
    create_test_daemon_workspace_context,
    execute_sensor_iteration,
)
from football_assets_tests.builders.model_versions import published

WORKSPACE = "football_assets_tests.builders.ticking_workspace"
TICKS = {"instigator_running", "tick_timestamp_seconds", "tick_seconds", "tick_failed"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dg.op
def fails() -> None:
    raise RuntimeError("on purpose")


@dg.op
def succeeds() -> None:
    pass


@dg.job
def good() -> None:
    succeeds()


@dg.job
def bad() -> None:
    fails()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance(tmp_path) as instance:
        yield instance


def scraped(instance: dg.DagsterInstance, tmp_path: Path, defined: Container[str] | None = None) -> Samples:
    registry = CollectorRegistry()
    registry.register(DagsterCollector(instance, LocalBucket(tmp_path / "bucket"), defined))
    return {
        (sample.name.removeprefix("football_dagster_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def value(samples: Samples, metric: str, /, **labels: str) -> float | None:
    return samples.get((metric, frozenset(labels.items())))


def test_an_instance_that_has_done_nothing_has_no_series_of_runs(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    samples = scraped(instance, tmp_path)
    assert {name for name, _ in samples} == {"production_version", "rejected_versions", "source_up"}
    assert {labels: up for (name, labels), up in samples.items() if name == "source_up"} == {
        frozenset({("source", source)}): 1 for source in ("heartbeats", "ticks", "runs", "gate")
    }


def test_a_source_that_cannot_be_read_leaves_the_others(
    instance: dg.DagsterInstance, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good.execute_in_process(instance=instance)
    LocalBucket(tmp_path / "bucket").write(ALIASES_OBJECT, b"{")

    samples = scraped(instance, tmp_path)

    assert value(samples, "source_up", source="gate") == 0
    assert value(samples, "source_up", source="runs") == 1
    assert value(samples, "production_version") is None
    assert {name for name, _ in samples} >= {"runs_last_day", "last_success_timestamp_seconds"}
    assert "'gate'" in caplog.text
    assert ALIASES_OBJECT in caplog.text


def test_a_source_that_ends_halfway_has_no_series(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> list[int]:
        raise RuntimeError("the storage is away")

    monkeypatch.setattr(Registry, "versions", away)

    samples = scraped(instance, tmp_path)

    assert value(samples, "source_up", source="gate") == 0
    assert value(samples, "production_version") is None


def test_heartbeats_have_an_age(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - 500, "SENSOR", "id", []))
    age = value(scraped(instance, tmp_path), "daemon_heartbeat_age_seconds", daemon="SENSOR")
    assert age is not None
    assert 500 <= age < 560


def test_ticks_of_sensors_have_a_time_a_duration_and_whether_they_failed(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name=WORKSPACE), location_name="ticking")
    before = time.time()
    with create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(origin), instance) as workspace:
        list(execute_sensor_iteration(workspace, logging.getLogger("daemon"), None, None))
    samples = scraped(instance, tmp_path)
    for name, failed in (("well", 0), ("broken", 1)):
        labels = {"type": "sensor", "name": name}
        assert value(samples, "instigator_running", **labels) == 1
        assert value(samples, "tick_failed", **labels) == failed
        assert before - 1 <= (value(samples, "tick_timestamp_seconds", **labels) or 0) <= time.time()
        assert 0 <= (value(samples, "tick_seconds", **labels) or -1) < 60

    # A sensor that was removed from the code stays in the storage, as running.
    samples = scraped(instance, tmp_path, {"broken"})
    assert {dict(labels)["name"] for name, labels in samples if name in TICKS} == {"broken"}
    assert {name for name, _ in samples} >= TICKS


def test_runs_are_counted_by_status_and_the_last_of_each_has_a_time(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    before = time.time()
    for _ in range(2):
        good.execute_in_process(instance=instance)
    bad.execute_in_process(instance=instance, raise_on_error=False)
    samples = scraped(instance, tmp_path)
    assert value(samples, "runs_last_day", dagster_job="good", status="success") == 2
    assert value(samples, "runs_last_day", dagster_job="bad", status="failure") == 1
    assert (value(samples, "last_success_timestamp_seconds", dagster_job="good") or 0) >= before - 1
    assert (value(samples, "last_failure_timestamp_seconds", dagster_job="bad") or 0) >= before - 1
    assert value(samples, "last_success_timestamp_seconds", dagster_job="bad") is None
    assert value(samples, "last_failure_timestamp_seconds", dagster_job="good") is None


def test_the_oldest_run_that_has_not_ended_has_an_age(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    create_run_for_test(instance, "late", status=dg.DagsterRunStatus.STARTING)
    age = value(
        scraped(instance, tmp_path), "unfinished_run_age_seconds", dagster_job="late", status="starting"
    )
    assert age is not None
    assert 0 <= age < 60


def test_versions_that_the_gate_rejected_since_production_are_counted(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    registry = Registry(LocalBucket(tmp_path / "bucket"))
    first, second, third, fourth = published(registry, tmp_path, 4)
    registry.record_decision(first, rejection("Too few.").to_dict())
    registry.promote(second)
    registry.record_decision(third, rejection("Too few.").to_dict())
    registry.record_decision(fourth, rejection("Too few.").to_dict())
    samples = scraped(instance, tmp_path)
    assert value(samples, "production_version") == second
    assert value(samples, "rejected_versions") == 2
