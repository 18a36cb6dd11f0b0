"""The log of a replica, as Ray Serve configures it in the mode that `football serve` uses."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from football_assets.settings import Settings
from football_assets_tests.builders.ports import free_port
from football_assets_tests.builders.ray_private import SERVE_LOGGER_NAME
from serve.launch import CONFIG, ray_environment
from serve.logs import logger
from serve.pod import pod_environment

# Ray has no public function that gives a process the logger of a replica.
REPLICA = """
import sys
from pathlib import Path
from football_assets_tests.builders.ray_private import configure_replica_logger

configure_replica_logger(Path(sys.argv[1]), "Forecaster", "a1")
from serve.logs import ignore_log_errors, logger

ignore_log_errors()
"""
LOG = "replica_Forecaster_a1.log"


def run_replica(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process with a replica's logger, killed at its end so that nothing flushes its buffers."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"{REPLICA}\n{code}\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            folder,
        ],
        env=os.environ | ray_environment(folder, ["127.0.0.1:8000"]),
        cwd=CONFIG.parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_record_is_in_the_file_at_once_with_its_level_and_a_readable_traceback(tmp_path: Path) -> None:
    run_replica(
        tmp_path,
        "logger.info('Model version %d answers', 2)\n"
        "try:\n    {}['a secret']\n"
        "except KeyError as error:\n    logger.error('Request a1 failed', exc_info=error)\n"
        "logger.warning('the last')",
    )

    lines = (tmp_path / LOG).read_text().splitlines()

    assert [line.partition(" ")[0] for line in lines if " -- " in line] == ["INFO", "ERROR", "WARNING"]
    assert lines[0].endswith("-- Model version 2 answers")
    assert lines[1].endswith("-- Request a1 failed")
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[-2] == "KeyError: 'a secret'"


def test_a_log_on_a_full_disk_fails_no_request(tmp_path: Path) -> None:
    (tmp_path / LOG).symlink_to("/dev/full")
    ended = run_replica(
        tmp_path,
        "logger.error('lost', exc_info=ValueError('a secret'))\n"
        "sys.__stdout__.write('answered')\nsys.__stdout__.flush()",
    )
    assert ended.stdout == "answered", ended.stderr


def test_the_logger_is_below_the_one_that_ray_serve_gives_a_file() -> None:
    assert logger.name.startswith(f"{SERVE_LOGGER_NAME}.")
    assert logger.level == logging.NOTSET
    assert logger.propagate


def test_neither_one_machine_nor_a_pod_of_a_cluster_holds_back_a_record(tmp_path: Path) -> None:
    name = "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE"
    in_pod = pod_environment(Settings(serve_port=free_port()), tmp_path)
    assert in_pod[name] == ray_environment(tmp_path, ["127.0.0.1:8000"])[name] == "1"
