"""The metrics of a serving process: which series it has, and where they are kept."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from football_assets_tests.builders.metric_processes import Replica, value
from serve.metrics import TIERS, configure_directory


def test_forecasts_are_counted_by_their_inputs_from_zero(start_replica: Callable[[], Replica]) -> None:
    first, second = start_replica(), start_replica()

    first.do("observe_inputs", {"results": 3, "results+shots+odds": 2})
    second.do("observe_inputs", {"results": 1})

    samples = first.samples()
    counts = {
        dict(labels)["inputs"]: count
        for (name, labels), count in samples.items()
        if name == "football_forecast_inputs_total"
    }
    assert counts == dict.fromkeys(TIERS, 0.0) | {"results": 4.0, "results+shots+odds": 2.0}
    assert len(counts) == 8


def test_the_served_version_is_counted_over_the_processes_that_run(
    start_replica: Callable[[], Replica],
) -> None:
    first, second = start_replica(), start_replica()
    samples = first.samples()
    assert value(samples, "model_as_of_timestamp_seconds") is None, "no model, no date"
    assert value(samples, "model_loaded_timestamp_seconds") is None

    first.do("set_model", 3, date(2015, 11, 8), datetime(2015, 11, 9, 6, tzinfo=UTC))
    second.do("set_model", 3, date(2015, 11, 8), datetime(2015, 11, 9, 6, tzinfo=UTC))
    second.do("count_model_load_failure")
    first.do("set_model", 4, date(2015, 11, 22), datetime(2015, 11, 23, 6, tzinfo=UTC))
    samples = second.samples()

    assert value(samples, "model_info", version="3") == 1
    assert value(samples, "model_info", version="4") == 1
    assert value(samples, "model_load_failing") == 1
    behind = datetime(2015, 11, 8, tzinfo=UTC).timestamp()
    assert value(samples, "model_as_of_timestamp_seconds") == behind
    assert value(samples, "model_registered_timestamp_seconds") == behind + 30 * 3600

    second.do("set_model", 4, date(2015, 11, 22), datetime(2015, 11, 23, 6, tzinfo=UTC))
    samples = first.samples()
    assert value(samples, "model_info", version="3") == 0
    assert value(samples, "model_info", version="4") == 2
    assert value(samples, "model_load_failing") == 0
    assert value(samples, "model_as_of_timestamp_seconds") == behind + 14 * 86400
    loaded = value(samples, "model_loaded_timestamp_seconds")
    assert loaded is not None
    assert abs(datetime.now(UTC).timestamp() - loaded) < 60


def test_a_method_of_the_client_s_invention_makes_no_series(start_replica: Callable[[], Replica]) -> None:
    replica = start_replica()
    for number in range(5):
        replica.do("observe_request", "unmatched", f"X{number}", 405, 0.001)

    samples = replica.samples()

    assert value(samples, "requests_total", route="unmatched", method="other", status="405") == 5
    assert len([name for name, _ in samples if name == "football_requests_total"]) == 1


def test_the_folder_that_the_environment_names_wins(
    start_replica: Callable[[], Replica],
    metrics_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "from environment"))
    replica = start_replica()
    assert replica.run(configure_directory, metrics_folder) == tmp_path / "from environment"
    replica.do("prediction_log_bytes.inc", 100)

    assert value(replica.samples(), "prediction_log_bytes_total") == 100
    assert not metrics_folder.exists()


def test_a_process_without_a_folder_counts_for_itself_and_cannot_change_its_mind() -> None:
    script = """
import sys
from pathlib import Path
from serve.metric_slots import MetricsError
from serve.metrics import configure_directory, serving_metrics

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
