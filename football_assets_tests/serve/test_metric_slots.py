"""Slots: a killed process loses no count, and its files are reused or cleared."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from football_assets_tests.builders.metric_processes import Replica, value
from serve.metric_slots import MetricsError, clear_directory
from serve.metrics import (
    serving_metrics,
)


def test_a_killed_process_keeps_its_counts_and_loses_its_live_gauges(
    start_replica: Callable[[], Replica],
) -> None:
    survivor, victim = start_replica(), start_replica()
    for replica in (survivor, victim):
        replica.do("set_model", 3, date(2015, 11, 8))
        replica.do("observe_request", "/predict", "POST", 200, 0.002)
        replica.do("queue_depth.set", 5)
    victim.do("count_model_load_failure")
    assert value(survivor.samples(), "model_info", version="3") == 2
    assert value(survivor.samples(), "model_load_failing") == 1

    victim.kill()
    samples = survivor.samples()

    assert value(samples, "requests_total", route="/predict", method="POST", status="200") == 2
    assert value(samples, "request_seconds_count", route="/predict") == 2
    assert value(samples, "model_load_failures_total") == 1
    assert value(samples, "model_load_failing") == 0
    assert value(samples, "model_info", version="3") == 1
    assert value(samples, "queue_depth") == 5
    assert value(samples, "processes") == 1


def test_a_replacement_carries_on_the_counts_in_the_same_files(
    start_replica: Callable[[], Replica], metrics_folder: Path
) -> None:
    survivor = start_replica()
    files = set()
    for restart in range(1, 5):
        replica = start_replica()
        assert value(replica.samples(), "queue_depth") == 0, "a gauge of the former holder of the slot"
        replica.do("queue_depth.set", restart)
        replica.do("prediction_log_bytes.inc", 100)
        files |= {file.name for file in metrics_folder.iterdir()}
        assert value(survivor.samples(), "prediction_log_bytes_total") == 100 * restart
        replica.kill()

    slots = {name.removesuffix(".db").removesuffix(".lock").rsplit("_", 1)[1] for name in files}
    assert slots == {"0", "1"}


def test_a_forked_process_counts_in_files_of_its_own(start_replica: Callable[[], Replica]) -> None:
    replica = start_replica()
    replica.do("prediction_log_bytes.inc", 1)
    replica.run(record_in_fork)
    replica.do("prediction_log_bytes.inc", 100)

    samples = replica.samples()

    assert value(samples, "prediction_log_bytes_total") == 111
    assert value(samples, "processes") == 1


def record_in_fork() -> None:
    child = os.fork()
    if child == 0:
        serving_metrics().prediction_log_bytes.inc(10)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_metrics_of_former_processes_are_cleared_but_not_those_of_running_ones(
    start_replica: Callable[[], Replica], metrics_folder: Path
) -> None:
    replica = start_replica()
    replica.do("prediction_log_bytes.inc", 100)
    with pytest.raises(MetricsError, match="1 running process"):
        clear_directory(metrics_folder)
    assert value(replica.samples(), "prediction_log_bytes_total") == 100

    replica.kill()
    clear_directory(metrics_folder)

    assert list(metrics_folder.iterdir()) == []
    assert value(start_replica().samples(), "prediction_log_bytes_total") == 0


def test_clearing_a_folder_that_does_not_exist_is_done(tmp_path: Path) -> None:
    clear_directory(tmp_path / "none")
