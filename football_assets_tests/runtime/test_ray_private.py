"""What depends on Ray's private modules behaves as it is expected."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray._private import ray_constants, services

from football_assets.runtime.ray_private import (
    CLUSTER_FILE,
    autoscaled_resources,
    listen_on_loopback_only,
    without_cloud_lookup,
)
from football_assets.runtime.telemetry import NO_TELEMETRY

# A replica is sent handles of the two kinds of proxies; it returns the classes that it reads from the head for them.
PUSHED = """
import json
import ray
from ray._private.function_manager import FunctionActorManager
from ray.serve._private.haproxy import HAProxyManager
from ray.serve._private.proxy import ProxyActor
from football_assets.runtime.ray_private import load_actor_classes_from_this_machine

class Replica:
    def __init__(self, loads_here):
        if loads_here:
            load_actor_classes_from_this_machine()
        self.read, read = [], FunctionActorManager._load_actor_class_from_gcs

        def reading(manager, job, descriptor):
            self.read.append(descriptor.class_name)
            return read(manager, job, descriptor)

        FunctionActorManager._load_actor_class_from_gcs = reading

    async def push(self, handle):
        assert handle.ready

    async def classes(self):
        return self.read

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
options = {"grpc_options": None, "node_id": "", "node_ip_address": "", "logging_config": None}
proxies = [ProxyActor.remote(None, **options), HAProxyManager.remote(None, **options)]
found = []
for loads_here in (False, True):
    replica = ray.remote(num_cpus=0)(Replica).remote(loads_here)
    ray.get([replica.push.remote(proxy) for proxy in proxies])
    found.append(ray.get(replica.classes.remote()))
print(json.dumps(found))
"""


def test_the_dashboard_alone_gets_a_home_with_an_empty_file_of_the_cluster_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = {}

    def start(_: list[str], process_type: str, **options: Any) -> None:
        started[process_type] = options.get("env_updates")

    monkeypatch.setattr(services, "start_ray_process", start)
    with without_cloud_lookup(tmp_path):
        for process_type in (ray_constants.PROCESS_TYPE_DASHBOARD, ray_constants.PROCESS_TYPE_RAYLET):
            services.start_ray_process([], process_type, fate_share=True)

    home = Path(started[ray_constants.PROCESS_TYPE_DASHBOARD]["HOME"])
    assert home.is_relative_to(tmp_path)
    assert yaml.safe_load((home / CLUSTER_FILE).read_text()) == {}
    assert started[ray_constants.PROCESS_TYPE_RAYLET] is None
    assert services.start_ray_process is start


def test_ray_starts_its_dashboard_and_reads_the_file_as_it_is_known_here() -> None:
    from ray.dashboard.modules.usage_stats.usage_stats_head import UsageStatsHead

    assert "env_updates" in inspect.signature(services.start_ray_process).parameters
    assert "start_ray_process(" in inspect.getsource(services.start_api_server)
    assert f"~/{CLUSTER_FILE}" in inspect.getsource(UsageStatsHead.run)


def test_a_cluster_of_this_process_listens_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", True)  # restored at the end of the test
    monkeypatch.setattr(services, "node_ip_address_from_perspective", lambda _: "192.0.2.7")
    assert services.resolve_ip_for_localhost("127.0.0.1") == "192.0.2.7"

    listen_on_loopback_only()

    assert services.resolve_ip_for_localhost("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("config", "most"), [(None, {}), ({}, {}), ({"CPU": 8, "GPU": 4}, {"CPU": 8.0, "GPU": 4.0})]
)
def test_the_most_that_an_autoscaler_may_add_is_that_of_its_configuration(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, int] | None, most: dict[str, float]
) -> None:
    from ray._private.state import state

    assert "node_group_configs" in inspect.getsource(state.get_max_resources_from_cluster_config)
    monkeypatch.setattr(state, "get_max_resources_from_cluster_config", lambda: config)

    assert autoscaled_resources() == most


def test_ray_train_knows_the_variable_by_which_the_manifest_lets_it_wait_for_machines() -> None:
    from ray.train.v2._internal import constants

    assert constants.WORKER_GROUP_START_TIMEOUT_S_ENV_VAR == "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"


def test_a_replica_imports_the_classes_of_proxies_that_it_would_read_from_the_head() -> None:
    """Ray reads them in the event loop of the replica, which answers no request meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", PUSHED], env=os.environ | NO_TELEMETRY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    without, with_local = json.loads(done.stdout.splitlines()[-1])
    assert set(without) == {"ProxyActor", "HAProxyManager"}
    assert with_local == []
