"""The code location ends on SIGTERM, also where SIGINT was ignored when it started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from football_assets.orchestration.dagster_private import DagsterGrpcClient
from football_assets.runtime.code_location import SERVER_ID
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_private import setup_interrupt_handlers
from football_assets_tests.builders.ports import free_port

START_SECONDS = 120
GRACE_SECONDS = 60  # of the pod
STARTED = b"Started Dagster code server"


def ignore_interrupts() -> None:
    """As a shell that is not interactive does for what it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_sigterm_ends_it_though_sigint_was_ignored_at_its_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {**os.environ, "FOOTBALL_HOME": str(tmp_path / "home"), "DAGSTER_HOME": str(tmp_path)}
    port = free_port()
    command = [sys.executable, "-m", "football_assets.cli", "code-location", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=project_root(),
            stdout=output,
            stderr=output,
            preexec_fn=ignore_interrupts,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while STARTED not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        assert DagsterGrpcClient(port, host="127.0.0.1").get_server_id().startswith(SERVER_ID)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
    assert b"Shutting down Dagster code server" in log.read_bytes()


def test_dagster_itself_still_gives_sigterm_the_disposition_of_sigint() -> None:
    """Why the command exists: without it, SIGTERM is ignored where SIGINT is."""
    interrupt, terminate = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        setup_interrupt_handlers()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)
