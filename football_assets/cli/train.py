"""`football train`: the network alone, on this machine or in a job of Vertex AI."""

import os
from pathlib import Path

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.graph import read_config, run_graph
from football_assets.cli.options import EXISTING_FILE, home_option
from football_assets.errors import FootballError

HERE, VERTEX = "here", "vertex"
_VARIABLE = "FOOTBALL_VERTEX_JOB"


@click.command("train")
@home_option
@click.option(
    "--on",
    "place",
    type=click.Choice([HERE, VERTEX]),
    help=f"Where to train: this machine, or the Vertex AI job of {_VARIABLE}. Default: {VERTEX} if that is set.",
)
@click.option(
    "--config",
    "config_file",
    type=EXISTING_FILE,
    help="Run configuration as in Dagster's launchpad, YAML.",
)
def train_command(place: str | None, config_file: Path | None) -> None:
    """Train the network: materialize trained_lstm from the tensors in the bucket."""
    run_config = read_config(config_file) if config_file else None
    settings = prepare_command_home(for_runs=True)
    if place == VERTEX and settings.vertex_job is None:
        raise FootballError(
            f"--on {VERTEX} needs {_VARIABLE}: set it to the path of a copy of deploy/training/vertex.yaml."
        )
    if place == HERE:
        os.environ.pop(_VARIABLE, None)
    run_graph(settings, "trained_lstm", run_config=run_config)
