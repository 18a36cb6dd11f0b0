"""A Ray cluster of several nodes on this machine, each with an object store of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from football_assets.runtime.ray_private import listen_on_loopback_only
from football_assets.training.parallel.ray_cluster import ENVIRONMENT

MIB = 1 << 20


@contextmanager
def ray_nodes(count: int, store: int = 256 * MIB) -> Iterator[list[str]]:
    """Start nodes with one CPU each beside a head without any, and connect this process to the head.

    An object that a worker reads is transferred from the head's store to that of its node, as between machines.

    Parameters
    ----------
    count
        Nodes beside the head.
    store
        Bytes of each object store.

    Yields
    ------
    list
        Identifiers of the nodes beside the head.
    """
    os.environ |= {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    import ray
    from ray.cluster_utils import Cluster

    listen_on_loopback_only()
    head = {"num_cpus": 0, "object_store_memory": store, "include_dashboard": False, "dashboard_port": None}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        nodes = [cluster.add_node(num_cpus=1, object_store_memory=store).node_id for _ in range(count)]
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        try:
            yield nodes
        finally:
            ray.shutdown()
    finally:
        cluster.shutdown()
