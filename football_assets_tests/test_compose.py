"""`compose.yaml`: its services, what guards each of them, and that its configurations are those of the project."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from football_assets.runtime.health import CODE_LOCATION, DAEMON, ENDPOINT, METRICS, WEBSERVER, server_of
from football_assets.runtime.home import project_root
from football_assets.settings import Settings
from football_assets_tests.builders.dagster_home import open_instance

ROOT = project_root()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN_IMAGES = {"football-assets-pipeline:0.1.0": "pipeline", "football-assets-serve:0.1.0": "serve"}
OURS = [name for name, service in SERVICES.items() if service["image"] in OWN_IMAGES]
SECRETS = ("PASSWORD", "KEY", "TOKEN")


def test_every_part_of_the_project_is_a_service() -> None:
    assert set(SERVICES) == {
        *("postgres", "pod", "code-location", "daemon", "webserver", "metrics", "serve"),
        *("prometheus", "grafana"),
    }


@pytest.mark.parametrize("name", OURS)
def test_our_images_are_built_from_a_target_of_the_dockerfile(name: str) -> None:
    service = SERVICES[name]
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    if "build" in service:
        assert service["build"]["target"] == OWN_IMAGES[service["image"]]
        assert service["build"]["target"] in stages
    else:
        assert service["image"] in {other["image"] for other in SERVICES.values() if "build" in other}


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_other_images_have_an_exact_version(name: str) -> None:
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_few_rights(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if not service.get("read_only"):
        assert service["secrets"], "Compose cannot place a secret of the environment below a read-only root"
    for volume in service.get("volumes", ()):
        source, _, *mode = volume.split(":")
        assert source in COMPOSE["volumes"] or (mode == ["ro"] and (ROOT / source).is_file()), volume


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_comes_from_the_environment_and_has_no_default(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    secret = {key: value for key, value in environment.items() if key.endswith(SECRETS) or "@" in value}

    for key, value in secret.items():
        assert re.search(r"\$\{\w+:\?[^}]+\}", value), f"{key} may be blank"
    assert COMPOSE["secrets"] == {"football_api_key": {"environment": "FOOTBALL_API_KEY"}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("code-location", CODE_LOCATION),
        ("daemon", DAEMON),
        ("webserver", WEBSERVER),
        ("metrics", METRICS),
        ("serve", ENDPOINT),
    ],
)
def test_the_health_check_of_a_service_asks_what_its_command_runs(name: str, kind: str) -> None:
    command = SERVICES[name].get("command", ["football", "serve"])

    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "football", "health"]
    server = server_of(command, 8000)
    assert server is not None
    assert server.kind == kind


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_checked_and_waits_for_services_that_exist(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]
    for other, wait in service.get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
    if "network_mode" in service:
        assert service["network_mode"].removeprefix("service:") in SERVICES


def test_the_instance_is_that_of_the_project_on_postgresql_with_its_files_on_the_volume() -> None:
    own = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    composed = yaml.safe_load((ROOT / "deploy" / "compose" / "dagster.yaml").read_text())

    assert {key: composed[key] for key in own} == own
    assert set(composed["storage"]) == {"postgres"}
    for key in ("compute_logs", "local_artifact_storage"):
        assert composed[key]["config"]["base_dir"].startswith("/data/")
    assert set(composed) == {*own, "storage", "compute_logs", "local_artifact_storage"}


def test_dagster_signs_in_to_the_database_with_any_password() -> None:
    utils = pytest.importorskip("dagster_postgres.utils", reason="the extra kubernetes is not installed")
    composed = yaml.safe_load((ROOT / "deploy" / "compose" / "dagster.yaml").read_text())
    config = composed["storage"]["postgres"]["postgres_db"]
    password = "p@ss:w/rd%41 #?&"
    variable = config["password"].pop("env")

    url = make_url(utils.pg_url_from_config({"postgres_db": {**config, "password": password}}))

    database = SERVICES["postgres"]["environment"]
    assert (url.username, url.database) == (database["POSTGRES_USER"], database["POSTGRES_DB"])
    assert (url.password, url.host, url.port) == (password, "postgres", 5432)
    assert url.get_dialect().driver == "psycopg2"
    for name in ("code-location", "daemon", "webserver", "metrics"):
        assert SERVICES[name]["environment"][variable] == database["POSTGRES_PASSWORD"]


def test_dagster_opens_the_instance_apart_from_its_storage(tmp_path: Path) -> None:
    composed = yaml.safe_load((ROOT / "deploy" / "compose" / "dagster.yaml").read_text())
    del composed["storage"]
    text = yaml.safe_dump(composed).replace("/data/", f"{tmp_path}/data/")
    (tmp_path / "dagster.yaml").write_text(text)

    with open_instance(tmp_path) as instance:
        assert not instance.telemetry_enabled
        assert Path(instance.storage_directory()).is_relative_to(tmp_path / "data" / "dagster")
        assert type(instance.compute_log_manager).__name__ == "LocalComputeLogManager"


def test_the_workspace_is_the_code_location() -> None:
    workspace = yaml.safe_load((ROOT / "deploy" / "compose" / "workspace.yaml").read_text())
    (location,) = [entry["grpc_server"] for entry in workspace["load_from"]]
    command = SERVICES["code-location"]["command"]

    assert location["location_name"] == "football_assets"
    assert location["host"] in SERVICES["pod"]["networks"]["default"]["aliases"]
    assert str(location["port"]) == command[command.index("--port") + 1]


def test_prometheus_scrapes_the_endpoint_with_its_key_and_reads_the_projects_alerts() -> None:
    own = yaml.safe_load((ROOT / "serve" / "monitoring" / "prometheus.yml").read_text())
    composed = yaml.safe_load((ROOT / "deploy" / "compose" / "prometheus.yml").read_text())
    job, dagster = composed["scrape_configs"]
    own_job, own_dagster = own["scrape_configs"]

    assert {**composed, "scrape_configs": []} == {**own, "scrape_configs": []}
    assert job["metrics_path"] == own_job["metrics_path"]
    assert job["job_name"] == own_job["job_name"], "the alerts name it"
    assert job["static_configs"] == [{"targets": ["serve:8000"]}]
    assert dagster == {**own_dagster, "static_configs": [{"targets": ["metrics:9401"]}]}
    assert SERVICES["metrics"]["command"][-1] == "9401"
    assert job["authorization"]["credentials_file"] == "/run/secrets/football_api_key"
    assert SERVICES["prometheus"]["secrets"] == ["football_api_key"]


def test_grafana_has_the_dashboard_and_its_data_source() -> None:
    (source,) = yaml.safe_load((ROOT / "deploy" / "compose" / "grafana-datasource.yaml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((ROOT / "deploy" / "compose" / "grafana-dashboards.yaml").read_text())[
        "providers"
    ]
    mounted = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    dashboard = json.loads((ROOT / "serve" / "monitoring" / "grafana-dashboard.json").read_text())

    assert source["type"] in {item["id"] for item in dashboard["__requires"]}
    assert source["url"] == "http://prometheus:9090"
    target = mounted["./serve/monitoring/grafana-dashboard.json"]
    assert Path(target).parent == Path(provider["options"]["path"])


def test_further_keys_and_the_rate_limit_reach_the_endpoint_and_may_be_blank(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = SERVICES["serve"]["environment"]
    names = ("FOOTBALL_API_KEYS", "FOOTBALL_RATE_LIMIT", "FOOTBALL_RATE_BURST")
    assert [environment[name] for name in names] == [f"${{{name}:-}}" for name in names]

    monkeypatch.setenv("FOOTBALL_API_KEY", "a-key-of-a-test")
    for name in names:
        monkeypatch.setenv(name, "")
    blank = Settings()
    for name in names:
        monkeypatch.delenv(name)
    assert blank == Settings()


def test_the_volume_of_the_project_is_where_the_images_write() -> None:
    assert "VOLUME /data" in (ROOT / "Dockerfile").read_text()
    for name in ("code-location", "daemon", "webserver", "serve"):
        assert "football:/data" in SERVICES[name]["volumes"]
        assert SERVICES[name]["environment"]["FOOTBALL_HOME"].startswith("/data/")


def test_signed_models_have_the_private_key_where_runs_execute_and_nowhere_else() -> None:
    added = yaml.safe_load((ROOT / "deploy/compose/signing.yaml").read_text(encoding="utf-8"))

    assert set(added["services"]) == {"code-location", "serve"} <= set(SERVICES)
    (secret,) = added["secrets"]
    assert added["services"]["code-location"]["secrets"] == [secret]
    assert "secrets" not in added["services"]["serve"]
    assert added["services"]["code-location"]["environment"] == {
        "FOOTBALL_SIGNING_KEY": f"/run/secrets/{secret}",
        "FOOTBALL_VERIFY_KEYS": "/etc/football-keys",
    }
    assert added["services"]["serve"]["environment"] == {"FOOTBALL_VERIFY_KEYS": "/etc/football-keys"}
    for service in added["services"].values():
        (volume,) = service["volumes"]
        assert volume.endswith(":/etc/football-keys:ro")
