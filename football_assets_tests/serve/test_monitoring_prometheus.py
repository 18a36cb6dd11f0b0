"""A real Prometheus evaluates every expression with the project's configuration; Alertmanager routes every alert."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from prometheus_client import start_http_server

from football_assets_tests.builders.ports import free_port
from football_assets_tests.serve.test_monitoring import MONITORING, expressions, rules
from serve.metrics import ServingMetrics

START_SECONDS = 60
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus (Debian package prometheus) is not installed"
)
needs_amtool = pytest.mark.skipif(
    shutil.which("amtool") is None, reason="amtool (Debian package prometheus-alertmanager) is not installed"
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus that scrapes a serving process's metrics every second, after its first scrape."""
    folder = tmp_path_factory.mktemp("prometheus")
    metrics = ServingMetrics()
    metrics.observe_request("/predict", "POST", 200, 0.002)
    metrics.observe_predictions(np.array([[0.5, 0.3, 0.2]]), "predict")
    metrics.observe_inference(1, 0.0003)
    target, port = free_port(), free_port()
    server, thread = start_http_server(target, "127.0.0.1", metrics._rendered)
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(MONITORING / name) for name in configuration["rule_files"]]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{target}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _has_scraped(url):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            for status in (200, 404, 500):
                metrics.observe_request("/predict", "POST", status, 0.002)
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()
        server.shutdown()
        thread.join()


def _query(url: str, expression: str) -> httpx.Response:
    """Evaluate an expression, with the dashboard's variables as Grafana fills them in for all instances."""
    expression = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
    return httpx.get(f"{url}/api/v1/query", params={"query": expression}, timeout=30)


def _has_scraped(url: str) -> bool:
    try:
        answer = _query(url, "count_over_time(football_requests_total[1m]) > 2")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and bool(answer.json()["data"]["result"])


@needs_prometheus
@pytest.mark.parametrize("place", expressions())
def test_prometheus_evaluates_every_expression(prometheus: str, place: str) -> None:
    answer = _query(prometheus, expressions()[place])
    assert answer.status_code == 200, f"{place}: {answer.text}"
    assert answer.json()["status"] == "success"


@needs_prometheus
def test_charts_of_traffic_have_values(prometheus: str) -> None:
    empty = [
        place
        for place, expression in expressions().items()
        if place.startswith("panel") and "football_requests_total" in expression
        if not _query(prometheus, expression).json()["data"]["result"]
    ]
    assert empty == []


@needs_prometheus
def test_prometheus_loads_every_rule_and_none_fails(prometheus: str) -> None:
    groups = httpx.get(f"{prometheus}/api/v1/rules", timeout=30).json()["data"]["groups"]
    loaded = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert set(loaded) == {rule["alert"] for rule in rules()}
    assert [name for name, rule in loaded.items() if rule["health"] == "err"] == []


@pytest.fixture
def alertmanager(tmp_path: Path) -> Path:
    """The routes; Alertmanager of Debian 12 does not know `url_file`, so receivers have addresses in place."""
    text = (MONITORING / "alertmanager.yml").read_text(encoding="utf-8")
    file = tmp_path / "alertmanager.yml"
    file.write_text(re.sub(r"url_file: \S+", "url: http://127.0.0.1:1/", text), encoding="utf-8")
    return file


@needs_amtool
def test_alertmanager_accepts_its_configuration(alertmanager: Path) -> None:
    done = subprocess.run(["amtool", "check-config", alertmanager], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs_amtool
@pytest.mark.parametrize("alert", [rule["alert"] for rule in rules()])
def test_what_is_critical_is_a_page_and_the_rest_a_message(alertmanager: Path, alert: str) -> None:
    (severity,) = (rule["labels"]["severity"] for rule in rules() if rule["alert"] == alert)
    labels = [f"alertname={alert}", f"severity={severity}"]
    done = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={alertmanager}", *labels],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [{"critical": "page", "warning": "message"}[severity]], done.stderr


def test_routes_and_inhibitions_name_alerts_that_exist() -> None:
    text = (MONITORING / "alertmanager.yml").read_text(encoding="utf-8")
    configuration = yaml.safe_load(text)
    known = {rule["alert"] for rule in rules()}
    matchers = [matcher for route in configuration["route"]["routes"] for matcher in route["matchers"]]
    for rule in configuration["inhibit_rules"]:
        matchers += [*rule["source_matchers"], *rule["target_matchers"]]
    named = [matcher for matcher in matchers if matcher.startswith("alertname")]
    for matcher in named:
        operator, pattern = re.fullmatch(r'alertname(=~?)"(.*)"', matcher).groups()  # type: ignore[union-attr]
        matched = {name for name in known if re.fullmatch(pattern, name)}
        assert matched, json.dumps(matcher)
        assert operator == "=~" or len(matched) == 1
    for kind in (
        "FootballInputsDrifted",
        "FootballModelsRejected",
        "FootballResultsStale",
        "DagsterRunsFailing",
    ):
        assert any(re.search(kind.removeprefix("Dagster"), matcher) for matcher in named), (
            f"no route of {kind}"
        )
