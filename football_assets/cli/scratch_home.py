"""A home in a temporary folder, in which a command materializes features of given results and leaves no trace."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.graph import run_graph
from football_assets.errors import FootballError

if TYPE_CHECKING:
    from football_assets.settings import Settings


def materialize_in_scratch(home: Path, folders: tuple[Path, ...], selection: str) -> "Settings":
    """Land results in a home of their own and materialize assets there.

    Parameters
    ----------
    home
        An empty folder, removed by the caller.
    folders
        Folders of result files.
    selection
        Asset selection in Dagster's syntax.

    Raises
    ------
    FootballError
        A step failed. Its log is removed with the home.
    """
    for variable in ("FOOTBALL_BUCKET", "DAGSTER_HOME"):  # the scratch home has its own
        os.environ.pop(variable, None)
    settings = prepare_command_home(home, for_runs=True)
    from football_assets.orchestration.in_process_runs import RunFailed
    from football_assets.raw.landing import land
    from football_assets.storage.opening import open_bucket

    landed = land(open_bucket(settings.bucket_url), folders)
    click.echo(f"Landed {len(landed.objects)} files of {len(landed.seasons)} seasons.", err=True)
    try:
        run_graph(settings, selection)
    except RunFailed as error:
        raise FootballError(error.cause) from error
    return settings
