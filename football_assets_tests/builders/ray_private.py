"""The private names of Ray Serve that the tests import; `proxies.py` runs the generator of HAProxy's configuration.

The project's own are in `football_assets.runtime.ray_private`.
"""

from pathlib import Path
from typing import Any

from ray.serve._private.constants import SERVE_LOGGER_NAME
from ray.serve._private.http_util import RequestIdMiddleware

__all__ = ["SERVE_LOGGER_NAME", "RequestIdMiddleware", "configure_replica_logger", "start_replica"]


def configure_replica_logger(folder: Path, deployment: str, replica: str) -> None:
    """Give this process the logger of a replica, as Ray Serve does when it starts one.

    The log is `<folder>/replica_<deployment>_<replica>.log`. Ray reads the size of the buffer from the environment when
    it is imported.
    """
    from ray.serve._private.common import ServeComponentType
    from ray.serve._private.constants import RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE
    from ray.serve._private.logging_utils import configure_component_logger
    from ray.serve.schema import LoggingConfig

    configure_component_logger(
        component_name=deployment,
        component_id=replica,
        component_type=ServeComponentType.REPLICA,
        logging_config=LoggingConfig(logs_dir=str(folder), enable_access_log=False),
        max_bytes=1 << 20,
        backup_count=1,
        buffer_size=RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE,
    )


async def start_replica(deployment: Any, *arguments: Any) -> Any:
    """Construct the class of a deployment in this process as Ray Serve does in a replica.

    `@serve.batch` asks for the replica's context at the first request.
    """
    from ray.serve._private.common import DeploymentID, ReplicaID
    from ray.serve._private.config import DeploymentConfig
    from ray.serve.context import _set_internal_replica_context
    from ray.serve.schema import ReplicaRank

    replica = deployment.func_or_class.__new__(deployment.func_or_class)
    _set_internal_replica_context(
        replica_id=ReplicaID("of-the-test", DeploymentID(deployment.name)),
        servable_object=replica,
        _deployment_config=DeploymentConfig(max_ongoing_requests=1024),
        rank=ReplicaRank(rank=0, node_rank=0, local_rank=0),
        world_size=1,
    )
    await replica.__init__(*arguments)
    return replica
