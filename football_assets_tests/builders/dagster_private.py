"""Every private name of Dagster that only the tests use; other test modules import them from here.

The project's own are in `football_assets.orchestration.dagster_private`.
"""

from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import EngineEventData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.storage.tags import PARENT_RUN_ID_TAG
from dagster._core.test_utils import (
    create_run_for_test,
    create_test_daemon_workspace_context,
    freeze_time,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget, InProcessWorkspaceLoadTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.interrupts import setup_interrupt_handlers

__all__ = [
    "PARENT_RUN_ID_TAG",
    "AssetCheckEvaluationPlanned",
    "BulkActionStatus",
    "DaemonHeartbeat",
    "EngineEventData",
    "GrpcServerTarget",
    "InProcessCodeLocationOrigin",
    "InProcessWorkspaceLoadTarget",
    "JobPythonOrigin",
    "LoadableTargetOrigin",
    "ModuleCodePointer",
    "PartitionBackfill",
    "RepositoryPythonOrigin",
    "WorkspaceProcessContext",
    "create_run_for_test",
    "create_test_daemon_workspace_context",
    "execute_run_monitoring_iteration",
    "execute_sensor_iteration",
    "freeze_time",
    "setup_interrupt_handlers",
]
