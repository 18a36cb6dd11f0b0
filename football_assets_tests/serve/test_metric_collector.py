"""Every process renders the totals of all processes of the machine."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from football_assets_tests.builders.metric_processes import Replica, value, without_memory
from serve.metrics import (
    serving_metrics,
)

FORECASTS = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.46, 0.27, 0.27]])


def test_every_process_renders_the_totals_of_all(start_replica: Callable[[], Replica]) -> None:
    first, second = start_replica(), start_replica()
    first.do("observe_request", "/predict", "POST", 200, 0.0018)
    first.do("observe_request", "/predict", "POST", 200, 0.004)
    second.do("observe_request", "/predict", "POST", 200, 0.0502)
    second.do("observe_request", "/predict", "POST", 503, 0.0001)
    second.do("reject_request", "saturated")
    first.do("observe_predictions", FORECASTS, "batch")
    second.do("observe_predictions", FORECASTS[:1], "predict")
    first.do("observe_inference", 3, 0.0004)
    second.do("prediction_log_bytes.inc", 812)
    first.do("queue_depth.set", 4)
    second.do("queue_depth.set", 3)

    samples = first.samples()

    assert without_memory(samples) == without_memory(second.samples())
    assert value(samples, "requests_total", route="/predict", method="POST", status="200") == 3
    assert value(samples, "requests_total", route="/predict", method="POST", status="503") == 1
    assert value(samples, "request_seconds_count", route="/predict") == 4
    assert value(samples, "request_seconds_bucket", route="/predict", le="0.0015") == 1
    assert value(samples, "request_seconds_bucket", route="/predict", le="0.002") == 2
    assert value(samples, "request_seconds_bucket", route="/predict", le="0.05") == 3
    assert value(samples, "request_seconds_sum", route="/predict") == pytest.approx(0.0561)
    assert value(samples, "rejected_requests_total", reason="saturated") == 1
    assert value(samples, "predictions_total", outcome="home", kind="batch") == 2
    assert value(samples, "predictions_total", outcome="away", kind="batch") == 1
    assert value(samples, "predictions_total", outcome="home", kind="predict") == 1
    assert value(samples, "predictions_total", outcome="draw", kind="predict") == 0
    assert value(samples, "prediction_probability_count", outcome="draw") == 4
    assert value(samples, "prediction_probability_bucket", outcome="draw", le="0.25") == 0
    assert value(samples, "prediction_probability_bucket", outcome="draw", le="0.3") == 4
    assert value(samples, "prediction_probability_sum", outcome="home") == pytest.approx(1.66)
    assert value(samples, "batch_size_bucket", le="2.0") == 0
    assert value(samples, "batch_size_bucket", le="4.0") == 1
    assert value(samples, "inference_seconds_bucket", le="0.0005") == 1
    assert value(samples, "prediction_log_bytes_total") == 812
    assert value(samples, "queue_depth") == 7
    assert value(samples, "processes") == 2
    memory = value(samples, "resident_memory_bytes")
    assert memory is not None
    assert memory > 2 * 10_000_000


def test_no_count_is_lost_between_threads_and_processes_while_others_render(
    start_replica: Callable[[], Replica],
) -> None:
    replicas = [start_replica() for _ in range(3)]
    for replica in replicas:
        replica.begin(record_in_threads, 4, 500)
    reader = start_replica()
    seen = []
    while any(replica.is_busy() for replica in replicas):
        seen.append(
            value(reader.samples(), "requests_total", route="/fixtures", method="GET", status="200") or 0
        )
    for replica in replicas:
        replica.finish()

    assert seen == sorted(seen)
    samples = reader.samples()
    assert value(samples, "requests_total", route="/fixtures", method="GET", status="200") == 3 * 4 * 500
    assert value(samples, "request_seconds_count", route="/fixtures") == 3 * 4 * 500
    assert value(samples, "prediction_probability_count", outcome="home") == 3 * 4 * 500 * 3


def record_in_threads(threads: int, times: int) -> None:
    def record() -> None:
        for _ in range(times):
            serving_metrics().observe_request("/fixtures", "GET", 200, 0.003)
            serving_metrics().observe_predictions(FORECASTS, "batch")

    recorders = [threading.Thread(target=record) for _ in range(threads)]
    for recorder in recorders:
        recorder.start()
    for recorder in recorders:
        recorder.join()


def test_metrics_of_other_libraries_in_the_process_are_not_rendered(
    start_replica: Callable[[], Replica],
) -> None:
    replica = start_replica()
    replica.run(count_elsewhere)
    assert {name.split("_")[0] for name, _ in replica.samples()} == {"football"}


def count_elsewhere() -> None:
    from prometheus_client import Counter

    Counter("ray_something", "Not of this project.").inc()
