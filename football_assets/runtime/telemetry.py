"""Environment variables that turn off the telemetry of libraries.

`football_assets/__init__.py` sets them, so they are set before any module of the project imports a library, in every
process that imports the project: command line, code location, run worker, Ray worker, Serve replica. Child processes
inherit them. Dagster has no such variable: `dagster.yaml` turns its telemetry off.
"""

import os

NO_TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime; read when the library is loaded
    "RAY_USAGE_STATS_ENABLED": "0",
    # A cluster of `ray start` reports even that its statistics are off; here to a port on which nothing listens.
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",  # Evidently, dbt
    "ITERATIVE_DO_NOT_TRACK": "1",  # iterative-telemetry, which Evidently uses
    "WANDB_ERROR_REPORTING": "false",  # W&B's crash reports; runs are logged to W&B only if it is configured
}


def disable_telemetry() -> None:
    """Turn telemetry off for this process and its child processes, overriding the environment."""
    os.environ.update(NO_TELEMETRY)
