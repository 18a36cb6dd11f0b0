"""The Ray Serve deployment: its options and configuration, and a replica as its configuration changes."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError
from ray.serve.config import AutoscalingConfig

from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.replica_process import Observed, observe_replica
from serve.deployment import Forecaster, ReplicaConfig, UserConfig
from serve.launch import CONFIG
from serve.middleware import Limits
from serve.service import ModelChoice


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of the deployment in the configuration file."""
    (application,) = yaml.safe_load(CONFIG.read_text("utf-8"))["applications"]
    (deployment,) = application["deployments"]
    return dict(deployment)


# Configuration


def test_the_deployment_takes_the_options_of_the_file(options: dict[str, Any]) -> None:
    deployment = Forecaster.options(**options)  # type: ignore[attr-defined]

    assert deployment.name == Forecaster.name == "Forecaster"  # type: ignore[attr-defined]
    assert deployment.max_ongoing_requests == 1024
    assert deployment.ray_actor_options == {"num_cpus": 1, "num_gpus": 0}
    assert deployment.user_config == options["user_config"]


@pytest.mark.parametrize("share", [0.25, 1])
def test_a_replica_may_have_a_share_of_a_gpu(options: dict[str, Any], share: float) -> None:
    resources = options["ray_actor_options"] | {"num_gpus": share}

    deployment = Forecaster.options(**options | {"ray_actor_options": resources})  # type: ignore[attr-defined]

    assert deployment.ray_actor_options == {"num_cpus": 1, "num_gpus": share}


def test_replicas_are_added_before_one_has_as_many_requests_as_it_takes(options: dict[str, Any]) -> None:
    scaling = AutoscalingConfig(**options["autoscaling_config"])

    assert (scaling.min_replicas, scaling.max_replicas) == (1, 2)
    assert scaling.get_target_ongoing_requests() == 8 < ReplicaConfig().requests_at_once
    assert scaling.upscale_delay_s < scaling.downscale_delay_s


def test_a_replica_has_the_limits_of_the_middleware_where_none_are_given() -> None:
    assert ReplicaConfig().model_dump() == asdict(Limits())
    assert ReplicaConfig(body_bytes=1024, requests_at_once=1).model_dump() == {
        "body_bytes": 1024,
        "requests_at_once": 1,
    }


def test_a_replica_follows_production_in_batches_where_nothing_is_given() -> None:
    config = UserConfig()

    assert ModelChoice(**config.model_dump(include=set(ModelChoice.model_fields))) == ModelChoice()
    assert (config.version, config.provider) == ("production", "auto")
    assert (config.max_batch_size, config.batch_wait_seconds, config.reload) == (64, 0.0, "")


@pytest.mark.parametrize("model", [ReplicaConfig, UserConfig])
def test_every_setting_has_a_description(model: type[BaseModel]) -> None:
    assert all((field.description or "").strip() for field in model.model_fields.values())


@pytest.mark.parametrize(
    "change",
    [
        {"versoin": 1},
        {"provider": "tpu"},
        {"threads": 0},
        {"poll_seconds": 0},
        {"max_batch_size": 0},
        {"batch_wait_seconds": -1},
    ],
)
def test_a_user_configuration_that_means_nothing_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UserConfig(**change)


# A replica


@pytest.fixture(scope="module")
def seen(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """What a replica on the demo's model answered from its start to its end."""
    home = tmp_path_factory.mktemp("replica")
    copy_bucket(demo_home, home / "bucket")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(observe_replica, home).result()


def test_a_replica_starts_without_a_model_and_rejects_a_first_configuration_that_is_not_valid(
    seen: Observed,
) -> None:
    assert (seen.before["status"], seen.before["model_version"]) == ("starting", None)
    assert seen.rejected_at_first == [("threads",)]


def test_single_requests_wait_for_each_other_up_to_the_size_of_a_batch(seen: Observed) -> None:
    assert seen.sizes == (8, 2)


def test_a_replica_has_the_key_of_the_settings_and_the_limits_of_its_arguments(seen: Observed) -> None:
    assert seen.statuses == {"without the key": 401, "a body of the limit": 415, "a larger body": 413}


def test_a_later_configuration_that_is_not_valid_is_reported_while_the_model_answers(seen: Observed) -> None:
    health = seen.after_an_invalid_one

    assert (health["status"], health["model_version"]) == ("degraded", 1)
    assert health["model_error"].startswith(
        "user_config is not valid: 1 validation error for UserConfig versoin"
    )
    assert seen.versions["after an invalid configuration"] == 1


def test_a_valid_configuration_loads_its_version_and_ends_the_error(seen: Observed) -> None:
    health = seen.after_a_valid_one

    assert (health["status"], health["model_version"], health["model_error"]) == ("ok", 2, None)
    assert (seen.versions["by its number"], seen.versions["by the alias"]) == (2, 1)


def test_a_replica_follows_the_alias(seen: Observed) -> None:
    assert seen.versions["after a promotion"] == 2


def test_a_replica_leaves_its_log_in_the_bucket_and_its_metrics_in_the_scratch_folder(seen: Observed) -> None:
    assert seen.logged_before_the_end < seen.logged == seen.answered == 12
    assert seen.has_metrics_folder
