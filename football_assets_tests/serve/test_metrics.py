"""Metrics of several processes: every one renders the totals of all, and a killed one loses no count."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from serve import metrics
from serve.metrics import (
    OUTCOMES,
    PROBABILITIES,
    BulkHistogram,
    MetricsError,
    clear_directory,
    configure_directory,
    serving_metrics,
)

SPAWN = get_context("spawn")
FORECASTS = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.46, 0.27, 0.27]])

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Replica:
    """A process of its own, which does what the test tells it."""

    def __init__(self, folder: Path) -> None:
        self._connection, other = SPAWN.Pipe()
        self._process = SPAWN.Process(target=serve_commands, args=(folder, other), daemon=True)
        self._process.start()
        other.close()
        assert self._connection.recv() == "ready"

    def do(self, name: str, *arguments: Any) -> Any:
        """Call a method of the process's metrics."""
        return self.run(call_metrics, name, *arguments)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self.begin(function, *arguments)
        return self.finish()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._connection.send((function, arguments))

    def is_busy(self) -> bool:
        return not self._connection.poll()

    def finish(self) -> Any:
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def samples(self) -> Samples:
        return parse(self.do("render")[0])

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL


def serve_commands(folder: Path, connection: Connection) -> None:
    configure_directory(folder)
    serving_metrics()
    connection.send("ready")
    while True:
        function, arguments = connection.recv()
        try:
            connection.send(function(*arguments))
        except Exception as error:  # the test shows it
            connection.send(error)


def call_metrics(name: str, *arguments: Any) -> Any:
    return attrgetter(name)(serving_metrics())(*arguments)


def parse(body: bytes) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"football_{name}", frozenset(labels.items())))


def without_memory(samples: Samples) -> Samples:
    return {key: value for key, value in samples.items() if key[0] != "football_resident_memory_bytes"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], Replica]]:
    replicas: list[Replica] = []

    def start_replica() -> Replica:
        replicas.append(Replica(folder))
        return replicas[-1]

    yield start_replica
    for replica in replicas:
        replica.kill()


def test_every_process_renders_the_totals_of_all(start: Callable[[], Replica]) -> None:
    first, second = start(), start()
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


def test_a_killed_process_keeps_its_counts_and_loses_its_live_gauges(start: Callable[[], Replica]) -> None:
    survivor, victim = start(), start()
    for replica in (survivor, victim):
        replica.do("take_up_model", 3, date(2015, 11, 8))
        replica.do("observe_request", "/predict", "POST", 200, 0.002)
        replica.do("queue_depth.set", 5)
    victim.do("fail_model_load")
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
    start: Callable[[], Replica], folder: Path
) -> None:
    survivor = start()
    files = set()
    for restart in range(1, 5):
        replica = start()
        assert value(replica.samples(), "queue_depth") == 0, "a gauge of the former holder of the slot"
        replica.do("queue_depth.set", restart)
        replica.do("prediction_log_bytes.inc", 100)
        files |= {file.name for file in folder.iterdir()}
        assert value(survivor.samples(), "prediction_log_bytes_total") == 100 * restart
        replica.kill()

    slots = {name.removesuffix(".db").removesuffix(".lock").rsplit("_", 1)[1] for name in files}
    assert slots == {"0", "1"}


def test_what_was_read_last_of_the_drift_report_is_shown_once(start: Callable[[], Replica]) -> None:
    first, second = start(), start()
    assert value(first.samples(), "drift_share") is None, "no report, no share"
    first.do("note_drift", 0.25, None)
    second.do("note_drift", 0.5, 1.02)

    assert value(first.samples(), "drift_share") == 0.5
    assert value(second.samples(), "live_log_loss") == 1.02


def test_the_served_version_is_counted_over_the_processes_that_run(start: Callable[[], Replica]) -> None:
    first, second = start(), start()
    samples = first.samples()
    assert value(samples, "model_as_of_timestamp_seconds") is None, "no model, no date"
    assert value(samples, "model_loaded_timestamp_seconds") is None

    first.do("take_up_model", 3, date(2015, 11, 8), datetime(2015, 11, 9, 6, tzinfo=UTC))
    second.do("take_up_model", 3, date(2015, 11, 8), datetime(2015, 11, 9, 6, tzinfo=UTC))
    second.do("fail_model_load")
    first.do("take_up_model", 4, date(2015, 11, 22), datetime(2015, 11, 23, 6, tzinfo=UTC))
    samples = second.samples()

    assert value(samples, "model_info", version="3") == 1
    assert value(samples, "model_info", version="4") == 1
    assert value(samples, "model_load_failing") == 1
    behind = datetime(2015, 11, 8, tzinfo=UTC).timestamp()
    assert value(samples, "model_as_of_timestamp_seconds") == behind
    assert value(samples, "model_registered_timestamp_seconds") == behind + 30 * 3600

    second.do("take_up_model", 4, date(2015, 11, 22), datetime(2015, 11, 23, 6, tzinfo=UTC))
    samples = first.samples()
    assert value(samples, "model_info", version="3") == 0
    assert value(samples, "model_info", version="4") == 2
    assert value(samples, "model_load_failing") == 0
    assert value(samples, "model_as_of_timestamp_seconds") == behind + 14 * 86400
    loaded = value(samples, "model_loaded_timestamp_seconds")
    assert loaded is not None
    assert abs(datetime.now(UTC).timestamp() - loaded) < 60


