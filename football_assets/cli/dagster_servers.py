"""`football code-location` and `metrics`: processes of a Dagster deployment that are no part of `football up`."""

import os

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.options import home_option

GRPC_PORT, METRICS_PORT = 4266, 9401
_POLL_SECONDS = 0.5


@click.command("code-location")
@home_option
@click.option("--host", default="127.0.0.1", help="Address to listen on. Default: 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=GRPC_PORT, help=f"TCP port. Default: {GRPC_PORT}."
)
def code_location_command(host: str, port: int) -> None:
    """Serve the asset graph to Dagster's daemon and webserver over gRPC, until SIGTERM."""
    from football_assets.runtime.code_location import become_code_location

    _prepare_instance()
    become_code_location(host, port)


@click.command("metrics")
@home_option
@click.option("--host", default="127.0.0.1", help="Address to listen on. Default: 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=METRICS_PORT, help=f"TCP port. Default: {METRICS_PORT}."
)
def metrics_command(host: str, port: int) -> None:
    """Serve metrics of Dagster's runs, ticks and daemons to Prometheus, until interrupted."""
    _prepare_instance()
    from dagster import DagsterInstance
    from prometheus_client import CollectorRegistry, start_http_server

    from football_assets.automation.dagster_metrics import DagsterCollector
    from football_assets.automation.schedules import schedules
    from football_assets.automation.sensors import sensors
    from football_assets.runtime.listening import listening_errors, resolve_host
    from football_assets.runtime.supervisor import end_signals
    from football_assets.settings import get_settings
    from football_assets.storage.opening import open_bucket

    registry = CollectorRegistry()
    with DagsterInstance.get() as instance, end_signals() as ended:
        defined = {sensor.name for sensor in sensors} | {schedule.name for schedule in schedules}
        registry.register(DagsterCollector(instance, open_bucket(get_settings().bucket_url), defined))
        advice = "name another --host or --port."
        address = resolve_host(host, advice)
        with listening_errors(address, port, advice):
            server, thread = start_http_server(port, address, registry)
        click.echo(f"Metrics on http://{host}:{port}/metrics. Ctrl-C ends it.", err=True)
        while not ended.wait(_POLL_SECONDS):
            pass
        server.shutdown()
        thread.join()


def _prepare_instance() -> None:
    """Leave the Dagster instance that DAGSTER_HOME names as it is; without one, prepare that of the home."""
    if not os.environ.get("DAGSTER_HOME"):
        prepare_command_home()
