"""`football materialize`: assets and their checks as one Dagster run."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.options import EXISTING_FILE, home_option
from football_assets.errors import FootballError

if TYPE_CHECKING:
    from football_assets.orchestration.in_process_runs import RunSummary
    from football_assets.settings import Settings

# Left out: a backtest needs a period, serving_deployment a running Ray Serve, synced_results the network, and a sweep
# takes long.
DEFAULT_SELECTION = 'not (key:"backtest" or key:"serving_deployment" or key:"sweep" or key:"synced_results")'


@click.command("materialize")
@home_option
@click.option(
    "--select",
    "selection",
    default=DEFAULT_SELECTION,
    help="Assets, like trained_lstm+ or raw_matches,stg_matches. "
    "Default: all but backtest, serving_deployment, sweep and synced_results.",
)
@click.option(
    "--country",
    "countries",
    multiple=True,
    help="Country to build, like eng; repeatable. Default: all.",
)
@click.option(
    "--config",
    "config_file",
    type=EXISTING_FILE,
    help="Run configuration as in Dagster's launchpad, YAML.",
)
def materialize_command(selection: str, countries: tuple[str, ...], config_file: Path | None) -> None:
    """Run assets and their checks, as one Dagster run."""
    run_config = read_config(config_file) if config_file else None
    run_graph(prepare_command_home(for_runs=True), selection, countries, run_config)


def run_graph(
    settings: "Settings",
    selection: str,
    countries: tuple[str, ...] = (),
    run_config: Mapping[str, object] | None = None,
) -> "RunSummary":
    """Materialize assets in this process, with progress on standard error.

    Countries that have landed are registered as partitions first.

    Parameters
    ----------
    selection
        Asset selection in Dagster's syntax.
    countries
        Partitions to run. Empty: all registered ones.
    run_config
        Run configuration as in Dagster's launchpad.

    Raises
    ------
    FootballError
        The selection, a partition or the configuration is invalid, countries are given for assets that are not built
        by country, or a step failed.
    """
    if sys.stderr.isatty():
        click.echo("Loading Dagster …", err=True)
    from dagster import DagsterInstance

    from football_assets.cli.progress import RunProgress
    from football_assets.definitions import build_definitions
    from football_assets.orchestration.in_process_runs import (
        materialize,
        partitioned_assets,
        resolve_selection,
        steps_output_hidden,
    )
    from football_assets.orchestration.partitions import COUNTRY_PARTITIONS, register_countries
    from football_assets.raw.countries import landed_countries
    from football_assets.raw.landing import inventory
    from football_assets.runtime.home import project_root
    from football_assets.storage.opening import open_bucket

    definitions = build_definitions(settings)
    if countries and not partitioned_assets(definitions, resolve_selection(definitions, selection)):
        raise FootballError("None of the selected assets is built by country: leave out --country.")
    with DagsterInstance.get() as instance, steps_output_hidden() as stream, RunProgress(stream) as progress:
        register_countries(instance, landed_countries(inventory(open_bucket(settings.bucket_url))))
        summary = materialize(
            definitions,
            selection,
            instance=instance,
            countries=countries or instance.get_dynamic_partitions(COUNTRY_PARTITIONS),
            run_config=run_config,
            workspace=project_root() / "workspace.yaml",
            report=progress,
        )
        progress.summary(summary)
    return summary


def read_config(file: Path) -> dict[str, object]:
    """Read a run configuration.

    Raises
    ------
    FootballError
        The file has none.
    """
    import yaml

    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FootballError(f"{file} is not YAML: {error}") from error
    if not isinstance(config, dict):
        raise FootballError(
            f"{file} is not a run configuration: copy one from the launchpad of `football up`."
        )
    return config
