"""`football serve`: a Ray cluster of this machine alone, Serve on it, in the foreground until interrupted."""

import ipaddress
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from football_assets.errors import FootballError
from football_assets.runtime.http import http_client
from football_assets.runtime.listening import check_listenable, free_ports, resolve_host
from football_assets.runtime.ray_private import without_cloud_lookup
from football_assets.runtime.serve_discovery import announced, make_token
from football_assets.runtime.supervisor import end_signals
from football_assets.settings import Settings
from serve.haproxy_environment import HAPROXY_PROBLEM, haproxy_environment, rate_limit
from serve.haproxy_rates import RateLimit
from serve.metrics_folder import METRICS

CONFIG = Path(__file__).parent / "config.yaml"
LOOPBACK, ANY_IPV4, ANY_IPV6 = "127.0.0.1", "0.0.0.0", "::"
START_SECONDS = 300
STOP_SECONDS = 20
REPLICA_PORTS = 200
PORTS = range(20_000, 32_768)  # of each cluster of this machine, a block of them
# HAProxy would share a port with the HAProxy of another cluster. With Serve's defaults it would ask another cluster.
_OWN_PORTS = (
    "RAY_SERVE_HAPROXY_STATS_PORT",
    "RAY_SERVE_HAPROXY_METRICS_PORT",
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT",
    "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT",
)
OBJECT_STORE_BYTES = 128 << 20  # requests do not go through it
_POLL_SECONDS = 0.25
_LATE_PROXIES = "HTTP proxies not available"
_OTHER_HOST = "choose another with FOOTBALL_SERVE_HOST or --host of `football serve`."
_OTHER_ADDRESS = (
    "choose another with FOOTBALL_SERVE_HOST and FOOTBALL_SERVE_PORT, --host and --port of `football serve`, or "
    "--serve-port of `football up`."
)


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
        Address and port of the endpoint, which also listens on 127.0.0.1 at the same port.
    replicas
        A fixed number of replicas; None: as many as the requests need, within the bounds of the configuration.
    say
        Called with each line to print.
    config
        Serve's configuration file.

    Raises
    ------
    FootballError
        The port is taken, other machines would be answered without a key, or the server did not start.
    """
    check_key(settings, host)
    addresses = listen_addresses(host, port)
    with tempfile.TemporaryDirectory(prefix="football-serve-") as folder:
        runtime = Path(folder)
        _prepare_environment(settings, runtime, addresses)
        say("Starting Ray …")
        started = time.monotonic()
        with _cluster(replicas, runtime) as dashboard, end_signals() as ended:
            say(f"Starting the forecaster; Ray's dashboard is on http://{dashboard}.")
            deadline = started + START_SECONDS
            deploy(
                dashboard,
                serve_config(config, port=port, replicas=replicas),
                runtime,
                ended,
                deadline=deadline,
            )
            ready = wait_until_ready(f"http://{LOOPBACK}:{port}", runtime, ended)
            url, seconds = endpoint_url(host, port), time.monotonic() - started
            if ready:
                say(f"Forecasts on {url} after {seconds:.0f} s: the page, /docs, /predict. Ctrl-C ends it.")
            elif not ended.is_set():
                say(
                    f"{url} is up after {seconds:.0f} s, but no model is loaded: "
                    f"{model_error(f'http://{LOOPBACK}:{port}')} A valid version in production is loaded without a "
                    "restart (`football demo` trains one). Ctrl-C ends it."
                )
            with announced(settings, f"http://{dashboard}"):
                while not ended.wait(_POLL_SECONDS):
                    pass
            say("Stopping …")


def check_key(settings: Settings, host: str) -> None:
    """Check that an endpoint that other machines reach requires a key, or that the settings allow it to require none.

    Raises
    ------
    FootballError
        It requires none, or the host is not known.
    """
    if settings.keys or settings.serve_without_key:
        return
    if not ipaddress.ip_address(resolve_host(host, _OTHER_HOST)).is_loopback:
        raise FootballError(
            f"On host {host} the endpoint would answer other machines without a key: set FOOTBALL_API_KEY, listen on "
            f"{LOOPBACK}, or allow it with --without-key of `football serve` or FOOTBALL_SERVE_WITHOUT_KEY=true."
        )


def listen_addresses(host: str, port: int) -> list[str]:
    """List the addresses that HAProxy binds: that of a host, and loopback if the host does not include it.

    Dagster and the start of the server send requests to the endpoint on loopback.

    Raises
    ------
    FootballError
        The host is not known or not of this machine, or the port is taken.
    """
    wanted = _bound_addresses(host)
    for one in wanted:
        check_listenable(one, port, _OTHER_ADDRESS)
    options = {ANY_IPV6: " v4v6"}
    return [
        (f"ipv6@[{one}]:{port}" if ":" in one else f"{one}:{port}") + options.get(one, "") for one in wanted
    ]


def overlaps(serve_host: str, other_host: str) -> bool:
    """Return whether HAProxy, listening for `serve_host`, and a server on another host need the same address.

    Raises
    ------
    FootballError
        A host is not known.
    """
    bound, other = _bound_addresses(serve_host), resolve_host(other_host, _OTHER_HOST)
    return other in bound or any(one in (ANY_IPV4, ANY_IPV6) for one in (*bound, other))


def _bound_addresses(host: str) -> list[str]:
    address = resolve_host(host, _OTHER_HOST)
    return [address] if address in (ANY_IPV4, ANY_IPV6, LOOPBACK) else [address, LOOPBACK]


def endpoint_url(host: str, port: int) -> str:
    """Return the URL of the endpoint for clients on this machine."""
    if host in (ANY_IPV4, ANY_IPV6, ""):
        return f"http://{LOOPBACK}:{port}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve_config(file: Path, *, port: int, replicas: int | None = None) -> dict[str, Any]:
    """Read Serve's configuration from a file and set the port and the number of replicas.

    Serve's own host is loopback, or each replica would listen on every address that the endpoint does.
    """
    config: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["http_options"] |= {"host": LOOPBACK, "port": port}
    if replicas is not None:
        for application in config["applications"]:
            for deployment in application["deployments"]:
                deployment.pop("autoscaling_config", None)
                deployment["num_replicas"] = replicas
    return config


def ray_environment(
    runtime: Path, addresses: Sequence[str], limit: RateLimit | None = None
) -> dict[str, str]:
    """Return the variables that Ray reads before it starts a cluster of this machine, and those of `haproxy.py`."""
    endpoint = [int(address.split()[0].rpartition(":")[2]) for address in addresses]  # `ipv6@[::]:8000 v4v6`
    ports = free_ports(PORTS, len(_OWN_PORTS) + REPLICA_PORTS, len(_OWN_PORTS), endpoint)
    own, replicas = ports[: len(_OWN_PORTS)], ports[len(_OWN_PORTS) :]
    return haproxy_environment(runtime, addresses, limit) | {
        **{name: str(port) for name, port in zip(_OWN_PORTS, own, strict=True)},
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(replicas[0]),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(replicas[-1]),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
        # Ray then listens on loopback only, as it does on systems where it makes no clusters. No argument sets this.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


def _prepare_environment(settings: Settings, runtime: Path, addresses: Sequence[str]) -> None:
    # Before Ray is imported: it reads them then.
    os.environ |= ray_environment(runtime, addresses, rate_limit(settings))
    token = make_token(settings, os.environ.pop("RAY_AUTH_TOKEN", None))
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    os.environ["FOOTBALL_HOME"] = str(settings.home.resolve())
    from serve.metric_slots import clear_directory

    metrics = settings.scratch / METRICS
    metrics.mkdir(parents=True, exist_ok=True)
    clear_directory(metrics)


@contextmanager
def _cluster(replicas: int | None, runtime: Path) -> Iterator[str]:
    """Start a Ray cluster of this machine with Serve, and yield the address of its dashboard."""
    import ray
    from ray import serve

    with without_cloud_lookup(runtime):
        context = ray.init(
            "local",  # not a cluster that RAY_ADDRESS names or that runs on this machine
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


def deploy(
    dashboard: str, config: Mapping[str, Any], runtime: Path, ended: threading.Event, *, deadline: float
) -> None:
    """Deploy the configuration as `serve deploy` does, so that `serve deploy` can change it later.

    Serve waits a minute for its proxies, which may start more slowly on a busy machine: then the request is repeated.

    Parameters
    ----------
    deadline
        On the clock of `time.monotonic`. No request is sent after it, nor after `ended` is set.

    Raises
    ------
    FootballError
        Serve rejected the configuration, or its proxies did not start in time.
    """
    from ray.dashboard.modules.serve.sdk import ServeSubmissionClient

    while not ended.is_set():
        try:
            ServeSubmissionClient(f"http://{dashboard}").deploy_applications(dict(config))
            return
        except (RuntimeError, ConnectionError) as error:
            _check_haproxy(runtime)
            # The last line of the dashboard's traceback has the reason. Ray adds a full stop.
            *_, reason = filter(None, (line.strip(" .") for line in (repr(error), *str(error).splitlines())))
            if _LATE_PROXIES not in reason or time.monotonic() > deadline:
                raise FootballError(f"Ray Serve rejected the configuration: {reason}.") from error


def wait_until_ready(url: str, runtime: Path, ended: threading.Event) -> bool:
    """Wait until a replica answers; returns whether it has a model.

    Raises
    ------
    FootballError
        No replica responded in time, or HAProxy or the deployment failed.
    """
    from ray import serve

    deadline = time.monotonic() + START_SECONDS
    while not ended.is_set():
        status = status_of(f"{url}/ready")
        if status == 200:
            return True
        _check_haproxy(runtime)
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


def _check_haproxy(runtime: Path) -> None:
    """Raise FootballError with the reason that `haproxy.py` left, if HAProxy was not started."""
    problem = runtime / HAPROXY_PROBLEM
    if problem.exists():
        raise FootballError(problem.read_text(encoding="utf-8"))


def model_error(url: str) -> str:
    """Return why a server has no model, as its `/health` reports it."""
    try:
        with http_client(read_seconds=5) as client:
            return str(client.get(f"{url}/health").json()["model_error"])
    except (httpx.HTTPError, ValueError, KeyError):
        return "the replica does not answer."


def status_of(url: str) -> int | None:
    """Return the status of a GET request; None without a response."""
    try:
        with http_client(read_seconds=5) as client:
            return client.get(url).status_code
    except httpx.HTTPError:
        return None
