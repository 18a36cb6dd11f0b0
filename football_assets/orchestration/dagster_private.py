"""Every private name of Dagster that the project uses; other modules import them from here.

Each has no public counterpart in Dagster 1.13. `test_dagster_private.py` fails when an upgrade changes what the project
relies on, and `pyproject.toml` bounds the version.
"""

from dagster._core.definitions.assets.graph.base_asset_graph import (
    BaseAssetGraph,  # type of a repository's graph
)
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,  # of a materialization: the code version of its asset
    DATA_VERSION_TAG,  # of a materialization: its data version
)
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterUserCodeUnreachableError  # of `DagsterGrpcClient`
from dagster._core.execution.api import (
    execute_run_iterator,  # yields events during the run; `execute_job` does not
)
from dagster._core.launcher import (  # of `RunLauncher`'s methods
    CheckRunHealthResult,
    LaunchRunContext,
    WorkerStatus,
)
from dagster._core.remote_origin import (  # link a run to a code location
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
)
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    AUTO_RETRY_RUN_ID_TAG,
    BACKFILL_ID_TAG,
    GRPC_INFO_TAG,  # of a run: the code server that executes it
    MAX_RETRIES_TAG,
    RUN_KEY_TAG,
    SENSOR_NAME_TAG,
    WILL_RETRY_TAG,
)
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._grpc.client import DagsterGrpcClient  # asks a code server whether it executes a run
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._utils.error import SerializableErrorInfo  # type of a failure event's error
from dagster._utils.interrupts import capture_interrupts  # delays SIGINT to the end of a step

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "AUTO_RETRY_RUN_ID_TAG",
    "BACKFILL_ID_TAG",
    "CODE_VERSION_TAG",
    "COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES",
    "DATA_VERSION_TAG",
    "GRPC_INFO_TAG",
    "MAX_RETRIES_TAG",
    "RUN_KEY_TAG",
    "SENSOR_NAME_TAG",
    "WILL_RETRY_TAG",
    "BaseAssetGraph",
    "CanCancelExecutionRequest",
    "CanCancelExecutionResult",
    "CheckRunHealthResult",
    "DagsterGrpcClient",
    "DagsterUserCodeUnreachableError",
    "InMemoryJob",
    "LaunchRunContext",
    "RemoteJobOrigin",
    "RemoteRepositoryOrigin",
    "SerializableErrorInfo",
    "WorkerStatus",
    "capture_interrupts",
    "execute_run_iterator",
    "location_origins_from_yaml_paths",
]
