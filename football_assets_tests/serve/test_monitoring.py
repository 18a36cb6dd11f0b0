"""Alert rules and dashboard: each names only metrics and labels that exist, and the rules fire when they should."""

import json
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from football_assets.automation.dagster_metrics import FAMILIES, NAMESPACE
from football_assets.cli.dagster_servers import METRICS_PORT
from serve.metrics import ServingMetrics

MONITORING = Path(__file__).parents[2] / "serve" / "monitoring"
RULE_TESTS = ("alerts_test.yml", "alerts_season_test.yml", "dagster_alerts_test.yml")
ADDED_BY_PROMETHEUS = {"job", "instance"}
# Of targets: by Prometheus, deploy/ and managed Prometheus, which rename a label of the same name exported_….
OF_TARGETS = ADDED_BY_PROMETHEUS | {
    *("namespace", "pod", "container", "node", "cluster", "location", "project_id"),
    *("top_level_controller_name", "top_level_controller_type", "ray_io_node_type", "ray_io_cluster"),
}
OTHER_METRICS: dict[str, set[str]] = {
    "up": set(),
    # Set from the drift report.
    "football_drift_share": set(),
    "football_live_log_loss": set(),
    "football_stopped_feed_leagues": {"feed"},
}
FUNCTIONS_AND_WORDS = {
    *("absent", "and", "bool", "by", "changes", "count", "group_left", "histogram_quantile", "increase"),
    *("instance", "max", "min", "month", "on", "or", "rate", "sum", "time", "unless"),
}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True)


def rules() -> list[dict[str, Any]]:
    """Every alert rule, of the forecasts and of Dagster."""
    return [rule for name in ("alerts.yml", "dagster_alerts.yml") for rule in rules_of(name)]


def rules_of(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    return json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))


def panels() -> list[dict[str, Any]]:
    return dashboard()["panels"]


def charts() -> list[dict[str, Any]]:
    return [panel for panel in panels() if panel["type"] != "row"]


def expressions() -> dict[str, str]:
    """Every PromQL expression by where it stands."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    for panel in charts():
        for target in panel["targets"]:
            found[f"panel {panel['title']} {target['refId']}"] = target["expr"]
    for annotation in dashboard()["annotations"]["list"]:
        found[f"annotation {annotation['name']}"] = annotation["expr"]
    return found


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Labels of every series that a serving process exports, once each kind of thing has happened."""
    metrics = ServingMetrics()
    metrics.observe_request("/predict", "POST", 200, 0.002)
    metrics.reject_request("saturated")
    metrics.observe_predictions(np.array([[0.5, 0.3, 0.2]]), "predict")
    metrics.observe_inference(1, 0.0003)
    metrics.set_model(3, date(2015, 11, 8), datetime(2015, 11, 9, tzinfo=UTC))
    names: dict[str, set[str]] = {name: set(labels) for name, labels in OTHER_METRICS.items()}
    names |= {f"{NAMESPACE}_{name}": set(labels) for name, (_, labels) in FAMILIES.items()}
    for family in text_string_to_metric_families(metrics.render()[0].decode()):
        for sample in family.samples:
            names.setdefault(sample.name, set()).update(sample.labels)
    return names


def without_strings(expression: str) -> str:
    return re.sub(r'"[^"]*"', '""', expression.replace("$__rate_interval", "5m"))


@pytest.mark.parametrize("place", expressions())
def test_every_metric_and_label_of_an_expression_exists(place: str, exported: dict[str, set[str]]) -> None:
    expression = without_strings(expressions()[place])
    selectors = re.findall(r"\b(up|football_\w+)(?:\{([^}]*)\})?", expression)
    assert selectors, f"{place} asks for no metric of ours"
    labels: set[str] = set()
    for name, matchers in selectors:
        assert name in exported, f"{place}: no process exports {name}"
        matched = set(re.findall(r"(\w+)\s*[=!]", matchers))
        assert matched <= exported[name] | ADDED_BY_PROMETHEUS, f"{place}: {name} has no label {matched}"
        labels |= exported[name]
    for grouping in re.findall(r"\bby\s*\(([^)]*)\)", expression):
        grouped = set(re.findall(r"\w+", grouping))
        assert grouped <= labels | ADDED_BY_PROMETHEUS, f"{place} groups by {grouped}"
    rest = re.sub(r"\{[^}]*\}|\b(?:by|on)\s*\([^)]*\)|\[[^]]*\]", "", expression)
    words = {word for word in re.findall(r"[A-Za-z_]\w*", rest) if word not in exported}
    assert words <= FUNCTIONS_AND_WORDS, f"{place}: {words - FUNCTIONS_AND_WORDS}"


