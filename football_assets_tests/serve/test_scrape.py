"""The metrics of a pod on a port of their own."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from football_assets_tests.builders.metric_processes import Replica, value
from football_assets_tests.builders.ports import free_port
from football_assets_tests.serve.test_metric_collector import FORECASTS
from serve.scrape import serve_metrics


def test_a_scrape_without_a_key_has_the_totals_of_all_processes_and_no_own(
    start_replica: Callable[[], Replica], metrics_folder: Path
) -> None:
    first, second = start_replica(), start_replica()
    first.do("observe_request", "/predict", "POST", 200, 0.002)
    second.do("observe_request", "/predict", "POST", 200, 0.002)
    second.do("observe_predictions", FORECASTS, "predict")
    port, ended = free_port(), threading.Event()
    thread = threading.Thread(target=serve_metrics, args=(metrics_folder, "127.0.0.1", port, ended))
    thread.start()
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            text = client.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    finally:
        ended.set()
        thread.join()
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert value(samples, "requests_total", route="/predict", method="POST", status="200") == 2
    assert value(samples, "predictions_total", kind="predict", outcome="home") == 2
    assert value(samples, "processes") == 2
    assert (value(samples, "resident_memory_bytes") or 0) > 10e6
    assert all(name.startswith("football_") for name, _ in samples)


def test_a_pod_without_a_replica_has_zero_processes(metrics_folder: Path) -> None:
    from prometheus_client import generate_latest

    from serve.scrape import pod_registry

    assert b"football_processes 0.0" in generate_latest(pod_registry(metrics_folder))
