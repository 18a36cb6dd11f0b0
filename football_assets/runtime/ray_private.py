"""Every use of Ray's private modules, for which Ray 2.60 has no public setting.

`test_ray_private.py` and `end_to_end/test_offline.py` fail when an upgrade changes what these functions rely on, and
`pyproject.toml` bounds the version.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLUSTER_FILE = "ray_bootstrap_config.yaml"


@contextmanager
def without_cloud_lookup(folder: Path) -> Iterator[None]:
    """Start Ray without its lookup of the cloud while the block runs.

    The dashboard queries the metadata services of Azure, Google and Amazon even where usage statistics are off, unless
    the user's home holds the file of Ray's cluster launcher. The dashboard therefore gets a home with an empty such
    file.

    Parameters
    ----------
    folder
        Where the home is created. It must exist until the dashboard ends.
    """
    from ray._private import ray_constants, services

    home = folder / "dashboard"
    home.mkdir()
    (home / CLUSTER_FILE).write_text("{}\n", encoding="utf-8")
    start = services.start_ray_process

    def start_at_home(command: Any, process_type: str, *arguments: Any, **options: Any) -> Any:
        if process_type == ray_constants.PROCESS_TYPE_DASHBOARD:
            options["env_updates"] = {**(options.get("env_updates") or {}), "HOME": str(home)}
        return start(command, process_type, *arguments, **options)

    services.start_ray_process = start_at_home
    try:
        yield
    finally:
        services.start_ray_process = start


def listen_on_loopback_only() -> None:
    """Make a cluster that this process starts listen on 127.0.0.1 only, as Ray does on systems without clusters.

    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 has the same effect, but only before Ray is imported.
    """
    from ray._private import ray_constants

    ray_constants.ENABLE_RAY_CLUSTER = False


def load_actor_classes_from_this_machine() -> None:
    """Make this process import the class of an actor whose handle it gets, instead of reading it from Ray's head.

    Each proxy of Serve sends its handle to each replica. Ray reads the class of the handle in the event loop of the
    replica, and waits there while the head does not answer: a new head, whose address the replica's node does not know
    yet, sends such handles too. A replica then answered no request for up to a minute.

    The public setting is `code_search_path` of the job, which is that of Serve's controller.
    """
    import ray.serve._private.haproxy
    import ray.serve._private.proxy  # noqa: F401 - imported now, not between two requests
    from ray._private.worker import global_worker

    global_worker.set_load_code_from_local(True)


def autoscaled_resources() -> dict[str, float]:
    """Return the most of each resource that the autoscaler may give the cluster; empty without an autoscaler.

    A process that is connected as a client of `ray://` calls it in a task. The public `ray.cluster_resources()` counts
    the machines that are there now.
    """
    from ray._private.state import state

    most = state.get_max_resources_from_cluster_config() or {}
    return {name: float(number) for name, number in most.items()}