def test_no_metric_has_a_label_that_prometheus_gives_to_targets(exported: dict[str, set[str]]) -> None:
    assert len(exported) > 20
    assert {name: labels & OF_TARGETS for name, labels in exported.items() if labels & OF_TARGETS} == {}


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    alerts = rules()
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert len(rule["annotations"]["summary"]) > 30, rule["alert"]
        assert len(rule["annotations"]["description"]) > 100, rule["alert"]
        page, _, heading = rule["annotations"]["runbook_url"].partition("#")
        assert heading == rule["alert"].lower()
        runbook = (MONITORING.parents[1] / page).read_text(encoding="utf-8")
        assert f"\n## {rule['alert']}\n" in runbook, "the runbook has a section of the alert's name"


def test_every_alert_is_tested_to_fire_and_to_keep_quiet() -> None:
    fires: set[str] = set()
    quiet: set[str] = set()
    for name in RULE_TESTS:
        for case in yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))["tests"]:
            for expected in case["alert_rule_test"]:
                (fires if expected.get("exp_alerts") else quiet).add(expected["alertname"])
    assert fires == quiet == {rule["alert"] for rule in rules()}


@needs_promtool
def test_alerts_fire_when_they_should() -> None:
    result = promtool("test", "rules", *RULE_TESTS)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("SUCCESS") == len(RULE_TESTS)


@needs_promtool
def test_prometheus_accepts_its_configuration_with_the_rules() -> None:
    result = promtool("check", "config", "prometheus.yml")
    assert result.returncode == 0, result.stdout + result.stderr
    for name in ("alerts.yml", "dagster_alerts.yml"):
        assert f"{len(rules_of(name))} rules found" in result.stdout


@needs_promtool
def test_prometheus_can_parse_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    records = [
        {"record": f"panel_{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions().values())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}), encoding="utf-8")
    result = promtool("check", "rules", str(file))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_scrapes_ask_the_default_addresses() -> None:
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {scrape["job_name"]: scrape["static_configs"] for scrape in configuration["scrape_configs"]}
    assert targets == {
        "football": [{"targets": ["127.0.0.1:8000"]}],
        "dagster": [{"targets": [f"127.0.0.1:{METRICS_PORT}"]}],
    }
    jobs = {job for expr in expressions().values() for job in re.findall(r'job="(\w+)"', expr)}
    assert jobs == set(targets)


def test_the_dashboard_has_a_row_for_each_concern() -> None:
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    assert rows == ["Traffic", "Latency", "Model", "Predictions", "Prediction log", "Drift"]


def test_every_chart_has_a_title_a_description_and_a_unit() -> None:
    titles = [panel["title"] for panel in charts()]
    assert len(set(titles)) == len(titles)
    for panel in charts():
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_the_data_source_is_chosen_on_import() -> None:
    variables = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    asked = [*charts(), *dashboard()["annotations"]["list"]]
    asked += [target for panel in charts() for target in panel["targets"]]
    assert {item["datasource"]["uid"] for item in asked} == {"${datasource}"}


def test_no_two_panels_share_an_identifier_or_a_place() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] >= 0, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert place["w"] > 0, panel["title"]
        assert place["h"] > 0, panel["title"]
    for one, other in combinations(panels(), 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or below, f"{one['title']} and {other['title']} overlap"


def test_lines_in_charts_are_the_thresholds_of_the_alerts() -> None:
    lines = {
        panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
        for panel in charts()
        if "thresholds" in panel["fieldConfig"]["defaults"]
    }
    of_alert = {rule["alert"]: rule["expr"] for rule in rules()}
    pairs = {
        "Share of errors": "FootballErrors",
        "Latency of /predict": "FootballSlow",
        "Last known result": "FootballResultsStale",
        "Model registered": "FootballModelOld",
        "Share of drifted inputs": "FootballInputsDrifted",
        "Leagues whose feed stopped": "FootballFeedStopped",
        "Log loss of answered forecasts": "FootballForecastsWorse",
    }
    for chart, alert in pairs.items():
        match = re.search(r"> ([\d.]+)(?: \* (\d+))?", of_alert[alert])
        assert match, alert
        assert lines[chart] == float(match[1]) * float(match[2] or 1), chart
