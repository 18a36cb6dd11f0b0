"""`football up` and `serve`: the Dagster UI and the HTTP endpoint, until interrupted."""

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.extras import PIPELINE, SERVE, require_extras
from football_assets.cli.options import home_option

if TYPE_CHECKING:
    from football_assets.settings import Settings

SERVE_PROGRAM = (sys.executable, "-m", "football_assets.cli", "serve", "--supervised")


@click.command("up")
@home_option
@click.option("--host", help="Address to listen on. Default: FOOTBALL_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="TCP port. Default: FOOTBALL_PORT, else 3000.")
@click.option(
    "--serve-port",
    type=click.IntRange(1, 65535),
    help="TCP port of the HTTP endpoint. Default: FOOTBALL_SERVE_PORT, else 8000.",
)
@click.option(
    "--serve/--no-serve",
    "with_serve",
    default=True,
    help="Run the HTTP endpoint too, or only the UI and its daemon.",
)
def up_command(host: str | None, port: int | None, serve_port: int | None, with_serve: bool) -> int:
    """Run the Dagster UI with its daemon, and the HTTP endpoint, until interrupted."""
    require_extras("up", PIPELINE, *([SERVE] if with_serve else []))
    settings = prepare_command_home(for_runs=True)
    _check_keys(settings)
    from football_assets.runtime.home import project_root
    from football_assets.runtime.listening import check_listenable
    from football_assets.runtime.processes import run_together
    from football_assets.runtime.serve_discovery import UI_CLAIM, claimed

    root = project_root()
    host, port = host or settings.host, port or settings.port
    ui = f"http://{host}:{port}"
    dagster = [sys.executable, "-m", "dagster", "dev", "--host", host, "--port", str(port)]
    programs = {"dagster": [*dagster, "--workspace", str(root / "workspace.yaml")]}
    with ExitStack() as claims:
        locks = [claims.enter_context(claimed(settings, "football up", ui, UI_CLAIM))]
        if with_serve:
            from serve.launch import check_key, listen_addresses, overlaps

            check_key(settings, settings.serve_host)
            serve_port = serve_port or settings.serve_port
            programs["serve"] = [*SERVE_PROGRAM, "--port", str(serve_port)]
            address = f"{ui} and http://{settings.serve_host}:{serve_port}"
            locks.append(claims.enter_context(claimed(settings, "football up", address)))
            if serve_port == port and overlaps(settings.serve_host, host):
                raise click.UsageError(
                    f"The Dagster UI and the HTTP endpoint cannot share port {port}: give --port or --serve-port."
                )
            listen_addresses(settings.serve_host, serve_port)
        check_listenable(
            host,
            port,
            "choose another with FOOTBALL_HOST and FOOTBALL_PORT, or --host and --port of `football up`.",
        )
        click.echo(f"Dagster UI on {ui}, home {settings.home}. Ctrl-C ends it.", err=True)
        return run_together(programs, root, keep_open=locks)


@click.command("serve")
@home_option
@click.option("--host", help="Address to listen on. Default: FOOTBALL_SERVE_HOST, else 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="TCP port. Default: FOOTBALL_SERVE_PORT, else 8000."
)
@click.option(
    "--replicas",
    type=click.IntRange(1, 64),
    help="A fixed number of replicas. Default: as many as the requests need, up to the limit in serve/config.yaml.",
)
@click.option(
    "--without-key",
    is_flag=True,
    help="Allow addresses that other machines reach without FOOTBALL_API_KEY. Default: FOOTBALL_SERVE_WITHOUT_KEY.",
)
@click.option("--supervised", is_flag=True, hidden=True)  # by `football serve` or `football up`
def serve_command(
    host: str | None, port: int | None, replicas: int | None, without_key: bool, supervised: bool
) -> int:
    """Serve forecasts of the production model over HTTP, until interrupted."""
    require_extras("serve", SERVE)
    settings = prepare_command_home(for_runs=True)
    _check_keys(settings)
    from football_assets.runtime.processes import run_together
    from football_assets.runtime.serve_discovery import claimed
    from serve.launch import check_key, listen_addresses, serve_forecasts

    host, port = host or settings.serve_host, port or settings.serve_port
    if without_key:
        settings = settings.model_copy(update={"serve_without_key": True})
    if supervised:
        say = partial(click.echo, err=True)
        serve_forecasts(settings, host=host, port=port, replicas=replicas, say=say)
        return 0
    program = [*SERVE_PROGRAM, "--host", host, "--port", str(port)]
    if replicas is not None:
        program += ["--replicas", str(replicas)]
    if without_key:
        program.append("--without-key")
    check_key(settings, host)
    with claimed(settings, "football serve", f"http://{host}:{port}") as lock:
        listen_addresses(host, port)
        return run_together({"serve": program}, Path.cwd(), keep_open=[lock])


def _check_keys(settings: "Settings") -> None:
    """Check the keys of signatures before a server starts.

    Raises
    ------
    SignaturePolicyError
        A key is unusable.
    """
    from football_assets.registry.signature_policy import SignaturePolicy

    SignaturePolicy.from_settings(settings).check()
