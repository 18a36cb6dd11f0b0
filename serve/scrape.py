"""The metrics of a pod's replicas on a port of its own, without a key: `python -m serve.scrape` in its own container.

HAProxy of a pod sends a request to any replica of the cluster, so `/metrics` of the endpoint has the totals of the pod
that answered, whichever it was. This process reads the files of its own pod. It listens on loopback by default; on a
cluster the manifest's NetworkPolicy admits the scraper alone.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from prometheus_client import CollectorRegistry, start_http_server

from football_assets.runtime.supervisor import end_signals
from football_assets.settings import get_settings
from serve.metric_collector import MachineCollector
from serve.metrics_folder import METRICS

PORT = 9400
_POLL_SECONDS = 0.5


def pod_registry(folder: Path) -> CollectorRegistry:
    """Return a registry that reads the metrics of all serving processes from their folder at each scrape."""
    registry = CollectorRegistry()
    registry.register(MachineCollector(CollectorRegistry(), folder))
    return registry


def serve_metrics(folder: Path, address: str, port: int, ended: Event) -> None:
    """Answer scrapes until the event is set."""
    server, thread = start_http_server(port, address, pod_registry(folder))
    while not ended.wait(_POLL_SECONDS):
        pass
    server.shutdown()
    thread.join()


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer scrapes until SIGTERM."""
    parser = argparse.ArgumentParser(
        description="Serve the metrics of the serving processes of this machine."
    )
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
    parser.add_argument("--port", type=int, default=PORT, help="TCP port.")
    options = parser.parse_args(arguments)
    with end_signals() as ended:
        serve_metrics(get_settings().scratch / METRICS, options.host, options.port, ended)


if __name__ == "__main__":
    main()
