"""The variables that make Serve start the project's HAProxy."""

import os
from pathlib import Path

from serve import haproxy
from serve.haproxy_environment import haproxy_environment


def test_serve_starts_the_wrapper_with_files_below_the_folder(tmp_path: Path) -> None:
    environment = haproxy_environment(tmp_path, ["0.0.0.0:8000", "127.0.0.1:8000"])
    assert Path(environment["RAY_SERVE_HAPROXY_BINARY_PATH"]).name == "haproxy.sh"
    assert os.access(environment[haproxy.BINARY], os.X_OK)
    assert environment[haproxy.BIND] == "0.0.0.0:8000;127.0.0.1:8000"
    below = [name for name, value in environment.items() if value.startswith(str(tmp_path))]
    assert {"RAY_SERVE_HAPROXY_CONFIG_FILE_LOC", "RAY_SERVE_HAPROXY_SOCKET_PATH", haproxy.PROBLEM_FILE} < set(
        below
    )


def test_ports_are_those_that_serve_chooses(tmp_path: Path) -> None:
    """In a pod nothing else listens, and HAProxy of another pod asks the head's proxy at its default port."""
    assert not [name for name in haproxy_environment(tmp_path, []) if name.endswith("_PORT")]
