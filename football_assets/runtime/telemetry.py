"""Environment variables that keep libraries from sending usage data to their makers.

`football_assets/__init__.py` sets them, so they are set before any module of the project imports a library, in every
process that imports the project: command line, code location, run worker, Ray worker, Serve replica. Child processes
inherit them. Dagster has no such variable: `dagster.yaml` turns its telemetry off.
"""

import os

NO_TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime; read when the library is loaded
    "RAY_USAGE_STATS_ENABLED": "0",
    # A cluster that `ray start` has started reports also that its statistics are off: to a port where nothing listens.
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",  # Evidently, dbt
    "ITERATIVE_DO_NOT_TRACK": "1",  # the library that Evidently sends with
    "WANDB_ERROR_REPORTING": "false",  # W&B's crash reports; its runs are logged where a person configures them
}


def disable_telemetry() -> None:
    """Turn usage data off for this process and the processes that it starts, whatever the environment says."""
    os.environ.update(NO_TELEMETRY)
