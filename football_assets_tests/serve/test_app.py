"""The application's configuration: what the files give is what Serve and the replica take."""

import subprocess
import sys
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from ray.serve import Application
from ray.serve.schema import ServeDeploySchema

from serve.app import build
from serve.deployment import ReplicaConfig, UserConfig
from serve.launch import CONFIG
from serve.service import ModelChoice


@pytest.fixture
def application() -> dict[str, Any]:
    """The only application of the configuration file."""
    (application,) = yaml.safe_load(CONFIG.read_text())["applications"]
    assert isinstance(application, dict)
    return application


def test_serve_takes_the_configuration_file(application: dict[str, Any]) -> None:
    config = ServeDeploySchema.model_validate(yaml.safe_load(CONFIG.read_text()))
    assert config.http_options.host == "127.0.0.1"
    (parsed,) = config.applications
    (deployment,) = parsed.deployments
    assert parsed.import_path == "serve.app:build"
    assert deployment.name == "Forecaster"
    assert application["deployments"][0]["autoscaling_config"]["min_replicas"] >= 1


def test_the_replica_takes_what_the_file_gives(application: dict[str, Any]) -> None:
    replica = ReplicaConfig(**application["args"])
    (deployment,) = application["deployments"]
    user_config = UserConfig(**deployment["user_config"])

    assert user_config.version == "production"
    assert set(application["args"]) == set(ReplicaConfig.model_fields)
    assert set(deployment["user_config"]) == set(UserConfig.model_fields)
    assert set(ModelChoice.model_fields) < set(UserConfig.model_fields)
    # The application rejects excess requests, with a problem document, before Serve does.
    assert deployment["max_ongoing_requests"] > replica.requests_at_once


def test_the_application_is_built_from_its_arguments(application: dict[str, Any]) -> None:
    assert isinstance(build(application["args"]), Application)
    assert isinstance(build({}), Application)


@pytest.mark.parametrize(
    "arguments", [{"body_byte": 1}, {"body_bytes": 10}, {"requests_at_once": 0}, {"requests_at_once": "many"}]
)
def test_arguments_that_mean_nothing_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        build(arguments)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("serve.api", ("dagster", "torch", "dbt", "ray")),
        ("serve.launch", ("dagster", "torch", "dbt", "ray", "fastapi")),
        ("serve.app", ("dagster", "torch", "dbt")),
        ("serve.deployment", ("dagster", "torch", "dbt")),
    ],
)
def test_serving_loads_nothing_that_trains(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(sorted({set(absent)!r} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
