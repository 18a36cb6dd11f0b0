"""What a Ray container evaluates before Ray starts."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ray import cloudpickle
from ray.serve.config import RequestRouterConfig

from football_assets.runtime.home import project_root
from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets.settings import Settings
from football_assets_tests.builders.ports import free_port
from serve import haproxy, pod
from serve.haproxy_environment import haproxy_environment
from serve.haproxy_rates import RateLimit
from serve.metrics_folder import METRICS
from serve.pod import INLINE_RESULT_BYTES, pod_environment, prepare_pod

PREPARE = '{ environment="$(python -m serve.pod)" && eval "$environment"; } || exit 1'
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
REPLY_BYTES = 100 << 10  # of a result that Ray by default returns with the reply
STORED = """
import json, sys
import ray
from ray.experimental import get_object_locations

from football_assets.runtime.ray_private import listen_on_loopback_only

listen_on_loopback_only()
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
zeros = ray.remote(lambda size: bytes(size))
results = [zeros.remote(int(size)) for size in sys.argv[1:]]
ray.wait(results, num_returns=len(results))
locations = get_object_locations(results)
print(json.dumps([bool(locations[result]["node_ids"]) for result in results]))
"""


def shell(folder: Path, port: int, key: str = "a key of a test") -> subprocess.CompletedProcess[str]:
    """Run the container's command, then a program in place of `ray start`, as the operator does."""
    return subprocess.run(
        ["/bin/bash", "-c", "--", f"{PREPARE} && ulimit -n 1024; python -c '{SHOW}'"],
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(project_root()),
            "FOOTBALL_HOME": str(folder / "home"),
            "FOOTBALL_SERVE_HOST": "0.0.0.0",
            "FOOTBALL_SERVE_PORT": str(port),
            "TMPDIR": str(folder),
            **({"FOOTBALL_API_KEY": key} if key else {}),
        },
        capture_output=True,
        text=True,
    )


def test_ray_starts_with_the_variables(tmp_path: Path) -> None:
    port = free_port()
    done = shell(tmp_path, port)
    assert done.returncode == 0, done.stderr
    environment = json.loads(done.stdout)
    runtime = tmp_path / pod.RUNTIME
    expected = (
        haproxy_environment(runtime, [f"0.0.0.0:{port}"], RateLimit(100.0, 1000))
        | NO_TELEMETRY
        | {"RAY_max_direct_call_object_size": "1048576"}
    )
    assert {name: environment[name] for name in expected} == expected | {
        "FOOTBALL_PYTHON": environment["FOOTBALL_PYTHON"]
    }
    assert runtime.is_dir()
    assert (tmp_path / "home" / "scratch" / METRICS).is_dir()


def test_ray_does_not_start_where_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        done = shell(tmp_path, taken.getsockname()[1])
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be listened on" in done.stderr


def test_ray_does_not_start_without_a_key(tmp_path: Path) -> None:
    done = shell(tmp_path, free_port(), key="")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The pod cannot start: On host 0.0.0.0 the endpoint would answer other machines" in done.stderr


def test_counts_of_an_earlier_container_of_the_pod_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = Settings(home=tmp_path / "home", serve_port=free_port())
    folder = settings.scratch / METRICS
    folder.mkdir(parents=True)
    (folder / "counter_0.db").write_bytes(b"old")
    prepare_pod(settings)
    assert list(folder.iterdir()) == []


def test_sockets_of_a_pod_are_short_enough_for_haproxy(tmp_path: Path) -> None:
    """Ray adds the id of its node, 56 characters, to the folder."""
    environment = pod_environment(Settings(serve_port=free_port()), Path("/tmp", pod.RUNTIME))
    socket_path = environment["RAY_SERVE_HAPROXY_SOCKET_PATH"]
    assert len(socket_path) + 57 <= 97
    assert environment[haproxy.BIND].startswith("127.0.0.1:")


def test_serve_pickles_a_configuration_that_ray_does_not_return_with_a_reply() -> None:
    """If this fails, Ray no longer needs INLINE_RESULT_BYTES."""
    size = len(cloudpickle.dumps(RequestRouterConfig()))
    assert REPLY_BYTES < size < INLINE_RESULT_BYTES // 4


def test_ray_returns_results_up_to_the_size_with_the_reply_and_stores_larger_ones(tmp_path: Path) -> None:
    """Ray reads the variable when it starts, so a process of its own starts it."""
    name = "RAY_max_direct_call_object_size"
    variables = pod_environment(Settings(home=tmp_path, serve_port=free_port()), tmp_path)
    sizes = [REPLY_BYTES - 4096, REPLY_BYTES + 4096, INLINE_RESULT_BYTES - 4096, INLINE_RESULT_BYTES + 4096]

    def stored(change: dict[str, str]) -> list[bool]:
        environment = {key: value for key, value in os.environ.items() if key != name} | NO_TELEMETRY | change
        command = [sys.executable, "-c", STORED, *map(str, sizes)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [bool(found) for found in json.loads(done.stdout.splitlines()[-1])]

    assert stored({}) == [False, True, True, True]
    assert stored({name: variables[name]}) == [False, False, False, True]
