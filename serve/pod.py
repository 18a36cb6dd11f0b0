"""Prepare a Ray pod of the cluster: `python -m serve.pod` prints the variables that `football serve` sets for Ray.

The container of the manifest evaluates them before the `ray start` command that KubeRay generates:

    { environment="$(python -m serve.pod)" && eval "$environment"; } || exit 1
"""

import shlex
import sys
import tempfile
from pathlib import Path

from football_assets.errors import FootballError
from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets.settings import Settings, get_settings
from serve.haproxy_environment import HAPROXY_PROBLEM, haproxy_environment, rate_limit
from serve.launch import check_key, listen_addresses
from serve.metric_slots import clear_directory
from serve.metrics_folder import METRICS

RUNTIME = "serve"  # a short name: Ray adds a node id, and paths of sockets have at most 97 characters

# After the death of the head a new controller asks each replica for its metadata, 118 KB with Serve 2.60. Ray returns
# results of up to 100 KiB with the reply and keeps larger ones in the object store of the replica's node, which does
# not send them before it knows the new head; Ray asks it again after 10 s. But after 10 s the controller announces that
# the application has no replicas, so that HAProxy answers 503, and after 30 s it kills the replica.
INLINE_RESULT_BYTES = 1 << 20


def pod_environment(settings: Settings, runtime: Path) -> dict[str, str]:
    """Return the variables of a pod whose HAProxy listens on the address of FOOTBALL_SERVE_HOST.

    Raises
    ------
    FootballError
        The host is not known, the port is taken, or no key is required and the settings do not allow that.
    """
    check_key(settings, settings.serve_host)
    addresses = listen_addresses(settings.serve_host, settings.serve_port)
    return (
        haproxy_environment(runtime, addresses, rate_limit(settings))
        | NO_TELEMETRY
        | {"RAY_max_direct_call_object_size": str(INLINE_RESULT_BYTES)}
    )


def prepare_pod(settings: Settings) -> dict[str, str]:
    """Create the folders of the pod, delete the metrics of an earlier container, and return the variables."""
    runtime = Path(tempfile.gettempdir(), RUNTIME)
    runtime.mkdir(parents=True, exist_ok=True)
    (runtime / HAPROXY_PROBLEM).unlink(missing_ok=True)
    metrics = settings.scratch / METRICS
    metrics.mkdir(parents=True, exist_ok=True)
    clear_directory(metrics)
    return pod_environment(settings, runtime)


def main() -> int:
    """Print one `export` a line; returns the exit code."""
    try:
        environment = prepare_pod(get_settings())
    except FootballError as error:
        print(f"The pod cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
