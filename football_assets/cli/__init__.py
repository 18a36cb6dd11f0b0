"""The `football` command line: one module per group of commands, imported when a command of it is called or listed.

Modules of commands import click only. What takes more than a few milliseconds to import is imported inside the
commands, so that help and usage errors answer at once.
"""

import sys
import warnings

import click

from football_assets.cli.exit_codes import report_error
from football_assets.cli.lazy_group import LazyGroup
from football_assets.cli.options import home_option
from football_assets.runtime.streams import prepare_streams

COMMANDS = {
    "backtest": "football_assets.cli.backtests:backtest_command",
    "challenge": "football_assets.cli.challenge:challenge_command",
    "clubs": "football_assets.cli.results:clubs_command",
    "code-location": "football_assets.cli.dagster_servers:code_location_command",
    "compare": "football_assets.cli.backtests:compare_command",
    "demo": "football_assets.cli.demo:demo_command",
    "health": "football_assets.cli.health:health_command",
    "land": "football_assets.cli.results:land_command",
    "materialize": "football_assets.cli.graph:materialize_command",
    "metrics": "football_assets.cli.dagster_servers:metrics_command",
    "models": "football_assets.cli.models:models_group",
    "predict": "football_assets.cli.predict:predict_command",
    "prune": "football_assets.cli.retention:prune_command",
    "restore": "football_assets.cli.restore:restore_command",
    "serve": "football_assets.cli.servers:serve_command",
    "sync": "football_assets.cli.results:sync_command",
    "train": "football_assets.cli.train:train_command",
    "up": "football_assets.cli.servers:up_command",
    "validate": "football_assets.cli.validate:validate_group",
}


@click.group(
    cls=LazyGroup,
    lazy_subcommands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="football-assets")
@home_option
def football() -> None:
    """Forecast football matches: a graph of Dagster assets from results to served probabilities."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Words after the program's name. None: those of the process.

    Returns
    -------
    int
        Exit code: 0 for success, else that of `report_error`.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    prepare_streams()
    try:
        code = football.main(arguments, prog_name="football", standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        return report_error(error)
    return code if isinstance(code, int) else 0
