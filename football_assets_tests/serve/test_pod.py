"""What a Ray container evaluates before Ray starts."""

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from football_assets.runtime.home import project_root
from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets.settings import Settings
from football_assets_tests.end_to_end.installation import free_port
from serve import haproxy, pod
from serve.haproxy_environment import haproxy_environment
from serve.haproxy_rates import RateLimit
from serve.metrics_folder import METRICS
from serve.pod import pod_environment, prepare_pod

PREPARE = '{ environment="$(python -m serve.pod)" && eval "$environment"; } || exit 1'
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


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
    expected = haproxy_environment(runtime, [f"0.0.0.0:{port}"], RateLimit(100.0, 1000)) | NO_TELEMETRY
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