def test_no_count_is_lost_between_threads_and_processes_while_others_render(
    start: Callable[[], Replica],
) -> None:
    replicas = [start() for _ in range(3)]
    for replica in replicas:
        replica.begin(record_in_threads, 4, 500)
    reader = start()
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


def test_counts_added_at_once_are_those_of_one_observation_at_a_time(start: Callable[[], Replica]) -> None:
    start().run(compare_bulk_with_single_observations)


def compare_bulk_with_single_observations() -> None:
    registry = CollectorRegistry()
    bulk = BulkHistogram("bulk", "p", ("outcome",), buckets=PROBABILITIES, registry=registry)
    single = Histogram("single", "p", ("outcome",), buckets=PROBABILITIES, registry=registry)
    rng = np.random.default_rng(7)
    on_bounds = np.array([[0.05, 0.0, 0.95], [1.0, 0.0, 0.0], [0.35, 0.30, 0.35]])
    batches = [on_bounds, np.empty((0, 3))] + [rng.dirichlet([3, 2, 2], size) for size in (1, 2, 33, 1000)]
    recorded = metrics.ServingMetrics()
    recorded._probabilities = tuple(bulk.labels(outcome) for outcome in OUTCOMES)
    for batch in (*batches, *(batch.astype(np.float32) for batch in batches)):
        recorded.observe_predictions(batch, "batch")
        for row in batch:
            for outcome, probability in zip(OUTCOMES, row.tolist(), strict=True):
                single.labels(outcome).observe(probability)

    merged = CollectorRegistry()
    MultiProcessCollector(merged)
    samples = parse(generate_latest(merged))
    buckets = {key: count for key, count in samples.items() if key[0].startswith("single_")}
    assert len(buckets) == 3 * (len(PROBABILITIES) + 1 + 2)
    for (name, labels), count in buckets.items():
        assert samples[name.replace("single", "bulk"), labels] == pytest.approx(count, rel=1e-12)
    assert buckets["single_bucket", frozenset({"outcome": "home", "le": "0.05"}.items())] > 0


def test_a_method_of_the_client_s_invention_makes_no_series(start: Callable[[], Replica]) -> None:
    replica = start()
    for number in range(5):
        replica.do("observe_request", "unmatched", f"X{number}", 405, 0.001)

    samples = replica.samples()

    assert value(samples, "requests_total", route="unmatched", method="other", status="405") == 5
    assert len([name for name, _ in samples if name == "football_requests_total"]) == 1


def test_a_forked_process_counts_in_files_of_its_own(start: Callable[[], Replica]) -> None:
    replica = start()
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
    start: Callable[[], Replica], folder: Path
) -> None:
    replica = start()
    replica.do("prediction_log_bytes.inc", 100)
    with pytest.raises(MetricsError, match="1 running process"):
        clear_directory(folder)
    assert value(replica.samples(), "prediction_log_bytes_total") == 100

    replica.kill()
    clear_directory(folder)

    assert list(folder.iterdir()) == []
    assert value(start().samples(), "prediction_log_bytes_total") == 0


def test_clearing_a_folder_that_does_not_exist_is_done(tmp_path: Path) -> None:
    clear_directory(tmp_path / "none")


def test_the_folder_that_the_environment_names_wins(
    start: Callable[[], Replica], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "from environment"))
    replica = start()
    assert replica.run(configure_directory, folder) == tmp_path / "from environment"
    replica.do("prediction_log_bytes.inc", 100)

    assert value(replica.samples(), "prediction_log_bytes_total") == 100
    assert not folder.exists()


def test_a_process_without_a_folder_counts_for_itself_and_cannot_change_its_mind() -> None:
    script = """
import sys
from pathlib import Path
from serve.metrics import MetricsError, configure_directory, serving_metrics

metrics = serving_metrics()
metrics.observe_request("/leagues", "GET", 200, 0.002)
body, content_type = metrics.render()
assert b'football_requests_total{method="GET",route="/leagues",status="200"} 1.0' in body, body
assert b"football_processes 1.0" in body
assert content_type.startswith("text/plain; version="), content_type
try:
    configure_directory(Path(sys.argv[1]))
except MetricsError as error:
    print(error)
heavy = {"dagster", "torch", "dbt", "polars", "ray"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {name: text for name, text in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    result = subprocess.run(
        [sys.executable, "-c", script, "never made"], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "Metrics of this process are in use: configure their directory first."


def test_metrics_of_other_libraries_in_the_process_are_not_rendered(start: Callable[[], Replica]) -> None:
    replica = start()
    replica.run(count_elsewhere)
    assert {name.split("_")[0] for name, _ in replica.samples()} == {"football"}


def count_elsewhere() -> None:
    from prometheus_client import Counter

    Counter("ray_something", "Not of this project.").inc()
