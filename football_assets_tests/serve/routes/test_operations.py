"""Health, readiness, metrics and the drift report, with and without a model."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import Evidence, examine
from football_assets.monitoring.report import render
from football_assets.monitoring.summary import REPORT
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.answers import (
    LISTED,
    UNLISTED,
    answered,
    refused,
    sequences,
)
from football_assets_tests.builders.prediction_logs import no_matches
from football_assets_tests.builders.running import Client, metric
from serve import schemas
from serve.metrics import ServingMetrics
from serve.service import ForecastService

MakeClient = Callable[..., Client]


def test_health_and_readiness_name_the_version(client: Client) -> None:
    health = answered(schemas.Health, client.get("/health"))
    assert health["status"] == "ok"
    assert health["model_version"] == 1
    assert health["provider"] == "CPUExecutionProvider"
    assert health["model_error"] is None
    assert health["log_error"] is None
    assert health["uptime_seconds"] > 0
    assert answered(schemas.Ready, client.get("/ready")) == {"model_version": 1}


def test_metrics_count_requests_by_route_and_forecasts_by_kind(
    service: ForecastService, make_client: MakeClient
) -> None:
    client = make_client(service)
    client.post("/predict", json=LISTED)
    client.post("/predict", json={**LISTED, "home_team": "Arsenall"})
    client.post("/predict/batch", json={"fixtures": [LISTED, UNLISTED, {**LISTED, "league": "x"}]})
    client.post("/predict/sequences", json=sequences({"history": []}, {"history": []}))
    client.get("/teams/eng.1/Arsenal")
    client.get("/teams/eng.1/Nobody")
    client.get("/nowhere/at/all")

    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"football_requests", "football_request_seconds", "football_batch_size"} <= names
    team = "/teams/{league}/{team:path}"
    assert metric(service, "requests_total", route="/predict", method="POST", status="200") == 1
    assert metric(service, "requests_total", route="/predict", method="POST", status="404") == 1
    assert metric(service, "requests_total", route=team, status="200") == 1
    assert metric(service, "requests_total", route=team, status="404") == 1
    assert metric(service, "requests_total", route="unmatched", status="404") == 1
    assert metric(service, "predictions_total", kind="predict") == 1
    assert metric(service, "predictions_total", kind="batch") == 2
    assert metric(service, "predictions_total", kind="sequences") == 1
    assert metric(service, "prediction_probability_count", outcome="draw") == 4
    assert metric(service, "batch_size_sum") == 4
    assert metric(service, "inference_seconds_count") == 3
    assert metric(service, "model_info", version="1") == 1
    written = sum(path.stat().st_size for path in service.log.spool.glob("*.jsonl"))
    assert metric(service, "prediction_log_bytes_total") == written > 0


def test_there_is_no_drift_report_until_there_is_one(
    service: ForecastService, make_client: MakeClient
) -> None:
    service.bucket.delete("reports/drift/latest.html")
    client = make_client(service)
    assert "no drift report yet" in refused(client.get("/drift"), 404)["detail"]

    service.bucket.write("reports/drift/latest.html", "<h1>Drift of Łódź</h1>".encode())

    answer = client.get("/drift")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == "<h1>Drift of Łódź</h1>"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_the_page_is_served_without_rights_on_the_host(tmp_path: Path, make_client: MakeClient) -> None:
    empty = no_matches()
    quiet = examine(Evidence(datetime.now(UTC), None, None, empty, empty, empty), DriftConfig())
    service = ForecastService(LocalBucket(tmp_path / "bucket"), tmp_path / "scratch", ServingMetrics())
    client = make_client(service)
    assert client.get("/drift").status_code == 404

    service.bucket.write(REPORT, render(quiet, {}))
    answer = client.get("/drift")

    assert (answer.status_code, "There is insufficient data" in answer.text) == (200, True)
    assert answer.headers["content-security-policy"].startswith("sandbox ")


def test_without_a_model_every_forecast_and_list_waits_but_health_answers(
    tmp_path: Path, make_client: MakeClient, service: ForecastService
) -> None:
    empty = ForecastService(LocalBucket(tmp_path / "empty"), tmp_path / "empty_scratch", ServingMetrics())
    client = make_client(empty)

    for method, path, body in (
        ("POST", "/predict", LISTED),
        ("POST", "/predict/batch", {"fixtures": [LISTED]}),
        ("POST", "/predict/sequences", sequences({"history": []}, {"history": []})),
        ("GET", "/leagues", None),
        ("GET", "/teams", None),
        ("GET", "/teams/eng.1/Arsenal", None),
        ("GET", "/model", None),
        ("GET", "/ready", None),
    ):
        answer = client.request(method, path, json=body)
        assert refused(answer, 503)["detail"]
        assert int(answer.headers["retry-after"]) >= 1
    assert answered(schemas.Health, client.get("/health"))["status"] == "starting"
    assert answered(schemas.FixturesAnswer, client.get("/fixtures")) == {
        "model_version": None,
        "total": 0,
        "fixtures": [],
    }
    assert client.get("/metrics").status_code == 200
    empty.close()


def test_a_version_that_cannot_be_loaded_shows_in_health_while_the_old_one_answers(
    service: ForecastService, make_client: MakeClient
) -> None:
    client = make_client(service)
    service.bucket.write("registry/aliases.json", b'{"production": 7}')
    service.refresh()

    health = answered(schemas.Health, client.get("/health"))
    assert health["status"] == "degraded"
    assert "7" in health["model_error"]
    assert health["model_version"] == 1
    assert answered(schemas.PredictAnswer, client.post("/predict", json=LISTED))["model_version"] == 1
    assert client.get("/ready").status_code == 200
