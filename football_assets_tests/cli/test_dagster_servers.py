"""`football code-location` and `metrics`."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from football_assets.cli import main
from football_assets.runtime import code_location
from football_assets_tests.builders.ports import free_port

START_SECONDS = 120


def test_the_code_location_listens_on_loopback_with_the_instance_of_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[tuple[str, int]] = []
    monkeypatch.setattr(code_location, "become_code_location", lambda host, port: called.append((host, port)))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    assert main(["code-location"]) == 0
    assert called == [("127.0.0.1", 4266)]
    assert (tmp_path / "home" / "dagster" / "dagster.yaml").is_file()


def test_an_instance_of_the_team_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(code_location, "become_code_location", lambda host, port: None)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    assert main(["code-location", "--host", "0.0.0.0", "--port", "4000"]) == 0
    assert os.environ["DAGSTER_HOME"] == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["code-location", "metrics"])
def test_a_port_that_is_taken_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([command, "--port", str(port)]) == 1
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use)" in capsys.readouterr().err


def test_metrics_are_served_until_sigterm(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "football_assets.cli", "metrics", "--port", str(port)],
        env={name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
        | {"FOOTBALL_HOME": str(tmp_path / "home")},
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            try:
                text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
                break
            except httpx.TransportError:
                time.sleep(0.2)
        assert "football_dagster_production_version 0.0" in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
