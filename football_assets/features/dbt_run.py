"""Run dbt in this process, on the project as `dbt_project` has parsed it. `dbt_build` calls it.

A dbt process of its own would spend as long on imports, on parsing and on writing the manifest as DuckDB does on the
models. Importing this module imports dbt-core: import it inside functions.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.environments import Environment
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.events.logging import cleanup_event_logger
from dbt_common.events.base_types import EventMsg

_LOGGED = {"info", "warn", "error"}
_one_at_a_time = threading.Lock()  # dbt keeps its flags, its logger and its database in globals


def run_dbt(
    arguments: Sequence[str], parsed: Path, build: Path, log: Callable[[str], None]
) -> RunExecutionResult | BaseException:
    """Run a dbt command that builds or tests.

    Parameters
    ----------
    arguments
        The command and its arguments.
    parsed
        The parsed project, a `partial_parse.msgpack`.
    build
        Folder for what dbt writes.
    log
        Takes dbt's log, line by line.

    Returns
    -------
    RunExecutionResult | BaseException
        What became of the models and tests, or why dbt did not come to run them.
    """
    one_line_at_a_time = threading.Lock()  # models and tests run in threads

    def take(event: EventMsg) -> None:
        info: Any = event.info  # its class is generated without types
        line = info.msg.rstrip()
        if line and info.level in _LOGGED:
            with one_line_at_a_time:
                log(line)

    quiet = ["--no-write-json", "--log-level", "none", "--log-level-file", "none", "--log-path", str(build)]
    with _one_at_a_time:
        manifest = Manifest.from_msgpack(parsed.read_bytes())  # dbt writes into it
        manifest.build_flat_graph()
        try:
            invocation = dbtRunner(manifest, [take]).invoke([*quiet, *arguments, "--target-path", str(build)])
        finally:
            _close_database()
            cleanup_event_logger()
    if isinstance(invocation.result, RunExecutionResult):
        return invocation.result
    return invocation.exception or RuntimeError("dbt ended without a result")


def _close_database() -> None:
    environment: Environment | None = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
        DuckDBConnectionManager.close_all_connections()
