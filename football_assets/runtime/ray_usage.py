"""Starts Ray without the lookup of the cloud that it makes even where its usage statistics are off.

Ray 2.60's dashboard asks the metadata services of Azure, Google and Amazon which cloud it runs in, unless the home of
the user holds the file that Ray's cluster launcher leaves there. No setting turns that off, so the dashboard gets a
home with an empty such file. `end_to_end/test_offline.py` fails where Ray starts it in another way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLUSTER_FILE = "ray_bootstrap_config.yaml"


@contextmanager
def without_cloud_lookup(folder: Path) -> Iterator[None]:
    """Give a dashboard that Ray starts meanwhile a home in a folder, which must outlive it."""
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
